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

INSTANTIATE_TEST_SUITE_P(Files, ShippedAcceleratorTest, testing::ValuesIn(shipped_accelerators()),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace atl
