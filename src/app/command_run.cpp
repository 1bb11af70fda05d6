#include <fmt/format.h>

#include <memory>

#include "atoll/app/agreement.hpp"
#include "atoll/app/command.hpp"
#include "atoll/app/evolve.hpp"
#include "atoll/base/units.hpp"
#include "atoll/transport/communicator.hpp"
#include "run_options.hpp"

namespace atl {

namespace {

struct RunOptions {
  std::string config, output;
  std::vector<std::string> sets;
  EvolveOptions evolve;
};

// Reads and checks everything on every rank before anything is written; then rank 0 makes the folder.
RunFolder prepare(Communicator& world, const RunOptions& options) {
  RunFolder folder;
  Problem problem;
  agree_on(world, [&] {
    RunFile run = read_run_file(options.config, options.sets, data_folders());
    settle_islands(run, static_cast<std::uint32_t>(world.size()));
    folder.path = options.output.empty() ? "runs/" + run.name : options.output;
    if (world.rank() == 0) require_new_folder(folder.path);
    problem = load_problem(std::move(run));
    check_budget(problem, predict(problem, static_cast<std::uint32_t>(world.size())));
  });
  agree_on(world, [&] {
    if (world.rank() == 0) prepare_run_folder(folder, problem);
  });
  return folder;
}

ExitCode run(Communicator& world, const RunOptions& options) {
  start_log(options.evolve.verbosity, world.rank(), world.size());
  return evolve(world, prepare(world, options), options.evolve);
}

}  // namespace

Action declare_run(CommandLine& line) {
  const auto options = std::make_shared<RunOptions>();
  line.required("CONFIG", options->config, "the run file");
  line.optional("--output", options->output, "the run folder; default runs/NAME; must not exist");
  add_set_option(line, options->sets);
  add_evolve_options(line, options->evolve);
  return [options](ProgramArguments& arguments) {
    return with_world(arguments, [&](Communicator& world) { return run(world, *options); });
  };
}

}  // namespace atl
