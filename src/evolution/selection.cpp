#include "atoll/evolution/selection.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace atl {

void roulette_weights(const Population& population, std::span<const std::uint32_t> order,
                      std::vector<double>& weights) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const bool some_feasible = population.merit(order.front()).feasible();
  double worst = -infinity;
  weights.assign(order.size(), 0.0);
  const auto figure = [&](std::uint32_t row) {
    const Merit merit = population.merit(row);
    if (!some_feasible) return merit.violation;
    return merit.feasible() ? merit.fitness : infinity;
  };
  for (const std::uint32_t row : order) {
    const double value = figure(row);
    if (value < infinity) worst = std::max(worst, value);
  }
  double sum = 0;
  for (std::size_t r = 0; r < order.size(); ++r) {
    const double value = figure(order[r]);
    if (value < infinity) weights[r] = worst - value;
    sum += weights[r];
  }
  if (sum > 0 && sum < infinity) return;
  for (std::size_t r = 0; r < order.size(); ++r) {
    const bool feasible = population.merit(order[r]).feasible();
    weights[r] = feasible || !some_feasible ? 1.0 : 0.0;
  }
}

void linear_rank_weights(std::size_t count, double pressure, std::vector<double>& weights) {
  weights.assign(count, 1.0);
  if (count < 2) return;
  const double slope = 2 * (pressure - 1) / static_cast<double>(count - 1);
  for (std::size_t r = 0; r < count; ++r) weights[r] = pressure - slope * static_cast<double>(r);
}

std::uint32_t Selection::tournament_winner(std::uint32_t rows, Random& random) {
  std::uint32_t best = rows;
  if (settings_.replacement) {
    for (std::size_t k = 0; k < settings_.size; ++k) best = std::min(best, random.below(rows));
    return best;
  }
  const auto contestants = static_cast<std::uint32_t>(std::min<std::size_t>(settings_.size, rows));
  for (std::uint32_t k = 0; k < contestants; ++k) {
    std::swap(urn_[k], urn_[k + random.below(rows - k)]);
    best = std::min(best, urn_[k]);
  }
  return best;
}

void Selection::spin(std::span<const std::uint32_t> order, Random& random, std::span<std::uint32_t> parents) {
  std::partial_sum(weights_.begin(), weights_.end(), weights_.begin());
  for (std::uint32_t& parent : parents) {
    const auto hit = std::upper_bound(weights_.begin(), weights_.end(), random.uniform() * weights_.back());
    const auto r = static_cast<std::size_t>(hit - weights_.begin());
    parent = order[std::min(r, order.size() - 1)];
  }
}

void Selection::spin_universal(std::span<const std::uint32_t> order, Random& random,
                               std::span<std::uint32_t> parents) {
  std::partial_sum(weights_.begin(), weights_.end(), weights_.begin());
  const double step = weights_.back() / static_cast<double>(parents.size());
  const double offset = random.uniform();
  std::size_t r = 0;
  for (std::size_t k = 0; k < parents.size(); ++k) {
    const double pointer = (static_cast<double>(k) + offset) * step;
    while (r + 1 < order.size() && weights_[r] <= pointer) ++r;
    parents[k] = order[r];
  }
  for (auto k = static_cast<std::uint32_t>(parents.size()); k > 1; --k)
    std::swap(parents[k - 1], parents[random.below(k)]);
}

void Selection::pick(const Population& population, std::span<const std::uint32_t> order, std::size_t count,
                     Random& random, std::vector<std::uint32_t>& parents) {
  parents.resize(count);
  const auto rows = static_cast<std::uint32_t>(order.size());
  const auto share_of = [&](double share) {
    const auto part = static_cast<std::uint32_t>(share * static_cast<double>(rows) + 0.999999);
    return std::clamp(part, 1U, rows);
  };
  const auto weigh = [&](bool on_fitness) {
    if (on_fitness)
      roulette_weights(population, order, weights_);
    else
      linear_rank_weights(rows, settings_.pressure, weights_);
  };
  switch (settings_.kind) {
    case SelectionKind::tournament:
      if (!settings_.replacement) {
        urn_.resize(rows);
        std::iota(urn_.begin(), urn_.end(), 0U);
      }
      for (std::uint32_t& parent : parents) parent = order[tournament_winner(rows, random)];
      break;
    case SelectionKind::roulette:
      weigh(true);
      spin(order, random, parents);
      break;
    case SelectionKind::rank:
      weigh(false);
      spin(order, random, parents);
      break;
    case SelectionKind::universal:
      weigh(settings_.on_fitness);
      spin_universal(order, random, parents);
      break;
    case SelectionKind::truncation: {
      const std::uint32_t best = share_of(settings_.share);
      for (std::uint32_t& parent : parents) parent = order[random.below(best)];
      break;
    }
    case SelectionKind::random:
      for (std::uint32_t& parent : parents) parent = order[random.below(rows)];
      break;
  }
}

}  // namespace atl
