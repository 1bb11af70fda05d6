#include "atoll/island/migration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using ::testing::ElementsAre;

Random draw(std::uint32_t n) {
  return Random({.seed = 9, .individual = n});
}

/// Rows with random costs of two columns; every fifth illegal; id = 100 + row.
Population random_population(std::size_t rows, std::uint32_t seed, const Objective& objective) {
  Random random = draw(seed);
  Population population(3, 1, 2);
  population.add_column("age", 1);
  population.add_column("step", 2);
  population.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    for (auto& gene : population.integers(row)) gene = random.between(-5, 5);
    population.reals(row)[0] = random.uniform();
    for (auto& cost : population.costs(row)) cost = 1 + random.below(50);
    population.fitness[row] = objective.fitness(population.costs(row));
    population.violation[row] = (row % 5 == 4 ? 1.5 : 0.0) + objective.violation(population.costs(row));
    population.id[row] = 100 + row;
    population.parent_a[row] = row;
    population.origin[row] = Origin::crossover;
    for (auto& column : population.extra) {
      for (std::size_t i = 0; i < column.width; ++i) column.values[row * column.width + i] = random.uniform();
    }
  }
  return population;
}

const std::vector<std::string> columns{"cycles", "energy"};
const MigrationStamp stamp{2, 15, 4, 1};

Population sent(const Population& population, const std::vector<std::uint32_t>& rows, const Objective& sender,
                const Objective& receiver) {
  Population migrants(3, 1, 2);
  unpack_migrants(pack_migrants(stamp, population, rows, sender), stamp, receiver, migrants);
  return migrants;
}

TEST(Departures, BestAreTheFirstOfTheRanking) {
  const Objective objective("cycles", {}, columns);
  const Population population = random_population(30, 1, objective);
  std::vector<std::uint32_t> order;
  population.rank(order);
  Random random = draw(0);
  const auto rows = Departures(population, Leave::best).choose(7, random);
  EXPECT_EQ(rows, std::vector<std::uint32_t>(order.begin(), order.begin() + 7));
}

TEST(Departures, AreDistinctAndAsManyAsThereAre) {
  const Objective objective("cycles", {}, columns);
  for (const Leave rule : {Leave::best, Leave::random, Leave::tournament}) {
    for (const std::size_t size : {0U, 1U, 2U, 17U}) {
      const Population population = random_population(size, 2, objective);
      for (const std::size_t count : {0U, 1U, 5U, 17U, 40U}) {
        Random random = draw(3);
        const auto rows = Departures(population, rule).choose(count, random);
        EXPECT_EQ(std::set(rows.begin(), rows.end()).size(), std::min(count, size));
        EXPECT_EQ(rows.size(), std::min(count, size));
      }
    }
  }
}

TEST(Departures, PressureGrowsFromRandomToTournamentToBest) {
  const Objective objective("cycles", {}, columns);
  const Population population = random_population(40, 4, objective);
  std::vector<std::uint32_t> order;
  population.rank(order);
  const auto mean_place = [&](Leave rule) {
    double sum = 0;
    for (std::uint32_t n = 0; n < 2000; ++n) {
      Random random = draw(n);
      const auto row = Departures(population, rule).choose(1, random)[0];
      sum += static_cast<double>(std::find(order.begin(), order.end(), row) - order.begin());
    }
    return sum / 2000;
  };
  EXPECT_EQ(mean_place(Leave::best), 0);
  EXPECT_NEAR(mean_place(Leave::tournament), 12.8, 1.0);  // the smaller of two out of 0..39
  EXPECT_NEAR(mean_place(Leave::random), 19.5, 1.0);
}

TEST(Migrants, ArriveAsTheyLeftButForTheirOrigin) {
  const Objective objective("cycles", {"energy <= 20"}, columns);
  const Population population = random_population(20, 5, objective);
  const std::vector<std::uint32_t> rows{4, 0, 19, 9};
  const Population migrants = sent(population, rows, objective, objective);
  ASSERT_EQ(migrants.size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(migrants.integers(i), population.integers(rows[i])));
    EXPECT_TRUE(std::ranges::equal(migrants.reals(i), population.reals(rows[i])));
    EXPECT_TRUE(std::ranges::equal(migrants.costs(i), population.costs(rows[i])));
    EXPECT_EQ(migrants.fitness[i], population.fitness[rows[i]]);
    EXPECT_DOUBLE_EQ(migrants.violation[i], population.violation[rows[i]]);
    EXPECT_EQ(migrants.violation[i] == 0, population.violation[rows[i]] == 0);
    EXPECT_EQ(migrants.id[i], population.id[rows[i]]);
    EXPECT_EQ(migrants.parent_a[i], population.parent_a[rows[i]]);
    EXPECT_EQ(migrants.parent_b[i], no_individual);
    EXPECT_EQ(migrants.origin[i], Origin::migrant);
    EXPECT_EQ(migrants.extra[0].values[i], population.extra[0].values[rows[i]]);
    EXPECT_EQ(migrants.extra[1].values[2 * i + 1], population.extra[1].values[2 * rows[i] + 1]);
  }
}

TEST(Migrants, AreJudgedByTheReceiversObjectiveAndConstraints) {
  const Objective sender("cycles", {"energy <= 10"}, columns);
  const Objective receiver("energy", {"cycles <= 1000"}, columns);
  const Population population = random_population(20, 6, sender);
  std::vector<std::uint32_t> rows(20);
  for (std::uint32_t i = 0; i < 20; ++i) rows[i] = i;
  const Population migrants = sent(population, rows, sender, receiver);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(migrants.fitness[i], population.costs(i)[1]);
    EXPECT_NEAR(migrants.violation[i], i % 5 == 4 ? 1.5 : 0.0, 1e-12);
    EXPECT_EQ(migrants.violation[i] > 0, i % 5 == 4);
  }
}

TEST(Migrants, AnInfiniteViolationStaysInfinite) {
  const Objective objective("cycles", {"energy <= 10"}, columns);
  Population population = random_population(1, 7, objective);
  population.violation[0] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sent(population, {0}, objective, objective).violation[0],
            std::numeric_limits<double>::infinity());
}

TEST(Migrants, WrongStampsWidthsAndTornMessagesAreRefused) {
  const Objective objective("cycles", {}, columns);
  const Population population = random_population(5, 8, objective);
  const std::vector<std::uint32_t> rows{1, 2};
  const auto message = pack_migrants(stamp, population, rows, objective);
  Population migrants(3, 1, 2), other(4, 1, 2);
  for (const MigrationStamp wrong : {MigrationStamp{1, 15, 4, 1}, MigrationStamp{2, 14, 4, 1},
                                     MigrationStamp{2, 15, 3, 1}, MigrationStamp{2, 15, 4, 2}}) {
    EXPECT_THROW(unpack_migrants(message, wrong, objective, migrants), InternalError);
  }
  EXPECT_THROW(unpack_migrants(message, stamp, objective, other), InternalError);
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_THROW(unpack_migrants(std::span(message).first(size), stamp, objective, migrants), InternalError);
  }
  auto longer = message;
  longer.push_back(0);
  EXPECT_THROW(unpack_migrants(longer, stamp, objective, migrants), InternalError);
}

/// Natives have fitness 10, 20, ... (row 0 is best), migrants what is given; ids from 1000 on.
Population natives(std::size_t rows) {
  Population population(1, 0, 1);
  population.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    population.fitness[row] = 10.0 * static_cast<double>(row + 1);
    population.id[row] = row;
  }
  return population;
}

Population migrants_of(const std::vector<double>& fitness, IndividualId first_id = 1000) {
  Population migrants(1, 0, 1);
  migrants.resize(fitness.size());
  migrants.fitness = fitness;
  for (std::size_t row = 0; row < fitness.size(); ++row) migrants.id[row] = first_id + row;
  return migrants;
}

TEST(Arrivals, ReplaceTheWorstOneAfterAnother) {
  Population population = natives(4);
  Random random = draw(0);
  const auto count = Arrivals(population, Enter::replace_worst).admit(migrants_of({99, 5}), random);
  EXPECT_EQ(count.accepted, 2U);
  EXPECT_THAT(population.fitness, ElementsAre(10, 20, 5, 99));
}

TEST(Arrivals, OnlyIfBetterKeepsTheWorstForTheNextAndRefusesEquals) {
  Population population = natives(4);
  Random random = draw(0);
  const auto count =
      Arrivals(population, Enter::replace_worst_if_better).admit(migrants_of({99, 40, 35, 25, 21}), random);
  EXPECT_EQ(count.accepted, 2U);
  EXPECT_EQ(count.rejected, 3U);
  EXPECT_THAT(population.fitness, ElementsAre(10, 20, 25, 35));
}

TEST(Arrivals, InfeasibleMigrantsDoNotReplaceFeasibleNatives) {
  Population population = natives(3);
  Population migrants = migrants_of({1});
  migrants.violation[0] = 0.5;
  Random random = draw(0);
  EXPECT_EQ(Arrivals(population, Enter::replace_worst_if_better).admit(migrants, random).accepted, 0U);
  population.violation[1] = 0.7;
  EXPECT_EQ(Arrivals(population, Enter::replace_worst_if_better).admit(migrants, random).accepted, 1U);
  EXPECT_EQ(population.id[1], 1000U);
}

TEST(Arrivals, AnIdThatIsHereIsRefused) {
  for (const Enter rule : {Enter::replace_worst, Enter::replace_worst_if_better, Enter::replace_random,
                           Enter::replace_random_if_better}) {
    Population population = natives(4);
    Random random = draw(1);
    Arrivals arrivals(population, rule);
    EXPECT_EQ(arrivals.admit(migrants_of({1}, 2), random).rejected, 1U);
    EXPECT_EQ(arrivals.admit(migrants_of({1}), random).accepted, 1U);
    EXPECT_EQ(arrivals.admit(migrants_of({1}), random).rejected, 1U);  // the same one by another edge
  }
}

TEST(Arrivals, NeverReplaceEachOtherAndNeverMoreThanNatives) {
  for (const Enter rule : {Enter::replace_worst, Enter::replace_worst_if_better, Enter::replace_random,
                           Enter::replace_random_if_better}) {
    for (std::uint32_t seed = 0; seed < 50; ++seed) {
      Population population = natives(6);
      Random random = draw(seed);
      Arrivals arrivals(population, rule);
      std::uint32_t accepted = 0;
      for (IndividualId edge = 1; edge <= 3; ++edge) {
        accepted += arrivals.admit(migrants_of({1, 2, 3}, 1000 * edge), random).accepted;
      }
      EXPECT_EQ(accepted, 6U);
      EXPECT_EQ(std::ranges::count_if(population.id, [](auto id) { return id >= 1000; }), 6);
      EXPECT_EQ(std::set(population.id.begin(), population.id.end()).size(), 6U);
    }
  }
}

TEST(Arrivals, RandomPlacesAreUniform) {
  std::vector<int> hits(5);
  for (std::uint32_t n = 0; n < 5000; ++n) {
    Population population = natives(5);
    Random random = draw(n);
    Arrivals(population, Enter::replace_random).admit(migrants_of({99}), random);
    for (std::size_t row = 0; row < 5; ++row) hits[row] += population.id[row] >= 1000 ? 1 : 0;
  }
  for (const int count : hits) EXPECT_NEAR(count, 1000, 120);
}

TEST(Arrivals, AnEmptyPopulationRefusesAll) {
  Population population(1, 0, 1);
  Random random = draw(0);
  EXPECT_EQ(Arrivals(population, Enter::replace_worst).admit(migrants_of({1, 2}), random).rejected, 2U);
}

}  // namespace
}  // namespace atl
