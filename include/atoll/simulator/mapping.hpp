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
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/network/layer.hpp"

namespace atoll {

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
/// of levels, permutations, extents that shrink inwards and end at 1, keep against must/may keep, loops along x and
/// y against the fan-out, capacity of every level for the largest tile. `divisors_only` also asks for tiles that
/// divide.
std::string check(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                  bool divisors_only);

/// The words of `operand` in a tile of these extents, without padding clipped off: the largest tile. Stride
/// holes are not stored.
std::uint64_t tile_words(const Layer& layer, Operand operand, const Extents& extents);

/// A readable loop nest, one loop a line, indented, with level names and tile sizes.
std::string loop_nest(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator);

/// One line of JSON as in README ("layer" and "mapping" keys), and back. InputError names key and value.
std::string mapping_to_json(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator);

}  // namespace atoll
