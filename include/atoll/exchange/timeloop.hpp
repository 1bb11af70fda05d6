// Timeloop's input files (version 0.4), out and in: problem, mapping, architecture with its energy reference
// table (ERT), and the constraints that say which operands a level keeps.
//
// What is the same in both: the loop nest with its bounds and order, the fan-outs as meshes, capacity,
// bandwidth, energy per access and leakage. What is not, and is noted where it occurs:
// - Timeloop counts words of one width a level; atoll's levels may hold words of several widths.
// - Timeloop has no padding: a padded input becomes a larger stored one.
// - Timeloop has one loop for each dimension and kind at a level: a dimension that runs along y and x of
//   one fan-out becomes one loop along x; where the mesh is too narrow for that, the fan-out is split by
//   a level `<name>_rows` that holds nothing, and joined again on the way back.
// - Every network multicasts and reduces; buffers are single-ported, with transfers overlapped.
// - A hop's energy is per word and distance there, per bit and delivered word here.
//
// Format: timeloop.csail.mit.edu, "Input formats"; NVlabs/timeloop 4cf6d4c.
#pragma once

#include <span>
#include <vector>

#include "atoll/exchange/foreign.hpp"

namespace atl {

/// architecture.yaml, ert.yaml, constraints.yaml; <name>.problem.yaml and <name>.mapping.yaml for each
/// mapping.
Exported export_timeloop(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings);

/// The files may hold, in any split and order, `architecture` (a tree of `subtree` and `local` lists with
/// names like mac[1..168]), `ERT`, `ART` and constraints; other keys are ignored with a note. InputError with
/// file, line and column. `name`: of the accelerator; empty: from the architecture.
Imported import_timeloop(std::span<const ForeignFile> files, const std::string& name);

/// Files with a `problem` and a `mapping` (no others), as one mapping on `accelerator`: the inverse of
/// export_timeloop. Levels are found by plain_name(). The result still has to pass check().
LayerMapping import_timeloop_mapping(std::span<const ForeignFile> files, const Accelerator& accelerator);

}  // namespace atl
