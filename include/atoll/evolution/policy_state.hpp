// What a policy writes into a checkpoint: its population and
// a few numbers. The archive library stays in one source.
#pragma once

#include <iosfwd>
#include <vector>

#include "atoll/evolution/population.hpp"

namespace atl {

void save_policy_state(std::ostream& out, const Population& population, const std::vector<double>& numbers);

/// CheckpointError if the bytes are damaged, or hold another shape than `population` has or another count of
/// numbers than `numbers` has; nothing is changed then.
void load_policy_state(std::istream& in, Population& population, std::vector<double>& numbers);

}  // namespace atl
