// The descriptions in accelerators/: what they hold, and that every figure has a source.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

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
    count += level.banks > 1 ? 1 : 0;
    count += (level.leakage > 0 ? 1 : 0) + (level.area > 0 ? 1 : 0);
    for (const double bits : level.word_bits) count += bits > 0 ? 1 : 0;
  }
  for (const Fanout& fanout : a.fanouts) {
    count += 1 + (fanout.y > 1 ? 1 : 0) + (fanout.hop_energy > 0 ? 1 : 0) + (fanout.wire > 0 ? 1 : 0);
  }
  if (a.execution.blocks) count += 9 + 2 * a.execution.blocks->caches.size();
  return count + 4;  // bits, accumulator bits, energy, area
}

struct Counts {
  const char* name;
  std::size_t sourced;
  std::size_t estimated;
  std::size_t derived;  // among the sourced
};

const std::vector<Counts> files = {
    {"cloud", 22, 1, 2},        {"edge", 22, 1, 2},        {"eyeriss", 40, 5, 2},
    {"eyeriss_v2", 17, 40, 14}, {"gemmini", 42, 8, 0},     {"nvdla_32", 23, 12, 13},
    {"nvdla_64", 29, 6, 13},    {"nvdla_128", 23, 12, 13}, {"nvdla_256", 29, 6, 13},
    {"nvdla_512", 29, 6, 13},   {"nvdla_1024", 29, 6, 13}, {"nvdla_2048", 29, 6, 13},
    {"shidiannao", 17, 29, 16}, {"simba", 44, 9, 2},       {"tpu_v1", 25, 17, 13},
};

class ShippedTest : public testing::TestWithParam<Counts> {};

TEST_P(ShippedTest, EveryFigureHasASourceOrSaysEstimate) {
  const Accelerator accelerator = shipped(GetParam().name);
  EXPECT_EQ(accelerator.name, GetParam().name);
  const SourceCount count = count_sources(accelerator);
  EXPECT_EQ(count.sourced, GetParam().sourced);
  EXPECT_EQ(count.estimated, GetParam().estimated);
  EXPECT_EQ(count.derived, GetParam().derived);
  EXPECT_EQ(count.sourced + count.estimated, figures_of(accelerator));
  std::set<std::string> paths;
  for (const auto& [path, text] : accelerator.sources) {
    EXPECT_TRUE(paths.insert(path).second) << path << " twice";
    EXPECT_GE(text.size(), 8U) << path;
  }
}

// Without line breaks and runs of spaces.
std::string unwrapped(const std::string& text) {
  std::istringstream words(text);
  std::string joined;
  for (std::string word; words >> word;) joined += (joined.empty() ? "" : " ") + word;
  return joined;
}

// A line and those that go on with it, further to the right.
std::string row_at(const std::string& text, std::size_t at) {
  std::size_t end = text.find('\n', at);
  while (text.compare(end + 1, 10, std::string(10, ' ')) == 0) end = text.find('\n', end + 1);
  return text.substr(at, end - at);
}

TEST_P(ShippedTest, DescriptionShowsEveryFigureWithItsSourceInNarrowLines) {
  const Accelerator accelerator = shipped(GetParam().name);
  const std::string text = describe(accelerator);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120U) << line;
  const std::string words = unwrapped(text);
  std::size_t estimates = 0;
  std::size_t derived = 0;
  for (const auto& [path, source] : accelerator.sources) {
    // The title of the section, then the name of the figure, then its source.
    const std::size_t dot = path.starts_with("levels.") ? path.find('.', 7) : path.find('.');
    std::string section = path.starts_with("levels.") ? path.substr(7, dot - 7) : path.substr(0, dot);
    std::string figure = dot == std::string::npos ? path : path.substr(dot + 1);
    if (dot == std::string::npos) section = "all";
    if (figure.starts_with("fanout.")) {
      section = "fan-out below " + section;
      figure = figure.substr(7);
    }
    const std::size_t title = text.find("\n" + section + (section == "all" ? "\n" : ": "));
    ASSERT_NE(title, std::string::npos) << path;
    const std::size_t at = text.find("\n  " + figure + " ", title);
    ASSERT_NE(at, std::string::npos) << path;
    const std::string row = row_at(text, at + 1);
    std::string end = source;
    for (const char* word : {"estimate", "derived"}) {
      if (!source.starts_with(word)) continue;
      (word[0] == 'e' ? estimates : derived) += 1;
      end = source.substr(source.find_first_not_of(":, ", std::string(word).size()));
      EXPECT_THAT(row, HasSubstr(std::string(" ") + word + " ")) << path;
      break;
    }
    EXPECT_THAT(unwrapped(row), HasSubstr(unwrapped(end))) << path;
  }
  EXPECT_THAT(words, HasSubstr(std::to_string(derived) + " derived from component classes, " +
                               std::to_string(estimates) + " estimates"));
}

INSTANTIATE_TEST_SUITE_P(Files, ShippedTest, testing::ValuesIn(files),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ShippedTest, NoFileIsForgotten) {
  std::set<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(ATOLL_SOURCE_DIR) + "/accelerators")) {
    if (entry.path().extension() == ".yaml") names.insert(entry.path().stem().string());
  }
  std::set<std::string> known;
  for (const Counts& counts : files) known.insert(counts.name);
  EXPECT_EQ(names, known);
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

// MACs, buffer in KB, DRAM in GB/s and area in mm2 at 16 nm as the primer of nvdla.org gives them.
TEST(ShippedTest, NvdlaIsAsItsPrimerSays) {
  struct Row {
    double macs, buffer, bandwidth, area;
  };
  for (const Row& row :
       {Row{2048, 512, 20, 3.3}, Row{1024, 256, 15, 1.8}, Row{512, 256, 10, 1.4}, Row{256, 256, 5, 1.0},
        Row{128, 256, 2, 0.84}, Row{64, 128, 1, 0.55}, Row{32, 128, 0.5, 0.51}}) {
    const Accelerator nvdla = shipped("nvdla_" + std::to_string(static_cast<int>(row.macs)));
    EXPECT_EQ(static_cast<double>(nvdla.units()), row.macs);
    EXPECT_EQ(nvdla.levels[1].size, row.buffer * 8192);
    EXPECT_NEAR(nvdla.levels[0].read_bandwidth * nvdla.clock / 8e9, row.bandwidth, 1e-9);
    EXPECT_FALSE(nvdla.fanout_below(1)->reduction);
    EXPECT_TRUE(nvdla.fanout_below(2)->reduction);
    EXPECT_EQ(nvdla.technology, 0.016);
    EXPECT_GT(nvdla.area(), 0.1e6 * row.area);
    EXPECT_LT(nvdla.area(), 1e6 * row.area);
  }
}

TEST(ShippedTest, TpuHasThePublishedSizes) {
  const Accelerator tpu = shipped("tpu_v1");
  // 92 TOPS of two operations a multiplier and cycle.
  EXPECT_NEAR(2 * static_cast<double>(tpu.units()) * tpu.clock, 92e12, 0.5e12);
  EXPECT_EQ(tpu.levels[2].size, 24.0 * 1024 * 1024 * 8);
  // 28 MiB of software-managed memory: unified buffer and accumulators.
  EXPECT_EQ(tpu.levels[2].size + static_cast<double>(tpu.instances(3)) * tpu.levels[3].size,
            28.0 * 1024 * 1024 * 8);
  EXPECT_NEAR(tpu.levels[0].read_bandwidth * tpu.clock / 8, 34e9, 1);
}

TEST(ShippedTest, ShiDianNaoAndEyerissV2FitTheirChips) {
  const Accelerator shidiannao = shipped("shidiannao");
  EXPECT_EQ(shidiannao.units(), 64U);
  EXPECT_LT(shidiannao.area(), 4.86e6);  // of the abstract
  EXPECT_FALSE(shidiannao.fanouts[0].reduction);
  const Accelerator eyeriss = shipped("eyeriss_v2");
  EXPECT_EQ(eyeriss.instances(3), 192U);
  EXPECT_EQ(eyeriss.clock, 2e8);
  EXPECT_EQ(eyeriss.compute.bits, 8U);
  EXPECT_EQ(eyeriss.levels[1].size + eyeriss.levels[2].size, 192 * 8192);
}

}  // namespace
}  // namespace atl
