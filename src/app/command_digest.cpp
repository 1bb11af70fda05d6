#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "atoll/app/command.hpp"
#include "atoll/app/stored_run.hpp"

namespace atl {

Action declare_digest(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  app.add_option("STORE", *path, "a store or a run folder")->required();
  return [path](ProgramArguments&) {
    fmt::print("{}\n", store_digest(store_path(*path)));
    return ExitCode::done;
  };
}

}  // namespace atl
