#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"
#include "loopnest_core.hpp"
#include "models.hpp"

namespace atl {
namespace {

class Loopnest final : public Simulator {
 public:
  explicit Loopnest(const Accelerator& accelerator) : accelerator_(accelerator), model_(accelerator) {}
  const CostSchema& schema() const override { return model_.schema(); }

  void evaluate(const SimulatorBatch& batch, std::span<double> costs) const override {
    const std::size_t width = schema().width();
    if (costs.size() < batch.mappings.size() * width) throw InternalError("the table of costs is too small");
    loopnest::LayerFacts facts;
    const Layer* known = nullptr;
    for (std::size_t row = 0; row < batch.mappings.size(); ++row) {
      const Layer& layer = batch.layers[batch.layers.size() == 1 ? 0 : row];
      const HardwareRow& hardware = batch.hardware[batch.hardware.size() == 1 ? 0 : row];
      if (known == nullptr || (known != &layer && !(*known == layer)))
        facts = loopnest::layer_facts<loopnest::Rules>(layer);
      known = &layer;
      evaluate_row(facts, hardware, batch.mappings[row], costs.subspan(row * width, width));
    }
  }

 private:
  void evaluate_row(const loopnest::LayerFacts& facts, const HardwareRow& hardware, const Mapping& mapping,
                    std::span<double> costs) const {
    if (loopnest::divides(mapping, facts.layer, model_.structure().levels))
      model_.evaluate(facts, hardware, mapping, costs);
    else
      model_.evaluate(facts, hardware, mapping, costs);  // until there is a model of clipped tiles
    const loopnest::Structure& structure = model_.structure();
    const Bounds bound =
        bounds(facts.layer, facts.compulsory, hardware, structure.units, structure.shared_port[0]);
    costs[cost::bound_cycles] = bound.cycles;
    costs[cost::bound_energy] = bound.energy;
    require_above(bound, costs, mapping, facts.layer, accelerator_);
  }

  Accelerator accelerator_;
  loopnest::Model<loopnest::Rules> model_;
};

}  // namespace

std::unique_ptr<Simulator> make_loopnest(const Accelerator& accelerator) {
  return std::make_unique<Loopnest>(accelerator);
}

}  // namespace atl
