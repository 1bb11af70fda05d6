// Accelerators and layers for the tests of this room: a few by hand and any number drawn from a seed.
#pragma once

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/random.hpp"
#include "atoll/network/layer.hpp"

namespace atl::cases {

inline StorageLevel storage(const std::string& name, OperandSet keep, double bits, OperandSet may_keep = 0) {
  StorageLevel level;
  level.name = name;
  level.kind = "sram";
  level.keep = keep;
  level.may_keep = may_keep;
  level.size = bits;
  level.read_bandwidth = level.write_bandwidth = 64;
  level.access_width = 64;
  level.read_energy = level.write_energy = 1 + bits / 1e5;
  return level;
}

inline Accelerator with(const std::string& name, std::vector<StorageLevel> levels,
                        std::vector<Fanout> fanouts) {
  Accelerator accelerator;
  accelerator.name = name;
  accelerator.clock = 2e8;
  levels.insert(levels.begin(), storage("dram", all_operands, std::numeric_limits<double>::infinity()));
  levels.front().kind = "dram";
  levels.front().read_energy = levels.front().write_energy = 200;
  accelerator.levels = std::move(levels);
  accelerator.fanouts = std::move(fanouts);
  accelerator.compute.bits = 16;
  accelerator.compute.accumulator_bits = 16;
  accelerator.compute.energy = 2;
  accelerator.compute.area = 1;
  return accelerator;
}

inline Fanout fanout(std::size_t above, std::uint32_t x, std::uint32_t y) {
  Fanout f;
  f.above = above;
  f.x = x;
  f.y = y;
  return f;
}

inline OperandSet set_of(std::initializer_list<Operand> operands) {
  OperandSet set = 0;
  for (const Operand o : operands) set |= operand_bit(o);
  return set;
}

/// The shape of Eyeriss: a shared buffer for I and O, 14 x 12 units with small private stores for W and O.
inline Accelerator eyeriss_like() {
  auto weights = storage("filter_spad", set_of({Operand::W}), 448 * 8);
  auto sums = storage("psum_spad", set_of({Operand::O}), 48 * 8);
  weights.buffering = sums.buffering = Buffering::rolling;
  return with("eyeriss-like",
              {storage("buffer", set_of({Operand::I, Operand::O}), 108 * 1024 * 8), weights, sums},
              {fanout(1, 14, 12)});
}

/// A fan-out below the innermost level too, and stores that may be bypassed.
inline Accelerator two_fanouts() {
  return with("two-fanouts",
              {storage("shared", set_of({Operand::O}), 64 * 1024 * 8, all_operands),
               storage("local", set_of({Operand::W}), 600, set_of({Operand::I, Operand::O}))},
              {fanout(1, 4, 4), fanout(2, 8, 8)});
}

inline Accelerator plain() {
  return with("plain", {storage("buffer", all_operands, 4096)}, {});
}

inline Layer conv(std::uint32_t k, std::uint32_t c, std::uint32_t p, std::uint32_t r,
                  std::uint32_t stride = 1, std::uint32_t groups = 1) {
  Layer layer;
  layer.size = {1, groups, k, c, p, p, r, r};
  layer.stride = {stride, stride};
  layer.padding_before = {r / 2, r / 2};
  layer.padding_after = {r / 2, r / 2};
  infer_input_extent(layer);
  return layer;
}

/// The shapes of ResNet-18 (He et al., CVPR 2016, table 1), each once.
inline std::vector<Layer> resnet18() {
  Layer first = conv(64, 3, 112, 7, 2);
  Layer last;
  last.op = LayerOp::fc;
  last.size = {1, 1, 1000, 512, 1, 1, 1, 1};
  return {first,
          conv(64, 64, 56, 3),
          conv(128, 64, 28, 3, 2),
          conv(128, 64, 28, 1, 2),
          conv(128, 128, 28, 3),
          conv(256, 128, 14, 3, 2),
          conv(256, 128, 14, 1, 2),
          conv(256, 256, 14, 3),
          conv(512, 256, 7, 3, 2),
          conv(512, 256, 7, 1, 2),
          conv(512, 512, 7, 3),
          last};
}

inline Layer random_layer(Random& random) {
  Layer layer;
  const auto draw = [&](std::uint32_t high) { return 1 + random.below(high); };
  switch (random.below(5)) {
    case 0:
      layer.op = LayerOp::fc;
      layer.size = {draw(8), 1, draw(300), draw(300), 1, 1, 1, 1};
      break;
    case 1:
      layer.op = LayerOp::matmul;
      layer.size = {draw(3), draw(8), draw(100), draw(100), draw(100), 1, 1, 1};
      break;
    case 2:  // depthwise
      layer.size = {draw(2), draw(96), 1, 1, draw(30), draw(30), draw(5), draw(5)};
      break;
    default:
      layer.size = {draw(3), draw(3), draw(64), draw(64), draw(30), draw(30), draw(7), draw(7)};
  }
  if (layer.op == LayerOp::conv)
    for (std::size_t axis = 0; axis < 2; ++axis) {
      layer.stride[axis] = draw(4);
      layer.dilation[axis] = draw(3);
      const std::uint32_t window = layer.size[6 + axis];
      layer.padding_before[axis] = random.below(window);
      layer.padding_after[axis] = random.below(window);
      const std::uint32_t padding = layer.padding_before[axis] + layer.padding_after[axis];
      const std::uint32_t reach = (window - 1) * layer.dilation[axis] + 1;
      if (reach <= padding) layer.padding_before[axis] = layer.padding_after[axis] = 0;
    }
  infer_input_extent(layer);
  return layer;
}

inline Accelerator random_accelerator(Random& random) {
  std::vector<StorageLevel> levels;
  std::vector<Fanout> fanouts;
  const std::uint32_t inner = 1 + random.below(4);
  for (std::uint32_t l = 0; l <= inner; ++l) {
    if (l > 0) {
      const OperandSet keep = static_cast<OperandSet>(random.below(8));
      const OperandSet may = static_cast<OperandSet>(random.below(8));
      // Room for one word of three operands, doubled, is 96 bits; optional ones need not fit.
      auto level = storage("level" + std::string(1, static_cast<char>('0' + l)), keep, 0, may);
      level.size = 96 + random.below(1U << (6 + random.below(14)));
      level.buffering = static_cast<Buffering>(random.below(3));
      if (random.chance(0.3)) level.word_bits[random.below(3)] = 8;
      levels.push_back(level);
    }
    if (random.chance(0.6)) fanouts.push_back(fanout(l, 1 + random.below(16), 1 + random.below(16)));
  }
  return with("random", levels, fanouts);
}

}  // namespace atl::cases
