#include <gtest/gtest.h>

#include <map>

#include "random_cases.hpp"

namespace atl::test {
namespace {

constexpr std::uint32_t cases = 6000;
constexpr std::uint64_t most_operations = 400;

bool in_space(const LevelMapping& level, Dim d) {
  return level.temporal[index(d)] != level.x[index(d)];
}

void note_features(const Case& one, std::map<std::string, int>& seen) {
  const Layer& layer = one.layer;
  ++seen[std::string(name(layer.op))];
  for (std::size_t a = 0; a < 2; ++a) {
    seen["stride"] += layer.stride[a] > 1;
    seen["dilation"] += layer.dilation[a] > 1;
    seen["padding before"] += layer.padding_before[a] > 0;
    seen["padding after"] += layer.padding_after[a] > 0;
  }
  seen["groups"] += layer[Dim::G] > 1;
  seen["depthwise"] += layer.op == LayerOp::conv && layer[Dim::G] > 1 && layer[Dim::K] * layer[Dim::C] == 1;
  seen["two fan-outs"] += one.accelerator.fanouts.size() == 2;
  for (const Fanout& fanout : one.accelerator.fanouts) {
    const LevelMapping& level = one.mapping.level[fanout.above];
    const bool diagonal = (in_space(level, Dim::P) && in_space(level, Dim::R)) ||
                          (in_space(level, Dim::Q) && in_space(level, Dim::S));
    seen["diagonal"] += diagonal && fanout.multicast;
    seen["reduction in space"] += in_space(level, Dim::C) && fanout.reduction;
    seen["collisions in space"] += in_space(level, Dim::C) && !fanout.reduction;
    seen["multicast in space"] += in_space(level, Dim::K) && fanout.multicast;
    seen["no multicast in space"] += in_space(level, Dim::K) && !fanout.multicast;
  }
  for (std::size_t l = 1; l < one.accelerator.levels.size(); ++l) {
    const StorageLevel& level = one.accelerator.levels[l];
    ++seen["buffering " + std::to_string(static_cast<int>(level.buffering))];
    seen["shared port"] += level.shared_port;
    seen["bypass"] += one.mapping.level[l].keep != all_operands;
    seen["chosen keep"] += one.mapping.level[l].keep != level.keep;
  }
}

TEST(Loopnest, EqualsTheReferenceInEveryColumnOnRandomCases) {
  std::map<std::string, int> seen, binds;
  for (std::uint32_t i = 0; i < cases; ++i) {
    const Case one = random_case(i, most_operations);
    ASSERT_EQ(check(one.mapping, one.layer, one.accelerator, true), "");
    const auto closed = make_simulator("loopnest", one.accelerator);
    const auto executed = make_simulator("reference", one.accelerator);
    const std::vector<double> fast = evaluate(*closed, one);
    const std::vector<double> slow = evaluate(*executed, one);
    ASSERT_EQ(difference(closed->schema(), fast, slow), "")
        << "case " << i << "\n"
        << mapping_to_json(one.mapping, one.layer, one.accelerator) << "\n"
        << loop_nest(one.mapping, one.layer, one.accelerator);
    note_features(one, seen);
    ++binds[fast[cost::binds] == 0 ? "compute" : "port"];
  }
  for (const auto& [feature, count] : seen) EXPECT_GT(count, 25) << feature;
  for (const auto& [what, count] : binds) EXPECT_GT(count, 100) << what;
  EXPECT_EQ(seen.size(), 23U);
  EXPECT_EQ(binds.size(), 2U);
}

TEST(Loopnest, EqualsTheReferenceOnTheAcceleratorsWeShip) {
  const std::string folder = std::string(ATOLL_SOURCE_DIR) + "/accelerators/";
  std::uint32_t number = 0;
  for (const char* file : {"eyeriss.yaml", "simba.yaml", "edge.yaml"}) {
    const Accelerator accelerator = read_accelerator(folder + file);
    const auto closed = make_simulator("loopnest", accelerator);
    const auto executed = make_simulator("reference", accelerator);
    for (int i = 0; i < 40; ++i) {
      Random random = stream(number++, 6);
      const Layer layer = random_layer(random, 2000);
      const Case one{accelerator, layer, random_fitting_mapping(random, layer, accelerator)};
      ASSERT_EQ(check(one.mapping, layer, accelerator, true), "");
      ASSERT_EQ(difference(closed->schema(), evaluate(*closed, one), evaluate(*executed, one)), "")
          << file << "\n"
          << mapping_to_json(one.mapping, layer, accelerator);
    }
  }
}

TEST(Loopnest, BatchEqualsRowByRow) {
  Random random = stream(0, 2);
  const Accelerator accelerator = random_accelerator(random);
  const auto simulator = make_simulator("loopnest", accelerator);
  std::vector<Layer> layers;
  std::vector<HardwareRow> hardware;
  std::vector<Mapping> mappings;
  for (int i = 0; i < 50; ++i) {
    layers.push_back(random_layer(random, 100000));
    hardware.push_back(hardware_row(accelerator));
    hardware.back().read_energy[0] = i;
    mappings.push_back(random_mapping(random, layers.back(), accelerator));
  }
  const std::size_t width = simulator->schema().width();
  std::vector<double> together(width * mappings.size()), alone(width);
  simulator->evaluate({layers, hardware, mappings}, together);
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    simulator->evaluate({{&layers[i], 1}, {&hardware[i], 1}, {&mappings[i], 1}}, alone);
    for (std::size_t c = 0; c < width; ++c) ASSERT_EQ(together[i * width + c], alone[c]);
  }
}

}  // namespace
}  // namespace atl::test
