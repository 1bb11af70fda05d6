#include "atoll/space/mapping.hpp"

#include <fmt/format.h>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"

namespace atl {

namespace {

constexpr std::size_t most_tasks = 1024;  // the ids of individuals give a task 10 bits

std::vector<Layer> layers_of(const Network& network, const std::vector<DistinctLayer>& distinct) {
  std::vector<Layer> layers;
  for (const DistinctLayer& d : distinct) layers.push_back(network.layers[d.first].layer);
  return layers;
}

}  // namespace

MappingSpace::MappingSpace(Network network, Accelerator accelerator, const std::string& simulator)
    : network_(std::move(network)),
      accelerator_(std::move(accelerator)),
      tasks_(network_.distinct(true)),
      simulator_(make_simulator(simulator, accelerator_)),
      hardware_(hardware_row(accelerator_)) {
  for (const NamedLayer& layer : network_.layers) {
    layer.layer.validate(layer.name);
    if (layer.layer.multiplies() && layer.layer.operations() >= operations_limit)
      throw InputError(
          fmt::format("layer '{}' of network '{}' has {} operations; a layer that is mapped must have fewer "
                      "than 10^12: split it",
                      layer.name, network_.name, layer.layer.operations()));
  }
  if (tasks_.empty())
    throw InputError(
        fmt::format("network '{}' has no layer that multiplies (conv, fc, matmul); there is nothing to map",
                    network_.name));
  if (tasks_.size() > most_tasks)
    throw InputError(fmt::format("network '{}' has {} distinct layers; a run can hold {}; split the network",
                                 network_.name, tasks_.size(), most_tasks));
  const std::vector<Layer> layers = layers_of(network_, tasks_);
  const MappingLayout layout(layers, accelerator_);
  spaces_.reserve(layers.size());
  for (const Layer& layer : layers) spaces_.emplace_back(layout, layer, accelerator_);
  for (const CostColumn& column : simulator_->schema().columns)
    columns_.push_back({column.name, column.unit, column.headline, column.derived});
  add_fixed_layers();
}

MappingSpace::~MappingSpace() = default;

void MappingSpace::add_fixed_layers() {
  for (const DistinctLayer& d : network_.distinct(false)) {
    const NamedLayer& named = network_.layers[d.first];
    if (named.layer.multiplies()) continue;
    FixedLayer fixed{named.name, d.multiplicity, std::vector<double>(columns_.size())};
    streaming_cost(named.layer, accelerator_, fixed.costs);
    fixed_.push_back(std::move(fixed));
  }
}

TaskInfo MappingSpace::task(std::size_t t) const {
  const NamedLayer& named = network_.layers[tasks_[t].first];
  return {named.name, tasks_[t].multiplicity, static_cast<double>(named.layer.macs())};
}

std::vector<SpaceFormula> MappingSpace::formulas(std::size_t t) const {
  std::vector<SpaceFormula> formulas;
  for (const CostFormula& formula : simulator_->formulas(hardware_, layer(t))) {
    SpaceFormula& copy = formulas.emplace_back();
    copy.column = formula.column;
    for (const CostTerm& term : formula.terms) copy.terms.push_back({term.factor, term.powers});
  }
  return formulas;
}

void MappingSpace::evaluate(std::size_t t, Population& rows, EvaluationDetail*) {
  const LayerMappingSpace& space = spaces_[t];
  mappings_.resize(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) space.repair(rows.integers(row), mappings_[row]);
  simulator_->evaluate({std::span(&space.layer(), 1), std::span(&hardware_, 1), mappings_}, rows.all_costs());
  std::fill(rows.violation.begin(), rows.violation.end(), 0.0);
}

Mapping MappingSpace::decode(std::size_t t, std::span<const std::int32_t> integers) const {
  std::vector<std::int32_t> genes(integers.begin(), integers.end());
  Mapping mapping;
  spaces_[t].repair(genes, mapping);
  return mapping;
}

std::string MappingSpace::to_json(std::size_t t, std::span<const std::int32_t> integers,
                                  std::span<const double>) const {
  return mapping_to_json(decode(t, integers), layer(t), accelerator_);
}

std::string MappingSpace::to_text(std::size_t t, std::span<const std::int32_t> integers,
                                  std::span<const double>) const {
  return loop_nest(decode(t, integers), layer(t), accelerator_);
}

void MappingSpace::write_individual(std::size_t t, std::span<const std::int32_t> integers,
                                    std::span<const double> reals, const std::string& folder,
                                    const std::string& stem) const {
  make_folder(folder);
  write_text_file_atomically(folder + "/" + stem + ".json", to_json(t, integers, reals) + "\n");
  write_text_file_atomically(folder + "/" + stem + ".txt", to_text(t, integers, reals));
}

NetworkTotals MappingSpace::network_totals(std::span<const double> costs) const {
  const std::size_t width = columns_.size();
  if (costs.size() != width * tasks_.size())
    throw InternalError(fmt::format("network totals need {} cost rows of {} columns, but got {} numbers",
                                    tasks_.size(), width, costs.size()));
  NetworkTotals totals;
  const auto add = [&](std::span<const double> row, double times) {
    totals.cycles += times * row[cost::cycles];
    totals.energy += times * row[cost::energy];
    totals.bound_cycles += times * row[cost::bound_cycles];
    totals.bound_energy += times * row[cost::bound_energy];
  };
  for (const FixedLayer& fixed : fixed_) add(fixed.costs, fixed.multiplicity);
  totals.fixed_cycles = totals.cycles;
  totals.fixed_energy = totals.energy;
  for (std::size_t t = 0; t < tasks_.size(); ++t) {
    add(costs.subspan(t * width, width), tasks_[t].multiplicity);
    totals.macs += task(t).macs * tasks_[t].multiplicity;
  }
  totals.edp = totals.energy * totals.cycles;
  totals.utilisation = totals.macs / (static_cast<double>(accelerator_.units()) * totals.cycles);
  return totals;
}

}  // namespace atl
