// The archipelago: all islands of a run, spread over the ranks, working through the tasks one after another.
// This header is what the program calls; the life of one island stands in src/island/island.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "atoll/base/error.hpp"
#include "atoll/evolution/objective.hpp"
#include "atoll/evolution/policy.hpp"
#include "atoll/island/migration.hpp"
#include "atoll/island/topology.hpp"
#include "atoll/space/search_space.hpp"
#include "atoll/store/layout.hpp"

namespace atl {

class Communicator;

struct MigrationSettings {
  TopologySettings topology;
  std::uint32_t every = 5;   // generations; 0: never
  std::uint32_t elites = 5;  // individuals per edge
  Leave leave = Leave::best;
  Enter enter = Enter::replace_worst_if_better;
};

struct CheckpointSettings {
  std::uint32_t every_generations = 0;  // 0: not by generations
  double every_seconds = 0;             // 0: not by time
};

struct ArchipelagoSettings {
  std::uint64_t seed = 1;
  std::uint32_t islands = 4;
  std::size_t size = 200;               // individuals per island
  std::uint32_t generations = 50;       // per task: the horizon
  std::vector<PolicyFactory> policies;  // one per island
  Objective objective;
  MigrationSettings migration;
  CheckpointSettings checkpoint;
  std::string folder;  // the run folder: results.h5, checkpoints/
  StoreLayout layout;
  std::uint64_t run_key = 0;     // hash of what makes the run the same run
  std::uint32_t stop_after = 0;  // generations over all tasks in this call; 0: no limit
  double max_seconds = 0;        // 0: no limit
  bool resume = false;
};

/// What the live line shows; called on rank 0 a few times a second at most.
struct Progress {
  std::uint32_t task = 0, tasks = 0, generation = 0, generations = 0;
  std::string task_name;
  std::uint64_t evaluations = 0;  // of the whole archipelago in this call
  double seconds = 0, best = 0, ratio_to_bound = 0, seconds_left = 0;
};

struct EdgeTraffic {
  std::uint32_t from = 0, to = 0;
  std::uint64_t sent = 0, accepted = 0, rejected = 0;
};

struct ArchipelagoReport {
  bool finished = false;          // false: stopped early with a good checkpoint
  std::uint64_t evaluations = 0;  // of this call; on rank 0
  double seconds = 0;
  double seconds_evaluating = 0, seconds_waiting_for_store = 0;  // of the rank with most; on rank 0
  std::uint64_t acknowledged_batches = 0, synced_batches = 0;
  std::vector<EdgeTraffic> edges;  // on rank 0
};

/// Which rank hosts an island: consecutive blocks, as even as possible.
std::uint32_t rank_of_island(std::uint32_t island, std::uint32_t islands, std::uint32_t ranks);

/// A failure of input or machine that one rank has met alone while the others go on. Nobody waits for that
/// rank: whoever catches it has to end the job for all with Communicator::abort.
class LoneFailure : public Error {
 public:
  using Error::Error;
};

/// Runs (or resumes) everything; called by all ranks. `stop_requested` is asked at every agreement (signals).
///
/// Two kinds of failure. What rank 0 meets on disk (a run folder in use, a damaged checkpoint, a full disk)
/// is agreed: every rank throws the same InputError or ResourceError and can still finish in good order.
/// Anything else is thrown only where it happens, as LoneFailure or InternalError.
ArchipelagoReport run_archipelago(const ArchipelagoSettings& settings, SearchSpace& space,
                                  Communicator& world, const std::function<bool()>& stop_requested,
                                  const std::function<void(const Progress&)>& progress);

}  // namespace atl
