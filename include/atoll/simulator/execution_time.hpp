// Time that an accelerator's `execution` adds to perfect overlap. Two parts, both closed forms of a mapping:
//
// Blocks: every tile of the second level is loaded, then used by the array, then stored, each by a unit of
// its own that takes block after block; two blocks are in the buffer at once, so that block i is loaded after
// block i - 2 has left. That recurrence is linear in (max, +): a loop of n equal blocks is the n-th power of
// a small matrix, and the time of any nest follows in a few hundred additions, exactly as if all blocks were
// walked.
//
// Adder and load: cycles in which no product can be made; they add up with the compute time.
#pragma once

#include <memory>

#include "atoll/simulator/simulator.hpp"

namespace atl {

/// Cycles of the whole mapping, and of each unit alone if it never waited.
struct BlockTime {
  double cycles = 0;
  double array = 0, load = 0, store = 0;
};

/// The mapping's loops in time at the outermost level are the loops over blocks; how a block is mapped inside
/// does not matter, as the hardware unrolls it: outputs along array.run in runs of at most array.rows, blocks
/// of array.rows x array.columns weights, one after another. `accelerator.execution.blocks` must be there.
BlockTime block_time(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping);

/// The same by walking block after block: for tests. Slow: one step a block.
BlockTime block_time_walked(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping);

/// Cycles in which no product can be made: the adder's part per used instance, and weights over the bus, from
/// a row of costs of `accelerator`.
double blocked_cycles(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping,
                      const CostSchema& schema, std::span<const double> costs);

/// `inner` with the accelerator's execution on top of it; `inner` itself if there is none. Columns that
/// depend on time (cycles, leakage, energy, edp, power, utilisation) follow. Layers without products keep
/// their time.
std::unique_ptr<Simulator> with_execution_time(std::unique_ptr<Simulator> inner,
                                               const Accelerator& accelerator);

}  // namespace atl
