#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/results.hpp"

namespace atl {

Action declare_best(CommandLine& line) {
  const auto path = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  line.required("STORE", *path, "a store or a run folder");
  line.flag("--json", *json, "as JSON");
  return [path, json](ProgramArguments&) {
    const StoredRun stored = open_stored_run(*path);
    const Results results = collect_results(stored);
    fmt::print("{}", *json ? results_json(stored, results) : results_text(stored, results));
    return ExitCode::done;
  };
}

}  // namespace atl
