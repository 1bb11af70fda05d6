// What `run` and `resume` share: from a prepared run folder to the table of results. Called by all ranks.
#pragma once

#include <cstdint>

#include "atoll/app/run_folder.hpp"
#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"

namespace atl {

class Communicator;

struct EvolveOptions {
  std::uint32_t stop_after = 0;  // generations; 0: no limit
  double max_seconds = 0;        // 0: no limit
  Verbosity verbosity = Verbosity::normal;
  bool json = false;
  bool resume = false;
};

/// done, or resume_me after a stop with a good checkpoint.
ExitCode evolve(Communicator& world, const RunFolder& folder, const EvolveOptions& options);

}  // namespace atl
