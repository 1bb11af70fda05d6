// Legal mappings of a layer on an accelerator, drawn from a seed: the same on every machine.
#pragma once

#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/genome.hpp"
#include "atoll/exchange/foreign.hpp"
#include "atoll/mapper/mapping_space.hpp"

namespace atl::test {

inline Layer convolution(std::uint32_t k, std::uint32_t c, std::uint32_t p, std::uint32_t q,
                         std::uint32_t taps, std::uint32_t stride) {
  Layer layer;
  layer.size = {1, 1, k, c, p, q, taps, taps};
  layer.stride = {stride, stride};
  infer_input_extent(layer);
  return layer;
}

inline std::vector<OutgoingMapping> drawn_mappings(const Layer& layer, const Accelerator& accelerator,
                                                   int count) {
  const MappingLayout layout(std::span(&layer, 1), accelerator);
  const LayerMappingSpace space(layout, layer, accelerator);
  Random random({.seed = 11, .purpose = Purpose::test});
  std::vector<std::int32_t> genes(space.schema().integer_width());
  std::vector<OutgoingMapping> drawn;
  for (int i = 0; i < count; ++i) {
    random_row(space.schema(), random, genes, {});
    OutgoingMapping one{"m" + std::to_string(i), layer, {}};
    one.mapping.levels = static_cast<std::uint8_t>(accelerator.levels.size());
    space.repair(genes, one.mapping);
    drawn.push_back(one);
  }
  return drawn;
}

/// Figures and structure as the simulators see them, as one text: equal texts, equal costs.
std::string seen_by_simulators(const Accelerator& accelerator);

}  // namespace atl::test
