#include "atoll/evolution/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/evolution/policy_catalogue.hpp"
#include "toy.hpp"

namespace atl {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& yaml, std::size_t size = 100) {
  try {
    toy::factory(yaml).check(size);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PolicyFactory, AcceptsTheRunFileOfTheManual) {
  for (const char* yaml :
       {"{selection: {truncation: {share: 0.4}}, crossover: {uniform: {rate: 0.6}}, mutation: {rate: 0.3}, "
        "survival: "
        "{elitism: {elites: 10}}}",
        "{selection: {tournament: {size: 2}}, crossover: {two_point: {rate: 0.5}}, mutation: {rate: 0.6}, "
        "survival: "
        "{comma: {offspring: 400}}}",
        "{selection: {rank: {pressure: 1.7}}, mutation: {rate: {anneal: [0.8, 0.05]}}, survival: {plus: "
        "{offspring: "
        "200}}}",
        "{random_search: {}}", "random_search", "{}", "standard",
        "{mutation: {rate: {one_fifth: {start: 0.3}}}}",
        "{mutation: {genes: self_adaptive, sigma: 0.2}, selection: random, crossover: none}"})
    EXPECT_EQ(refusal(yaml, 200), "accepted") << yaml;
}

TEST(PolicyFactory, NamesTheSlipThePlaceAndTheNearestName) {
  EXPECT_THAT(refusal("selection: {turnament: {size: 2}}"), HasSubstr("'tournament'"));
  EXPECT_THAT(refusal("selection: {turnament: {size: 2}}"), HasSubstr("test.yaml:1:"));
  EXPECT_THAT(refusal("\nselection:\n  tournament: {sise: 2}"), HasSubstr("test.yaml:3:16"));
  EXPECT_THAT(refusal("selection: {tournament: {sise: 2}}"), HasSubstr("'size'"));
  EXPECT_THAT(refusal("selectoin: random"), HasSubstr("'selection'"));
  EXPECT_THAT(refusal("survival: plu"), HasSubstr("'plus'"));
  EXPECT_THAT(refusal("random_serch"), HasSubstr("'random_search'"));
  EXPECT_THAT(refusal("mutation: {rate: {aneal: [1, 0]}}"), HasSubstr("'anneal'"));
  EXPECT_THAT(refusal("mutation: {rat: 0.3}"), HasSubstr("'rate'"));
  EXPECT_THAT(refusal("survival: {steady_state: {replace: oldes}}"), HasSubstr("'oldest'"));
  EXPECT_THAT(refusal("selection: {tournament: {}, rank: {}}"), HasSubstr("expected one selection operator"));
  EXPECT_THAT(refusal("selection: [tournament]"), HasSubstr("expected one selection operator"));
  EXPECT_THAT(refusal("{random_search: {}, selection: random}"), HasSubstr("policy of its own"));
}

TEST(PolicyFactory, RefusesValuesOutOfRange) {
  for (const char* yaml : {"selection: {tournament: {size: 0}}",
                           "selection: {tournament: {size: two}}",
                           "selection: {rank: {pressure: 2.5}}",
                           "selection: {truncation: {share: 0}}",
                           "crossover: {uniform: {rate: 1.2}}",
                           "crossover: {uniform: {swap: -1}}",
                           "mutation: {rate: -0.1}",
                           "mutation: {rate: 2}",
                           "mutation: {genes: 0.5}",
                           "mutation: {reset: -1}",
                           "mutation: {rate: {anneal: [0.8]}}",
                           "mutation: {rate: {anneal: [0.8, 7]}}",
                           "mutation: {rate: {anneal: {from: 1}}}",
                           "mutation: {rate: {anneal: {from: 1, to: 0, shape: geometric}}}",
                           "mutation: {rate: anneal}",
                           "mutation: {rate: {constant: {}}}",
                           "mutation: {rate: {one_fifth: {start: 0.01}}}",
                           "mutation: {rate: {one_fifth: {low: 0}}}",
                           "mutation: {rate: {self_adaptive: {tau: 0}}}",
                           "mutation: {rate: [0.1, 0.2]}",
                           "survival: {plus: {offspring: 0}}",
                           "survival: {ageing: {max_age: 0}}",
                           "survival: {steady_state: {if_better: maybe}}",
                           "survival: {comma: {offspring: 70000}}",
                           "crossover: {uniform: {rate: self_adaptive}}",
                           "crossover: {uniform: {rate: {one_fifth: {}}}}"})
    EXPECT_THAT(refusal(yaml), HasSubstr("test.yaml:1:")) << yaml;
}

TEST(PolicyFactory, ChecksRulesThatNeedTheSizeOfTheIsland) {
  EXPECT_THAT(refusal("survival: {elitism: {elites: 10}}", 10),
              HasSubstr("test.yaml:1:30: policies.test.survival.elites"));
  EXPECT_EQ(refusal("survival: {elitism: {elites: 10}}", 11), "accepted");
  EXPECT_THAT(refusal("selection: {tournament: {size: 11}}", 10), HasSubstr("a tournament of 11"));
  EXPECT_THAT(refusal("survival: {comma: {offspring: 99}}", 100),
              HasSubstr("expected 100 to 65535, found 99"));
  EXPECT_EQ(refusal("survival: {comma: {offspring: 100}}", 100), "accepted");
  EXPECT_THAT(refusal("survival: comma", 40000), HasSubstr("found 80000"));
  EXPECT_THAT(refusal("{}", 0), HasSubstr("islands.size"));
  EXPECT_THAT(refusal("{}", 100000), HasSubstr("islands.size"));
  EXPECT_EQ(refusal("random_search", 1), "accepted");
  EXPECT_EQ(refusal("{survival: {plus: {offspring: 5}}, selection: random}", 1), "accepted");
}

TEST(PolicyFactory, TheDescriptionNamesEveryOperatorSettingAndSource) {
  const std::string text = describe_policies();
  const auto expect_all = [&](const auto& entries) {
    for (const auto& entry : entries) {
      EXPECT_THAT(text, HasSubstr("\n  " + entry.name));
      EXPECT_THAT(text, HasSubstr(entry.summary));
      EXPECT_THAT(text, HasSubstr(entry.source));
      for (const auto& setting : entry.settings) EXPECT_THAT(text, HasSubstr(setting.meaning));
    }
  };
  for (const OperatorFamily& family : operator_families()) expect_all(family.operators);
  expect_all(schedule_operators());
  for (const char* source :
       {"Baker 1987", "Rechenberg 1973", "Whitley 1989", "Goldberg & Deb 1991", "Real et al. 2019"})
    EXPECT_THAT(text, HasSubstr(source));
}

// Every setting of the catalogue, given as its default, is what leaving it out means; another value is
// another run.
TEST(PolicyFactory, EveryDefaultInTheCatalogueIsTheOneUsed) {
  const GenomeSchema schema = toy::mixed();
  PolicyContext context;
  context.schema = &schema;
  context.size = 20;
  context.generations = 5;
  const auto fingerprint = [&](const std::string& yaml) {
    const auto policy = toy::factory(yaml).make(context);
    Population offspring;
    std::uint64_t sum = 0;
    for (std::uint32_t g = 0; g < 5; ++g)
      sum = mix64(sum + toy::generation(*policy, context, g, offspring, toy::mixed_target));
    return sum;
  };
  for (const OperatorFamily& family : operator_families()) {
    for (const PolicyOperator& entry : family.operators) {
      const bool direct = family.operators.size() == 1;
      if (family.name == "random_search") continue;
      const auto yaml = [&](const std::string& body) {
        return family.name + ": " + (direct ? "{" + body + "}" : "{" + entry.name + ": {" + body + "}}");
      };
      const std::uint64_t plain = fingerprint(yaml(""));
      for (const auto& setting : entry.settings) {
        if (!setting.fallback_text.empty()) continue;
        std::string value = fmt::format("{:g}", setting.fallback);
        if (setting.kind == SettingKind::boolean) value = setting.fallback != 0 ? "true" : "false";
        if (setting.kind == SettingKind::choice)
          value = setting.choices.at(static_cast<std::size_t>(setting.fallback));
        EXPECT_EQ(fingerprint(yaml(setting.name + ": " + value)), plain) << entry.name << "." << setting.name;
      }
    }
  }
  EXPECT_EQ(fingerprint("{}"), fingerprint("standard"));
  EXPECT_EQ(fingerprint("survival: {elitism: {elites: 4}}"),
            fingerprint("survival: {generational: {elites: 4}}"));
  EXPECT_NE(fingerprint("survival: {elitism: {elites: 4}}"), fingerprint("{}"));
}

// Each setting reaches the code: a value other than the default gives another run.
TEST(PolicyFactory, EverySettingMatters) {
  const GenomeSchema schema = toy::mixed();
  PolicyContext context;
  context.schema = &schema;
  context.size = 20;
  context.generations = 6;
  const auto fingerprint = [&](const std::string& yaml) {
    const auto policy = toy::factory(yaml).make(context);
    Population offspring;
    std::uint64_t sum = 0;
    for (std::uint32_t g = 0; g < 12; ++g)
      sum = mix64(sum + toy::generation(*policy, context, g, offspring, toy::mixed_target) +
                  toy::digest(policy->population()));
    return sum;
  };
  const auto expect_different = [&](const std::vector<std::string>& policies) {
    std::map<std::uint64_t, std::string> seen;
    for (const std::string& yaml : policies) {
      const auto [place, fresh] = seen.emplace(fingerprint(yaml), yaml);
      EXPECT_TRUE(fresh) << yaml << " runs like " << place->second;
    }
  };
  expect_different({"standard",
                    "random_search",
                    "selection: {tournament: {size: 3}}",
                    "selection: {tournament: {replacement: false}}",
                    "selection: roulette",
                    "selection: rank",
                    "selection: {rank: {pressure: 1.1}}",
                    "selection: universal",
                    "selection: {universal: {pressure: 1.1}}",
                    "selection: {universal: {on: fitness}}",
                    "selection: truncation",
                    "selection: {truncation: {share: 0.1}}",
                    "selection: random",
                    "crossover: none",
                    "crossover: one_point",
                    "crossover: two_point",
                    "crossover: {uniform: {rate: 0.9}}",
                    "crossover: {uniform: {swap: 0.4}}",
                    "crossover: {uniform: {rate: {anneal: [0.9, 0.6]}}}",
                    "mutation: {rate: 0.3}",
                    "mutation: {genes: 3}",
                    "mutation: {reset: 5}",
                    "mutation: {creep: 5}",
                    "mutation: {swap: 5}",
                    "mutation: {insert: 5}",
                    "mutation: {remove: 5}",
                    "mutation: {duplicate: 5}",
                    "mutation: {step: 4}",
                    "mutation: {sigma: 0.3}",
                    "mutation: {rate: {anneal: [0.8, 0.05]}}",
                    "mutation: {rate: {anneal: {from: 0.8, to: 0.05, shape: geometric}}}",
                    "mutation: {rate: one_fifth}",
                    "mutation: {rate: {one_fifth: {factor: 2}}}",
                    "mutation: {rate: self_adaptive}",
                    "mutation: {rate: {self_adaptive: {tau: 0.9}}}",
                    "mutation: {rate: {self_adaptive: {start: 0.1}}}",
                    "mutation: {rate: {self_adaptive: {low: 0.6}}}",
                    "mutation: {rate: {self_adaptive: {high: 0.6}}}",
                    "mutation: {rate: {one_fifth: {high: 0.6}}}",
                    "mutation: {rate: {one_fifth: {start: 0.3, target: 0.999}}}",
                    "mutation: {rate: {one_fifth: {start: 0.3, target: 0.999, low: 0.25}}}",
                    "mutation: {rate: {one_fifth: {start: 0.5, target: 0.001}}}",
                    "survival: {generational: {elites: 5}}",
                    "survival: plus",
                    "survival: {plus: {offspring: 30}}",
                    "survival: comma",
                    "survival: {comma: {offspring: 25}}",
                    "survival: steady_state",
                    "survival: {steady_state: {replace: oldest}}",
                    "survival: {steady_state: {replace: random}}",
                    "survival: {steady_state: {replace: random, if_better: true}}",
                    "survival: {ageing: {max_age: 2}}",
                    "survival: {ageing: {max_age: 3}}"});
}

}  // namespace
}  // namespace atl
