// Transfers of an input whose tiles slide: neighbouring tiles share rows and columns, and padding is not
// stored. A step of the nest fetches what the tile before did not hold, so that
//
//   words = sum over steps of |tile| - sum over steps of |tile and the one before|
//
// and both sums factorise into rows, columns and everything else.
#pragma once

#include "lattice.hpp"
#include "nest.hpp"

namespace atl::loopnest {

template <typename R>
class WindowedInput {
 public:
  WindowedInput(const Structure& structure, const LayerFacts& facts, const Nest& nest)
      : structure_(structure), facts_(facts), nest_(nest) {}

  /// Sorts the loops of the nest by axis; once, before the first edge.
  void gather() {
    for (std::size_t a = 0; a < 2; ++a)
      if (!facts_.axis[a].plain) gather(a);
  }

  Transfers transfers(Edge edge) {
    edge_ = edge;
    end_ = nest_.begin[edge.child];
    for (std::size_t a = 0; a < 2; ++a)
      if (!facts_.axis[a].plain) look_at(a);
    const DimSet apart = facts_.apart[index(Operand::I)];
    const DimSet others = all_dims & ~facts_.sliding;
    const Spread children = spread<R>(structure_, nest_, edge_, apart, others,
                                      [](const Fanout& fanout) { return R::joins_reads(fanout); });
    const Words all = space(0, edge_.child, others);
    const Words fixed = nest_.tile_words(edge_.child, apart);
    const Words moved = fixed * moved_words(false);
    const bool diagonal = axis_[0].diagonal || axis_[1].diagonal;
    Transfers result;
    result.delivered = moved * all;
    result.sent =
        (diagonal ? fixed * moved_words(true) : moved) * children.apart * space(0, edge_.parent, others);
    if (edge_.child == structure_.levels) return result;
    result.tile = fixed * window_words(0) * window_words(1);
    result.apart = children.apart * starts_apart(0) * starts_apart(1);
    if (R::stalls(structure_.buffering[edge_.child])) result.first = fixed * all * at_first(0) * at_first(1);
    return result;
  }

 private:
  static constexpr std::size_t never = max_loops;

  struct AxisLoop {
    std::size_t place;
    Words bound, step;
    bool in_space, tap, joins;
  };
  struct AxisLoops {
    std::array<AxisLoop, max_loops> loop;  // rows first, then taps: large steps first
    std::size_t size = 0;
    // Of the edge that is looked at:
    DistinctPairs window;   // the words of one tile
    bool diagonal = false;  // rows and taps both lie along fan-outs that join
    Lattice joined_rows, joined_taps;
    DistinctPairs joined;  // their distinct sums, if both are one digit
  };

  void gather(std::size_t a) {
    const Axis& axis = facts_.axis[a];
    AxisLoops& list = axis_[a];
    for (const bool taps : {false, true}) {
      const std::size_t dim = taps ? axis.tap_dim : axis.row_dim;
      const Words word_step = taps ? axis.tap_step : axis.row_step;
      if (facts_.layer.size[dim] == 1) continue;
      for (std::size_t i = 0; i < nest_.size; ++i) {
        const Loop& loop = nest_.loop[i];
        if (loop.dim != dim) continue;
        const bool joins =
            loop.in_space && R::diagonals_join() && R::joins_reads(structure_.fanout[loop.level]);
        list.loop[list.size++] = {i, loop.bound, loop.step * word_step, loop.in_space, taps, joins};
      }
    }
  }

  // Children that loops in space along some dimensions make between two levels.
  Words space(std::size_t from, std::size_t to, DimSet dims) const {
    Words children = 1;
    for (std::size_t l = from; l < to; ++l)
      if (structure_.has_fanout[l]) children *= product(nest_.space[l], dims);
    return children;
  }

  bool is_diagonal(const Axis& axis) const {
    Words rows = 1, taps = 1;
    for (std::size_t l = edge_.parent; l < edge_.child; ++l) {
      if (!structure_.has_fanout[l] || !R::diagonals_join() || !R::joins_reads(structure_.fanout[l]))
        continue;
      rows *= nest_.space[l][axis.row_dim];
      taps *= nest_.space[l][axis.tap_dim];
    }
    return rows > 1 && taps > 1;
  }

  bool joins(const AxisLoop& loop) const {
    return loop.joins && loop.place >= nest_.begin[edge_.parent] && loop.place < end_;
  }

  void look_at(std::size_t a) {
    const Axis& axis = facts_.axis[a];
    AxisLoops& list = axis_[a];
    const Extents& tile = *nest_.tile[edge_.child];
    list.window = distinct_pairs(tile[axis.row_dim], axis.row_step, tile[axis.tap_dim], axis.tap_step);
    list.diagonal = is_diagonal(axis);
    if (list.diagonal) look_at_diagonal(list);
  }

  void look_at_diagonal(AxisLoops& list) const {
    list.joined_rows.clear();
    list.joined_taps.clear();
    for (std::size_t i = 0; i < list.size; ++i) {
      const AxisLoop& loop = list.loop[i];
      if (joins(loop)) (loop.tap ? list.joined_taps : list.joined_rows).push(loop.bound, loop.step);
    }
    list.joined.parts = 0;
    if (list.joined_rows.size() == 1 && list.joined_taps.size() == 1)
      list.joined = distinct_pairs(list.joined_rows.count(0), list.joined_rows.step(0),
                                   list.joined_taps.count(0), list.joined_taps.step(0));
  }

  Words window_words(std::size_t a) const { return facts_.axis[a].plain ? 1 : axis_[a].window.values; }

  // Everything but the fixed dimensions' tile and the loops in space of other dimensions.
  Words moved_words(bool join) {
    Words held = 1;
    for (std::size_t i = 0; i < end_; ++i)
      if (!nest_.loop[i].in_space && !slides(nest_.loop[i].dim)) held *= nest_.loop[i].bound;
    const Words others_in_time = held;
    for (std::size_t a = 0; a < 2; ++a) held *= held_along(a, join);
    if (edge_.child == structure_.levels) return held;
    return held - kept_words(others_in_time, join);
  }

  bool slides(std::size_t dim) const { return (facts_.sliding >> dim & 1) != 0; }

  // Words that a tile shares with the one before, by the loop that turns between the two: its index advances,
  // and loops inside fall back from their last turn to their first.
  Words kept_words(Words others_in_time, bool join) {
    const std::array<Words, 2> reach = {window_span(0), window_span(1)};
    std::array<Words, 2> fallen{};
    Words kept = 0;
    for (std::size_t turn = end_; turn-- > 0;) {
      const Loop& loop = nest_.loop[turn];
      if (loop.in_space) continue;
      if (R::ends_overlap(facts_.apart[index(Operand::I)], loop.dim)) break;
      std::array<Words, 2> shift = fallen;
      Words words = 1;
      if (slides(loop.dim)) {
        const Words step = loop.step * facts_.word_step[loop.dim];
        const std::size_t a = facts_.axis_of[loop.dim];
        shift[a] += R::advance(step);
        fallen[a] += R::fall_back(loop.bound, step);
      } else {
        others_in_time = quotient(others_in_time, loop.bound);
        words = R::transitions(loop.bound);
      }
      if (std::abs(shift[0]) > reach[0] || std::abs(shift[1]) > reach[1]) continue;
      for (std::size_t a = 0; a < 2; ++a)
        if (!facts_.axis[a].plain) words *= sum(a, turn, shift[a], join, true);
      kept += words * others_in_time;
    }
    return kept;
  }

  // Sum over all steps and places in space of the stored words of a tile along one axis.
  Words held_along(std::size_t a, bool join) {
    const Axis& axis = facts_.axis[a];
    if (axis.plain) return 1;
    if (!facts_.held[a].known() || (join && axis_[a].diagonal)) return sum(a, never, 0, join, true);
    const Extents& tile = *nest_.tile[edge_.child];
    return facts_.held[a].at(tile[axis.row_dim], tile[axis.tap_dim]);
  }
  Words at_first(std::size_t a) { return facts_.axis[a].plain ? 1 : sum(a, never, 0, false, false); }

  Words window_span(std::size_t a) const {
    const Axis& axis = facts_.axis[a];
    const Extents& tile = *nest_.tile[edge_.child];
    return (tile[axis.row_dim] - Words{1}) * axis.row_step + (tile[axis.tap_dim] - Words{1}) * axis.tap_step;
  }

  // Sum over positions of the stored words that a tile shares with the same tile moved by `shift`. Positions:
  // all turns of loops outside `turn`, all its transitions, the last turn of loops inside; all places in
  // space, or only the distinct ones where children join. Without `time` only the first turns.
  Words sum(std::size_t a, std::size_t turn, Words shift, bool join, bool time) {
    const AxisLoops& list = axis_[a];
    Words start = facts_.axis[a].first;
    Lattice base;
    for (std::size_t i = 0; i < list.size; ++i) {
      const AxisLoop& loop = list.loop[i];
      if (loop.place >= end_) continue;
      if (loop.in_space) {
        if (!(join && list.diagonal && joins(loop))) base.push(loop.bound, loop.step);
      } else if (time) {
        if (loop.place < turn) base.push(loop.bound, loop.step);
        if (loop.place == turn) base.push(R::transitions(loop.bound), loop.step);
        if (loop.place > turn) start += (loop.bound - 1) * loop.step;
      }
    }
    if (!(join && list.diagonal)) return sum_window(a, base, start, shift);
    Words words = 0;
    for_joined(list, [&](const DistinctPairs::Part& part) {
      const Lattice::Mark mark = base.mark();
      base.push(part.count_a, part.step_a);
      base.push(part.count_b, part.step_b);
      words += sum_window(a, base, start + part.offset, shift);
      base.restore(mark);
    });
    return words;
  }

  Words sum_window(std::size_t a, Lattice& base, Words start, Words shift) const {
    const Words extent = facts_.axis[a].extent;
    const Lattice::Mark mark = base.mark();
    Words words = 0;
    for_window(a, shift, [&](const DistinctPairs::Part& part) {
      base.push(part.count_a, part.step_a);
      base.push(part.count_b, part.step_b);
      words += base.inside(start + part.offset, extent);
      base.restore(mark);
    });
    return words;
  }

  // The window's words that are also in the window moved by `shift`, in parts.
  template <typename Use>
  void for_window(std::size_t a, Words shift, Use use) const {
    const DistinctPairs& window = axis_[a].window;
    if (shift == 0) {
      for (std::size_t i = 0; i < window.parts; ++i) use(window.part[i]);
    } else if (window.parts == 1 && window.part[0].count_b == 1) {
      const auto& part = window.part[0];
      const Words turns = quotient(std::abs(shift), part.step_a);
      if (turns * part.step_a == std::abs(shift) && turns < part.count_a)
        use({std::max<Words>(0, shift), part.count_a - turns, part.step_a, 1, 1});
    } else {
      for_each_word(window, [&](Words word) {
        if (in_window(a, word - shift)) use({word, 1, 1, 1, 1});
      });
    }
  }

  template <typename Use>
  static void for_each_word(const DistinctPairs& window, Use use) {
    for (std::size_t p = 0; p < window.parts; ++p)
      for (Words i = 0; i < window.part[p].count_a; ++i)
        for (Words j = 0; j < window.part[p].count_b; ++j)
          use(window.part[p].offset + i * window.part[p].step_a + j * window.part[p].step_b);
  }

  bool in_window(std::size_t a, Words word) const {
    const Axis& axis = facts_.axis[a];
    const Extents& tile = *nest_.tile[edge_.child];
    for (Words tap = 0; tap < tile[axis.tap_dim]; ++tap) {
      const Words row = word - tap * axis.tap_step;
      if (row >= 0 && row % axis.row_step == 0 && row / axis.row_step < tile[axis.row_dim]) return true;
    }
    return false;
  }

  // The distinct starts of the children that join, in parts; one by one where their loops are scattered.
  template <typename Use>
  static void for_joined(const AxisLoops& list, Use use) {
    if (list.joined.parts > 0) {
      for (std::size_t i = 0; i < list.joined.parts; ++i) use(list.joined.part[i]);
      return;
    }
    list.joined_taps.for_each([&](Words tap) {
      list.joined_rows.for_each([&](Words row) {
        if (is_first_of_start(list, row + tap, tap)) use({row + tap, 1, 1, 1, 1});
      });
    });
  }
  static bool is_first_of_start(const AxisLoops& list, Words start, Words tap) {
    bool first = true;
    list.joined_taps.for_each([&](Words other) {
      if (other < tap && list.joined_rows.contains(start - other)) first = false;
    });
    return first;
  }

  // Children of one parent along one axis that are served one by one.
  Words starts_apart(std::size_t a) const {
    if (facts_.axis[a].plain) return 1;
    const AxisLoops& list = axis_[a];
    const DimSet along = dim_bit(facts_.axis[a].row_dim) | dim_bit(facts_.axis[a].tap_dim);
    if (!list.diagonal) return space(edge_.parent, edge_.child, along);
    Words starts = 1, joined = 0;
    for (std::size_t l = edge_.parent; l < edge_.child; ++l)
      if (structure_.has_fanout[l] && !R::joins_reads(structure_.fanout[l]))
        starts *= product(nest_.space[l], along);
    for_joined(list, [&](const DistinctPairs::Part& part) { joined += part.count_a * part.count_b; });
    return starts * joined;
  }

  const Structure& structure_;
  const LayerFacts& facts_;
  const Nest& nest_;
  Edge edge_{};
  std::size_t end_ = 0;  // loops outside the child
  std::array<AxisLoops, 2> axis_;
};

}  // namespace atl::loopnest
