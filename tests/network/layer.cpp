#include "atoll/network/layer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;

Layer random_conv(std::uint32_t individual) {
  Random random({.seed = 11, .individual = individual});
  Layer layer;
  for (std::uint32_t& extent : layer.size) extent = 1 + random.below(5);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    layer.stride[axis] = 1 + random.below(3);
    layer.dilation[axis] = 1 + random.below(3);
    const std::uint32_t window = axis == 0 ? layer[Dim::R] : layer[Dim::S];
    layer.padding_before[axis] = random.below(window);
    layer.padding_after[axis] = random.below(window);
  }
  const std::array<std::uint32_t, 2> needed = [&] {
    infer_input_extent(layer);
    return layer.input_extent;
  }();
  // Rows that the window does not reach are part of the tensor all the same.
  for (std::size_t axis = 0; axis < 2; ++axis)
    layer.input_extent[axis] = needed[axis] + random.below(layer.stride[axis]);
  for (std::size_t axis = 0; axis < 2; ++axis)
    layer.size[index(axis == 0 ? Dim::P : Dim::Q)] = window_steps(layer, axis);
  return layer;
}

std::string refusal(const Layer& layer) {
  try {
    layer.validate("probe");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

Layer vgg_layer() {
  Layer layer;
  layer.size = {1, 1, 64, 3, 224, 224, 3, 3};
  layer.padding_before = layer.padding_after = {1, 1};
  layer.input_extent = {224, 224};
  return layer;
}

// Executes the loop nest and collects the addresses it touches.
TEST(Layer, CountsAreThoseOfTheExecutedNest) {
  for (std::uint32_t trial = 0; trial < 60; ++trial) {
    Layer layer = random_conv(trial);
    ASSERT_EQ(refusal(layer), "accepted") << layer_key(layer);
    std::set<std::array<std::uint32_t, 5>> weights;
    std::set<std::array<std::uint32_t, 5>> outputs;
    std::uint64_t operations = 0;
    std::array<std::uint32_t, dim_count> at{};
    const std::function<void(std::size_t)> nest = [&](std::size_t d) {
      if (d == dim_count) {
        ++operations;
        weights.insert({at[1], at[2], at[3], at[6], at[7]});
        outputs.insert({at[0], at[1], at[2], at[4], at[5]});
        for (std::size_t axis = 0; axis < 2; ++axis) {
          const std::uint32_t place = at[4 + axis] * layer.stride[axis] + at[6 + axis] * layer.dilation[axis];
          ASSERT_LT(place, layer.input_extent[axis] + layer.padding_before[axis] + layer.padding_after[axis]);
        }
        return;
      }
      for (at[d] = 0; at[d] < layer.size[d]; ++at[d]) nest(d + 1);
    };
    nest(0);
    EXPECT_EQ(layer.macs(), operations);
    EXPECT_EQ(layer.elements(Operand::W), weights.size());
    EXPECT_EQ(layer.elements(Operand::O), outputs.size());
  }
}

TEST(Layer, KnowsTheWordsOfItsTensors) {
  const Layer layer = vgg_layer();
  layer.validate("conv1");
  EXPECT_EQ(layer.macs(), 86704128U);
  EXPECT_EQ(layer.elements(Operand::I), 3U * 224 * 224);
  EXPECT_EQ(layer.elements(Operand::W), 64U * 3 * 9);
  EXPECT_EQ(layer.elements(Operand::O), 64U * 224 * 224);

  Layer pool;
  pool.op = LayerOp::pool;
  pool.size = {2, 64, 1, 1, 112, 112, 2, 2};
  pool.stride = {2, 2};
  infer_input_extent(pool);
  pool.validate("pool");
  EXPECT_EQ(pool.macs(), 0U);
  EXPECT_EQ(pool.operations(), 2ULL * 64 * 112 * 112 * 4);
  EXPECT_EQ(pool.elements(Operand::I), 2U * 64 * 224 * 224);
  EXPECT_EQ(pool.elements(Operand::W), 0U);

  Layer add;
  add.op = LayerOp::elementwise;
  add.size = {1, 64, 1, 1, 56, 56, 1, 1};
  infer_input_extent(add);
  add.validate("add");
  EXPECT_EQ(add.elements(Operand::W), add.elements(Operand::O));
  EXPECT_EQ(add.elements(Operand::I), add.elements(Operand::O));

  Layer product;
  product.op = LayerOp::matmul;
  product.size = {1, 12, 128, 64, 100, 1, 1, 1};
  infer_input_extent(product);
  product.validate("product");
  EXPECT_EQ(product.macs(), 12ULL * 100 * 64 * 128);
  EXPECT_EQ(product.elements(Operand::I), 12U * 100 * 64);
  EXPECT_EQ(product.elements(Operand::W), 12U * 64 * 128);
  EXPECT_EQ(product.elements(Operand::O), 12U * 100 * 128);
}

TEST(Layer, InferredInputIsTheSmallestThatFits) {
  for (std::uint32_t trial = 0; trial < 500; ++trial) {
    Layer layer = random_conv(trial);
    infer_input_extent(layer);
    ASSERT_EQ(refusal(layer), "accepted") << layer_key(layer);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (layer.input_extent[axis] == 1) continue;
      Layer smaller = layer;
      --smaller.input_extent[axis];
      EXPECT_NE(refusal(smaller), "accepted") << layer_key(smaller);
    }
  }
}

TEST(Layer, RoundingUpTakesOneMoreStepUnlessItStartsBehindTheInput) {
  Layer pool;
  pool.op = LayerOp::pool;
  pool.size[index(Dim::R)] = 3;
  pool.stride[0] = 2;
  pool.input_extent[0] = 6;
  EXPECT_EQ(window_steps(pool, 0), 2U);
  extend_to_round_up(pool, 0);
  EXPECT_EQ(window_steps(pool, 0), 3U);
  EXPECT_EQ(pool.padding_after[0], 1U);
  extend_to_round_up(pool, 0);
  EXPECT_EQ(window_steps(pool, 0), 3U);

  Layer wide = pool;
  wide.size[index(Dim::R)] = 1;
  wide.padding_after[0] = 0;
  wide.stride[0] = 6;
  wide.input_extent[0] = 6;
  extend_to_round_up(wide, 0);
  EXPECT_EQ(window_steps(wide, 0), 1U);  // the second window would start at row 6 of 0..5
}

TEST(Layer, RefusesWhatCannotBe) {
  const auto with = [](const std::function<void(Layer&)>& change) {
    Layer layer = vgg_layer();
    change(layer);
    return refusal(layer);
  };
  EXPECT_EQ(with([](Layer&) {}), "accepted");
  EXPECT_THAT(with([](Layer& l) { l.size[index(Dim::C)] = 0; }),
              HasSubstr("layer 'probe': dimension C is 0"));
  EXPECT_THAT(with([](Layer& l) { l.stride[1] = 0; }), HasSubstr("horizontal stride is 0"));
  EXPECT_THAT(with([](Layer& l) { l.dilation[0] = 0; }), HasSubstr("vertical dilation is 0"));
  EXPECT_THAT(with([](Layer& l) { l.input_extent[0] = 0; }), HasSubstr("input extent is 0"));
  EXPECT_THAT(with([](Layer& l) { l.size[index(Dim::P)] = 223; }), HasSubstr("P is 223"));
  EXPECT_THAT(with([](Layer& l) { l.size[index(Dim::R)] = 227; }), HasSubstr("window covers 227 rows"));
  EXPECT_THAT(with([](Layer& l) { l.traits[0].bits = 0; }), HasSubstr("operand W has 0 bits"));
  EXPECT_THAT(with([](Layer& l) { l.traits[1].density = 1.5F; }), HasSubstr("operand I has density 1.5"));
  EXPECT_THAT(with([](Layer& l) { l.traits[2].distinct_values = 257; }), HasSubstr("257 distinct values"));
  EXPECT_THAT(with([](Layer& l) { l.op = LayerOp::fc; }), HasSubstr("a layer of kind fc has P = 1"));
  EXPECT_THAT(with([](Layer& l) { l.op = LayerOp::pool; }), HasSubstr("a layer of kind pool has K = 1"));
}

TEST(Layer, RefusesCountsBeyondExactDoubles) {
  Layer layer;
  layer.op = LayerOp::fc;
  layer.size = {1U << 20, 1, 1U << 16, 1U << 17, 1, 1, 1, 1};
  EXPECT_EQ(refusal(layer), "accepted");  // exactly 2^53
  layer.size[index(Dim::N)] += 1;
  EXPECT_THAT(refusal(layer), HasSubstr("exceed 2^53"));
  layer.size = {4000000000U, 1, 4000000000U, 4000000000U, 1, 1, 1, 1};  // wraps around in 64 bits
  EXPECT_THAT(refusal(layer), HasSubstr("exceed 2^53"));
}

TEST(Layer, KeyTellsApartWhatMatters) {
  const Layer layer = vgg_layer();
  EXPECT_EQ(layer_key(layer), "conv N1 G1 K64 C3 P224 Q224 R3 S3 s1,1 d1,1 p1,1,1,1 i224,224 W8 I8 O8");
  const auto changed = [&](const std::function<void(Layer&)>& change) {
    Layer other = layer;
    change(other);
    return layer_key(other) != layer_key(layer);
  };
  EXPECT_FALSE(changed([](Layer&) {}));
  for (std::size_t d = 0; d < dim_count; ++d) EXPECT_TRUE(changed([&](Layer& l) { ++l.size[d]; })) << d;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    EXPECT_TRUE(changed([&](Layer& l) { ++l.stride[axis]; }));
    EXPECT_TRUE(changed([&](Layer& l) { ++l.dilation[axis]; }));
    EXPECT_TRUE(changed([&](Layer& l) { ++l.padding_before[axis]; }));
    EXPECT_TRUE(changed([&](Layer& l) { ++l.padding_after[axis]; }));
    EXPECT_TRUE(changed([&](Layer& l) { ++l.input_extent[axis]; }));
  }
  for (std::size_t o = 0; o < operand_count; ++o) {
    EXPECT_TRUE(changed([&](Layer& l) { ++l.traits[o].bits; }));
    EXPECT_TRUE(changed([&](Layer& l) { l.traits[o].density = 0.99999994F; }));
    EXPECT_TRUE(changed([&](Layer& l) { l.traits[o].distinct_values = 16; }));
    EXPECT_TRUE(changed([&](Layer& l) { l.traits[o].multiplier = 3; }));
  }
  EXPECT_TRUE(changed([](Layer& l) { l.op = LayerOp::matmul; }));
}

TEST(Layer, KeyLeavesOutWhatCannotMatter) {
  Layer point;
  point.size = {1, 1, 8, 8, 1, 4, 1, 3};
  point.input_extent = {1, 6};
  Layer other = point;
  other.dilation[0] = 5;
  other.stride[0] = 7;
  EXPECT_EQ(layer_key(point), layer_key(other));
  other.stride[1] = 2;
  EXPECT_NE(layer_key(point), layer_key(other));
}

}  // namespace
}  // namespace atl
