#include "atoll/config/run_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"
#include "run_keys.hpp"
#include "settings_source.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_beside(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code error;
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (const auto& entry : fs::directory_iterator(folder, error))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// A relative path counts from the run file's folder, then from the folders of shipped data.
std::string find_file(const RunFile& run, const std::string& key, const std::string& given,
                      const std::string& kind, const std::vector<std::string>& data_folders) {
  const fs::path path(given);
  std::vector<fs::path> candidates;
  candidates.push_back(path.is_absolute() ? path : fs::path(run.file).parent_path() / path);
  if (path.is_relative()) {
    for (const std::string& folder : data_folders) {
      candidates.push_back(fs::path(folder) / path);
      candidates.push_back(fs::path(folder) / kind / path.filename());
    }
  }
  for (const fs::path& candidate : candidates) {
    if (is_file(candidate)) return fs::absolute(candidate).lexically_normal().string();
  }
  const fs::path& first = candidates.front();
  run.fail(key, fmt::format("there is no file '{}'{}", first.lexically_normal().string(),
                            suggestion(path.filename().string(), files_beside(first))));
}

void find_files(RunFile& run, const std::vector<std::string>& data_folders) {
  ProblemSettings& problem = run.problem;
  if (problem.accelerator.empty())
    run.fail("problem.accelerator", "the key is missing; name the accelerator's .yaml file");
  problem.accelerator =
      find_file(run, "problem.accelerator", problem.accelerator, "accelerators", data_folders);
  if (problem.space == SpaceKind::mapping) {
    if (problem.network.empty()) {
      run.fail("problem.network", "the key is missing; the space mapping needs a network (.yaml or .onnx)");
    }
    problem.network = find_file(run, "problem.network", problem.network, "networks", data_folders);
  } else if (!problem.network.empty()) {
    run.fail("problem.network", "the space sequential finds its own networks; remove the key");
  }
}

void check_islands(const RunFile& run) {
  std::vector<std::string> known = {"standard"};
  for (const NamedPolicy& policy : run.policies) known.push_back(policy.name);
  for (const std::string& name : run.islands.policies) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    run.fail("islands.policies", fmt::format("there is no policy '{}'{}; known: {}", name,
                                             suggestion(name, known), join(known, ", ")));
  }
  if (run.migration.every > 0 && run.migration.elites > run.islands.size) {
    run.fail("migration.elites", fmt::format("{} individuals cannot leave an island of {} (islands.size)",
                                             run.migration.elites, run.islands.size));
  }
}

PolicyFactory factory_of(const RunFile& run, const std::string& name) {
  for (const NamedPolicy& policy : run.policies) {
    if (policy.name == name) return policy.factory;
  }
  return PolicyFactory::standard();
}

void fill_policy_list(RunFile& run) {
  if (!run.islands.policies.empty()) return;
  for (const NamedPolicy& policy : run.policies) run.islands.policies.push_back(policy.name);
  if (run.policies.empty()) run.islands.policies.push_back("standard");
}

void check_edges(const RunFile& run) {
  for (const auto& [from, to] : run.migration.topology.edges) {
    const std::uint32_t largest = std::max(from, to);
    if (largest >= run.islands.count) {
      run.fail("migration.topology",
               fmt::format("the edge [{}, {}] names island {}, but there are {} islands, 0 to {}", from, to,
                           largest, run.islands.count, run.islands.count - 1));
    }
  }
}

std::vector<std::string> open_keys() {
  std::vector<std::string> names;
  for (const RunKey& key : run_keys()) {
    if (key.open) names.push_back(key.name);
  }
  return names;
}

std::vector<std::string> key_names() {
  std::vector<std::string> names;
  for (const RunKey& key : run_keys()) names.push_back(key.name);
  return names;
}

// Policies one by one, so that --set inside one leaves the places of the others alone.
void read_policies(const SettingsSource& source, RunFile& run) {
  run.policies.clear();
  for (const std::string& name : source.children("policies")) {
    const auto node = source.find("policies." + name);
    run.policies.push_back({name, flow_text(*node), PolicyFactory::read(name, *node)});
  }
}

}  // namespace

void RunFile::fail(const std::string& key, const std::string& text) const {
  for (const auto& [given, place] : places) {
    if (given == key) throw InputError(place, key + ": " + text);
  }
  throw InputError(SourcePlace{file, 0, 0}, key + ": " + text);
}

std::vector<std::string> RunFile::island_policy_names() const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < islands.count; ++i)
    names.push_back(islands.policies[i % islands.policies.size()]);
  return names;
}

std::vector<PolicyFactory> RunFile::island_policies() const {
  std::vector<PolicyFactory> factories;
  for (const std::string& policy : island_policy_names()) factories.push_back(factory_of(*this, policy));
  return factories;
}

RunFile read_run_file(const std::string& path, const std::vector<std::string>& overrides,
                      const std::vector<std::string>& data_folders) {
  RunFile run;
  run.file = path;
  run.problem.search.objective.clear();
  const SettingsSource source(YamlNode::load(path), overrides);
  source.expect_keys(key_names(), open_keys());
  for (const RunKey& key : run_keys()) {
    const auto node = source.find(key.name);
    if (!node) continue;
    run.places.emplace_back(key.name, node->place());
    if (key.read) key.read(*node, run);
  }
  read_policies(source, run);
  if (run.problem.search.objective.empty()) run.problem.search.objective = run.problem.objective;
  run.problem.bounds.batch = std::max(1U, run.problem.batch);
  if (run.name.empty()) run.name = fs::path(path).stem().string();
  find_files(run, data_folders);
  fill_policy_list(run);
  check_islands(run);
  return run;
}

void settle_islands(RunFile& run, std::uint32_t ranks) {
  if (run.islands.count == 0) run.islands.count = ranks;
  if (run.islands.evaluations > 0) {
    const std::uint64_t births = std::uint64_t{run.islands.count} * run.islands.size;
    const std::uint64_t generations = run.islands.evaluations / births;
    if (generations < 1 || generations > (1U << 22) - 1) {
      run.fail("islands.evaluations",
               fmt::format("{} evaluations are {} generations of {} islands x {} individuals; "
                           "1 to {} are possible",
                           run.islands.evaluations, generations, run.islands.count, run.islands.size,
                           (1U << 22) - 1));
    }
    run.islands.generations = static_cast<std::uint32_t>(generations);
    run.islands.evaluations = 0;
  }
  if (run.islands.assign == Assign::list && run.islands.policies.size() != run.islands.count) {
    run.fail("islands.policies",
             fmt::format("`assign: list` needs one policy per island: {} islands, {} policies",
                         run.islands.count, run.islands.policies.size()));
  }
  check_edges(run);
  for (const PolicyFactory& factory : run.island_policies()) factory.check(run.islands.size);
}

std::string to_yaml(const RunFile& run) {
  std::string text;
  std::vector<std::string> open;  // the sections that the last line stood in
  for (const RunKey& key : run_keys()) {
    const std::string value = key.write(run);
    if (value.empty()) continue;
    const std::vector<std::string> path = split(key.name, '.');
    std::size_t shared = 0;
    while (shared < open.size() && shared + 1 < path.size() && open[shared] == path[shared]) ++shared;
    for (std::size_t depth = shared; depth + 1 < path.size(); ++depth) {
      text += std::string(2 * depth, ' ') + path[depth] + ":\n";
    }
    text += std::string(2 * (path.size() - 1), ' ') + path.back() + ": " + value + "\n";
    open.assign(path.begin(), path.end() - 1);
  }
  return text;
}

RunFile deciding_part(RunFile run) {
  run.name = "-";
  run.store_budget = 0;
  run.checkpoint = CheckpointSettings{};
  run.problem.network.clear();
  run.problem.accelerator.clear();
  return run;
}

std::vector<std::string> deciding_differences(const RunFile& before, const RunFile& now) {
  const RunFile a = deciding_part(before), b = deciding_part(now);
  std::vector<std::string> differences;
  for (const RunKey& key : run_keys()) {
    const std::string was = key.write(a), is = key.write(b);
    if (was == is) continue;
    const auto shown = [](const std::string& value) {
      return value.empty() ? std::string("nothing") : value;
    };
    differences.push_back(fmt::format("{}: {} became {}", key.name, shown(was), shown(is)));
  }
  return differences;
}

std::string describe_run_file() {
  const RunFile defaults;
  std::string text = "Keys of a run file; dotted names are nested maps, and what --set takes.\n\n";
  for (const RunKey& key : run_keys()) {
    const std::string value = key.write(defaults);
    text += fmt::format("{}\n    {}\n    {}\n", key.name, key.documentation, key.type);
    if (!value.empty()) text += fmt::format("    default: {}\n", value);
  }
  return text;
}

}  // namespace atl
