#include "atoll/simulator/simulator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"
#include "atoll/simulator/execution_time.hpp"
#include "models.hpp"

namespace atl {
namespace {

double per_bit(double energy, double access_width) {
  return access_width > 0 ? energy / access_width : energy;
}

void fill_counts(std::span<double> costs, std::size_t first, double reads, double updates, double energy) {
  costs[first + static_cast<std::size_t>(Count::reads)] = reads;
  costs[first + static_cast<std::size_t>(Count::updates)] = updates;
  costs[first + static_cast<std::size_t>(Count::energy)] = energy;
}

}  // namespace

HardwareRow hardware_row(const Accelerator& accelerator) {
  HardwareRow row;
  row.clock = accelerator.clock;
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    row.size[l] = level.size;
    row.read_bandwidth[l] = level.read_bandwidth;
    row.write_bandwidth[l] = level.write_bandwidth;
    row.read_energy[l] = per_bit(level.read_energy, level.access_width);
    row.write_energy[l] = per_bit(level.write_energy, level.access_width);
    row.leakage[l] = level.leakage;
    for (std::size_t o = 0; o < operand_count; ++o)
      row.word_bits[l][o] = accelerator.word_bits(l, static_cast<Operand>(o));
  }
  for (const Fanout& fanout : accelerator.fanouts) row.hop_energy[fanout.above] = fanout.hop_energy;
  row.compute_energy = accelerator.compute.energy;
  row.area = accelerator.area();
  return row;
}

std::vector<std::string> simulator_names() {
  return {"loopnest", "reference"};
}

std::unique_ptr<Simulator> make_simulator(const std::string& name, const Accelerator& accelerator) {
  if (name == "loopnest") return with_execution_time(make_loopnest(accelerator), accelerator);
  if (name == "reference") return with_execution_time(make_reference(accelerator), accelerator);
  if (name == "zigzag")
    throw InputError(
        "the simulator zigzag costs rows of ZigZag only (evaluate --format zigzag): many of its results are "
        "faster than a memory's port can be, and a search would settle there (simulator/ZIGZAG.md)");
  if (name == "datacentric")
    throw InputError(
        "the simulator datacentric costs rows of MAESTRO only (evaluate --format maestro): it counts one "
        "memory "
        "outside the array, so that a mapping with tiles in DRAM and in a buffer has no form in it "
        "(simulator/DATACENTRIC.md)");
  throw InputError(
      fmt::format("there is no simulator '{}'; known are {}", name, fmt::join(simulator_names(), ", ")));
}

void streaming_cost(const Layer& layer, const Accelerator& accelerator, std::span<double> costs) {
  const CostSchema schema = loopnest_schema(accelerator);
  const HardwareRow hardware = hardware_row(accelerator);
  const CompulsoryWords words = compulsory_words(layer);
  const auto& width = hardware.word_bits[0];
  std::fill(costs.begin(), costs.end(), 0.0);

  const auto bits = [&](std::uint64_t count, Operand o) {
    return static_cast<double>(count) * width[index(o)];
  };
  const double weights = bits(words.weights, Operand::W) * hardware.read_energy[0];
  const double inputs = bits(words.inputs, Operand::I) * hardware.read_energy[0];
  const double outputs = bits(words.outputs, Operand::O) * hardware.write_energy[0];
  const auto& first = schema.first_column[0];
  fill_counts(costs, first[index(Operand::W)], static_cast<double>(words.weights), 0, weights);
  fill_counts(costs, first[index(Operand::I)], static_cast<double>(words.inputs), 0, inputs);
  fill_counts(costs, first[index(Operand::O)], 0, static_cast<double>(words.outputs), outputs);

  Layer moved = layer;  // its data move, nothing is computed
  moved.op = LayerOp::elementwise;
  moved.size.fill(1);
  const Bounds bound = bounds(moved, words, hardware, static_cast<double>(accelerator.units()),
                              accelerator.levels[0].shared_port);
  double leakage = 0;
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l)
    leakage += hardware.leakage[l] * static_cast<double>(accelerator.instances(l));
  costs[cost::cycles] = costs[cost::cycles_steady] = costs[cost::bound_cycles] = bound.cycles;
  costs[cost::leakage_energy] = leakage * bound.cycles;
  costs[cost::bound_energy] = bound.energy;
  costs[cost::energy] = bound.energy + costs[cost::leakage_energy];
  costs[cost::edp] = costs[cost::energy] * bound.cycles;
  costs[cost::area] = hardware.area;
  costs[cost::power] = bound.cycles > 0 ? costs[cost::energy] * 1e-9 * hardware.clock / bound.cycles : 0;
  const double read_bits = bits(words.weights, Operand::W) + bits(words.inputs, Operand::I);
  const bool writes_bind =
      !accelerator.levels[0].shared_port &&
      bits(words.outputs, Operand::O) / hardware.write_bandwidth[0] > read_bits / hardware.read_bandwidth[0];
  costs[cost::binds] = writes_bind ? 2 : 1;
}

}  // namespace atl
