#include "atoll/evolution/evolution_policy.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "atoll/evolution/random_search.hpp"
#include "toy.hpp"

namespace atoll {
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

}  // namespace
}  // namespace atoll
