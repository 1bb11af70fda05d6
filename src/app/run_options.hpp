// Options that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "atoll/app/evolve.hpp"

namespace atl {

inline void add_set_option(CLI::App& app, std::vector<std::string>& sets) {
  app.add_option("--set", sets, "key=value on top of the run file; may be repeated")
      ->expected(1)
      ->take_all()
      ->allow_extra_args(false);
}

inline void add_evolve_options(CLI::App& app, EvolveOptions& options) {
  app.add_option("--stop-after", options.stop_after, "stop after this many generations, with a checkpoint")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-seconds", options.max_seconds, "stop after this time, with a checkpoint")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options.json, "results as JSON");
  auto* quiet = app.add_flag_callback(
      "--quiet", [&options] { options.verbosity = Verbosity::quiet; }, "warnings and errors only");
  app.add_flag_callback(
         "--verbose", [&options] { options.verbosity = Verbosity::verbose; }, "details too")
      ->excludes(quiet);
}

}  // namespace atl
