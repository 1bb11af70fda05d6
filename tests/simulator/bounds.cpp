#include "atoll/simulator/bounds.hpp"

#include <gtest/gtest.h>

#include <set>

#include "atoll/base/error.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

std::uint64_t touched_rows(const Layer& layer, Dim rows, Dim taps, std::size_t a) {
  std::set<std::int64_t> touched;
  for (std::int64_t p = 0; p < layer[rows]; ++p)
    for (std::int64_t r = 0; r < layer[taps]; ++r) {
      const std::int64_t row = p * layer.stride[a] + r * layer.dilation[a] - layer.padding_before[a];
      if (row >= 0 && row < layer.input_extent[a]) touched.insert(row);
    }
  return touched.size();
}

TEST(Bounds, InputsAreThoseThatWindowsReach) {
  for (std::uint32_t i = 0; i < 3000; ++i) {
    Random random = stream(i, 5);
    const Layer layer = random_layer(random, 1U << 20);
    const std::uint64_t expected = std::uint64_t{layer[Dim::N]} * layer[Dim::G] * layer[Dim::C] *
                                   touched_rows(layer, Dim::P, Dim::R, 0) *
                                   touched_rows(layer, Dim::Q, Dim::S, 1);
    ASSERT_EQ(compulsory_words(layer).inputs, expected) << layer_key(layer);
  }
}

TEST(Bounds, LieBelowEveryMappingAndAreReachedByOne) {
  std::size_t reached = 0;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    const Case one = random_case(300000 + i, 100000);
    const auto costs = evaluate(*make_simulator("loopnest", one.accelerator), one);
    const Bounds bound = bounds(one.layer, one.accelerator);
    ASSERT_EQ(bound.cycles, costs[cost::bound_cycles]);
    ASSERT_EQ(bound.energy, costs[cost::bound_energy]);
    ASSERT_LE(bound.cycles, costs[cost::cycles_steady]);
    ASSERT_LE(bound.energy, costs[cost::energy] * (1 + 1e-12));
    reached += bound.cycles == costs[cost::cycles_steady] ? 1 : 0;
  }
  EXPECT_GT(reached, 10U);
}

TEST(Bounds, AResultBelowIsAnInternalError) {
  const Case one = random_case(1, 1000);
  std::vector<double> costs(cost::headline_count);
  costs[cost::cycles_steady] = 10;
  costs[cost::energy] = 10;
  const auto require = [&](double cycles, double energy) {
    require_above({.cycles = cycles, .energy = energy}, costs, one.mapping, one.layer, one.accelerator);
  };
  EXPECT_NO_THROW(require(10, 10));
  EXPECT_THROW(require(10.001, 10), InternalError);
  EXPECT_THROW(require(10, 10.001), InternalError);
}

}  // namespace
}  // namespace atl::test
