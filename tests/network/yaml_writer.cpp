#include <gmock/gmock.h>

#include "network_files.hpp"

namespace atl {
namespace {

using test::Folder;

TEST(YamlWriter, ReadingGivesTheSameLayersBack) {
  const Folder folder;
  for (std::uint32_t trial = 0; trial < 80; ++trial) {
    Network network = test::draw_network(trial);
    Random random({.seed = 6, .individual = trial});
    for (NamedLayer& named : network.layers)
      for (OperandTraits& trait : named.layer.traits)
        if (random.chance(0.3))
          trait = {static_cast<std::uint16_t>(test::draw(random, 8, 16)),
                   static_cast<float>(random.uniform()), random.below(200),
                   static_cast<std::uint16_t>(random.below(9))};
    write_network_yaml(network, folder.path("net.yaml"));
    test::expect_same_layers(read_network(folder.path("net.yaml")), network);
  }
}

TEST(YamlWriter, KeepsNamesThatNeedQuotes) {
  const Folder folder;
  Network network = test::draw_network(1);
  network.name = "a \"quoted\" \\ name: with, {signs}";
  network.layers.resize(1);
  network.layers[0].name = "/conv1/Conv: #1 'x'\n\ttab";
  write_network_yaml(network, folder.path("net.yaml"));
  const Network got = read_network(folder.path("net.yaml"));
  EXPECT_EQ(got.name, network.name);
  EXPECT_EQ(got.layers[0].name, network.layers[0].name);
}

TEST(YamlWriter, KeepsTheWires) {
  const Folder folder;
  for (const char* name : {"resnet18", "mobilenet_v2", "vgg16"}) {
    const Network network = read_network(std::string(ATOLL_SOURCE_DIR "/configs/networks/") + name + ".yaml");
    write_network_yaml(network, folder.path("net.yaml"));
    test::expect_same_layers(read_network(folder.path("net.yaml")), network);
  }
}

TEST(YamlWriter, SaysWhenTheFolderIsNotThere) {
  EXPECT_THROW(write_network_yaml(test::draw_network(1), "/nonexistent/folder/net.yaml"), ResourceError);
}

}  // namespace
}  // namespace atl
