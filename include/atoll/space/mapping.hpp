// The search space of mappings: one task for each distinct layer of a network that multiplies, on one
// accelerator. The genome is mapper/mapping_space.hpp's; the cost row is the simulator's.
//
// Layers without multiplications (pooling, additions) have nothing to search: their tensors stream through
// the outermost level at a fixed cost, which enters the network's totals. All of a network's layers run one
// after another, so the totals are sums over the layers with their multiplicity, and the network's EDP is the
// product of the summed energy and the summed cycles, not the sum of the layers' EDPs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/mapper/mapping_space.hpp"
#include "atoll/network/network.hpp"
#include "atoll/simulator/simulator.hpp"
#include "atoll/space/search_space.hpp"

namespace atl {

/// A layer whose cost no mapping changes.
struct FixedLayer {
  std::string name;
  std::uint32_t multiplicity = 1;
  std::vector<double> costs;  // in the columns of the space
};

/// A whole network's cost. edp = energy * cycles.
struct NetworkTotals {
  double cycles = 0, energy = 0, edp = 0, macs = 0;
  double bound_cycles = 0, bound_energy = 0;  // sums of the layers' lower bounds
  double fixed_cycles = 0, fixed_energy = 0;  // the part of layers without multiplications
  double utilisation = 0;                     // macs / (multipliers * cycles)
};

class MappingSpace final : public SearchSpace {
 public:
  /// InputError if no layer multiplies, a layer is wrong, a level has no room for one word, or the
  /// simulator is unknown.
  MappingSpace(Network network, Accelerator accelerator, const std::string& simulator);
  ~MappingSpace() override;

  std::size_t task_count() const override { return tasks_.size(); }
  TaskInfo task(std::size_t t) const override;
  const GenomeSchema& schema(std::size_t t) const override { return spaces_[t].schema(); }
  const std::vector<SpaceCostColumn>& cost_columns() const override { return columns_; }
  std::vector<SpaceFormula> formulas(std::size_t t) const override;
  /// Every row becomes legal, so violation is always 0. `detail`
  /// stays empty: the rows themselves are the mappings.
  void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) override;

  std::string to_json(std::size_t t, std::span<const std::int32_t> integers,
                      std::span<const double> reals) const override;
  std::string to_text(std::size_t t, std::span<const std::int32_t> integers,
                      std::span<const double> reals) const override;
  void write_individual(std::size_t t, std::span<const std::int32_t> integers, std::span<const double> reals,
                        const std::string& folder, const std::string& stem) const override;

  const Network& network() const { return network_; }
  const Accelerator& accelerator() const { return accelerator_; }
  const Layer& layer(std::size_t t) const { return spaces_[t].layer(); }
  const LayerMappingSpace& layer_space(std::size_t t) const { return spaces_[t]; }
  const std::vector<FixedLayer>& fixed_layers() const { return fixed_; }
  /// The mapping that a row stands for (the row need not be repaired).
  Mapping decode(std::size_t t, std::span<const std::int32_t> integers) const;

  /// `costs`: the chosen cost row of every task, one after another, in the columns of the space.
  NetworkTotals network_totals(std::span<const double> costs) const;

 private:
  void add_fixed_layers();

  Network network_;
  Accelerator accelerator_;
  std::vector<DistinctLayer> tasks_;
  std::vector<FixedLayer> fixed_;
  std::vector<LayerMappingSpace> spaces_;
  std::unique_ptr<Simulator> simulator_;
  std::vector<SpaceCostColumn> columns_;
  HardwareRow hardware_;
  std::vector<Mapping> mappings_;  // of the batch; keeps its room between calls
};

}  // namespace atl
