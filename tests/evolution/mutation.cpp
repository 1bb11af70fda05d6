#include "atoll/evolution/mutation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "atoll/evolution/policy_catalogue.hpp"
#include "checks.hpp"
#include "toy.hpp"

namespace atl {
namespace {

MutationSettings standard() {
  return standard_settings().mutation;
}

MutationSettings only(std::initializer_list<Change> changes) {
  MutationSettings settings = standard();
  settings.weights.fill(0);
  for (const Change change : changes) settings.weights[static_cast<std::size_t>(change)] = 1;
  return settings;
}

struct Row {
  std::vector<std::int32_t> integers;
  std::vector<double> reals;
  explicit Row(const GenomeSchema& schema) : integers(schema.integer_width()), reals(schema.real_width()) {}
};

std::size_t differences(const Row& a, const Row& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.integers.size(); ++i) count += a.integers[i] != b.integers[i] ? 1 : 0;
  for (std::size_t r = 0; r < a.reals.size(); ++r) count += a.reals[r] != b.reals[r] ? 1 : 0;
  return count;
}

TEST(Mutation, StaysLegalAndAlwaysChangesSomething) {
  const GenomeSchema schema = toy::mixed();
  const std::vector<MutationSettings> all = {standard(),
                                             only({Change::reset}),
                                             only({Change::creep}),
                                             only({Change::swap}),
                                             only({Change::insert, Change::remove, Change::duplicate}),
                                             only({Change::insert}),
                                             only({Change::creep, Change::swap, Change::duplicate})};
  for (std::size_t which = 0; which < all.size(); ++which) {
    const Mutation mutation(all[which], schema);
    Row row(schema);
    for (std::uint32_t n = 0; n < 3000; ++n) {
      Random random({21, Purpose::test, 0, 0, 0, n});
      random_row(schema, random, row.integers, row.reals);
      const Row before = row;
      mutation.mutate(1, random, row.integers, row.reals);
      ASSERT_EQ(toy::complaint(schema, row.integers, row.reals), "") << which << " " << n;
      ASSERT_GT(differences(before, row), 0U) << which << " " << n;
      mutation.mutate(6, random, row.integers, row.reals);
      ASSERT_EQ(toy::complaint(schema, row.integers, row.reals), "") << which << " " << n;
    }
  }
}

TEST(Mutation, NothingVariableIsLeftAlone) {
  GenomeSchema schema;
  schema.add(Gene{"fixed", GeneKind::range, 4, 4, 0});
  schema.add(RealGene{"still", 2, 2});
  const Mutation mutation(standard(), schema);
  Row row(schema);
  row.integers[0] = 4;
  row.reals[0] = 2;
  Random random({22, Purpose::test, 0, 0, 0, 0});
  for (int n = 0; n < 20; ++n) mutation.mutate(3, random, row.integers, row.reals);
  EXPECT_EQ(row.integers[0], 4);
  EXPECT_EQ(row.reals[0], 2);
}

TEST(Mutation, ExpectedNumberOfChangesIsGenes) {
  const GenomeSchema schema = toy::bits(4000);  // so many that two changes hardly ever meet
  const Mutation mutation(only({Change::reset}), schema);
  for (const double genes : {1.0, 2.0, 5.0}) {
    double changed = 0, single = 0;
    for (std::uint32_t n = 0; n < 3000; ++n) {
      Row row(schema);
      const Row before = row;
      Random random({23, Purpose::test, 0, 0, 0, n});
      mutation.mutate(genes, random, row.integers, row.reals);
      const std::size_t count = differences(before, row);
      changed += static_cast<double>(count);
      single += count == 1 ? 1 : 0;
    }
    EXPECT_NEAR(changed / 3000, genes, 0.1 * genes + 0.001) << genes;
    EXPECT_TRUE(toy::plausible(single, 3000, 1 / genes)) << genes;
  }
}

TEST(Mutation, ResetDrawsEveryOtherValueEvenly) {
  GenomeSchema schema;
  schema.add(Gene{"kind", GeneKind::category, -2, 3, 0});
  const Mutation mutation(standard(), schema);
  std::map<std::int32_t, double> seen;
  Row row(schema);
  for (std::uint32_t n = 0; n < 10000; ++n) {
    Random random({24, Purpose::test, 0, 0, 0, n});
    row.integers[0] = 1;
    ASSERT_TRUE(mutation.reset(0, random, row.integers));
    seen[row.integers[0]] += 1;
  }
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_FALSE(seen.contains(1));
  for (const auto& [value, hits] : seen) EXPECT_TRUE(toy::plausible(hits, 10000, 0.2)) << value;
}

TEST(Mutation, CreepGoesAFewPlacesAndTurnsAtTheEnds) {
  GenomeSchema schema;
  schema.add(Gene{"tile", GeneKind::range, 0, 10, 0});
  schema.add(Gene{"kind", GeneKind::category, 0, 10, 0});
  schema.add(Gene{"flag", GeneKind::range, 0, 1, 0});
  schema.add(Gene{"key", GeneKind::order_key, 0, 800, 0});
  MutationSettings settings = standard();
  settings.step = 3;
  const Mutation mutation(settings, schema);
  std::set<std::int32_t> from_middle, from_zero, keys;
  Row row(schema);
  for (std::uint32_t n = 0; n < 2000; ++n) {
    Random random({25, Purpose::test, 0, 0, 0, n});
    row.integers = {5, 4, static_cast<std::int32_t>(n % 2), 400};
    ASSERT_TRUE(mutation.creep(0, random, row.integers));
    from_middle.insert(row.integers[0]);
    row.integers[0] = 0;
    ASSERT_TRUE(mutation.creep(0, random, row.integers));
    from_zero.insert(row.integers[0]);
    ASSERT_FALSE(mutation.creep(1, random, row.integers));
    ASSERT_TRUE(mutation.creep(2, random, row.integers));
    ASSERT_EQ(row.integers[2], 1 - static_cast<std::int32_t>(n % 2));
    ASSERT_TRUE(mutation.creep(3, random, row.integers));
    keys.insert(row.integers[3]);
  }
  EXPECT_EQ(from_middle, (std::set<std::int32_t>{2, 3, 4, 6, 7, 8}));
  EXPECT_EQ(from_zero, (std::set<std::int32_t>{1, 2, 3}));
  EXPECT_GE(*keys.begin(), 300);
  EXPECT_LT(*keys.begin(), 310);
  EXPECT_GT(*keys.rbegin(), 490);
  EXPECT_LE(*keys.rbegin(), 500);
}

TEST(Mutation, SwapKeepsTheMultisetOfEveryGroup) {
  GenomeSchema schema;
  for (int i = 0; i < 7; ++i) schema.add(Gene{fmt::format("a{}", i), GeneKind::order_key, 0, 6, 1});
  for (int i = 0; i < 7; ++i) schema.add(Gene{fmt::format("b{}", i), GeneKind::order_key, 10, 16, 2});
  schema.add(Gene{"lonely", GeneKind::order_key, 0, 6, 3});
  const Mutation mutation(only({Change::swap}), schema);
  Row row(schema);
  for (std::int32_t i = 0; i < 7; ++i) {
    row.integers[static_cast<std::size_t>(i)] = i;
    row.integers[static_cast<std::size_t>(i) + 7] = 10 + i;
  }
  std::set<std::vector<std::int32_t>> orders;
  for (std::uint32_t n = 0; n < 1000; ++n) {
    Random random({26, Purpose::test, 0, 0, 0, n});
    const Row before = row;
    const std::size_t gene = random.below(14);
    if (mutation.swap(gene, random, row.integers)) {
      ASSERT_EQ(differences(before, row), 2U);
    }
    auto first = std::vector<std::int32_t>(row.integers.begin(), row.integers.begin() + 7);
    auto second = std::vector<std::int32_t>(row.integers.begin() + 7, row.integers.begin() + 14);
    orders.insert(first);
    std::ranges::sort(first);
    std::ranges::sort(second);
    ASSERT_EQ(first, (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6}));
    ASSERT_EQ(second, (std::vector<std::int32_t>{10, 11, 12, 13, 14, 15, 16}));
    ASSERT_FALSE(mutation.swap(14, random, row.integers));
  }
  EXPECT_GT(orders.size(), 300U);
}

TEST(Mutation, RecordsComeAndGoWithinBounds) {
  const GenomeSchema schema = toy::mixed();
  const RecordBlock& block = schema.blocks[0];
  const Mutation mutation(standard(), schema);
  Row row(schema);
  for (std::uint32_t n = 0; n < 3000; ++n) {
    Random random({27, Purpose::test, 0, 0, 0, n});
    random_row(schema, random, row.integers, row.reals);
    const auto before = toy::records(block, row.integers);
    const std::size_t count = before.size();
    Row changed = row;
    const bool inserted = mutation.insert(block, random, changed.integers);
    ASSERT_EQ(inserted, count < block.max_count);
    auto after = toy::records(block, changed.integers);
    ASSERT_EQ(after.size(), count + (inserted ? 1 : 0));
    for (const auto& [id, fields] : before) ASSERT_EQ(after.at(id), fields);
    ASSERT_EQ(toy::complaint(schema, changed.integers, changed.reals), "");

    changed = row;
    const bool removed = mutation.remove(block, random, changed.integers);
    ASSERT_EQ(removed, count > block.min_count);
    after = toy::records(block, changed.integers);
    ASSERT_EQ(after.size(), count - (removed ? 1 : 0));
    for (const auto& [id, fields] : after) ASSERT_EQ(before.at(id), fields);
    ASSERT_EQ(toy::complaint(schema, changed.integers, changed.reals), "");

    changed = row;
    const bool doubled = mutation.duplicate(block, random, changed.integers);
    ASSERT_EQ(doubled, count < block.max_count);
    after = toy::records(block, changed.integers);
    ASSERT_EQ(after.size(), count + (doubled ? 1 : 0));
    for (const auto& [id, fields] : after)
      ASSERT_TRUE(
          std::ranges::any_of(before, [&fields = fields](const auto& old) { return old.second == fields; }));
    ASSERT_EQ(toy::complaint(schema, changed.integers, changed.reals), "");
  }
}

TEST(Mutation, RealGenesCreepByTheirSigma) {
  GenomeSchema schema;
  schema.add(RealGene{"x", -50, 50});
  MutationSettings settings = only({Change::creep});
  settings.sigma = 0.02;
  const Mutation mutation(settings, schema);
  Row row(schema);
  double squares = 0, sum = 0;
  for (std::uint32_t n = 0; n < 5000; ++n) {
    Random random({28, Purpose::test, 0, 0, 0, n});
    row.reals[0] = 0;
    mutation.mutate(1, random, row.integers, row.reals);
    sum += row.reals[0];
    squares += row.reals[0] * row.reals[0];
  }
  EXPECT_NEAR(std::sqrt(squares / 5000), 2, 0.15);
  EXPECT_NEAR(sum / 5000, 0, 0.15);
}

}  // namespace
}  // namespace atl
