// The vectorised closed form, in every version that this machine runs, against the same closed form row by
// row: equal to the last bit. (Row by row it is compared with the executed reference in loopnest.cpp.)
#include "../../src/simulator/loopnest_batch.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "../../src/simulator/loopnest_core.hpp"
#include "allocation_count.hpp"
#include "atoll/network/network.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

using namespace loopnest;

// The bounds are not the model's.
std::vector<double> row_by_row(const Accelerator& accelerator, const Layer& layer,
                               const HardwareRow& hardware, const Mapping& mapping) {
  const Model<Rules> model(accelerator);
  const Structure& structure = model.structure();
  const LayerFacts facts = layer_facts<Rules>(layer);
  std::vector<double> costs(model.schema().width());
  model.evaluate(facts, hardware, mapping, costs);
  const Bounds bound = bounds(layer, facts.compulsory, hardware, structure.units, structure.shared_port[0]);
  costs[cost::bound_cycles] = bound.cycles;
  costs[cost::bound_energy] = bound.energy;
  return costs;
}

// The first column whose bits differ, or nothing.
std::string difference_in_bits(const CostSchema& schema, std::span<const double> a,
                               std::span<const double> b) {
  for (std::size_t c = 0; c < schema.width(); ++c)
    if (std::memcmp(&a[c], &b[c], sizeof(double)) != 0)
      return schema.columns[c].name + ": " + std::to_string(a[c]) + " against " + std::to_string(b[c]);
  return {};
}

void expect_equal(const Accelerator& accelerator, const std::vector<Layer>& layers,
                  const std::vector<HardwareRow>& hardware, const std::vector<Mapping>& mappings) {
  std::vector<double> expected;
  for (std::size_t i = 0; i < mappings.size(); ++i)
    for (const double cost : row_by_row(accelerator, layers[layers.size() == 1 ? 0 : i],
                                        hardware[hardware.size() == 1 ? 0 : i], mappings[i]))
      expected.push_back(cost);
  for (const BatchVersion& version : batch_versions()) {
    if (!version.runs_here) continue;
    const auto simulator = make_loopnest(accelerator, version);
    const std::size_t width = simulator->schema().width();
    std::vector<double> costs(mappings.size() * width, -1);
    simulator->evaluate({layers, hardware, mappings}, costs);
    for (std::size_t i = 0; i < mappings.size(); ++i)
      ASSERT_EQ(difference_in_bits(simulator->schema(), std::span(costs).subspan(i * width, width),
                                   std::span(expected).subspan(i * width, width)),
                "")
          << "version " << version.name << ", row " << i << " of " << mappings.size() << "\n"
          << mapping_to_json(mappings[i], layers[layers.size() == 1 ? 0 : i], accelerator) << "\n"
          << loop_nest(mappings[i], layers[layers.size() == 1 ? 0 : i], accelerator);
  }
}

HardwareRow other_hardware(Random& random, const Accelerator& accelerator) {
  HardwareRow row = hardware_row(accelerator);
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    row.read_energy[l] = pick(random, {0, 0.3, 7});
    row.write_bandwidth[l] = pick(random, {1, 5, 1000});
    row.word_bits[l][0] = pick(random, {3, 16});
  }
  row.compute_energy = pick(random, {0.1, 2});
  return row;
}

TEST(LoopnestBatch, EveryVersionEqualsTheClosedFormOnRandomCases) {
  for (std::uint32_t i = 0; i < 1500; ++i) {
    Random random = stream(i, 7);
    const Accelerator accelerator = random_accelerator(random);
    const Layer layer = random_layer(random, random.chance(0.5) ? 3000 : 1000000);
    std::vector<Mapping> mappings;
    for (std::uint32_t rows = 1 + random.below(24); rows > 0; --rows)
      mappings.push_back(random_mapping(random, layer, accelerator));
    std::vector<HardwareRow> hardware = {hardware_row(accelerator)};
    if (random.chance(0.3))
      while (hardware.size() < mappings.size()) hardware.push_back(other_hardware(random, accelerator));
    ASSERT_NO_FATAL_FAILURE(expect_equal(accelerator, {layer}, hardware, mappings)) << "case " << i;
  }
}

TEST(LoopnestBatch, RowsOfSeveralLayersAreCountedApart) {
  for (std::uint32_t i = 0; i < 100; ++i) {
    Random random = stream(i, 8);
    const Accelerator accelerator = random_accelerator(random);
    std::vector<Layer> layers;
    std::vector<Mapping> mappings;
    while (layers.size() < 60) {
      const Layer layer = random_layer(random, 100000);
      for (std::uint32_t rows = 1 + random.below(10); rows > 0; --rows) {
        layers.push_back(layer);
        mappings.push_back(random_mapping(random, layer, accelerator));
      }
    }
    ASSERT_NO_FATAL_FAILURE(expect_equal(accelerator, layers, {hardware_row(accelerator)}, mappings))
        << "case " << i;
  }
}

TEST(LoopnestBatch, EveryVersionEqualsTheClosedFormOnRealLayers) {
  const std::string root = ATOLL_SOURCE_DIR;
  std::uint32_t number = 0;
  for (const char* network_name : {"resnet18", "mobilenet_v2"}) {
    const Network network = read_network(root + "/configs/networks/" + network_name + ".yaml");
    for (const char* name : {"eyeriss", "simba", "edge", "cloud"}) {
      const Accelerator accelerator = read_accelerator(root + "/accelerators/" + name + ".yaml");
      for (const DistinctLayer& distinct : network.distinct(true)) {
        const Layer& layer = network.layers[distinct.first].layer;
        Random random = stream(number++, 9);
        std::vector<Mapping> mappings;
        while (mappings.size() < 40) mappings.push_back(random_fitting_mapping(random, layer, accelerator));
        ASSERT_NO_FATAL_FAILURE(expect_equal(accelerator, {layer}, {hardware_row(accelerator)}, mappings))
            << name << ", " << network.layers[distinct.first].name;
      }
    }
  }
}

std::vector<Mapping> mixed_mappings(Random& random, const Layer& layer, const Accelerator& accelerator) {
  std::vector<Mapping> mappings;
  while (mappings.size() < 300)
    mappings.push_back(mappings.size() % 3 == 0 ? random_clipped_mapping(random, layer, accelerator)
                                                : random_mapping(random, layer, accelerator));
  return mappings;
}

TEST(LoopnestBatch, RowsThatDoNotDivideDisturbNoOthersAndNothingIsAllocated) {
  std::size_t whole = 0, clipped = 0;
  for (std::uint32_t i = 0; i < 40; ++i) {
    Random random = stream(i, 10);
    const Accelerator accelerator = random_accelerator(random);
    const Layer layer = random_layer(random, 100000);
    const HardwareRow hardware = hardware_row(accelerator);
    const std::vector<Mapping> mappings = mixed_mappings(random, layer, accelerator);
    for (const Mapping& mapping : mappings)
      ++(divides(mapping, layer, accelerator.levels.size()) ? whole : clipped);
    for (const BatchVersion& version : batch_versions()) {
      if (!version.runs_here) continue;
      const auto simulator = make_loopnest(accelerator, version);
      const std::size_t width = simulator->schema().width();
      std::vector<double> together(mappings.size() * width), alone(mappings.size() * width);
      for (std::size_t row = 0; row < mappings.size(); ++row)
        simulator->evaluate({{&layer, 1}, {&hardware, 1}, {&mappings[row], 1}},
                            std::span(alone).subspan(row * width, width));
      simulator->evaluate({{&layer, 1}, {&hardware, 1}, mappings}, together);
      EXPECT_EQ(std::memcmp(together.data(), alone.data(), alone.size() * sizeof(double)), 0)
          << "case " << i << ", version " << version.name;
      const std::uint64_t before = allocation_count();
      simulator->evaluate({{&layer, 1}, {&hardware, 1}, mappings}, together);
      EXPECT_EQ(allocation_count() - before, 0U) << "case " << i << ", version " << version.name;
    }
  }
  EXPECT_GT(whole, 1000U);
  EXPECT_GT(clipped, 1000U);
}

}  // namespace
}  // namespace atl::test
