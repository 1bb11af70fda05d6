// MAESTRO's input files: layer with its dataflow directives and the hardware file, out; the hardware file,
// in.
//
// MAESTRO knows one memory shared by all units (L2) and one in each (L1); the DRAM is a bandwidth. Every
// level of clusters has one loop for each dimension and spreads one dimension over its units. So
// - every loop in space becomes a level of clusters, y before x, outer before inner;
// - loops in time outside a fan-out become the directives of that level. A dimension that two storage levels
// cut
//   in time, with other loops between, has no place there and is refused, as is a window (R, S) cut outside
//   L1;
// - loops inside the last fan-out disappear: MAESTRO counts one L1 read for each operand and multiplication;
// - what bypasses which memory, sizes between the clusters, several fan-outs' buffers and energies are lost.
// Tiles need not divide. Groups other than depthwise, dilation, and batches of matrix products are refused.
//
// Format: maestro-project/maestro e1d8efd, data/mapping and data/hw.
#pragma once

#include <span>

#include "atoll/exchange/foreign.hpp"

namespace atl {

/// hardware.m, and <name>.m for each mapping.
Exported export_maestro(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings);

/// A hardware file ("num_pes: 168" or the older "NumPEs: 168", one entry a line). Energies and areas are
/// MAESTRO's constants; the DRAM's energy, which it does not have, is an estimate. InputError with file and
/// line.
Imported import_maestro(const ForeignFile& file, const std::string& name);

}  // namespace atl
