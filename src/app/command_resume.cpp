#include <memory>

#include "atoll/app/command.hpp"
#include "atoll/app/evolve.hpp"
#include "atoll/transport/communicator.hpp"
#include "run_options.hpp"

namespace atl {

Action declare_resume(CommandLine& line) {
  const auto folder = std::make_shared<RunFolder>();
  const auto options = std::make_shared<EvolveOptions>();
  options->resume = true;
  line.required("DIR", folder->path, "the run folder");
  add_evolve_options(line, *options);
  return [folder, options](ProgramArguments& arguments) {
    return with_world(arguments, [&](Communicator& world) {
      start_log(options->verbosity, world.rank(), world.size());
      return evolve(world, *folder, *options);
    });
  };
}

}  // namespace atl
