// Who leaves an island, what the message says, and how arrivals enter. A message carries genes, costs, ids,
// parents and the policy's own columns, never fitness: whoever receives it judges by an objective of its own.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/objective.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

enum class Leave : std::uint8_t { best, random, tournament };
enum class Enter : std::uint8_t {
  replace_worst,
  replace_worst_if_better,
  replace_random,
  replace_random_if_better
};

/// Chooses the rows that leave a population, edge by edge; ranks it once for all edges. Rows of one edge are
/// distinct. The population must not change while this object lives.
class Departures {
 public:
  Departures(const Population& population, Leave rule);
  /// `count` rows (all rows if there are fewer), the best first where the rule is `best`. tournament: the
  /// better of two rows drawn among those not chosen yet.
  std::vector<std::uint32_t> choose(std::size_t count, Random& random) const;

 private:
  const Population& population_;
  Leave rule_;
  std::vector<std::uint32_t> order_;  // best to worst
};

/// Names a message: the edge, the task, and how many generations its sender had completed.
struct MigrationStamp {
  std::uint32_t task = 0, generation = 0, from = 0, to = 0;
  bool operator==(const MigrationStamp&) const = default;
};

/// `sender` tells which part of a row's violation comes from
/// the constraints of the sender's objective: that part stays.
std::vector<std::uint8_t> pack_migrants(const MigrationStamp& stamp, const Population& population,
                                        std::span<const std::uint32_t> rows, const Objective& sender);

/// Fills `migrants` (widths as made by the receiver) and judges every row by `receiver`; their origin is
/// `migrant`. InternalError if the message has another stamp than `expected` or other widths.
void unpack_migrants(std::span<const std::uint8_t> message, const MigrationStamp& expected,
                     const Objective& receiver, Population& migrants);

/// One round of arrivals into one population: a migrant never replaces one that came in the same round, so
/// that the number that may enter is the number of natives.
class Arrivals {
 public:
  Arrivals(Population& population, Enter rule);

  struct Count {
    std::uint32_t accepted = 0, rejected = 0;
  };
  /// Lets the rows of one edge enter in their order. Refused are: those whose id is here already, those
  /// that are not better than the native they would replace (`_if_better`; equal is not better), those for
  /// whom no native is left.
  Count admit(const Population& migrants, Random& random);

 private:
  bool present(IndividualId id) const;
  bool better(const Population& migrants, std::size_t row, std::uint32_t native) const;
  std::size_t pick(Random& random) const;

  Population& population_;
  Enter rule_;
  std::vector<std::uint32_t> natives_;  // rows that may be replaced, best to worst
};

}  // namespace atl
