#include "atoll/mapper/bounded_search.hpp"

#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/mapper/mapping_space.hpp"
#include "cases.hpp"

namespace atl {
namespace {

BoundedSearchSettings with_budget(std::uint32_t budget, std::size_t cache = 0) {
  BoundedSearchSettings settings;
  settings.budget = budget;
  settings.cache = cache;
  return settings;
}

void expect_equal(const FoundMapping& a, const FoundMapping& b) {
  EXPECT_EQ(a.json, b.json);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.costs, b.costs);
  EXPECT_EQ(a.fitness, b.fitness);
  EXPECT_EQ(a.evaluations, b.evaluations);
}

TEST(BoundedSearch, FindsLegalMappingsWithinItsBudgetAndNotBelowTheBounds) {
  Random random({.seed = 21, .task = 1});
  for (int i = 0; i < 60; ++i) {
    const Accelerator accelerator = cases::random_accelerator(random);
    const Layer layer = cases::random_layer(random);
    const std::uint32_t budget = 1 + random.below(150);
    BoundedSearch search(accelerator, "loopnest", with_budget(budget));
    const auto found = search.find(layer);
    EXPECT_EQ(check(found->mapping, layer, accelerator, true), "");
    EXPECT_LE(found->evaluations, budget);
    EXPECT_GE(found->evaluations, 1U);
    EXPECT_GE(found->costs[cost::cycles], found->costs[cost::bound_cycles]);
    EXPECT_EQ(found->fitness, found->costs[cost::edp]);
    std::vector<double> again(found->costs.size());
    const HardwareRow hardware = hardware_row(accelerator);
    search.simulator().evaluate({{&layer, 1}, {&hardware, 1}, {&found->mapping, 1}}, again);
    EXPECT_EQ(again, found->costs);
  }
}

TEST(BoundedSearch, DependsOnNeitherCacheNorOrderOfCalls) {
  const std::vector<Layer> layers = cases::resnet18();
  BoundedSearch plain(cases::eyeriss_like(), "loopnest", with_budget(150));
  BoundedSearch tiny(cases::eyeriss_like(), "loopnest", with_budget(150, 2));
  BoundedSearch large(cases::eyeriss_like(), "loopnest", with_budget(150, 100));
  std::vector<std::shared_ptr<const FoundMapping>> expected;
  for (const Layer& layer : layers) expected.push_back(plain.find(layer));
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = layers.size(); i-- > 0;) {
      expect_equal(*tiny.find(layers[i]), *expected[i]);
      expect_equal(*large.find(layers[i]), *expected[i]);
    }
  EXPECT_EQ(plain.hits(), 0U);
  EXPECT_EQ(large.hits(), layers.size());
  EXPECT_EQ(large.searches(), layers.size());
  EXPECT_LT(tiny.hits(), layers.size());
}

TEST(BoundedSearch, ForgetsTheLayerThatWasUnusedLongest) {
  const std::vector<Layer> layers = cases::resnet18();
  BoundedSearch search(cases::plain(), "loopnest", with_budget(5, 2));
  search.find(layers[0]);
  search.find(layers[1]);
  search.find(layers[0]);
  search.find(layers[2]);  // layers[1] is forgotten
  search.find(layers[0]);
  EXPECT_EQ(search.searches(), 3U);
  search.find(layers[1]);
  EXPECT_EQ(search.searches(), 4U);
}

TEST(BoundedSearch, TraitsAndSeedMatter) {
  Layer layer = cases::conv(64, 64, 28, 3);
  BoundedSearchSettings settings = with_budget(60, 10);
  BoundedSearch search(cases::eyeriss_like(), "loopnest", settings);
  const auto dense = search.find(layer);
  layer.traits[0].density = 0.5F;
  search.find(layer);
  EXPECT_EQ(search.searches(), 2U);
  bool differs = false;
  for (settings.seed = 2; settings.seed < 6; ++settings.seed) {
    BoundedSearch other(cases::eyeriss_like(), "loopnest", settings);
    differs = differs || other.find(cases::conv(64, 64, 28, 3))->json != dense->json;
  }
  EXPECT_TRUE(differs);
}

TEST(BoundedSearch, ABudgetOfHundredsComesNearALongSearch) {
  double short_edp = 0, long_edp = 0, random_edp = 0;
  BoundedSearch quick(cases::eyeriss_like(), "loopnest", with_budget(400));
  BoundedSearch thorough(cases::eyeriss_like(), "loopnest", with_budget(8000));
  for (const Layer& layer :
       {cases::conv(64, 64, 56, 3), cases::conv(512, 256, 7, 1, 2), cases::resnet18().back()}) {
    short_edp += quick.find(layer)->fitness / thorough.find(layer)->fitness;
    long_edp += 1;
    const Accelerator accelerator = cases::eyeriss_like();
    const LayerMappingSpace space(MappingLayout(std::span(&layer, 1), accelerator), layer, accelerator);
    Random random({.seed = 4, .task = 9});
    std::vector<std::int32_t> row(space.schema().integer_width());
    const HardwareRow hardware = hardware_row(accelerator);
    std::vector<double> costs(quick.simulator().schema().width());
    double best = 0;
    for (int i = 0; i < 400; ++i) {
      Mapping mapping;
      random_row(space.schema(), random, row, {});
      space.repair(row, mapping);
      quick.simulator().evaluate({{&layer, 1}, {&hardware, 1}, {&mapping, 1}}, costs);
      if (i == 0 || costs[cost::edp] < best) best = costs[cost::edp];
    }
    random_edp += best / thorough.find(layer)->fitness;
  }
  EXPECT_LT(short_edp, 1.3 * long_edp);
  EXPECT_LT(short_edp, random_edp);
}

TEST(BoundedSearch, RefusesWhatItCannotDo) {
  EXPECT_THROW(BoundedSearch(cases::plain(), "loopnest", with_budget(0)), InputError);
  EXPECT_THROW(BoundedSearch(cases::plain(), "no such simulator", with_budget(1)), InputError);
  BoundedSearchSettings settings;
  settings.objective = "no such column";
  EXPECT_THROW(BoundedSearch(cases::plain(), "loopnest", settings), InputError);
}

}  // namespace
}  // namespace atl
