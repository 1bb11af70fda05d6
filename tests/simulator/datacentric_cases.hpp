// Random mappings for the data-centric model, as GAMMA draws them: tiles uniform up to the tile outside,
// whole filters, any order, a cluster of up to as many units as the spread tile has parts.
#pragma once

#include <algorithm>

#include "atoll/base/random.hpp"
#include "atoll/simulator/datacentric.hpp"

namespace atl::test {

/// Extents that tiles of a layer may reach: output rows and columns for Y and X.
inline DataSizes reach_of(const DatacentricLayer& layer) {
  DataSizes reach = layer.size;
  reach[2] = static_cast<std::int32_t>(layer.output_rows());
  reach[3] = static_cast<std::int32_t>(layer.output_columns());
  return reach;
}

inline DatacentricMapping random_data_mapping(Random& random, const DatacentricLayer& layer, std::int32_t pes,
                                              std::size_t levels) {
  DatacentricMapping mapping;
  mapping.levels = static_cast<std::uint8_t>(levels);
  DataSizes outside = reach_of(layer);
  std::int32_t left = pes;
  for (std::size_t l = 0; l < levels; ++l) {
    DatacentricLevel& level = mapping.level[l];
    level.order = {0, 1, 2, 3, 4, 5};
    for (std::size_t i = data_dim_count; i-- > 1;)
      std::swap(level.order[i], level.order[random.below(static_cast<std::uint32_t>(i + 1))]);
    level.spatial = static_cast<std::uint8_t>(layer.depthwise ? 1 + random.below(3) : random.below(4));
    for (std::size_t d = 0; d < 4; ++d) level.tile[d] = random.between(1, outside[d]);
    level.tile[4] = layer.size[4];
    level.tile[5] = layer.size[5];
    if (l > 0) {
      level.units = random.between(1, std::clamp(outside[level.spatial], 1, left));
      left /= level.units;
    }
    outside = level.tile;
  }
  return mapping;
}

}  // namespace atl::test
