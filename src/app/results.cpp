#include "atoll/app/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"

namespace atl {

namespace {

// Layers up to this many operations are executed by the reference after a run.
constexpr std::uint64_t reference_operations = 50'000;

double cost_of(const StoreLayout& layout, const StoreRow& row, std::string_view name) {
  for (std::size_t c = 0; c < layout.costs.size(); ++c) {
    if (layout.costs[c].name == name) return row.costs[c];
  }
  return 0;
}

// A best that nobody recorded would be believed: what is shown must fit its checksum.
void require_sound(const StoreReader& reader, const std::string& task, std::uint64_t row) {
  if (reader.sound(row)) return;
  throw StoreError(
      fmt::format("the best individual of task '{}' (row {}) does not fit its checksum: the store is "
                  "damaged; `atoll fsck` says what "
                  "is whole",
                  task, row));
}

TaskResult task_result(const StoredRun& stored, std::uint32_t t, std::uint64_t row) {
  const StoreSummary& summary = stored.reader->summary();
  TaskResult result;
  result.task = t;
  result.name = summary.layout.tasks[t].name;
  result.multiplicity = summary.layout.tasks[t].multiplicity;
  result.macs = summary.layout.tasks[t].macs;
  result.found = row < summary.rows;
  if (!result.found) return result;
  require_sound(*stored.reader, result.name, row);
  result.row = stored.reader->row(row);
  const auto cost = [&](std::string_view name) { return cost_of(summary.layout, result.row, name); };
  result.cycles = cost("cycles");
  result.energy = cost("energy");
  result.edp = cost("edp");
  result.utilisation = cost("utilisation");
  result.bound_cycles = cost("bound_cycles");
  return result;
}

std::vector<EdgeTraffic> edge_traffic(const StoreReader& reader) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, EdgeTraffic> edges;
  for (const StoreMigration& migration : reader.migrations()) {
    EdgeTraffic& edge = edges[{migration.from, migration.to}];
    edge.from = migration.from;
    edge.to = migration.to;
    edge.sent += migration.sent;
    edge.accepted += migration.accepted;
    edge.rejected += migration.rejected;
  }
  std::vector<EdgeTraffic> all;
  for (const auto& [ends, edge] : edges) all.push_back(edge);
  return all;
}

void add_totals(const MappingSpace& space, Results& results) {
  results.network = space.network().name;
  results.fixed = space.fixed_layers();
  std::vector<double> costs;
  for (const TaskResult& task : results.tasks) {
    if (!task.found) return;
    costs.insert(costs.end(), task.row.costs.begin(), task.row.costs.end());
  }
  results.totals = space.network_totals(costs);
}

[[noreturn]] void broken(const TaskResult& task, const std::string& text) {
  throw InternalError(
      fmt::format("the best individual of task '{}' {}; please report this with the store", task.name, text));
}

void check_again(StoredRun& stored, const TaskResult& task) {
  SearchSpace& space = *stored.problem.space;
  Population rows(task.row.integers.size(), task.row.reals.size(), task.row.costs.size());
  rows.resize(1);
  std::copy(task.row.integers.begin(), task.row.integers.end(), rows.integers(0).begin());
  std::copy(task.row.reals.begin(), task.row.reals.end(), rows.reals(0).begin());
  space.evaluate(task.task, rows, nullptr);
  if (!std::equal(task.row.integers.begin(), task.row.integers.end(), rows.integers(0).begin())) {
    broken(task, "was not stored as it was evaluated: repair changes its genes");
  }
  const std::vector<StoreColumn>& columns = stored.reader->summary().layout.costs;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].keep != Keep::exact || rows.costs(0)[c] == task.row.costs[c]) continue;
    broken(task, fmt::format("has {} = {:.17g} in the store and {:.17g} when evaluated again",
                             columns[c].name, task.row.costs[c], rows.costs(0)[c]));
  }
}

void check_mapping(const MappingSpace& space, const TaskResult& task) {
  const Layer& layer = space.layer(task.task);
  const Mapping mapping = space.decode(task.task, task.row.integers);
  const std::string reason = check(mapping, layer, space.accelerator(), true);
  if (!reason.empty()) broken(task, "is not legal: " + reason);
  require_above(bounds(layer, space.accelerator()), task.row.costs, mapping, layer, space.accelerator());
  if (layer.operations() > reference_operations) return;

  const auto reference = make_simulator("reference", space.accelerator());
  std::vector<double> costs(reference->schema().width());
  const HardwareRow hardware = hardware_row(space.accelerator());
  reference->evaluate({{&layer, 1}, {&hardware, 1}, {&mapping, 1}}, costs);
  const auto differs = [](double a, double b) {
    return std::abs(a - b) > 1e-9 * std::max(std::abs(a), std::abs(b));
  };
  if (differs(costs[cost::cycles], task.cycles) || differs(costs[cost::energy], task.energy)) {
    broken(task, fmt::format("has {} cycles and {} pJ, but {} cycles and {} pJ when executed", task.cycles,
                             task.energy, costs[cost::cycles], costs[cost::energy]));
  }
}

}  // namespace

Results collect_results(const StoredRun& stored) {
  const StoreSummary& summary = stored.reader->summary();
  Results results;
  results.run = summary.layout.run_name;
  results.space = summary.layout.space;
  results.accelerator = stored.problem.accelerator.name;
  results.objective = summary.layout.objective;
  results.individuals = summary.rows;
  results.sealed = summary.sealed;
  results.columns = summary.layout.costs;
  const std::vector<std::uint64_t> best = stored.reader->best_rows();
  for (std::uint32_t t = 0; t < best.size(); ++t) results.tasks.push_back(task_result(stored, t, best[t]));
  results.edges = edge_traffic(*stored.reader);
  if (const MappingSpace* space = stored.problem.mapping_space()) add_totals(*space, results);
  return results;
}

void check_results(StoredRun& stored, const Results& results) {
  for (const TaskResult& task : results.tasks) {
    if (!task.found) continue;
    check_again(stored, task);
    if (task.cycles < task.bound_cycles * (1 - 1e-9)) broken(task, "needs fewer cycles than its bound");
    if (const MappingSpace* space = stored.problem.mapping_space()) check_mapping(*space, task);
  }
}

std::string file_stem(const TaskResult& task) {
  std::string stem = fmt::format("{:02}-{}", task.task + 1, task.name);
  for (char& c : stem) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return stem;
}

std::size_t write_best(const StoredRun& stored, const Results& results, const std::string& folder) {
  std::size_t written = 0;
  for (const TaskResult& task : results.tasks) {
    if (!task.found) continue;
    stored.problem.space->write_individual(task.task, task.row.integers, task.row.reals, folder,
                                           file_stem(task));
    ++written;
  }
  return written;
}

}  // namespace atl
