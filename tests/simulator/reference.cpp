// Examples small enough to count by hand. They hold for both models.
#include <gtest/gtest.h>

#include <limits>

#include "atoll/base/error.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

StorageLevel plain_level(const std::string& name, OperandSet keep) {
  StorageLevel level;
  level.name = name;
  level.keep = keep;
  level.size = level.read_bandwidth = level.write_bandwidth = infinity;
  level.buffering = Buffering::rolling;
  level.access_width = 8;
  level.read_energy = level.write_energy = 1;
  level.word_bits = {8, 8, 8};
  return level;
}

// dram -> [fan-out 4 x 4] -> pad
Accelerator two_levels(bool joins) {
  Accelerator accelerator;
  accelerator.name = "two levels";
  accelerator.clock = 1e9;
  accelerator.levels = {plain_level("dram", all_operands), plain_level("pad", all_operands)};
  Fanout fanout;
  fanout.x = fanout.y = 4;
  fanout.multicast = fanout.reduction = joins;
  accelerator.fanouts = {fanout};
  accelerator.compute.energy = 1;
  return accelerator;
}

Layer layer_of(LayerOp op, std::initializer_list<std::pair<Dim, std::uint32_t>> sizes) {
  Layer layer;
  layer.op = op;
  for (const auto& [d, n] : sizes) layer.size[index(d)] = n;
  infer_input_extent(layer);
  return layer;
}

class Example : public testing::TestWithParam<const char*> {
 protected:
  double count(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping,
               const char* column) {
    EXPECT_EQ(check(mapping, layer, accelerator, false), "");
    const auto simulator = make_simulator(GetParam(), accelerator);
    return evaluate(*simulator, {accelerator, layer, mapping})[simulator->schema().find(column)];
  }
};
INSTANTIATE_TEST_SUITE_P(Simulators, Example, testing::Values("loopnest", "reference"));

TEST_P(Example, LoopOrderDecidesWhichOperandStays) {
  const Accelerator accelerator = two_levels(true);
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 4}, {Dim::C, 3}});
  Mapping mapping = trivial_mapping(layer, accelerator);  // K outside C
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.W.fills"), 12);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 12);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.reads"), 0);
  std::swap(mapping.level[0].order[index(Dim::K)], mapping.level[0].order[index(Dim::C)]);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 3);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), 12);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.reads"), 8);  // 3 visits each, the first finds nothing
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.O.reads"), 8 + 12);  // by the multiplier, and drained
}

TEST_P(Example, SlidingWindowsFetchNewRowsOnly) {
  const Accelerator accelerator = two_levels(true);
  Layer layer = layer_of(LayerOp::conv, {{Dim::P, 4}, {Dim::R, 3}});
  Mapping mapping = trivial_mapping(layer, accelerator);
  mapping.level[0].temporal[index(Dim::R)] = mapping.level[0].y[index(Dim::R)] =
      mapping.level[0].x[index(Dim::R)] = 3;
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 6);   // 3 + 1 + 1 + 1
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.reads"), 12);  // the multiplier keeps nothing
  layer.padding_before[0] = layer.padding_after[0] = 1;
  layer.input_extent[0] = 4;
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 4);   // padding is not moved
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.reads"), 10);  // nor read
  layer = layer_of(LayerOp::conv, {{Dim::P, 4}, {Dim::R, 3}});
  layer.stride[0] = 3;
  infer_input_extent(layer);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 12);  // nothing to share
}

TEST_P(Example, RowsFarApartAreRows) {
  const Accelerator accelerator = two_levels(true);
  Layer layer = layer_of(LayerOp::conv, {{Dim::P, 3}});
  layer.stride[0] = 2147483647;
  infer_input_extent(layer);
  EXPECT_EQ(layer.input_extent[0], 4294967295U);
  EXPECT_EQ(count(accelerator, layer, trivial_mapping(layer, accelerator), "dram.I.reads"), 3);
}

TEST_P(Example, DiagonalsOfAnArrayShareRows) {
  const Layer layer = layer_of(LayerOp::conv, {{Dim::P, 3}, {Dim::R, 3}});
  for (const bool joins : {true, false}) {
    const Accelerator accelerator = two_levels(joins);
    Mapping mapping = trivial_mapping(layer, accelerator);
    mapping.level[0].temporal[index(Dim::P)] = mapping.level[0].temporal[index(Dim::R)] = 3;
    mapping.level[0].y[index(Dim::P)] = 3;  // R along y, P along x
    EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 9);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.I.reads"), joins ? 5 : 9);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.W.reads"), joins ? 3 : 9);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), joins ? 3 : 9);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.reads"), joins ? 0 : 6);  // added to what is there
  }
}

TEST_P(Example, PortsBindAndTiesGoOutwards) {
  Accelerator accelerator = two_levels(true);
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 4}, {Dim::C, 3}});
  const Mapping mapping = trivial_mapping(layer, accelerator);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 12);
  EXPECT_EQ(count(accelerator, layer, mapping, "binds"), 0);
  accelerator.levels[0].read_bandwidth = 4;  // 24 words of 8 bits
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles_steady"), 48);
  EXPECT_EQ(count(accelerator, layer, mapping, "binds"), 1);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 48);  // the port moves the first load as well
  accelerator.levels[0].read_bandwidth = 16;
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles_steady"), 12);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 12 + 1);  // first load: two words
  accelerator.levels[1].buffering = Buffering::single;
  accelerator.levels[1].write_bandwidth = 8;  // 22 words after the first two, 12 results
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles_steady"), 36);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 12 + 2 + 22);
}

TEST_P(Example, EnergyAddsUp) {
  Accelerator accelerator = two_levels(true);
  accelerator.levels[1].leakage = 0.5;
  accelerator.fanouts[0].hop_energy = 0.25;
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 4}, {Dim::C, 3}});
  const Mapping mapping = trivial_mapping(layer, accelerator);
  // dram: W 12 + I 12 read, O 4 written. pad: W 12 + I 12 filled and read, O 12 updates, 8 sums read, 4
  // drained.
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.energy"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.O.energy"), 12 + 8 + 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "network_energy"), (12 + 12 + 4) * 8 * 0.25);
  EXPECT_EQ(count(accelerator, layer, mapping, "leakage_energy"), 12 * 16 * 0.5);
  EXPECT_EQ(count(accelerator, layer, mapping, "energy"), 12 + 28 + 24 + 24 + 24 + 56 + 96);
}

void hand_on(Mapping& mapping, std::size_t l, Dim d, std::uint32_t temporal, std::uint32_t y,
             std::uint32_t x) {
  mapping.level[l].temporal[index(d)] = temporal;
  mapping.level[l].y[index(d)] = y;
  mapping.level[l].x[index(d)] = x;
}

TEST_P(Example, FirstVisitsReadWithoutElision) {
  Accelerator accelerator = two_levels(true);
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 4}, {Dim::C, 3}});
  const Mapping mapping = trivial_mapping(layer, accelerator);
  accelerator.zero_read_elision = false;
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.reads"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.O.fills"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.O.reads"), 12 + 4);
}

TEST_P(Example, TheLastTileIsSmaller) {
  const Accelerator accelerator = two_levels(true);
  Layer layer = layer_of(LayerOp::conv, {{Dim::P, 5}, {Dim::R, 3}});
  Mapping mapping = trivial_mapping(layer, accelerator);
  hand_on(mapping, 0, Dim::P, 2, 2, 2);
  hand_on(mapping, 0, Dim::R, 3, 3, 3);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 15);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 4 + 2 + 1);  // rows 0-3, 2-5, 4-6
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.W.fills"), 3);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), 5);
  layer.padding_before[0] = layer.padding_after[0] = 1;
  layer.input_extent[0] = 5;
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 5);
}

TEST_P(Example, IdleInstancesKeepWhatTheyHold) {
  const Accelerator accelerator = two_levels(true);
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 5}, {Dim::C, 3}});
  Mapping mapping = trivial_mapping(layer, accelerator);
  hand_on(mapping, 0, Dim::K, 4, 4, 1);  // four children in the first turn, one in the second
  std::swap(mapping.level[0].order[index(Dim::K)], mapping.level[0].order[index(Dim::C)]);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 6);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.W.fills"), 15);
  EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 12);  // K leaves I alone
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.I.reads"), 3);
  // Child 0 has two outputs in turn, three times each; children 1 to 3 keep their only one until the end.
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), 6 + 3);
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.reads"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "utilisation"), 15 / (16.0 * 6));
}

TEST_P(Example, OutputsLeaveWithThoseOfTheParent) {
  Accelerator accelerator = two_levels(true);
  accelerator.levels.insert(accelerator.levels.begin() + 1, plain_level("buffer", operand_bit(Operand::O)));
  accelerator.fanouts[0].above = 1;
  const Layer layer = layer_of(LayerOp::fc, {{Dim::K, 3}, {Dim::C, 2}});
  Mapping mapping = trivial_mapping(layer, accelerator);
  hand_on(mapping, 0, Dim::K, 2, 2, 2);
  hand_on(mapping, 1, Dim::K, 2, 2, 1);
  std::swap(mapping.level[0].order[index(Dim::K)], mapping.level[0].order[index(Dim::C)]);
  EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 4);
  EXPECT_EQ(count(accelerator, layer, mapping, "buffer.O.updates"), 4 + 2);
  accelerator.levels[1].keep = 0;  // now the second child keeps its output while the first has another
  accelerator.levels[1].may_keep = operand_bit(Operand::O);
  mapping.level[1].keep = 0;
  EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), 4 + 1);
}

TEST_P(Example, DiagonalsOfAClippedArrayShareRows) {
  const Layer layer = layer_of(LayerOp::conv, {{Dim::P, 5}, {Dim::R, 3}});
  for (const bool joins : {true, false}) {
    const Accelerator accelerator = two_levels(joins);
    Mapping mapping = trivial_mapping(layer, accelerator);
    hand_on(mapping, 0, Dim::P, 3, 3, 1);  // along x: three rows, then two
    hand_on(mapping, 0, Dim::R, 3, 1, 1);  // along y
    EXPECT_EQ(count(accelerator, layer, mapping, "cycles"), 2);
    EXPECT_EQ(count(accelerator, layer, mapping, "pad.I.fills"), 9 + 6);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.I.reads"), joins ? 5 + 4 : 15);
    EXPECT_EQ(count(accelerator, layer, mapping, "pad.W.fills"), 9);  // kept in the second step
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.W.reads"), joins ? 3 : 9);
    EXPECT_EQ(count(accelerator, layer, mapping, "dram.O.updates"), joins ? 5 : 15);
  }
}

TEST(Simulators, UnknownNameIsRefused) {
  EXPECT_EQ(simulator_names(), (std::vector<std::string>{"loopnest", "reference"}));
  for (const std::string name : {"timelop", "zigzag", "datacentric"})
    EXPECT_THROW(make_simulator(name, two_levels(true)), InputError) << name;
}

TEST(Simulators, StreamingMovesEveryTensorOnce) {
  Accelerator accelerator = two_levels(true);
  accelerator.levels[0].read_bandwidth = 8;
  Layer layer = layer_of(LayerOp::pool, {{Dim::G, 2}, {Dim::P, 3}, {Dim::R, 2}});
  layer.stride[0] = 2;
  infer_input_extent(layer);
  const CostSchema schema = loopnest_schema(accelerator);
  std::vector<double> costs(schema.width());
  streaming_cost(layer, accelerator, costs);
  EXPECT_EQ(costs[schema.find("dram.I.reads")], 12);
  EXPECT_EQ(costs[schema.find("dram.W.reads")], 0);
  EXPECT_EQ(costs[schema.find("dram.O.updates")], 6);
  EXPECT_EQ(costs[cost::cycles], 12);
  EXPECT_EQ(costs[cost::energy], 18);
  EXPECT_EQ(costs[cost::edp], 12 * 18);
  EXPECT_EQ(costs[cost::bound_cycles], costs[cost::cycles]);
}

}  // namespace
}  // namespace atl::test
