#include "atoll/evolution/selection.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "checks.hpp"

namespace atl {
namespace {

constexpr std::size_t rows_count = 10;
constexpr double infinity = std::numeric_limits<double>::infinity();

// Row r has rank rows_count - 1 - r: the order and the rows differ, so that mixing them up shows.
Population ladder() {
  Population rows(0, 0, 0);
  rows.resize(rows_count);
  for (std::size_t row = 0; row < rows_count; ++row) {
    const auto rank = static_cast<double>(rows_count - 1 - row);
    rows.fitness[row] = rank * rank;
    rows.id[row] = row;
  }
  return rows;
}

// How often each rank is picked in `trials` draws, in batches of `batch`.
std::vector<double> frequencies(const SelectionSettings& settings, const Population& rows, std::size_t trials,
                                std::size_t batch = 100) {
  std::vector<std::uint32_t> order, parents;
  rows.rank(order);
  std::vector<double> by_row(rows.size(), 0.0), by_rank;
  Selection selection(settings);
  for (std::uint32_t n = 0; n * batch < trials; ++n) {
    Random random({7, Purpose::test, 0, 0, n, 0});
    selection.pick(rows, order, batch, random, parents);
    EXPECT_EQ(parents.size(), batch);
    for (const std::uint32_t parent : parents) by_row.at(parent) += 1;
  }
  for (const std::uint32_t row : order) by_rank.push_back(by_row[row]);
  return by_rank;
}

void expect_theory(const std::vector<double>& hits, const std::vector<double>& weights,
                   const std::string& what) {
  const double trials = std::accumulate(hits.begin(), hits.end(), 0.0);
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (std::size_t rank = 0; rank < hits.size(); ++rank)
    EXPECT_TRUE(toy::plausible(hits[rank], trials, weights[rank] / total))
        << what << ", rank " << rank << ": " << hits[rank] << " of " << trials << ", expected share "
        << weights[rank] / total;
}

TEST(Selection, TournamentsWithReplacementFollowTheory) {
  for (const std::size_t size : {1U, 2U, 3U, 7U}) {
    SelectionSettings settings;
    settings.size = size;
    std::vector<double> theory;
    for (std::size_t rank = 0; rank < rows_count; ++rank) {
      const double n = rows_count, r = static_cast<double>(rank), k = static_cast<double>(size);
      theory.push_back(std::pow((n - r) / n, k) - std::pow((n - r - 1) / n, k));
    }
    expect_theory(frequencies(settings, ladder(), 50000), theory, fmt::format("tournament {}", size));
  }
}

TEST(Selection, TournamentsWithoutReplacementFollowTheory) {
  const auto choose = [](double n, double k) {
    double product = 1;
    for (double i = 0; i < k; ++i) product *= (n - i) / (i + 1);
    return n < k ? 0 : product;
  };
  for (const std::size_t size : {1U, 2U, 4U, 10U}) {
    SelectionSettings settings;
    settings.size = size;
    settings.replacement = false;
    std::vector<double> theory;
    for (std::size_t rank = 0; rank < rows_count; ++rank)
      theory.push_back(choose(static_cast<double>(rows_count - 1 - rank), static_cast<double>(size) - 1));
    expect_theory(frequencies(settings, ladder(), 50000), theory, fmt::format("tournament of {}", size));
  }
}

TEST(Selection, LinearRankFollowsTheory) {
  for (const double pressure : {1.0, 1.5, 2.0}) {
    SelectionSettings settings;
    settings.kind = SelectionKind::rank;
    settings.pressure = pressure;
    std::vector<double> theory;
    for (std::size_t rank = 0; rank < rows_count; ++rank)
      theory.push_back(pressure - 2 * (pressure - 1) * static_cast<double>(rank) / (rows_count - 1));
    EXPECT_NEAR(std::accumulate(theory.begin(), theory.end(), 0.0), rows_count, 1e-12);
    expect_theory(frequencies(settings, ladder(), 50000), theory, fmt::format("rank {}", pressure));
  }
}

TEST(Selection, RouletteIsProportionalToTheDistanceFromTheWorst) {
  SelectionSettings settings;
  settings.kind = SelectionKind::roulette;
  std::vector<double> theory;
  for (std::size_t rank = 0; rank < rows_count; ++rank)
    theory.push_back(81.0 - static_cast<double>(rank * rank));
  expect_theory(frequencies(settings, ladder(), 50000), theory, "roulette");
}

TEST(Selection, RouletteNeverPicksTheInfeasibleWhileOthersLive) {
  SelectionSettings settings;
  settings.kind = SelectionKind::roulette;
  Population rows = ladder();
  rows.violation[9] = 5;  // the best fitness of all
  rows.fitness[8] = infinity;
  const auto hits = frequencies(settings, rows, 20000);
  EXPECT_EQ(hits[9], 0);  // infeasible: last
  EXPECT_EQ(hits[8], 0);  // infinite
  EXPECT_GT(hits[0], 0);

  for (std::size_t row = 0; row < rows.size(); ++row) rows.violation[row] = static_cast<double>(row + 1);
  std::vector<double> theory;
  for (std::size_t rank = 0; rank < rows_count; ++rank)
    theory.push_back(static_cast<double>(rows_count - 1 - rank));
  expect_theory(frequencies(settings, rows, 20000), theory, "all infeasible");

  Population equal = ladder();
  std::ranges::fill(equal.fitness, 3.0);
  equal.violation[0] = 1;
  theory.assign(rows_count, 1.0);
  theory.back() = 0;
  expect_theory(frequencies(settings, equal, 20000), theory, "all equal");
}

TEST(Selection, UniversalSamplingGivesEveryRowItsExpectationRoundedDownOrUp) {
  for (const bool on_fitness : {false, true}) {
    SelectionSettings settings;
    settings.kind = SelectionKind::universal;
    settings.on_fitness = on_fitness;
    settings.pressure = 1.8;
    const Population rows = ladder();
    std::vector<std::uint32_t> order, parents;
    rows.rank(order);
    std::vector<double> weights;
    if (on_fitness)
      roulette_weights(rows, order, weights);
    else
      linear_rank_weights(rows.size(), 1.8, weights);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    Selection selection(settings);
    for (std::uint32_t n = 0; n < 500; ++n) {
      const std::size_t count = 1 + n % 40;
      Random random({8, Purpose::test, 0, 0, n, 0});
      selection.pick(rows, order, count, random, parents);
      for (std::size_t rank = 0; rank < rows_count; ++rank) {
        const double expected = static_cast<double>(count) * weights[rank] / total;
        const auto hits = static_cast<double>(std::ranges::count(parents, order[rank]));
        ASSERT_GE(hits, std::floor(expected - 1e-9)) << n << " rank " << rank;
        ASSERT_LE(hits, std::ceil(expected + 1e-9)) << n << " rank " << rank;
      }
    }
    expect_theory(frequencies(settings, rows, 50000, 7), weights, "universal");
  }
}

TEST(Selection, UniversalSamplingMixesThePlacesOfTheParents) {
  SelectionSettings settings;
  settings.kind = SelectionKind::universal;
  const Population rows = ladder();
  std::vector<std::uint32_t> order, parents;
  rows.rank(order);
  Selection selection(settings);
  double first_is_best = 0;
  for (std::uint32_t n = 0; n < 2000; ++n) {
    Random random({9, Purpose::test, 0, 0, n, 0});
    selection.pick(rows, order, 10, random, parents);
    first_is_best += parents[0] == order[0] ? 1 : 0;
  }
  EXPECT_TRUE(toy::plausible(first_is_best, 2000, 0.17)) << first_is_best;
}

TEST(Selection, TruncationAndRandomAreEven) {
  SelectionSettings settings;
  settings.kind = SelectionKind::truncation;
  settings.share = 0.25;  // 2.5 rows: rounded up
  expect_theory(frequencies(settings, ladder(), 20000), {1, 1, 1, 0, 0, 0, 0, 0, 0, 0}, "truncation");
  settings.share = 0.3;
  expect_theory(frequencies(settings, ladder(), 20000), {1, 1, 1, 0, 0, 0, 0, 0, 0, 0}, "truncation");
  settings.kind = SelectionKind::random;
  expect_theory(frequencies(settings, ladder(), 20000), std::vector<double>(rows_count, 1.0), "random");
}

TEST(Selection, OneRowIsAlwaysChosen) {
  Population rows(0, 0, 0);
  rows.resize(1);
  for (int kind = 0; kind < 6; ++kind) {
    SelectionSettings settings;
    settings.kind = static_cast<SelectionKind>(kind);
    settings.replacement = false;
    EXPECT_EQ(frequencies(settings, rows, 100), std::vector<double>{100});
  }
}

}  // namespace
}  // namespace atl
