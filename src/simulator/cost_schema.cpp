#include "atoll/simulator/cost_schema.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/simulator/bounds.hpp"
#include "atoll/simulator/simulator.hpp"

namespace atl {
namespace {

struct Headline {
  const char* name;
  const char* unit;
  bool derived;
};
constexpr std::array<Headline, cost::headline_count> headlines = {{
    {"cycles", "cycle", false},
    {"cycles_steady", "cycle", false},
    {"energy", "pJ", false},
    {"edp", "pJ*cycle", true},
    {"area", "um2", true},
    {"power", "mW", true},
    {"utilisation", "1", true},
    {"compute_energy", "pJ", true},
    {"network_energy", "pJ", false},
    {"leakage_energy", "pJ", true},
    {"bound_cycles", "cycle", true},
    {"bound_energy", "pJ", true},
    {"binds", "1", false},
}};
constexpr std::array<std::array<const char*, 2>, static_cast<std::size_t>(Count::count)> counts = {
    {{"reads", "word"}, {"fills", "word"}, {"updates", "word"}, {"energy", "pJ"}}};

// Nothing comes into the outermost level from outside, and inputs are never written from inside.
bool always_zero(std::size_t level, Operand operand, Count count) {
  return (count == Count::fills && level == 0) || (count == Count::updates && operand != Operand::O);
}

std::vector<CostTerm> energy_terms(const HardwareRow& hardware, std::size_t level, Operand operand,
                                   std::size_t first) {
  const double bits = hardware.word_bits[level][index(operand)];
  std::vector<CostTerm> terms;
  for (const Count count : {Count::reads, Count::fills, Count::updates}) {
    if (always_zero(level, operand, count)) continue;
    const double energy = count == Count::reads ? hardware.read_energy[level] : hardware.write_energy[level];
    terms.push_back({bits * energy, {{first + static_cast<std::size_t>(count), 1}}});
  }
  return terms;
}

double leakage_per_cycle(const Accelerator& accelerator, const HardwareRow& hardware) {
  double leakage = 0;
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l)
    leakage += hardware.leakage[l] * static_cast<double>(accelerator.instances(l));
  return leakage;
}

std::vector<CostFormula> headline_formulas(const Accelerator& accelerator, const HardwareRow& hardware,
                                           const Layer& layer) {
  const auto units = static_cast<double>(accelerator.units());
  const Bounds bound =
      bounds(layer, compulsory_words(layer), hardware, units, accelerator.levels[0].shared_port);
  const double macs = static_cast<double>(layer.macs()) * hardware.compute_energy;
  return {{cost::edp, {{1, {{cost::energy, 1}, {cost::cycles, 1}}}}},
          {cost::area, {{hardware.area, {}}}},
          {cost::power, {{1e-9 * hardware.clock, {{cost::energy, 1}, {cost::cycles, -1}}}}},
          {cost::utilisation, {{static_cast<double>(layer.operations()) / units, {{cost::cycles, -1}}}}},
          {cost::compute_energy, {{macs, {}}}},
          {cost::leakage_energy, {{leakage_per_cycle(accelerator, hardware), {{cost::cycles, 1}}}}},
          {cost::bound_cycles, {{bound.cycles, {}}}},
          {cost::bound_energy, {{bound.energy, {}}}}};
}

}  // namespace

std::size_t CostSchema::find(std::string_view name) const {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const CostColumn& column) { return column.name == name; });
  return found == columns.end() ? npos : static_cast<std::size_t>(found - columns.begin());
}

std::vector<std::string> CostSchema::names() const {
  std::vector<std::string> result;
  for (const CostColumn& column : columns) result.push_back(column.name);
  return result;
}

CostSchema loopnest_schema(const Accelerator& accelerator) {
  CostSchema schema;
  for (const Headline& one : headlines) schema.columns.push_back({one.name, one.unit, true, one.derived});
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    schema.level_names.push_back(level.name);
    auto& first = schema.first_column.emplace_back();
    first.fill(CostSchema::npos);
    for (std::size_t o = 0; o < operand_count; ++o) {
      const auto possible = static_cast<OperandSet>(l == 0 ? all_operands : level.keep | level.may_keep);
      if (!contains(possible, static_cast<Operand>(o))) continue;
      first[o] = schema.columns.size();
      for (std::size_t c = 0; c < counts.size(); ++c) {
        const auto count = static_cast<Count>(c);
        schema.columns.push_back({fmt::format("{}.{}.{}", level.name, operand_names[o], counts[c][0]),
                                  counts[c][1], false,
                                  count == Count::energy || always_zero(l, static_cast<Operand>(o), count)});
      }
    }
  }
  return schema;
}

std::vector<CostFormula> loopnest_formulas(const Accelerator& accelerator, const HardwareRow& hardware,
                                           const Layer& layer) {
  std::vector<CostFormula> formulas = headline_formulas(accelerator, hardware, layer);
  const CostSchema schema = loopnest_schema(accelerator);
  for (std::size_t l = 0; l < schema.first_column.size(); ++l)
    for (std::size_t o = 0; o < operand_count; ++o) {
      const std::size_t first = schema.first_column[l][o];
      if (first == CostSchema::npos) continue;
      const auto operand = static_cast<Operand>(o);
      for (const Count count : {Count::fills, Count::updates})
        if (always_zero(l, operand, count)) formulas.push_back({first + static_cast<std::size_t>(count), {}});
      formulas.push_back(
          {first + static_cast<std::size_t>(Count::energy), energy_terms(hardware, l, operand, first)});
    }
  return formulas;
}

}  // namespace atl
