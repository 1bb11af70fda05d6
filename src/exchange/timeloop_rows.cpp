#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/json_text.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/simulator/timeloop.hpp"

namespace atl {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<const char*, operand_count> operand_words = {"Weights", "Inputs", "Outputs"};
constexpr const char* units_name = "mac";

struct Row {
  Json json;
  std::string place;
  std::string arch;
  std::vector<std::string> level_names;  // as the row writes them
  Layer layer;
  TimeloopMapping mapping;
};

[[noreturn]] void fail(const Row& row, const std::string& text) {
  throw InputError(fmt::format("{}: {}", row.place, text));
}

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

const Json& member(const Row& row, const Json& object, const char* key, const std::string& path) {
  if (!object.is_object()) fail(row, fmt::format("{}: expected an object, found {}", path, shown(object)));
  const auto found = object.find(key);
  if (found == object.end()) fail(row, fmt::format("{}: '{}' is missing", path, key));
  return *found;
}

const Json& list(const Row& row, const Json& value, const std::string& path) {
  if (!value.is_array()) fail(row, fmt::format("{}: expected a list, found {}", path, shown(value)));
  return value;
}

std::string text(const Row& row, const Json& value, const std::string& path) {
  if (!value.is_string()) fail(row, fmt::format("{}: expected a text, found {}", path, shown(value)));
  return value.get<std::string>();
}

std::uint32_t whole(const Row& row, const Json& value, const std::string& path) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() < 1 || value.get<std::uint64_t>() > most)
    fail(row, fmt::format("{}: expected a whole number from 1 to {}, found {}", path, most, shown(value)));
  return value.get<std::uint32_t>();
}

// Timeloop's M is our K.
Dim dimension(const Row& row, const std::string& name, const std::string& path) {
  static const std::vector<std::string> names = {"N", "G", "M", "C", "P", "Q", "R", "S"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    fail(row, fmt::format("{}: there is no dimension '{}'; known are {}", path, name, join(names, ", ")));
  return static_cast<Dim>(found - names.begin());
}

void read_problem(Row& row) {
  const Json& problem = member(row, row.json, "problem", "row");
  std::array<bool, dim_count> given{};
  if (!problem.is_object()) fail(row, fmt::format("problem: expected an object, found {}", shown(problem)));
  for (const auto& [key, value] : problem.items()) {
    const std::string path = "problem." + key;
    if (key == "stride") {
      row.layer.stride.fill(whole(row, value, path));
    } else if (key == "dilation") {
      row.layer.dilation.fill(whole(row, value, path));
    } else {
      const Dim d = dimension(row, key, "problem");
      row.layer.size[index(d)] = whole(row, value, path);
      given[index(d)] = true;
    }
  }
  for (std::size_t d = 0; d < dim_count; ++d)
    if (!given[d])
      fail(row,
           fmt::format("problem: '{}' is missing", d == index(Dim::K) ? "M" : std::string(dim_names[d])));
}

std::vector<TimeloopLoop> read_loops(const Row& row, const Json& level, const char* key,
                                     const std::string& path) {
  std::vector<TimeloopLoop> loops;
  const std::string here = path + "." + key;
  for (const Json& loop : list(row, member(row, level, key, path), here)) {
    if (!loop.is_array() || loop.size() != 2)
      fail(row, fmt::format("{}: expected pairs [dimension, bound], found {}", here, shown(loop)));
    loops.push_back({dimension(row, text(row, loop[0], here), here), whole(row, loop[1], here)});
  }
  return loops;
}

OperandSet read_keep(const Row& row, const Json& level, const std::string& path) {
  OperandSet keep = 0;
  for (const Json& value : list(row, member(row, level, "keep", path), path + ".keep")) {
    const std::string name = text(row, value, path + ".keep");
    const auto found = std::find(operand_words.begin(), operand_words.end(), name);
    if (found == operand_words.end())
      fail(row,
           fmt::format("{}.keep: there is no operand '{}'; known are Weights, Inputs, Outputs", path, name));
    keep = static_cast<OperandSet>(keep | operand_bit(static_cast<Operand>(found - operand_words.begin())));
  }
  return keep;
}

void read_mapping(Row& row) {
  const Json& levels = list(row, member(row, row.json, "mapping", "row"), "mapping");
  if (levels.size() > max_levels)
    fail(row, fmt::format("mapping: at most {} levels, found {}", max_levels, levels.size()));
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const std::string path = fmt::format("mapping[{}]", l);
    row.level_names.push_back(text(row, member(row, levels[l], "level", path), path + ".level"));
    TimeloopMappingLevel level;
    level.keep = read_keep(row, levels[l], path);
    level.temporal = read_loops(row, levels[l], "temporal", path);
    level.spatial_y = read_loops(row, levels[l], "spatial_y", path);
    level.spatial_x = read_loops(row, levels[l], "spatial_x", path);
    row.mapping.levels.push_back(std::move(level));
  }
}

Row read_row(const std::string& line, const std::string& place) {
  Row row;
  row.place = place;
  if (nests_too_deep(line)) fail(row, fmt::format("brackets nest deeper than {}", most_json_nesting));
  row.json = Json::parse(line, nullptr, false);
  if (!row.json.is_object()) fail(row, "expected one row as an object of JSON");
  row.arch = text(row, member(row, row.json, "arch", "row"), "arch");
  read_problem(row);
  read_mapping(row);
  return row;
}

// Names of levels are compared by their small letters and digits: our files write them so.
std::string plain(const std::string& name) {
  std::string result;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') result += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) result += c;
  }
  return result;
}

void check_row(const Row& row, const TimeloopArchitecture& architecture, const TimeloopRules& rules) {
  std::vector<std::string> names;
  for (const TimeloopLevel& level : architecture.levels) names.push_back(level.name);
  for (std::size_t l = 0; l < row.level_names.size(); ++l)
    if (l >= names.size() || plain(row.level_names[l]) != plain(names[l]))
      fail(row, fmt::format("mapping[{}]: the levels of '{}' are {} (outermost first), found '{}'{}", l,
                            architecture.name, join(names, ", "), row.level_names[l],
                            suggestion(row.level_names[l], names)));
  const std::string reason = check_timeloop(row.mapping, row.layer, architecture, rules);
  if (!reason.empty()) fail(row, reason);
}

// -- results under Timeloop's names --------------------------------------------------------------------

// Counts are whole numbers there; under our own rules the average of several instances may not be.
Json number(double value) {
  if (!(std::abs(value) < 0x1p62)) return value;
  const auto rounded = static_cast<std::int64_t>(value);
  return static_cast<double>(rounded) == value ? Json(rounded) : Json(value);
}

Json counts_json(const TimeloopCounts& counts, std::uint64_t instances) {
  return {{"partition", number(counts.partition)},
          {"tile", number(counts.tile)},
          {"inst", instances},
          {"clusters", instances},
          {"reads", number(counts.reads)},
          {"fills", number(counts.fills)},
          {"updates", number(counts.updates)},
          {"temporal_reductions", number(counts.temporal_reductions)},
          {"energy_pJ", printed_decimals(counts.energy)},
          {"rbw", printed_decimals(counts.read_bandwidth)},
          {"wbw", printed_decimals(counts.write_bandwidth)}};
}

Json level_json(const TimeloopLevelResult& level, OperandSet keep) {
  Json json = {{"leak_pJ", printed_decimals(level.leakage)},
               {"cycles", number(level.cycles)},
               {"throttle", printed_decimals(level.throttle)}};
  for (std::size_t o = 0; o < operand_count; ++o)
    if (contains(keep, static_cast<Operand>(o)))
      json[operand_words[o]] = counts_json(level.counts[o], level.instances);
  return json;
}

Json network_json(const TimeloopNetwork& network) {
  Json multicasts = Json::array();
  std::uint64_t largest = 1;
  for (const TimeloopMulticast& m : network.multicasts) {
    multicasts.push_back(Json::array({m.multicast, m.scatter, printed_decimals(m.accesses)}));
    largest = std::max(largest, m.multicast);
  }
  return {{"fanout", network.fanout},
          {"mcast_max", largest},
          {"ingresses", printed_decimals(network.ingresses)},
          {"mcast", multicasts},
          {"link_transfers", number(network.link_transfers)},
          {"spatial_reductions", number(network.spatial_reductions)},
          {"hops", printed_decimals(network.hops)},
          {"energy_pJ", printed_decimals(network.energy)},
          {"link_energy_pJ", printed_decimals(network.link_energy)}};
}

Json result_json(const TimeloopResult& result, const Row& row) {
  Json levels = {{units_name,
                  {{"inst", result.units},
                   {"computes", number(result.computes)},
                   {"cycles", number(result.compute_cycles)},
                   {"energy_pJ", printed_decimals(result.compute_energy)}}}};
  Json networks = Json::object();
  for (std::size_t l = result.levels.size(); l-- > 0;) {
    levels[row.level_names[l]] = level_json(result.levels[l], row.mapping.levels[l].keep);
    const std::string inner = l + 1 < row.level_names.size() ? row.level_names[l + 1] : units_name;
    Json& network = networks[row.level_names[l] + " <==> " + inner];
    for (std::size_t o = 0; o < operand_count; ++o)
      network[operand_words[o]] = network_json(result.networks[l][o]);
  }
  return {{"levels", levels},
          {"networks", networks},
          {"utilization_pct", printed_decimals(result.utilisation * 100)},
          {"cycles", number(result.cycles)},
          {"energy_uJ", printed_decimals(result.energy * 1e-6)},
          {"edp_J_cycle", printed_digits(result.edp * 1e-12)},
          {"computes", number(result.computes)}};
}

// Names of the figures that differ, wherever they stand.
void compare(const Json& a, const Json& b, const std::string& name, std::set<std::string>& differ) {
  if (a.is_object() && b.is_object()) {
    for (const auto& [key, value] : a.items()) {
      const auto other = b.find(key);
      if (other == b.end()) {
        differ.insert(key);
      } else {
        compare(value, *other, key, differ);
      }
    }
    for (const auto& [key, value] : b.items())
      if (!a.contains(key)) differ.insert(key);
  } else if (a != b) {
    differ.insert(name);
  }
}

std::set<std::string> differences(const Json& a, const Json& b) {
  std::set<std::string> differ;
  compare(a, b, "result", differ);
  return differ;
}

// -- the two semantics ---------------------------------------------------------------------------------

void answer_timeloop(const Row& row, const TimeloopArchitecture& architecture, Json& answer) {
  TimeloopRules rules = timeloop_rules(true);
  check_row(row, architecture, rules);
  const TimeloopResult result = evaluate_timeloop(row.mapping, row.layer, architecture, rules);
  answer["result"] = result_json(result, row);
  answer["link_transfers_used"] = result.link_transfers_used;
  if (!result.link_transfers_used) return;
  rules.link_transfers = false;
  answer["result_no_link_transfers"] =
      result_json(evaluate_timeloop(row.mapping, row.layer, architecture, rules), row);
}

void explain(const Row& row, const TimeloopArchitecture& architecture, const TimeloopResult& native,
             Json& answer) {
  const TimeloopResult theirs = evaluate_timeloop(row.mapping, row.layer, architecture, timeloop_rules(true));
  const Json by_rules = result_json(theirs, row);
  const Json& stated = row.json.contains("result") ? row.json["result"] : by_rules;
  answer["compared_with"] = row.json.contains("result") ? "the row's result" : "Timeloop's rules";
  answer["differs"] = differences(answer["result"], stated);
  const std::set<std::string> unexplained = differences(by_rules, stated);
  if (!unexplained.empty()) {
    answer["explained_by"] = nullptr;
    answer["unexplained"] = unexplained;
    return;
  }
  const auto is_equal = [&](const TimeloopRules& rules) {
    return same_in_print(evaluate_timeloop(row.mapping, row.layer, architecture, rules), theirs);
  };
  answer["explained_by"] = Json::array();
  if (same_in_print(native, theirs)) return;
  for (const std::string_view name : explain_by_rules(is_equal)) answer["explained_by"].push_back(name);
}

void answer_native(const Row& row, const TimeloopArchitecture& architecture, Json& answer) {
  const TimeloopRules rules = timeloop_rules(false);
  check_row(row, architecture, rules);
  const TimeloopResult result = evaluate_timeloop(row.mapping, row.layer, architecture, rules);
  answer["result"] = result_json(result, row);
  answer["link_transfers_used"] = false;
  if (check_timeloop(row.mapping, row.layer, architecture, timeloop_rules(true)).empty())
    explain(row, architecture, result, answer);
}

std::string loop_nest_text(const Row& row) {
  std::string lines;
  std::string indent;
  const auto add = [&](const std::vector<TimeloopLoop>& loops, const char* kind) {
    for (const TimeloopLoop& loop : loops) {
      indent += ' ';
      lines += fmt::format("{}{} {} in 0:{}\n", indent, kind,
                           loop.dim == Dim::K ? "M" : std::string(dim_names[index(loop.dim)]), loop.bound);
    }
  };
  for (std::size_t l = 0; l < row.mapping.levels.size(); ++l) {
    const TimeloopMappingLevel& level = row.mapping.levels[l];
    std::string keeps;
    for (std::size_t o = 0; o < operand_count; ++o)
      if (contains(level.keep, static_cast<Operand>(o))) keeps += fmt::format(" {}", operand_words[o]);
    lines += fmt::format("{}{}:{}\n", indent, row.level_names[l], keeps.empty() ? " nothing" : keeps);
    add(level.temporal, "for");
    add(level.spatial_y, "along y");
    add(level.spatial_x, "along x");
  }
  return lines;
}

class Architectures {
 public:
  explicit Architectures(const RowOptions& options) : options_(options) {}
  const TimeloopArchitecture& named(const std::string& name) {
    const std::string path = find_reference_accelerator(options_, "timeloop", name);
    const auto found = known_.find(path);
    return found != known_.end() ? found->second : known_[path] = read_timeloop_architecture(path);
  }

 private:
  const RowOptions& options_;
  std::map<std::string, TimeloopArchitecture> known_;
};

// What identifies the row comes back even where the rest is refused.
void add_names(const std::string& line, Json& answer) {
  if (nests_too_deep(line)) return;
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("id")) answer["id"] = json["id"];
  if (json.contains("arch")) answer["arch"] = json["arch"];
}

// A line of our own as a row: the same nest, the levels under their own names.
Row row_of(const std::string& line, const std::string& place, const Accelerator& accelerator) {
  const LayerMapping own = mapping_from_json(line, accelerator, place);
  own.layer.validate(place);
  const std::string reason = check(own.mapping, own.layer, accelerator, true);
  Row row;
  row.place = place;
  row.arch = accelerator.name;
  row.layer = own.layer;
  if (!reason.empty()) fail(row, reason);
  row.mapping = timeloop_mapping(own.mapping, own.layer);
  for (const StorageLevel& level : accelerator.levels) row.level_names.push_back(level.name);
  return row;
}

}  // namespace

RowCount evaluate_own_rows_by_timeloop(const std::string& text, const std::string& file,
                                       const RowOptions& options, const TakeLine& take) {
  const Accelerator accelerator = read_accelerator(options.accelerator);
  const TimeloopArchitecture architecture = read_timeloop_architecture(options.accelerator);
  RowCount count;
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    Json answer = {{"id", number}};
    add_names(line, answer);
    try {
      const Row row = row_of(line, fmt::format("{}:{}", file, number), accelerator);
      answer_timeloop(row, architecture, answer);
      if (options.explain && options.explain_to) options.explain_to(row.place + "\n" + loop_nest_text(row));
    } catch (const InputError& error) {
      answer["refused"] = error.what();
      ++count.refused;
    }
    ++count.rows;
    take(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return count;
}

RowCount evaluate_timeloop_rows(const std::string& text, const std::string& file, const RowOptions& options,
                                const TakeLine& take) {
  RowCount count;
  Architectures architectures(options);
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    Json answer = {{"id", number}};
    try {
      const Row row = read_row(line, fmt::format("{}:{}", file, number));
      if (row.json.contains("id")) answer["id"] = row.json["id"];
      answer["arch"] = row.arch;
      const TimeloopArchitecture& architecture = architectures.named(row.arch);
      if (options.timeloop_semantics) {
        answer_timeloop(row, architecture, answer);
      } else {
        answer["semantics"] = "native";
        answer_native(row, architecture, answer);
      }
      if (options.explain && options.explain_to) options.explain_to(row.place + "\n" + loop_nest_text(row));
    } catch (const InputError& error) {
      answer = {{"id", number}};
      add_names(line, answer);
      answer["refused"] = error.what();
      ++count.refused;
    }
    ++count.rows;
    take(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return count;
}

}  // namespace atl
