#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "atoll/app/command.hpp"
#include "atoll/app/problem.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/units.hpp"
#include "run_options.hpp"

namespace atl {

namespace {

struct CheckOptions {
  std::string config;
  std::vector<std::string> sets;
  std::uint32_t ranks = 1;
};

std::string tasks_text(const Problem& problem) {
  TextTable table({"task", "x", "MACs", "shape"});
  table.align(1, Align::right).align(2, Align::right);
  for (std::size_t t = 0; t < problem.space->task_count(); ++t) {
    const TaskInfo info = problem.space->task(t);
    table.add(
        {info.name, fmt::format("{}", info.multiplicity), format_count(info.macs), problem.layer_keys[t]});
  }
  return table.text();
}

std::string prediction_text(const Prediction& prediction) {
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) {
    text += fmt::format("{:<22}{}\n", name, value);
  };
  line("tasks", fmt::format("{}", prediction.tasks));
  line("genes", fmt::format("{} integer, {} real", prediction.integer_genes, prediction.real_genes));
  line("cost columns", fmt::format("{}", prediction.cost_columns));
  line("individuals", fmt::format("{} at most", prediction.individuals));
  line("store", fmt::format("{} at most ({:.0f} B an individual)", format_bytes(prediction.store_bytes),
                            prediction.row_bytes));
  line("memory of a rank", fmt::format("about {}", format_bytes(prediction.memory_bytes_per_rank)));
  line("files", fmt::format("{}", prediction.files));
  return text;
}

ExitCode check_config(const CheckOptions& options) {
  RunFile run = read_run_file(options.config, options.sets, data_folders());
  settle_islands(run, options.ranks);
  const Problem problem = load_problem(std::move(run));
  const Prediction prediction = predict(problem, options.ranks);
  check_budget(problem, prediction);
  fmt::print("{}: good\n\n{}\n{}", options.config, tasks_text(problem), prediction_text(prediction));
  return ExitCode::done;
}

}  // namespace

Action declare_check(CommandLine& line) {
  const auto options = std::make_shared<CheckOptions>();
  line.required("CONFIG", options->config, "the run file");
  add_set_option(line, options->sets);
  line.positive("--ranks", options->ranks, 1U << 20, "ranks the run is meant for");
  return [options](ProgramArguments&) { return check_config(*options); };
}

}  // namespace atl
