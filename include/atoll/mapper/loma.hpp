// LOMA, ZigZag's search of temporal mappings (Symons et al., AICAS 2021): the loops a layer needs beside its
// unrolling are split into prime factors, every distinct order of these is allocated to the memories and
// costed, and the best one is kept.
#pragma once

#include <cstdint>
#include <string>

#include "atoll/simulator/zigzag.hpp"

namespace atl {

/// What is least in the best mapping. Of equal ones, ZigZag keeps the first found.
enum class LomaGoal : std::uint8_t {
  latency,  // of equal latency, the one of less energy
  energy,   // of equal energy, the one of less latency
  edp       // latency times energy
};
/// "latency", "energy", "EDP" or "edp"; InputError lists them.
LomaGoal loma_goal(const std::string& name);

struct LomaOptions {
  /// Smallest factors are multiplied until there are no more loops than this (ZigZag's lpf_limit), but never
  /// fewer than dimensions that run. From 1 to loma_most_loops.
  std::size_t most_loops = 6;
  LomaGoal goal = LomaGoal::latency;
};
inline constexpr std::size_t loma_most_loops = 10;  // 3.6 million orders

struct LomaResult {
  ZigzagMapping mapping;
  ZigzagCosts costs;
  std::uint64_t orders = 0;     // distinct ones
  std::uint64_t evaluated = 0;  // those that fit
};

/// The loops whose orders are searched, in the layer's own order of dimensions.
ZigzagLoops loma_factors(const ZigzagModel& model, std::size_t most_loops);

/// Searches all orders. InputError: options out of range, no order fits the memories.
LomaResult loma(const ZigzagModel& model, const LomaOptions& options);

}  // namespace atl
