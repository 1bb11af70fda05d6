#include "atoll/app/command.hpp"

#include <H5public.h>
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>

#include "atoll/app/agreement.hpp"
#include "atoll/base/log.hpp"
#include "atoll/base/version.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {

namespace {

// The last stop of an error that only this rank knows of.
ExitCode end_alone(Communicator& world, ExitCode code, const std::string& text) {
  if (world.size() == 1) {
    print_error(text);
    world.finish();
  } else {
    log_error(text);
    world.abort(static_cast<int>(code));
  }
  return code;
}

}  // namespace

std::string version_text() {
  return fmt::format("atoll {} ({})\ncompiler {}\nMPI      {}\nHDF5     {}.{}.{}", program_version(),
                     git_commit(), compiler_version(), mpi_version(), H5_VERS_MAJOR, H5_VERS_MINOR,
                     H5_VERS_RELEASE);
}

void print_error(const std::string& text) {
  fmt::print(stderr, "atoll: {}\n", text);
}

ExitCode with_world(ProgramArguments& arguments, const std::function<ExitCode(Communicator&)>& body) {
  const auto world = Communicator::start(arguments.count, arguments.values);
  try {
    const ExitCode code = body(*world);
    world->finish();
    return code;
  } catch (const AgreedError& error) {
    if (world->rank() == 0) print_error(error.what());
    world->finish();
    return error.code();
  } catch (const Error& error) {
    return end_alone(*world, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return end_alone(*world, ExitCode::machine,
                     "this rank has not enough memory; give it more, or ask for less");
  } catch (const std::exception& error) {
    return end_alone(*world, ExitCode::internal,
                     fmt::format("internal error: {}; please report this", error.what()));
  }
}

}  // namespace atl
