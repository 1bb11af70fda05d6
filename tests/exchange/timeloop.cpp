#include "atoll/exchange/timeloop.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/exchange/accelerator_text.hpp"
#include "atoll/simulator/simulator.hpp"
#include "drawn_mappings.hpp"

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

const std::string data = std::string(ATOLL_TEST_DATA) + "/exchange/timeloop/";
const std::string shipped = std::string(ATOLL_SOURCE_DIR) + "/accelerators/";

Imported import_file(const std::string& name) {
  const ForeignFile file{name, read_text_file(data + name)};
  return import_timeloop(std::span(&file, 1), "");
}

// The architecture of an export, without the mappings' own files.
Imported import_again(const Exported& exported) {
  std::vector<ForeignFile> files;
  for (const ForeignFile& file : exported.files)
    if (!file.path.ends_with(".problem.yaml") && !file.path.ends_with(".mapping.yaml")) files.push_back(file);
  return import_timeloop(files, "again");
}

std::string message(const std::vector<ForeignFile>& files) {
  try {
    import_timeloop(files, "");
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

TEST(TimeloopImport, TakesEveryFigure) {
  const Accelerator accelerator = import_file("three_level.yaml").accelerator;
  ASSERT_EQ(accelerator.levels.size(), 3U);
  EXPECT_EQ(accelerator.levels[0].name, "dram");
  EXPECT_EQ(accelerator.levels[0].keep, all_operands);
  const StorageLevel& glb = accelerator.levels[1];
  EXPECT_EQ(glb.kind, "sram");
  EXPECT_EQ(glb.size, 54272 * 16);
  EXPECT_EQ(glb.read_bandwidth, 16 * 16);
  EXPECT_EQ(glb.access_width, 64);
  EXPECT_EQ(glb.read_energy, 24);
  EXPECT_EQ(glb.write_energy, 26);
  EXPECT_EQ(glb.leakage, 0.01);
  EXPECT_EQ(glb.may_keep, all_operands);
  EXPECT_EQ(glb.buffering, Buffering::rolling);
  const Fanout* fanout = accelerator.fanout_below(1);
  ASSERT_NE(fanout, nullptr);
  EXPECT_EQ(fanout->x, 8U);
  EXPECT_EQ(fanout->y, 8U);
  EXPECT_EQ(fanout->hop_energy, 0.05 / 16);
  EXPECT_EQ(accelerator.units(), 64U);
  EXPECT_EQ(accelerator.compute.energy, 1);
  EXPECT_EQ(accelerator.compute.bits, 16U);
}

TEST(TimeloopImport, NamesFileAndLineOfEveryFigureThatIsNoEstimate) {
  const Accelerator accelerator = import_file("simba_like.yaml").accelerator;
  ASSERT_EQ(accelerator.levels.size(), 6U);
  EXPECT_EQ(accelerator.units(), 256U);
  EXPECT_EQ(accelerator.instances(2), 16U);  // PEInputBuffer
  EXPECT_EQ(accelerator.instances(3), 64U);  // PEWeightBuffer
  EXPECT_EQ(accelerator.levels[4].word_bits[0], 24);
  for (const auto& [figure, text] : accelerator.sources)
    EXPECT_TRUE(text.starts_with("simba_like.yaml:") || text.starts_with("estimate"))
        << figure << ": " << text;
  EXPECT_EQ(count_sources(accelerator).estimated, 2U);  // clock, width of sums
}

TEST(TimeloopImport, SaysWhatIsLost) {
  const Imported imported = import_file("three_level.yaml");
  EXPECT_THAT(imported.notes, Contains(HasSubstr("an update of 'RF' costs 0.93 pJ and a write 0.9 pJ")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("1 GHz")));
}

TEST(TimeloopImport, ReadsTreesAndOldSpelling) {
  const ForeignFile file{
      "old.yaml",
      "architecture:\n  version: 0.3\n  subtree:\n"
      "  - name: System\n    attributes: {word-bits: 8, technology: 45nm}\n"
      "    local: [{name: DRAM, class: DRAM, attributes: {type: LPDDR4, width: 64, block-size: 8}}]\n"
      "    subtree:\n    - name: PE[0..15]\n      local:\n"
      "      - {name: 'Buffer[0..3]', class: storage, subclass: smartbuffer_RF,"
      " attributes: {memory_depth: 128, memory_width: 16, block-size: 2, meshX: 16}}\n"
      "      - {name: 'LMAC[0..15]', class: compute, attributes: {datawidth: 8, meshX: 16}}\n"};
  const Accelerator accelerator = import_timeloop(std::span(&file, 1), "").accelerator;
  ASSERT_EQ(accelerator.levels.size(), 2U);
  EXPECT_EQ(accelerator.technology, 0.045);
  EXPECT_EQ(accelerator.levels[0].kind, "lpddr4");
  EXPECT_EQ(accelerator.levels[1].size, 128 * 16);
  EXPECT_EQ(accelerator.levels[1].kind, "register_file");
  EXPECT_EQ(accelerator.instances(1), 64U);
  EXPECT_EQ(accelerator.units(), 256U);
  EXPECT_EQ(accelerator.fanout_below(1)->y, 4U);
}

TEST(TimeloopImport, RefusesWhatItCannotRead) {
  const std::string good = read_text_file(data + "three_level.yaml");
  EXPECT_THAT(message({{"f", "name: x\n"}}), HasSubstr("no file holds the key 'architecture'"));
  EXPECT_THAT(message({{"f", ""}}), HasSubstr("empty"));
  EXPECT_THAT(message({{"f", replaced(good, "RF[1..64]", "RF[1..63]")}}),
              HasSubstr("'RF' has 63 instances by its name and a mesh of 8 x 8"));
  EXPECT_THAT(message({{"f", replaced(good, "mac[1..64]", "mac[64]")}}), HasSubstr("expected a name like"));
  EXPECT_THAT(message({{"f", replaced(good, "entries: 256", "depht: 256")}}),
              HasSubstr("neither entries nor depth"));
  EXPECT_THAT(message({{"f", replaced(good, "energy: 24.0", "energy: -24.0")}}),
              AllOf(HasSubstr("f:59"), HasSubstr("-24")));
  EXPECT_THAT(message({{"f", replaced(good, "class: intmac", "class: SRAM")}}),
              HasSubstr("must be the multipliers"));
  EXPECT_THAT(message({{"f", "architecture: {nodes: []}\n"}}), HasSubstr("!Container"));
}

TEST(TimeloopExport, ComesBackWithTheSameFigures) {
  for (const char* name : {"eyeriss", "edge", "cloud"}) {
    SCOPED_TRACE(name);
    Accelerator accelerator = read_accelerator(shipped + name + ".yaml");
    const Exported exported = export_timeloop(accelerator, {});
    const Imported imported = import_again(exported);
    EXPECT_EQ(test::seen_by_simulators(accelerator), test::seen_by_simulators(imported.accelerator));
    EXPECT_EQ(accelerator.technology, imported.accelerator.technology);
  }
}

TEST(TimeloopExport, NotesWidthsThatDiffer) {
  const Exported exported = export_timeloop(read_accelerator(shipped + "simba.yaml"), {});
  EXPECT_THAT(exported.notes, Contains(HasSubstr("level 'global_buffer' holds words of 8 to 24 bits")));
  EXPECT_THAT(exported.notes, Contains(HasSubstr("does not add partial sums")));
}

TEST(TimeloopExport, MappingsComeBackEqual) {
  const Accelerator accelerator = read_accelerator(shipped + "eyeriss.yaml");
  const auto simulator = make_simulator("loopnest", accelerator);
  const HardwareRow hardware = hardware_row(accelerator);
  int written = 0, split = 0;
  for (const Layer& layer : {test::convolution(64, 48, 28, 28, 3, 1), test::convolution(96, 3, 27, 27, 5, 2),
                             test::convolution(1000, 512, 1, 1, 1, 1)}) {
    for (const OutgoingMapping& drawn : test::drawn_mappings(layer, accelerator, 60)) {
      const Exported exported = export_timeloop(accelerator, std::span(&drawn, 1));
      ASSERT_TRUE(exported.refusals.empty()) << exported.refusals[0];
      split += exported.files[0].path == "architecture.yaml" &&
               exported.files[0].text.find("buffer_rows") != std::string::npos;
      const LayerMapping back = import_timeloop_mapping(std::span(exported.files).last(2), accelerator);
      EXPECT_EQ(back.layer.size, layer.size);
      EXPECT_EQ(back.layer.stride, layer.stride);
      std::vector<double> before(simulator->schema().width()), after(before.size());
      simulator->evaluate({{&layer, 1}, {&hardware, 1}, {&drawn.mapping, 1}}, before);
      simulator->evaluate({{&back.layer, 1}, {&hardware, 1}, {&back.mapping, 1}}, after);
      EXPECT_EQ(before, after);
      ++written;
    }
  }
  EXPECT_EQ(written, 180);
  EXPECT_GT(split, 20);  // a dimension along y and x
  EXPECT_LT(split, 160);
}

TEST(TimeloopExport, AFanOutInTwoPartsComesBackAsOne) {
  const Accelerator accelerator = read_accelerator(shipped + "eyeriss.yaml");
  const Layer layer = test::convolution(64, 64, 1, 1, 1, 1);
  OutgoingMapping one{"one", layer, trivial_mapping(layer, accelerator)};
  one.mapping.level[0].temporal = one.mapping.level[0].y =
      one.mapping.level[0].x = {1, 1, 64, 64, 1, 1, 1, 1};
  LevelMapping& buffer = one.mapping.level[1];
  buffer.temporal = {1, 1, 1, 64, 1, 1, 1, 1};
  buffer.y = {1, 1, 1, 8, 1, 1, 1, 1};
  ASSERT_EQ(check(one.mapping, layer, accelerator, true), "");
  const Exported exported = export_timeloop(accelerator, std::span(&one, 1));
  EXPECT_THAT(exported.notes, Contains(HasSubstr("a level 'buffer_rows' that holds nothing")));
  EXPECT_THAT(exported.files[0].text, HasSubstr("buffer_rows[1..12]"));
  EXPECT_EQ(test::seen_by_simulators(accelerator),
            test::seen_by_simulators(import_again(exported).accelerator));
  const LayerMapping back = import_timeloop_mapping(std::span(exported.files).last(2), accelerator);
  EXPECT_EQ(mapping_to_json(one.mapping, back.layer, accelerator),
            mapping_to_json(back.mapping, back.layer, accelerator));
}

TEST(TimeloopExport, KeepsTheWholeMapping) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const Layer layer = test::convolution(32, 16, 14, 14, 3, 1);
  for (const OutgoingMapping& drawn : test::drawn_mappings(layer, accelerator, 100)) {
    const Exported exported = export_timeloop(accelerator, std::span(&drawn, 1));
    ASSERT_TRUE(exported.refusals.empty());  // one axis: nothing can run both ways
    const LayerMapping back = import_timeloop_mapping(std::span(exported.files).last(2), accelerator);
    EXPECT_EQ(mapping_to_json(drawn.mapping, drawn.layer, accelerator),
              mapping_to_json(back.mapping, back.layer, accelerator));
    EXPECT_EQ(drawn.mapping.level[0].order, back.mapping.level[0].order);
  }
}

TEST(TimeloopExport, RefusesWhatWouldChange) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const Layer layer = test::convolution(30, 16, 14, 14, 3, 1);
  OutgoingMapping uneven{"uneven", layer, trivial_mapping(layer, accelerator)};
  uneven.mapping.level[0].temporal[index(Dim::K)] = 7;
  OutgoingMapping pool{"pool", layer, trivial_mapping(layer, accelerator)};
  pool.layer.op = LayerOp::pool;
  const Exported exported = export_timeloop(accelerator, std::vector{uneven, pool});
  ASSERT_EQ(exported.refusals.size(), 2U);
  EXPECT_THAT(exported.refusals[0], HasSubstr("uneven: "));
  EXPECT_THAT(exported.refusals[1], HasSubstr("does not multiply"));
}

std::string mapping_message(const std::string& mapping, const std::string& problem) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const std::vector<ForeignFile> files = {{"m", mapping}, {"p", problem}};
  try {
    import_timeloop_mapping(files, accelerator);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(TimeloopMapping, NamesWhatIsWrong) {
  const std::string problem = "problem: {instance: {M: 4, C: 2}}\n";
  const auto directive = [](const std::string& text) { return "mapping:\n  - {" + text + "}\n"; };
  EXPECT_THAT(mapping_message(directive("target: drum, type: temporal, factors: M=4"), problem),
              AllOf(HasSubstr("m:2"), HasSubstr("did you mean 'dram'")));
  EXPECT_THAT(mapping_message(directive("target: dram, type: temporal, factors: K=4"), problem),
              HasSubstr("unknown dimension 'K'"));
  EXPECT_THAT(mapping_message(directive("target: dram, type: temporal, factors: M=3 C=2"), problem),
              HasSubstr("do not multiply"));
  EXPECT_THAT(mapping_message(directive("target: dram, type: temporal, factors: M=4"), problem),
              HasSubstr("the factors of C do not multiply to its size 2: 2 is left"));
  EXPECT_THAT(mapping_message(directive("target: dram, type: temporal, factors: 'M=2,1 C=2'"), problem),
              HasSubstr("residual"));
  EXPECT_THAT(mapping_message(directive("target: dram, type: tempural, factors: M=4"), problem),
              HasSubstr("expected temporal, spatial or bypass"));
  EXPECT_THAT(mapping_message("mapping: []\n", "name: x\n"), HasSubstr("'problem' is missing"));
  EXPECT_THAT(mapping_message("mapping: []\n", "problem: {instance: {M: 1000000, C: 1000000, N: 100000}}\n"),
              HasSubstr("2^53"));
}

TEST(TimeloopMapping, ReadsListsAndTheShapesOwnCoefficients) {
  const Accelerator accelerator = read_accelerator(shipped + "edge.yaml");
  const std::vector<ForeignFile> files = {
      {"p",
       "problem:\n  shape:\n    data_spaces:\n    - {name: Inputs, projection: [[[N]], [[C]], [[R, a], [P, "
       "b]], [[S], "
       "[Q, c]]]}\n  instance: {P: 4, Q: 6, R: 3, a: 2, b: 1, c: 3}\n"},
      {"m",
       "mapping:\n- {target: dram, type: temporal, factors: [P=4, Q=6, R=3], permutation: [R, P, Q]}\n"}};
  const LayerMapping read = import_timeloop_mapping(files, accelerator);
  EXPECT_EQ(read.layer.stride, (std::array<std::uint32_t, 2>{1, 3}));
  EXPECT_EQ(read.layer.dilation, (std::array<std::uint32_t, 2>{2, 1}));
  EXPECT_EQ(read.mapping.level[0].order[0], index(Dim::Q));
  EXPECT_EQ(read.mapping.level[0].order[2], index(Dim::R));
  EXPECT_EQ(check(read.mapping, read.layer, accelerator, true), "");
}

}  // namespace
}  // namespace atl
