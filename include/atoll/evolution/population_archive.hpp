// How a population goes through Boost.Serialization. Heavy: include it only in the sources that save or load.
#pragma once

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstdint>

#include "atoll/evolution/population.hpp"

namespace atl {

template <class Archive>
void serialize(Archive& archive, ExtraColumn& column, unsigned /*version*/) {
  archive& column.name& column.width& column.values;
}

template <class Archive>
void Population::serialize(Archive& archive, unsigned /*version*/) {
  archive& size_& integer_width_& real_width_& cost_width_;
  archive& integers_& reals_& costs_;
  archive& fitness& violation& id& parent_a& parent_b;
  std::vector<std::uint8_t> origins(origin.size());
  for (std::size_t row = 0; row < origin.size(); ++row) origins[row] = static_cast<std::uint8_t>(origin[row]);
  archive& origins;
  if (Archive::is_loading::value) {
    origin.resize(origins.size());
    for (std::size_t row = 0; row < origins.size(); ++row) origin[row] = static_cast<Origin>(origins[row]);
  }
  archive& extra;
}

}  // namespace atl
