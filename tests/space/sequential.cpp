#include "atoll/space/sequential.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <map>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

namespace column = sequential_cost;
const std::string source = ATOLL_SOURCE_DIR;

const Accelerator& eyeriss() {
  static const Accelerator accelerator = read_accelerator(source + "/accelerators/eyeriss.yaml");
  return accelerator;
}

BoundedSearchSettings quick(std::size_t cache = 1000) {
  BoundedSearchSettings settings;
  settings.budget = 20;
  settings.cache = cache;
  return settings;
}

SequentialSpace make_space(const SequentialSettings& settings = {}, std::size_t cache = 1000) {
  return {settings, eyeriss(), "loopnest", quick(cache)};
}

Population random_population(const SearchSpace& space, std::size_t size, std::uint64_t seed) {
  const GenomeSchema& schema = space.schema(0);
  Population rows(schema.integer_width(), schema.real_width(), space.cost_columns().size());
  rows.resize(size);
  Random random({.seed = seed});
  for (std::size_t i = 0; i < size; ++i) random_row(schema, random, rows.integers(i), rows.reals(i));
  return rows;
}

/// Settings drawn at random: lists with and without 1, small and odd maps, with and without a stem.
SequentialSettings random_settings(Random& random) {
  SequentialSettings s;
  const auto some = [&](const std::vector<std::uint32_t>& from) {
    std::vector<std::uint32_t> list;
    for (const std::uint32_t value : from)
      if (random.chance(0.6)) list.push_back(value);
    return list.empty() ? std::vector<std::uint32_t>{from.back()} : list;
  };
  s.batch = 1 + random.below(3);
  s.input_channels = 1 + random.below(4);
  s.input_rows = 1 + random.below(40);
  s.input_columns = 1 + random.below(40);
  s.stem_channels = random.chance(0.5) ? 8 : 0;
  s.stem_stride = 1 + random.below(2);
  s.min_blocks = random.below(3);
  s.max_blocks = s.min_blocks + 1 + random.below(14);
  s.kernels = some({1, 2, 3, 4, 5, 7, 9});
  s.channels = some({4, 7, 8, 16});
  s.strides = {1, 2, 3};
  s.expansions = some({1, 2, 6});
  if (s.kernels.back() == 1) s.operators = {BlockKind::conv, BlockKind::mbconv};
  return s;
}

TEST(Sequential, EveryRowIsANetworkOfValidLayersThatFitTogether) {
  Random random({.seed = 31});
  for (int round = 0; round < 40; ++round) {
    const SequentialSettings settings = random_settings(random);
    const SequentialSpace space = make_space(settings);
    const Population rows = random_population(space, 30, 100 + static_cast<std::uint64_t>(round));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Network network = space.network(rows.integers(i));
      for (std::size_t l = 0; l < network.layers.size(); ++l) {
        const NamedLayer& named = network.layers[l];
        ASSERT_NO_THROW(named.layer.validate(named.name));
        const Layer& layer = named.layer;
        for (const std::int32_t from : named.from) {
          ASSERT_LT(from, static_cast<std::int32_t>(l));
          if (from == network_input) continue;
          const Layer& before = network.layers[static_cast<std::size_t>(from)].layer;
          EXPECT_EQ(before[Dim::G] * before[Dim::K], layer[Dim::G] * layer[Dim::C]) << named.name;
          EXPECT_EQ(before[Dim::P], layer.input_extent[0]) << named.name;
          EXPECT_EQ(before[Dim::Q], layer.input_extent[1]) << named.name;
          EXPECT_EQ(before[Dim::N], layer[Dim::N]) << named.name;
        }
        ASSERT_EQ(named.from.size(), layer.op == LayerOp::elementwise ? 2U : 1U);
      }
      EXPECT_EQ(network.layers.back().layer[Dim::K], settings.classes);
    }
  }
}

TEST(Sequential, RepairIsIdempotentAndKeepsTheNetwork) {
  Random random({.seed = 32});
  for (int round = 0; round < 40; ++round) {
    const SequentialSpace space = make_space(random_settings(random));
    Population rows = random_population(space, 30, 200 + static_cast<std::uint64_t>(round));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string before = space.to_text(0, rows.integers(i), {});
      space.repair(rows.integers(i));
      const std::vector<std::int32_t> once(rows.integers(i).begin(), rows.integers(i).end());
      space.repair(rows.integers(i));
      ASSERT_TRUE(std::equal(once.begin(), once.end(), rows.integers(i).begin()));
      ASSERT_EQ(space.to_text(0, rows.integers(i), {}), before);
    }
  }
}

TEST(Sequential, ParametersMacsAndActivationsEqualHandCounts) {
  SequentialSettings s;
  s.input_rows = s.input_columns = 32;
  s.stem_channels = 16;
  const Network network = sequential_network(s, {{BlockKind::conv, 3, 32, 2, 1},
                                                 {BlockKind::separable, 5, 64, 1, 1},
                                                 {BlockKind::mbconv, 3, 64, 1, 6},
                                                 {BlockKind::pool, 3, 1, 2, 1},
                                                 {BlockKind::basic, 3, 128, 1, 1}});
  const std::uint64_t stem = 3 * 16 * 9, conv = 16 * 32 * 9, separable = 32 * 25 + 32 * 64;
  const std::uint64_t mbconv = 64 * 384 + 384 * 9 + 384 * 64;
  const std::uint64_t basic = 64 * 128 * 9 + 128 * 128 * 9 + 64 * 128, fc = 128 * 10;
  EXPECT_EQ(network.weights(), stem + conv + separable + mbconv + basic + fc);
  EXPECT_EQ(network.macs(), stem * 1024 + (conv + separable + mbconv) * 256 + basic * 64 + fc);
  // Alive at once while the depthwise layer of mbconv runs: its input and output and the block's input.
  EXPECT_EQ(most_activation_bits(network), 8.0 * 256 * (384 + 384 + 64));
}

TEST(Sequential, ShortcutsAppearOnlyWhereTheyFit) {
  const SequentialSettings s;
  const auto adds = [&](const std::vector<SequentialBlock>& blocks) {
    std::map<std::string, int> names;
    for (const NamedLayer& named : sequential_network(s, blocks).layers) ++names[named.name];
    return names;
  };
  EXPECT_EQ(adds({{BlockKind::mbconv, 3, 3, 1, 2}}).count("block0.add"), 1U);
  EXPECT_EQ(adds({{BlockKind::mbconv, 3, 3, 2, 2}}).count("block0.add"), 0U);
  EXPECT_EQ(adds({{BlockKind::mbconv, 3, 8, 1, 2}}).count("block0.add"), 0U);
  EXPECT_EQ(adds({{BlockKind::mbconv, 3, 8, 1, 1}}).count("block0.expand"), 0U);
  EXPECT_EQ(adds({{BlockKind::basic, 3, 3, 1, 1}}).count("block0.shortcut"), 0U);
  EXPECT_EQ(adds({{BlockKind::basic, 3, 3, 2, 1}}).count("block0.shortcut"), 1U);
}

TEST(Sequential, CostsDependOnGenesAloneAndSumOverLayers) {
  SequentialSpace space = make_space(), other = make_space({}, 3);
  Population rows = random_population(space, 8, 41);
  Population backwards = rows;
  for (std::size_t i = 0; i < rows.size(); ++i) backwards.copy_row(i, rows, rows.size() - 1 - i);
  EvaluationDetail detail;
  space.evaluate(0, rows, &detail);
  other.evaluate(0, backwards, nullptr);
  std::vector<double> cycles(rows.size()), energy(rows.size());
  for (const LayerCost& layer : detail.layers) {
    cycles[layer.row] += layer.multiplicity * layer.cycles;
    energy[layer.row] += layer.multiplicity * layer.energy;
    if (layer.mapping_key == 0) continue;
    EXPECT_TRUE(std::any_of(detail.mappings.begin(), detail.mappings.end(),
                            [&](const NamedMapping& m) { return m.key == layer.mapping_key; }));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto a = rows.costs(i), b = backwards.costs(rows.size() - 1 - i);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    EXPECT_DOUBLE_EQ(a[column::cycles], cycles[i]);
    EXPECT_DOUBLE_EQ(a[column::energy], energy[i]);
    EXPECT_EQ(a[column::edp], a[column::cycles] * a[column::energy]);
    EXPECT_GE(a[column::cycles], a[column::bound_cycles]);
    EXPECT_GT(a[column::bound_cycles], 0);
    EXPECT_EQ(a[column::macs], static_cast<double>(space.network(rows.integers(i)).macs()));
    EXPECT_EQ(rows.violation[i], 0);
  }
  EvaluationDetail again;
  space.evaluate(0, rows, &again);
  EXPECT_TRUE(again.mappings.empty());
  EXPECT_EQ(again.layers.size(), detail.layers.size());
}

TEST(Sequential, NetworksTooLargeForTheOutermostLevelAreInfeasibleAndHarmTheOthersNot) {
  Accelerator small = eyeriss();
  small.levels.front().size = 600 * 1024 * 8.0;
  SequentialSpace unlimited = make_space(), limited({}, small, "loopnest", quick());
  Population all = random_population(unlimited, 40, 9), some = all;
  EvaluationDetail detail;
  unlimited.evaluate(0, all, nullptr);
  limited.evaluate(0, some, &detail);
  std::size_t infeasible = 0;
  for (std::size_t row = 0; row < all.size(); ++row) {
    EXPECT_EQ(all.violation[row], 0);
    EXPECT_EQ(some.costs(row)[column::parameters], all.costs(row)[column::parameters]);
    const bool fits = some.violation[row] == 0;
    infeasible += fits ? 0 : 1;
    if (fits)
      EXPECT_TRUE(std::ranges::equal(some.costs(row), all.costs(row)));
    else
      EXPECT_EQ(some.costs(row)[column::cycles], std::numeric_limits<double>::infinity());
  }
  EXPECT_GT(infeasible, 0U);
  EXPECT_LT(infeasible, all.size());
  for (const LayerCost& cost : detail.layers) EXPECT_EQ(some.violation[cost.row], 0);
}

TEST(Sequential, ColumnsStandWhereTheirNamesSay) {
  const SequentialSpace space = make_space();
  ASSERT_EQ(space.cost_columns().size(), column::count);
  EXPECT_EQ(space.cost_columns()[column::parameters].name, "parameters");
  EXPECT_EQ(space.cost_columns()[column::peak_activation_bits].name, "peak_activation_bits");
  EXPECT_EQ(space.cost_columns()[column::bound_energy].name, "bound_energy");
}

TEST(Sequential, NetworksThatAreWrittenReadBackTheSame) {
  const SequentialSpace space = make_space();
  const Population rows = random_population(space, 12, 51);
  const std::string folder = ::testing::TempDir() + "atoll_space_sequential";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    space.write_individual(0, rows.integers(i), {}, folder, "best");
    const Network network = space.network(rows.integers(i));
    for (const char* ending : {".yaml", ".onnx"}) {
      const Network read = read_network(folder + "/best" + ending);
      ASSERT_EQ(read.layers.size(), network.layers.size())
          << ending << space.to_text(0, rows.integers(i), {});
      for (std::size_t l = 0; l < read.layers.size(); ++l)
        EXPECT_EQ(read.layers[l].layer, network.layers[l].layer) << ending << ' ' << network.layers[l].name;
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(Sequential, RefusesSettingsOutOfRange) {
  const auto refused = [](const auto& change) {
    SequentialSettings settings;
    change(settings);
    EXPECT_THROW(make_space(settings), InputError);
  };
  refused([](SequentialSettings& s) { s.kernels = {}; });
  refused([](SequentialSettings& s) { s.kernels = {0, 3}; });
  refused([](SequentialSettings& s) { s.channels = {16, 8}; });
  refused([](SequentialSettings& s) { s.strides = {2}; });
  refused([](SequentialSettings& s) { s.expansions = {2, 2}; });
  refused([](SequentialSettings& s) { s.operators = {}; });
  refused([](SequentialSettings& s) { s.kernels = {1}; });
  refused([](SequentialSettings& s) { s.min_blocks = 13; });
  refused([](SequentialSettings& s) { s.max_blocks = 65; });
  refused([](SequentialSettings& s) { s.input_rows = 0; });
}

}  // namespace
}  // namespace atl
