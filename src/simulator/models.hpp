// The models behind make_simulator, one source each.
#pragma once

#include <memory>

#include "atoll/simulator/simulator.hpp"

namespace atl {

std::unique_ptr<Simulator> make_loopnest(const Accelerator& accelerator);
std::unique_ptr<Simulator> make_reference(const Accelerator& accelerator);

}  // namespace atl
