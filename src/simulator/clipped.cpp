#include "clipped.hpp"

#include "clipped_core.hpp"

namespace atl {

struct ClippedModel::State {
  explicit State(const Accelerator& accelerator) : model(accelerator) {}
  clipped::Model<clipped::Rules> model;
  clipped::LayerFacts facts;
  bool known = false;
};

ClippedModel::ClippedModel(const Accelerator& accelerator) : state_(std::make_unique<State>(accelerator)) {}
ClippedModel::~ClippedModel() = default;
ClippedModel::ClippedModel(ClippedModel&&) noexcept = default;

void ClippedModel::evaluate(const Layer& layer, const HardwareRow& hardware, const Mapping& mapping,
                            std::span<double> costs) {
  if (!state_->known || !(state_->facts.layer == layer))
    state_->facts = clipped::layer_facts<clipped::Rules>(layer);
  state_->known = true;
  state_->model.evaluate(state_->facts, hardware, mapping, costs);
}

}  // namespace atl
