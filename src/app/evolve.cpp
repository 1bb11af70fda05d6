#include "atoll/app/evolve.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "atoll/app/agreement.hpp"
#include "atoll/app/progress_line.hpp"
#include "atoll/app/results.hpp"
#include "atoll/app/stop_signal.hpp"
#include "atoll/app/stored_run.hpp"
#include "atoll/base/units.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {

namespace {

struct Loaded {
  Problem problem;
  ArchipelagoSettings settings;
};

ArchipelagoSettings make_settings(const Problem& problem, const RunFolder& folder,
                                  const EvolveOptions& options) {
  const RunFile& run = problem.run;
  const RunTexts texts = read_run_texts(folder);
  ArchipelagoSettings settings;
  settings.seed = run.seed;
  settings.islands = run.islands.count;
  settings.size = run.islands.size;
  settings.generations = run.islands.generations;
  settings.policies = run.island_policies();
  settings.objective = problem.objective;
  settings.migration = run.migration;
  settings.checkpoint = run.checkpoint;
  settings.folder = folder.path;
  settings.layout = make_layout(problem, texts);
  settings.run_key = run_key(problem, texts);
  settings.stop_after = options.stop_after;
  settings.max_seconds = options.max_seconds;
  settings.resume = options.resume;
  return settings;
}

// A run goes on as it began; what was edited since is named.
void refuse_edits(const RunFolder& folder, const Problem& problem) {
  std::error_code error;
  if (!std::filesystem::exists(folder.store(), error)) return;
  const StoredRun stored = open_stored_run(folder.path);
  const StoreLayout& layout = stored.reader->summary().layout;
  std::vector<std::string> edits = deciding_differences(stored.problem.run, problem.run);
  const RunTexts texts = read_run_texts(folder);
  if (texts.accelerator != layout.accelerator) edits.emplace_back("accelerator.yaml was changed");
  if (texts.network != layout.network) edits.emplace_back("network.yaml was changed");
  if (edits.empty()) return;
  throw InputError(fmt::format(
      "the run in '{}' cannot go on with other settings than it began with:\n  {}\nput them back, or start "
      "a new run with them (run.name, store.budget and checkpoint.every may change)",
      folder.path, fmt::join(edits, "\n  ")));
}

void log_start(const Loaded& loaded) {
  const RunFile& run = loaded.problem.run;
  log_info(
      fmt::format("run '{}': {} tasks, {} islands x {} individuals x {} generations, seed {}, key {:016x}",
                  run.name, loaded.problem.space->task_count(), run.islands.count, run.islands.size,
                  run.islands.generations, run.seed, loaded.settings.run_key));
}

void log_end(const ArchipelagoReport& report, const RunFolder& folder) {
  const double rate = report.seconds > 0 ? static_cast<double>(report.evaluations) / report.seconds : 0;
  log_info(fmt::format("{} evaluations in {} ({}/s), {} of it evaluating, {} waiting for the store",
                       report.evaluations, format_duration(report.seconds), format_count(rate),
                       format_duration(report.seconds_evaluating),
                       format_duration(report.seconds_waiting_for_store)));
  log_info(fmt::format("acknowledged: {} batches survive a kill of the job, {} of them a loss of power",
                       report.acknowledged_batches, report.synced_batches));
  if (report.finished) return;
  const std::string signal = stop_signal_name();
  log_info(fmt::format("stopped early{} with a good checkpoint; continue with: atoll resume {}",
                       signal.empty() ? "" : " by " + signal, folder.path));
}

void print_results(const RunFolder& folder, bool json) {
  StoredRun stored = open_stored_run(folder.path);
  Results results = collect_results(stored);
  check_results(stored, results);
  results.store = folder.store();
  write_best(stored, results, folder.best());
  if (json) {
    fmt::print("{}", results_json(stored, results));
  } else {
    fmt::print("{}store: {}\n", results_text(stored, results), results.store);
  }
  std::fflush(stdout);
}

// Errors of input and machine are agreed inside the archipelago: every rank throws the same one.
ArchipelagoReport run_together(const Loaded& loaded, Communicator& world, ProgressLine& line) {
  try {
    return run_archipelago(loaded.settings, *loaded.problem.space, world, stop_requested,
                           [&](const Progress& progress) { line.show(progress); });
  } catch (const InputError& error) {
    throw AgreedError(error.code(), error.what());
  } catch (const ResourceError& error) {
    throw AgreedError(error.code(), error.what());
  }
}

}  // namespace

ExitCode evolve(Communicator& world, const RunFolder& folder, const EvolveOptions& options) {
  Loaded loaded;
  agree_on(world, [&] {
    require_run_folder(folder);
    loaded.problem = load_run_folder(folder);
    if (options.resume && world.rank() == 0) refuse_edits(folder, loaded.problem);
    loaded.settings = make_settings(loaded.problem, folder, options);
    if (world.rank() == 0) add_log_file(folder.log_file());
  });
  if (world.rank() == 0) log_start(loaded);
  install_stop_signals();

  ProgressLine line(world.rank() == 0 ? ProgressLine::mode_for(options.verbosity == Verbosity::quiet)
                                      : ProgressLine::Mode::none);
  const ArchipelagoReport report = run_together(loaded, world, line);
  line.clear();
  if (world.rank() == 0) log_end(report, folder);
  if (!report.finished) return ExitCode::resume_me;
  agree_on(world, [&] {
    if (world.rank() == 0) print_results(folder, options.json);
  });
  return ExitCode::done;
}

}  // namespace atl
