// One tile that a level is given: what each kind of step moves and computes, and in which order MAESTRO takes
// the steps.
#pragma once

#include "datacentric_plan.hpp"

namespace atl::datacentric {

/// A tile handed to a level: which dimensions advance, and what each kind of step moves and computes. Kinds
/// of steps are subsets of the advancing dimensions (bit = place, outermost first): those in their edge step.
struct Tile {
  std::size_t advancing = 0;
  std::array<std::uint8_t, dims> dim;
  std::array<std::int32_t, dims> steady;
  std::array<bool, dims> edge;
  std::size_t without_edge = 0;  // places that have no edge step
  DimSet first_is_edge = 0;
  std::size_t spatial = dims;  // its place among the advancing ones
  bool spatial_first_is_edge = false;
  bool partial = false;  // in its edge step
  bool gives_up = false;
  std::array<std::int64_t, subsets> written, computed, critical;
  // Elements that arrive when the advancing dimension at a place steps, [dims]: at the very first step;
  // [spatial edge][operand].
  std::array<std::array<std::array<std::int64_t, 2>, 2>, dims + 1> loaded;

  std::size_t kinds() const { return std::size_t{1} << advancing; }
  bool exists(std::size_t kind) const { return (kind & without_edge) == 0; }
  bool spatial_edge(std::size_t kind) const {
    return spatial < dims ? ((kind >> spatial) & 1U) != 0 : spatial_first_is_edge;
  }
};

/// The tile of level l whose sizes the mask chooses: a bit for each DataDim, 1 = the edge piece of the level
/// above.
void build_tile(Tile& tile, const Context& context, std::size_t l, DimSet mask);

inline std::int64_t network_delay(const DatacentricHardware& hardware, std::int64_t elements) {
  const std::int64_t bandwidth = hardware.noc_bandwidth;
  // At most one send is the rule where the network is wide.
  if (elements > 0 && elements <= bandwidth) return hardware.noc_latency;
  const std::int64_t whole = quotient(elements, bandwidth);
  return add(whole, hardware.noc_latency + (whole * bandwidth != elements ? 1 : 0) - 1);
}

inline std::int64_t compute_delay(const DatacentricHardware& hardware, std::int64_t macs) {
  if (hardware.simd_lanes == 1) return macs;
  const std::int64_t whole = quotient(macs, hardware.simd_lanes);
  return whole + (macs > 0 && whole * hardware.simd_lanes != macs ? 1 : 0);
}

/// Visits every combination of first, steady and edge steps in MAESTRO's order, which decides how its sums
/// of floating-point numbers are rounded: all first steps, then a counter whose digits turn (steady, edge,
/// first). take(times, kind, innermost advancing place or `dims`).
template <typename Take>
void visit(const Tile& tile, Take&& take) {
  const std::size_t n = tile.advancing;
  std::array<std::uint8_t, dims> states, digit, start;
  std::size_t left = 1;
  for (std::size_t j = 0; j < n; ++j) {
    states[j] = static_cast<std::uint8_t>(1 + (tile.steady[j] > 0 ? 1 : 0) + (tile.edge[j] ? 1 : 0));
    start[j] = digit[j] = 1;
    left *= states[j];
  }
  take(std::int64_t{1}, std::size_t{0}, dims);
  struct Prefix {
    std::uint32_t times;
    std::uint32_t kind;
    std::size_t innermost;
  };
  std::array<Prefix, dims + 1> prefix;
  prefix[0] = {1, 0, dims};
  std::size_t from = 0;
  while (--left > 0) {
    for (std::size_t j = from; j < n; ++j) {
      Prefix& next = prefix[j + 1] = prefix[j];
      if (digit[j] == 0) continue;
      next.innermost = j;
      if (digit[j] == 1 && tile.steady[j] > 0)
        next.times *= static_cast<std::uint32_t>(tile.steady[j]);
      else
        next.kind |= 1U << j;
    }
    take(std::int64_t{static_cast<std::int32_t>(prefix[n].times)}, std::size_t{prefix[n].kind},
         prefix[n].innermost);
    from = n;
    while (from-- > 0) {
      digit[from] = static_cast<std::uint8_t>(digit[from] + 1 == states[from] ? 0 : digit[from] + 1);
      if (digit[from] != start[from]) break;
    }
  }
}

}  // namespace atl::datacentric
