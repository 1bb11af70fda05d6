#include "atoll/accelerator/accelerator.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "atoll/base/random.hpp"

namespace atl {
namespace {

Accelerator random_accelerator(Random& random) {
  Accelerator accelerator;
  const std::uint32_t levels = 1 + random.below(static_cast<std::uint32_t>(max_levels));
  for (std::uint32_t l = 0; l < levels; ++l) {
    StorageLevel level;
    level.name = "level" + std::to_string(l);
    level.area = 10 * random.uniform();
    for (double& bits : level.word_bits) bits = random.chance(0.5) ? 1 + random.below(32) : 0;
    accelerator.levels.push_back(level);
    if (random.chance(0.5)) {
      Fanout fanout;
      fanout.above = l;
      fanout.x = 1 + random.below(5);
      fanout.y = 1 + random.below(5);
      accelerator.fanouts.push_back(fanout);
    }
  }
  accelerator.compute.bits = 1 + random.below(32);
  accelerator.compute.accumulator_bits = 1 + random.below(64);
  accelerator.compute.area = random.uniform();
  return accelerator;
}

// Counts by walking inwards, level by level, as one would on a drawing.
TEST(AcceleratorTest, InstancesUnitsAndAreaFollowTheFanouts) {
  for (std::uint32_t trial = 0; trial < 500; ++trial) {
    Random random({1, Purpose::test, 0, 0, 0, trial});
    const Accelerator accelerator = random_accelerator(random);
    std::uint64_t here = 1;
    double area = 0;
    for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
      EXPECT_EQ(accelerator.instances(l), here);
      area += static_cast<double>(here) * accelerator.levels[l].area;
      const Fanout* fanout = accelerator.fanout_below(l);
      if (fanout != nullptr) {
        EXPECT_EQ(fanout->above, l);
        here *= fanout->x * fanout->y;
      }
    }
    EXPECT_EQ(accelerator.units(), here);
    EXPECT_NEAR(accelerator.area(), area + static_cast<double>(here) * accelerator.compute.area,
                1e-9 * area + 1e-9);
  }
}

TEST(AcceleratorTest, WordBitsFallBackToTheMultiplier) {
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    Random random({2, Purpose::test, 0, 0, 0, trial});
    const Accelerator accelerator = random_accelerator(random);
    for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
      for (const Operand operand : {Operand::W, Operand::I, Operand::O}) {
        const double own = accelerator.levels[l].word_bits[index(operand)];
        const double compute =
            operand == Operand::O ? accelerator.compute.accumulator_bits : accelerator.compute.bits;
        EXPECT_EQ(accelerator.word_bits(l, operand), own > 0 ? own : compute);
      }
    }
  }
}

TEST(AcceleratorTest, OperandSets) {
  EXPECT_TRUE(contains(all_operands, Operand::W) && contains(all_operands, Operand::O));
  EXPECT_FALSE(contains(operand_bit(Operand::I), Operand::O));
}

}  // namespace
}  // namespace atl
