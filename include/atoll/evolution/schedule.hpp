// A rate that may change while a run goes on: constant, annealed over the horizon, steered by the share of
// successful children (one-fifth rule), or inherited and varied by every individual (self-adaptive).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "atoll/base/random.hpp"
#include "atoll/evolution/policy_settings.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

class Schedule {
 public:
  /// `column`: where individuals keep their own value if the schedule is self-adaptive.
  Schedule(const ScheduleSettings& settings, std::uint32_t horizon, std::string column);

  /// Adds the column to a population that needs one.
  void prepare(Population& population) const;
  /// Sets the value of individuals without parents.
  void start(Population& population, std::size_t row) const;
  /// The value for a child of parents[parent] born in `generation`. A self-adaptive one is the parent's times
  /// a log-normal factor, written into children[child]; the others draw no number.
  double child_value(std::uint32_t generation, const Population& parents, std::size_t parent, Random& random,
                     Population& children, std::size_t child) const;

  bool learns() const { return settings_.kind == ScheduleKind::one_fifth; }
  /// One-fifth rule: more than the target share of successes multiplies the value by `factor`, fewer divide
  /// it by the fourth root of `factor`, so that the value rests where the share is one fifth. Without
  /// trials nothing changes.
  void adapt(std::size_t successes, std::size_t trials);

  /// What a checkpoint must keep.
  double state() const { return current_; }
  void restore(double state) { current_ = state; }

 private:
  double shared_value(std::uint32_t generation) const;

  ScheduleSettings settings_;
  std::uint32_t horizon_;
  std::string column_;
  double current_;
  double shrink_;
};

}  // namespace atl
