// The descriptions in accelerators/: what they hold, and that every figure has a source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <string>

#include "atoll/accelerator/accelerator.hpp"

namespace atl {
namespace {

using testing::HasSubstr;

Accelerator shipped(const std::string& name) {
  return read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/" + name + ".yaml");
}

// Figures of an accelerator counted from the structure alone, without its sources.
std::size_t figures_of(const Accelerator& a) {
  std::size_t count = 1 + (a.technology > 0 ? 1 : 0);
  for (const StorageLevel& level : a.levels) {
    count += 3;  // access width, read, write
    count += std::isfinite(level.size) ? 1 : 0;
    count += std::isfinite(level.read_bandwidth) ? 1 : 0;
    count += std::isfinite(level.write_bandwidth) && !level.shared_port ? 1 : 0;
    count += (level.leakage > 0 ? 1 : 0) + (level.area > 0 ? 1 : 0);
  }
  for (const Fanout& fanout : a.fanouts) count += 2 + (fanout.hop_energy > 0 ? 1 : 0);
  return count + 4;  // bits, accumulator bits, energy, area
}

struct Counts {
  const char* name;
  std::size_t sourced;
  std::size_t estimated;
};

class ShippedTest : public testing::TestWithParam<Counts> {};

TEST_P(ShippedTest, EveryFigureHasASourceOrSaysEstimate) {
  const Accelerator accelerator = shipped(GetParam().name);
  EXPECT_EQ(accelerator.name, GetParam().name);
  const SourceCount count = count_sources(accelerator);
  EXPECT_EQ(count.sourced, GetParam().sourced);
  EXPECT_EQ(count.estimated, GetParam().estimated);
  EXPECT_EQ(count.sourced + count.estimated, figures_of(accelerator));
  std::set<std::string> paths;
  for (const auto& [path, text] : accelerator.sources) {
    EXPECT_TRUE(paths.insert(path).second) << path << " twice";
    EXPECT_GE(text.size(), 8U) << path;
  }
}

TEST_P(ShippedTest, DescriptionShowsEveryFigureWithItsSource) {
  const Accelerator accelerator = shipped(GetParam().name);
  const std::string text = describe(accelerator);
  for (const auto& [path, source] : accelerator.sources) {
    const std::size_t at = text.find("\n" + path + " ");
    ASSERT_NE(at, std::string::npos) << path;
    EXPECT_THAT(text.substr(at + 1, text.find('\n', at + 1) - at), HasSubstr(source)) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ShippedTest,
                         testing::Values(Counts{"eyeriss", 40, 5}, Counts{"edge", 23, 1},
                                         Counts{"cloud", 23, 1}, Counts{"simba", 48, 7}),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ShippedTest, NoFileIsForgotten) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(ATOLL_SOURCE_DIR) + "/accelerators")) {
    if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  }
  EXPECT_EQ(names, (std::set<std::string>{"cloud", "edge", "eyeriss", "simba"}));
}

TEST(ShippedTest, EyerissIsTheChip) {
  const Accelerator chip = shipped("eyeriss");
  ASSERT_EQ(chip.levels.size(), 5U);
  EXPECT_EQ(chip.units(), 168U);
  EXPECT_EQ(chip.clock, 2e8);
  EXPECT_EQ(chip.levels[1].size, 108 * 1024 * 8);
  EXPECT_EQ(chip.levels[1].keep, operand_bit(Operand::I) | operand_bit(Operand::O));
  EXPECT_EQ(chip.instances(1), 1U);
  const std::array<double, 3> words = {12, 224, 24};
  const std::array<Operand, 3> operands = {Operand::I, Operand::W, Operand::O};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(chip.levels[2 + i].size, words[i] * 16);
    EXPECT_EQ(chip.levels[2 + i].keep, operand_bit(operands[i]));
    EXPECT_EQ(chip.instances(2 + i), 168U);
  }
  // The chip is 12.25 mm2 with pads and routing; memories and multipliers alone must stay below that.
  EXPECT_GT(chip.area(), 2e6);
  EXPECT_LT(chip.area(), 12.25e6);
  // Relative costs of the paper within a factor of 2.5: MAC 1, buffer 6, DRAM 200 for a word of 16 b.
  const auto cost = [&](std::size_t l) {
    return chip.levels[l].read_energy / chip.levels[l].access_width * 16 / chip.compute.energy;
  };
  EXPECT_NEAR(cost(0), 200, 50);
  EXPECT_GT(cost(1), 6 / 2.5);
  EXPECT_LT(cost(1), 6 * 2.5);
}

TEST(ShippedTest, GammaPlatformsAreAsPublished) {
  const Accelerator edge = shipped("edge");
  EXPECT_EQ(edge.units(), 168U);
  EXPECT_EQ(edge.levels[1].size, 108000 * 8);
  EXPECT_EQ(edge.levels[2].size, 512 * 8);
  const Accelerator cloud = shipped("cloud");
  EXPECT_EQ(cloud.units(), 65536U);
  EXPECT_EQ(cloud.levels[1].size, 24.0 * 1024 * 1024 * 8);
  EXPECT_EQ(cloud.levels[2].size, 4.0 * 1024 * 1024 * 8);
  for (const Accelerator* platform : {&edge, &cloud}) {
    EXPECT_EQ(platform->levels[1].keep, 0);
    EXPECT_EQ(platform->levels[1].may_keep, all_operands);
    // GAMMA's area: 282 um2 an element and 0.688 um2 a byte.
    const double bytes =
        platform->levels[1].size / 8 + static_cast<double>(platform->units()) * platform->levels[2].size / 8;
    EXPECT_NEAR(platform->area(), 282.0 * static_cast<double>(platform->units()) + 0.688 * bytes,
                1e-6 * platform->area());
  }
}

TEST(ShippedTest, SimbaHasThreeFanouts) {
  const Accelerator simba = shipped("simba");
  ASSERT_EQ(simba.levels.size(), 6U);
  EXPECT_EQ(simba.fanouts.size(), 3U);
  EXPECT_EQ(simba.instances(2), 16U);
  EXPECT_EQ(simba.instances(3), 128U);
  EXPECT_EQ(simba.units(), 1024U);
  EXPECT_EQ(simba.word_bits(4, Operand::O), 24);
  EXPECT_FALSE(simba.fanout_below(2)->reduction);
  // 4.01 TOPS of two operations a multiplier and cycle.
  EXPECT_NEAR(2 * static_cast<double>(simba.units()) * simba.clock, 4.01e12, 0.01e12);
  // A chiplet has 6 mm2; memories and multipliers are a part of it.
  EXPECT_LT(simba.area(), 6e6);
}

}  // namespace
}  // namespace atl
