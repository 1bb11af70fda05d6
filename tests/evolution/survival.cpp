#include "atoll/evolution/survival.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "toy.hpp"

namespace atl {
namespace {

// `count` rows with random merits; the fitness of row r also stands in its only gene.
Population brood(std::size_t count, std::uint32_t seed, std::uint64_t generation) {
  Population rows(1, 0, 2);
  rows.resize(count);
  Random random({seed, Purpose::test, 0, 0, static_cast<std::uint32_t>(generation), 0});
  for (std::size_t row = 0; row < count; ++row) {
    rows.integers(row)[0] = random.between(0, 50);
    rows.fitness[row] = rows.integers(row)[0];
    rows.costs(row)[1] = rows.fitness[row] * 2;
    rows.violation[row] = random.chance(0.3) ? random.between(1, 5) : 0;
    rows.id[row] = individual_id(0, generation, 0, row);
  }
  return rows;
}

std::multiset<IndividualId> ids(const Population& rows) {
  return {rows.id.begin(), rows.id.end()};
}

// Ids of all rows of both, best first.
std::vector<IndividualId> ranked(const Population& a, const Population& b) {
  Population all = a;
  for (std::size_t row = 0; row < b.size(); ++row) all.append_row(b, row);
  std::vector<std::uint32_t> order;
  all.rank(order);
  std::vector<IndividualId> result;
  for (const std::uint32_t row : order) result.push_back(all.id[row]);
  return result;
}

void expect_whole_rows(const Population& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(rows.fitness[row], rows.integers(row)[0]);
    ASSERT_EQ(rows.costs(row)[1], rows.fitness[row] * 2);
  }
}

struct Case {
  Population old, newcomers, after;
  std::vector<IndividualId> old_ranked, new_ranked, all_ranked;
};

Case step(SurvivalSettings settings, std::size_t size, std::uint32_t seed, std::uint64_t old_born = 3,
          std::uint32_t now = 4) {
  Survival survival(settings, size);
  Case result;
  result.old = brood(size, seed, old_born);
  result.newcomers = brood(survival.births(), seed + 1000, now);
  result.after = result.old;
  Random random({seed, Purpose::survival, 0, 0, now, 0});
  survival.step(result.after, result.newcomers, now, random);
  result.old_ranked = ranked(result.old, Population(1, 0, 2));
  result.new_ranked = ranked(Population(1, 0, 2), result.newcomers);
  result.all_ranked = ranked(result.old, result.newcomers);
  return result;
}

std::multiset<IndividualId> best(const std::vector<IndividualId>& order, std::size_t count) {
  return {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(Survival, GenerationalKeepsTheElitesAndTheBestNewcomers) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SurvivalSettings settings;
    settings.elites = seed % 8;
    const Case c = step(settings, 20, seed);
    std::multiset<IndividualId> expected = best(c.old_ranked, settings.elites);
    expected.merge(best(c.new_ranked, 20 - settings.elites));
    ASSERT_EQ(ids(c.after), expected) << seed;
    expect_whole_rows(c.after);
  }
}

TEST(Survival, PlusKeepsTheBestOfAllAndNeverGetsWorse) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::plus;
    settings.offspring = 1 + seed;
    const Case c = step(settings, 20, seed);
    ASSERT_EQ(ids(c.after), best(c.all_ranked, 20)) << seed;
    ASSERT_FALSE(c.old.merit(c.old.best()) < c.after.merit(c.after.best()));
    expect_whole_rows(c.after);
  }
}

TEST(Survival, CommaForgetsTheParents) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::comma;
    settings.offspring = seed % 2 == 0 ? 0 : 20 + seed;
    const Case c = step(settings, 20, seed);
    ASSERT_EQ(c.newcomers.size(), seed % 2 == 0 ? 40U : 20U + seed);
    ASSERT_EQ(ids(c.after), best(c.new_ranked, 20)) << seed;
    expect_whole_rows(c.after);
  }
}

// The slow and obvious way: one newcomer after another into a plain list.
std::multiset<IndividualId> one_by_one(const Case& c, Replace replace, bool if_better) {
  Population rows = c.old;
  std::vector<std::size_t> age_order;
  for (std::size_t row = 0; row < rows.size(); ++row) age_order.push_back(row);
  std::ranges::stable_sort(age_order, {}, [&](std::size_t row) { return birth_generation(rows.id[row]); });
  for (std::size_t n = 0; n < c.newcomers.size(); ++n) {
    std::size_t place = age_order.front();
    if (replace == Replace::worst)
      for (std::size_t row = place = 0; row < rows.size(); ++row)
        if (rows.better(place, row)) place = row;
    if (if_better && !(c.newcomers.merit(n) < rows.merit(place))) continue;
    rows.copy_row(place, c.newcomers, n);
    std::erase(age_order, place);
    age_order.push_back(place);
  }
  return ids(rows);
}

TEST(Survival, SteadyStateIsOneReplacementAfterAnother) {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::steady_state;
    settings.replace = seed % 2 == 0 ? Replace::worst : Replace::oldest;
    settings.if_better = seed % 4 < 2;
    settings.offspring = 1 + seed % 37;
    const Case c = step(settings, 15, seed);
    ASSERT_EQ(ids(c.after), one_by_one(c, settings.replace, settings.if_better)) << seed;
    expect_whole_rows(c.after);
  }
}

TEST(Survival, SteadyStateOldestTurnsThePopulationOverInAge) {
  SurvivalSettings settings;
  settings.kind = SurvivalKind::steady_state;
  settings.replace = Replace::oldest;
  settings.offspring = 4;
  Survival survival(settings, 10);
  Population rows = brood(10, 1, 0);
  for (std::uint32_t g = 1; g < 8; ++g) {
    Random random({1, Purpose::survival, 0, 0, g, 0});
    survival.step(rows, brood(4, g, g), g, random);
    std::vector<std::uint32_t> births;
    for (const IndividualId id : rows.id) births.push_back(birth_generation(id));
    std::ranges::sort(births);
    ASSERT_EQ(births.at(0), g < 3 ? 0 : g - 2) << g;
    ASSERT_EQ(std::ranges::count(births, g), 4);
  }
}

TEST(Survival, SteadyStateRandomReplacesAnyPlaceAndIfBetterNeverWorsens) {
  std::set<std::size_t> replaced;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::steady_state;
    settings.replace = Replace::random;
    settings.offspring = 1;
    Case c = step(settings, 10, seed);
    std::size_t changed = 0;
    for (std::size_t row = 0; row < 10; ++row)
      if (c.after.id[row] != c.old.id[row]) {
        replaced.insert(row);
        ++changed;
      }
    ASSERT_EQ(changed, 1U);
    settings.if_better = true;
    settings.offspring = 8;
    c = step(settings, 10, seed);
    std::vector<std::uint32_t> before, after;
    c.old.rank(before);
    c.after.rank(after);
    for (std::size_t rank = 0; rank < 10; ++rank)
      ASSERT_FALSE(c.old.merit(before[rank]) < c.after.merit(after[rank])) << seed;
  }
  EXPECT_EQ(replaced.size(), 10U);
}

TEST(Survival, AgeingKillsTheOldWhateverTheirMerit) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::ageing;
    settings.max_age = 3;
    const Case expired = step(settings, 20, seed, 7, 10);
    EXPECT_EQ(ids(expired.after), ids(expired.newcomers));
    const Case young = step(settings, 20, seed, 8, 10);
    EXPECT_EQ(ids(young.after), best(young.all_ranked, 20));
  }
}

TEST(Survival, AgeingFillsGapsWithTheYoungestOfTheExpired) {
  SurvivalSettings settings;
  settings.kind = SurvivalKind::ageing;
  settings.max_age = 1;
  settings.offspring = 2;
  Survival survival(settings, 6);
  Population rows = brood(6, 1, 0);
  for (std::size_t row = 0; row < 6; ++row) {
    rows.id[row] = individual_id(0, row, 0, row);  // born in generations 0..5
    rows.violation[row] = 0;
    rows.fitness[row] = static_cast<double>(row);  // the oldest is the best
    rows.integers(row)[0] = static_cast<std::int32_t>(row);
  }
  Random random({1, Purpose::survival, 0, 0, 9, 0});
  survival.step(rows, brood(2, 2, 9), 9, random);
  std::multiset<std::uint32_t> births;
  for (const IndividualId id : rows.id) births.insert(birth_generation(id));
  EXPECT_EQ(births, (std::multiset<std::uint32_t>{2, 3, 4, 5, 9, 9}));
}

TEST(Survival, TheFirstPopulationEntersWholeAndTooLargeOnesShrink) {
  for (int kind = 0; kind < 5; ++kind) {
    SurvivalSettings settings;
    settings.kind = static_cast<SurvivalKind>(kind);
    settings.max_age = 100;
    Survival survival(settings, 12);
    Population rows(1, 0, 2);
    const Population first = brood(12, 1, 0);
    Random random({1, Purpose::survival, 0, 0, 0, 0});
    survival.step(rows, first, 0, random);
    EXPECT_EQ(ids(rows), ids(first)) << kind;
    for (std::size_t row = 0; row < 5; ++row) rows.append_row(brood(5, 2, 0), row);
    survival.step(rows, brood(survival.births(), 3, 1), 1, random);
    EXPECT_EQ(rows.size(), 12U) << kind;
    expect_whole_rows(rows);
  }
}

TEST(Survival, InfeasibleNeverSurviveForFeasible) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    SurvivalSettings settings;
    settings.kind = SurvivalKind::plus;
    const Case c = step(settings, 20, seed);
    const auto feasible = [](const Population& rows) { return std::ranges::count(rows.violation, 0.0); };
    ASSERT_EQ(feasible(c.after), std::min<std::ptrdiff_t>(20, feasible(c.old) + feasible(c.newcomers)));
  }
}

}  // namespace
}  // namespace atl
