// One child's tile on its way through the loops in time: what it asks its parent for, step by step.
//
// The loops form a counter, and a step is told by the loop that advances: that loop moves the tile by its
// step, the loops inside return to turn 0. So there are no more kinds of steps than loops, and the walk needs
// each kind only once for every state that the rules remember: the cost grows with the square of the number
// of loops where an execution's grows exponentially.
#pragma once

#include "timeloop_nest.hpp"

namespace atl::timeloop {

/// `weight` steps ask for `words` each.
struct Event {
  Count words = 0;
  Count weight = 0;
  /// The words asked for are those that a child shifted by this much asked for one step before.
  bool shifted = false;
  Point shift{};
};

struct WalkRules {
  bool latch = true;  // the child holds its tile from step to step; the multipliers do not
  bool extrapolation = false, displacement_reset = false;
  bool neighbours = false;  // are shifts wanted?
};

/// `loops` outer to inner. Events that ask for nothing are left out.
std::vector<Event> walk(const Layer& layer, Operand operand, const TileShape& tile,
                        const std::vector<Loop>& loops, const WalkRules& rules);

}  // namespace atl::timeloop
