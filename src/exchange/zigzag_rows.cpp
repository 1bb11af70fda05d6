#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "atoll/base/error.hpp"
#include "atoll/base/json_text.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/mapper/loma.hpp"
#include "atoll/simulator/zigzag.hpp"

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

// Everything a row says, in our terms; `mapping` only where the row has one.
struct Row {
  ZigzagLayer layer;
  std::vector<ZigzagUnrolling> unrollings;
  std::map<std::string, ZigzagDim> dims;  // by the row's own names
  bool mapped = false;
};

const Json& field(const Json& json, const std::string& key) {
  if (!json.is_object() || !json.contains(key)) throw InputError(fmt::format("'{}' is missing", key));
  return json[key];
}

std::string text_of(const Json& json, const std::string& key) {
  const Json& value = field(json, key);
  if (!value.is_string()) throw InputError(fmt::format("'{}' must be a text; found {}", key, value.dump()));
  return value.get<std::string>();
}

std::uint32_t count_of(const Json& value, const std::string& name) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
      value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    throw InputError(fmt::format("'{}' must be a whole number from 1; found {}", name, value.dump()));
  return value.get<std::uint32_t>();
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// Operands in the order of the equation, and which of its indices each has: "O[d][k] = I[d][c] * W[c][k]".
struct Equation {
  std::vector<Operand> operands;
  std::map<std::string, std::uint32_t> owners;  // index to a mask of operands
};

Equation read_equation(const std::string& text) {
  Equation equation;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '[') {
      const std::size_t close = text.find(']', at);
      if (close == std::string::npos || equation.operands.empty())
        throw InputError(fmt::format("'equation' is malformed: {}", text));
      equation.owners[upper(text.substr(at + 1, close - at - 1))] |= 1U << index(equation.operands.back());
      at = close;
    } else if (std::isalpha(static_cast<unsigned char>(text[at])) != 0) {
      const auto found = std::find(operand_names.begin(), operand_names.end(), text.substr(at, 1));
      if (found == operand_names.end() || (at + 1 < text.size() && text[at + 1] != '['))
        throw InputError(fmt::format("'equation' has operands O, W and I; found {}", text));
      equation.operands.push_back(static_cast<Operand>(found - operand_names.begin()));
    }
  }
  if (equation.operands.size() != operand_count)
    throw InputError(fmt::format("'equation' must name O, W and I once each; found {}", text));
  return equation;
}

// "IX = 2*OX + 1*FX"
struct Relation {
  std::string input, output, filter;
  std::uint32_t stride = 1, dilation = 1;
};

std::pair<std::uint32_t, std::string> read_term(std::string_view text, const std::string& whole) {
  const std::vector<std::string> parts = split(trimmed(text), '*');
  std::uint32_t factor = 0;
  if (parts.size() == 2 && !parts[0].empty() && parts[0].size() < 7 &&
      parts[0].find_first_not_of("0123456789") == std::string::npos)
    factor = static_cast<std::uint32_t>(std::stoul(parts[0]));
  if (factor == 0)
    throw InputError(fmt::format("a relation of dimensions reads 'IX = 2*OX + 1*FX'; found '{}'", whole));
  return {factor, upper(std::string(trimmed(parts[1])))};
}

Relation read_relation(const Json& json) {
  const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
  const std::vector<std::string> sides = split(text, '=');
  const std::vector<std::string> terms =
      sides.size() == 2 ? split(sides[1], '+') : std::vector<std::string>();
  if (terms.size() != 2)
    throw InputError(fmt::format("a relation of dimensions reads 'IX = 2*OX + 1*FX'; found '{}'", text));
  Relation relation;
  relation.input = upper(std::string(trimmed(sides[0])));
  std::tie(relation.stride, relation.output) = read_term(terms[0], text);
  std::tie(relation.dilation, relation.filter) = read_term(terms[1], text);
  return relation;
}

void give_role(Row& row, const std::string& name, ZigzagDim dim, std::uint32_t size) {
  for (const auto& [other, taken] : row.dims)
    if (taken == dim)
      throw InputError(fmt::format("'{}' and '{}' both are {}; one of them must do", other, name,
                                   zigzag_dim_names[index(dim)]));
  row.dims[name] = dim;
  row.layer.size[index(dim)] = size;
}

void read_windows(const Json& json, Row& row) {
  const Json& sizes = field(json, "loop_dims");
  const Json relations = json.contains("dimension_relations") ? json["dimension_relations"] : Json::array();
  if (!relations.is_array() || relations.size() > 2)
    throw InputError(fmt::format("'dimension_relations' has at most two; found {}", relations.dump()));
  for (std::size_t i = 0; i < relations.size(); ++i) {
    const Relation relation = read_relation(relations[i]);
    const std::size_t axis = relation.input == "IY" ? 1 : relation.input == "IX" ? 0 : i;
    row.layer.stride[axis] = relation.stride;
    row.layer.dilation[axis] = relation.dilation;
    give_role(row, relation.output, axis == 0 ? ZigzagDim::OX : ZigzagDim::OY,
              count_of(field(sizes, relation.output), relation.output));
    give_role(row, relation.filter, axis == 0 ? ZigzagDim::FX : ZigzagDim::FY,
              count_of(field(sizes, relation.filter), relation.filter));
  }
}

void read_dims(const Json& json, const Equation& equation, Row& row) {
  constexpr std::uint32_t w = 1U << index(Operand::W), i = 1U << index(Operand::I),
                          o = 1U << index(Operand::O);
  const std::map<std::uint32_t, ZigzagDim> roles = {
      {i | o, ZigzagDim::B}, {w | i | o, ZigzagDim::G}, {w | o, ZigzagDim::K}, {w | i, ZigzagDim::C}};
  read_windows(json, row);
  const Json& sizes = field(json, "loop_dims");
  if (!sizes.is_object())
    throw InputError(fmt::format("'loop_dims' must name sizes; found {}", sizes.dump()));
  for (const auto& [name, size] : sizes.items()) {
    const auto owners = equation.owners.find(name);
    const std::uint32_t mask = owners == equation.owners.end() ? 0 : owners->second;
    if (!row.dims.contains(name)) {
      if (!roles.contains(mask))
        throw InputError(fmt::format("the loop '{}' indexes no two operands of the equation", name));
      give_role(row, name, roles.at(mask), count_of(size, name));
    } else if (mask != (index(row.dims[name]) < index(ZigzagDim::FX) ? o : w)) {
      throw InputError(fmt::format("the equation does not index {} with '{}' alone",
                                   index(row.dims[name]) < index(ZigzagDim::FX) ? "O" : "W", name));
    }
    row.layer.names.emplace_back(name, row.dims[name]);
  }
}

// The row has the product of the input's extents only.
void read_input_extent(const Json& json, ZigzagLayer& layer) {
  layer.input_extent.fill(std::numeric_limits<std::uint32_t>::max());
  const double whole = layer.elements(Operand::I);  // as far as the windows reach
  const auto reach = [&](std::size_t axis) {
    ZigzagLayer one = layer;
    for (const ZigzagDim dim :
         {axis == 0 ? ZigzagDim::OY : ZigzagDim::OX, axis == 0 ? ZigzagDim::FY : ZigzagDim::FX, ZigzagDim::B,
          ZigzagDim::G, ZigzagDim::C})
      one.size[index(dim)] = 1;
    return one.elements(Operand::I);
  };
  const std::array<double, 2> reaches = {reach(0), reach(1)};
  const double planes = whole / (reaches[0] * reaches[1]);
  double elements = whole;
  if (json.contains("operand_elems"))
    elements = field(json["operand_elems"], "I").is_number() ? json["operand_elems"]["I"].get<double>() : 0;
  const double plane = elements / planes, side = std::sqrt(plane);
  if (plane == reaches[0] * reaches[1]) {
    for (std::size_t axis = 0; axis < 2; ++axis)
      layer.input_extent[axis] = static_cast<std::uint32_t>(std::min(reaches[axis], 4e9));
  } else if (side == std::trunc(side) && side >= 1 && side <= std::min(reaches[0], reaches[1])) {
    layer.input_extent.fill(static_cast<std::uint32_t>(side));
  } else {
    throw InputError(fmt::format(
        "the input has {} words; the windows reach {} x {} of {} planes, and the sides of a plane that is no "
        "square cannot be told",
        elements, reaches[0], reaches[1], planes));
  }
}

void check_products(const Json& json, const ZigzagLayer& layer) {
  if (json.contains("total_macs") && json["total_macs"] != layer.macs())
    throw InputError(fmt::format("the loops multiply up to {} multiplications; 'total_macs' is {}",
                                 layer.macs(), json["total_macs"].dump()));
  if (!json.contains("operand_elems")) return;
  for (const Operand operand : {Operand::W, Operand::O}) {
    const std::string name(operand_names[index(operand)]);
    const Json& elements = field(json["operand_elems"], name);
    if (elements != layer.elements(operand))
      throw InputError(fmt::format("{} has {} words by its loops; 'operand_elems' says {}", name,
                                   layer.elements(operand), elements.dump()));
  }
}

void read_layer(const Json& json, Row& row) {
  const Equation equation = read_equation(text_of(json, "equation"));
  std::copy(equation.operands.begin(), equation.operands.end(), row.layer.operands.begin());
  read_dims(json, equation, row);
  if (row.layer.macs() > 9007199254740992.0)
    throw InputError(fmt::format("a layer has at most 2^53 multiplications; found {}", row.layer.macs()));
  for (std::size_t o = 0; o < operand_count && json.contains("precision_bits"); ++o) {
    const std::string name(operand_names[o]);
    row.layer.bits[o] = count_of(field(json["precision_bits"], name), "precision_bits." + name);
  }
  if (json.contains("precision_O_final"))
    row.layer.final_bits = count_of(json["precision_O_final"], "precision_O_final");
  read_input_extent(json, row.layer);
  check_products(json, row.layer);
}

struct NamedLoop {
  ZigzagDim dim = ZigzagDim::B;
  double size = 1;
  bool operator==(const NamedLoop&) const = default;
};

// One list of [dimension, size] for each level of one operand.
std::vector<std::vector<NamedLoop>> read_levels(const Json& json, const std::string& key, std::size_t operand,
                                                std::size_t levels, const Row& row) {
  const std::string name(operand_names[operand]);
  const Json& lists = field(field(json, key), name);
  if (!lists.is_array() || lists.size() != levels)
    throw InputError(fmt::format("'{}.{}' has {} levels; expected {}", key, name, lists.size(), levels));
  std::vector<std::vector<NamedLoop>> result;
  for (const Json& list : lists) {
    auto& level = result.emplace_back();
    if (!list.is_array()) throw InputError(fmt::format("'{}.{}' must hold lists of loops", key, name));
    for (const Json& loop : list) {
      if (!loop.is_array() || loop.size() != 2 || !loop[0].is_string() || !loop[1].is_number())
        throw InputError(fmt::format("'{}.{}': a loop reads [\"K\", 4]; found {}", key, name, loop.dump()));
      const auto dim = row.dims.find(loop[0].get<std::string>());
      if (dim == row.dims.end())
        throw InputError(
            fmt::format("'{}.{}' has a loop {}, which the layer has not", key, name, loop[0].dump()));
      level.push_back({dim->second, loop[1].get<double>()});
    }
  }
  return result;
}

// Pairs the loops of one operand with those of W; each list has the same loops, at levels of its own.
void place_unrolling(const std::vector<std::vector<NamedLoop>>& factors,
                     const std::vector<std::vector<NamedLoop>>& whole, std::size_t operand,
                     std::vector<ZigzagUnrolling>& unrollings) {
  std::vector<bool> placed(unrollings.size(), false);
  std::size_t count = 0;
  for (std::size_t l = 0; l < factors.size(); ++l) {
    if (whole[l].size() != factors[l].size())
      throw InputError("'spatial_mapping' and 'spatial_mapping_int' must have the same loops");
    for (std::size_t i = 0; i < factors[l].size(); ++i, ++count) {
      std::size_t at = 0;
      while (at < unrollings.size() &&
             (placed[at] || unrollings[at].dim != factors[l][i].dim ||
              unrollings[at].factor != factors[l][i].size || unrollings[at].whole != whole[l][i].size ||
              whole[l][i].dim != factors[l][i].dim))
        ++at;
      if (at == unrollings.size())
        throw InputError(fmt::format("'spatial_mapping': {} unrolls {} by {}, which W does not",
                                     operand_names[operand], zigzag_dim_names[index(factors[l][i].dim)],
                                     factors[l][i].size));
      placed[at] = true;
      unrollings[at].level[operand] = static_cast<std::uint8_t>(l);
    }
  }
  if (count != unrollings.size())
    throw InputError(fmt::format("'spatial_mapping': W unrolls {} loops, {} {}", unrollings.size(),
                                 operand_names[operand], count));
}

// "{D1: {K: 32}, D2: {FY: 3, K: 4}}", as ZigZag prints what a user asked for.
void read_request(const Json& json, const ZigzagAccelerator& accelerator, Row& row) {
  const std::string key = "spatial_mapping_requested";
  std::vector<ZigzagAxisLoop> loops;
  for (const auto& [axis, factors] : YamlNode::parse(text_of(json, key), key).entries())
    for (const auto& [name, factor] : factors.entries()) {
      const auto dim = row.dims.find(name);
      if (dim == row.dims.end()) factor.fail("the layer has no such loop");
      loops.push_back({axis, dim->second, static_cast<std::uint32_t>(factor.integer(1, 1 << 30))});
    }
  row.unrollings = unroll(accelerator, row.layer, loops);
}

void read_unrolling(const Json& json, const ZigzagAccelerator& accelerator, Row& row) {
  if (!json.contains("spatial_mapping") && json.contains("spatial_mapping_requested"))
    return read_request(json, accelerator, row);
  for (std::size_t o = 0; o < operand_count; ++o) {
    const std::size_t levels = accelerator.path(static_cast<Operand>(o)).size() + 1;
    const auto factors = read_levels(json, "spatial_mapping", o, levels, row);
    const auto whole = read_levels(json, "spatial_mapping_int", o, levels, row);
    if (o == index(Operand::W))
      for (std::size_t l = 0; l < levels; ++l)
        for (std::size_t i = 0; i < factors[l].size() && i < whole[l].size(); ++i)
          row.unrollings.push_back({factors[l][i].dim, factors[l][i].size, whole[l][i].size, {}});
    place_unrolling(factors, whole, o, row.unrollings);
  }
}

void check_memories(const Json& json, const ZigzagAccelerator& accelerator) {
  if (!json.contains("mem_levels")) return;
  for (std::size_t o = 0; o < operand_count; ++o) {
    Json names = Json::array();
    for (const std::size_t m : accelerator.path(static_cast<Operand>(o)))
      names.push_back(accelerator.memories[m].name);
    const Json& given = field(json["mem_levels"], std::string(operand_names[o]));
    if (given != names)
      throw InputError(fmt::format("the row stores {} in {}; '{}' stores it in {}", operand_names[o],
                                   given.dump(), accelerator.name, names.dump()));
  }
}

ZigzagMapping read_mapping(const Json& json, const ZigzagModel& model, const Row& row) {
  ZigzagMapping mapping;
  std::vector<NamedLoop> order;
  for (std::size_t o = 0; o < operand_count; ++o) {
    std::vector<NamedLoop> loops;
    const auto levels = read_levels(json, "temporal_mapping", o, model.depth[o], row);
    for (std::size_t l = 0; l < levels.size(); ++l) {
      loops.insert(loops.end(), levels[l].begin(), levels[l].end());
      if (loops.size() > zigzag_most_loops)
        throw InputError(fmt::format("more than {} temporal loops", zigzag_most_loops));
      mapping.end[o][l] = static_cast<std::uint8_t>(loops.size());
    }
    if (o == 0) order = loops;
    if (loops != order)
      throw InputError(fmt::format("'temporal_mapping': {} has its loops in another order than W, or others",
                                   operand_names[o]));
  }
  for (const NamedLoop& loop : order) {
    mapping.loops.dim[mapping.loops.count] = loop.dim;
    mapping.loops.size[mapping.loops.count++] = loop.size;
  }
  return mapping;
}

std::string row_name(const Row& row, ZigzagDim dim) {
  for (const auto& [name, one] : row.dims)
    if (one == dim) return name;
  return std::string(zigzag_dim_names[index(dim)]);
}

// A value for each operand, in the order of the equation.
template <class Make>
Json by_operand(const ZigzagModel& model, Make make) {
  Json json = Json::object();
  for (const Operand operand : model.layer.operands)
    json[std::string(operand_names[index(operand)])] = make(index(operand));
  return json;
}

template <class Make>
Json by_level(const ZigzagModel& model, Make make) {
  return by_operand(model, [&](std::size_t o) {
    Json list = Json::array();
    for (std::size_t l = 0; l < model.depth[o]; ++l) list.push_back(make(o, l));
    return list;
  });
}

Json by_move(const ByMove& values) {
  Json json = Json::object();
  for (std::size_t m = 0; m < zigzag_move_count; ++m) json[std::string(zigzag_move_names[m])] = values[m];
  return json;
}

Json mapping_json(const ZigzagModel& model, const Row& row, const ZigzagLoops& loops,
                  const ByLevel<std::uint8_t>& end) {
  return by_level(model, [&](std::size_t o, std::size_t l) {
    Json list = Json::array();
    for (std::size_t i = l == 0 ? 0 : end[o][l - 1]; i < end[o][l]; ++i)
      list.push_back({row_name(row, loops.dim[i]), static_cast<std::uint64_t>(loops.size[i])});
    return list;
  });
}

Json port_json(const ZigzagAccelerator& accelerator, const ZigzagCosts& costs) {
  Json list = Json::array();
  std::size_t p = 0;
  for (const ZigzagMemory& memory : accelerator.memories) {
    Json ports = Json::object();
    for (const ZigzagPort& port : memory.ports) ports[port.name] = costs.port_stall[p++];
    list.push_back({{"mem", memory.name}, {"ports", ports}});
  }
  return list;
}

void add_costs(const ZigzagAccelerator& accelerator, const ZigzagModel& model, const ZigzagMapping& mapping,
               const ZigzagCosts& costs, Json& json) {
  const auto moves = element_moves(model, mapping);
  json["word_accesses"] = by_level(model, [&](auto o, auto l) { return by_move(costs.accesses[o][l]); });
  json["elem_moves"] = by_level(model, [&](auto o, auto l) { return by_move(moves[o][l]); });
  json["energy_pJ"] = by_level(model, [&](auto o, auto l) { return costs.energy[o][l]; });
  json["energy_pJ_dir"] =
      by_level(model, [&](auto o, auto l) { return by_move(costs.energy_by_move[o][l]); });
  json["mac_energy_pJ"] = costs.mac_energy;
  json["mem_energy_pJ"] = costs.memory_energy;
  json["energy_total_pJ"] = costs.total_energy;
  json["ideal_cycle"] = costs.ideal_cycles;
  json["ideal_temporal_cycle"] = costs.temporal_cycles;
  json["stall_slack_comb"] = costs.stall;
  json["onload_cycles"] = costs.onload;
  json["offload_cycles"] = costs.offload;
  for (std::size_t i = 0; i < costs.latency.size(); ++i)
    json[fmt::format("latency_total{}", i)] = costs.latency[i];
  json["util_spatial"] = costs.ideal_cycles / costs.temporal_cycles;
  json["util_stalls"] = costs.ideal_cycles / costs.latency[0];
  json["util_onload"] = costs.ideal_cycles / costs.latency[1];
  json["util_all"] = costs.ideal_cycles / costs.latency[2];
  json["mem_util_individual"] = by_level(model, [&](auto o, auto l) { return costs.share[o][l]; });
  json["mem_util_shared"] = by_level(model, [&](auto o, auto l) { return costs.shared[o][l]; });
  json["double_buffered"] = by_operand(model, [&](std::size_t o) {
    Json list = Json::array({false});
    for (std::size_t l = 0; l < model.depth[o]; ++l) list.push_back(bool{costs.double_buffered[o][l]});
    return list;
  });
  json["port_stall_slack"] = port_json(accelerator, costs);
}

std::string explain(const ZigzagAccelerator& accelerator, const ZigzagModel& model, const Row& row,
                    const ZigzagMapping& mapping, const ZigzagCosts& costs) {
  std::string text;
  for (const Operand operand : model.layer.operands) {
    const std::size_t o = index(operand);
    text += fmt::format("{}, innermost first:\n", operand_names[o]);
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      std::vector<std::string> loops;
      for (std::size_t i = l == 0 ? 0 : mapping.end[o][l - 1]; i < mapping.end[o][l]; ++i)
        loops.push_back(fmt::format("{} {:.0f}", row_name(row, mapping.loops.dim[i]), mapping.loops.size[i]));
      text += fmt::format("  {:<14} {:>6.2f} % full{}  {:>14.6g} pJ  {}\n",
                          accelerator.memories[model.level[o][l].memory].name, 100 * costs.shared[o][l],
                          costs.double_buffered[o][l] ? ", double-buffered" : "                 ",
                          costs.energy[o][l], loops.empty() ? "-" : join(loops, ", "));
    }
  }
  return text + fmt::format(
                    "{:.6g} pJ; {:.6g} cycles: {:.6g} of work, {:.6g} stalled, {:.6g} onloading, {:.6g} "
                    "offloading",
                    costs.total_energy, costs.latency[2], costs.temporal_cycles, costs.stall, costs.onload,
                    costs.offload);
}

// What stays the same from row to row: descriptions read so far, and searches of LOMA already made.
struct Session {
  const RowOptions& options;
  std::map<std::string, ZigzagAccelerator> accelerators;
  std::map<std::string, LomaResult> found;

  const ZigzagAccelerator& accelerator(const std::string& name) {
    const auto known = accelerators.find(name);
    if (known != accelerators.end()) return known->second;
    return accelerators
        .emplace(name, read_zigzag_accelerator(find_reference_accelerator(options, "zigzag", name)))
        .first->second;
  }
};

LomaOptions loma_options(const Json& json) {
  LomaOptions options;
  if (json.contains("lpf_limit")) options.most_loops = count_of(json["lpf_limit"], "lpf_limit");
  if (json.contains("opt")) options.goal = loma_goal(text_of(json, "opt"));
  return options;
}

const LomaResult& search(Session& session, const Json& json, const ZigzagModel& model) {
  std::string key;
  for (const char* part : {"accelerator", "loop_dims", "equation", "dimension_relations", "precision_bits",
                           "precision_O_final", "operand_elems", "spatial_mapping", "spatial_mapping_int",
                           "spatial_mapping_requested", "lpf_limit", "opt"})
    key += json.contains(part) ? json[part].dump() + "|" : "|";
  const auto known = session.found.find(key);
  if (known != session.found.end()) return known->second;
  return session.found.emplace(key, loma(model, loma_options(json))).first->second;
}

Json evaluate_row(Session& session, const Json& json) {
  const ZigzagAccelerator& accelerator = session.accelerator(text_of(json, "accelerator"));
  Row row;
  read_layer(json, row);
  check_memories(json, accelerator);
  read_unrolling(json, accelerator, row);
  const ZigzagModel model = compile_zigzag(accelerator, row.layer, row.unrollings);
  Json result = Json::object();
  ZigzagMapping mapping;
  ZigzagCosts costs;
  if (json.contains("temporal_mapping")) {
    mapping = read_mapping(json, model, row);
    const std::string reason = check(model, mapping);
    if (!reason.empty()) throw InputError(reason);
    evaluate(model, mapping, costs);
    ZigzagMapping own = mapping;
    result["allocation_equal"] = allocate(model, own) && own.end == mapping.end;
  } else {
    const LomaResult& found = search(session, json, model);
    mapping = found.mapping;
    costs = found.costs;
    result["temporal_mapping"] = mapping_json(model, row, mapping.loops, mapping.end);
    result["search"] = {{"loop_orderings_possible", found.orders}, {"cme_evals", found.evaluated}};
  }
  result["temporal_mapping_stationary"] =
      mapping_json(model, row, mapping.loops, stationary_ends(model, mapping));
  add_costs(accelerator, model, mapping, costs, result);
  result["doubts"] = doubts(model, costs);
  if (session.options.explain && session.options.explain_to)
    session.options.explain_to(explain(accelerator, model, row, mapping, costs));
  return result;
}

Json answer(Session& session, const std::string& line, std::size_t number, const std::string& place) {
  const bool flat = !nests_too_deep(line);
  const Json json = flat ? Json::parse(line, nullptr, false) : Json();
  Json result = Json::object();
  result["id"] = json.is_object() && json.contains("id") ? json["id"] : Json(number);
  for (const char* key : {"accelerator", "network", "layer"})
    if (json.is_object() && json.contains(key)) result[key] = json[key];
  try {
    if (!flat) throw InputError(fmt::format("brackets nest deeper than {}", most_json_nesting));
    if (!json.is_object()) throw InputError(json.is_discarded() ? "not JSON" : "expected a JSON object");
    result.update(evaluate_row(session, json));
  } catch (const InputError& error) {
    result["refused"] = place + ": " + error.what();
  } catch (const Json::exception& error) {
    result["refused"] = fmt::format("{}: {}", place, error.what());
  }
  return result;
}

}  // namespace

RowCount evaluate_zigzag_rows(const std::string& text, const std::string& file, const RowOptions& options,
                              const TakeLine& take) {
  Session session{options, {}, {}};
  RowCount count;
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    const Json result = answer(session, line, number, fmt::format("{}:{}", file, number));
    ++count.rows;
    count.refused += result.contains("refused") ? 1 : 0;
    take(result.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  if (count.rows == 0)
    throw InputError(fmt::format("{}: expected one row a line, as JSON; found no line", file));
  return count;
}

}  // namespace atl
