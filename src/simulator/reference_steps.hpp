// The executed reference step by step: what moves between neighbouring levels at each step of a mapping. For
// executions that watch the clock.
#pragma once

#include <vector>

#include "atoll/simulator/simulator.hpp"

namespace atl {

/// Words between a holder of an operand and its parent, summed over instances.
struct StepTransfer {
  double sent = 0;     // read at the parent: for the child, or to add to what is there
  double filled = 0;   // written at the child
  double drained = 0;  // read at the child
  double updated = 0;  // written at the parent
};

/// transfer[l][o]: between level l (or the multipliers, l = number of levels) and its parent for operand o.
struct Step {
  std::array<std::array<StepTransfer, operand_count>, max_levels + 1> transfer{};
};

struct ReferenceSteps {
  std::vector<Step> step;  // one more than there are steps: what is drained at the end
  double ends = 0;         // cycles of first load and last store
  std::array<double, max_levels + 1> used{};
  std::array<std::array<std::size_t, operand_count>, max_levels + 1> parent{};  // where the level is a holder
};
ReferenceSteps reference_steps(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping);

}  // namespace atl
