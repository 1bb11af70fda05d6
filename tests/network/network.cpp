#include "atoll/network/network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

Layer fully_connected(std::uint32_t in, std::uint32_t out) {
  Layer layer;
  layer.op = LayerOp::fc;
  layer.size[index(Dim::C)] = in;
  layer.size[index(Dim::K)] = out;
  return layer;
}

Layer copy_of(std::uint32_t channels) {
  Layer layer;
  layer.op = LayerOp::pool;
  layer.size[index(Dim::G)] = channels;
  return layer;
}

Network small() {
  Network network;
  network.name = "small";
  network.layers = {{"a", fully_connected(3, 5)}, {"b", copy_of(5)},
                    {"c", fully_connected(5, 7)}, {"d", fully_connected(3, 5)},
                    {"e", fully_connected(3, 5)}, {"f", copy_of(5)}};
  return network;
}

TEST(Network, AddsUpItsLayers) {
  EXPECT_EQ(small().macs(), 3U * 15 + 35);
  EXPECT_EQ(small().weights(), 3U * 15 + 35);
  Network product = small();
  product.layers[0].layer.op = LayerOp::matmul;  // both factors are activations
  EXPECT_EQ(product.macs(), 3U * 15 + 35);
  EXPECT_EQ(product.weights(), 2U * 15 + 35);
}

TEST(Network, DistinctShapesComeInOrderOfFirstOccurrence) {
  const auto all = small().distinct(false);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].first, 0U);
  EXPECT_EQ(all[0].multiplicity, 3U);
  EXPECT_EQ(all[1].first, 1U);
  EXPECT_EQ(all[1].multiplicity, 2U);
  EXPECT_EQ(all[2].first, 2U);
  EXPECT_EQ(all[2].multiplicity, 1U);
  const auto multiplying = small().distinct(true);
  ASSERT_EQ(multiplying.size(), 2U);
  EXPECT_EQ(multiplying[1].first, 2U);
}

TEST(Network, TraitsMakeAShapeDistinct) {
  Network network = small();
  network.layers[3].layer.traits[index(Operand::W)].bits = 4;
  EXPECT_EQ(network.distinct(true).size(), 3U);
}

TEST(Network, RefusesAnUnknownEnding) {
  try {
    read_network("net.prototxt");
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr(".prototxt"));
  }
}

}  // namespace
}  // namespace atl
