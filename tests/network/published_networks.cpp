// The networks we ship against figures others have published. Weights are exact: the published number of
// parameters less biases and batch norm, which follow from the channels. MACs within the digits published.
#include <gtest/gtest.h>

#include "atoll/network/network.hpp"

namespace atl {
namespace {

struct Published {
  const char* file;
  double gmac;  // as published, and half a unit of its last digit
  double tolerance;
  std::uint64_t parameters;  // exact, with biases and batch norm
  bool batch_norm;           // after every convolution, which then has no bias
  std::uint64_t macs;        // exact, by our count
  std::uint64_t weights;
};

// Sources. GMAC and parameters: torchvision 0.15, torchvision.models weights tables (`_ops`, `num_params`),
// for vgg16, resnet18, resnet50, mobilenet_v2 and mnasnet1_0. AlexNet: 60,965,224 parameters and 724 M MACs
// of Caffe's bvlc_alexnet; 666 M of them in convolutions (Chen et al., ISSCC 2016, Eyeriss).
const Published published[] = {
    {"alexnet", 0.724, 0.0005, 60965224, false, 724406816, 60954656},
    {"vgg16", 15.47, 0.005, 138357544, false, 15470264320, 138344128},
    {"resnet18", 1.814, 0.0005, 11689512, true, 1814073344, 11678912},
    {"resnet50", 4.089, 0.0005, 25557032, true, 4089184256, 25502912},
    {"mobilenet_v2", 0.301, 0.0005, 3504872, true, 300774272, 3469760},
    {"mnasnet", 0.314, 0.0005, 4383312, true, 314415872, 4344392},
};

Network load(const char* file) {
  return read_network(std::string(ATOLL_SOURCE_DIR "/configs/networks/") + file + ".yaml");
}

TEST(PublishedNetworks, HaveTheirMacsAndParameters) {
  for (const Published& expected : published) {
    SCOPED_TRACE(expected.file);
    const Network network = load(expected.file);
    EXPECT_EQ(network.macs(), expected.macs);
    EXPECT_NEAR(static_cast<double>(network.macs()) * 1e-9, expected.gmac, expected.tolerance);
    EXPECT_EQ(network.weights(), expected.weights);
    std::uint64_t others = 0;
    for (const NamedLayer& named : network.layers) {
      const std::uint64_t channels = std::uint64_t{named.layer[Dim::G]} * named.layer[Dim::K];
      if (named.layer.op == LayerOp::conv) others += expected.batch_norm ? 2 * channels : channels;
      if (named.layer.op == LayerOp::fc) others += channels;
    }
    EXPECT_EQ(network.weights() + others, expected.parameters);
    EXPECT_FALSE(network.source.empty());
  }
}

TEST(PublishedNetworks, AlexNetConvolutionsAreThoseOfEyeriss) {
  std::uint64_t macs = 0;
  for (const NamedLayer& named : load("alexnet").layers)
    if (named.layer.op == LayerOp::conv) macs += named.layer.macs();
  EXPECT_NEAR(static_cast<double>(macs) * 1e-6, 666.0, 0.5);
}

TEST(PublishedNetworks, RepeatShapes) {
  const Network network = load("resnet18");
  std::uint64_t macs = 0;
  std::uint32_t layers = 0;
  for (const DistinctLayer& shape : network.distinct(true)) {
    macs += shape.multiplicity * network.layers[shape.first].layer.macs();
    layers += shape.multiplicity;
  }
  EXPECT_EQ(network.distinct(true).size(), 12U);
  EXPECT_EQ(layers, 21U);
  EXPECT_EQ(macs, network.macs());
}

TEST(PublishedNetworks, EveryWireIsKnown) {
  for (const Published& expected : published)
    for (const NamedLayer& named : load(expected.file).layers)
      EXPECT_EQ(named.from.size(), named.layer.op == LayerOp::elementwise ? 2U : 1U) << named.name;
}

}  // namespace
}  // namespace atl
