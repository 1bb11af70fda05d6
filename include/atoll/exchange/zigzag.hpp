// ZigZag's input files (workload, mapping and accelerator as YAML), out, and its accelerators, in.
//
// What is the same in both: memories with operands, size, bandwidth and energy per access, the array with
// its axes, the loops in space, and the order of all loops in time. What is not, and is noted where it
// occurs:
// - ZigZag allocates loops to memories itself: the order carries over, the tile at each memory does not.
// - A memory holds the same operands for every mapping: it is written as the mapping keeps them.
// - Memories need not be nested: each serves some axes of the array. What cannot become a chain of levels
//   is placed further in.
// - ZigZag decides itself which memory is double-buffered, multicasts and adds for free, and knows neither
//   leakage nor hops. Bandwidths and sizes are whole numbers of bits and never unlimited.
//
// Format: KULeuven-MICAS/zigzag, zigzag/inputs and zigzag/parser (ports with names; the older r_bw, w_bw,
// r_port, ... are read as well).
#pragma once

#include <span>

#include "atoll/exchange/foreign.hpp"

namespace atl {

/// <name>.workload.yaml, <name>.mapping.yaml and <name>.accelerator.yaml for each mapping; one
/// accelerator.yaml instead where all mappings keep the same operands.
Exported export_zigzag(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings);

/// One accelerator file. InputError with file, line and column.
Imported import_zigzag(const ForeignFile& file, const std::string& name);

}  // namespace atl
