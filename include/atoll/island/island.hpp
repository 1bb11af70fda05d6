// An island: a population with a policy, an id, and a key for random numbers. One generation of its life is
// one function, generation() in src/island/island.cpp, read from top to bottom. Everything an island does is
// a function of (seed, task, island, generation) and of the letters on its in-edges, never of ranks, clocks
// or the order in which letters arrive.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "atoll/evolution/policy.hpp"
#include "atoll/island/archipelago.hpp"
#include "atoll/space/search_space.hpp"
#include "atoll/store/layout.hpp"

namespace atl {

class Mailbox;
class Recorder;

class Island {
 public:
  /// What an island lives among; all outlive it.
  struct Surroundings {
    const ArchipelagoSettings& settings;
    SearchSpace& space;
    Mailbox& mailbox;
    Recorder& recorder;
  };

  Island(std::uint32_t id, Surroundings surroundings);

  /// A fresh start on a task: a new policy, no individuals.
  void begin(std::uint32_t task);
  /// One generation: mu births, evaluated, judged, recorded; migrants enter before and leave after it.
  void generation();

  /// Returns when all letters that are due are here.
  void wait_for_letters();
  /// The island after `completed()` generations, with the letters that wait on its in-edges. Waits for
  /// letters that are due.
  std::string save();
  /// InternalError if the bytes are those of another island or damaged.
  void load(std::uint32_t task, std::uint32_t completed, const std::string& bytes);

  std::uint32_t id() const { return id_; }
  std::uint32_t completed() const { return generation_; }
  const Policy& policy() const { return *policy_; }
  /// What came in along every in-edge, over the whole run.
  const std::vector<EdgeTraffic>& traffic() const { return traffic_; }
  double seconds_evaluating() const { return seconds_evaluating_; }

 private:
  bool migration_due() const;
  void let_immigrants_enter();
  void send_emigrants();
  void name_offspring();
  void evaluate();
  void judge();
  void remember_the_best();
  void record();

  std::uint32_t id_;
  Surroundings around_;
  std::size_t cycles_column_, bound_column_;  // of the costs; width of the costs if there is none
  std::uint32_t task_ = 0;
  std::uint32_t generation_ = 0;  // completed ones
  std::unique_ptr<Policy> policy_;
  Population offspring_, immigrants_;
  EvaluationDetail detail_;
  std::vector<StoreMigration> migrations_;  // of this generation
  std::vector<StoreLayerCost> layer_costs_;
  std::vector<StoreMapping> mappings_;
  std::vector<EdgeTraffic> traffic_;
  double best_fitness_ = std::numeric_limits<double>::infinity();
  double best_ratio_ = 0;
  double seconds_evaluating_ = 0;
};

}  // namespace atl
