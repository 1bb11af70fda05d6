#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/stored_run.hpp"

namespace atl {

Action declare_digest(CommandLine& line) {
  const auto path = std::make_shared<std::string>();
  line.required("STORE", *path, "a store or a run folder");
  return [path](ProgramArguments&) {
    fmt::print("{}\n", store_digest(store_path(*path)));
    return ExitCode::done;
  };
}

}  // namespace atl
