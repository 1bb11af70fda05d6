#include "atoll/simulator/mapping.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "atoll/base/error.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

using testing::HasSubstr;

TEST(Mapping, WindowWordsAreTheDistinctRows) {
  for (std::uint64_t rows = 1; rows < 9; ++rows)
    for (std::uint64_t taps = 1; taps < 8; ++taps)
      for (std::uint64_t stride = 1; stride < 7; ++stride)
        for (std::uint64_t dilation = 1; dilation < 7; ++dilation) {
          std::set<std::uint64_t> words;
          for (std::uint64_t p = 0; p < rows; ++p)
            for (std::uint64_t r = 0; r < taps; ++r) words.insert(p * stride + r * dilation);
          ASSERT_EQ(window_words(rows, taps, stride, dilation), words.size());
        }
}

TEST(Mapping, JsonBringsBackLayerAndCost) {
  for (std::uint32_t i = 0; i < 500; ++i) {
    const Case one = random_case(200000 + i, 10000);
    const std::string line = mapping_to_json(one.mapping, one.layer, one.accelerator);
    const LayerMapping back = mapping_from_json(line, one.accelerator, "line");
    ASSERT_EQ(back.layer, one.layer) << line;
    ASSERT_EQ(mapping_to_json(back.mapping, back.layer, one.accelerator), line);
    const auto simulator = make_simulator("loopnest", one.accelerator);
    ASSERT_EQ(evaluate(*simulator, {one.accelerator, back.layer, back.mapping}), evaluate(*simulator, one));
  }
}

class MappingOfALayer : public testing::Test {
 protected:
  MappingOfALayer() {
    Random random = stream(5, 4);
    accelerator_ = random_accelerator(random);
    accelerator_.fanouts = {Fanout{.above = 0, .x = 2, .y = 3}};
    layer_.size = {1, 2, 4, 6, 5, 5, 3, 3};
    infer_input_extent(layer_);
    mapping_ = trivial_mapping(layer_, accelerator_);
  }
  std::string why() const { return check(mapping_, layer_, accelerator_, true); }
  void set(std::size_t l, Dim d, std::uint32_t temporal, std::uint32_t y, std::uint32_t x) {
    mapping_.level[l].temporal[index(d)] = temporal;
    mapping_.level[l].y[index(d)] = y;
    mapping_.level[l].x[index(d)] = x;
  }

  Accelerator accelerator_;
  Layer layer_;
  Mapping mapping_;
};

TEST_F(MappingOfALayer, TrivialIsLegal) {
  EXPECT_EQ(why(), "");
}

TEST_F(MappingOfALayer, EveryRuleIsChecked) {
  const Mapping good = mapping_;
  const auto expect = [&](const char* text) {
    EXPECT_THAT(why(), HasSubstr(text));
    mapping_ = good;
  };
  mapping_.levels = 1;
  expect("1 levels");
  mapping_.level[1].order[0] = 3;
  expect("order");
  set(0, Dim::C, 4, 1, 1);
  expect("must divide the extent that enters, but is 4 of 6");
  set(0, Dim::C, 12, 1, 1);
  expect("not exceed");
  set(0, Dim::C, 0, 1, 1);
  expect("at least 1");
  set(0, Dim::C, 6, 2, 2);
  expect("");  // 3 children along y
  set(0, Dim::C, 6, 1, 1);
  expect("6 x 1 children (y, x), there are 3 x 2");
  set(0, Dim::C, 6, 6, 1);
  expect("1 x 6 children (y, x), there are 3 x 2");
  mapping_.level[0].keep = 1;
  expect("must keep WIO, but keeps W");
  for (std::size_t l = 0; l < mapping_.levels; ++l) set(l, Dim::K, 4, 4, 4);
  expect("inside the last level");
  accelerator_.levels[1].keep = operand_bit(Operand::I);
  accelerator_.levels[1].may_keep = 0;
  mapping_.level[1].keep = all_operands;
  expect("may keep only I, but keeps WIO");
}

TEST_F(MappingOfALayer, TilesNeedNotDivideButObeyEveryOtherRule) {
  const Mapping good = mapping_;
  const auto expect = [&](const char* text) {
    EXPECT_THAT(check(mapping_, layer_, accelerator_, false), HasSubstr(text));
    mapping_ = good;
  };
  set(0, Dim::C, 4, 2, 1);  // 6 in steps of 4; two by two children
  EXPECT_EQ(check(mapping_, layer_, accelerator_, false), "");
  EXPECT_THAT(why(), HasSubstr("must divide the extent that enters, but is 4 of 6"));
  set(0, Dim::C, 5, 2, 1);  // the last of three turns is smaller, and needs a child all the same
  EXPECT_EQ(check(mapping_, layer_, accelerator_, false), "");
  set(0, Dim::C, 5, 1, 1);
  expect("5 x 1 children (y, x), there are 3 x 2");
  set(0, Dim::C, 7, 1, 1);
  expect("the temporal extent of C at level 'level0' must not exceed the extent that enters, but is 7 of 6");
  set(1, Dim::C, 2, 1, 1);
  expect("not exceed");
  mapping_.level[0].keep = 6;
  expect("level 'level0' must keep WIO, but keeps IO");
  accelerator_.levels[1].keep = operand_bit(Operand::I);
  accelerator_.levels[1].may_keep = 0;
  accelerator_.levels[1].word_bits[index(Operand::I)] = 8;
  accelerator_.levels[1].buffering = Buffering::rolling;
  accelerator_.levels[1].size = 24;
  mapping_ = trivial_mapping(layer_, accelerator_);
  set(0, Dim::C, 4, 4, 4);
  expect("the tiles at level 'level1' need 32 bits, it has 24");
}

TEST_F(MappingOfALayer, NoProductWraps) {
  layer_.size = {1, 1, 1U << 31, 1U << 31, 2, 1, 1, 1};
  EXPECT_THAT(check(mapping_, layer_, accelerator_, false),
              HasSubstr("fewer than 10^12 operations, but has 9.223e+18"));
  layer_.size = {1, 1, 1000000, 1000000, 1, 1, 1, 1};
  EXPECT_THAT(check(mapping_, layer_, accelerator_, false), HasSubstr("but has 1e+12"));
  layer_.size = {1, 1, 1000000, 999999, 1, 1, 1, 1};
  EXPECT_EQ(check(mapping_, layer_, accelerator_, false), "");
  set(0, Dim::K, 1000000, 1000000, 1);
  set(0, Dim::C, 999999, 999999, 1);
  EXPECT_THAT(check(mapping_, layer_, accelerator_, false), HasSubstr("1 x 999999000000 children"));
}

TEST_F(MappingOfALayer, ClippedWindowsOfHugeAxesAreRefused) {
  layer_.size = {1, 1, 1, 1, 1U << 20, 1, 3, 1};
  infer_input_extent(layer_);
  mapping_ = trivial_mapping(layer_, accelerator_);
  EXPECT_EQ(check(mapping_, layer_, accelerator_, false), "");
  set(0, Dim::P, 7, 7, 7);
  for (std::size_t l = 1; l < mapping_.levels; ++l) set(l, Dim::P, 1, 1, 1);
  EXPECT_THAT(check(mapping_, layer_, accelerator_, false),
              HasSubstr("up to 1048576 = P x R, not for 3145728"));
}

TEST_F(MappingOfALayer, CapacityCountsTheLargestTileOncePerBuffer) {
  StorageLevel& level = accelerator_.levels[1];
  level.keep = operand_bit(Operand::I);
  level.word_bits[index(Operand::I)] = 8;
  mapping_ = trivial_mapping(layer_, accelerator_);
  set(0, Dim::P, 5, 5, 5);
  for (std::size_t l = 1; l < mapping_.levels; ++l) set(l, Dim::P, 1, 1, 1);
  level.size = 5 * 8;
  level.buffering = Buffering::rolling;
  EXPECT_EQ(why(), "");
  level.buffering = Buffering::double_;
  EXPECT_THAT(why(), HasSubstr("need 80 bits, it has 40"));
  level.size = 80;
  EXPECT_EQ(why(), "");
  layer_.stride[0] = 4;  // holes are not stored
  infer_input_extent(layer_);
  EXPECT_EQ(why(), "");
}

TEST_F(MappingOfALayer, LoopNestShowsEveryLoop) {
  set(0, Dim::C, 6, 2, 1);
  const std::string text = loop_nest(mapping_, layer_, accelerator_);
  EXPECT_THAT(text, HasSubstr("for C in 0:6:2  (along y)"));
  EXPECT_THAT(text, HasSubstr("for C in 0:2:1  (along x)"));
  EXPECT_THAT(text, HasSubstr("for K in 0:4:1\n"));
  EXPECT_THAT(text, HasSubstr("level0:"));
}

TEST_F(MappingOfALayer, JsonErrorsNamePlaceKeyAndValue) {
  const std::string good = mapping_to_json(mapping_, layer_, accelerator_);
  const auto expect = [&](const std::string& from, const std::string& to, const char* text) {
    std::string bad = good;
    const auto at = bad.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    bad.replace(at, from.size(), to);
    try {
      mapping_from_json(bad, accelerator_, "in.jsonl:7");
      ADD_FAILURE() << "accepted " << bad;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("in.jsonl:7"));
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  };
  expect("{", "[", "not valid JSON");
  expect("\"layer\"", "\"lajer\"", "key 'layer' is missing");
  expect("\"K\":4", "\"K\":\"four\"", "layer.K");
  expect("\"K\":4", "\"K\":0", "found 0");
  expect("\"K\":4", "\"M\":4", "unknown key 'M'");
  expect("\"conv\"", "\"convolution\"", "'convolution'");
  expect("\"stride\":[1,1]", "\"stride\":[1]", "two numbers");
  expect("\"level\":\"level0\"", "\"level\":\"sram\"", "'sram'");
  expect("\"keep\":[\"W\"", "\"keep\":[\"Q\"", "'Q'");
  expect("[\"K\",1]", "[\"K\"]", "[dimension, extent]");
  expect("[\"K\",1]", "[\"C\",1]", "stands twice");
  expect("\"spatial_x\"", "\"spatial_z\"", "spatial_z");
  expect("\"K\":4", "\"K\":" + std::string(200000, '[') + std::string(200000, ']'), "nest deeper");
  const std::string traits =
      "\"traits\":{\"I\":{\"density\":1,\"distinct_values\":0,";  // 16 bit fields do not wrap
  expect("\"K\":4", "\"K\":4," + traits + "\"bits\":65544,\"multiplier\":0}}", "to 65535, found 65544");
  expect("\"K\":4", "\"K\":4," + traits + "\"bits\":8,\"multiplier\":65536}}", "to 65535, found 65536");
}

}  // namespace
}  // namespace atl::test
