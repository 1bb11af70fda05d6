#include "atoll/mapper/mapping_space.hpp"

#include <gtest/gtest.h>

#include <set>

#include "atoll/base/error.hpp"
#include "cases.hpp"

namespace atl {
namespace {

/// Whether two mappings run the same loops: extents, kept operands, and the order of loops with several
/// steps.
void expect_same_loops(const Mapping& a, const Mapping& b, const Layer& layer) {
  ASSERT_EQ(a.levels, b.levels);
  for (std::size_t l = 0; l < a.levels; ++l) {
    EXPECT_EQ(a.level[l].temporal, b.level[l].temporal) << "level " << l;
    EXPECT_EQ(a.level[l].y, b.level[l].y) << "level " << l;
    EXPECT_EQ(a.level[l].x, b.level[l].x) << "level " << l;
    EXPECT_EQ(a.level[l].keep, b.level[l].keep) << "level " << l;
    if (l + 1 == a.levels) continue;
    const auto loops = [&](const Mapping& m) {
      std::vector<int> order;
      for (const std::uint8_t d : m.level[l].order)
        if (m.entering(l, layer)[d] != m.level[l].temporal[d]) order.push_back(d);
      return order;
    };
    EXPECT_EQ(loops(a), loops(b)) << "level " << l;
  }
}

struct Case {
  Layer layer;
  Accelerator accelerator;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Accelerator& accelerator : {cases::eyeriss_like(), cases::two_fanouts(), cases::plain()}) {
    for (const Layer& layer : cases::resnet18()) cases.push_back({layer, accelerator});
    cases.push_back({cases::conv(1, 1, 28, 3, 2, 96), accelerator});
  }
  Random random({.seed = 7, .task = 2});
  for (int i = 0; i < 300; ++i) {
    const Accelerator accelerator = cases::random_accelerator(random);
    cases.push_back({cases::random_layer(random), accelerator});
  }
  return cases;
}

class EveryCase : public ::testing::Test {
 protected:
  /// Calls `body(case, space, row)` with random rows of every case.
  template <class Body>
  void for_random_rows(std::size_t rows_per_case, const Body& body) {
    Random random({.seed = 3, .task = 3});
    for (const Case& c : all_cases()) {
      const MappingLayout layout(std::span(&c.layer, 1), c.accelerator);
      const LayerMappingSpace space(layout, c.layer, c.accelerator);
      space.schema().validate();
      std::vector<std::int32_t> row(space.schema().integer_width());
      for (std::size_t i = 0; i < rows_per_case; ++i) {
        random_row(space.schema(), random, row, {});
        body(c, space, std::span<std::int32_t>(row));
        if (HasFatalFailure()) return;
      }
    }
  }
};

TEST_F(EveryCase, RepairedRowsAreLegalAndWithinTheSchema) {
  for_random_rows(60, [](const Case& c, const LayerMappingSpace& space, std::span<std::int32_t> row) {
    Mapping mapping;
    space.repair(row, mapping);
    ASSERT_EQ(check(mapping, c.layer, c.accelerator, true), "") << loop_nest(mapping, c.layer, c.accelerator);
    std::vector<std::int32_t> clamped(row.begin(), row.end());
    clamp_row(space.schema(), clamped, {});
    ASSERT_TRUE(std::equal(row.begin(), row.end(), clamped.begin()));
  });
}

TEST_F(EveryCase, RepairIsIdempotent) {
  for_random_rows(60, [](const Case& c, const LayerMappingSpace& space, std::span<std::int32_t> row) {
    Mapping first, second;
    space.repair(row, first);
    const std::vector<std::int32_t> canonical(row.begin(), row.end());
    space.repair(row, second);
    ASSERT_TRUE(std::equal(row.begin(), row.end(), canonical.begin()));
    expect_same_loops(first, second, c.layer);
  });
}

TEST_F(EveryCase, EncodingADecodedMappingGivesTheSameLoops) {
  for_random_rows(20, [](const Case& c, const LayerMappingSpace& space, std::span<std::int32_t> row) {
    Mapping mapping, again;
    space.repair(row, mapping);
    std::vector<std::int32_t> genes(row.size());
    space.encode(mapping, genes);
    space.repair(genes, again);
    expect_same_loops(mapping, again, c.layer);
    // Everything but the records' order and ids is the same row.
    const std::size_t plain = space.layout().parallel();
    ASSERT_TRUE(std::equal(genes.begin(), genes.begin() + static_cast<std::ptrdiff_t>(plain), row.begin()));
  });
}

TEST_F(EveryCase, ValuesOutsideTheSchemaAreRepairedToo) {
  Random wild({.seed = 9, .task = 4});
  for_random_rows(5, [&](const Case& c, const LayerMappingSpace& space, std::span<std::int32_t> row) {
    for (std::int32_t& gene : row) gene = wild.between(-1000000, 1000000);
    Mapping mapping;
    space.repair(row, mapping);
    ASSERT_EQ(check(mapping, c.layer, c.accelerator, true), "");
  });
}

/// A mapping made without genomes: every prime factor of every dimension goes to a random loop; kept if
/// legal.
Mapping random_mapping(const Layer& layer, const Accelerator& accelerator, Random& random) {
  Mapping mapping;
  mapping.levels = static_cast<std::uint8_t>(accelerator.levels.size());
  std::array<std::array<std::uint32_t, dim_count>, 3 * max_levels> steps{};
  for (auto& loops : steps) loops.fill(1);
  for (std::size_t d = 0; d < dim_count; ++d)
    for (std::uint32_t rest = layer.size[d], prime = 2; rest > 1; rest % prime == 0 ? rest /= prime : ++prime)
      if (rest % prime == 0) {
        const std::size_t l = random.below(mapping.levels);
        const std::size_t kind = accelerator.fanout_below(l) != nullptr ? random.below(3) : 0;
        steps[3 * l + kind][d] *= prime;
      }
  Extents extents = layer.size;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    LevelMapping& level = mapping.level[l];
    level.keep = accelerator.levels[l].keep |
                 static_cast<OperandSet>(accelerator.levels[l].may_keep & random.below(8));
    for (std::uint8_t d = 0; d < dim_count; ++d) {
      level.order[d] = d;
      std::swap(level.order[d], level.order[random.below(d + 1U)]);
      extents[d] /= steps[3 * l][d];
      level.temporal[d] = extents[d];
      extents[d] /= steps[3 * l + 1][d];
      level.y[d] = extents[d];
      extents[d] /= steps[3 * l + 2][d];
      level.x[d] = extents[d];
    }
  }
  return mapping;
}

TEST(MappingSpace, EveryLegalMappingThatDividesHasAGenome) {
  Random random({.seed = 11, .task = 5});
  int legal = 0;
  for (int i = 0; i < 40000; ++i) {
    Accelerator accelerator = cases::random_accelerator(random);
    for (std::size_t l = 1; l < accelerator.levels.size(); ++l) accelerator.levels[l].size *= 100;
    const Layer layer = cases::random_layer(random);
    const Mapping mapping = random_mapping(layer, accelerator, random);
    if (!check(mapping, layer, accelerator, true).empty()) continue;
    ++legal;
    const MappingLayout layout(std::span(&layer, 1), accelerator);
    const LayerMappingSpace space(layout, layer, accelerator);
    std::vector<std::int32_t> genes(space.schema().integer_width());
    space.encode(mapping, genes);
    Mapping again;
    space.repair(genes, again);
    expect_same_loops(mapping, again, layer);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(legal, 500);
}

TEST(MappingSpace, OneLayoutServesAllLayersOfARun) {
  const std::vector<Layer> layers = cases::resnet18();
  const Accelerator accelerator = cases::eyeriss_like();
  const MappingLayout layout(layers, accelerator);
  EXPECT_EQ(layout.dims(), (std::vector<Dim>{Dim::K, Dim::C, Dim::P, Dim::Q, Dim::R, Dim::S}));
  const GenomeSchema first = layout.schema(layers.front(), accelerator);
  for (const Layer& layer : layers) {
    const GenomeSchema schema = layout.schema(layer, accelerator);
    ASSERT_EQ(schema.integers.size(), first.integers.size());
    for (std::size_t i = 0; i < schema.integers.size(); ++i) {
      EXPECT_EQ(schema.integers[i].name, first.integers[i].name);
      EXPECT_EQ(schema.integers[i].kind, first.integers[i].kind);
    }
  }
}

TEST(MappingSpace, ARecordAddsAndRemovesParallelismAndKeepsTheTileOfTheUnits) {
  const Layer layer = cases::conv(64, 64, 56, 3);
  const Accelerator accelerator = cases::eyeriss_like();
  const LayerMappingSpace space(MappingLayout(std::span(&layer, 1), accelerator), layer, accelerator);
  const RecordBlock& block = space.schema().blocks.at(0);
  std::vector<std::int32_t> genes(space.schema().integer_width());
  Mapping without, with;
  space.repair(genes, without);
  EXPECT_EQ(without.level[1].temporal, without.level[1].x);
  genes[block.first] = 1;
  genes[block.innovation(0)] = 5;
  genes[block.field(0, 0)] = 1;  // the axis x of 14 units
  genes[block.field(0, 1)] = 2;  // P
  genes[block.field(0, 2)] = 7;  // 56, the largest divisor
  space.repair(genes, with);
  EXPECT_EQ(with.level[1].y[index(Dim::P)], 14U);
  EXPECT_EQ(with.level[1].x[index(Dim::P)], 1U);
  EXPECT_EQ(with.level[1].x, without.level[1].x);
  EXPECT_EQ(genes[block.field(0, 2)], 5);  // 14
}

TEST(MappingSpace, RandomRowsAreDiverse) {
  const Layer layer = cases::conv(64, 64, 56, 3);
  const Accelerator accelerator = cases::eyeriss_like();
  const LayerMappingSpace space(MappingLayout(std::span(&layer, 1), accelerator), layer, accelerator);
  Random random({.seed = 5, .task = 6});
  std::set<std::vector<std::int32_t>> rows;
  for (int i = 0; i < 1000; ++i) {
    std::vector<std::int32_t> row(space.schema().integer_width());
    random_row(space.schema(), random, row, {});
    Mapping mapping;
    space.repair(row, mapping);
    rows.insert(row);
  }
  EXPECT_GT(rows.size(), 990U);
}

TEST(MappingSpace, RefusesALevelWithoutRoomForOneWord) {
  Accelerator accelerator = cases::plain();
  accelerator.levels[1].size = 90;
  const Layer layer = cases::conv(4, 4, 4, 3);
  const MappingLayout layout(std::span(&layer, 1), accelerator);
  try {
    const LayerMappingSpace space(layout, layer, accelerator);
    FAIL() << "was accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("'buffer' holds 90 bits"), std::string::npos) << error.what();
  }
}

TEST(MappingSpace, RefusesToEncodeAnIllegalMapping) {
  const Layer layer = cases::conv(64, 64, 56, 3);
  const Accelerator accelerator = cases::eyeriss_like();
  const LayerMappingSpace space(MappingLayout(std::span(&layer, 1), accelerator), layer, accelerator);
  std::vector<std::int32_t> genes(space.schema().integer_width());
  EXPECT_THROW(space.encode(Mapping{}, genes), InputError);
}

}  // namespace
}  // namespace atl
