#include "atoll/evolution/population.hpp"

#include <gtest/gtest.h>

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <limits>

#include "atoll/base/error.hpp"
#include "atoll/evolution/population_archive.hpp"
#include "toy.hpp"

namespace atl {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

Population random_population(std::size_t size, std::uint32_t seed) {
  Population rows(3, 2, 4);
  rows.add_column("age", 2);
  rows.resize(size);
  Random random({seed, Purpose::test, 0, 0, 0, 0});
  for (std::size_t row = 0; row < size; ++row) {
    for (auto& gene : rows.integers(row)) gene = random.between(-100, 100);
    for (auto& gene : rows.reals(row)) gene = random.uniform();
    for (auto& cost : rows.costs(row)) cost = random.uniform();
    for (std::size_t c = 0; c < 2; ++c) rows.extra[0].values[2 * row + c] = random.uniform();
    rows.fitness[row] = random.between(0, 9);
    rows.violation[row] = random.chance(0.4) ? random.between(1, 3) : 0;
    rows.id[row] = individual_id(1, 2, 3, row);
    rows.parent_a[row] = random.next32();
    rows.parent_b[row] = random.next32();
    rows.origin[row] = static_cast<Origin>(random.below(6));
    if (random.chance(0.1)) rows.fitness[row] = nan_value;
    if (random.chance(0.1)) rows.violation[row] = nan_value;
  }
  return rows;
}

TEST(Population, NewRowsAreEmptyAndOldOnesStay) {
  Population rows = random_population(5, 1);
  const std::uint64_t before = toy::digest(rows);
  rows.resize(9);
  for (std::size_t row = 5; row < 9; ++row) {
    EXPECT_EQ(rows.fitness[row], infinity);
    EXPECT_EQ(rows.id[row], no_individual);
    EXPECT_EQ(rows.parent_a[row], no_individual);
    EXPECT_EQ(rows.integers(row)[2], 0);
  }
  EXPECT_EQ(rows.all_costs().size(), 9U * 4);
  rows.resize(5);
  EXPECT_EQ(toy::digest(rows), before);
}

TEST(Population, ARowFromElsewhereKeepsNothingOfTheRowItReplaces) {
  Population rows = random_population(4, 3);
  rows.add_column("step", 1);
  rows.extra[1].values = {1, 2, 3, 4};
  const Population source = random_population(2, 5);  // has "age", but no "step"
  rows.copy_row(2, source, 1);
  EXPECT_EQ(rows.extra[0].values[4], source.extra[0].values[2]);
  EXPECT_EQ(rows.extra[1].values, (std::vector<double>{1, 2, 0, 4}));
}

TEST(Population, CopyAppendAndKeepMoveWholeRows) {
  const Population source = random_population(12, 2);
  Population rows(3, 2, 4);
  rows.add_column("age", 2);
  for (std::size_t row = 0; row < source.size(); ++row) rows.append_row(source, row);
  EXPECT_EQ(toy::digest(rows), toy::digest(source));
  const std::vector<std::uint32_t> order = {7, 0, 11, 3};
  rows.keep(order);
  ASSERT_EQ(rows.size(), 4U);
  Population expected(3, 2, 4);
  expected.add_column("age", 2);
  expected.resize(4);
  for (std::size_t row = 0; row < 4; ++row) expected.copy_row(row, source, order[row]);
  EXPECT_EQ(toy::digest(rows), toy::digest(expected));
  EXPECT_EQ(rows.costs(2)[3], source.costs(11)[3]);
}

TEST(Population, ExtraColumnsFollowTheirNamesNotTheirPlaces) {
  Population source(1, 0, 0), target(1, 0, 0);
  source.add_column("a", 1);
  source.add_column("b", 1);
  target.add_column("b", 1);
  target.add_column("c", 1);
  source.resize(1);
  target.resize(1);
  source.extra[0].values[0] = 1;
  source.extra[1].values[0] = 2;
  target.extra[1].values[0] = 3;
  target.copy_row(0, source, 0);
  EXPECT_EQ(target.extra[0].values[0], 2);
  EXPECT_EQ(target.extra[1].values[0], 0);  // nothing of the row that was replaced
  EXPECT_THROW(target.add_column("b", 2), InternalError);
}

TEST(Population, FeasibleBeforeInfeasibleThenViolationFitnessId) {
  Population rows(0, 0, 0);
  rows.resize(6);
  rows.violation = {0, 0, 1, 1, 2, nan_value};
  rows.fitness = {5, 5, -9, -8, -100, -1000};
  for (std::size_t row = 0; row < 6; ++row) rows.id[row] = row;
  std::vector<std::uint32_t> order;
  rows.rank(order);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(rows.best(), 0U);
  rows.fitness[0] = nan_value;
  EXPECT_EQ(rows.best(), 1U);
}

TEST(Population, BetterIsATotalOrderThatRankAndBestFollow) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    const Population rows = random_population(40, seed);
    std::vector<std::uint32_t> order;
    rows.rank(order);
    ASSERT_EQ(order.front(), rows.best());
    for (std::size_t a = 0; a < order.size(); ++a)
      for (std::size_t b = 0; b < order.size(); ++b)
        ASSERT_EQ(rows.better(order[a], order[b]), a < b) << seed << " " << a << " " << b;
  }
}

TEST(Population, TheArchiveKeepsEverything) {
  const Population rows = random_population(20, 3);
  std::stringstream bytes;
  {
    boost::archive::binary_oarchive out(bytes);
    out << rows;
  }
  Population loaded;
  boost::archive::binary_iarchive in(bytes);
  in >> loaded;
  EXPECT_EQ(toy::digest(loaded), toy::digest(rows));
  EXPECT_TRUE(std::ranges::equal(loaded.all_costs(), rows.all_costs()));
  EXPECT_EQ(loaded.extra[0].name, "age");
  EXPECT_EQ(loaded.cost_width(), 4U);
}

}  // namespace
}  // namespace atl
