// The run file: one typed struct, filled by a table in which every key stands with its type, range, default
// and documentation (src/config/run_keys.cpp). The same table prints `atoll describe config` and writes the
// configuration as used, so that the three cannot drift apart.
//
// Order of things: file -> `--set key=value` on top -> every key read and checked -> rules that need several
// keys -> paths made absolute. Whatever is wrong is an InputError with file, line and column; for a value
// that came from the command line the place is "--set key".
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atoll/base/error.hpp"
#include "atoll/evolution/policy.hpp"
#include "atoll/island/archipelago.hpp"
#include "atoll/mapper/bounded_search.hpp"
#include "atoll/space/sequential.hpp"

namespace atl {

enum class SpaceKind : std::uint8_t { mapping, sequential };
enum class Assign : std::uint8_t { round_robin, list };

struct ProblemSettings {
  SpaceKind space = SpaceKind::mapping;
  std::string network;      // path; empty for the space `sequential`
  std::string accelerator;  // path
  std::string simulator = "loopnest";
  std::string objective = "edp";
  std::vector<std::string> constraints;
  std::uint32_t batch = 0;       // 0: as the network's file says
  SequentialSettings bounds;     // of the networks that the space `sequential` may build
  BoundedSearchSettings search;  // the mapping search inside every evaluation of a network
};

/// A policy as the run file gives it: the YAML text that was read (for the configuration as used) and the
/// factory made from it.
struct NamedPolicy {
  std::string name;
  std::string text;
  PolicyFactory factory;
};

struct IslandSettings {
  std::uint32_t count = 0;  // 0: one per rank; settled by settle_islands()
  std::uint32_t size = 100;
  std::uint32_t generations = 100;    // per task
  std::uint64_t evaluations = 0;      // per task over all islands; 0: `generations` counts
  std::vector<std::string> policies;  // names; empty: all defined ones, or `standard` if there are none
  Assign assign = Assign::round_robin;
};

struct RunFile {
  std::string file;  // where it was read from
  std::string name;  // default: the file's stem
  std::uint64_t seed = 1;
  ProblemSettings problem;
  IslandSettings islands;
  MigrationSettings migration;
  std::vector<NamedPolicy> policies;
  double store_budget = 0;  // bytes; 0: no limit
  CheckpointSettings checkpoint{20, 0};
  /// Where the keys stand that the file or the command line gave, for messages of later checks.
  std::vector<std::pair<std::string, SourcePlace>> places;

  /// Throws InputError at the key's place (the file alone if the key was not given): "place: key: text".
  [[noreturn]] void fail(const std::string& key, const std::string& text) const;
  /// One factory per island, by `islands.policies` and `islands.assign`.
  std::vector<PolicyFactory> island_policies() const;
  /// The name of each island's policy.
  std::vector<std::string> island_policy_names() const;
};

/// Reads and checks a run file. `overrides`: "key=value" with a dotted key and a YAML value, as after --set.
/// `data_folders`: where to look, after the run file's own folder, for networks and accelerators that are
/// given by a relative path (the source tree or the installation).
RunFile read_run_file(const std::string& path, const std::vector<std::string>& overrides = {},
                      const std::vector<std::string>& data_folders = {});

/// Fixes what depends on the job: islands.count = 0 becomes `ranks`, a budget of evaluations becomes
/// generations; then checks the rules that need the number of islands. The result no longer depends on ranks.
void settle_islands(RunFile& run, std::uint32_t ranks);

/// The run file as used, every key with its value: read_run_file() of it gives the same settings.
std::string to_yaml(const RunFile& run);

/// The settings that decide what a run computes: without name, budget, checkpoints and paths, which may
/// differ when it goes on.
RunFile deciding_part(RunFile run);
/// The deciding keys whose values differ, one text for each: "islands.size: 200 became 300".
std::vector<std::string> deciding_differences(const RunFile& before, const RunFile& now);

/// Every key with type, range, default and meaning.
std::string describe_run_file();

}  // namespace atl
