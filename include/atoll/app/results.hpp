// The results of a run as its store holds them: the best individual of every task, the network's totals, the
// traffic between islands. One place collects, checks and prints them, so that `run`, `resume`, `best` and
// `export` cannot tell different stories.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atoll/app/stored_run.hpp"
#include "atoll/island/archipelago.hpp"
#include "atoll/space/mapping.hpp"

namespace atl {

struct TaskResult {
  std::uint32_t task = 0;
  std::string name;
  std::uint32_t multiplicity = 1;
  double macs = 0;
  bool found = false;  // false: no feasible individual so far
  StoreRow row;
  double cycles = 0, energy = 0, edp = 0, bound_cycles = 0;  // pJ, pJ * cycle
  double utilisation = 0;
  /// cycles over the lower bound from tensor sizes alone; at least 1.
  double ratio() const { return bound_cycles > 0 ? cycles / bound_cycles : 0; }
};

struct Results {
  std::string store, run, space, network, accelerator, objective;
  std::uint64_t individuals = 0;
  bool sealed = false;
  std::vector<TaskResult> tasks;
  std::vector<FixedLayer> fixed;        // layers without multiplications; space mapping only
  std::optional<NetworkTotals> totals;  // space mapping, once every task has a result
  std::vector<EdgeTraffic> edges;
  std::vector<StoreColumn> columns;
};

Results collect_results(const StoredRun& stored);

/// Re-evaluates every best individual: the stored cost must come out again to the last bit, the mapping must
/// be legal, and no figure may lie below its bound; small layers are also executed by `reference`.
/// InternalError otherwise.
void check_results(StoredRun& stored, const Results& results);

std::string results_text(const StoredRun& stored, const Results& results);
std::string results_json(const StoredRun& stored, const Results& results);
/// One file (mapping: .json and .txt; network: .yaml and .onnx) per task. Returns the number of tasks
/// written.
std::size_t write_best(const StoredRun& stored, const Results& results, const std::string& folder);
/// A task's name as part of a file name, with its number in front: "03-layer2.0.conv1".
std::string file_stem(const TaskResult& task);

}  // namespace atl
