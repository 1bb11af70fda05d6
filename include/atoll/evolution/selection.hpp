// Who becomes a parent. Every scheme sees the population as an order from best to worst; only the
// fitness-proportional ones look at the figures.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/policy_settings.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

/// Fitness-proportional weights for minimisation, in the order given: worst fitness minus own fitness, so
/// that the worst has weight 0. Infeasible rows weigh 0, unless all are infeasible: then violation takes the
/// place of fitness. Where all weights would be 0 the candidates weigh the same.
void roulette_weights(const Population& population, std::span<const std::uint32_t> order,
                      std::vector<double>& weights);
/// Linear ranking (Baker 1985, Whitley 1989): the best expects `pressure` children, the worst 2 - pressure.
void linear_rank_weights(std::size_t count, double pressure, std::vector<double>& weights);

class Selection {
 public:
  explicit Selection(const SelectionSettings& settings) : settings_(settings) {}

  /// Draws `count` parents; `order` holds the rows from best to worst and is not empty.
  void pick(const Population& population, std::span<const std::uint32_t> order, std::size_t count,
            Random& random, std::vector<std::uint32_t>& parents);

 private:
  std::uint32_t tournament_winner(std::uint32_t rows, Random& random);
  void spin(std::span<const std::uint32_t> order, Random& random, std::span<std::uint32_t> parents);
  void spin_universal(std::span<const std::uint32_t> order, Random& random, std::span<std::uint32_t> parents);

  SelectionSettings settings_;
  std::vector<double> weights_;  // then their running sums
  std::vector<std::uint32_t> urn_;
};

}  // namespace atl
