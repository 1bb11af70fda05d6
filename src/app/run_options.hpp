// Options that several commands share.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "atoll/app/command_line.hpp"
#include "atoll/app/evolve.hpp"

namespace atl {

inline void add_set_option(CommandLine& line, std::vector<std::string>& sets) {
  line.repeated("--set", sets, "key=value on top of the run file; may be repeated");
}

inline void add_evolve_options(CommandLine& line, EvolveOptions& options) {
  line.positive("--stop-after", options.stop_after, std::numeric_limits<std::uint32_t>::max(),
                "stop after this many generations, with a checkpoint");
  line.positive("--max-seconds", options.max_seconds, "stop after this time, with a checkpoint");
  line.flag("--json", options.json, "results as JSON");
  line.flag(
      "--quiet", [&options] { options.verbosity = Verbosity::quiet; }, "warnings and errors only");
  line.flag(
      "--verbose", [&options] { options.verbosity = Verbosity::verbose; }, "details too");
  line.exclusive("--quiet", "--verbose");
}

}  // namespace atl
