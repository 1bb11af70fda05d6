#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "atoll/app/command.hpp"
#include "atoll/app/results.hpp"

namespace atl {

Action declare_best(CLI::App& app) {
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  app.add_option("STORE", *path, "a store or a run folder")->required();
  app.add_flag("--json", *json, "as JSON");
  return [path, json](ProgramArguments&) {
    const StoredRun stored = open_stored_run(*path);
    const Results results = collect_results(stored);
    fmt::print("{}", *json ? results_json(stored, results) : results_text(stored, results));
    return ExitCode::done;
  };
}

}  // namespace atl
