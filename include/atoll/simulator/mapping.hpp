// A mapping of one layer onto one accelerator: per storage level a set of temporal loops with their order
// and, below a level with a fan-out, spatial loops along y and x. Plain data of fixed size, so that
// batches lie flat in memory.
//
// Everything is kept as *extents*: `temporal[d]` is the extent of dimension d that one step of this level's
// temporal loop hands inwards, `y[d]` and `x[d]` what is left after the loops along y and x. The loop
// bound is the ratio of neighbouring extents, rounded up where it does not divide:
//
//   extent entering level l -> temporal[d] -> y[d] -> x[d] = extent entering level l+1
//
// The extent that enters level 0 is the layer's; the one that leaves the last level is 1.
// Nest order: temporal loops of level 0, its y loops, its x loops, temporal loops of level 1, ...
#pragma once

#include <array>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/network/layer.hpp"

namespace atl {

using Extents = std::array<std::uint32_t, dim_count>;

struct LevelMapping {
  Extents temporal{};
  Extents y{};
  Extents x{};
  std::array<std::uint8_t, dim_count> order{};  // order[0] = outermost loop, as index of Dim: a permutation
  OperandSet keep = 0;
};

struct Mapping {
  std::uint8_t levels = 0;
  std::array<LevelMapping, max_levels> level{};

  /// Extents of the tile that level l holds (what enters it); `layer_size` for l = 0.
  const Extents& entering(std::size_t l, const Layer& layer) const {
    return l == 0 ? layer.size : level[l - 1].x;
  }
};

/// The mapping that runs everything in the outermost level's temporal loops: legal wherever one word of each
/// kept operand fits. A starting point for tests.
Mapping trivial_mapping(const Layer& layer, const Accelerator& accelerator);

/// Why a mapping is not legal, as one sentence with rule and value; empty if it is legal. Checks: number
/// of levels, permutations, extents that shrink inwards and end at 1, keep against must/may keep, loops along
/// x and y against the fan-out, capacity of every level for the largest tile. `divisors_only` also asks for
/// tiles that divide.
std::string check(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                  bool divisors_only);

/// The words of `operand` in a tile of these extents, without padding clipped off: the largest tile. Stride
/// holes are not stored.
std::uint64_t tile_words(const Layer& layer, Operand operand, const Extents& extents);

/// A readable loop nest, one loop a line, indented, with level names and tile sizes.
std::string loop_nest(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator);

/// Distinct values of p * stride + r * dilation for p < rows and r < taps: the height of an input tile
/// without its holes.
constexpr std::uint64_t window_words(std::uint64_t rows, std::uint64_t taps, std::uint64_t stride,
                                     std::uint64_t dilation) {
  const std::uint64_t common = std::gcd(stride, dilation);
  const std::uint64_t row_period = dilation / common;
  const std::uint64_t tap_period = stride / common;
  // (p, r) and (p - row_period, r + tap_period) are the same word; count those without such a twin.
  const std::uint64_t twins_p = rows > row_period ? rows - row_period : 0;
  const std::uint64_t twins_r = taps > tap_period ? taps - tap_period : 0;
  return rows * taps - twins_p * twins_r;
}

/// One line of JSON: {"layer": {...}, "mapping": [{"level": "dram", "keep": ["W", "I", "O"], "temporal":
/// [["K", 16], ["P", 8]], "spatial_y": [], "spatial_x": []}, ...]}. Loops stand outermost first; the number
/// is the extent the loop hands inwards; loops of one turn are left out. The layer is complete, so that a
/// line can be evaluated alone.
std::string mapping_to_json(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator);

/// Such a line as numbers. Orders list the loops that are named first, then all others by Dim.
struct LayerMapping {
  Layer layer;
  Mapping mapping;
};
/// InputError names key and value; `place` says where the line stands ("in.jsonl:7"). Other keys beside
/// "layer" and "mapping" are left to the caller. The result still has to pass check().
LayerMapping mapping_from_json(const std::string& line, const Accelerator& accelerator,
                               const std::string& place);

}  // namespace atl
