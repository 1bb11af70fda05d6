#include "atoll/exchange/zigzag.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/yaml.hpp"
#include "drawn_mappings.hpp"

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

const std::string data = std::string(ATOLL_TEST_DATA) + "/exchange/zigzag/";
const std::string shipped = std::string(ATOLL_SOURCE_DIR) + "/accelerators/";

Imported import_file(const std::string& name) {
  return import_zigzag({name, read_text_file(data + name)}, "");
}

std::string message(const std::string& text) {
  try {
    import_zigzag({"f", text}, "");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(ZigzagImport, TakesEveryFigure) {
  const Accelerator accelerator = import_file("tpu_like.yaml").accelerator;
  ASSERT_EQ(accelerator.levels.size(), 4U);  // dram, sram_2MB, then the array, rf_2B, rf_128B
  EXPECT_EQ(accelerator.levels[1].name, "sram_2mb");
  EXPECT_EQ(accelerator.levels[1].keep, operand_bit(Operand::I) | operand_bit(Operand::O));
  EXPECT_EQ(accelerator.levels[1].size, 16777216);
  EXPECT_EQ(accelerator.levels[1].read_bandwidth, 2048);
  EXPECT_EQ(accelerator.levels[1].read_energy, 416.16);
  EXPECT_EQ(accelerator.levels[1].write_energy, 378.4);
  EXPECT_TRUE(accelerator.levels[0].shared_port);
  EXPECT_EQ(accelerator.levels[0].read_bandwidth, 64);
  const Fanout* array = accelerator.fanout_below(1);
  ASSERT_NE(array, nullptr);
  EXPECT_EQ(array->x, 32U);
  EXPECT_EQ(array->y, 32U);
  EXPECT_EQ(accelerator.levels[2].name, "rf_2b");
  EXPECT_EQ(accelerator.levels[2].read_bandwidth, 32);  // two ports of 16 b
  EXPECT_EQ(accelerator.instances(3), 1024U);
  EXPECT_EQ(accelerator.compute.energy, 0.04);
  for (const auto& [figure, text] : accelerator.sources)
    EXPECT_TRUE(text.starts_with("tpu_like.yaml:") || text.starts_with("estimate")) << figure << ": " << text;
}

TEST(ZigzagImport, NestsMemoriesThatServeDifferentAxes) {
  const Imported imported = import_file("meta_prototype.yaml");
  const Accelerator& accelerator = imported.accelerator;
  EXPECT_EQ(accelerator.units(), 1024U);
  const auto weights = std::find_if(accelerator.levels.begin(), accelerator.levels.end(),
                                    [](const StorageLevel& level) { return level.name == "rf_1b"; });
  ASSERT_NE(weights, accelerator.levels.end());
  // It serves D3 and D4 (4 x 4) and so stands once for each point of D1 and D2 (32 x 2).
  EXPECT_EQ(accelerator.instances(static_cast<std::size_t>(weights - accelerator.levels.begin())), 64U);
  EXPECT_THAT(imported.notes, Contains(HasSubstr("memory 'rf_2B' serves axes [D2], which is not nested")));
}

TEST(ZigzagImport, EveryFileIsAnAccelerator) {
  for (const char* name : {"tpu_like.yaml", "meta_prototype.yaml", "eyeriss_like.yaml"}) {
    SCOPED_TRACE(name);
    const Imported imported = import_file(name);
    const Layer layer = test::convolution(16, 8, 7, 7, 3, 1);
    EXPECT_EQ(check(trivial_mapping(layer, imported.accelerator), layer, imported.accelerator, true), "");
    EXPECT_THAT(imported.notes, Contains(HasSubstr("clock")));
  }
}

TEST(ZigzagImport, ReadsTheOlderPorts) {
  const Accelerator accelerator =
      import_zigzag(
          {"old",
           "name: old\nmemories:\n"
           "  rf: {size: 32, r_bw: 16, w_bw: 8, r_cost: 1, w_cost: 2, r_port: 2, w_port: 1, rw_port: 0,"
           " operands: [I1, I2, O], served_dimensions: []}\n"
           "  dram: {size: 1000000, r_bw: 64, w_bw: 64, r_cost: 700, w_cost: 750, r_port: 0, w_port: 0,"
           " rw_port: 1, operands: [I1, I2, O], served_dimensions: [D1]}\n"
           "operational_array: {multiplier_energy: 0.04, dimensions: [D1], sizes: [4]}\n"
           "dataflows: {}\n"},
          "")
          .accelerator;
  EXPECT_EQ(accelerator.levels[1].read_bandwidth, 32);
  EXPECT_EQ(accelerator.levels[1].write_bandwidth, 8);
  // An access of 16 b is two of the write port's 8 b.
  EXPECT_EQ(accelerator.levels[1].write_energy, 4);
  EXPECT_EQ(accelerator.units(), 4U);
}

TEST(ZigzagImport, RefusesWhatItCannotRead) {
  const std::string good = read_text_file(data + "tpu_like.yaml");
  EXPECT_THAT(message("text"), HasSubstr("f:1"));
  EXPECT_THAT(message(replaced(good, "sizes: [32, 32]", "sizes: [32]")), HasSubstr("2 axes have 1 sizes"));
  EXPECT_THAT(message(replaced(good, "size: 1024", "size: 1.5")), AllOf(HasSubstr("f:5"), HasSubstr("1.5")));
  EXPECT_THAT(message(replaced(good, "type: read\n", "type: reed\n")), HasSubstr("did you mean 'read'"));
  EXPECT_THAT(message(replaced(good, "served_dimensions: [D1, D2]", "served_dimensions: [D1, D7]")),
              HasSubstr("no axis 'D7'"));
  EXPECT_THAT(message(replaced(good, "operands: [I1, I2, O]", "operands: [I1, O]")),
              HasSubstr("the outermost memory 'dram' must hold I1, I2 and O"));
}

// All of it in whole bits, nothing unlimited, and no figure that ZigZag has no place for.
Accelerator plain_accelerator() {
  return parse_accelerator(
      "name: plain\nclock: 1 GHz\nsources: {clock: a}\nlevels:\n"
      "  - {name: dram, kind: dram, keep: [W, I, O], size: 1 GiB, buffering: rolling, read_bandwidth: 64 "
      "b/cycle, "
      "shared_port: true, access: {width: 64 b, read: 700 pJ, write: 750 pJ}, sources: {size: a, "
      "read_bandwidth: a, "
      "access: a}}\n"
      "  - {name: sram, kind: sram, keep: [I], may_keep: [W, O], size: 64 KiB, buffering: rolling, "
      "read_bandwidth: 256 "
      "b/cycle, write_bandwidth: 128 b/cycle, access: {width: 64 b, read: 12.5 pJ, write: 11 pJ}, sources: "
      "{size: a, "
      "read_bandwidth: a, write_bandwidth: a, access: a}}\n"
      "  - {fanout: {x: 8, y: 4, sources: {x: a, y: a}}}\n"
      "  - {name: rf, kind: register_file, keep: [O], size: 64 b, buffering: rolling, read_bandwidth: 32 "
      "b/cycle, "
      "write_bandwidth: 32 b/cycle, access: {width: 16 b, read: 0.5 pJ, write: 0.25 pJ}, sources: {size: a, "
      "read_bandwidth: a, write_bandwidth: a, access: a}}\n"
      "compute: {kind: mac, bits: 8, accumulator_bits: 16, energy: 0.5 pJ, sources: {bits: a, "
      "accumulator_bits: a, "
      "energy: a}}\n",
      "plain");
}

TEST(ZigzagExport, ComesBackWithTheSameFigures) {
  Accelerator accelerator = plain_accelerator();
  const Exported exported = export_zigzag(accelerator, {});
  ASSERT_EQ(exported.files.size(), 1U);
  const Imported imported = import_zigzag(exported.files[0], "");
  // What may be kept is written as kept: a memory of ZigZag has no choice.
  accelerator.levels[1].keep = all_operands;
  accelerator.levels[1].may_keep = 0;
  EXPECT_EQ(test::seen_by_simulators(accelerator), test::seen_by_simulators(imported.accelerator));
}

TEST(ZigzagExport, WritesLoopsThatMultiplyToTheLayer) {
  const Accelerator accelerator = plain_accelerator();
  const Layer layer = test::convolution(32, 16, 14, 12, 3, 1);
  const std::vector<std::string> names = {"B", "G", "K", "C", "OY", "OX", "FY", "FX"};
  for (const OutgoingMapping& drawn : test::drawn_mappings(layer, accelerator, 50)) {
    const Exported exported = export_zigzag(accelerator, std::span(&drawn, 1));
    ASSERT_TRUE(exported.refusals.empty());
    const auto file = std::find_if(exported.files.begin(), exported.files.end(),
                                   [](const ForeignFile& f) { return f.path.ends_with(".mapping.yaml"); });
    const YamlNode mapping = YamlNode::parse(file->text, "m").elements().front();
    std::array<std::int64_t, dim_count> product;
    product.fill(1);
    if (const auto space = mapping.find("spatial_mapping"))
      for (const auto& [axis, loops] : space->entries())
        for (const YamlNode& loop : loops.elements()) {
          const std::string text = loop.text();
          const std::size_t comma = text.find(", ");
          product[static_cast<std::size_t>(std::find(names.begin(), names.end(), text.substr(0, comma)) -
                                           names.begin())] *= std::stoll(text.substr(comma + 2));
        }
    if (const auto time = mapping.find("temporal_ordering"))
      for (const YamlNode& loop : time->elements())
        product[loop.elements()[0].choice(names)] *= loop.elements()[1].integer(2, 1 << 20);
    for (std::size_t d = 0; d < dim_count; ++d) EXPECT_EQ(product[d], layer.size[d]) << names[d];
    // The innermost loop in time stands first.
    EXPECT_NO_THROW(import_zigzag(exported.files.front(), ""));
  }
}

TEST(ZigzagExport, OrdersLoopsFromTheInside) {
  const Accelerator accelerator = plain_accelerator();
  const Layer layer = test::convolution(32, 16, 14, 12, 3, 1);
  OutgoingMapping one{"one", layer, trivial_mapping(layer, accelerator)};
  one.mapping.level[0].order = {2, 3, 4, 5, 6, 7, 0, 1};  // K outermost, S innermost
  const Exported exported = export_zigzag(accelerator, std::span(&one, 1));
  const auto file = std::find_if(exported.files.begin(), exported.files.end(),
                                 [](const ForeignFile& f) { return f.path.ends_with(".mapping.yaml"); });
  EXPECT_THAT(
      file->text,
      HasSubstr(
          "    - [FX, 3]\n    - [FY, 3]\n    - [OX, 12]\n    - [OY, 14]\n    - [C, 16]\n    - [K, 32]\n"));
  EXPECT_THAT(exported.notes, Contains(HasSubstr("allocates loops to memories itself")));
}

}  // namespace
}  // namespace atl
