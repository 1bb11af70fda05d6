// The simulator `loopnest`: rows of one layer go in packs through the vectorised closed form; rows whose
// tiles do not divide, and layers too large for packs, one by one.
#include <algorithm>

#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"
#include "clipped.hpp"
#include "loopnest_batch.hpp"
#include "loopnest_core.hpp"
#include "models.hpp"

namespace atl::loopnest {
namespace {

// What is known of the layers seen last. Only saves time: a result never depends on it.
class LayerMemory {
 public:
  struct Entry {
    explicit Entry(const Layer& layer) : facts(layer_facts<Rules>(layer)), pack(facts) {}
    LayerFacts facts;
    PackFacts pack;
  };

  const Entry& find(const Layer& layer) {
    const auto known = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const auto& entry) { return entry->facts.layer == layer; });
    if (known != entries_.end()) return **known;
    if (entries_.size() < most) return *entries_.emplace_back(std::make_unique<Entry>(layer));
    oldest_ = (oldest_ + 1) % most;
    return *(entries_[oldest_] = std::make_unique<Entry>(layer));
  }

 private:
  static constexpr std::size_t most = 32;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::size_t oldest_ = most - 1;
};

bool may_choose(const Accelerator& accelerator) {
  return std::any_of(accelerator.levels.begin() + 1, accelerator.levels.end(),
                     [](const StorageLevel& level) { return (level.may_keep & ~level.keep) != 0; });
}

class Loopnest final : public Simulator {
 public:
  Loopnest(const Accelerator& accelerator, const BatchVersion& version)
      : accelerator_(accelerator),
        model_(accelerator),
        version_(version),
        chooses_(may_choose(accelerator)),
        layers_(std::make_unique<LayerMemory>()),
        clipped_(std::make_unique<ClippedModel>(accelerator)) {}
  const CostSchema& schema() const override { return model_.schema(); }
  std::vector<CostFormula> formulas(const HardwareRow& hardware, const Layer& layer) const override {
    return loopnest_formulas(accelerator_, hardware, layer);
  }

  void evaluate(const SimulatorBatch& batch, std::span<double> costs) const override {
    const std::size_t rows = batch.mappings.size();
    if (costs.size() < rows * schema().width()) throw InternalError("the table of costs is too small");
    for (std::size_t first = 0, end = 0; first < rows; first = end) {
      const Layer& layer = layer_of(batch, first);
      end = batch.layers.size() == 1 ? rows : first + 1;
      while (end < rows && layer_of(batch, end) == layer) ++end;
      const LayerMemory::Entry& known = layers_->find(layer);
      for (std::size_t row = first; row < end; row += most_rows)
        evaluate_block(batch, known, row, std::min(end, row + most_rows), costs);
    }
  }

 private:
  static const Layer& layer_of(const SimulatorBatch& batch, std::size_t row) {
    return batch.layers[batch.layers.size() == 1 ? 0 : row];
  }

  void evaluate_block(const SimulatorBatch& batch, const LayerMemory::Entry& layer, std::size_t first,
                      std::size_t end, std::span<double> costs) const {
    RowsLeft left;
    if (layer.pack.fits && accelerator_.zero_read_elision) {
      count_in_packs(batch, layer, first, end, costs, left);
    } else {
      for (std::size_t row = first; row < end; ++row) left.row[left.size++] = static_cast<std::uint32_t>(row);
    }
    const std::size_t width = schema().width();
    for (std::size_t i = 0; i < left.size; ++i) {
      const std::size_t row = left.row[i];
      evaluate_row(layer.facts, batch.hardware[batch.hardware.size() == 1 ? 0 : row], batch.mappings[row],
                   layer.pack.fits || !accelerator_.zero_read_elision, costs.subspan(row * width, width));
    }
    for (std::size_t row = first; row < end; ++row) {
      const std::span<const double> one = costs.subspan(row * width, width);
      require_above({one[cost::bound_cycles], one[cost::bound_energy]}, one, batch.mappings[row],
                    layer.facts.layer, accelerator_);
    }
  }

  // Packs need rows that keep the same operands at the same levels.
  void count_in_packs(const SimulatorBatch& batch, const LayerMemory::Entry& layer, std::size_t first,
                      std::size_t end, std::span<double> costs, RowsLeft& left) const {
    const Structure& structure = model_.structure();
    std::array<std::uint64_t, most_rows> key;
    std::array<std::uint32_t, most_rows> row;
    const std::size_t size = end - first;
    for (std::size_t i = 0; i < size; ++i)
      key[i] = (chooses_ ? std::uint64_t{kept_where(batch.mappings[first + i], structure.levels)} << 32 : 0) |
               (first + i);
    if (chooses_) std::sort(key.begin(), key.begin() + static_cast<std::ptrdiff_t>(size));
    for (std::size_t i = 0; i < size; ++i) row[i] = static_cast<std::uint32_t>(key[i]);
    for (std::size_t i = 0, next = 0; i < size; i = next) {
      while (next < size && key[next] >> 32 == key[i] >> 32) ++next;
      const Program program(structure, layer.facts, layer.pack, batch.mappings[row[i]]);
      version_.count({&program, &batch, {row.data() + i, next - i}, costs}, left);
    }
  }

  void evaluate_row(const LayerFacts& facts, const HardwareRow& hardware, const Mapping& mapping,
                    bool surely_clipped, std::span<double> costs) const {
    if (!surely_clipped && divides(mapping, facts.layer, model_.structure().levels))
      model_.evaluate(facts, hardware, mapping, costs);
    else
      clipped_->evaluate(facts.layer, hardware, mapping, costs);
    const Structure& structure = model_.structure();
    const Bounds bound =
        bounds(facts.layer, facts.compulsory, hardware, structure.units, structure.shared_port[0]);
    costs[cost::bound_cycles] = bound.cycles;
    costs[cost::bound_energy] = bound.energy;
  }

  Accelerator accelerator_;
  Model<Rules> model_;
  const BatchVersion& version_;
  bool chooses_;
  std::unique_ptr<LayerMemory> layers_;
  std::unique_ptr<ClippedModel> clipped_;
};

}  // namespace

std::unique_ptr<Simulator> make_loopnest(const Accelerator& accelerator, const BatchVersion& version) {
  return std::make_unique<Loopnest>(accelerator, version);
}

}  // namespace atl::loopnest

namespace atl {

std::unique_ptr<Simulator> make_loopnest(const Accelerator& accelerator) {
  return loopnest::make_loopnest(accelerator, loopnest::best_version());
}

}  // namespace atl
