// A small search space with everything a real one has (several tasks, repair, illegal rows, reals, details),
// a run over it, and a folder to run in.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "atoll/base/yaml.hpp"
#include "atoll/island/archipelago.hpp"

namespace atl::testing_island {

/// Digits are to be large: cycles fall with the sum of the digits, energy with their agreement.
class ToySpace : public SearchSpace {
 public:
  explicit ToySpace(std::size_t tasks = 2) : tasks_(tasks) {
    for (int i = 0; i < 12; ++i) schema_.add(Gene{fmt::format("digit{}", i), GeneKind::range, 0, 9, 0});
    schema_.add(RealGene{"x", -1, 1});
  }
  std::size_t task_count() const override { return tasks_; }
  TaskInfo task(std::size_t t) const override {
    return {.name = fmt::format("task {}", t), .multiplicity = 1, .macs = 5};
  }
  const GenomeSchema& schema(std::size_t /*t*/) const override { return schema_; }
  const std::vector<SpaceCostColumn>& cost_columns() const override { return columns_; }

  void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) override {
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto genes = rows.integers(row);
      genes[0] -= genes[0] % 2;  // repair
      double sum = 0, apart = 0;
      for (std::size_t i = 0; i < genes.size(); ++i) {
        sum += genes[i];
        apart += genes[i] == genes[(i + 1 + t) % genes.size()] ? 0 : 1;
      }
      const double x = rows.reals(row)[0];
      rows.costs(row)[0] = 100 + (9 * 12 - 1 - sum);
      rows.costs(row)[1] = 3 + apart + x * x;
      rows.costs(row)[2] = 100;
      rows.violation[row] = static_cast<int>(sum) % 7 == 3 ? 0.25 * apart + 0.1 : 0;
      if (detail != nullptr) add_detail(*detail, row, apart);
    }
    evaluations_ += rows.size();
  }
  std::string to_json(std::size_t, std::span<const std::int32_t>, std::span<const double>) const override {
    return "{}";
  }
  std::string to_text(std::size_t, std::span<const std::int32_t>, std::span<const double>) const override {
    return "";
  }
  void write_individual(std::size_t, std::span<const std::int32_t>, std::span<const double>,
                        const std::string&, const std::string&) const override {}
  std::uint64_t evaluations() const { return evaluations_; }

 private:
  /// The text of a mapping is handed out only once by an object, as real spaces do.
  void add_detail(EvaluationDetail& detail, std::size_t row, double apart) {
    const auto key = static_cast<std::uint64_t>(apart) + 100;
    detail.layers.push_back({static_cast<std::uint32_t>(row), 7, key, 2, apart, apart + 1});
    if (handed_out_.insert(key).second)
      detail.mappings.push_back({key, fmt::format("{{\"apart\": {}}}", apart)});
  }

  std::size_t tasks_;
  GenomeSchema schema_;
  std::vector<SpaceCostColumn> columns_{
      {"cycles", "cycle", true}, {"energy", "pJ", true}, {"bound_cycles", "cycle", false}};
  std::set<std::uint64_t> handed_out_;
  std::uint64_t evaluations_ = 0;
};

inline std::vector<PolicyFactory> policies(std::uint32_t islands) {
  const auto read = [](const char* name, const char* text) {
    return PolicyFactory::read(name, YamlNode::parse(text, name));
  };
  const std::vector<PolicyFactory> kinds{
      PolicyFactory::standard(),
      read("comma", "{selection: {tournament: {size: 3}}, survival: {comma: {offspring: 30}}}"),
      read("plus",
           "{selection: {rank: {pressure: 1.7}}, mutation: {rate: {anneal: [0.8, 0.05]}}, survival: {plus: "
           "{offspring: 10}}}"),
      read("steady", "{survival: steady_state}")};
  std::vector<PolicyFactory> list;
  for (std::uint32_t i = 0; i < islands; ++i) list.push_back(kinds[i % kinds.size()]);
  return list;
}

inline ArchipelagoSettings settings(std::uint32_t islands, TopologyKind kind, const std::string& folder,
                                    SearchSpace& space) {
  ArchipelagoSettings s;
  s.seed = 11;
  s.islands = islands;
  s.size = 16;
  s.generations = 14;
  s.policies = policies(islands);
  s.objective = Objective("cycles*energy", {"energy <= 14"}, {"cycles", "energy", "bound_cycles"});
  s.migration = {.topology = {.kind = kind, .degree = 2, .edges = {}}, .every = 3, .elites = 4};
  if (kind == TopologyKind::edges)
    s.migration.topology.edges = {{0, islands - 1}, {islands - 1, islands / 2}};
  s.migration.leave = static_cast<Leave>(static_cast<int>(kind) % 3);
  s.migration.enter = static_cast<Enter>(static_cast<int>(kind) % 4);
  s.folder = folder;
  s.run_key = 77;
  s.layout.run_name = "toy";
  s.layout.seed = s.seed;
  s.layout.config = "toy: 1\n";
  s.layout.objective = s.objective.text();
  s.layout.space = "toy";
  const GenomeSchema& schema = space.schema(0);
  for (const Gene& gene : schema.integers) s.layout.integer_genes.push_back({gene.name, "range"});
  for (const RealGene& gene : schema.reals) s.layout.real_genes.push_back({gene.name, "real"});
  for (const auto& column : space.cost_columns())
    s.layout.costs.push_back({column.name, column.unit, column.headline ? Keep::exact : Keep::compact});
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    StoreTask task{.name = space.task(t).name,
                   .multiplicity = 1,
                   .macs = 5,
                   .layer = "",
                   .integer_low = {},
                   .integer_high = {},
                   .real_low = {-1},
                   .real_high = {1},
                   .formulas = {}};
    task.integer_low.assign(schema.integer_width(), 0);
    task.integer_high.assign(schema.integer_width(), 9);
    s.layout.tasks.push_back(task);
  }
  for (const PolicyFactory& policy : s.policies) s.layout.islands.push_back({policy.name()});
  return s;
}

inline std::string store_of(const std::string& folder) {
  return folder + "/results.h5";
}

/// An empty folder of this process; removed at the end.
class Folder {
 public:
  explicit Folder(const std::string& name, bool make = true)
      : path_((std::filesystem::temp_directory_path() / fmt::format("atoll-island-{}-{}", getpid(), name))
                  .string()) {
    if (make) renew();
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void renew() const {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace atl::testing_island
