// LOMA against an enumeration that knows nothing of prefix shifts; goldens of ZigZag itself stand in
// tests/exchange/zigzag_rows.cpp. Allocations of this program are counted: costing an order must not
// allocate.
#include "atoll/mapper/loma.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <new>

#include "../simulator/zigzag_cases.hpp"
#include "atoll/base/error.hpp"
#include "atoll/network/network.hpp"

namespace {

std::atomic<std::uint64_t>& allocations() {
  static std::atomic<std::uint64_t> count{0};
  return count;
}

}  // namespace

// Not inlined: GCC would see one half of a pair only and warn of a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  allocations().fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size != 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace atl {
namespace {

const std::vector<std::string>& names() {
  static const std::vector<std::string> all = {"ascend_like", "edge_tpu_like",  "eyeriss_like",   "gemm_l1",
                                               "gemm_l1_l3",  "meta_prototype", "tesla_npu_like", "tpu_like"};
  return all;
}

struct Drawn {
  ZigzagAccelerator accelerator;
  ZigzagModel model;
};

Drawn draw(Random& random) {
  Drawn drawn;
  drawn.accelerator = test::shipped(names()[random.below(static_cast<std::uint32_t>(names().size()))]);
  const ZigzagLayer layer = test::random_zigzag_layer(random);
  drawn.model =
      compile_zigzag(drawn.accelerator, layer, test::random_unrolling(random, drawn.accelerator, layer));
  return drawn;
}

using Order = std::vector<std::pair<ZigzagDim, double>>;

Order sorted(const ZigzagLoops& loops) {
  Order order;
  for (std::size_t i = 0; i < loops.count; ++i) order.emplace_back(loops.dim[i], loops.size[i]);
  std::sort(order.begin(), order.end());
  return order;
}

double merit(const ZigzagCosts& costs, LomaGoal goal) {
  switch (goal) {
    case LomaGoal::latency:
      return costs.latency[2];
    case LomaGoal::energy:
      return costs.total_energy;
    case LomaGoal::edp:
      return costs.latency[2] * costs.total_energy;
  }
  return 0;
}

TEST(Loma, FindsTheBestOfAllOrders) {
  Random random({.seed = 5, .purpose = Purpose::test});
  std::size_t searched = 0, unfit = 0;
  for (int i = 0; i < 60; ++i) {
    const Drawn drawn = draw(random);
    const auto goal = static_cast<LomaGoal>(random.below(3));
    const std::size_t most = 1 + random.below(5);
    Order order = sorted(loma_factors(drawn.model, most));
    std::uint64_t orders = 0, fitting = 0;
    double best = 0;
    do {
      ++orders;
      ZigzagMapping mapping;
      mapping.loops.count = order.size();
      for (std::size_t l = 0; l < order.size(); ++l)
        std::tie(mapping.loops.dim[l], mapping.loops.size[l]) = order[l];
      if (!allocate(drawn.model, mapping)) continue;
      ASSERT_EQ(check(drawn.model, mapping), "");
      ZigzagCosts costs;
      evaluate(drawn.model, mapping, costs);
      if (fitting++ == 0 || merit(costs, goal) < best) best = merit(costs, goal);
    } while (std::next_permutation(order.begin(), order.end()));
    if (fitting == 0) {
      EXPECT_THROW(loma(drawn.model, {most, goal}), InputError);
      ++unfit;
      continue;
    }
    const LomaResult found = loma(drawn.model, {most, goal});
    EXPECT_EQ(found.orders, orders);
    EXPECT_EQ(found.evaluated, fitting);
    EXPECT_EQ(merit(found.costs, goal), best);
    ZigzagCosts again;
    evaluate(drawn.model, found.mapping, again);
    EXPECT_EQ(merit(again, goal), best);
    ++searched;
  }
  EXPECT_GE(searched, 30U);
  EXPECT_GE(unfit, 1U);
}

TEST(Loma, ResNet18OnTpuLikeCostsWhatZigzagFound) {
  // ZigZag 3d12a96e, full LOMA for least latency: 3703960.5 cycles, 1871436380.656 pJ, in 120 CPU-seconds.
  const ZigzagAccelerator accelerator = test::shipped("tpu_like");
  const Network network = read_network(std::string(ATOLL_SOURCE_DIR) + "/configs/networks/resnet18.yaml");
  double cycles = 0, energy = 0;
  for (const auto& [index, count] : network.distinct(true)) {
    const ZigzagLayer layer = test::zigzag_layer(network.layers[index].layer);
    const LomaResult found =
        loma(compile_zigzag(accelerator, layer, test::tpu_like_unrolling(accelerator, layer)), {});
    cycles += static_cast<double>(count) * found.costs.latency[2];
    energy += static_cast<double>(count) * found.costs.total_energy;
  }
  EXPECT_EQ(cycles, 3703960.5);
  EXPECT_NEAR(energy, 1871436380.656, 1e-3);
}

TEST(Loma, FactorsMultiplyUpAndKeepToTheLimit) {
  Random random({.seed = 6, .purpose = Purpose::test});
  for (int i = 0; i < 300; ++i) {
    const Drawn drawn = draw(random);
    const std::size_t most = 1 + random.below(10);
    const ZigzagLoops whole = temporal_loops(drawn.model), factors = loma_factors(drawn.model, most);
    EXPECT_LE(factors.count, std::max(most, whole.count));
    std::map<ZigzagDim, double> left;
    for (std::size_t l = 0; l < whole.count; ++l) left[whole.dim[l]] = whole.size[l];
    for (std::size_t l = 0; l < factors.count; ++l) left[factors.dim[l]] /= factors.size[l];
    for (const auto& [dim, rest] : left) EXPECT_EQ(rest, 1) << zigzag_dim_names[index(dim)];
  }
}

TEST(Loma, MergesTheSmallestFactorsOfTheLongestDimension) {
  ZigzagLayer layer;
  layer.size = {1, 1, 24, 15, 1, 1, 1, 1};  // K = 2 2 2 3, C = 3 5
  const ZigzagModel model = compile_zigzag(test::shipped("tpu_like"), layer, {});
  const auto text = [&](std::size_t most) {
    std::string result;
    const ZigzagLoops loops = loma_factors(model, most);
    for (std::size_t l = 0; l < loops.count; ++l)
      result += std::string(zigzag_dim_names[index(loops.dim[l])]) + std::to_string(int(loops.size[l])) + " ";
    return result;
  };
  EXPECT_EQ(text(6), "K2 K2 K2 K3 C3 C5 ");
  EXPECT_EQ(text(5), "K2 K3 K4 C3 C5 ");
  EXPECT_EQ(text(4), "K4 K6 C3 C5 ");
  EXPECT_EQ(text(3), "K24 C3 C5 ");
  EXPECT_EQ(text(1), "K24 C15 ");  // never fewer than dimensions
}

TEST(Loma, RefusesWhatItCannotSearch) {
  const ZigzagModel model = compile_zigzag(test::shipped("tpu_like"), ZigzagLayer{}, {});
  EXPECT_THROW(loma(model, {0, LomaGoal::latency}), InputError);
  EXPECT_THROW(loma(model, {loma_most_loops + 1, LomaGoal::latency}), InputError);
  EXPECT_EQ(loma(model, {}).orders, 1U);  // a single multiplication
  EXPECT_THROW(loma_goal("speed"), InputError);
  EXPECT_EQ(loma_goal("EDP"), LomaGoal::edp);
}

TEST(Loma, CostingAnOrderAllocatesNothing) {
  Random random({.seed = 7, .purpose = Purpose::test});
  std::uint64_t used = 0, costed = 0;
  for (int i = 0; i < 40; ++i) {
    const Drawn drawn = draw(random);
    ZigzagMapping mapping;
    ZigzagCosts costs;
    mapping.loops = loma_factors(drawn.model, 6);
    for (int order = 0; order < 20; ++order) {
      test::shuffle(mapping.loops, random);
      const std::uint64_t before = allocations().load();
      if (allocate(drawn.model, mapping)) {
        evaluate(drawn.model, mapping, costs);
        ++costed;
      }
      used += allocations().load() - before;
    }
  }
  EXPECT_EQ(used, 0U);
  EXPECT_GE(costed, 300U);
  EXPECT_GT(allocations().load(), 0U);  // the counter counts: reading the descriptions allocated
}

}  // namespace
}  // namespace atl
