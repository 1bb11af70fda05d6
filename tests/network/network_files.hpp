// Shared by the tests of the readers and writers: files in a folder of their own, messages of refusals,
// layers drawn at random.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"
#include "atoll/network/network.hpp"

namespace atl::test {

/// A folder that lives as long as the object.
class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("atoll-network-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

/// What the reader says of a file it refuses; "accepted" otherwise.
inline std::string refusal(const std::string& path, const NetworkOptions& options = {}) {
  try {
    read_network(path, options);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

inline std::string keys(const Network& network) {
  std::string text;
  for (const NamedLayer& named : network.layers) text += layer_key(named.layer) + "\n";
  return text;
}

inline std::uint32_t draw(Random& random, std::uint32_t low, std::uint32_t high) {
  return low + random.below(high - low + 1);
}

inline void draw_window(Random& random, Layer& layer) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const Dim window = axis == 0 ? Dim::R : Dim::S;
    layer.size[index(window)] = draw(random, 1, 4);
    layer.stride[axis] = draw(random, 1, 3);
    layer.dilation[axis] = layer[window] == 1 ? 1 : draw(random, 1, 3);
    layer.padding_before[axis] = random.below(3);
    layer.padding_after[axis] = random.below(3);
    layer.input_extent[axis] = draw(random, 12, 20);
    layer.size[index(axis == 0 ? Dim::P : Dim::Q)] = window_steps(layer, axis);
  }
}

/// Any layer that a file can express. `rows`: the factor of N beyond the network's batch.
inline Layer draw_layer(Random& random, std::uint32_t batch) {
  Layer layer;
  layer.op = static_cast<LayerOp>(random.below(5));
  layer.size[index(Dim::N)] = batch * draw(random, 1, 2);
  layer.size[index(Dim::G)] = draw(random, 1, 6);
  if (layer.op == LayerOp::conv || layer.op == LayerOp::fc || layer.op == LayerOp::matmul) {
    layer.size[index(Dim::K)] = draw(random, 1, 9);
    layer.size[index(Dim::C)] = draw(random, 1, 9);
  }
  if (layer.op == LayerOp::conv || layer.op == LayerOp::pool) draw_window(random, layer);
  if (layer.op == LayerOp::matmul) {
    layer.size[index(Dim::G)] *= batch;
    layer.size[index(Dim::P)] = layer.input_extent[0] = draw(random, 2, 9);
  }
  if (layer.op == LayerOp::elementwise) {
    layer.size[index(Dim::P)] = layer.input_extent[0] = draw(random, 1, 9);
    layer.size[index(Dim::Q)] = layer.input_extent[1] = draw(random, 1, 9);
  }
  return layer;
}

inline Network draw_network(std::uint32_t individual) {
  Random random({.seed = 5, .individual = individual});
  Network network;
  network.name = "drawn";
  network.source = "seeded test";
  network.batch = draw(random, 1, 3);
  const std::uint32_t count = draw(random, 1, 8);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string name("layer");
    name.append(std::to_string(i));
    network.layers.push_back({name, draw_layer(random, network.batch)});
  }
  return network;
}

inline void expect_same_layers(const Network& got, const Network& wanted) {
  ASSERT_EQ(got.layers.size(), wanted.layers.size());
  for (std::size_t i = 0; i < got.layers.size(); ++i) {
    EXPECT_EQ(got.layers[i].name, wanted.layers[i].name);
    EXPECT_EQ(layer_key(got.layers[i].layer), layer_key(wanted.layers[i].layer)) << got.layers[i].name;
    EXPECT_EQ(got.layers[i].layer, wanted.layers[i].layer) << got.layers[i].name;
    EXPECT_EQ(got.layers[i].from, wanted.layers[i].from) << got.layers[i].name;
  }
}

}  // namespace atl::test
