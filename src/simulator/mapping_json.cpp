#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "atoll/base/error.hpp"
#include "atoll/base/json_text.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::array<LayerOp, 5> ops = {LayerOp::conv, LayerOp::fc, LayerOp::matmul, LayerOp::pool,
                                        LayerOp::elementwise};

Json traits_json(const OperandTraits& traits) {
  return {{"bits", traits.bits},
          {"density", traits.density},
          {"distinct_values", traits.distinct_values},
          {"multiplier", traits.multiplier}};
}

Json layer_json(const Layer& layer) {
  Json json = {{"op", std::string(name(layer.op))}};
  for (std::size_t d = 0; d < dim_count; ++d) json[std::string(dim_names[d])] = layer.size[d];
  json["stride"] = layer.stride;
  json["dilation"] = layer.dilation;
  json["padding"] = layer.padding_before;
  if (layer.padding_after != layer.padding_before) json["padding_after"] = layer.padding_after;
  json["input_extent"] = layer.input_extent;
  for (std::size_t o = 0; o < operand_count; ++o)
    if (layer.traits[o] != OperandTraits{})
      json["traits"][std::string(operand_names[o])] = traits_json(layer.traits[o]);
  return json;
}

Json loop_json(std::size_t d, std::uint32_t extent) {
  return Json::array({std::string(dim_names[d]), extent});
}

Json level_json(const LevelMapping& level, const Extents& entering, const std::string& level_name) {
  Json json = {{"level", level_name},
               {"keep", Json::array()},
               {"temporal", Json::array()},
               {"spatial_y", Json::array()},
               {"spatial_x", Json::array()}};
  for (std::size_t o = 0; o < operand_count; ++o)
    if (contains(level.keep, static_cast<Operand>(o))) json["keep"].push_back(std::string(operand_names[o]));
  for (std::uint8_t d : level.order)
    if (entering[d] != level.temporal[d]) json["temporal"].push_back(loop_json(d, level.temporal[d]));
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (level.temporal[d] != level.y[d]) json["spatial_y"].push_back(loop_json(d, level.y[d]));
    if (level.y[d] != level.x[d]) json["spatial_x"].push_back(loop_json(d, level.x[d]));
  }
  return json;
}

// Reads with a dotted path for messages.
struct Reader {
  const std::string& place;

  [[noreturn]] void fail(const std::string& path, const std::string& text) const {
    throw InputError(fmt::format("{}: {}: {}", place, path, text));
  }
  const Json& at(const Json& map, const std::string& path, const char* key) const {
    if (!map.is_object()) fail(path, fmt::format("expected a map, found {}", map.dump()));
    const auto found = map.find(key);
    if (found == map.end()) fail(path, fmt::format("key '{}' is missing", key));
    return *found;
  }
  const Json& list(const Json& map, const std::string& path, const char* key) const {
    const Json& value = at(map, path, key);
    if (!value.is_array())
      fail(fmt::format("{}.{}", path, key), fmt::format("expected a list, found {}", value.dump()));
    return value;
  }
  std::uint32_t count(const Json& value, const std::string& path, std::uint32_t low,
                      std::uint32_t high = 0x7fffffff) const {
    if (!value.is_number_integer() || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high)
      fail(path, fmt::format("expected an integer from {} to {}, found {}", low, high, value.dump()));
    return value.get<std::uint32_t>();
  }
  std::size_t choice(const Json& value, const std::string& path,
                     std::span<const std::string_view> names) const {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    const auto found = std::find(names.begin(), names.end(), text);
    if (found == names.end())
      fail(path, fmt::format("expected one of {}, found '{}'", fmt::join(names, ", "), text));
    return static_cast<std::size_t>(found - names.begin());
  }
  void pair(const Json& map, const std::string& path, const char* key, std::uint32_t low,
            std::array<std::uint32_t, 2>& values) const {
    if (!map.contains(key)) return;
    const Json& array = list(map, path, key);
    const std::string here = fmt::format("{}.{}", path, key);
    if (array.size() != 2) fail(here, fmt::format("expected two numbers, found {}", array.dump()));
    for (std::size_t i = 0; i < 2; ++i) values[i] = count(array[i], here, low);
  }
  void expect_keys(const Json& map, const std::string& path, std::span<const std::string_view> known) const {
    for (const auto& item : map.items())
      if (std::find(known.begin(), known.end(), item.key()) == known.end())
        fail(path, fmt::format("unknown key '{}'; known are {}", item.key(), fmt::join(known, ", ")));
  }
};

void read_traits(const Reader& reader, const Json& json, Layer& layer) {
  if (!json.contains("traits")) return;
  const Json& traits = reader.at(json, "layer", "traits");
  reader.expect_keys(traits, "layer.traits", operand_names);
  for (const auto& item : traits.items()) {
    const std::string path = fmt::format("layer.traits.{}", item.key());
    OperandTraits& t = layer.traits[reader.choice(item.key(), path, operand_names)];
    t.bits = static_cast<std::uint16_t>(reader.count(reader.at(item.value(), path, "bits"), path, 1, 0xffff));
    const Json& density = reader.at(item.value(), path, "density");
    if (!density.is_number()) reader.fail(path, "density must be a number, found " + density.dump());
    t.density = density.get<float>();
    t.distinct_values = reader.count(reader.at(item.value(), path, "distinct_values"), path, 0);
    t.multiplier = static_cast<std::uint16_t>(
        reader.count(reader.at(item.value(), path, "multiplier"), path, 0, 0xffff));
  }
}

Layer read_layer(const Reader& reader, const Json& json) {
  static constexpr std::array<std::string_view, 15> keys = {"op",
                                                            "N",
                                                            "G",
                                                            "K",
                                                            "C",
                                                            "P",
                                                            "Q",
                                                            "R",
                                                            "S",
                                                            "stride",
                                                            "dilation",
                                                            "padding",
                                                            "padding_after",
                                                            "input_extent",
                                                            "traits"};
  std::array<std::string_view, ops.size()> op_names;
  std::transform(ops.begin(), ops.end(), op_names.begin(), [](LayerOp op) { return name(op); });
  Layer layer;
  layer.op = ops[reader.choice(reader.at(json, "layer", "op"), "layer.op", op_names)];
  reader.expect_keys(json, "layer", keys);
  for (std::size_t d = 0; d < dim_count; ++d) {
    const std::string dim(dim_names[d]);
    if (json.contains(dim)) layer.size[d] = reader.count(json[dim], "layer." + dim, 1);
  }
  reader.pair(json, "layer", "stride", 1, layer.stride);
  reader.pair(json, "layer", "dilation", 1, layer.dilation);
  reader.pair(json, "layer", "padding", 0, layer.padding_before);
  layer.padding_after = layer.padding_before;
  reader.pair(json, "layer", "padding_after", 0, layer.padding_after);
  if (!json.contains("input_extent")) infer_input_extent(layer);
  reader.pair(json, "layer", "input_extent", 1, layer.input_extent);
  read_traits(reader, json, layer);
  layer.validate(reader.place + ": layer");
  return layer;
}

// Fills `inner` with `outer`, changed by the loops of the list; returns the dimensions in their order.
std::vector<std::uint8_t> read_loops(const Reader& reader, const Json& level, const std::string& path,
                                     const char* key, const Extents& outer, Extents& inner) {
  inner = outer;
  std::vector<std::uint8_t> order;
  const std::string here = fmt::format("{}.{}", path, key);
  for (const Json& loop : reader.list(level, path, key)) {
    if (!loop.is_array() || loop.size() != 2)
      reader.fail(here, fmt::format("expected [dimension, extent], found {}", loop.dump()));
    const auto d = static_cast<std::uint8_t>(reader.choice(loop[0], here, dim_names));
    if (std::find(order.begin(), order.end(), d) != order.end())
      reader.fail(here, fmt::format("dimension {} stands twice", dim_names[d]));
    inner[d] = reader.count(loop[1], here, 1);
    order.push_back(d);
  }
  return order;
}

void read_level(const Reader& reader, const Json& json, const std::string& path, const Extents& entering,
                LevelMapping& level) {
  static constexpr std::array<std::string_view, 5> keys = {"level", "keep", "temporal", "spatial_y",
                                                           "spatial_x"};
  reader.expect_keys(json, path, keys);
  for (const Json& operand : reader.list(json, path, "keep")) {
    const std::size_t o = reader.choice(operand, path + ".keep", operand_names);
    level.keep = static_cast<OperandSet>(level.keep | operand_bit(static_cast<Operand>(o)));
  }
  std::vector<std::uint8_t> order = read_loops(reader, json, path, "temporal", entering, level.temporal);
  for (std::uint8_t d = 0; d < dim_count; ++d)
    if (std::find(order.begin(), order.end(), d) == order.end()) order.push_back(d);
  std::copy(order.begin(), order.end(), level.order.begin());
  read_loops(reader, json, path, "spatial_y", level.temporal, level.y);
  read_loops(reader, json, path, "spatial_x", level.y, level.x);
}

}  // namespace

std::string mapping_to_json(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator) {
  Json json = {{"layer", layer_json(layer)}, {"mapping", Json::array()}};
  for (std::size_t l = 0; l < mapping.levels; ++l)
    json["mapping"].push_back(
        level_json(mapping.level[l], mapping.entering(l, layer), accelerator.levels[l].name));
  return json.dump();
}

LayerMapping mapping_from_json(const std::string& line, const Accelerator& accelerator,
                               const std::string& place) {
  const Reader reader{place};
  if (nests_too_deep(line))
    reader.fail("JSON", fmt::format("brackets nest deeper than {}", most_json_nesting));
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) reader.fail("JSON", "the line is not valid JSON");
  LayerMapping result;
  result.layer = read_layer(reader, reader.at(json, "line", "layer"));
  const Json& levels = reader.list(json, "line", "mapping");
  if (levels.size() != accelerator.levels.size())
    reader.fail("mapping", fmt::format("expected {} levels as accelerator '{}' has, found {}",
                                       accelerator.levels.size(), accelerator.name, levels.size()));
  result.mapping.levels = static_cast<std::uint8_t>(levels.size());
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const std::string path = fmt::format("mapping[{}]", l);
    const std::string_view expected = accelerator.levels[l].name;
    reader.choice(reader.at(levels[l], path, "level"), path + ".level", std::span(&expected, 1));
    read_level(reader, levels[l], path, result.mapping.entering(l, result.layer), result.mapping.level[l]);
  }
  return result;
}

}  // namespace atl
