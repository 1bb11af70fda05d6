// Why a mapping costs what it costs, as text for people: its loop nest, the tile of every operand at every
// level with the room it takes, how often a word is used where it lies, the traffic with its share of the
// energy, what limits the time, and how far the result is from its lower bounds.
#pragma once

#include <span>
#include <string>

#include "atoll/simulator/cost_schema.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {

/// `costs`: one row in `schema` (loopnest or reference) of this mapping, which must be legal. At most 120
/// columns wide, ends with a line feed. Figures of words are sums over all instances of a level.
std::string explain(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                    const CostSchema& schema, std::span<const double> costs);

/// Steps that the slowest unit works through, one after another: the cycles of the compute alone. Tiles need
/// not divide.
double compute_cycles(const Mapping& mapping, const Layer& layer);

}  // namespace atl
