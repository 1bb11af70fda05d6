// The one interface behind which cost models stand. A simulator is compiled once for the structure of an
// accelerator and then evaluates whole batches: no allocation and no virtual call per individual.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/simulator/cost_schema.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {

/// The numbers of an accelerator that may differ from row to row while its structure stays: flat, so that
/// evolving hardware is a batch like any other.
struct HardwareRow {
  double clock = 0;
  std::array<double, max_levels> size{}, read_bandwidth{}, write_bandwidth{};
  std::array<double, max_levels> read_energy{}, write_energy{};  // pJ per bit
  std::array<double, max_levels> leakage{};                      // pJ per instance and cycle
  std::array<std::array<double, operand_count>, max_levels> word_bits{};
  std::array<double, max_levels> hop_energy{};  // pJ per bit, fan-out below the level
  double compute_energy = 0;
  double area = 0;
};
HardwareRow hardware_row(const Accelerator& accelerator);

/// mappings.size() rows; `layers` and `hardware` hold either one entry for the whole batch or one per row.
struct SimulatorBatch {
  std::span<const Layer> layers;
  std::span<const HardwareRow> hardware;
  std::span<const Mapping> mappings;
};

class Simulator {
 public:
  virtual ~Simulator() = default;
  virtual const CostSchema& schema() const = 0;
  /// How the derived columns of schema() follow from the others, for one layer; none where no column is
  /// derived.
  virtual std::vector<CostFormula> formulas(const HardwareRow& hardware, const Layer& layer) const = 0;
  /// Fills costs[row * schema().width() + column] for every row. Mappings must be legal (see check());
  /// a result below the bounds throws InternalError with the mapping.
  /// A simulator may keep what it knows of the layers seen last, which saves time and never changes a result:
  /// one thread at a time.
  virtual void evaluate(const SimulatorBatch& batch, std::span<double> costs) const = 0;
};

/// name: "loopnest" or "reference". InputError lists the known names.
std::unique_ptr<Simulator> make_simulator(const std::string& name, const Accelerator& accelerator);
std::vector<std::string> simulator_names();

/// Operators without multiplications: their tensors stream once through the outermost level.
/// Fills one row in the schema of `accelerator`.
void streaming_cost(const Layer& layer, const Accelerator& accelerator, std::span<double> costs);

}  // namespace atl
