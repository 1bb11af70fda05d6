#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "atoll/base/error.hpp"
#include "tables.hpp"

namespace atl {
namespace {

using Json = nlohmann::json;

Json task_json(const StoreTask& task) {
  for (const auto* bounds : {&task.real_low, &task.real_high})
    for (const double value : *bounds)
      if (!std::isfinite(value))
        throw InternalError("task '" + task.name +
                            "' has a real gene without a finite bound; the store cannot keep it");
  return {
      {"name", task.name},         {"multiplicity", task.multiplicity}, {"macs", task.macs},
      {"layer", task.layer},       {"integer_low", task.integer_low},   {"integer_high", task.integer_high},
      {"real_low", task.real_low}, {"real_high", task.real_high}};
}

// {"edp": [[1.0, {"energy": 1, "cycles": 1}]]}: a sum of terms, each a factor and powers of costs.
Json formulas_json(const StoreLayout& layout, const StoreTask& task) {
  Json list = Json::array();
  for (const StoreFormula& formula : task.formulas) {
    Json terms = Json::array();
    for (const StoreTerm& term : formula.terms) {
      Json powers = Json::object();
      for (const auto& [column, power] : term.powers) powers[layout.costs.at(column).name] = power;
      terms.push_back(Json::array({term.factor, powers}));
    }
    list.push_back({{"column", layout.costs.at(formula.column).name}, {"sum", terms}});
  }
  return list;
}

std::uint32_t column_of(const StoreLayout& layout, const std::string& name) {
  for (std::size_t c = 0; c < layout.costs.size(); ++c)
    if (layout.costs[c].name == name) return static_cast<std::uint32_t>(c);
  throw StoreError("a formula in /run/layout names the cost '" + name + "', which the store does not have");
}

std::vector<StoreFormula> formulas_from(const Json& json, const StoreLayout& layout) {
  std::vector<StoreFormula> formulas;
  for (const Json& one : json) {
    StoreFormula formula{column_of(layout, one.at("column")), {}};
    for (const Json& sum : one.at("sum")) {
      StoreTerm term{sum.at(0), {}};
      for (const auto& [name, power] : sum.at(1).items())
        term.powers.emplace_back(column_of(layout, name), power);
      formula.terms.push_back(std::move(term));
    }
    formulas.push_back(std::move(formula));
  }
  return formulas;
}

constexpr std::array<const char*, 3> keep_names = {"exact", "compact", "derived"};

// Schema 1 said only whether a column was a headline.
Keep keep_from(const Json& column) {
  if (column.contains("headline")) return column.at("headline").get<bool>() ? Keep::exact : Keep::compact;
  const std::string name = column.at("keep");
  for (std::size_t k = 0; k < keep_names.size(); ++k)
    if (name == keep_names[k]) return static_cast<Keep>(k);
  throw StoreError("a column of /run/layout is kept '" + name + "', which this atoll does not know");
}

StoreTask task_from(const Json& json) {
  StoreTask task;
  json.at("name").get_to(task.name);
  json.at("multiplicity").get_to(task.multiplicity);
  json.at("macs").get_to(task.macs);
  json.at("layer").get_to(task.layer);
  json.at("integer_low").get_to(task.integer_low);
  json.at("integer_high").get_to(task.integer_high);
  json.at("real_low").get_to(task.real_low);
  json.at("real_high").get_to(task.real_high);
  return task;
}

Json genes_json(const std::vector<StoreGene>& genes) {
  Json list = Json::array();
  for (const StoreGene& gene : genes) list.push_back({{"name", gene.name}, {"kind", gene.kind}});
  return list;
}

std::vector<StoreGene> genes_from(const Json& json) {
  std::vector<StoreGene> genes;
  for (const Json& gene : json) genes.push_back({gene.at("name"), gene.at("kind")});
  return genes;
}

}  // namespace

std::string layout_json(const StoreLayout& layout) {
  Json json = {{"run_name", layout.run_name},
               {"seed", layout.seed},
               {"objective", layout.objective},
               {"space", layout.space},
               {"integer_genes", genes_json(layout.integer_genes)},
               {"real_genes", genes_json(layout.real_genes)}};
  json["costs"] = json["tasks"] = json["islands"] = Json::array();
  for (const StoreColumn& column : layout.costs)
    json["costs"].push_back({{"name", column.name},
                             {"unit", column.unit},
                             {"keep", keep_names[static_cast<std::size_t>(column.keep)]}});
  for (const StoreTask& task : layout.tasks) {
    json["tasks"].push_back(task_json(task));
    json["tasks"].back()["derived"] = formulas_json(layout, task);
  }
  for (const StoreIsland& island : layout.islands) json["islands"].push_back({{"policy", island.policy}});
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

StoreLayout layout_from_json(const std::string& text, const std::string& path) try {
  const Json json = Json::parse(text);
  StoreLayout layout;
  json.at("run_name").get_to(layout.run_name);
  json.at("seed").get_to(layout.seed);
  json.at("objective").get_to(layout.objective);
  json.at("space").get_to(layout.space);
  layout.integer_genes = genes_from(json.at("integer_genes"));
  layout.real_genes = genes_from(json.at("real_genes"));
  for (const Json& column : json.at("costs"))
    layout.costs.push_back({column.at("name"), column.at("unit"), keep_from(column)});
  for (const Json& task : json.at("tasks")) {
    layout.tasks.push_back(task_from(task));
    if (task.contains("derived")) layout.tasks.back().formulas = formulas_from(task.at("derived"), layout);
  }
  for (const Json& island : json.at("islands")) layout.islands.push_back({island.at("policy")});
  return layout;
} catch (const Json::exception& error) {
  throw StoreError("the description of the run in the store '" + path +
                   "' (/run/layout) is damaged: " + error.what());
}

}  // namespace atl
