#include "atoll/space/mapping.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"

namespace atl {
namespace {

const std::string source = ATOLL_SOURCE_DIR;

MappingSpace resnet18_on(const std::string& accelerator) {
  return {read_network(source + "/configs/networks/resnet18.yaml"),
          read_accelerator(source + "/accelerators/" + accelerator + ".yaml"), "loopnest"};
}

Population random_population(const SearchSpace& space, std::size_t t, std::size_t size, std::uint64_t seed) {
  const GenomeSchema& schema = space.schema(t);
  Population rows(schema.integer_width(), schema.real_width(), space.cost_columns().size());
  rows.resize(size);
  Random random({.seed = seed, .task = static_cast<std::uint32_t>(t)});
  for (std::size_t i = 0; i < size; ++i) random_row(schema, random, rows.integers(i), rows.reals(i));
  return rows;
}

class OnEveryAccelerator : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Mapping, OnEveryAccelerator, ::testing::Values("eyeriss", "edge", "cloud", "simba"),
                         [](const auto& test) { return test.param; });

TEST_P(OnEveryAccelerator, EveryRandomIndividualIsLegalAndNotBelowItsBounds) {
  MappingSpace space = resnet18_on(GetParam());
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    Population rows = random_population(space, t, 50, 1);
    space.evaluate(t, rows, nullptr);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows.violation[i], 0);
      EXPECT_EQ(check(space.decode(t, rows.integers(i)), space.layer(t), space.accelerator(), true), "");
      EXPECT_GE(rows.costs(i)[cost::cycles], rows.costs(i)[cost::bound_cycles]);
      EXPECT_GE(rows.costs(i)[cost::energy], rows.costs(i)[cost::bound_energy]);
      EXPECT_GE(rows.costs(i)[cost::bound_cycles],
                space.task(t).macs / static_cast<double>(space.accelerator().units()));
    }
  }
}

TEST_P(OnEveryAccelerator, EqualGenesGiveEqualCostsInAnyBatch) {
  MappingSpace space = resnet18_on(GetParam());
  Population rows = random_population(space, 1, 40, 2), other = random_population(space, 2, 10, 3);
  Population backwards = rows;
  for (std::size_t i = 0; i < rows.size(); ++i) backwards.copy_row(i, rows, rows.size() - 1 - i);
  space.evaluate(1, rows, nullptr);
  space.evaluate(2, other, nullptr);
  space.evaluate(1, backwards, nullptr);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto a = rows.costs(i), b = backwards.costs(rows.size() - 1 - i);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    const auto g = rows.integers(i), h = backwards.integers(rows.size() - 1 - i);
    EXPECT_TRUE(std::equal(g.begin(), g.end(), h.begin(), h.end()));
  }
}

TEST(MappingSpaceOfANetwork, HasATaskForEachDistinctLayerThatMultiplies) {
  const MappingSpace space = resnet18_on("eyeriss");
  double macs = 0;
  std::uint32_t layers = 0;
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    EXPECT_EQ(space.schema(t).integer_width(), space.schema(0).integer_width());
    macs += space.task(t).macs * space.task(t).multiplicity;
    layers += space.task(t).multiplicity;
  }
  EXPECT_EQ(layers,
            21U);  // 20 convolutions and the classifier (He et al., CVPR 2016, and three 1 x 1 shortcuts)
  EXPECT_EQ(macs, static_cast<double>(space.network().macs()));
  EXPECT_FALSE(space.fixed_layers().empty());
}

TEST(MappingSpaceOfANetwork, TotalsAreSumsWithMultiplicityAndEdpTheirProduct) {
  MappingSpace space = resnet18_on("eyeriss");
  std::vector<double> costs;
  double cycles = 0, energy = 0, fixed = 0;
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    Population rows = random_population(space, t, 1, 5);
    space.evaluate(t, rows, nullptr);
    costs.insert(costs.end(), rows.costs(0).begin(), rows.costs(0).end());
  }
  // Layer by layer, as the network runs.
  const Network& network = space.network();
  for (const NamedLayer& named : network.layers) {
    std::vector<double> streamed(space.cost_columns().size());
    std::span<const double> row = streamed;
    if (!named.layer.multiplies()) {
      streaming_cost(named.layer, space.accelerator(), streamed);
      fixed += row[cost::cycles];
    }
    for (std::size_t t = 0; t < space.task_count(); ++t)
      if (named.layer == space.layer(t)) row = std::span(costs).subspan(t * streamed.size(), streamed.size());
    cycles += row[cost::cycles];
    energy += row[cost::energy];
  }
  const NetworkTotals totals = space.network_totals(costs);
  EXPECT_DOUBLE_EQ(totals.cycles, cycles);
  EXPECT_DOUBLE_EQ(totals.energy, energy);
  EXPECT_DOUBLE_EQ(totals.fixed_cycles, fixed);
  EXPECT_EQ(totals.edp, totals.cycles * totals.energy);
  EXPECT_EQ(totals.macs, static_cast<double>(network.macs()));
  EXPECT_GT(fixed, 0);
  EXPECT_GT(totals.utilisation, 0);
  EXPECT_LE(totals.utilisation, 1);
  costs.pop_back();
  EXPECT_THROW(space.network_totals(costs), InternalError);
}

TEST(MappingSpaceOfANetwork, WritesTheLoopNestAndOneLineOfJson) {
  const MappingSpace space = resnet18_on("eyeriss");
  const Population rows = random_population(space, 0, 1, 6);
  const std::string folder = ::testing::TempDir() + "atoll_space_mapping";
  space.write_individual(0, rows.integers(0), {}, folder, "first");
  EXPECT_EQ(read_text_file(folder + "/first.json"), space.to_json(0, rows.integers(0), {}) + "\n");
  EXPECT_EQ(read_text_file(folder + "/first.txt"), space.to_text(0, rows.integers(0), {}));
  EXPECT_NE(space.to_text(0, rows.integers(0), {}).find("for"), std::string::npos);
  EXPECT_EQ(space.to_json(0, rows.integers(0), {}).find('\n'), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST(MappingSpaceOfANetwork, RefusesANetworkWithoutWork) {
  const Accelerator eyeriss = read_accelerator(source + "/accelerators/eyeriss.yaml");
  EXPECT_THROW(MappingSpace(Network{}, eyeriss, "loopnest"), InputError);
  Network network = read_network(source + "/configs/networks/resnet18.yaml");
  network.layers[0].layer.size[index(Dim::K)] = 0;
  EXPECT_THROW(MappingSpace(network, eyeriss, "loopnest"), InputError);
}

}  // namespace
}  // namespace atl
