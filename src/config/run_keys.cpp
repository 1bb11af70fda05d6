#include "run_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/simulator/simulator.hpp"
#include "settings_source.hpp"

namespace atl {

namespace {

// Limits that follow from how individuals are numbered (evolution/population.hpp).
constexpr std::int64_t most_islands = 1 << 16;
constexpr std::int64_t most_rows = (1 << 16) - 1;
constexpr std::int64_t most_generations = (1 << 22) - 1;
constexpr std::int64_t largest_seed = std::numeric_limits<std::int64_t>::max();

const std::vector<std::string>& topology_names() {
  static const std::vector<std::string> names = {
      "isolated", "ring", "both_ways_ring", "torus", "hypercube", "star", "complete", "random_k", "edges"};
  return names;
}

std::string list_text(const std::vector<std::string>& values) {
  std::vector<std::string> parts;
  for (const std::string& value : values) parts.push_back(scalar_text(value));
  return fmt::format("[{}]", join(parts, ", "));
}

template <class Access>
RunKey integer_key(const std::string& name, std::int64_t low, std::int64_t high,
                   const std::string& documentation, Access access) {
  const auto read = [=](const YamlNode& node, RunFile& run) {
    auto& value = access(run);
    value = static_cast<std::remove_reference_t<decltype(value)>>(node.integer(low, high));
  };
  const std::string type = high == largest_seed ? fmt::format("whole number from {}", low)
                                                : fmt::format("whole number from {} to {}", low, high);
  return {name, type, documentation, read,
          [=](const RunFile& run) { return fmt::format("{}", access(run)); }};
}

template <class Access>
RunKey text_key(const std::string& name, const std::string& type, const std::string& documentation,
                Access access) {
  const auto read = [=](const YamlNode& node, RunFile& run) {
    access(run) = node.text();
    if (access(run).empty()) node.fail("expected a text, found an empty one");
  };
  const auto write = [=](const RunFile& run) { return access(run).empty() ? "" : scalar_text(access(run)); };
  return {name, type, documentation, read, write};
}

template <class Access>
RunKey choice_key(const std::string& name, const std::vector<std::string>& names,
                  const std::string& documentation, Access access) {
  const auto read = [=](const YamlNode& node, RunFile& run) {
    auto& value = access(run);
    value = static_cast<std::remove_reference_t<decltype(value)>>(node.choice(names));
  };
  const auto write = [=](const RunFile& run) { return names[static_cast<std::size_t>(access(run))]; };
  return {name, fmt::format("one of {}", join(names, ", ")), documentation, read, write};
}

template <class Access>
RunKey texts_key(const std::string& name, const std::string& type, const std::string& documentation,
                 Access access) {
  const auto read = [=](const YamlNode& node, RunFile& run) {
    access(run).clear();
    for (const YamlNode& element : node.elements(true)) access(run).push_back(element.text());
  };
  return {name, type, documentation, read, [=](const RunFile& run) { return list_text(access(run)); }};
}

template <class Access>
RunKey integers_key(const std::string& name, std::int64_t low, std::int64_t high,
                    const std::string& documentation, Access access) {
  const auto read = [=](const YamlNode& node, RunFile& run) {
    access(run).clear();
    for (const YamlNode& element : node.elements(true)) {
      access(run).push_back(static_cast<std::uint32_t>(element.integer(low, high)));
    }
    if (access(run).empty()) node.fail("expected at least one value, found an empty list");
  };
  const auto write = [=](const RunFile& run) { return fmt::format("[{}]", fmt::join(access(run), ", ")); };
  return {name, fmt::format("list of whole numbers from {} to {}", low, high), documentation, read, write};
}

// A feature that a later version brings: one value is known so far, and a message says so.
RunKey single_key(const std::string& name, const std::string& only, const std::string& later,
                  const std::string& documentation) {
  const auto read = [=](const YamlNode& node, RunFile&) {
    const std::string value = node.text();
    if (value == only) return;
    if (value == later) {
      node.fail(fmt::format("'{}' is not supported yet; this version knows '{}' only", later, only));
    }
    node.choice({only});
  };
  return {name, fmt::format("one of {}", only), documentation, read, [=](const RunFile&) { return only; }};
}

std::pair<std::uint32_t, std::uint32_t> read_edge(const YamlNode& node) {
  const std::vector<YamlNode> ends = node.elements();
  if (ends.size() != 2) node.fail(fmt::format("expected an edge [from, to], found {} values", ends.size()));
  return {static_cast<std::uint32_t>(ends[0].integer(0, most_islands - 1)),
          static_cast<std::uint32_t>(ends[1].integer(0, most_islands - 1))};
}

void read_topology(const YamlNode& node, RunFile& run) {
  TopologySettings topology;
  if (!node.is_map()) {
    topology.kind = static_cast<TopologyKind>(node.choice(topology_names()));
    if (topology.kind == TopologyKind::edges) node.fail("expected a list, as {edges: [[0, 1], [1, 0]]}");
    run.migration.topology = topology;
    return;
  }
  node.expect_keys({"random_k", "edges"});
  if (node.entries().size() != 1) node.fail("expected one topology, random_k or edges");
  if (const auto random = node.find("random_k")) {
    topology.kind = TopologyKind::random_k;
    random->expect_keys({"degree"});
    if (const auto degree = random->find("degree")) {
      topology.degree = static_cast<std::uint32_t>(degree->integer(1, most_islands - 1));
    }
  } else {
    topology.kind = TopologyKind::edges;
    for (const YamlNode& edge : node.at("edges").elements()) topology.edges.push_back(read_edge(edge));
  }
  run.migration.topology = topology;
}

std::string write_topology(const RunFile& run) {
  const TopologySettings& topology = run.migration.topology;
  if (topology.kind == TopologyKind::random_k)
    return fmt::format("{{random_k: {{degree: {}}}}}", topology.degree);
  if (topology.kind != TopologyKind::edges) return topology_names()[static_cast<std::size_t>(topology.kind)];
  std::vector<std::string> edges;
  for (const auto& [from, to] : topology.edges) edges.push_back(fmt::format("[{}, {}]", from, to));
  return fmt::format("{{edges: [{}]}}", join(edges, ", "));
}

// "20 generations": the number; 0 if the text is something else.
std::int64_t read_generations(const std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == 0 || space == std::string::npos || space > 7) return 0;
  const std::string unit(trimmed(text.substr(space)));
  if (unit != "generations" && unit != "generation") return 0;
  std::int64_t value = 0;
  for (const char c : text.substr(0, space)) {
    if (c < '0' || c > '9') return 0;
    value = value * 10 + (c - '0');
  }
  return value;
}

void read_interval(const YamlNode& node, CheckpointSettings& checkpoint) {
  const std::string text = node.text();
  if (text == "never") return;
  if (const std::int64_t generations = read_generations(text);
      generations > 0 && generations <= most_generations) {
    checkpoint.every_generations = static_cast<std::uint32_t>(generations);
  } else if (const auto seconds = parse_quantity(text, "time"); seconds && *seconds > 0) {
    checkpoint.every_seconds = *seconds;
  } else {
    node.fail(
        fmt::format("expected 'N generations' with N from 1 to {}, a time above 0 ({}) or never, found '{}'",
                    most_generations, units_of("time"), text));
  }
}

void read_checkpoint(const YamlNode& node, RunFile& run) {
  run.checkpoint = CheckpointSettings{0, 0};
  for (const YamlNode& element : node.elements(true)) read_interval(element, run.checkpoint);
}

std::string write_checkpoint_interval(const RunFile& run) {
  std::vector<std::string> parts;
  if (run.checkpoint.every_generations > 0)
    parts.push_back(fmt::format("{} generations", run.checkpoint.every_generations));
  if (run.checkpoint.every_seconds > 0) parts.push_back(fmt::format("{} s", run.checkpoint.every_seconds));
  if (parts.empty()) return "never";
  return parts.size() == 1 ? parts.front() : fmt::format("[{}]", join(parts, ", "));
}

void read_budget(const YamlNode& node, RunFile& run) {
  if (node.text() == "none") {
    run.store_budget = 0;
    return;
  }
  run.store_budget = std::floor(node.quantity("size") / 8);
  if (run.store_budget <= 0) node.fail("expected a size above 0, or none");
}

std::string write_budget(const RunFile& run) {
  return run.store_budget > 0 ? fmt::format("{:.0f} B", run.store_budget) : "none";
}

std::string write_policies(const RunFile& run) {
  std::vector<std::string> parts;
  for (const NamedPolicy& policy : run.policies)
    parts.push_back(scalar_text(policy.name) + ": " + policy.text);
  return fmt::format("{{{}}}", join(parts, ", "));
}

void add_problem_keys(std::vector<RunKey>& keys) {
  keys.push_back(choice_key(
      "problem.space", {"mapping", "sequential"},
      "what evolves: how a given network's layers run (mapping), or a network (sequential)",
      [](auto& run) -> auto& { return run.problem.space; }));
  keys.push_back(text_key(
      "problem.network", "path of a .yaml or .onnx file",
      "the network whose layers are mapped; needed by the space mapping only",
      [](auto& run) -> auto& { return run.problem.network; }));
  keys.push_back(text_key(
      "problem.accelerator", "path of a .yaml file", "the hardware; needed",
      [](auto& run) -> auto& { return run.problem.accelerator; }));
  const auto read_simulator = [](const YamlNode& node, RunFile& run) {
    run.problem.simulator = simulator_names()[node.choice(simulator_names())];
  };
  keys.push_back({"problem.simulator", fmt::format("one of {}", join(simulator_names(), ", ")),
                  "the model that gives costs", read_simulator,
                  [](const RunFile& run) { return run.problem.simulator; }});
  keys.push_back(text_key(
      "problem.objective", "a cost column or a product of powers",
      "what is minimised: edp, energy, cycles (alias latency), or for example energy*cycles^2",
      [](auto& run) -> auto& { return run.problem.objective; }));
  keys.push_back(texts_key(
      "problem.constraints", "list of 'column >= value' or 'column <= value'",
      "individuals that break one rank below all that break none",
      [](auto& run) -> auto& { return run.problem.constraints; }));
  keys.push_back(integer_key(
      "problem.batch", 0, 1 << 20, "samples worked on at once; 0: as the network's file says",
      [](auto& run) -> auto& { return run.problem.batch; }));
  keys.push_back(integer_key(
      "problem.search.evaluations", 1, 10'000'000,
      "space sequential: mappings tried for each distinct layer of a network",
      [](auto& run) -> auto& { return run.problem.search.budget; }));
  keys.push_back(integer_key(
      "problem.search.seed", 0, largest_seed,
      "space sequential: seed of the mapping search, the same for all networks",
      [](auto& run) -> auto& { return run.problem.search.seed; }));
  keys.push_back(text_key(
      "problem.search.objective", "a cost column or a product of powers",
      "space sequential: what the mapping search minimises; default: the objective of the run",
      [](auto& run) -> auto& { return run.problem.search.objective; }));
}

void read_operators(const YamlNode& node, RunFile& run) {
  const std::vector<std::string> names(block_kind_names.begin(), block_kind_names.end());
  run.problem.bounds.operators.clear();
  for (const YamlNode& element : node.elements(true)) {
    run.problem.bounds.operators.push_back(static_cast<BlockKind>(element.choice(names)));
  }
}

std::string write_operators(const RunFile& run) {
  std::vector<std::string> names;
  for (const BlockKind kind : run.problem.bounds.operators)
    names.emplace_back(block_kind_names[static_cast<std::size_t>(kind)]);
  return list_text(names);
}

void add_sequential_keys(std::vector<RunKey>& keys) {
  const std::string prefix = "problem.sequential.";
  const auto number = [&](const std::string& name, std::int64_t low, std::int64_t high,
                          const std::string& text, auto access) {
    keys.push_back(integer_key(prefix + name, low, high, "space sequential: " + text, access));
  };
  const auto numbers = [&](const std::string& name, std::int64_t low, std::int64_t high,
                           const std::string& text, auto access) {
    keys.push_back(integers_key(prefix + name, low, high, "space sequential: " + text, access));
  };
  number(
      "input_channels", 1, 4096, "channels of the input",
      [](auto& run) -> auto& { return run.problem.bounds.input_channels; });
  number(
      "input_rows", 1, 4096, "rows of the input",
      [](auto& run) -> auto& { return run.problem.bounds.input_rows; });
  number(
      "input_columns", 1, 4096, "columns of the input",
      [](auto& run) -> auto& { return run.problem.bounds.input_columns; });
  number(
      "classes", 1, 1 << 20, "outputs of the classifier",
      [](auto& run) -> auto& { return run.problem.bounds.classes; });
  number(
      "stem_channels", 0, 65536, "channels of a 3x3 convolution in front of the blocks; 0: none",
      [](auto& run) -> auto& { return run.problem.bounds.stem_channels; });
  number(
      "stem_stride", 1, 8, "its stride", [](auto& run) -> auto& { return run.problem.bounds.stem_stride; });
  number(
      "min_blocks", 1, 64, "fewest blocks", [](auto& run) -> auto& { return run.problem.bounds.min_blocks; });
  number(
      "max_blocks", 1, 64, "most blocks", [](auto& run) -> auto& { return run.problem.bounds.max_blocks; });
  keys.push_back({prefix + "operators", fmt::format("list of {}", fmt::join(block_kind_names, ", ")),
                  "space sequential: kinds of blocks", read_operators, write_operators});
  numbers(
      "kernels", 1, 31, "window sizes, ascending",
      [](auto& run) -> auto& { return run.problem.bounds.kernels; });
  numbers(
      "channels", 1, 65536, "output channels of a block, ascending",
      [](auto& run) -> auto& { return run.problem.bounds.channels; });
  numbers(
      "strides", 1, 8, "strides, ascending", [](auto& run) -> auto& { return run.problem.bounds.strides; });
  numbers(
      "expansions", 1, 16, "how much wider the inside of an inverted bottleneck is, ascending",
      [](auto& run) -> auto& { return run.problem.bounds.expansions; });
}

void add_island_keys(std::vector<RunKey>& keys) {
  keys.push_back(integer_key(
      "islands.count", 0, most_islands, "number of islands; 0: one per rank",
      [](auto& run) -> auto& { return run.islands.count; }));
  keys.push_back(integer_key(
      "islands.size", 1, most_rows, "individuals on each island",
      [](auto& run) -> auto& { return run.islands.size; }));
  keys.push_back(integer_key(
      "islands.generations", 1, most_generations, "generations of each task: the horizon of all schedules",
      [](auto& run) -> auto& { return run.islands.generations; }));
  keys.push_back(integer_key(
      "islands.evaluations", 0, largest_seed,
      "instead of generations: evaluations of each task over all islands, size births a generation; 0: "
      "generations count",
      [](auto& run) -> auto& { return run.islands.evaluations; }));
  keys.push_back(texts_key(
      "islands.policies", "list of names",
      "which policies the islands follow; empty: all under `policies`, or `standard` if there is none",
      [](auto& run) -> auto& { return run.islands.policies; }));
  keys.push_back(choice_key(
      "islands.assign", {"round_robin", "list"},
      "round_robin: island i follows entry i modulo the list's length; list: one entry per island",
      [](auto& run) -> auto& { return run.islands.assign; }));
}

void add_migration_keys(std::vector<RunKey>& keys) {
  keys.push_back({"migration.topology",
                  fmt::format("one of {}; {{random_k: {{degree: 3}}}}; {{edges: [[0, 1]]}}",
                              join(topology_names(), ", ")),
                  "who sends to whom", read_topology, write_topology, true});
  keys.push_back(integer_key(
      "migration.every", 0, most_generations, "generations between migrations; 0: never",
      [](auto& run) -> auto& { return run.migration.every; }));
  keys.push_back(integer_key(
      "migration.elites", 1, most_rows, "individuals sent along each edge",
      [](auto& run) -> auto& { return run.migration.elites; }));
  keys.push_back(choice_key(
      "migration.leave", {"best", "random", "tournament"}, "who is sent (as copies)",
      [](auto& run) -> auto& { return run.migration.leave; }));
  keys.push_back(choice_key(
      "migration.enter",
      {"replace_worst", "replace_worst_if_better", "replace_random", "replace_random_if_better"},
      "whom an arrival replaces", [](auto& run) -> auto& { return run.migration.enter; }));
  keys.push_back(
      single_key("migration.mode", "sync", "lagged", "sync: migrants arrive in the generation they leave"));
}

// The name becomes a folder.
RunKey name_key() {
  const auto read = [](const YamlNode& node, RunFile& run) {
    run.name = node.text();
    const bool plain = std::all_of(run.name.begin(), run.name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
             c == '_' || c == '-';
    });
    if (!plain || run.name.empty() || run.name.front() == '.' || run.name.front() == '-') {
      node.fail(fmt::format("expected letters, digits and . _ - (it names a folder), found '{}'", run.name));
    }
  };
  const auto write = [](const RunFile& run) { return run.name.empty() ? "" : scalar_text(run.name); };
  return {"run.name", "letters, digits and . _ -",
          "name of the run and of its folder; default: the run file's name", read, write};
}

std::vector<RunKey> make_run_keys() {
  std::vector<RunKey> keys;
  keys.push_back(name_key());
  keys.push_back(integer_key(
      "run.seed", 0, largest_seed, "seed of all random numbers",
      [](auto& run) -> auto& { return run.seed; }));
  add_problem_keys(keys);
  add_sequential_keys(keys);
  add_island_keys(keys);
  add_migration_keys(keys);
  keys.push_back({"policies",
                  "map of name: settings",
                  "how islands evolve; see `atoll describe policies`",
                  {},
                  write_policies,
                  true});
  keys.push_back(single_key("store.record", "all", "improved",
                            "which individuals are recorded: every one of every generation"));
  keys.push_back({"store.budget", "size with a unit, or none",
                  "the store may not be predicted to become larger; none: no limit", read_budget,
                  write_budget});
  keys.push_back({"checkpoint.every", "'N generations', a time as '30 s', a list of both, or never",
                  "how often a checkpoint is written; one is always written at the start and on stopping",
                  read_checkpoint, write_checkpoint_interval});
  return keys;
}

}  // namespace

const std::vector<RunKey>& run_keys() {
  static const std::vector<RunKey> keys = make_run_keys();
  return keys;
}

}  // namespace atl
