#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/base/text.hpp"
#include "timeloop_nest.hpp"

namespace atl {
namespace {

constexpr double most_children = 1 << 20;  // each is looked at

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

std::string names_of(OperandSet set) {
  std::string names;
  for (const Operand o : operands)
    if (contains(set, o)) names += operand_names[index(o)];
  return names.empty() ? "nothing" : names;
}

std::string check_layer(const Layer& layer) {
  if (!layer.multiplies()) return fmt::format("a layer must multiply, found {}", name(layer.op));
  for (const std::uint32_t padding :
       {layer.padding_before[0], layer.padding_before[1], layer.padding_after[0], layer.padding_after[1]})
    if (padding != 0) return fmt::format("a layer has no padding under Timeloop's rules, found {}", padding);
  double operations = 1;
  for (const std::uint32_t size : layer.size) operations *= size;
  if (operations >= static_cast<double>(most_timeloop_operations))
    return fmt::format(
        "a layer must have fewer than {} operations, so that every count is exact; found {:.0f}",
        most_timeloop_operations, operations);
  return {};
}

std::string check_loops(const std::vector<TimeloopLoop>& loops, const char* kind, const std::string& level) {
  std::array<bool, dim_count> seen{};
  for (const TimeloopLoop& loop : loops) {
    if (loop.bound == 0)
      return fmt::format("a {} loop over {} at level '{}' has the bound 0", kind, dim_names[index(loop.dim)],
                         level);
    if (seen[index(loop.dim)])
      return fmt::format("level '{}' has two {} loops over {}; it may have one", level, kind,
                         dim_names[index(loop.dim)]);
    seen[index(loop.dim)] = true;
  }
  return {};
}

std::string check_products(const TimeloopMapping& mapping, const Layer& layer) {
  std::array<double, dim_count> products;
  products.fill(1);
  for (const TimeloopMappingLevel& level : mapping.levels)
    for (const auto* loops : {&level.temporal, &level.spatial_y, &level.spatial_x})
      for (const TimeloopLoop& loop : *loops) products[index(loop.dim)] *= loop.bound;
  for (std::size_t d = 0; d < dim_count; ++d)
    if (products[d] != layer.size[d])
      return fmt::format(
          "the bounds of all loops over {} must multiply up to the layer's {}, but make {:.0f}", dim_names[d],
          layer.size[d], products[d]);
  return {};
}

double product(const std::vector<TimeloopLoop>& loops) {
  double result = 1;
  for (const TimeloopLoop& loop : loops) result *= loop.bound;
  return result;
}

std::string check_level(const TimeloopMappingLevel& mapped, const TimeloopLevel& level, bool outermost) {
  for (const auto& [loops, kind] :
       {std::pair{&mapped.temporal, "temporal"}, std::pair{&mapped.spatial_y, "spatial y"},
        std::pair{&mapped.spatial_x, "spatial x"}}) {
    const std::string reason = check_loops(*loops, kind, level.name);
    if (!reason.empty()) return reason;
  }
  const OperandSet must = outermost ? all_operands : level.keep;
  if ((mapped.keep & must) != must)
    return fmt::format("level '{}' must keep {}, but keeps {}", level.name, names_of(must),
                       names_of(mapped.keep));
  const auto may = static_cast<OperandSet>(must | level.may_keep);
  if ((mapped.keep & ~may) != 0)
    return fmt::format("level '{}' may keep only {}, but keeps {}", level.name, names_of(may),
                       names_of(mapped.keep));
  const double x = product(mapped.spatial_x), y = product(mapped.spatial_y);
  if (x > level.mesh_x || y > level.mesh_y)
    return fmt::format(
        "the loops in space below level '{}' ask for {:.0f} x {:.0f} children (x, y), there are {} x {}",
        level.name, x, y, level.mesh_x, level.mesh_y);
  if (x * y > most_children)
    return fmt::format(
        "the loops in space below level '{}' ask for {:.0f} children; at most {:.0f} are evaluated",
        level.name, x * y, most_children);
  return {};
}

std::string check_capacity(const TimeloopMapping& mapping, const Layer& layer,
                           const TimeloopArchitecture& architecture, const TimeloopRules& rules) {
  const timeloop::Nest nest = timeloop::make_nest(mapping, layer);
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    double words = 0;
    for (const Operand o : operands)
      if (contains(mapping.levels[l].keep, o))
        words += static_cast<double>(
            timeloop::TileShape(layer, o, nest.entering[l], rules.bounding_boxes).words());
    if (words > architecture.levels[l].entries)
      return fmt::format("the tiles at level '{}' need {:.0f} words, it has {:.0f}",
                         architecture.levels[l].name, words, architecture.levels[l].entries);
  }
  return {};
}

}  // namespace

TimeloopMapping timeloop_mapping(const Mapping& mapping, const Layer& layer) {
  TimeloopMapping result;
  const auto add = [](const Extents& outer, const Extents& inner, std::size_t d,
                      std::vector<TimeloopLoop>& to) {
    if (outer[d] != inner[d]) to.push_back({static_cast<Dim>(d), outer[d] / inner[d]});
  };
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    const LevelMapping& from = mapping.level[l];
    TimeloopMappingLevel level;
    level.keep = from.keep;
    for (const std::uint8_t d : from.order) add(mapping.entering(l, layer), from.temporal, d, level.temporal);
    for (std::size_t d = 0; d < dim_count; ++d) add(from.temporal, from.y, d, level.spatial_y);
    for (std::size_t d = 0; d < dim_count; ++d) add(from.y, from.x, d, level.spatial_x);
    result.levels.push_back(std::move(level));
  }
  return result;
}

std::string check_timeloop(const TimeloopMapping& mapping, const Layer& layer,
                           const TimeloopArchitecture& architecture, const TimeloopRules& rules) {
  std::string reason = check_layer(layer);
  if (!reason.empty()) return reason;
  if (mapping.levels.size() != architecture.levels.size())
    return fmt::format("a mapping onto '{}' has {} levels, found {}", architecture.name,
                       architecture.levels.size(), mapping.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    reason = check_level(mapping.levels[l], architecture.levels[l], l == 0);
    if (!reason.empty()) return reason;
  }
  reason = check_products(mapping, layer);
  if (!reason.empty()) return reason;
  return check_capacity(mapping, layer, architecture, rules);
}

}  // namespace atl
