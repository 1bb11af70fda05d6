// What the closed form knows before it counts: the structure of an accelerator, the facts of a layer, and the
// loops of a mapping that turn more than once.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "atoll/simulator/bounds.hpp"
#include "atoll/simulator/simulator.hpp"
#include "lattice.hpp"
#include "loopnest_rules.hpp"

namespace atl::loopnest {

inline constexpr std::size_t max_loops = 64;  // each at least doubles a product below 2^53

/// What an accelerator's structure fixes once and for all.
struct Structure {
  explicit Structure(const Accelerator& accelerator) : schema(loopnest_schema(accelerator)) {
    levels = accelerator.levels.size();
    units = static_cast<double>(accelerator.units());
    for (std::size_t l = 0; l < levels; ++l) {
      buffering[l] = accelerator.levels[l].buffering;
      shared_port[l] = accelerator.levels[l].shared_port;
      built[l] = static_cast<double>(accelerator.instances(l));
    }
    for (const Fanout& one : accelerator.fanouts) {
      has_fanout[one.above] = true;
      fanout[one.above] = one;
    }
  }

  CostSchema schema;
  std::size_t levels = 0;
  std::array<bool, max_levels> has_fanout{};
  std::array<Fanout, max_levels> fanout{};
  std::array<Buffering, max_levels> buffering{};
  std::array<bool, max_levels> shared_port{};
  std::array<double, max_levels> built{};  // instances
  double units = 0;
};

/// Rows or columns of a layer's input.
struct Axis {
  std::size_t row_dim = 0, tap_dim = 0;
  Words row_step = 1, tap_step = 1;  // words from one output row, one tap, to the next
  Words first = 0, extent = 0;
  bool plain = false;  // neither shared rows nor padding: rows are as apart as channels
};

/// Stored words of tiles along one axis, summed over all places of the tile: a table over the extents (rows,
/// taps) of tiles that divide. Only saves time; absent for very long axes.
struct HeldWords {
  static constexpr std::size_t largest = 1U << 16;
  std::size_t taps = 0;
  std::vector<Words> table;

  bool known() const { return !table.empty(); }
  Words at(std::size_t rows, std::size_t tap) const { return table[rows * (taps + 1) + tap]; }
};

/// What a layer fixes, computed once for many mappings of it.
struct LayerFacts {
  Layer layer;
  std::array<DimSet, operand_count> apart{};  // dimensions of which each turn gives other words
  std::array<bool, operand_count> has{};
  std::array<Axis, 2> axis{};
  std::array<HeldWords, 2> held{};
  DimSet sliding = 0;                             // dimensions along axes that are not plain
  std::array<std::uint8_t, dim_count> axis_of{};  // of sliding dimensions
  std::array<Words, dim_count> word_step{};       // likewise: words from one index to the next
  double macs = 0, operations = 0;
  Words outputs = 0;
  CompulsoryWords compulsory;
};

/// Over all places of a tile of `rows` x `taps`, none of them shared.
inline Words held_words(const Axis& axis, Words all_rows, Words all_taps, Words rows, Words taps) {
  const DistinctPairs window = distinct_pairs(rows, axis.row_step, taps, axis.tap_step);
  Words words = 0;
  for (std::size_t i = 0; i < window.parts; ++i) {
    const auto& part = window.part[i];
    Lattice places;
    places.push(all_rows / rows, rows * axis.row_step);
    places.push(all_taps / taps, taps * axis.tap_step);
    places.push(part.count_a, part.step_a);
    places.push(part.count_b, part.step_b);
    words += places.inside(axis.first + part.offset, axis.extent);
  }
  return words;
}

inline HeldWords held_table(const Axis& axis, std::size_t all_rows, std::size_t all_taps) {
  HeldWords held;
  if (axis.plain || (all_rows + 1) * (all_taps + 1) > HeldWords::largest) return held;
  held.taps = all_taps;
  held.table.assign((all_rows + 1) * (all_taps + 1), 0);
  for (std::size_t rows = 1; rows <= all_rows; ++rows) {
    if (all_rows % rows != 0) continue;
    for (std::size_t taps = 1; taps <= all_taps; ++taps)
      if (all_taps % taps == 0)
        held.table[rows * (all_taps + 1) + taps] =
            held_words(axis, static_cast<Words>(all_rows), static_cast<Words>(all_taps),
                       static_cast<Words>(rows), static_cast<Words>(taps));
  }
  return held;
}

template <typename R>
LayerFacts layer_facts(const Layer& layer) {
  LayerFacts facts;
  facts.layer = layer;
  facts.apart = {R::weight_dims(layer.op), R::input_dims(), R::output_dims()};
  for (std::size_t o = 0; o < operand_count; ++o) facts.has[o] = layer.has(static_cast<Operand>(o));
  for (std::size_t a = 0; a < 2; ++a) {
    Axis& axis = facts.axis[a];
    axis.row_dim = index(a == 0 ? Dim::P : Dim::Q);
    axis.tap_dim = index(a == 0 ? Dim::R : Dim::S);
    axis.row_step = R::row_step(layer, a);
    axis.tap_step = R::tap_step(layer, a);
    axis.first = R::first_row(layer, a);
    axis.extent = R::stored_rows(layer, a);
    const Words last = axis.first + (layer.size[axis.row_dim] - Words{1}) * axis.row_step;
    axis.plain = layer.size[axis.tap_dim] == 1 && axis.first >= 0 && last < axis.extent;
    if (axis.plain) facts.apart[index(Operand::I)] |= dim_bit(axis.row_dim);
    if (!axis.plain) facts.sliding |= dim_bit(axis.row_dim) | dim_bit(axis.tap_dim);
    facts.axis_of[axis.row_dim] = facts.axis_of[axis.tap_dim] = static_cast<std::uint8_t>(a);
    facts.word_step[axis.row_dim] = axis.row_step;
    facts.word_step[axis.tap_dim] = axis.tap_step;
    facts.held[a] = held_table(axis, layer.size[axis.row_dim], layer.size[axis.tap_dim]);
  }
  facts.macs = static_cast<double>(layer.macs());
  facts.operations = static_cast<double>(layer.operations());
  facts.outputs = static_cast<Words>(layer.elements(Operand::O));
  facts.compulsory = compulsory_words(layer);
  return facts;
}

struct Loop {
  std::uint8_t dim, level;
  bool in_space;
  Words bound, step;  // turns, and how far one turn goes in its dimension
};

/// Product of the values of some dimensions.
template <typename Values>
Words product(const Values& values, DimSet dims) {
  Words result = 1;
  for (; dims != 0; dims &= dims - 1) result *= values[static_cast<std::size_t>(std::countr_zero(dims))];
  return result;
}
inline constexpr DimSet all_dims = (1U << dim_count) - 1;

/// Outermost first; the loops of level l are [begin[l], begin[l + 1]). Index `levels` of the arrays stands
/// for the multipliers.
struct Nest {
  std::array<Loop, max_loops> loop;
  std::array<std::size_t, max_levels + 1> begin;
  std::array<Words, max_loops + 1> time_before;  // product of the bounds in time of loops further out
  std::array<Words, max_levels + 1> instances;   // product of the bounds in space above a level
  std::array<std::array<Words, dim_count>, max_levels> space;  // bounds in space below a level, by dimension
  std::array<const Extents*, max_levels + 1> tile;             // what enters a level
  std::size_t size;

  Words steps(std::size_t level) const { return time_before[begin[level]]; }
  Words tile_words(std::size_t level, DimSet dims) const { return product(*tile[level], dims); }
  void push(std::size_t dim, std::size_t level, bool in_space, std::uint32_t outer, std::uint32_t inner) {
    const Words bound = outer / inner;
    loop[size] = {static_cast<std::uint8_t>(dim), static_cast<std::uint8_t>(level), in_space, bound, inner};
    ++size;
    time_before[size] = time_before[size - 1] * (in_space ? 1 : bound);
  }
};

template <typename R>
void build_nest(const Structure& structure, const Layer& layer, const Mapping& mapping, Nest& nest) {
  nest.size = 0;
  nest.time_before[0] = 1;
  Words instances = 1;
  for (std::size_t l = 0; l < structure.levels; ++l) {
    const LevelMapping& level = mapping.level[l];
    const Extents& entering = mapping.entering(l, layer);
    nest.tile[l] = &entering;
    nest.instances[l] = instances;
    nest.begin[l] = nest.size;
    for (std::size_t i = 0; i < dim_count; ++i) {
      const std::size_t d = R::loop_dim(level, i);
      if (entering[d] != level.temporal[d]) nest.push(d, l, false, entering[d], level.temporal[d]);
    }
    if (!structure.has_fanout[l]) continue;
    for (std::size_t d = 0; d < dim_count; ++d)
      if (level.temporal[d] != level.y[d]) nest.push(d, l, true, level.temporal[d], level.y[d]);
    for (std::size_t d = 0; d < dim_count; ++d)
      if (level.y[d] != level.x[d]) nest.push(d, l, true, level.y[d], level.x[d]);
    nest.space[l].fill(1);
    for (std::size_t i = nest.size; i > nest.begin[l] && nest.loop[i - 1].in_space; --i)
      nest.space[l][nest.loop[i - 1].dim] *= nest.loop[i - 1].bound;
    instances *= product(nest.space[l], all_dims);
  }
  nest.begin[structure.levels] = nest.size;
  nest.instances[structure.levels] = instances;
  nest.tile[structure.levels] = &mapping.level[structure.levels - 1].x;
}

/// Whether every tile of a legal mapping divides: what enters a loop is a multiple of what it hands on.
inline bool divides(const Mapping& mapping, const Layer& layer, std::size_t levels) {
  std::uint32_t rest = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    const Extents& entering = mapping.entering(l, layer);
    const LevelMapping& level = mapping.level[l];
    for (std::size_t d = 0; d < dim_count; ++d) {
      rest |= entering[d] % level.temporal[d];
      rest |= level.temporal[d] % level.y[d];
      rest |= level.y[d] % level.x[d];
    }
  }
  return rest == 0;
}

/// One link of the chain of levels that hold an operand; child == levels stands for the multipliers.
struct Edge {
  std::size_t parent, child;
};

/// Words that cross an edge while the whole layer runs.
struct Transfers {
  Words delivered = 0;  // arrive at children, summed over them
  Words sent = 0;       // leave the parent; less where children join
  Words first = 0;      // part of `delivered` that fills the first tiles
  Words tile = 0;       // words of one child's tile, padding included
  Words apart = 0;      // children of one parent that are served one by one
};

/// Children of one parent, as the loops in space make them.
struct Spread {
  Words apart = 1;   // served one by one
  Words unlike = 1;  // holding other words each
};

/// Over the dimensions `dims`, of which `relevant` give other words. `joins(fanout)`: does a fan-out join?
template <typename R, typename Joins>
Spread spread(const Structure& structure, const Nest& nest, Edge edge, DimSet relevant, DimSet dims,
              Joins joins) {
  Spread result;
  for (std::size_t l = edge.parent; l < edge.child; ++l) {
    if (!structure.has_fanout[l]) continue;
    const Words unlike = product(nest.space[l], relevant & dims);
    const Words like = product(nest.space[l], ~relevant & dims);
    const bool join = joins(structure.fanout[l]);
    result.unlike *= unlike;
    result.apart *= R::transfers(unlike, true, join) * R::transfers(like, false, join);
  }
  return result;
}

/// How often a child's tile is replaced, the first included, where every replaced tile is new entirely.
template <typename R>
Words residencies(const Structure& structure, const Nest& nest, std::size_t child, DimSet relevant) {
  std::size_t end = nest.begin[child];
  if (child == structure.levels) return nest.time_before[end];  // multipliers keep nothing
  while (end > 0 && (nest.loop[end - 1].in_space || R::leaves_tile(relevant, nest.loop[end - 1].dim))) --end;
  return nest.time_before[end];
}

}  // namespace atl::loopnest
