#include "atoll/exchange/maestro.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "drawn_mappings.hpp"

namespace atl {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

const std::string data = std::string(ATOLL_TEST_DATA) + "/exchange/maestro/";
const std::string shipped = std::string(ATOLL_SOURCE_DIR) + "/accelerators/";

std::string message(const std::string& text) {
  try {
    import_maestro({"hw.m", text}, "");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

const std::string& text_of(const Exported& exported, const std::string& name) {
  for (const ForeignFile& file : exported.files)
    if (file.path == name) return file.text;
  static const std::string none;
  return none;
}

TEST(MaestroImport, TakesBothGenerationsOfNames) {
  const Imported edge = import_maestro({"edge.m", read_text_file(data + "edge.m")}, "edge");
  ASSERT_EQ(edge.accelerator.levels.size(), 3U);
  EXPECT_EQ(edge.accelerator.units(), 168U);
  EXPECT_EQ(edge.accelerator.levels[1].size, 108000 * 8);
  EXPECT_EQ(edge.accelerator.levels[2].size, 512 * 8);
  EXPECT_EQ(edge.accelerator.levels[1].read_bandwidth, 512);
  EXPECT_EQ(edge.accelerator.levels[0].read_bandwidth, 512);
  EXPECT_EQ(edge.accelerator.levels[2].buffering, Buffering::double_);
  const Imported old = import_maestro({"old.m", read_text_file(data + "accelerator_1.m")}, "");
  EXPECT_EQ(old.accelerator.units(), 256U);
  EXPECT_THAT(old.notes, Contains(HasSubstr("old.m:5: 'NoC_NumHops' has no place")));
  EXPECT_THAT(old.notes, Contains(HasSubstr("no offchip_bw is given")));
}

TEST(MaestroImport, SameFiguresAsTheShippedEdgePlatform) {
  const Accelerator shipped_edge = read_accelerator(shipped + "edge.yaml");
  const Accelerator edge = import_maestro({"edge.m", read_text_file(data + "edge.m")}, "edge").accelerator;
  ASSERT_EQ(edge.levels.size(), shipped_edge.levels.size());
  for (std::size_t l = 0; l < edge.levels.size(); ++l) {
    EXPECT_EQ(edge.levels[l].size, shipped_edge.levels[l].size);
    EXPECT_EQ(edge.levels[l].read_bandwidth, shipped_edge.levels[l].read_bandwidth);
    EXPECT_EQ(edge.levels[l].read_energy, shipped_edge.levels[l].read_energy);
    EXPECT_EQ(edge.levels[l].access_width, shipped_edge.levels[l].access_width);
    EXPECT_EQ(edge.levels[l].keep, shipped_edge.levels[l].keep);
  }
  EXPECT_EQ(edge.compute.energy, shipped_edge.compute.energy);
}

TEST(MaestroImport, RefusesWhatItCannotRead) {
  EXPECT_THAT(message(""), HasSubstr("'l2_size' is missing"));
  EXPECT_THAT(message("a text\n"), HasSubstr("hw.m:1: expected 'name: number', found 'a text'"));
  EXPECT_THAT(message("num_pes: many\n"), HasSubstr("hw.m:1: num_pes: expected a whole number"));
  EXPECT_THAT(message("num_pes: 0\n"), HasSubstr("found '0'"));
  EXPECT_THAT(message("num_pes: 99999999999999999999\n"), HasSubstr("hw.m:1"));
  EXPECT_THAT(message("num_pes: 4\nNumPEs: 4\n"), HasSubstr("stands here twice, first in line 1"));
  EXPECT_THAT(message("num_pes: 2000000\nl1_size: 8\nl2_size: 80\n"), HasSubstr("at most 2^20"));
}

TEST(MaestroExport, HardwareComesBackWithTheSameFigures) {
  for (const char* name : {"edge", "cloud"}) {
    SCOPED_TRACE(name);
    const Accelerator accelerator = read_accelerator(shipped + name + ".yaml");
    const Exported exported = export_maestro(accelerator, {});
    const Accelerator again = import_maestro(exported.files.at(0), name).accelerator;
    EXPECT_EQ(again.units(), accelerator.units());
    for (std::size_t l = 0; l < 3; ++l) {
      EXPECT_EQ(again.levels[l].size, accelerator.levels[l].size);
      EXPECT_EQ(again.levels[l].write_energy, accelerator.levels[l].write_energy);
      if (l < 2) {
        EXPECT_EQ(again.levels[l].read_bandwidth, accelerator.levels[l].read_bandwidth);
      }
    }
  }
}

// K over 8 units in 4 folds around all rows, tiles of 4 channels: written by hand.
TEST(MaestroExport, WritesDirectives) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const Layer layer = test::convolution(32, 16, 14, 14, 3, 1);
  OutgoingMapping one{"one", layer, trivial_mapping(layer, accelerator)};
  LevelMapping& dram = one.mapping.level[0];
  LevelMapping& buffer = one.mapping.level[1];
  dram.temporal = dram.y = dram.x = {1, 1, 8, 4, 14, 14, 3, 3};
  dram.order = {2, 3, 0, 1, 4, 5, 6, 7};  // K, C, the rest once
  buffer.keep = all_operands;
  buffer.temporal = buffer.y = {1, 1, 8, 4, 1, 7, 3, 3};
  buffer.order = {4, 5, 0, 1, 2, 3, 6, 7};  // P, Q
  buffer.x = {1, 1, 1, 4, 1, 7, 3, 3};
  ASSERT_EQ(check(one.mapping, layer, accelerator, true), "");
  const Exported exported = export_maestro(accelerator, std::span(&one, 1));
  ASSERT_TRUE(exported.refusals.empty()) << exported.refusals[0];
  EXPECT_EQ(
      text_of(exported, "one.m"),
      "Network one {\n  Layer one {\n    Type: CONV\n"
      "    Dimensions { K: 32, C: 16, Y: 16, X: 16, R: 3, S: 3 }\n    Dataflow {\n"
      "      SpatialMap(1,1) K;\n      TemporalMap(4,4) C;\n      TemporalMap(1,1) Y';\n"
      "      TemporalMap(7,7) X';\n      TemporalMap(3,3) R;\n      TemporalMap(3,3) S;\n    }\n  }\n}\n");
  EXPECT_THAT(text_of(exported, "one.hardware.m"), HasSubstr("num_pes: 8\n"));
}

TEST(MaestroExport, TwoLoopsInSpaceBecomeAClusterInACluster) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const Layer layer = test::convolution(4, 8, 1, 1, 1, 1);
  OutgoingMapping one{"one", layer, trivial_mapping(layer, accelerator)};
  one.mapping.level[0].temporal = one.mapping.level[0].y = {1, 1, 4, 8, 1, 1, 1, 1};
  const Exported exported = [&] {
    for (std::size_t l = 0; l < 2; ++l) {
      LevelMapping& level = one.mapping.level[l];
      level.temporal = level.y = level.x = {1, 1, 4, 8, 1, 1, 1, 1};
    }
    one.mapping.level[1].x = {1, 1, 1, 2, 1, 1, 1, 1};
    one.mapping.level[1].keep = all_operands;
    return export_maestro(accelerator, std::span(&one, 1));
  }();
  ASSERT_TRUE(exported.refusals.empty()) << exported.refusals[0];
  EXPECT_THAT(text_of(exported, "one.m"),
              HasSubstr("      SpatialMap(1,1) K;\n      TemporalMap(8,8) C;\n      TemporalMap(1,1) Y';\n"
                        "      TemporalMap(1,1) X';\n      TemporalMap(1,1) R;\n      TemporalMap(1,1) S;\n"
                        "      Cluster(4,P);\n      SpatialMap(2,2) C;\n      TemporalMap(1,1) K;\n"));
  EXPECT_THAT(text_of(exported, "one.hardware.m"), HasSubstr("num_pes: 16\n"));
}

TEST(MaestroExport, RefusesWhatWouldChange) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  Layer layer = test::convolution(32, 16, 14, 14, 3, 1);
  OutgoingMapping window{"window", layer, trivial_mapping(layer, accelerator)};  // all loops outside L1
  OutgoingMapping twice = window;
  twice.name = "twice";
  LevelMapping& dram = twice.mapping.level[0];
  LevelMapping& buffer = twice.mapping.level[1];
  dram.temporal = dram.y = dram.x = {1, 1, 8, 4, 14, 14, 3, 3};
  buffer.temporal = buffer.y = buffer.x = {1, 1, 2, 2, 1, 1, 3, 3};
  buffer.keep = all_operands;
  layer.size[index(Dim::G)] = 2;
  OutgoingMapping groups{"groups", layer, trivial_mapping(layer, accelerator)};
  layer = test::convolution(32, 16, 14, 14, 3, 1);
  layer.dilation = {2, 2};
  infer_input_extent(layer);
  OutgoingMapping dilated{"dilated", layer, trivial_mapping(layer, accelerator)};
  const Exported exported = export_maestro(accelerator, std::vector{window, twice, groups, dilated});
  ASSERT_EQ(exported.refusals.size(), 4U);
  EXPECT_THAT(exported.refusals[0], HasSubstr("the window is cut along R"));
  EXPECT_THAT(exported.refusals[1], HasSubstr("cut in time in two storage levels"));
  EXPECT_THAT(exported.refusals[2], HasSubstr("2 groups"));
  EXPECT_THAT(exported.refusals[3], HasSubstr("dilation"));
}

TEST(MaestroExport, DepthwiseLayersHaveNoK) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  Layer layer = test::convolution(1, 1, 14, 14, 3, 1);
  layer.size[index(Dim::G)] = 32;
  OutgoingMapping one{"one", layer, trivial_mapping(layer, accelerator)};
  for (std::size_t l = 0; l < 2; ++l) {
    LevelMapping& level = one.mapping.level[l];
    level.temporal = level.y = level.x = {1, 2, 1, 1, 1, 7, 3, 3};
  }
  const Exported exported = export_maestro(accelerator, std::span(&one, 1));
  ASSERT_TRUE(exported.refusals.empty()) << exported.refusals[0];
  const std::string& text = text_of(exported, "one.m");
  EXPECT_THAT(text, HasSubstr("Type: DSCONV\n    Dimensions { K: 1, C: 32, Y: 16, X: 16, R: 3, S: 3 }"));
  EXPECT_THAT(text, HasSubstr("TemporalMap(2,2) C;"));
  EXPECT_EQ(text.find(" K;"), std::string::npos);
}

}  // namespace
}  // namespace atl
