#include "atoll/evolution/evolution_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <set>

#include "atoll/evolution/random_search.hpp"
#include "toy.hpp"

namespace atl {
namespace {

using toy::factory;

PolicyContext context_for(const GenomeSchema& schema, std::size_t size, std::uint32_t horizon,
                          std::uint64_t seed = 1) {
  PolicyContext context;
  context.schema = &schema;
  context.cost_width = 3;
  context.size = size;
  context.generations = horizon;
  context.seed = seed;
  context.task = 2;
  context.island = 5;
  return context;
}

std::vector<std::string> all_combinations() {
  const std::vector<std::string> selections = {"{tournament: {size: 3}}",
                                               "{tournament: {size: 4, replacement: false}}",
                                               "roulette",
                                               "{rank: {pressure: 1.5}}",
                                               "universal",
                                               "{universal: {on: fitness}}",
                                               "{truncation: {share: 0.3}}",
                                               "random"};
  const std::vector<std::string> crossovers = {"none", "{uniform: {rate: 0.7, swap: 0.3}}",
                                               "{one_point: {rate: {anneal: [0.9, 0.1]}}}", "two_point"};
  const std::vector<std::string> survivals = {
      "{generational: {elites: 3}}",
      "{plus: {offspring: 17}}",
      "comma",
      "{steady_state: {replace: worst}}",
      "{steady_state: {replace: random, if_better: true, offspring: 9}}",
      "{steady_state: {replace: oldest}}",
      "{ageing: {max_age: 2}}"};
  const std::vector<std::string> mutations = {
      "{rate: 0.5, genes: 3}", "{rate: {anneal: {from: 0.8, to: 0.05, shape: geometric}}}",
      "{rate: {one_fifth: {start: 0.3}}, genes: {one_fifth: {start: 4, factor: 2}}}",
      "{rate: self_adaptive, genes: {self_adaptive: {start: 2, tau: 0.5}}}"};
  std::vector<std::string> policies = {"random_search"};
  for (const std::string& selection : selections)
    for (const std::string& crossover : crossovers)
      for (const std::string& survival : survivals)
        for (const std::string& mutation : mutations)
          policies.push_back("{selection: " + selection + ", crossover: " + crossover +
                             ", survival: " + survival + ", mutation: " + mutation + "}");
  return policies;
}

void put_in_migrant(Policy& policy, const GenomeSchema& schema, std::uint32_t g) {
  Population migrant(schema.integer_width(), schema.real_width(), 3);
  migrant.resize(1);
  Random random({9, Purpose::test, 0, 0, g, 0});
  random_row(schema, random, migrant.integers(0), migrant.reals(0));
  toy::mixed_target(migrant, 0);
  migrant.id[0] = individual_id(2, g, 7, 0);
  migrant.origin[0] = Origin::migrant;
  policy.population().copy_row(g % policy.population().size(), migrant, 0);
}

// Runs `generations`, going through save and load into a fresh policy before every one named in `stops`.
std::vector<std::uint64_t> run(const PolicyFactory& policies, const PolicyContext& context,
                               std::uint32_t generations, const std::set<std::uint32_t>& stops) {
  std::unique_ptr<Policy> policy = policies.make(context);
  std::vector<std::uint64_t> digests;
  Population offspring;
  for (std::uint32_t g = 0; g < generations; ++g) {
    if (stops.contains(g)) {
      std::stringstream bytes;
      policy->save(bytes);
      policy = policies.make(context);
      policy->load(bytes);
      offspring = Population();
    }
    digests.push_back(toy::generation(*policy, context, g, offspring, toy::mixed_target));
    if (g % 2 == 1) put_in_migrant(*policy, *context.schema, g);
    digests.push_back(toy::digest(policy->population()));
  }
  return digests;
}

TEST(EvolutionPolicy, StoppedAndResumedAnywhereIsTheSameRunForEveryCombination) {
  const GenomeSchema schema = toy::mixed();
  const PolicyContext context = context_for(schema, 12, 6);
  std::uint32_t n = 0;
  for (const std::string& yaml : all_combinations()) {
    const PolicyFactory policies = factory(yaml);
    const auto whole = run(policies, context, 6, {});
    ASSERT_EQ(whole, run(policies, context, 6, {1 + n % 5})) << yaml;
    if (n % 10 == 0) {
      ASSERT_EQ(whole, run(policies, context, 6, {0, 1, 2, 3, 4, 5})) << yaml;
    }
    ++n;
  }
  EXPECT_EQ(n, 8U * 4 * 7 * 4 + 1);
}

TEST(EvolutionPolicy, AnotherSeedIslandOrTaskIsAnotherRun) {
  const GenomeSchema schema = toy::mixed();
  const PolicyContext context = context_for(schema, 12, 6);
  const PolicyFactory policies = PolicyFactory::standard();
  const auto base = run(policies, context, 3, {});
  for (int which = 0; which < 3; ++which) {
    PolicyContext other = context;
    (which == 0 ? other.island : other.task) += which < 2 ? 1 : 0;
    if (which == 2) other.seed += 1;
    EXPECT_NE(base, run(policies, other, 3, {})) << which;
  }
}

double best_after(const std::string& yaml, const GenomeSchema& schema, const toy::Judge& judge,
                  std::size_t size, std::uint32_t generations, std::uint64_t seed) {
  const PolicyContext context = context_for(schema, size, generations, seed);
  const auto policy = factory(yaml).make(context);
  Population offspring;
  double best = std::numeric_limits<double>::infinity();
  for (std::uint32_t g = 0; g < generations; ++g) {
    toy::generation(*policy, context, g, offspring, judge);
    best = std::min(best, policy->population().fitness[policy->population().best()]);
  }
  return best;
}

TEST(EvolutionPolicy, EveryKindBeatsRandomSearchOnOneMaxClearly) {
  const GenomeSchema schema = toy::bits(80);
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const double random = best_after("random_search", schema, toy::one_max, 40, 60, seed);
    EXPECT_GT(random, -65);
    for (const char* yaml :
         {"standard", "selection: roulette", "{selection: universal, survival: {ageing: {max_age: 5}}}",
          "{selection: {truncation: {share: 0.3}}, survival: {steady_state: {replace: oldest}}}",
          "{selection: rank, crossover: none, survival: plus}",
          "{crossover: two_point, mutation: {rate: self_adaptive}, survival: comma}",
          "{crossover: one_point, mutation: {genes: {one_fifth: {start: 8}}}, survival: plus}",
          "{selection: random, survival: {steady_state: {replace: worst}}}"})
      EXPECT_LT(best_after(yaml, schema, toy::one_max, 40, 60, seed), random - 8) << yaml;
  }
}

TEST(EvolutionPolicy, RecordsGrowAndShrinkToTheWantedNumber) {
  const GenomeSchema schema = toy::mixed();
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const double random = best_after("random_search", schema, toy::mixed_target, 40, 60, seed);
    const double evolved = best_after("standard", schema, toy::mixed_target, 40, 60, seed);
    EXPECT_LT(evolved, 2) << "first gene 0 or 2, all else on target";
    EXPECT_LT(evolved, random / 4);
  }
}

TEST(EvolutionPolicy, ReportsWhereEveryChildComesFrom) {
  const GenomeSchema schema = toy::mixed();
  const PolicyContext context = context_for(schema, 50, 20);
  const auto policy =
      factory("{crossover: {uniform: {rate: 0.5}}, mutation: {rate: 0.5, genes: 1}}").make(context);
  Population offspring;
  std::set<Origin> seen;
  for (std::uint32_t g = 0; g < 20; ++g) {
    policy->ask(g, offspring);
    const Population& parents = policy->population();
    for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
      const Origin origin = offspring.origin[slot];
      seen.insert(origin);
      ASSERT_EQ(offspring.parent_a[slot] == no_individual, g == 0);
      ASSERT_EQ(offspring.parent_b[slot] != no_individual, origin == Origin::crossover);
      ASSERT_EQ(offspring.id[slot], no_individual);
      if (g == 0) continue;
      const auto mother = std::ranges::find(parents.id, offspring.parent_a[slot]) - parents.id.begin();
      ASSERT_LT(mother, static_cast<std::ptrdiff_t>(parents.size()));
      const auto row = static_cast<std::size_t>(mother);
      const bool same = std::ranges::equal(parents.integers(row), offspring.integers(slot)) &&
                        std::ranges::equal(parents.reals(row), offspring.reals(slot));
      if (origin != Origin::crossover) {
        ASSERT_EQ(same, origin == Origin::copy);
      }
    }
    for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
      toy::mixed_target(offspring, slot);
      offspring.id[slot] = individual_id(context.task, g, context.island, slot);
    }
    policy->tell(g, offspring);
    ASSERT_EQ(policy->population().size(), 50U);
  }
  EXPECT_EQ(seen, (std::set<Origin>{Origin::random, Origin::crossover, Origin::mutation, Origin::copy}));
}

TEST(EvolutionPolicy, BatchesAreAsLargeAsAnnounced) {
  const GenomeSchema schema = toy::mixed();
  for (const char* yaml :
       {"standard", "random_search", "survival: comma", "survival: {plus: {offspring: 7}}"}) {
    const PolicyContext context = context_for(schema, 30, 4);
    const auto policy = factory(yaml).make(context);
    Population offspring;
    std::size_t largest = 0;
    for (std::uint32_t g = 0; g < 4; ++g) {
      toy::generation(*policy, context, g, offspring, toy::mixed_target);
      largest = std::max(largest, offspring.size());
    }
    EXPECT_EQ(largest, policy->largest_batch()) << yaml;
  }
}

TEST(EvolutionPolicy, OneFifthRaisesTheRateWhereChildrenSucceed) {
  const GenomeSchema schema = toy::bits(30);
  const PolicyContext context = context_for(schema, 20, 10);
  // Two judges: every newcomer better than all before it, or worse.
  for (const bool success : {true, false}) {
    const auto policy =
        factory("{crossover: none, mutation: {rate: {one_fifth: {start: 0.3}}}}").make(context);
    Population offspring;
    double made = 0;
    std::vector<double> changed;
    for (std::uint32_t g = 0; g < 30; ++g) {
      toy::generation(*policy, context, g, offspring, [&](Population& rows, std::size_t row) {
        made += success ? -1 : 1;
        rows.fitness[row] = made;
        rows.violation[row] = 0;
      });
      changed.push_back(static_cast<double>(std::ranges::count(offspring.origin, Origin::copy)));
    }
    const double early = changed[1] + changed[2], late = changed[28] + changed[29];
    EXPECT_GT(early, 10);
    if (success) {
      EXPECT_EQ(late, 0);  // rate 1: no plain copies
    } else {
      EXPECT_GT(late, early);
    }
  }
}

TEST(EvolutionPolicy, DamagedOrForeignStateIsRefusedAndNothingChanges) {
  const GenomeSchema schema = toy::mixed(), other = toy::bits(9);
  const PolicyContext context = context_for(schema, 10, 5);
  const auto policy = PolicyFactory::standard().make(context);
  Population offspring;
  toy::generation(*policy, context, 0, offspring, toy::mixed_target);
  const std::uint64_t before = toy::digest(policy->population());
  std::stringstream saved;
  policy->save(saved);

  std::stringstream cut(saved.str().substr(0, saved.str().size() / 2));
  EXPECT_THROW(policy->load(cut), CheckpointError);
  std::stringstream nonsense("these are no archives");
  EXPECT_THROW(policy->load(nonsense), CheckpointError);
  EXPECT_EQ(toy::digest(policy->population()), before);

  const PolicyContext foreign = context_for(other, 10, 5);
  std::stringstream again(saved.str()), once_more(saved.str());
  EXPECT_THROW(PolicyFactory::standard().make(foreign)->load(again), CheckpointError);
  EXPECT_THROW(factory("mutation: {rate: self_adaptive}").make(context)->load(once_more), CheckpointError);
}

TEST(RandomSearch, KeepsTheBestSeenAndDrawsFreshRowsEveryGeneration) {
  const GenomeSchema schema = toy::bits(60);
  const PolicyContext context = context_for(schema, 10, 20);
  RandomSearch search(context);
  Population offspring;
  std::vector<double> seen;
  std::set<std::vector<std::int32_t>> rows;
  for (std::uint32_t g = 0; g < 20; ++g) {
    toy::generation(search, context, g, offspring, toy::one_max);
    seen.insert(seen.end(), offspring.fitness.begin(), offspring.fitness.end());
    for (std::size_t row = 0; row < offspring.size(); ++row)
      rows.insert({offspring.integers(row).begin(), offspring.integers(row).end()});
    std::ranges::sort(seen);
    auto kept = search.population().fitness;
    std::ranges::sort(kept);
    ASSERT_TRUE(std::equal(kept.begin(), kept.end(), seen.begin()));
  }
  EXPECT_EQ(rows.size(), 200U);
}

}  // namespace
}  // namespace atl
