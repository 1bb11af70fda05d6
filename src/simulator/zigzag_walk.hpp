// What one order of temporal loops implies for every prefix of it, shared by ZigZag's cost model and its
// allocator.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "atoll/simulator/zigzag.hpp"

namespace atl::zigzag {

template <class T>
using ByPrefix = std::array<T, zigzag_most_loops + 1>;

constexpr std::size_t W = index(Operand::W), I = index(Operand::I), O = index(Operand::O);

// Bearings as a table: operand by dimension.
constexpr auto r = ZigzagBearing::r, ir = ZigzagBearing::ir, pr = ZigzagBearing::pr;
inline constexpr std::array<std::array<ZigzagBearing, zigzag_dim_count>, operand_count> bearings = {
    {//      B   G  K  C   OX  OY  FX  FY
     /*W*/ {ir, r, r, r, ir, ir, r, r},
     /*I*/ {r, r, ir, r, pr, pr, pr, pr},
     /*O*/ {r, r, r, ir, r, r, ir, ir}}};

/// Distinct indices of a window axis for `positions` steps of `taps` taps.
inline double window_size(double positions, double taps, std::uint32_t stride, std::uint32_t dilation,
                          double extent) {
  const std::uint32_t common = std::gcd(stride, dilation);
  const double a = std::trunc(positions), b = std::trunc(taps);
  const double distinct = a * b - std::max(0.0, b - stride / common) * (a - dilation / common);
  return std::min(distinct, extent);
}

/// Sizes of the four window loops so far: OX, OY, FX, FY.
using Window = std::array<double, 4>;

inline std::array<double, 2> window_sides(const ZigzagLayer& layer, const Window& w) {
  return {window_size(w[0], w[2], layer.stride[0], layer.dilation[0], layer.input_extent[0]),
          window_size(w[1], w[3], layer.stride[1], layer.dilation[1], layer.input_extent[1])};
}

inline double window_elements(const ZigzagLayer& layer, const Window& w) {
  const auto [x, y] = window_sides(layer, w);
  return x * y;
}

constexpr std::size_t window_index(ZigzagDim dim) {
  return index(dim) - index(ZigzagDim::OX);
}

struct Walk {
  explicit Walk(const ZigzagLoops& loops) {
    const std::size_t n = loops.count;
    all[0] = 1;
    for (auto& one : relevant) one[0] = 1;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t d = index(loops.dim[i]);
      all[i + 1] = all[i] * loops.size[i];
      for (std::size_t o = 0; o < operand_count; ++o)
        relevant[o][i + 1] = relevant[o][i] * (bearings[o][d] == r ? loops.size[i] : 1.0);
      if (bearings[O][d] == ir) open_until = i + 1;
      if (bearings[O][d] == ir && loops.size[i] > 1) reductions = i + 1;
    }
    rest[n] = 1;
    for (auto& one : next) one[n] = static_cast<std::uint8_t>(n);
    for (std::size_t i = n; i-- > 0;) {
      rest[i] = rest[i + 1] * loops.size[i];
      for (std::size_t o = 0; o < operand_count; ++o)
        next[o][i] = bearings[o][index(loops.dim[i])] == ir ? next[o][i + 1] : static_cast<std::uint8_t>(i);
    }
  }

  ByPrefix<double> all, rest;                              // product of loops below, from there on
  std::array<ByPrefix<double>, operand_count> relevant;    // product of the relevant (r) loops below
  std::array<ByPrefix<std::uint8_t>, operand_count> next;  // first loop from there on that is not irrelevant
  std::size_t reductions = 0;                              // behind the last loop that adds to partial sums
  std::size_t open_until = 0;                              // the same, counting loops that run once
};

}  // namespace atl::zigzag
