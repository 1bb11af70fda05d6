// The children of one instance on their mesh: who asks for the same words, how far they are, and what they
// can take from each other.
#pragma once

#include "timeloop_walk.hpp"

namespace atl::timeloop {

/// Groups of `multicast` children with equal tiles; `scatter` such groups.
struct Record {
  Count multicast = 1, scatter = 1;
  Count accesses = 0;    // words that enter
  Count twice_hops = 0;  // 2 * hops, summed over these words
};

struct Traffic {
  Count fanout = 1;
  Count groups = 1;             // different tiles, by position
  std::vector<Record> records;  // by multicast, then scatter
  Count link_transfers = 0;     // words that neighbours hand on, summed over the children

  Count accesses() const;
  Count delivered() const;  // words that the children receive from the parent
  Count twice_hops() const;
};

/// `loops` in space, outer to inner. Children lie row by row on the mesh, in the order of their number. Hops
/// of a group: along the middle row to its furthest column, and in each of its columns up and down to its
/// members.
Traffic traffic(const Layer& layer, Operand operand, const std::vector<Loop>& loops, Count mesh_x,
                Count mesh_y, const std::vector<Event>& events, bool link_transfers);

}  // namespace atl::timeloop
