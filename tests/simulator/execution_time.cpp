#include "atoll/simulator/execution_time.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_cases.hpp"

namespace atl::test {
namespace {

BlockExecution some_blocks(Random& random) {
  BlockExecution blocks;
  blocks.array = {.rows = 1 + random.below(5),
                  .columns = 1 + random.below(5),
                  .run = random.chance(0.5) ? Dim::P : Dim::Q,
                  .weight_load = pick(random, {0, 4, 9}),
                  .least = pick(random, {1, 3}),
                  .latency = pick(random, {0, 20}),
                  .in_flight = pick(random, {1, 8})};
  blocks.line = pick(random, {8, 32, 512});
  blocks.memory_line_cycles = pick(random, {0, 3, 20});
  blocks.store_cycles = pick(random, {0, 1, 50});
  blocks.warm = random.chance(0.5);
  if (random.chance(0.6)) blocks.caches = {{pick(random, {64, 4096}), 1}, {pick(random, {8192, 1e6}), 2}};
  return blocks;
}

Accelerator plain(std::uint32_t columns) {
  Accelerator accelerator;
  accelerator.name = "plain";
  accelerator.clock = 1e9;
  for (const char* name : {"dram", "buffer"}) {
    StorageLevel level;
    level.name = name;
    level.keep = all_operands;
    level.size = level.read_bandwidth = level.write_bandwidth = std::numeric_limits<double>::infinity();
    level.access_width = 8;
    accelerator.levels.push_back(level);
  }
  Fanout fanout;
  fanout.above = 1;
  fanout.x = columns;
  accelerator.fanouts.push_back(fanout);
  return accelerator;
}

Layer conv(std::uint32_t k, std::uint32_t c, std::uint32_t p, std::uint32_t q) {
  Layer layer;
  layer.size = {1, 1, k, c, p, q, 1, 1};
  infer_input_extent(layer);
  return layer;
}

TEST(BlockTime, EqualsTheWalkOverAllBlocks) {
  std::size_t several = 0, clipped = 0;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    Case one = random_case(i, 4000);
    Random random = stream(i, 99);
    one.accelerator.execution.blocks = some_blocks(random);
    if (!one.layer.multiplies() || one.mapping.levels < 2) continue;
    for (std::size_t d = 0; d < dim_count; ++d) {  // any tile will do: blocks need not divide
      std::uint32_t& tile = one.mapping.level[0].x[d];
      if (random.chance(0.5)) tile = 1 + random.below(one.layer.size[d]);
      clipped += one.layer.size[d] % tile != 0;
      several += one.layer.size[d] > tile;
    }
    const BlockTime closed = block_time(one.accelerator, one.layer, one.mapping);
    const BlockTime walked = block_time_walked(one.accelerator, one.layer, one.mapping);
    ASSERT_EQ(closed.cycles, walked.cycles) << i;
    ASSERT_EQ(closed.array, walked.array) << i;
    ASSERT_EQ(closed.load, walked.load) << i;
    ASSERT_EQ(closed.store, walked.store) << i;
    ASSERT_GE(closed.cycles, std::max({closed.array, closed.load, closed.store})) << i;
    ASSERT_LE(closed.cycles, closed.array + closed.load + closed.store) << i;
  }
  EXPECT_GT(several, 1000U);
  EXPECT_GT(clipped, 500U);
}

BlockExecution array_of_16(double latency, double in_flight) {
  BlockExecution blocks;
  blocks.array.rows = blocks.array.columns = 16;
  blocks.array.weight_load = 16;
  blocks.array.least = 4;
  blocks.array.latency = latency;
  blocks.array.in_flight = in_flight;
  blocks.line = 512;
  return blocks;
}

// 4 blocks of 16 output channels; each has 16 rows of 8 B of weights (a line of 64 B each) and 8 outputs.
TEST(BlockTime, OverlapsLoadsUseAndStoresOfTwoBlocks) {
  Accelerator accelerator = plain(16);
  accelerator.execution.blocks = array_of_16(0, 1);
  accelerator.execution.blocks->memory_line_cycles = 4;
  accelerator.execution.blocks->store_cycles = 5;
  const Layer layer = conv(64, 16, 8, 1);
  Mapping mapping = trivial_mapping(layer, accelerator);
  mapping.level[0].x = {1, 1, 16, 16, 8, 1, 1, 1};
  const BlockTime time = block_time(accelerator, layer, mapping);
  const double load = (16 + 8) * 4, store = 8 * 5, array = 16;
  EXPECT_EQ(time.load, 4 * load);
  EXPECT_EQ(time.array, 4 * array);  // a run of 8 rows hides behind the 16 cycles of weights
  EXPECT_EQ(time.store, 4 * store);
  EXPECT_EQ(time.cycles, 4 * load + array + store);  // loads bind
}

TEST(BlockTime, RunsOfFewOutputsWaitForTheLatency) {
  Accelerator accelerator = plain(16);
  accelerator.execution.blocks = array_of_16(62, 8);
  const auto array_time = [&](std::uint32_t p, std::uint32_t q) {
    const Layer layer = conv(16, 16, p, q);
    Mapping mapping = trivial_mapping(layer, accelerator);
    mapping.level[0].x = layer.size;
    return block_time(accelerator, layer, mapping).array;
  };
  EXPECT_EQ(array_time(16, 10), 160);
  EXPECT_EQ(array_time(20, 10), 10 * (16 + 4) - 4 + 16);  // the last run of 4 carries the weights
  EXPECT_EQ(array_time(8, 10), 9 * 8 + 16);
  EXPECT_EQ(array_time(4, 28), 28 * 62.0 / 8);  // 8 runs in flight: 7.75 cycles each, not 4
  EXPECT_EQ(array_time(2, 2), 4 + 16);
}

TEST(BlockTime, CachesKeepWhatFitsBetweenBlocks) {
  Accelerator accelerator = plain(16);
  accelerator.execution.blocks = array_of_16(0, 1);
  accelerator.execution.blocks->caches = {{.size = 1 << 20, .line_cycles = 1}};
  accelerator.execution.blocks->memory_line_cycles = 11;
  const Layer layer = conv(64, 64, 16, 16);
  Mapping mapping = trivial_mapping(layer, accelerator);
  mapping.level[0].x = {1, 1, 64, 64, 16, 2, 1, 1};  // 8 blocks along Q; the weights stay
  const double cold = block_time(accelerator, layer, mapping).load;
  EXPECT_EQ(cold, 8 * (64 * (1 + 10.0 / 8) + 32 * 11));
  accelerator.execution.blocks->caches[0].size = 64;
  EXPECT_EQ(block_time(accelerator, layer, mapping).load, 8 * (64 * 11 + 32 * 11));
  accelerator.execution.blocks->caches[0].size = 1 << 20;
  accelerator.execution.blocks->warm = true;
  EXPECT_EQ(block_time(accelerator, layer, mapping).load, 8 * (64 + 32));
}

TEST(ExecutionTime, LeavesEveryOtherColumnAndChangesNothingByDefault) {
  for (std::uint32_t i = 0; i < 400; ++i) {
    Case one = random_case(i, 400);
    Random random = stream(i, 98);
    const auto bare = make_simulator("loopnest", one.accelerator);
    const std::vector<double> before = evaluate(*bare, one);
    one.accelerator.execution.blocks = some_blocks(random);
    if (one.accelerator.levels.size() < 2) continue;
    const auto timed = make_simulator("loopnest", one.accelerator);
    const std::vector<double> after = evaluate(*timed, one);
    EXPECT_GE(after[cost::cycles_steady], before[cost::cycles_steady]);
    EXPECT_GE(after[cost::cycles], after[cost::cycles_steady]);
    if (!one.layer.multiplies()) {
      EXPECT_EQ(after, before);
    }
    const double other_energy = before[cost::energy] - before[cost::leakage_energy];
    EXPECT_NEAR(after[cost::energy] - after[cost::leakage_energy], other_energy,
                1e-9 * (1 + after[cost::energy]));
    EXPECT_DOUBLE_EQ(after[cost::edp], after[cost::energy] * after[cost::cycles]);
    for (std::size_t c = cost::headline_count; c < before.size(); ++c) EXPECT_EQ(after[c], before[c]);
  }
}

// 6 x 5 outputs of 4 channels each leave the inner level once per input channel: 3 times.
TEST(ExecutionTime, AdderAndLoadTakeCyclesOfTheirOwn) {
  Accelerator accelerator = plain(1);
  accelerator.execution.adder_level = accelerator.execution.load_level = "buffer";
  accelerator.execution.adder_cycles = 2;
  accelerator.execution.load_bus = 16;
  const Layer layer = conv(4, 3, 6, 5);
  Mapping mapping = trivial_mapping(layer, accelerator);
  mapping.level[0].temporal = mapping.level[0].y = mapping.level[0].x = {1, 1, 4, 1, 2, 5, 1, 1};
  mapping.level[0].order = {index(Dim::C), index(Dim::P), 0, 1, 2, 5, 6, 7};
  mapping.level[1].temporal = mapping.level[1].y = mapping.level[1].x = {1, 1, 1, 1, 1, 1, 1, 1};
  Accelerator without = accelerator;
  without.execution = {};
  Case one{accelerator, layer, mapping};
  ASSERT_EQ(check(mapping, layer, accelerator, true), "");
  const std::vector<double> timed = evaluate(*make_simulator("loopnest", accelerator), one);
  const std::vector<double> bare = evaluate(*make_simulator("loopnest", without), one);
  const double drained = 3 * 6 * 5 * 4, weights = 3 * 4 * 8;  // words, bits
  EXPECT_EQ(timed[cost::cycles] - bare[cost::cycles], 2 * drained + weights / 16);
  EXPECT_EQ(evaluate(*make_simulator("reference", accelerator), one)[cost::cycles], timed[cost::cycles]);
}

}  // namespace
}  // namespace atl::test
