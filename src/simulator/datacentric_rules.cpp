#include <fmt/format.h>

#include <algorithm>

#include "atoll/simulator/datacentric.hpp"

namespace atl {

namespace {

constexpr std::int32_t most_size = 1 << 24;
constexpr double most_macs = 9007199254740992.0;  // 2^53
constexpr std::size_t Y = 2, X = 3, R = 4, S = 5;

char letter(std::size_t d) {
  return data_dim_letters[d];
}

std::string named(std::size_t d) {
  return d == Y || d == X ? fmt::format("{}'", letter(d)) : std::string(1, letter(d));
}

std::string check_layer(const DatacentricLayer& layer) {
  for (std::size_t d = 0; d < data_dim_count; ++d)
    if (layer.size[d] < 1 || layer.size[d] > most_size)
      return fmt::format("a dimension of the layer must be 1 to 2^24, {} is {}", letter(d), layer.size[d]);
  for (const auto& [image, filter] : {std::pair{Y, R}, std::pair{X, S}})
    if (layer.size[filter] > layer.size[image])
      return fmt::format("the filter must fit the input, which has no padding: {} is {} and {} is {}",
                         letter(filter), layer.size[filter], letter(image), layer.size[image]);
  if (layer.depthwise && layer.size[0] != 1)
    return fmt::format("a DSCONV layer has no K, write K = 1; it is {}", layer.size[0]);
  double macs = 1;
  for (const std::int32_t size : layer.size) macs *= size;
  if (macs >= most_macs) return fmt::format("K*C*Y*X*R*S must stay below 2^53, it is {:.3g}", macs);
  return {};
}

std::string check_level(const DatacentricLevel& level, std::size_t l, bool depthwise) {
  unsigned seen = 0;
  for (const std::uint8_t d : level.order) {
    if (d >= data_dim_count || ((seen >> d) & 1U) != 0)
      return fmt::format("level {}: the order must name each of K, C, Y, X, R, S once", l);
    seen |= 1U << d;
  }
  for (std::size_t d = 0; d < data_dim_count; ++d)
    if (level.tile[d] < 1 || level.tile[d] > most_size)
      return fmt::format("level {}: a tile must be 1 to 2^24, that of {} is {}", l, letter(d), level.tile[d]);
  if (level.spatial >= data_dim_count || (depthwise && level.spatial == 0))
    return fmt::format("level {}: one dimension of the layer must be spread over the units{}", l,
                       depthwise ? ", and a DSCONV layer has no K" : "");
  if (l > 0 && level.units < 1)
    return fmt::format("level {}: a cluster has 1 unit or more, found {}", l, level.units);
  return {};
}

// What in the mapping is known to make MAESTRO count wrongly.
std::string cause(const DatacentricMapping& mapping, const DatacentricLayer& layer, bool depthwise) {
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    const DataSizes& tile = mapping.level[l].tile;
    for (const std::size_t d : {R, S})
      if (tile[d] != layer.size[d])
        return fmt::format("at level {} the tile of {} is {}, not the whole {}", l, letter(d), tile[d],
                           layer.size[d]);
    for (std::size_t d = depthwise ? 1 : 0; d < data_dim_count; ++d) {
      const std::int64_t whole = d == Y   ? layer.output_rows()
                                 : d == X ? layer.output_columns()
                                          : std::int64_t{layer.size[d]};
      if (tile[d] > whole)
        return fmt::format("at level {} the tile of {} is {}, above the layer's {}", l, named(d), tile[d],
                           whole);
      if (l > 0 && tile[d] > mapping.level[l - 1].tile[d])
        return fmt::format("at level {} the tile of {} is {}, above the {} of the level that contains it", l,
                           named(d), tile[d], mapping.level[l - 1].tile[d]);
    }
  }
  return "steps at an edge are costed with the wrong sizes";
}

std::int64_t clustered(const DatacentricMapping& mapping) {
  std::int64_t product = 1;
  for (std::size_t l = 1; l < mapping.levels; ++l) {
    product *= mapping.level[l].units;
    if (product > most_datacentric_pes) break;
  }
  return product;
}

}  // namespace

std::string datacentric_check(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                              const DatacentricHardware& hardware) {
  if (const std::string wrong = check_layer(layer); !wrong.empty()) return wrong;
  if (mapping.levels < 1 || mapping.levels > max_data_levels)
    return fmt::format("a mapping has 1 to {} levels, found {}", max_data_levels, mapping.levels);
  for (std::size_t l = 0; l < mapping.levels; ++l)
    if (const std::string wrong = check_level(mapping.level[l], l, layer.depthwise); !wrong.empty())
      return wrong;
  if (hardware.pes < 1 || hardware.pes > most_datacentric_pes)
    return fmt::format("the PEs must be 1 to {}, found {}", most_datacentric_pes, hardware.pes);
  if (clustered(mapping) > hardware.pes)
    return fmt::format("the clusters multiply to {} units, more than the {} PEs", clustered(mapping),
                       hardware.pes);
  if (hardware.noc_bandwidth < 1 || hardware.offchip_bandwidth < 1 || hardware.simd_lanes < 1)
    return fmt::format("bandwidths and lanes must be 1 or more, found noc {}, off-chip {}, lanes {}",
                       hardware.noc_bandwidth, hardware.offchip_bandwidth, hardware.simd_lanes);
  return {};
}

std::string datacentric_refusal(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                                const DatacentricHardware& hardware, const DatacentricCost& cost) {
  const std::string why = cause(mapping, layer, layer.depthwise);
  switch (cost.stop) {
    case DatacentricStop::divides_by_zero:
      return fmt::format("MAESTRO divides by zero: a step computes for 0 cycles; {}", why);
    case DatacentricStop::gives_up:
      return fmt::format("MAESTRO gives up: a piece that advances brings nothing new; {}", why);
    case DatacentricStop::none:
      break;
  }
  if (!cost.macs_exact)
    return fmt::format("MAESTRO counts {} MACs, the layer has {}; {}", cost.macs, layer.macs(), why);
  if (cost.beats_roofline)
    return fmt::format("MAESTRO says {} cycles, {} PEs need at least {:.0f} for {} MACs; {}", cost.runtime,
                       hardware.pes, static_cast<double>(layer.macs()) / hardware.pes, layer.macs(), why);
  if (!cost.sub_tiles_ok)
    return fmt::format("a tile of a lower level finishes faster than its MACs on all of its PEs; {}", why);
  return {};
}

std::string datacentric_text(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                             const DatacentricHardware& hardware) {
  std::string text;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    const DatacentricLevel& level = mapping.level[l];
    const std::string indent(2 * l, ' ');
    text += fmt::format("{}level {}: {} units\n", indent, l,
                        l == 0 ? hardware.pes / clustered(mapping) : std::int64_t{level.units});
    for (const std::uint8_t d : level.order) {
      if (layer.depthwise && d == 0) continue;
      const std::int64_t whole = l > 0    ? std::int64_t{mapping.level[l - 1].tile[d]}
                                 : d == Y ? layer.output_rows()
                                 : d == X ? layer.output_columns()
                                          : std::int64_t{layer.size[d]};
      text += fmt::format("{}  {} {} of {} in tiles of {}: {} steps{}\n", indent,
                          d == level.spatial ? "spread" : "for   ", named(d), whole, level.tile[d],
                          (whole + level.tile[d] - 1) / level.tile[d],
                          d == level.spatial ? " over the units" : "");
    }
  }
  return text;
}

}  // namespace atl
