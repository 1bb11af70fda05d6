#include <CLI/CLI.hpp>
#include <memory>

#include "atoll/app/command.hpp"
#include "atoll/app/evolve.hpp"
#include "atoll/transport/communicator.hpp"
#include "run_options.hpp"

namespace atl {

Action declare_resume(CLI::App& app) {
  const auto folder = std::make_shared<RunFolder>();
  const auto options = std::make_shared<EvolveOptions>();
  options->resume = true;
  app.add_option("DIR", folder->path, "the run folder")->required();
  add_evolve_options(app, *options);
  return [folder, options](ProgramArguments& arguments) {
    return with_world(arguments, [&](Communicator& world) {
      start_log(options->verbosity, world.rank(), world.size());
      return evolve(world, *folder, *options);
    });
  };
}

}  // namespace atl
