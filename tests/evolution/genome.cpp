#include "atoll/evolution/genome.hpp"

#include <gtest/gtest.h>

#include <set>

#include "atoll/base/error.hpp"
#include "checks.hpp"
#include "toy.hpp"

namespace atl {
namespace {

TEST(Genome, BlocksReserveRoomAndNameTheirGenes) {
  GenomeSchema schema;
  schema.add(Gene{"head", GeneKind::range, 0, 3, 0});
  schema.add_block("blocks", {{"op", GeneKind::category, 1, 3, 0}, {"width", GeneKind::range, 2, 9, 0}}, 1,
                   3);
  schema.add(Gene{"tail", GeneKind::bit, 0, 1, 0});
  ASSERT_NO_THROW(schema.validate());
  ASSERT_EQ(schema.integer_width(), 1U + 1 + 3 * 3 + 1);
  const RecordBlock& block = schema.blocks.front();
  EXPECT_EQ(schema.integers[block.first].name, "blocks.count");
  EXPECT_EQ(schema.integers[block.first].low, 1);
  EXPECT_EQ(schema.integers[block.first].high, 3);
  EXPECT_EQ(schema.integers[block.innovation(2)].name, "blocks[2].innovation");
  EXPECT_EQ(schema.integers[block.field(2, 1)].name, "blocks[2].width");
  EXPECT_EQ(schema.integers[block.end()].name, "tail");
}

TEST(Genome, ValidateRefusesEmptyRangesAndOverlaps) {
  GenomeSchema schema = toy::mixed();
  EXPECT_NO_THROW(schema.validate());
  GenomeSchema empty = schema;
  empty.integers[2].low = empty.integers[2].high + 1;
  EXPECT_THROW(empty.validate(), InternalError);
  GenomeSchema real = schema;
  real.reals[0].high = real.reals[0].low - 1;
  EXPECT_THROW(real.validate(), InternalError);
  GenomeSchema overlapping = schema;
  overlapping.blocks[1].first = overlapping.blocks[0].end() - 1;
  EXPECT_THROW(overlapping.validate(), InternalError);
  GenomeSchema beyond = schema;
  beyond.blocks[1].max_count += 50;
  EXPECT_THROW(beyond.validate(), InternalError);
}

TEST(Genome, RandomRowsAreLegalAndReachEveryValue) {
  const GenomeSchema schema = toy::mixed();
  std::vector<std::set<std::int32_t>> seen(schema.integer_width());
  std::vector<std::int32_t> row(schema.integer_width());
  std::vector<double> reals(schema.real_width());
  for (std::uint32_t n = 0; n < 3000; ++n) {
    Random random({3, Purpose::test, 0, 0, 0, n});
    std::ranges::fill(row, -77);
    random_row(schema, random, row, reals);
    ASSERT_EQ(toy::complaint(schema, row, reals), "") << n;
    for (std::size_t i = 0; i < row.size(); ++i) seen[i].insert(row[i]);
  }
  EXPECT_EQ(seen[0].size(), 13U);
  EXPECT_EQ(seen[schema.blocks[0].first].size(), 6U);
  EXPECT_EQ(seen[schema.blocks[1].first], (std::set<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(seen[schema.blocks[0].field(0, 0)], (std::set<std::int32_t>{1, 2, 3}));
}

TEST(Genome, ClampMakesAnyRowLegalAndLeavesLegalOnesAlone) {
  const GenomeSchema schema = toy::mixed();
  std::vector<std::int32_t> row(schema.integer_width());
  std::vector<double> reals(schema.real_width());
  for (std::uint32_t n = 0; n < 2000; ++n) {
    Random random({4, Purpose::test, 0, 0, 0, n});
    for (std::int32_t& gene : row) gene = random.between(-20, 60);
    for (double& gene : reals) gene = random.uniform() * 300 - 150;
    if (n % 7 == 0) reals[0] = std::numeric_limits<double>::quiet_NaN();
    clamp_row(schema, row, reals);
    ASSERT_EQ(toy::complaint(schema, row, reals), "") << n;
    const auto again = row;
    const auto reals_again = reals;
    clamp_row(schema, row, reals);
    ASSERT_EQ(row, again);
    ASSERT_EQ(reals, reals_again);
    random_row(schema, random, row, reals);
    const auto legal = row;
    clamp_row(schema, row, reals);
    ASSERT_EQ(row, legal);
  }
}

}  // namespace
}  // namespace atl
