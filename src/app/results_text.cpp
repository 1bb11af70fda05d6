#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "atoll/app/results.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> cost_cells(double cycles, double ratio, double energy, double edp,
                                    double utilisation) {
  return {fmt::format("{:.0f}", cycles), ratio > 0 ? fmt::format("{:.3f}", ratio) : "-",
          format_energy(energy), fmt::format("{:.4g}", edp),
          utilisation > 0 ? fmt::format("{:.1f} %", 100 * utilisation) : "-"};
}

void add_row(TextTable& table, const std::string& name, const std::string& times,
             const std::vector<std::string>& cells) {
  std::vector<std::string> row = {name, times};
  row.insert(row.end(), cells.begin(), cells.end());
  table.add(row);
}

// Layers without a mapping (pooling, additions) have nothing to be compared with: they are left out.
double mapped_ratio(const NetworkTotals& totals) {
  const double bound = totals.bound_cycles - totals.fixed_cycles;
  return bound > 0 ? (totals.cycles - totals.fixed_cycles) / bound : 0;
}

std::string tasks_table(const Results& results) {
  TextTable table({results.space == "mapping" ? "layer" : "network", "x", "cycles", "x bound", "energy",
                   "EDP [pJ cycle]", "utilisation"});
  table.align_right_from(1);
  for (const TaskResult& task : results.tasks) {
    const std::string times = fmt::format("{}", task.multiplicity);
    if (!task.found) {
      add_row(table, task.name, times, {"no feasible individual", "-", "-", "-", "-"});
    } else {
      add_row(table, task.name, times,
              cost_cells(task.cycles, task.ratio(), task.energy, task.edp, task.utilisation));
    }
  }
  for (const FixedLayer& layer : results.fixed) {
    add_row(table, layer.name, fmt::format("{}", layer.multiplicity),
            cost_cells(layer.costs[cost::cycles], 0, layer.costs[cost::energy], layer.costs[cost::edp], 0));
  }
  if (results.totals) {
    const NetworkTotals& totals = *results.totals;
    table.add_rule();
    add_row(table, "whole network", "",
            cost_cells(totals.cycles, mapped_ratio(totals), totals.energy, totals.edp, totals.utilisation));
  }
  return table.text();
}

std::string edges_table(const std::vector<EdgeTraffic>& edges) {
  TextTable table({"from", "to", "sent", "accepted", "rejected"});
  table.align_right_from(0);
  for (const EdgeTraffic& edge : edges) {
    table.add({fmt::format("{}", edge.from), fmt::format("{}", edge.to), fmt::format("{}", edge.sent),
               fmt::format("{}", edge.accepted), fmt::format("{}", edge.rejected)});
  }
  return table.text();
}

// A network's figures and its blocks; for mappings the table says it all.
std::string networks_text(const StoredRun& stored, const Results& results) {
  std::string text;
  for (const TaskResult& task : results.tasks) {
    if (!task.found) continue;
    text += "\n";
    for (std::size_t c = 0; c < results.columns.size(); ++c) {
      if (results.columns[c].keep != Keep::exact) continue;
      text += fmt::format("{:<20} {:.6g} {}\n", results.columns[c].name, task.row.costs[c],
                          results.columns[c].unit);
    }
    text += "\n" + stored.problem.space->to_text(task.task, task.row.integers, task.row.reals);
  }
  return text;
}

Json costs_json(const Results& results, const TaskResult& task) {
  Json costs = Json::object();
  for (std::size_t c = 0; c < results.columns.size(); ++c) costs[results.columns[c].name] = task.row.costs[c];
  return costs;
}

Json task_json(const StoredRun& stored, const Results& results, const TaskResult& task) {
  Json json = {
      {"name", task.name}, {"multiplicity", task.multiplicity}, {"macs", task.macs}, {"found", task.found}};
  if (!task.found) return json;
  json["cycles"] = task.cycles;
  json["energy_pJ"] = task.energy;
  json["edp"] = task.edp;
  if (results.space == "mapping") json["utilisation"] = task.utilisation;
  json["roofline_ratio"] = task.ratio();
  json["bound_cycles"] = task.bound_cycles;
  json["fitness"] = task.row.fitness;
  json["born"] = {{"task", task.row.task},
                  {"generation", task.row.generation},
                  {"island", task.row.island},
                  {"slot", task.row.slot}};
  json["costs"] = costs_json(results, task);
  json["individual"] =
      Json::parse(stored.problem.space->to_json(task.task, task.row.integers, task.row.reals));
  return json;
}

Json totals_json(const NetworkTotals& totals) {
  return {{"cycles", totals.cycles},
          {"energy_pJ", totals.energy},
          {"edp", totals.edp},
          {"macs", totals.macs},
          {"utilisation", totals.utilisation},
          {"bound_cycles", totals.bound_cycles},
          {"bound_energy_pJ", totals.bound_energy},
          {"roofline_ratio", totals.cycles / totals.bound_cycles},
          {"fixed_cycles", totals.fixed_cycles},
          {"fixed_energy_pJ", totals.fixed_energy}};
}

}  // namespace

std::string results_text(const StoredRun& stored, const Results& results) {
  std::string text = results.run;
  text += fmt::format(": {} on {}, objective {}\n\n", results.network.empty() ? "networks" : results.network,
                      results.accelerator, results.objective);
  text += tasks_table(results);
  if (results.space != "mapping") text += networks_text(stored, results);
  if (!results.edges.empty()) text += "\nmigrants per edge\n\n" + edges_table(results.edges);
  text += fmt::format("\nindividuals recorded: {}{}\n", results.individuals,
                      results.sealed ? "" : " (the run is not finished)");
  return text;
}

std::string results_json(const StoredRun& stored, const Results& results) {
  Json json = {{"run", results.run},
               {"space", results.space},
               {"network", results.network},
               {"accelerator", results.accelerator},
               {"objective", results.objective},
               {"individuals", results.individuals},
               {"finished", results.sealed}};
  if (!results.store.empty()) json["store"] = results.store;
  json["layers"] = Json::array();
  for (const TaskResult& task : results.tasks) json["layers"].push_back(task_json(stored, results, task));
  json["fixed_layers"] = Json::array();
  for (const FixedLayer& layer : results.fixed) {
    json["fixed_layers"].push_back({{"name", layer.name},
                                    {"multiplicity", layer.multiplicity},
                                    {"cycles", layer.costs[cost::cycles]},
                                    {"energy_pJ", layer.costs[cost::energy]},
                                    {"edp", layer.costs[cost::edp]},
                                    {"utilisation", nullptr},
                                    {"roofline_ratio", nullptr}});
  }
  if (results.totals) json["totals"] = totals_json(*results.totals);
  json["migrations"] = Json::array();
  for (const EdgeTraffic& edge : results.edges) {
    json["migrations"].push_back({{"from", edge.from},
                                  {"to", edge.to},
                                  {"sent", edge.sent},
                                  {"accepted", edge.accepted},
                                  {"rejected", edge.rejected}});
  }
  return json.dump(2) + "\n";
}

}  // namespace atl
