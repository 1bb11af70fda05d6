// The loops of one dimension, where tiles do not divide. Nested clipped loops cut a dimension as a tree: a
// tile's children are some whole ones and perhaps one that is smaller. Tiles of equal size have equal trees
// below them, and there are few sizes: so tiles are counted by size, never one by one.
//
// A *fibre* of a tile is what one instance sees of it: all tiles further in with the same turns in space.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "atoll/base/error.hpp"
#include "atoll/simulator/simulator.hpp"
#include "clipped_rules.hpp"

namespace atl::clipped {

inline constexpr std::size_t most_loops = 3 * max_levels;  // of one dimension

/// Tiles at one depth of the tree.
struct Sizes {
  struct Entry {
    Size size;
    Words count;
  };
  std::array<Entry, most_loops + 2> of;
  std::size_t n = 0;

  Sizes() = default;
  Sizes(const Sizes& other) { *this = other; }
  Sizes& operator=(const Sizes& other) {
    n = other.n;
    for (std::size_t i = 0; i < n; ++i) of[i] = other.of[i];
    return *this;
  }
  void add(Size size, Words count) {
    if (size > 0 && count > 0) of[n++] = {size, count};
  }
  Words count() const {
    Words sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += of[i].count;
    return sum;
  }
  Words words() const {
    Words sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += of[i].count * of[i].size;
    return sum;
  }
  static Sizes one(Size size) {
    Sizes sizes;
    sizes.add(size, 1);
    return sizes;
  }
};

/// Every turn of a loop. `out` may be `in`, here and below.
template <typename R>
void all_turns(const Sizes& in, Size extent, Sizes& out) {
  if (extent == 1) {
    const Words words = in.words();
    out.n = 0;
    return out.add(1, words);
  }
  const std::size_t n = in.n;
  Words whole = 0;
  out.n = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [size, count] = in.of[i];
    if (size == extent) {
      whole += count;
    } else if (size < extent) {
      out.add(size, count);
    } else {
      whole += count * R::whole_turns(size, extent);
      out.add(R::rest(size, extent), count);
    }
  }
  out.add(extent, whole);
}

/// The first turn of a loop only.
template <typename R>
void first_turns(const Sizes& in, Size extent, Sizes& out) {
  const std::size_t n = in.n;
  Words whole = 0;
  out.n = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [size, count] = in.of[i];
    const Size first = R::first_turn(size, extent);
    if (first == extent)
      whole += count;
    else
      out.add(first, count);
  }
  out.add(extent, whole);
}

/// Every turn but the first.
template <typename R>
void later_turns(const Sizes& in, Size extent, Sizes& out) {
  const std::size_t n = in.n;
  Words whole = 0;
  out.n = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const auto [size, count] = in.of[i];
    if (size <= extent) continue;
    whole += count * R::later_turns(R::whole_turns(size, extent));
    out.add(R::rest(size, extent), count);
  }
  out.add(extent, whole);
}

/// Levels as bits.
using LevelSet = std::uint32_t;
constexpr LevelSet level_range(std::size_t from, std::size_t to) {
  return (LevelSet{1} << to) - (LevelSet{1} << from);
}

/// Loops of one dimension that turn more than once, outermost first. What enters loop j is extent[j], what it
/// hands on is extent[j + 1].
struct Chain {
  std::array<Size, most_loops + 1> extent;
  std::array<std::uint8_t, most_loops> level;
  std::array<bool, most_loops> in_space;
  std::array<std::uint8_t, max_levels + 1> depth;  // loops further out than a level
  LevelSet space = 0;                              // levels with loops in space
  std::size_t size = 0;

  void clear(Size whole) {
    size = 0;
    space = 0;
    extent[0] = whole;
  }
  void push(std::size_t l, bool space_loop, Size inner) {
    if (space_loop) space |= LevelSet{1} << l;
    level[size] = static_cast<std::uint8_t>(l);
    in_space[size] = space_loop;
    extent[++size] = inner;
  }
  /// Whether loops in space of the levels [from, to) turn.
  bool spreads(std::size_t from, std::size_t to) const { return (space & level_range(from, to)) != 0; }
};

/// From tiles at depth `from` to the fibres below them, as the sizes of their first tiles at depth `to`.
/// Loops in space of the levels `lowest` are taken at their lowest coordinate only.
template <typename R>
void to_fibres(const Chain& chain, Sizes& sizes, std::size_t from, std::size_t to, LevelSet lowest) {
  for (std::size_t j = from; j < to; ++j) {
    if (!chain.in_space[j] || (lowest >> chain.level[j] & 1) != 0)
      first_turns<R>(sizes, chain.extent[j + 1], sizes);
    else
      all_turns<R>(sizes, chain.extent[j + 1], sizes);
  }
}

/// From tiles at depth `from` to all tiles at depth `to` below them.
template <typename R>
void to_tiles(const Chain& chain, Sizes& sizes, std::size_t from, std::size_t to, LevelSet lowest) {
  for (std::size_t j = from; j < to; ++j) {
    if (chain.in_space[j] && (lowest >> chain.level[j] & 1) != 0)
      first_turns<R>(sizes, chain.extent[j + 1], sizes);
    else
      all_turns<R>(sizes, chain.extent[j + 1], sizes);
  }
}

/// Words of all fibres between two depths that consist of a single tile: what their instances keep when loops
/// around turn.
template <typename R>
class SingleWords {
 public:
  /// `barriers`: depths, as bits, at which fibres of several tiles are given up whatever lies further in.
  Words operator()(const Chain& chain, const Sizes& sizes, std::size_t from, std::size_t to,
                   std::uint32_t barriers) {
    if (!chain.spreads(chain.level[from], max_levels)) return small_words(sizes, chain.extent[to]);
    n_ = 0;
    for (std::size_t i = 0; i < sizes.n; ++i) push({sizes.of[i].size, 0, sizes.of[i].count});
    for (std::size_t j = from; j < to && n_ > 0; ++j) {
      if ((barriers >> j & 1) != 0) give_up();
      n_before_ = n_;
      before_.swap(now_);
      n_ = 0;
      if (chain.in_space[j])
        spread(chain.extent[j + 1]);
      else
        turn(chain.extent[j + 1]);
    }
    Words words = 0;
    for (std::size_t i = 0; i < n_; ++i)
      if (now_[i].reached == 0) words += now_[i].count * now_[i].size;
    return words;
  }

 private:
  // Fibres in a tile of size `size`; those in a tile of size `reached` at the same place have a second tile.
  struct Pair {
    Size size, reached;
    Words count;
  };

  // Without loops in space only tiles that are not cut any further.
  static Words small_words(const Sizes& sizes, Size extent) {
    Words words = 0;
    for (std::size_t i = 0; i < sizes.n; ++i)
      if (R::second_turn(sizes.of[i].size, extent) == 0) words += sizes.of[i].count * sizes.of[i].size;
    return words;
  }

  void push(Pair pair) {
    if (n_ == now_.size()) throw InternalError("a dimension has too many different tiles");
    now_[n_++] = pair;
  }

  void give_up() {
    const auto end = now_.begin() + static_cast<std::ptrdiff_t>(n_);
    n_ = static_cast<std::size_t>(
        std::remove_if(now_.begin(), end, [](const Pair& pair) { return R::gives_up(pair.reached); }) -
        now_.begin());
  }

  void turn(Size extent) {
    for (std::size_t i = 0; i < n_before_; ++i) {
      const auto [size, reached, count] = before_[i];
      const Size first = R::first_turn(size, extent);
      const Size again = R::reached(R::first_turn(reached, extent), R::second_turn(size, extent));
      if (again < first) push({first, again, count});
    }
  }

  void spread(Size extent) {
    Words whole = 0;  // whole tiles without a second one
    for (std::size_t i = 0; i < n_before_; ++i) {
      const auto [size, reached, count] = before_[i];
      const Size turns = R::whole_turns(size, extent), rest = R::rest(size, extent);
      const Size covered = R::whole_turns(reached, extent), part = R::rest(reached, extent);
      const Size touched = covered + (part > 0 ? 1 : 0);
      if (turns > touched) whole += count * (turns - touched);
      if (part > 0 && turns > covered) push({extent, part, count});
      if (rest > 0 && turns >= touched) push({rest, 0, count});
      if (part > 0 && turns == covered && rest > part) push({rest, part, count});
    }
    if (whole > 0) push({extent, 0, whole});
  }

  std::vector<Pair> before_ = std::vector<Pair>(256), now_ = std::vector<Pair>(256);
  std::size_t n_ = 0, n_before_ = 0;
};

}  // namespace atl::clipped
