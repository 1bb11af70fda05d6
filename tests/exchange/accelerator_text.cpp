#include "atoll/exchange/accelerator_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "../simulator/random_cases.hpp"
#include "drawn_mappings.hpp"

namespace atl {
namespace {

void expect_same(const Accelerator& a, const Accelerator& b) {
  EXPECT_EQ(test::seen_by_simulators(a), test::seen_by_simulators(b));
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.clock, b.clock);
  EXPECT_EQ(a.technology, b.technology);
  EXPECT_EQ(a.zero_read_elision, b.zero_read_elision);
  EXPECT_EQ(a.compute.bits, b.compute.bits);
  EXPECT_EQ(a.compute.accumulator_bits, b.compute.accumulator_bits);
  for (std::size_t l = 0; l < a.levels.size(); ++l) {
    EXPECT_EQ(a.levels[l].kind, b.levels[l].kind);
    EXPECT_EQ(a.levels[l].access_width, b.levels[l].access_width);
    EXPECT_EQ(a.levels[l].read_energy, b.levels[l].read_energy);
  }
}

TEST(AcceleratorText, GivesEveryShippedAcceleratorBack) {
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::string(ATOLL_SOURCE_DIR) + "/accelerators")) {
    if (entry.path().extension() != ".yaml") continue;
    SCOPED_TRACE(entry.path().string());
    const Accelerator accelerator = read_accelerator(entry.path().string());
    const Accelerator again = parse_accelerator(accelerator_text(accelerator, {"a comment", ""}), "again");
    expect_same(accelerator, again);
    // Figures that say nothing (no leakage, no area) may be left out; none may change or invent its source.
    for (const auto& source : again.sources)
      EXPECT_THAT(accelerator.sources, ::testing::Contains(source)) << source.first << ": " << source.second;
    ++files;
  }
  EXPECT_GE(files, 4U);
}

TEST(AcceleratorText, GivesDrawnAcceleratorsBackToTheLastBit) {
  int legal = 0;
  for (std::uint32_t i = 0; i < 300; ++i) {
    Random random = test::stream(i, 9);
    Accelerator accelerator = test::random_accelerator(random);
    bool keeps = true;
    for (StorageLevel& level : accelerator.levels) {
      level.kind = "sram";
      level.size = 1e4 / 3.0 + i;  // no unit gives this in few digits
      keeps = keeps && (level.keep | level.may_keep) != 0;
    }
    if (!keeps) continue;  // the reader refuses levels that keep nothing
    accelerator.clock = 1e9 / (3.0 + i);
    accelerator.technology = 0.065;
    expect_same(accelerator, parse_accelerator(accelerator_text(accelerator, {}), "again"));
    ++legal;
  }
  EXPECT_GT(legal, 100);
}

TEST(AcceleratorText, WritesWhatItWasTold) {
  Accelerator accelerator = read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/edge.yaml");
  accelerator.zero_read_elision = false;
  accelerator.sources = {{"levels.dram.access", "unused"}, {"clock", "a \"quoted\" file\n"}};
  const std::string text = accelerator_text(accelerator, {"first", "second\nline"});
  EXPECT_TRUE(text.starts_with("# first\n# second?line\n")) << text;
  EXPECT_NE(text.find("clock: \"a \\\"quoted\\\" file?\""), std::string::npos) << text;
  EXPECT_NE(text.find("estimate: no source was given"), std::string::npos);
  EXPECT_FALSE(parse_accelerator(text, "again").zero_read_elision);
}

}  // namespace
}  // namespace atl
