// Layers, unrollings and loop orders for ZigZag's model, drawn from keyed streams.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/simulator/zigzag.hpp"

namespace atl::test {

inline ZigzagLayer zigzag_layer(const Layer& layer) {
  ZigzagLayer result;
  result.size = {layer[Dim::N], layer[Dim::G], layer[Dim::K], layer[Dim::C],
                 layer[Dim::Q], layer[Dim::P], layer[Dim::S], layer[Dim::R]};
  result.stride = {layer.stride[1], layer.stride[0]};
  result.dilation = {layer.dilation[1], layer.dilation[0]};
  result.input_extent = {layer.input_extent[1], layer.input_extent[0]};
  return result;
}

inline std::vector<ZigzagUnrolling> tpu_like_unrolling(const ZigzagAccelerator& accelerator,
                                                       const ZigzagLayer& layer) {
  return unroll(accelerator, layer, {{"D1", ZigzagDim::K, 32}, {"D2", ZigzagDim::C, 32}});
}

inline void shuffle(ZigzagLoops& loops, Random& random) {
  for (std::size_t i = loops.count; i > 1; --i) {
    const std::size_t j = random.below(static_cast<std::uint32_t>(i));
    std::swap(loops.dim[i - 1], loops.dim[j]);
    std::swap(loops.size[i - 1], loops.size[j]);
  }
}

inline ZigzagAccelerator shipped(const std::string& name) {
  return read_zigzag_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/zigzag/" + name +
                                 ".yaml");
}

/// A convolution or, now and then, a matrix product whose sizes seldom divide anything.
inline ZigzagLayer random_zigzag_layer(Random& random) {
  ZigzagLayer layer;
  const bool matrix = random.chance(0.25);
  const std::array<std::uint32_t, zigzag_dim_count> most = {3, 3, 70, 70, 29, 29, 5, 5};
  for (std::size_t d = 0; d < zigzag_dim_count; ++d)
    if (!matrix || d < 4) layer.size[d] = 1 + random.below(most[d]);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (!matrix) layer.stride[axis] = 1 + random.below(3);
    const std::uint32_t reach = (layer.size[4 + axis] - 1) * layer.stride[axis] + layer.size[6 + axis];
    layer.input_extent[axis] = std::max<std::uint32_t>(1, reach - random.below(3));
  }
  if (matrix) layer.operands = {Operand::O, Operand::I, Operand::W};
  return layer;
}

/// One unrolled dimension for most axes.
inline std::vector<ZigzagUnrolling> random_unrolling(Random& random, const ZigzagAccelerator& accelerator,
                                                     const ZigzagLayer& layer) {
  std::vector<ZigzagAxisLoop> loops;
  for (const auto& [axis, size] : accelerator.axes)
    if (random.chance(0.8))
      loops.push_back({axis, static_cast<ZigzagDim>(random.below(zigzag_dim_count)), 1 + random.below(size)});
  return unroll(accelerator, layer, loops);
}

}  // namespace atl::test
