// Costs of mappings whose tiles do not divide, behind a name: loopnest hands such rows over.
#pragma once

#include <memory>
#include <span>

#include "atoll/simulator/simulator.hpp"

namespace atl {

class ClippedModel {
 public:
  explicit ClippedModel(const Accelerator& accelerator);
  ~ClippedModel();
  ClippedModel(ClippedModel&&) noexcept;
  /// Fills one row of costs but for the columns of the bounds. Keeps what it knows of the layer for the next
  /// row. No allocation once it has seen a few rows; one thread at a time.
  void evaluate(const Layer& layer, const HardwareRow& hardware, const Mapping& mapping,
                std::span<double> costs);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atl
