#include "atoll/simulator/cost_schema.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {
namespace {

constexpr std::array<std::array<const char*, 2>, cost::headline_count> headlines = {{
    {"cycles", "cycle"},
    {"cycles_steady", "cycle"},
    {"energy", "pJ"},
    {"edp", "pJ*cycle"},
    {"area", "um2"},
    {"power", "mW"},
    {"utilisation", "1"},
    {"compute_energy", "pJ"},
    {"network_energy", "pJ"},
    {"leakage_energy", "pJ"},
    {"bound_cycles", "cycle"},
    {"bound_energy", "pJ"},
    {"binds", "1"},
}};
constexpr std::array<std::array<const char*, 2>, static_cast<std::size_t>(Count::count)> counts = {
    {{"reads", "word"}, {"fills", "word"}, {"updates", "word"}, {"energy", "pJ"}}};

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
  for (const auto& [name, unit] : headlines) schema.columns.push_back({name, unit, true});
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    schema.level_names.push_back(level.name);
    auto& first = schema.first_column.emplace_back();
    first.fill(CostSchema::npos);
    for (std::size_t o = 0; o < operand_count; ++o) {
      const auto possible = static_cast<OperandSet>(l == 0 ? all_operands : level.keep | level.may_keep);
      if (!contains(possible, static_cast<Operand>(o))) continue;
      first[o] = schema.columns.size();
      for (const auto& [name, unit] : counts)
        schema.columns.push_back({fmt::format("{}.{}.{}", level.name, operand_names[o], name), unit, false});
    }
  }
  return schema;
}

}  // namespace atl
