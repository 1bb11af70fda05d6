// What all rows of a pack share, worked out before they are counted: which loops can turn, the chain of
// levels that hold each operand, and tables of the tiles of sliding windows.
#pragma once

#include <limits>
#include <vector>

#include "nest.hpp"

namespace atl::loopnest {

/// Dimensions in rising order.
struct DimList {
  std::array<std::uint8_t, dim_count> dim{};
  std::size_t size = 0;

  DimList() = default;
  explicit DimList(DimSet dims) {
    for (; dims != 0; dims &= dims - 1) dim[size++] = static_cast<std::uint8_t>(std::countr_zero(dims));
  }
  const std::uint8_t* begin() const { return dim.data(); }
  const std::uint8_t* end() const { return dim.data() + size; }
};

/// Tiles of some rows and taps along one axis, and the words they hold.
struct Window {
  struct Part {
    double offset, words, span;  // first word, number of words, last word minus first
    double count_a, step_a, count_b, step_b;
  };
  std::array<Part, 2> part{};
  std::size_t parts = 0;
  double held = 1;            // stored words, summed over all places of the tile
  double words = 1;           // of one tile, padding included
  double reach = 0;           // tiles further apart have no word in common
  double places = 1;          // of the tile in the layer
  double start = 0, end = 0;  // first word of the first and of the last place
  double least_step = std::numeric_limits<double>::infinity();  // no loop outside takes a smaller one
};

/// All tiles that divide along one axis. A plain axis has one entry that stands for any tile.
struct WindowTable {
  std::vector<std::uint16_t> row_index, tap_index;  // place in the table, by extent
  std::vector<Window> window;

  const Window& at(std::uint32_t rows, std::uint32_t taps) const {
    if (row_index.empty()) return window[0];
    return window[std::size_t{row_index[rows]} + tap_index[taps]];
  }
};

/// What a layer fixes for packs.
struct PackFacts {
  explicit PackFacts(const LayerFacts& facts);

  bool fits = true;  // extents below 2^24, axes short enough for a table
  DimSet turning = 0;
  std::array<WindowTable, 2> axis;
};

/// The links of one operand's chain, from outside in; the last ends at the multipliers.
struct Chain {
  std::array<Edge, max_levels> link{};
  std::size_t size = 0;
  std::size_t deepest = 0;  // innermost level that holds the operand
};

struct Program {
  Program(const Structure& accelerator, const LayerFacts& facts, const PackFacts& pack_facts,
          const Mapping& one);

  const Structure& structure;
  const LayerFacts& layer;
  const PackFacts& pack;
  std::array<Chain, operand_count> chain{};
  std::size_t ordered = 0;                     // levels whose loop order matters
  DimList turning;                             // dimensions of more than one index
  std::array<DimList, operand_count> apart{};  // of these, each turn gives other words
  DimList along, across;                       // sliding, all others
  bool halves[2] = {false, false};             // does N..C, does P..S turn?
  bool slides = false;
};

/// The operands that each level holds, as one number. Rows of equal ones share a program.
inline std::uint32_t kept_where(const Mapping& mapping, std::size_t levels) {
  std::uint32_t kept = 0;
  for (std::size_t l = 1; l < levels; ++l)
    kept = kept << operand_count | (mapping.level[l].keep & all_operands);
  return kept;
}

}  // namespace atl::loopnest
