#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

const std::string sample = R"(name: small
clock: 200 MHz
sources: {clock: table 1}
levels:
  - name: dram
    kind: dram
    keep: [W, I, O]
    read_bandwidth: 1.6 GB/s
    shared_port: true
    access: {width: 64 b, read: 512 pJ, write: 500 pJ}
    sources: {read_bandwidth: table 2, access: table 3, access.write: estimate}
  - name: buffer
    kind: sram
    keep: [O]
    may_keep: [I]
    size: 1 KiB
    buffering: rolling
    read_bandwidth: 8 B/cycle
    write_bandwidth: unlimited
    access: {width: 32 b, read: 2 pJ, write: 3 pJ}
    leakage: 1 mW
    area: 0.5 mm2
    word_bits: {O: 24}
    sources:
      size, read_bandwidth, leakage: table 4
      access: table 5
      area: estimate, by eye
      word_bits: table 6
  - fanout: {x: 4, y: 2, multicast: true, reduction: false, hop_energy: 0.1 pJ/bit,
             sources: {"x, y": table 7, hop_energy: estimate}}
compute: {kind: mac, bits: 8, accumulator_bits: 16, energy: 1 pJ, area: 300 um2,
          sources: {"bits, accumulator_bits, energy, area": table 8}}
)";

// The sample with one piece of text replaced by another.
std::string sample_with(const std::string& from, const std::string& to) {
  std::string text = sample;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  try {
    parse_accelerator(text, "a.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ReaderTest, ReadsEveryFigure) {
  const Accelerator read = parse_accelerator(sample, "a.yaml");
  EXPECT_EQ(read.name, "small");
  EXPECT_EQ(read.file, "a.yaml");
  EXPECT_EQ(read.clock, 2e8);
  ASSERT_EQ(read.levels.size(), 2U);
  const StorageLevel& dram = read.levels[0];
  EXPECT_TRUE(std::isinf(dram.size));
  EXPECT_EQ(dram.keep, all_operands);
  EXPECT_EQ(dram.buffering, Buffering::double_);
  EXPECT_DOUBLE_EQ(dram.read_bandwidth, 64);  // 1.6 GB/s at 200 MHz
  EXPECT_TRUE(dram.shared_port);
  EXPECT_EQ(dram.write_bandwidth, dram.read_bandwidth);
  EXPECT_EQ(dram.access_width, 64);
  EXPECT_EQ(dram.read_energy, 512);
  EXPECT_EQ(dram.write_energy, 500);
  const StorageLevel& buffer = read.levels[1];
  EXPECT_EQ(buffer.kind, "sram");
  EXPECT_EQ(buffer.keep, operand_bit(Operand::O));
  EXPECT_EQ(buffer.may_keep, operand_bit(Operand::I));
  EXPECT_EQ(buffer.size, 8192);
  EXPECT_EQ(buffer.buffering, Buffering::rolling);
  EXPECT_EQ(buffer.read_bandwidth, 64);
  EXPECT_TRUE(std::isinf(buffer.write_bandwidth));
  EXPECT_DOUBLE_EQ(buffer.leakage, 5);  // 1 mW for 5 ns
  EXPECT_EQ(buffer.area, 5e5);
  EXPECT_EQ(read.word_bits(1, Operand::O), 24);
  EXPECT_EQ(read.word_bits(1, Operand::W), 8);
  EXPECT_EQ(read.word_bits(0, Operand::O), 16);
  ASSERT_EQ(read.fanouts.size(), 1U);
  EXPECT_EQ(read.fanouts[0].above, 1U);
  EXPECT_EQ(read.fanouts[0].x, 4U);
  EXPECT_EQ(read.fanouts[0].y, 2U);
  EXPECT_TRUE(read.fanouts[0].multicast);
  EXPECT_FALSE(read.fanouts[0].reduction);
  EXPECT_EQ(read.fanouts[0].hop_energy, 0.1);
  EXPECT_EQ(read.compute.energy, 1);
  EXPECT_EQ(read.area(), 5e5 + 8 * 300);
}

TEST(ReaderTest, EveryFigureTakesItsClosestSource) {
  const Accelerator read = parse_accelerator(sample, "a.yaml");
  const auto source_of = [&](const std::string& path) -> std::string {
    for (const auto& [known, text] : read.sources) {
      if (known == path) return text;
    }
    return "none";
  };
  EXPECT_EQ(source_of("clock"), "table 1");
  EXPECT_EQ(source_of("levels.dram.access.read"), "table 3");
  EXPECT_EQ(source_of("levels.dram.access.write"), "estimate");
  EXPECT_EQ(source_of("levels.buffer.leakage"), "table 4");
  EXPECT_EQ(source_of("levels.buffer.word_bits.O"), "table 6");
  EXPECT_EQ(source_of("levels.buffer.fanout.y"), "table 7");
  EXPECT_EQ(source_of("compute.area"), "table 8");
  const SourceCount count = count_sources(read);
  EXPECT_EQ(count.sourced, 17U);
  EXPECT_EQ(count.estimated, 3U);
}

TEST(ReaderTest, SourcesAreAskedFor) {
  EXPECT_THAT(error_of(sample_with("sources: {clock: table 1}", "sources: {}")),
              AllOf(StartsWith("a.yaml:2:8: clock: this figure names no source"), HasSubstr("'clock: ...'")));
  EXPECT_THAT(error_of(sample_with("sources: {clock: table 1}", "# none")), HasSubstr("names no source"));
  EXPECT_THAT(error_of(sample_with("      access: table 5\n", "      access.read, access.width: table 5\n")),
              AllOf(StartsWith("a.yaml:20:46: levels[1].access.write"), HasSubstr("names no source")));
  EXPECT_THAT(error_of(sample_with("sources: {clock: table 1}", "sources: {clock: table 1, colour: blue}")),
              AllOf(StartsWith("a.yaml:3:35: "), HasSubstr("'colour'"), HasSubstr("figures: clock")));
  EXPECT_THAT(error_of(sample_with("area: estimate, by eye", "aera: estimate, by eye")),
              HasSubstr("this figure names no source"));
  EXPECT_THAT(error_of(sample_with("access: table 5", "access: table 5\n      area, acess: x")),
              HasSubstr("did you mean"));
  EXPECT_THAT(error_of(sample_with("clock: table 1", "clock: ' '")), HasSubstr("must name file and row"));
}

const std::string components = R"(name: small
clock: 500 MHz
technology: 45 nm
sources: {"clock, technology": table 1}
levels:
  - name: dram
    kind: lpddr4
    component: lpddr4
    keep: [W, I, O]
    access: {width: 128 b}
    sources: {access.width: table 2}
  - name: buffer
    kind: sram
    component: sram
    keep: [W, I, O]
    size: 128 KiB
    access: {width: 64 b, write: 3 pJ}
    sources: {size: table 3, access: table 4}
  - fanout: {x: 4, wire: 0.5 mm, sources: {x: table 5, wire: table 6}}
compute: {component: mac, bits: 8, accumulator_bits: 16, sources: {"bits, accumulator_bits": table 7}}
)";

std::string components_with(const std::string& from, const std::string& to) {
  std::string text = components;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ReaderTest, ComponentsGiveWhatTheFileLeavesOut) {
  const Accelerator read = parse_accelerator(components, "a.yaml");
  EXPECT_EQ(read.levels[0].read_energy, 1024);
  EXPECT_EQ(read.levels[0].write_energy, 1024);
  EXPECT_EQ(read.levels[0].area, 0);
  EXPECT_EQ(read.levels[1].component, "sram");
  EXPECT_DOUBLE_EQ(read.levels[1].read_energy, 28.426775);
  EXPECT_EQ(read.levels[1].write_energy, 3);                         // by hand
  EXPECT_NEAR(read.levels[1].leakage, 2 * 0.005652 * 1.5167, 1e-5);  // 2 ns a cycle, 32 to 45 nm
  EXPECT_NEAR(read.levels[1].area, 217363 / 0.46, 1e-6);
  EXPECT_DOUBLE_EQ(read.fanouts[0].hop_energy, 0.5 * 0.3254);
  EXPECT_EQ(read.compute.energy, 0.315);
  EXPECT_EQ(read.compute.area, 417);
  const SourceCount count = count_sources(read);
  EXPECT_EQ(count.estimated, 1U);  // leakage, scaled
  EXPECT_EQ(count.derived, 7U);
  EXPECT_EQ(count.sourced, 17U);
  EXPECT_EQ(read.sources.size(), 18U);
}

TEST(ReaderTest, ALargerBufferCostsMoreAndAFigureByHandWins) {
  const StorageLevel small = parse_accelerator(components, "a.yaml").levels[1];
  const StorageLevel large = parse_accelerator(components_with("128 KiB", "256 KiB"), "a.yaml").levels[1];
  EXPECT_NEAR(large.read_energy / small.read_energy, std::pow(2, 0.78), 1e-9);
  EXPECT_DOUBLE_EQ(large.area, 2 * small.area);
  EXPECT_DOUBLE_EQ(large.leakage, 2 * small.leakage);
  std::string text = components_with("write: 3 pJ}", "write: 3 pJ, read: 1 pJ}\n    area: 7 um2");
  text.insert(text.find("size: table 3"), "area: table 8, ");
  const Accelerator hand = parse_accelerator(text, "a.yaml");
  EXPECT_EQ(hand.levels[1].read_energy, 1);
  EXPECT_EQ(hand.levels[1].area, 7);
  EXPECT_EQ(hand.levels[1].leakage, small.leakage);
  EXPECT_EQ(count_sources(hand).derived, 5U);
}

TEST(ReaderTest, BanksAreStoragesOfTheirOwn) {
  std::string text = components_with("size: 128 KiB", "size: 512 KiB\n    banks: 4");
  text.insert(text.find("size: table 3"), "banks: table 8, ");
  const StorageLevel banks = parse_accelerator(text, "a.yaml").levels[1];
  const StorageLevel one = parse_accelerator(components, "a.yaml").levels[1];
  EXPECT_EQ(banks.size, 4 * one.size);
  EXPECT_EQ(banks.read_energy, one.read_energy);
  EXPECT_DOUBLE_EQ(banks.leakage, 4 * one.leakage);
  EXPECT_DOUBLE_EQ(banks.area, 4 * one.area);
  EXPECT_THAT(error_of(sample_with("size: 1 KiB", "size: 1 KiB\n    banks: 4")),
              HasSubstr("name one with 'component'"));
  text.replace(text.find("banks: 4"), 8, "banks: 1048576");
  EXPECT_THAT(error_of(text), AllOf(HasSubstr("wider than the 4 b it holds"), HasSubstr("in each bank")));
}

TEST(ReaderTest, RefusesComponentsWithoutFigures) {
  const auto error = [](const std::string& from, const std::string& to) {
    return error_of(components_with(from, to));
  };
  EXPECT_THAT(error("technology: 45 nm\nsources: {\"clock, technology\"", "sources: {\"clock\""),
              AllOf(StartsWith("a.yaml:13:16: levels[1].component: "), HasSubstr("technology: 65 nm")));
  EXPECT_THAT(error("technology: 45 nm", "technology: 3 nm"), HasSubstr("from 7 nm to 130 nm, found 3 nm"));
  EXPECT_THAT(error("width: 64 b", "width: 3 MiB"), HasSubstr("wider than the"));
  EXPECT_THAT(error("component: sram", "component: srm"), HasSubstr("did you mean 'sram'?"));
  EXPECT_THAT(error("component: sram", "component: mac"), HasSubstr("expected one of register_file, sram"));
  EXPECT_THAT(error("component: mac", "component: adder"), HasSubstr("expected one of mac"));
  EXPECT_THAT(error("    component: sram\n", ""), HasSubstr("'read' is missing"));
  EXPECT_THAT(error("component: mac, ", ""), HasSubstr("'energy' is missing"));
  EXPECT_THAT(error("component: lpddr4", "component: sram"), HasSubstr("needs a size, found none"));
  EXPECT_THAT(error("wire: 0.5 mm", "wire: 0 mm"), HasSubstr("remove 'wire'"));
  EXPECT_THAT(error("wire: table 6", "hop_energy: table 6"), HasSubstr("this figure names no source"));
  EXPECT_THAT(error("size: table 3, ", "size: table 3, area: table 3, "), HasSubstr("no such figure here"));
}

struct BadCase {
  const char* from;
  const char* to;
  const char* place;
  const char* message;
};

class BadFileTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadFileTest, IsRefusedAtItsPlace) {
  const BadCase& bad = GetParam();
  const std::string error = error_of(sample_with(bad.from, bad.to));
  EXPECT_THAT(error, StartsWith(bad.place)) << bad.to;
  EXPECT_THAT(error, HasSubstr(bad.message)) << bad.to;
}

INSTANTIATE_TEST_SUITE_P(
    ReaderTest, BadFileTest,
    testing::Values(
        BadCase{"clock: 200 MHz", "clok: 200 MHz",
                "a.yaml:2:1: ", "unknown key 'clok'; did you mean 'clock'?"},
        BadCase{"200 MHz", "200",
                "a.yaml:2:8: clock: ", "expected a frequency with a unit (Hz, kHz, MHz, GHz)"},
        BadCase{"200 MHz", "0 MHz", "a.yaml:2:8: clock: ", "must be above 0"},
        BadCase{"name: small", "name: Small One", "a.yaml:1:7: name: ", "small letters"},
        BadCase{"keep: [W, I, O]", "keep: [W, I]",
                "a.yaml:5:5: ", "the outermost level 'dram' must keep all"},
        BadCase{"keep: [W, I, O]", "keep: [W, I, P]", "a.yaml:7:18: ", "expected one of W, I, O, found 'P'"},
        BadCase{"keep: [W, I, O]", "keep: [W, I, O, W]", "a.yaml:7:21: ", "named twice"},
        BadCase{"may_keep: [I]", "may_keep: [O]", "a.yaml:12:5: ", "both keep and may_keep"},
        BadCase{"keep: [O]\n    may_keep: [I]", "keep: []\n    may_keep: []",
                "a.yaml:12:5: ", "keeps nothing"},
        BadCase{"kind: sram", "kind: sarm", "a.yaml:13:11: ", "did you mean 'sram'?"},
        BadCase{"name: buffer", "name: dram", "a.yaml:12:11: ", "two levels are named 'dram'"},
        BadCase{"    size: 1 KiB\n", "", "a.yaml:12:5: ", "level 'buffer' has no size"},
        BadCase{"size: 1 KiB", "size: 0 KiB", "a.yaml:16:11: ", "holds nothing"},
        BadCase{"size: 1 KiB", "size: 23 b", "a.yaml:12:5: ", "needs 24 b and has 23 b"},
        BadCase{"size: 1 KiB\n    buffering: rolling", "size: 47 b",
                "a.yaml:12:5: ", "twice as it is double-buffered: it needs 48 b and has 47 b"},
        BadCase{"buffering: rolling", "buffering: roling", "a.yaml:17:16: ", "did you mean 'rolling'?"},
        BadCase{"8 B/cycle", "0 B/cycle", "a.yaml:18:21: ", "above 0"},
        BadCase{"8 B/cycle", "8 B", "a.yaml:18:21: ", "expected a bandwidth"},
        BadCase{"shared_port: true", "shared_port: true\n    write_bandwidth: 8 B/cycle",
                "a.yaml:10:22: ", "share read_bandwidth"},
        BadCase{"    access: {width: 32 b, read: 2 pJ, write: 3 pJ}\n", "",
                "a.yaml:12:5: ", "'access' is missing"},
        BadCase{"width: 32 b", "width: 0 b", "a.yaml:20:21: ", "at least one bit"},
        BadCase{"word_bits: {O: 24}", "word_bits: {O: 65}", "a.yaml:23:20: ", "from 1 to 64"},
        BadCase{"{O: 24}", "{Q: 24}", "a.yaml:23:17: ", "unknown key 'Q'"},
        BadCase{"{x: 4", "{x: 0", "a.yaml:29:17: ", "from 1 to 1048576, found '0'"},
        BadCase{"{x: 4, y: 2", "{x: 1048576, y: 1048576", "a.yaml:29:13: ", "units in all"},
        BadCase{"compute:", "  - fanout: {x: 2, sources: {x: t}}\ncompute:", "a.yaml:31:13: ",
                "level 'buffer' has two fan-outs below it"},
        BadCase{"levels:\n", "levels:\n  - fanout: {x: 2, sources: {x: t}}\n",
                "a.yaml:5:13: ", "a fan-out hangs below a level"},
        BadCase{"bits: 8", "bits: 8.0", "a.yaml:31:", "expected a whole number from 1 to 64, found '8.0'"},
        BadCase{"kind: mac", "kind: mca", "a.yaml:31:", "expected one of mac"}));

TEST(ReaderTest, RefusesTooManyLevelsAndNone) {
  std::string levels;
  for (std::size_t l = 2; l < max_levels; ++l) {
    levels += "  - {name: l" + std::to_string(l) +
              ", kind: sram, keep: [W, I, O], size: 1 KiB, access: {width: 8 b, read: 1 pJ, write: 1 pJ}, "
              "sources: {size: t, access: t}}\n";
  }
  EXPECT_EQ(parse_accelerator(sample_with("compute:", levels + "compute:"), "a.yaml").levels.size(),
            max_levels);
  levels += "  - {name: one_more}\n";
  EXPECT_EQ(error_of(sample_with("compute:", levels + "compute:")),
            "a.yaml:37:5: levels[9]: at most 8 levels are possible");
  EXPECT_THAT(error_of("name: x\nclock: 1 GHz\nsources: {clock: t}\nlevels: []\n"),
              HasSubstr("at least one level"));
}

// Whatever is damaged: an InputError with a place or an accelerator that holds what it promises.
TEST(ReaderTest, SurvivesRandomDamage) {
  for (std::uint32_t trial = 0; trial < 3000; ++trial) {
    Random random({3, Purpose::test, 0, 0, 0, trial});
    std::string text = random.chance(0.5) ? sample : components;
    const auto at = random.below(static_cast<std::uint32_t>(text.size()));
    if (random.chance(0.5)) {
      text[at] = static_cast<char>(32 + random.below(95));
    } else {
      text.erase(at, 1 + random.below(10));
    }
    try {
      const Accelerator read = parse_accelerator(text, "a.yaml");
      EXPECT_FALSE(read.levels.empty());
      EXPECT_EQ(read.levels[0].keep, all_operands);
      EXPECT_GT(read.clock, 0);
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), StartsWith("a.yaml:"));
    }
  }
}

}  // namespace
}  // namespace atl
