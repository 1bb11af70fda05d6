#include <gmock/gmock.h>
#include <onnx/checker.h>

#include "network_files.hpp"
#include "onnx_models.hpp"

namespace atl {
namespace {

using test::Folder;

onnx::ModelProto load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromIstream(&file));
  return model;
}

TEST(OnnxWriter, ReadingGivesTheSameLayersBack) {
  const Folder folder;
  for (std::uint32_t trial = 0; trial < 80; ++trial) {
    const Network network = test::draw_network(trial);
    write_network_onnx(network, folder.path("net.onnx"));
    Network got = read_network(folder.path("net.onnx"));
    // Every layer has an input of its own here, so all of them read the network's inputs.
    for (NamedLayer& named : got.layers) named.from.clear();
    test::expect_same_layers(got, network);
  }
}

TEST(OnnxWriter, KeepsTheWiresOfRealNetworks) {
  const Folder folder;
  for (const char* name : {"alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v2", "mnasnet"}) {
    SCOPED_TRACE(name);
    const Network network = read_network(std::string(ATOLL_SOURCE_DIR "/configs/networks/") + name + ".yaml");
    write_network_onnx(network, folder.path("net.onnx"));
    test::expect_same_layers(read_network(folder.path("net.onnx")), network);
    const onnx::ModelProto model = load(folder.path("net.onnx"));
    EXPECT_NO_THROW(onnx::checker::check_model(model));
    EXPECT_EQ(model.graph().input_size(), 1);
    EXPECT_EQ(model.graph().output_size(), 1);
    EXPECT_LT(model.ByteSizeLong(), 100000U);  // no weights inside
  }
}

TEST(OnnxWriter, ConcatenationsKeepTheirParts) {
  const Folder folder;
  const std::string path =
      folder.write("net.yaml",
                   "name: fork\nsource: test\ninput: [3, 8, 8]\nlayers:\n"
                   "  - {name: a, op: conv, in: [3, 8, 8], out: 4, kernel: 1}\n"
                   "  - {name: b, op: conv, in: [3, 8, 8], from: input, out: 6, kernel: 1}\n"
                   "  - {name: c, op: concat, in: [[4, 8, 8], [6, 8, 8]], from: [a, b]}\n"
                   "  - {name: d, op: fc, in: [10, 8, 8], out: 5}\n");
  const Network network = read_network(path);
  write_network_onnx(network, folder.path("net.onnx"));
  test::expect_same_layers(read_network(folder.path("net.onnx")), network);
  write_network_yaml(network, folder.path("again.yaml"));
  test::expect_same_layers(read_network(folder.path("again.yaml")), network);
}

TEST(OnnxWriter, StrictInferenceAgreesWithEveryShape) {
  const Folder folder;
  const Network network = read_network(ATOLL_SOURCE_DIR "/configs/networks/resnet50.yaml");
  write_network_onnx(network, folder.path("net.onnx"));
  onnx::ModelProto model = load(folder.path("net.onnx"));
  EXPECT_NO_THROW(onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(),
                                                     onnx::ShapeInferenceOptions(true, 1, true)));
}

TEST(OnnxWriter, RefusesAnEmptyNetwork) {
  const Folder folder;
  EXPECT_THROW(write_network_onnx(Network{}, folder.path("net.onnx")), InputError);
}

}  // namespace
}  // namespace atl
