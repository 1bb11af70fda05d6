#include "atoll/simulator/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {
namespace {

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};
constexpr std::array<std::uint8_t, dim_count> plain_order = {0, 1, 2, 3, 4, 5, 6, 7};

std::uint64_t loops(std::uint32_t outer, std::uint32_t inner) {
  return (static_cast<std::uint64_t>(outer) + inner - 1) / inner;
}

// Children that loops in space ask for; a double: any extents may have been written.
double product_of_loops(const Extents& outer, const Extents& inner) {
  double product = 1;
  for (std::size_t d = 0; d < dim_count; ++d) product *= static_cast<double>(loops(outer[d], inner[d]));
  return product;
}

std::string check_operations(const Layer& layer) {
  double operations = 1;
  for (const std::uint32_t extent : layer.size) operations *= extent;
  if (operations < static_cast<double>(operations_limit)) return {};
  return fmt::format("a layer that is mapped must have fewer than 10^12 operations, but has {:.4g}: split it",
                     operations);
}

OperandSet operands_of(const Layer& layer) {
  OperandSet set = 0;
  for (Operand o : operands)
    if (layer.has(o)) set = static_cast<OperandSet>(set | operand_bit(o));
  return set;
}

std::string names_of(OperandSet set) {
  std::string text;
  for (Operand o : operands)
    if (contains(set, o)) text += operand_names[index(o)];
  return text.empty() ? "nothing" : text;
}

std::string check_order(const LevelMapping& level, const std::string& name) {
  auto sorted = level.order;
  std::sort(sorted.begin(), sorted.end());
  if (sorted == plain_order) return {};
  return fmt::format("the loop order of level '{}' must name each of the 8 dimensions once", name);
}

std::string check_shrink(const Extents& outer, const Extents& inner, const std::string& name,
                         const char* kind, bool divisors_only) {
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (inner[d] >= 1 && inner[d] <= outer[d] && (!divisors_only || outer[d] % inner[d] == 0)) continue;
    const char* rule = inner[d] < 1          ? "be at least 1"
                       : inner[d] > outer[d] ? "not exceed the extent that enters"
                                             : "divide the extent that enters";
    return fmt::format("the {} extent of {} at level '{}' must {}, but is {} of {}", kind, dim_names[d], name,
                       rule, inner[d], outer[d]);
  }
  return {};
}

std::string check_keep(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                       std::size_t l) {
  const StorageLevel& level = accelerator.levels[l];
  const OperandSet present = operands_of(layer);
  const auto must = static_cast<OperandSet>((l == 0 ? all_operands : level.keep) & present);
  const auto may = static_cast<OperandSet>(must | level.keep | level.may_keep);
  const OperandSet keep = mapping.level[l].keep;
  if ((keep & must) != must)
    return fmt::format("level '{}' must keep {}, but keeps {}", level.name, names_of(must), names_of(keep));
  if ((keep & present & ~may) != 0)
    return fmt::format("level '{}' may keep only {}, but keeps {}", level.name, names_of(may),
                       names_of(keep));
  return {};
}

std::string check_spatial(const Mapping& mapping, const Accelerator& accelerator, std::size_t l) {
  const LevelMapping& level = mapping.level[l];
  const Fanout* fanout = accelerator.fanout_below(l);
  const std::uint32_t room_y = fanout ? fanout->y : 1;
  const std::uint64_t room_x = fanout ? fanout->x : 1;
  const double y = product_of_loops(level.temporal, level.y);
  const double x = product_of_loops(level.y, level.x);
  if (y <= room_y && x <= room_x) return {};
  return fmt::format("the loops in space below level '{}' ask for {} x {} children (y, x), there are {} x {}",
                     accelerator.levels[l].name, y, x, room_y, room_x);
}

std::string check_capacity(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                           std::size_t l) {
  const StorageLevel& level = accelerator.levels[l];
  double bits = 0;
  for (Operand o : operands) {
    if (!contains(mapping.level[l].keep, o) || !layer.has(o)) continue;
    bits +=
        static_cast<double>(tile_words(layer, o, mapping.entering(l, layer))) * accelerator.word_bits(l, o);
  }
  if (level.buffering == Buffering::double_) bits *= 2;
  if (bits <= level.size) return {};
  return fmt::format("the tiles at level '{}' need {} bits, it has {}", level.name, bits, level.size);
}

// The closed form of clipped windows lists what differs along an axis; no layer of any network comes near
// this.
constexpr std::uint64_t most_clipped_places = 1U << 20;

std::string check_clipped_axes(const Mapping& mapping, const Layer& layer) {
  for (const auto& [rows, taps] : {std::pair{Dim::P, Dim::R}, std::pair{Dim::Q, Dim::S}}) {
    bool divides = true;
    for (std::size_t l = 0; l < mapping.levels; ++l) {
      const LevelMapping& level = mapping.level[l];
      for (const Dim d : {rows, taps})
        divides = divides && mapping.entering(l, layer)[index(d)] % level.temporal[index(d)] == 0 &&
                  level.temporal[index(d)] % level.y[index(d)] == 0 &&
                  level.y[index(d)] % level.x[index(d)] == 0;
    }
    const std::uint64_t places = std::uint64_t{layer[rows]} * layer[taps];
    if (!divides && places > most_clipped_places)
      return fmt::format(
          "tiles of {} and {} that do not divide can be counted up to {} = {} x {}, not for {}",
          dim_names[index(rows)], dim_names[index(taps)], most_clipped_places, dim_names[index(rows)],
          dim_names[index(taps)], places);
  }
  return {};
}

std::string loop_line(std::size_t indent, std::size_t d, std::uint32_t outer, std::uint32_t inner,
                      const char* kind) {
  return fmt::format("{:{}}for {} in 0:{}:{}{}\n", "", 2 * indent, dim_names[d], outer, inner, kind);
}

}  // namespace

Mapping trivial_mapping(const Layer& layer, const Accelerator& accelerator) {
  Mapping mapping;
  mapping.levels = static_cast<std::uint8_t>(accelerator.levels.size());
  const OperandSet present = operands_of(layer);
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    LevelMapping& level = mapping.level[l];
    level.temporal.fill(1);
    level.y.fill(1);
    level.x.fill(1);
    level.order = plain_order;
    const OperandSet keep = l == 0 ? all_operands : accelerator.levels[l].keep;
    level.keep = static_cast<OperandSet>(keep & present);
  }
  return mapping;
}

std::string check(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                  bool divisors_only) {
  if (mapping.levels != accelerator.levels.size() || mapping.levels > max_levels || mapping.levels == 0)
    return fmt::format("the mapping has {} levels, accelerator '{}' has {}", mapping.levels, accelerator.name,
                       accelerator.levels.size());
  if (std::string why = check_operations(layer); !why.empty()) return why;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    const std::string& name = accelerator.levels[l].name;
    const LevelMapping& level = mapping.level[l];
    std::string why = check_order(level, name);
    if (why.empty())
      why = check_shrink(mapping.entering(l, layer), level.temporal, name, "temporal", divisors_only);
    if (why.empty()) why = check_shrink(level.temporal, level.y, name, "y", divisors_only);
    if (why.empty()) why = check_shrink(level.y, level.x, name, "x", divisors_only);
    if (why.empty()) why = check_keep(mapping, layer, accelerator, l);
    if (why.empty()) why = check_spatial(mapping, accelerator, l);
    if (why.empty()) why = check_capacity(mapping, layer, accelerator, l);
    if (!why.empty()) return why;
  }
  const Extents& last = mapping.level[mapping.levels - 1U].x;
  for (std::size_t d = 0; d < dim_count; ++d)
    if (last[d] != 1)
      return fmt::format("the extents inside the last level '{}' must be 1, but {} has {}",
                         accelerator.levels.back().name, dim_names[d], last[d]);
  return check_clipped_axes(mapping, layer);
}

std::uint64_t tile_words(const Layer& layer, Operand operand, const Extents& extents) {
  if (!layer.has(operand)) return 0;
  const bool window = operand == Operand::I && layer.op != LayerOp::elementwise;
  std::uint64_t words = 1;
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (window && d >= index(Dim::P)) break;
    if (depends(layer.op, operand, static_cast<Dim>(d))) words *= extents[d];
  }
  if (!window) return words;
  const auto axis = [&](Dim rows, Dim taps, std::size_t a) {
    return window_words(extents[index(rows)], extents[index(taps)], layer.stride[a], layer.dilation[a]);
  };
  return words * axis(Dim::P, Dim::R, 0) * axis(Dim::Q, Dim::S, 1);
}

std::string loop_nest(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator) {
  std::string text;
  std::size_t indent = 0;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    const LevelMapping& level = mapping.level[l];
    const Extents& entering = mapping.entering(l, layer);
    text += fmt::format("{:{}}{}:", "", 2 * indent, accelerator.levels[l].name);
    for (Operand o : operands)
      if (contains(level.keep, o) && layer.has(o))
        text += fmt::format(" {} {}", operand_names[index(o)], tile_words(layer, o, entering));
    text += " words\n";
    for (std::uint8_t d : level.order)
      if (entering[d] != level.temporal[d])
        text += loop_line(indent++, d, entering[d], level.temporal[d], "");
    for (std::size_t d = 0; d < dim_count; ++d)
      if (level.temporal[d] != level.y[d])
        text += loop_line(indent++, d, level.temporal[d], level.y[d], "  (along y)");
    for (std::size_t d = 0; d < dim_count; ++d)
      if (level.y[d] != level.x[d]) text += loop_line(indent++, d, level.y[d], level.x[d], "  (along x)");
  }
  return text + fmt::format("{:{}}{}\n", "", 2 * indent, accelerator.compute.kind);
}

}  // namespace atl
