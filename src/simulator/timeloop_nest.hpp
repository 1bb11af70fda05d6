// The loops of a mapping as steps of extents, and operands as points in five axes: what the walk through time
// and the networks work on.
#pragma once

#include "atoll/simulator/timeloop.hpp"

namespace atl::timeloop {

using Count = std::int64_t;
/// W: G, K, C, R, S. I: G, N, C, row, column. O: G, N, K, P, Q.
inline constexpr std::size_t axes = 5;
using Point = std::array<Count, axes>;

/// Products and sums that refuse to wrap around.
Count times(Count a, Count b);
Count plus(Count a, Count b);
/// InputError if a figure of so many words would be rounded.
void require_exact(Count words);

struct Loop {
  Dim dim;
  Count bound;
  Count step;  // extent of `dim` inside
  bool along_x;
};

struct Nest {
  const Layer* layer;
  std::vector<Extents> entering;           // by level; one more for the multipliers
  std::vector<std::vector<Loop>> in_time;  // by level, outer to inner
  std::vector<std::vector<Loop>> in_space;
  std::vector<Count> instances;  // used; one more for the multipliers
  Count steps = 1;
};

Nest make_nest(const TimeloopMapping& mapping, const Layer& layer);

/// How far an operand's tile moves when `dim` moves by `step`.
Point project(const Layer& layer, Operand operand, Dim dim, Count step);

/// The words of a tile of one operand: a box, which along rows and columns may have holes.
class TileShape {
 public:
  TileShape(const Layer& layer, Operand operand, const Extents& extents, bool bounding_box);

  const Point& box() const { return box_; }
  Count words() const { return words_; }
  bool has_holes() const { return !lattice_[0].empty() || !lattice_[1].empty(); }
  /// Words of the tile that are in the tile moved by `shift`, too.
  Count overlap(const Point& shift) const;
  /// Words in the union of this tile over all turns of the loops.
  Count words_over(const Layer& layer, Operand operand, const std::vector<Loop>& loops) const;

 private:
  using Members = std::vector<bool>;
  Point box_;
  Count words_;
  std::array<Members, 2> lattice_;  // rows, columns: which positions are there; empty: all
  std::array<Count, 2> held_{};     // how many
};

/// How many different tiles the children below some loops in space work on.
Count distinct_tiles(const Layer& layer, Operand operand, const std::vector<Loop>& loops);

}  // namespace atl::timeloop
