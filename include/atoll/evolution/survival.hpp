// Who lives on. Every scheme only decides which old rows die and which newcomers take their places, so that a
// generation copies no more than the rows that change.
//
//   generational  the best `elites` stay, the best newcomers take all other places
//   plus          the best of old and new together (mu + lambda)
//   comma         the best of the newcomers alone (mu, lambda)
//   steady_state  newcomers enter one after another in the order of their slots, each replacing the worst, a
//                 random or the oldest row of the moment. All of a generation are bred from the population
//                 at its start: a generation is a batch of births here too, because the whole batch is
//                 evaluated at once
//   ageing        like plus, but a row older than `max_age` generations dies whatever its merit; if too few
//                 are left, the youngest of the expired fill the gaps
#pragma once

#include <cstdint>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/policy_settings.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

/// The generation an id was born in; an unknown id counts as newborn.
std::uint32_t birth_generation(IndividualId id);

class Survival {
 public:
  /// `size`: individuals of the island; the population has as many after every step.
  Survival(const SurvivalSettings& settings, std::size_t size);

  /// Newcomers per generation.
  std::size_t births() const { return births_; }
  void step(Population& population, const Population& newcomers, std::uint32_t generation, Random& random);

 private:
  struct Candidate {
    Merit merit;
    std::uint32_t overage;  // generations beyond max_age, 0 where age does not count
    std::uint32_t row;      // newcomers follow the population's rows
  };
  static bool precedes(const Candidate& a, const Candidate& b);
  void collect(const Population& rows, std::uint32_t offset, std::uint32_t generation, bool aged);
  void keep_best(std::size_t begin, std::size_t count);
  void generational(const Population& population, const Population& newcomers, std::size_t elites);
  void pooled(const Population& population, const Population& newcomers, std::uint32_t generation, bool aged);
  void replace_worst(const Population& population, const Population& newcomers);
  void replace_oldest(const Population& population, const Population& newcomers);
  void replace_random(const Population& population, const Population& newcomers, Random& random);
  void settle(Population& population, const Population& newcomers);

  SurvivalSettings settings_;
  std::size_t size_;
  std::size_t births_;
  std::vector<Candidate> candidates_;
  std::vector<std::uint8_t> lives_;  // per old row, then per newcomer
  std::vector<std::uint32_t> survivors_;
};

}  // namespace atl
