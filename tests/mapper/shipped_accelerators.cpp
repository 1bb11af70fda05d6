// Every description in accelerators/ takes the layers of the shipped networks: legal mappings, within the
// bounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "atoll/mapper/bounded_search.hpp"
#include "atoll/network/network.hpp"
#include "atoll/simulator/bounds.hpp"

namespace atl {
namespace {

std::vector<std::string> shipped_accelerators() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(ATOLL_SOURCE_DIR) + "/accelerators")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Layer> some_layers() {
  const Network network = read_network(std::string(ATOLL_SOURCE_DIR) + "/configs/networks/resnet18.yaml");
  std::vector<Layer> layers;
  for (const std::string name : {"conv1", "layer1.0.conv1", "layer4.0.downsample", "fc"}) {
    for (const auto& entry : network.layers) {
      if (entry.name == name) layers.push_back(entry.layer);
    }
  }
  return layers;
}

class ShippedAcceleratorTest : public testing::TestWithParam<std::string> {};

TEST_P(ShippedAcceleratorTest, TakesConvolutionsAndStaysWithinTheBounds) {
  const Accelerator accelerator =
      read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/" + GetParam() + ".yaml");
  const auto simulator = make_simulator("loopnest", accelerator);
  const HardwareRow hardware = hardware_row(accelerator);
  BoundedSearchSettings settings;
  settings.budget = 200;
  BoundedSearch search(accelerator, "loopnest", settings);
  const std::vector<Layer> layers = some_layers();
  ASSERT_EQ(layers.size(), 4U);
  for (const Layer& layer : layers) {
    const Mapping trivial = trivial_mapping(layer, accelerator);
    EXPECT_EQ(check(trivial, layer, accelerator, true), "");
    std::vector<double> costs(simulator->schema().width());
    simulator->evaluate({{&layer, 1}, {&hardware, 1}, {&trivial, 1}}, costs);
    const Bounds bound = bounds(layer, accelerator);
    EXPECT_GE(costs[cost::cycles_steady], bound.cycles);
    EXPECT_GE(costs[cost::energy], bound.energy);
    // One operation a cycle at most, where nothing is unrolled in space.
    EXPECT_GE(costs[cost::cycles_steady], static_cast<double>(layer.operations()));

    const auto found = search.find(layer);
    EXPECT_EQ(check(found->mapping, layer, accelerator, true), "");
    EXPECT_GE(found->costs[cost::cycles_steady], bound.cycles);
    EXPECT_GE(found->costs[cost::energy], bound.energy);
    // What the array and its memories are for.
    EXPECT_LT(found->costs[cost::cycles], costs[cost::cycles]);
    EXPECT_LT(found->costs[cost::energy], costs[cost::energy]);
  }
}

// Frames of ResNet-50 a second that the primer of nvdla.org gives for its seven sizes: no bound may forbid
// them, and what a short search finds lies near. Outputs have 8 b here, as the hardware writes them.
TEST(ShippedNvdlaTest, RunsResNet50AsItsPrimerSays) {
  const Network network = read_network(std::string(ATOLL_SOURCE_DIR) + "/configs/networks/resnet50.yaml");
  BoundedSearchSettings settings;
  settings.budget = 100;
  settings.objective = "cycles";
  const std::vector<std::pair<std::string, double>> published = {
      {"2048", 269}, {"1024", 153}, {"512", 93}, {"256", 46}, {"128", 20}, {"64", 7.3}, {"32", 3.6}};
  for (const auto& [size, frames] : published) {
    Accelerator nvdla =
        read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/nvdla_" + size + ".yaml");
    nvdla.levels[0].word_bits[index(Operand::O)] = 8;
    BoundedSearch search(nvdla, "loopnest", settings);
    double bound = 0;
    double found = 0;
    for (const DistinctLayer& distinct : network.distinct(true)) {
      const Layer& layer = network.layers[distinct.first].layer;
      bound += distinct.multiplicity * bounds(layer, nvdla).cycles;
      found += distinct.multiplicity * search.find(layer)->costs[cost::cycles];
    }
    EXPECT_GT(nvdla.clock / bound, frames) << size;
    EXPECT_GT(nvdla.clock / found, frames / 1.5) << size;
    EXPECT_LT(nvdla.clock / found, frames * 1.5) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ShippedAcceleratorTest, testing::ValuesIn(shipped_accelerators()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace atl
