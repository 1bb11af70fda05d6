// Children on diagonals of an array: pieces of rows and of taps both lie along fan-outs that join, so that
// different pairs want the same words. They are found by comparing windows word by word: exact, but slow.
#pragma once

#include <vector>

#include "clipped_window.hpp"

namespace atl::clipped {

template <typename R>
class Diagonal {
 public:
  /// Which pieces: all that a loop's turn brings, or all.
  struct Turn {
    bool some = false;  // a loop of this axis turns
    bool tap = false;   // of the taps
    std::size_t loop = 0;
  };

  void begin(const WindowAxis& axis, const Chain& rows, const Chain& taps, const Interior& interior) {
    axis_ = &axis;
    chain_ = {&rows, &taps};
    interior_ = interior;
  }
  /// Loops in space of the levels `joined` make the children that join.
  void look_at(std::size_t parent, std::size_t child, LevelSet joined) {
    joined_ = joined;
    parent_ = parent;
    known_ = false;
    for (std::size_t i = 0; i < 2; ++i) end_[i] = chain_[i]->depth[child];
  }
  /// Words read for groups of children that join: what at least one of them has not kept is read, so that the
  /// words that all have kept are counted here. `inside`: loops of rows and taps further out are [0, inside).
  Words kept(std::array<std::size_t, 2> inside, Turn turn) {
    if (turn.some) return count_kept(inside, turn);
    if (!known_ || inside != inside_) rest_ = count_kept(inside, turn);
    known_ = true;
    inside_ = inside;
    return rest_;
  }
  /// Stored words of all tiles, those of a group once.
  Words held() { return kept(end_, {}); }
  /// Words of the first tiles below one parent, padding included, those of a group once.
  Words at_first() {
    const Interior all = {-far_away, far_away};
    for (std::size_t i = 0; i < 2; ++i) {
      List& list = i == 0 ? rows_ : taps_;
      list.clear();
      const std::size_t depth = chain_[i]->depth[parent_];
      pool_[depth].assign(1, Piece(1, 0, chain_[i]->extent[depth], true));
      walk(*chain_[i], depth, end_[i], depth, false, 1, all, list);
      for (Piece& piece : list.pieces) {
        piece.n = 0;
        piece.push(piece.size, 0);
      }
    }
    return sum(false);
  }

 private:
  // Pieces of children that may join, at `count` places.
  struct Bundle {
    Words count;
    bool inner;
    std::size_t begin, end;
  };
  struct List {
    std::vector<Bundle> bundles;
    std::vector<Piece> pieces;
    void clear() {
      bundles.clear();
      pieces.clear();
    }
  };
  struct Member {
    Words start;
    Window window, before;
    Words shift;
    bool taken;
  };

  Words count_kept(std::array<std::size_t, 2> inside, Turn turn) {
    const std::size_t row = turn.some && !turn.tap ? turn.loop : inside[0];
    const std::size_t tap = turn.some && turn.tap ? turn.loop : inside[1];
    list(0, row, turn.some && !turn.tap, interior_, rows_);
    bool inner = false, border = false;
    for (const Bundle& bundle : rows_.bundles) (bundle.inner ? inner : border) = true;
    if (inner) list(1, tap, turn.some && turn.tap, {-far_away, far_away}, taps_);
    if (border) list(1, tap, turn.some && turn.tap, {far_away, -far_away}, exact_taps_);
    return sum(true);
  }

  void list(std::size_t i, std::size_t from, bool turning, const Interior& interior, List& result) {
    result.clear();
    pool_[0].assign(1, Piece(1, 0, chain_[i]->extent[0], interior.holds(0, chain_[i]->extent[0])));
    walk(*chain_[i], 0, end_[i], from, turning, 1, interior, result);
  }

  // pool_[j] holds a bundle's pieces at depth j. Up to `from` every turn is taken; then loop `from` turns, or
  // does not; after it time is at its first turn, and was at its last before.
  void walk(const Chain& chain, std::size_t j, std::size_t end, std::size_t from, bool turning, Words count,
            const Interior& interior, List& result) {
    if (j == from && !turning)
      for (Piece& piece : pool_[j])
        if (piece.n == 0) piece.push(piece.size, 0);
    if (j == end) return add(count, pool_[j], result);
    const Size extent = chain.extent[j + 1];
    if (chain.in_space[j] && (joined_ >> chain.level[j] & 1) != 0) {
      spread(j, extent, interior);
      walk(chain, j + 1, end, from, turning, count, interior, result);
    } else if (!chain.in_space[j] && j >= from && !(turning && j == from)) {
      pool_[j + 1].clear();
      for (const Piece& piece : pool_[j]) pool_[j + 1].push_back(turned_back<R>(piece, extent));
      walk(chain, j + 1, end, from, turning, count, interior, result);
    } else {
      const bool turns = turning && j == from;
      Words run = 1;
      for (Words at = turns ? extent : 0; part(j, extent, at, turns, interior, run); at += run * extent)
        walk(chain, j + 1, end, from, turning, count * run, interior, result);
    }
  }

  void spread(std::size_t j, Size extent, const Interior& interior) {
    Words run = 1;
    pool_[j + 1].clear();
    for (const Piece& piece : pool_[j])
      for (Words at = 0; at < piece.size; at += extent)
        pool_[j + 1].push_back(part_of(piece, extent, at, interior, run));
  }

  bool part(std::size_t j, Size extent, Words at, bool turns, const Interior& interior, Words& run) {
    pool_[j + 1].clear();
    run = far_away;
    for (const Piece& piece : pool_[j]) {
      Words alike = 1;
      Piece next = part_of(piece, extent, at, interior, alike);
      if (next.size == 0) continue;
      run = std::min(run, alike);
      if (turns) {
        next.n = 0;
        next.push(extent, -Words{extent});
      }
      pool_[j + 1].push_back(next);
    }
    return !pool_[j + 1].empty();
  }

  static void add(Words count, const std::vector<Piece>& pieces, List& result) {
    Bundle bundle{count, true, result.pieces.size(), 0};
    for (const Piece& piece : pieces) {
      bundle.inner = bundle.inner && piece.inner;
      result.pieces.push_back(piece);
    }
    bundle.end = result.pieces.size();
    result.bundles.push_back(bundle);
  }

  Words sum(bool stored_only) {
    Words words = 0;
    for (const Bundle& row : rows_.bundles) {
      const List& taps = row.inner ? taps_ : exact_taps_;
      for (const Bundle& tap : taps.bundles)
        words += row.count * tap.count * shared(row, taps, tap, stored_only && !row.inner);
    }
    return words;
  }

  Words shared(const Bundle& row, const List& taps, const Bundle& tap, bool clip) {
    members_.clear();
    for (std::size_t i = row.begin; i < row.end; ++i)
      for (std::size_t k = tap.begin; k < tap.end; ++k)
        members_.push_back(member(rows_.pieces[i], taps.pieces[k]));
    Words words = 0;
    for (std::size_t i = 0; i < members_.size(); ++i)
      if (!members_[i].taken) words += shared_with(i, clip);
    return words;
  }

  Member member(const Piece& row, const Piece& tap) const {
    Member result{};
    result.start = axis_->first + row.start * axis_->row_step + tap.start * axis_->tap_step;
    result.window = {row.size, tap.size};
    if (row.n == 0 || tap.n == 0) return result;
    result.before = {row.before[0].size, tap.before[0].size};
    result.shift = row.before[0].offset * axis_->row_step + tap.before[0].offset * axis_->tap_step;
    return result;
  }

  // Words of a group's tile that every member has kept.
  Words shared_with(std::size_t first, bool clip) {
    group_.clear();
    const Member& one = members_[first];
    for (std::size_t i = first; i < members_.size(); ++i) {
      Member& other = members_[i];
      if (other.taken || other.start != one.start || !same(one.window, other.window)) continue;
      other.taken = true;
      group_.push_back(i);
    }
    const Words low = clip ? -one.start : -far_away;
    const Words high = clip ? axis_->extent - one.start : far_away;
    if (all_came_alike()) return common_words(*axis_, one.window, one.before, one.shift, low, high);
    if (axis_->dense && R::all_must_keep()) return kept_run(run_length(one.window), low, high);
    Words words = 0;
    for_each_word(*axis_, one.window, [&](Words word) {
      if (word < low || word >= high) return;
      std::size_t keep = 0;
      for (const std::size_t i : group_)
        keep += in_window(*axis_, members_[i].before, word - members_[i].shift) ? 1 : 0;
      if (R::all_must_keep() ? keep == group_.size() : keep > 0) ++words;
    });
    return words;
  }

  // The same along a dense axis.
  Words kept_run(Words length, Words low, Words high) const {
    Words begin = std::max<Words>(0, low), end = std::min(length, high);
    for (const std::size_t i : group_) {
      const Member& member = members_[i];
      if (member.before.rows == 0) return 0;
      begin = std::max(begin, member.shift);
      end = std::min(end, member.shift + run_length(member.before));
    }
    return std::max<Words>(0, end - begin);
  }

  // All members of the group had the same window before.
  bool all_came_alike() const {
    const Member& one = members_[group_[0]];
    for (const std::size_t i : group_) {
      const Member& other = members_[i];
      if (other.shift != one.shift || other.before.rows != one.before.rows ||
          other.before.taps != one.before.taps)
        return false;
    }
    return one.before.rows > 0;
  }

  bool same(Window a, Window b) const {
    if (a.rows == b.rows && a.taps == b.taps) return true;
    if (!R::unlike_windows_join() || window_count(*axis_, a) != window_count(*axis_, b)) return false;
    if (axis_->dense) return true;
    bool all = true;
    for_each_word(*axis_, a, [&](Words word) { all = all && in_window(*axis_, b, word); });
    return all;
  }

  const WindowAxis* axis_ = nullptr;
  std::array<const Chain*, 2> chain_{};
  std::array<std::size_t, 2> end_{};
  Interior interior_{};
  LevelSet joined_ = 0;
  std::size_t parent_ = 0;
  Words rest_ = 0;  // where loops of other dimensions turn, around `inside_`
  std::array<std::size_t, 2> inside_{};
  bool known_ = false;
  std::array<std::vector<Piece>, most_loops + 1> pool_;
  List rows_, taps_, exact_taps_;
  std::vector<Member> members_;
  std::vector<std::size_t> group_;
};

}  // namespace atl::clipped
