// The rules of tiles that do not divide, on top of those of the closed form (loopnest_rules.hpp): small pure
// functions, so that tests can replace one by a wrong one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "loopnest_rules.hpp"

namespace atl::clipped {

using loopnest::DimSet;
using loopnest::Words;

using Size = std::uint32_t;

struct Rules : loopnest::Rules {
  // -- a loop that hands on `extent` of a tile of `size` ------------------------------------------------
  static constexpr Size whole_turns(Size size, Size extent) { return size / extent; }
  /// What the turn after the whole ones hands on; 0: there is none.
  static constexpr Size rest(Size size, Size extent) { return size % extent; }
  static constexpr Size first_turn(Size size, Size extent) { return std::min(size, extent); }
  static constexpr Size second_turn(Size size, Size extent) {
    return size > extent ? std::min(size - extent, extent) : 0;
  }
  /// Turns of whole tiles that follow another turn; the rest does too where there is a whole turn.
  static constexpr Size later_turns(Size whole) { return whole > 0 ? whole - 1 : 0; }

  // -- instances of different tiles ----------------------------------------------------------------
  /// An instance that finds nothing to do keeps what it holds: only those that a second turn reaches as well
  /// get another tile. `reached`: the part of a tile in which instances have one.
  static constexpr Size reached(Size so_far, Size second) { return std::max(so_far, second); }
  /// An instance whose parent drains another tile drains its own as well.
  static constexpr bool gives_up(Size reached) { return reached > 0; }
  /// An instance whose loop has no last turn comes from the turn before.
  static constexpr bool may_miss_last_turn() { return true; }
  /// Transfers that join are those of the lowest coordinates, which have the most steps.
  static constexpr bool lowest_counts() { return true; }
  /// Windows of other rows and taps join as well, if their words are the same.
  static constexpr bool unlike_windows_join() { return true; }
  /// A word is read for a group unless all of it have kept it.
  static constexpr bool all_must_keep() { return true; }
  /// A step lasts as long as its slowest unit.
  static constexpr bool lowest_takes_longest() { return true; }
};

}  // namespace atl::clipped
