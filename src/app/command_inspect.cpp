#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/stored_run.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

std::string summary_text(const StoreSummary& summary) {
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<14}{}\n", name, value);
  };
  const StoreLayout& layout = summary.layout;
  line("run", layout.run_name);
  line("space", layout.space);
  line("objective", layout.objective);
  line("seed", fmt::format("{}", layout.seed));
  line("schema", summary.schema_version);
  line("state", summary.sealed ? "finished and sealed" : "not finished (running, stopped or killed)");
  line("individuals", fmt::format("{}", summary.rows));
  line("batches", fmt::format("{}, {} of them synced", summary.batches, summary.synced_batches));
  line("migrations", fmt::format("{}", summary.migrations));
  line("layer costs", fmt::format("{}", summary.layer_costs));
  line("mappings", fmt::format("{}", summary.mappings));
  line("genes", fmt::format("{} integer, {} real", layout.integer_genes.size(), layout.real_genes.size()));
  line("cost columns", fmt::format("{}", layout.costs.size()));
  line("size", format_bytes(static_cast<double>(summary.file_bytes)));
  return text;
}

struct TaskRows {
  std::uint64_t rows = 0;
  std::uint32_t generation = 0;
};

std::string tasks_text(const StoreReader& reader) {
  const StoreLayout& layout = reader.summary().layout;
  std::vector<TaskRows> rows(layout.tasks.size());
  for (const StoreBatchInfo& batch : reader.batches()) {
    if (batch.task >= rows.size()) continue;
    rows[batch.task].rows += batch.rows;
    rows[batch.task].generation = std::max(rows[batch.task].generation, batch.generation);
  }
  const std::vector<std::uint64_t> best = reader.best_rows();
  TextTable table({"task", "x", "individuals", "last generation", "best fitness"});
  table.align_right_from(1);
  for (std::size_t t = 0; t < rows.size(); ++t) {
    const bool found = best[t] < reader.summary().rows;
    table.add({layout.tasks[t].name, fmt::format("{}", layout.tasks[t].multiplicity),
               fmt::format("{}", rows[t].rows),
               rows[t].rows > 0 ? fmt::format("{}", rows[t].generation) : "-",
               found ? fmt::format("{:.6g}", reader.row(best[t]).fitness) : "-"});
  }
  return table.text();
}

std::string islands_text(const StoreLayout& layout) {
  TextTable table({"island", "policy"});
  for (std::size_t i = 0; i < layout.islands.size(); ++i)
    table.add({fmt::format("{}", i), layout.islands[i].policy});
  return table.text();
}

ExitCode inspect(const std::string& path, bool config) {
  const auto reader = StoreReader::open(store_path(path));
  const StoreSummary& summary = reader->summary();
  if (config) {
    fmt::print("{}", summary.layout.config);
    return ExitCode::done;
  }
  fmt::print("{}\n{}\n{}", summary_text(summary), tasks_text(*reader), islands_text(summary.layout));
  if (!summary.provenance.empty()) fmt::print("\n{}\n", fmt::join(summary.provenance, "\n"));
  return ExitCode::done;
}

}  // namespace

Action declare_inspect(CommandLine& line) {
  const auto path = std::make_shared<std::string>();
  const auto config = std::make_shared<bool>(false);
  line.required("STORE", *path, "a store or a run folder");
  line.flag("--config", *config, "print the run file as used instead");
  return [path, config](ProgramArguments&) { return inspect(*path, *config); };
}

}  // namespace atl
