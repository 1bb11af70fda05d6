// Rows or columns of an input whose tiles slide, where tiles do not divide. A place of a tile is a pair: a
// piece of the rows (P or Q) and a piece of the taps (R or S). Both are walked as trees; pieces whose windows
// lie in the stored input entirely are counted by size, the others, at the border, one by one.
#pragma once

#include <array>
#include <limits>
#include <numeric>
#include <vector>

#include "clipped_chain.hpp"

namespace atl::clipped {

/// One axis of a layer's input.
struct WindowAxis {
  std::size_t row_dim = 0, tap_dim = 0;
  Words row_step = 1, tap_step = 1;                  // words from one output row, one tap, to the next
  Words first = 0, extent = 0;                       // of the stored input; word 0 is the first stored one
  Words common = 1, row_period = 1, tap_period = 1;  // a row period further is a tap period less far
  bool plain = true;                                 // neither shared rows nor padding
  bool dense = false;                                // steps of one word: every window is a run of words
  Size taps = 1;                                     // all of them
  Words all_held = 0;                                // stored words asked for by all pairs of row and tap
};

/// Pieces of rows and taps of one tile.
struct Window {
  Size rows, taps;
};

/// Words of a window along a dense axis.
inline Words run_length(Window w) {
  return Words{w.rows} + w.taps - 1;
}

inline Words window_count(const WindowAxis& axis, Window w) {
  if (axis.dense) return run_length(w);
  const Words twins_r = w.rows > axis.row_period ? w.rows - axis.row_period : 0;
  const Words twins_t = w.taps > axis.tap_period ? w.taps - axis.tap_period : 0;
  return Words{w.rows} * w.taps - twins_r * twins_t;
}

/// The words of a window as one arithmetic progression; step 0: they are not one.
struct Progression {
  Words count, step;
};
inline Progression progression(const WindowAxis& axis, Window w) {
  if (w.taps == 1) return {w.rows, axis.row_step};
  if (w.rows == 1) return {w.taps, axis.tap_step};
  if ((axis.row_period == 1 && w.taps >= axis.tap_period) ||
      (axis.tap_period == 1 && w.rows >= axis.row_period))
    return {(w.rows - 1) * axis.tap_period + (w.taps - 1) * axis.row_period + 1, axis.common};
  return {window_count(axis, w), 0};
}

inline bool in_window(const WindowAxis& axis, Window w, Words word) {
  for (Words tap = 0; tap < w.taps; ++tap) {
    const Words row = word - tap * axis.tap_step;
    if (row >= 0 && row % axis.row_step == 0 && row / axis.row_step < w.rows) return true;
  }
  return false;
}

/// Each word of a window once.
template <typename Use>
void for_each_word(const WindowAxis& axis, Window w, Use use) {
  for (Words row = 0; row < w.rows; ++row)
    for (Words tap = 0; tap < w.taps; ++tap)
      if (row < axis.row_period || tap + axis.tap_period >= w.taps)
        use(row * axis.row_step + tap * axis.tap_step);
}

/// Words of window `a` in [low, high) that are also in window `b` moved by `shift`.
inline Words common_words(const WindowAxis& axis, Window a, Window b, Words shift, Words low, Words high) {
  if (axis.dense) {
    const Words begin = std::max({Words{0}, shift, low});
    return std::max<Words>(0, std::min({run_length(a), shift + run_length(b), high}) - begin);
  }
  const Words reach = (Words{b.rows} - 1) * axis.row_step + (Words{b.taps} - 1) * axis.tap_step;
  if (shift + reach < 0 || shift > (Words{a.rows} - 1) * axis.row_step + (Words{a.taps} - 1) * axis.tap_step)
    return 0;
  Progression first = progression(axis, a), second = progression(axis, b);
  if (first.step > 0 && second.step > 0) {
    if (first.count == 1) first.step = second.step;
    if (second.count == 1) second.step = first.step;
    const Words step = first.step;
    if (step == second.step) {
      if (step > 1 && shift % step != 0) return 0;
      Words begin = std::max<Words>(0, shift);
      Words end = std::min((first.count - 1) * step, shift + (second.count - 1) * step);
      if (low > begin) begin = step == 1 ? low : (low + step - 1) / step * step;
      end = std::min(end, high - 1);
      if (end < begin) return 0;
      return step == 1 ? end - begin + 1 : (end - begin) / step + 1;
    }
  }
  Words words = 0;
  for_each_word(axis, a, [&](Words word) {
    if (word < low || word >= high || word < shift || word > shift + reach) return;
    if (in_window(axis, b, word - shift)) ++words;
  });
  return words;
}

/// A piece of one dimension, at every place that has it, and the piece that the same instance had before:
/// candidates in order, the first that reaches the instance counts. The last one reaches all.
struct Piece {
  struct Before {
    Size size;
    Words offset;  // from the start of the piece
  };
  static constexpr std::size_t most = max_levels + 2;
  Words count = 1;
  Words start = 0;  // where it begins, if it is not `inner`
  Size size = 0;
  bool inner = false;  // its windows lie in the stored input, wherever the other dimension's piece is
  std::uint8_t n = 0;
  std::array<Before, most> before;

  Piece() = default;
  Piece(Words many, Words at, Size words, bool inside) : count(many), start(at), size(words), inner(inside) {}
  Piece(const Piece& other) { *this = other; }
  Piece& operator=(const Piece& other) {
    count = other.count;
    start = other.start;
    size = other.size;
    inner = other.inner;
    n = other.n;
    for (std::size_t i = 0; i < n; ++i) before[i] = other.before[i];
    return *this;
  }
  void push(Size words, Words offset) { before[n++] = {words, offset}; }
  bool reaches_all() const { return n > 0 && before[n - 1].size >= size; }
};

/// Where pieces of a dimension are `inner`: those within [low, high).
struct Interior {
  Words low, high;
  bool holds(Words start, Words size) const { return start >= low && start + size <= high; }
};

/// The piece's first tile in time, and the last one of the piece before.
template <typename R>
Piece turned_back(const Piece& piece, Size extent) {
  Piece next(piece.count, piece.start, R::first_turn(piece.size, extent), piece.inner);
  for (std::size_t i = 0; i < piece.n; ++i) {
    const auto [size, offset] = piece.before[i];
    if (size <= extent) {
      next.push(size, offset);
    } else {
      const Size whole = R::whole_turns(size, extent), rest = R::rest(size, extent);
      if (rest > 0) next.push(rest, offset + Words{whole} * extent);
      if (rest == 0 || R::may_miss_last_turn()) next.push(extent, offset + (Words{whole} - 1) * extent);
    }
    if (next.reaches_all()) break;
  }
  return next;
}

/// The part of a piece in the turn of a loop that begins `at` words further, and how many turns in a row
/// have such parts; size 0: none.
inline Piece part_of(const Piece& piece, Size extent, Words at, const Interior& interior, Words& run) {
  const Words left = piece.size - at;
  if (left <= 0) return {};
  Piece part(piece.count, piece.start + at, static_cast<Size>(std::min<Words>(left, extent)), piece.inner);
  if (!part.inner) part.inner = interior.holds(part.start, part.size);
  run = part.inner && left >= extent ? left / extent : 1;
  if (run > 1 && !piece.inner) run = std::min(run, (interior.high - part.start) / extent);
  for (std::size_t i = 0; i < piece.n; ++i) {
    const Words rest = piece.before[i].size - at;
    if (rest <= 0) continue;
    part.push(static_cast<Size>(std::min<Words>(rest, extent)), piece.before[i].offset);
    run = std::min(run, rest >= extent ? rest / extent : 1);
    if (part.reaches_all()) break;
  }
  return part;
}

/// Every turn of a loop, or every place in space, that the piece reaches: use(piece).
template <typename Use>
void for_each_part(const Piece& piece, Size extent, const Interior& interior, Use use) {
  Words run = 1;
  for (Words at = 0; at < piece.size; at += run * extent) {
    Piece part = part_of(piece, extent, at, interior, run);
    part.count *= run;
    use(part);
  }
}

/// From depth `from` to `to`, time at its first turn and what was before at its last.
template <typename R, typename Use>
void descend(const Chain& chain, const Piece& piece, std::size_t from, std::size_t to,
             const Interior& interior, Use& use) {
  if (from == to) return use(piece);
  const Size extent = chain.extent[from + 1];
  if (!chain.in_space[from])
    return descend<R>(chain, turned_back<R>(piece, extent), from + 1, to, interior, use);
  for_each_part(piece, extent, interior,
                [&](const Piece& next) { descend<R>(chain, next, from + 1, to, interior, use); });
}

/// Every turn of a loop after its first, with the turn before.
template <typename Use>
void for_each_transition(const Piece& piece, Size extent, const Interior& interior, Use use) {
  Words run = 1;
  for (Words at = extent; at < piece.size; at += run * extent) {
    Piece part = part_of(piece, extent, at, interior, run);
    part.n = 0;
    part.push(extent, -Words{extent});
    part.count *= run;
    use(part);
  }
}

inline constexpr Words far_away = Words{1} << 60;

/// Words that tiles along one axis hold and keep, summed over all places and turns.
template <typename R>
class Slide {
 public:
  /// Once for a mapping.
  void begin(const WindowAxis& axis, const Chain& rows, const Chain& taps) {
    axis_ = &axis;
    rows_.begin(rows, interior_rows());
    taps_.begin(taps, {-far_away, far_away});
    exact_taps_.begin(taps, {far_away, -far_away});
  }
  /// Once for every child, before what follows. `level` may be the number of levels: the multipliers.
  void look_at(std::size_t level) {
    for (Tree* tree : {&rows_, &taps_, &exact_taps_}) tree->look_at(level);
    known_ = false;
  }
  /// Stored words of all tiles.
  Words held() {
    if (rows_.end == rows_.chain->size && taps_.end == taps_.chain->size) return axis_->all_held;
    return kept();
  }
  /// Words kept where a loop of another axis turns, further out than all that went in.
  Words kept() {
    if (!known_) rest_ = sum();
    known_ = true;
    return rest_;
  }
  /// Words kept where loop j of the rows or taps turns. go_in() has to follow.
  Words kept_in_turn(bool tap, std::size_t j) {
    // One tap, or one row, and always the same: tiles of other rows, or taps, have no word in common.
    if ((tap ? rows_ : taps_).stays_single()) return 0;
    if (tap) {
      taps_.turn(j);
      exact_taps_.turn(j);
    } else {
      rows_.turn(j);
    }
    return sum();
  }
  /// Loop j of the rows or taps lies further in than the next loop that turns.
  void go_in(bool tap, std::size_t j) {
    if (tap) {
      taps_.go_in(j);
      exact_taps_.go_in(j);
    } else {
      rows_.go_in(j);
    }
    known_ = false;
  }
  /// Stored words of all first tiles.
  Words at_first() {
    for (Tree* tree : {&rows_, &taps_, &exact_taps_}) tree->go_to_first();
    return sum();
  }

  Interior interior_rows() const {
    const Words reach = (Words{taps_size()} - 1) * axis_->tap_step;
    const Words low = axis_->first >= 0 ? 0 : (axis_->row_step - 1 - axis_->first) / axis_->row_step;
    const Words room = axis_->extent - 1 - reach - axis_->first;
    return {low, room < 0 ? 0 : room / axis_->row_step + 1};
  }

 private:
  Size taps_size() const { return axis_->taps; }

  // Pieces of one dimension at the child's depth.
  struct Tree {
    const Chain* chain = nullptr;
    Interior interior{};
    std::array<std::vector<Piece>, most_loops + 1> nodes;  // all pieces at a depth
    std::size_t known = 0, end = 0;
    // What `listed` has to hold: pieces where loop `place` turns, where loops around it turn, or at first.
    enum class Wanted : std::uint8_t { turn, rest, first };
    Wanted wanted = Wanted::rest;
    std::size_t place = 0;
    bool fresh = false;
    std::vector<Piece> listed;

    void begin(const Chain& loops, Interior inside) {
      chain = &loops;
      interior = inside;
      nodes[0].clear();
      nodes[0].emplace_back(1, 0, loops.extent[0], inside.holds(0, loops.extent[0]));
      known = 0;
    }
    const std::vector<Piece>& at(std::size_t depth) {
      for (; known < depth; ++known) {
        nodes[known + 1].clear();
        for (const Piece& node : nodes[known])
          for_each_part(node, chain->extent[known + 1], interior,
                        [&](const Piece& part) { nodes[known + 1].push_back(part); });
      }
      return nodes[depth];
    }
    void want(Wanted what, std::size_t j) {
      wanted = what;
      place = j;
      fresh = false;
    }
    void look_at(std::size_t level) {
      end = chain->depth[level];
      go_in(end);
    }
    void go_in(std::size_t j) { want(Wanted::rest, j); }
    void turn(std::size_t j) { want(Wanted::turn, j); }
    void go_to_first() { want(Wanted::first, 0); }

    /// Tiles are of one index, and no loop around them turns.
    bool stays_single() const { return place == end && chain->extent[end] == 1; }

    const std::vector<Piece>& pieces() {
      if (fresh) return listed;
      fresh = true;
      listed.clear();
      const auto use = [&](const Piece& piece) { listed.push_back(piece); };
      for (const Piece& node : at(place)) {
        if (wanted == Wanted::turn) {
          for_each_transition(node, chain->extent[place + 1], interior, [&](const Piece& part) {
            descend<R>(*chain, part, place + 1, end, interior, use);
          });
        } else if (place == end) {
          listed.push_back(node);
          listed.back().push(node.size, 0);
        } else {
          Piece whole = node;
          whole.push(node.size, 0);
          descend<R>(*chain, whole, place, end, interior, use);
        }
      }
      if (wanted == Wanted::first)
        for (Piece& piece : listed) {
          piece.n = 0;
          piece.push(piece.size, 0);
        }
      return listed;
    }
  };

  Words sum() {
    Words words = 0;
    for (const Piece& row : rows_.pieces())
      for (const Piece& tap : (row.inner ? taps_ : exact_taps_).pieces())
        words += row.count * tap.count * common(row, tap);
    return words;
  }
  Words common(const Piece& row, const Piece& tap) const {
    if (row.n == 0 || tap.n == 0) return 0;
    const Words shift = row.before[0].offset * axis_->row_step + tap.before[0].offset * axis_->tap_step;
    Words low = -far_away, high = far_away;
    if (row.inner && shift == 0 && row.before[0].size == row.size && tap.before[0].size == tap.size)
      return window_count(*axis_, {row.size, tap.size});
    if (!row.inner) {
      const Words start = axis_->first + row.start * axis_->row_step + tap.start * axis_->tap_step;
      low = -start;
      high = axis_->extent - start;
    }
    return common_words(*axis_, {row.size, tap.size}, {row.before[0].size, tap.before[0].size}, shift, low,
                        high);
  }

  const WindowAxis* axis_ = nullptr;
  Tree rows_, taps_, exact_taps_;
  Words rest_ = 0;
  bool known_ = false;
};

}  // namespace atl::clipped
