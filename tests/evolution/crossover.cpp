#include "atoll/evolution/crossover.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "checks.hpp"
#include "toy.hpp"

namespace atl {
namespace {

struct Row {
  std::vector<std::int32_t> integers;
  std::vector<double> reals;
  GenomeView view() const { return {integers, reals}; }
};

Row random_individual(const GenomeSchema& schema, std::uint32_t n, std::uint32_t which) {
  Row row{std::vector<std::int32_t>(schema.integer_width()), std::vector<double>(schema.real_width())};
  Random random({11, Purpose::test, 0, 0, which, n});
  random_row(schema, random, row.integers, row.reals);
  return row;
}

// Gives b some of a's innovation ids, in another order, so that records match, differ and cross over.
void relate(const GenomeSchema& schema, const Row& a, Row& b, Random& random) {
  for (const RecordBlock& block : schema.blocks) {
    const auto count_a = static_cast<std::uint32_t>(a.integers[block.first]);
    std::vector<std::uint32_t> records(count_a);
    for (std::uint32_t r = 0; r < count_a; ++r) records[r] = r;
    for (std::uint32_t r = count_a; r > 1; --r) std::swap(records[r - 1], records[random.below(r)]);
    for (std::size_t r = 0;
         r < std::min<std::size_t>(count_a, static_cast<std::size_t>(b.integers[block.first])); ++r)
      if (random.chance(0.6)) b.integers[block.innovation(r)] = a.integers[block.innovation(records[r])];
  }
}

bool in_a_block(const GenomeSchema& schema, std::size_t gene) {
  return std::ranges::any_of(
      schema.blocks, [&](const RecordBlock& block) { return gene >= block.first && gene < block.end(); });
}

std::vector<CrossoverSettings> kinds() {
  std::vector<CrossoverSettings> all(4);
  all[1].swap = 0.2;
  all[2].kind = CrossoverKind::one_point;
  all[3].kind = CrossoverKind::two_point;
  return all;
}

TEST(Crossover, EveryGeneComesFromAParentAtItsPlaceAndEveryRecordWhole) {
  const GenomeSchema schema = toy::mixed();
  for (const CrossoverSettings& settings : kinds()) {
    Crossover crossover(settings, schema);
    Row child = random_individual(schema, 0, 0);
    for (std::uint32_t n = 0; n < 3000; ++n) {
      const Row a = random_individual(schema, n, 1);
      Row b = random_individual(schema, n, 2);
      Random random({12, Purpose::test, 0, 0, 0, n});
      relate(schema, a, b, random);
      ASSERT_EQ(toy::complaint(schema, b.integers, b.reals), "");
      crossover.cross(a.view(), b.view(), random, child.integers, child.reals);
      ASSERT_EQ(toy::complaint(schema, child.integers, child.reals), "") << n;
      for (std::size_t i = 0; i < child.integers.size(); ++i) {
        if (in_a_block(schema, i)) continue;
        ASSERT_TRUE(child.integers[i] == a.integers[i] || child.integers[i] == b.integers[i]);
      }
      for (std::size_t r = 0; r < child.reals.size(); ++r)
        ASSERT_TRUE(child.reals[r] == a.reals[r] || child.reals[r] == b.reals[r]);
      for (const RecordBlock& block : schema.blocks) {
        const auto of_a = toy::records(block, a.integers), of_b = toy::records(block, b.integers);
        for (const auto& [id, fields] : toy::records(block, child.integers)) {
          const bool from_a = of_a.contains(id) && of_a.at(id) == fields;
          const bool from_b = of_b.contains(id) && of_b.at(id) == fields;
          ASSERT_TRUE(from_a || from_b) << n << ": record " << id;
        }
      }
    }
  }
}

TEST(Crossover, EqualParentsHaveAnEqualChild) {
  const GenomeSchema schema = toy::mixed();
  for (const CrossoverSettings& settings : kinds()) {
    Crossover crossover(settings, schema);
    for (std::uint32_t n = 0; n < 300; ++n) {
      const Row a = random_individual(schema, n, 1);
      Row child = random_individual(schema, n, 2);
      Random random({13, Purpose::test, 0, 0, 0, n});
      crossover.cross(a.view(), a.view(), random, child.integers, child.reals);
      ASSERT_EQ(child.integers, a.integers);
      ASSERT_EQ(child.reals, a.reals);
    }
  }
}

// All of a is 0, all of b is 1: the child shows who gave what.
std::string pattern(CrossoverSettings settings, std::size_t genes, std::uint32_t n) {
  const GenomeSchema schema = toy::bits(genes);
  Crossover crossover(settings, schema);
  const Row a{std::vector<std::int32_t>(genes, 0), {}}, b{std::vector<std::int32_t>(genes, 1), {}};
  Row child{std::vector<std::int32_t>(genes, 9), {}};
  Random random({14, Purpose::test, 0, 0, 0, n});
  crossover.cross(a.view(), b.view(), random, child.integers, child.reals);
  std::string text;
  for (const std::int32_t gene : child.integers) text += static_cast<char>('0' + gene);
  return text;
}

std::size_t changes(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < text.size(); ++i) count += text[i] != text[i - 1] ? 1 : 0;
  return count;
}

TEST(Crossover, OnePointCutsOnceEverywhereEvenly) {
  CrossoverSettings settings;
  settings.kind = CrossoverKind::one_point;
  std::map<std::string, int> seen;
  for (std::uint32_t n = 0; n < 5000; ++n) ++seen[pattern(settings, 6, n)];
  EXPECT_EQ(seen.size(), 5U);
  for (const auto& [text, hits] : seen) {
    EXPECT_EQ(changes(text), 1U) << text;
    EXPECT_EQ(text.front(), '0') << text;
    EXPECT_TRUE(toy::plausible(hits, 5000, 0.2)) << text << " " << hits;
  }
}

TEST(Crossover, TwoPointCutsARingTwiceEvenly) {
  CrossoverSettings settings;
  settings.kind = CrossoverKind::two_point;
  std::map<std::string, int> seen;
  for (std::uint32_t n = 0; n < 20000; ++n) ++seen[pattern(settings, 5, n)];
  EXPECT_EQ(seen.size(), 20U);  // 5 beginnings, lengths 1 to 4
  for (const auto& [text, hits] : seen) {
    EXPECT_LE(changes(text), 2U) << text;
    EXPECT_TRUE(toy::plausible(hits, 20000, 0.05)) << text << " " << hits;
  }
}

TEST(Crossover, UniformTakesEachGeneWithItsProbability) {
  for (const double swap : {0.0, 0.25, 0.5, 1.0}) {
    CrossoverSettings settings;
    settings.swap = swap;
    std::vector<double> ones(37, 0.0);
    double pairs = 0;
    for (std::uint32_t n = 0; n < 4000; ++n) {
      const std::string text = pattern(settings, 37, n);
      for (std::size_t i = 0; i < text.size(); ++i) ones[i] += text[i] == '1' ? 1 : 0;
      pairs += text[3] == '1' && text[4] == '1' ? 1 : 0;
    }
    for (const double hits : ones) EXPECT_TRUE(toy::plausible(hits, 4000, swap)) << swap << " " << hits;
    EXPECT_TRUE(toy::plausible(pairs, 4000, swap * swap)) << swap;
  }
}

TEST(Crossover, ForeignRecordsEnterNextToTheirNeighbour) {
  GenomeSchema schema;
  schema.add_block("r", {{"value", GeneKind::range, 0, 99, 0}}, 0, 6);
  const Row a{{3, 1, 10, 2, 20, 3, 30, 0, 0, 0, 0, 0, 0}, {}};
  const Row b{{3, 1, 11, 7, 70, 3, 31, 0, 0, 0, 0, 0, 0}, {}};
  Crossover crossover(CrossoverSettings{}, schema);
  std::set<std::vector<std::int32_t>> children;
  Row child{std::vector<std::int32_t>(13), {}};
  for (std::uint32_t n = 0; n < 500; ++n) {
    Random random({15, Purpose::test, 0, 0, 0, n});
    crossover.cross(a.view(), b.view(), random, child.integers, child.reals);
    children.insert(child.integers);
    std::vector<std::int32_t> ids;
    for (std::int32_t r = 0; r < child.integers[0]; ++r)
      ids.push_back(child.integers[schema.blocks[0].innovation(static_cast<std::size_t>(r))]);
    const std::vector<std::vector<std::int32_t>> lines = {{1, 3}, {1, 2, 3}, {1, 7, 3}, {1, 7, 2, 3}};
    ASSERT_NE(std::ranges::find(lines, ids), lines.end()) << n;
  }
  EXPECT_EQ(children.size(), 16U);  // four units, each from either parent
}

}  // namespace
}  // namespace atl
