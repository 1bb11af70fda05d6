// A short mapping search for one layer, for callers that need the cost of many layers (a network search): a
// pure function of the layer with its traits, the accelerator, the simulator, the objective, the budget and
// the seed. No clock, no state that survives a call; the cache only saves time.
//
// The search: structured starts (every axis of every fan-out filled along each of its three best dimensions,
// tiles as large as the levels hold, loops ordered for a stationary output, weight or input), then a small
// plus-selection that changes tiles, orders, parallel loops and kept operands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/evolution/objective.hpp"
#include "atoll/network/layer.hpp"
#include "atoll/simulator/mapping.hpp"
#include "atoll/simulator/simulator.hpp"

namespace atl {

struct BoundedSearchSettings {
  std::uint32_t budget = 400;  // evaluations of the simulator, at least 1
  std::uint64_t seed = 1;
  std::string objective = "edp";  // see evolution/objective.hpp
  std::size_t cache = 4096;       // layers remembered; 0: none
};

struct FoundMapping {
  Mapping mapping;
  std::vector<double> costs;  // in the simulator's columns
  double fitness = 0;         // the objective's value
  std::uint32_t evaluations = 0;
  std::string json;       // layer and mapping, one line
  std::uint64_t key = 0;  // content_key(json)
};

/// Searches for layer after layer on one accelerator. Not for several threads at once.
class BoundedSearch {
 public:
  /// InputError for an unknown simulator, a wrong objective or a budget of 0.
  BoundedSearch(Accelerator accelerator, const std::string& simulator, const BoundedSearchSettings& settings);

  /// The best mapping found; the same for the same layer, whatever was asked before. InputError if a level
  /// has no room for one word.
  std::shared_ptr<const FoundMapping> find(const Layer& layer);

  const Accelerator& accelerator() const { return accelerator_; }
  const Simulator& simulator() const { return *simulator_; }
  const BoundedSearchSettings& settings() const { return settings_; }
  /// How many calls of find() were answered from the cache, and how many searched.
  std::uint64_t hits() const { return hits_; }
  std::uint64_t searches() const { return searches_; }

 private:
  struct Entry {
    std::shared_ptr<const FoundMapping> found;
    std::list<std::string>::iterator age;
  };
  std::shared_ptr<const FoundMapping> search(const Layer& layer, const std::string& key) const;

  Accelerator accelerator_;
  BoundedSearchSettings settings_;
  std::unique_ptr<Simulator> simulator_;
  Objective objective_;
  HardwareRow hardware_;
  std::map<std::string, Entry> cache_;
  std::list<std::string> ages_;  // most recently used first
  std::uint64_t hits_ = 0, searches_ = 0;
};

}  // namespace atl
