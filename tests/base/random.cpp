#include "atoll/base/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Random123 1.14, tests/kat_vectors, the three lines "philox4x32 10".
TEST(RandomTest, PhiloxAnswersAsPublished) {
  EXPECT_EQ(philox_block({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox_block({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox_block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

// The layout of key and counter is part of "the same run". The figures come from a separate
// implementation of splitmix64 and Philox, not from this one.
TEST(RandomTest, StreamsNeverChange) {
  Random random({42, Purpose::variation, 2, 7, 5, 6});
  const std::array<std::uint32_t, 8> expected = {0x3a31f73d, 0x0d28ff49, 0xb1ff7070, 0xbaf596b7,
                                                 0xdba2ee50, 0x298d763e, 0x924ab57c, 0x149ae713};
  for (const std::uint32_t value : expected) EXPECT_EQ(random.next32(), value);
  EXPECT_EQ(mix64(0), 0xe220a8397b1dcdafULL);  // first output of splitmix64 seeded with 0
}

TEST(RandomTest, EveryPartOfTheKeyMatters) {
  const std::vector<RandomKey> keys = {{1, Purpose::test, 0, 0, 0, 0},      {2, Purpose::test, 0, 0, 0, 0},
                                       {1, Purpose::selection, 0, 0, 0, 0}, {1, Purpose::test, 1, 0, 0, 0},
                                       {1, Purpose::test, 0, 1, 0, 0},      {1, Purpose::test, 0, 0, 1, 0},
                                       {1, Purpose::test, 0, 0, 0, 1},      {1, Purpose::test, 4095, 0, 0, 0},
                                       {1, Purpose::test, 0, 1048575, 0, 0}};
  std::set<std::uint64_t> first;
  for (const RandomKey& key : keys) first.insert(Random(key).next64());
  EXPECT_EQ(first.size(), keys.size());
}

TEST(RandomTest, RefusesKeysOutOfRange) {
  EXPECT_THROW(Random({1, Purpose::test, 4096, 0, 0, 0}), InternalError);
  EXPECT_THROW(Random({1, Purpose::test, 0, 1048576, 0, 0}), InternalError);
}

// Statistic of Pearson against equal shares.
double chi_square(const std::vector<std::uint32_t>& counts) {
  double total = 0;
  for (const std::uint32_t count : counts) total += count;
  const double expected = total / static_cast<double>(counts.size());
  double sum = 0;
  for (const std::uint32_t count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Six standard deviations of the chi-square distribution around its mean: a right generator with fixed
// seeds stays inside, a share wrong by some percent does not.
void expect_uniform(const std::vector<std::uint32_t>& counts) {
  const double freedom = static_cast<double>(counts.size()) - 1;
  EXPECT_LT(chi_square(counts), freedom + 6 * std::sqrt(2 * freedom));
  EXPECT_GT(chi_square(counts), freedom - 6 * std::sqrt(2 * freedom));
}

TEST(RandomTest, BelowIsUniform) {
  for (const std::uint32_t n : {2U, 3U, 7U, 100U, 1000U}) {
    Random random({7, Purpose::test, 0, 0, 0, n});
    std::vector<std::uint32_t> counts(n);
    for (int i = 0; i < 200000; ++i) ++counts[random.below(n)];
    expect_uniform(counts);
  }
}

// With n = 3 * 2^30, taking remainders or skipping the rejection would double the share of a part.
TEST(RandomTest, BelowHasNoBiasForLargeRanges) {
  Random random({8, Purpose::test, 0, 0, 0, 0});
  std::vector<std::uint32_t> counts(3);
  for (int i = 0; i < 300000; ++i) ++counts[random.below(3U << 30) >> 30];
  expect_uniform(counts);
}

TEST(RandomTest, UniformFillsTheUnitIntervalEvenly) {
  Random random({9, Purpose::test, 0, 0, 0, 0});
  std::vector<std::uint32_t> counts(256);
  for (int i = 0; i < 500000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    ++counts[static_cast<std::size_t>(value * 256)];
  }
  expect_uniform(counts);
}

// Neighbouring streams (individual i and i + 1, generation g and g + 1) must not go together: all pairs
// of their first draws fill a square evenly.
TEST(RandomTest, NeighbouringStreamsAreIndependent) {
  std::vector<std::uint32_t> by_individual(256);
  std::vector<std::uint32_t> by_generation(256);
  std::vector<std::uint32_t> by_island(256);
  for (std::uint32_t i = 0; i < 100000; ++i) {
    const std::uint32_t here = Random({3, Purpose::test, 0, i, i, i}).next32() >> 28;
    ++by_individual[here * 16 + (Random({3, Purpose::test, 0, i, i, i + 1}).next32() >> 28)];
    ++by_generation[here * 16 + (Random({3, Purpose::test, 0, i, i + 1, i}).next32() >> 28)];
    ++by_island[here * 16 + (Random({3, Purpose::test, 0, i + 1, i, i}).next32() >> 28)];
  }
  expect_uniform(by_individual);
  expect_uniform(by_generation);
  expect_uniform(by_island);
}

TEST(RandomTest, BetweenKeepsItsBounds) {
  constexpr std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  constexpr std::int32_t highest = std::numeric_limits<std::int32_t>::max();
  Random random({4, Purpose::test, 0, 0, 0, 0});
  const std::array<std::array<std::int32_t, 2>, 6> ranges = {
      {{5, 5}, {-3, 3}, {0, 1}, {lowest, highest}, {highest - 1, highest}, {lowest, lowest + 2}}};
  for (const auto& [low, high] : ranges) {
    std::set<std::int32_t> seen;
    for (int i = 0; i < 2000; ++i) {
      const std::int32_t value = random.between(low, high);
      ASSERT_GE(value, low);
      ASSERT_LE(value, high);
      seen.insert(value);
    }
    const std::int64_t values = static_cast<std::int64_t>(high) - low + 1;
    if (values < 10) {
      EXPECT_EQ(static_cast<std::int64_t>(seen.size()), values) << low << " to " << high;
    }
  }
}

TEST(RandomTest, ChanceMeetsItsProbability) {
  Random random({5, Purpose::test, 0, 0, 0, 0});
  for (const double p : {0.0, 0.1, 0.5, 0.93, 1.0}) {
    int hits = 0;
    constexpr int draws = 200000;
    for (int i = 0; i < draws; ++i) hits += random.chance(p) ? 1 : 0;
    EXPECT_NEAR(hits, p * draws, 5 * std::sqrt(draws * p * (1 - p)) + 1e-9) << p;
  }
}

TEST(RandomTest, NormalHasTheRightMomentsAndTails) {
  Random random({6, Purpose::test, 0, 0, 0, 0});
  constexpr int draws = 1000000;
  double sum = 0;
  double squares = 0;
  double cubes = 0;
  double fourths = 0;
  int beyond_two = 0;
  for (int i = 0; i < draws; ++i) {
    const double z = random.normal();
    sum += z;
    squares += z * z;
    cubes += z * z * z;
    fourths += z * z * z * z;
    beyond_two += z > 2 ? 1 : 0;
  }
  // Five standard errors each: 1, sqrt 2, sqrt 15 and sqrt 96 over sqrt n.
  EXPECT_NEAR(sum / draws, 0, 5e-3);
  EXPECT_NEAR(squares / draws, 1, 5e-3 * std::sqrt(2.0));
  EXPECT_NEAR(cubes / draws, 0, 5e-3 * std::sqrt(15.0));
  EXPECT_NEAR(fourths / draws, 3, 5e-3 * std::sqrt(96.0));
  EXPECT_NEAR(beyond_two, draws * 0.0227501, 5 * std::sqrt(draws * 0.0227501));
}

}  // namespace
}  // namespace atl
