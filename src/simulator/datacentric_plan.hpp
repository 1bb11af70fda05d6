// How each level of a mapping cuts the sizes it is given: the parts of MAESTRO's model that do not depend on
// which steps are taken.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

#include "atoll/simulator/datacentric.hpp"

namespace atl::datacentric {

constexpr std::size_t dims = data_dim_count;
constexpr std::size_t subsets = std::size_t{1} << dims;
constexpr std::size_t Y = 2, X = 3, R = 4, S = 5;

// MAESTRO counts in `int` and `long` and relies on their wrapping round.
inline std::int32_t wrap32(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
}
inline std::int64_t mul(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
inline std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
// Quotients of counts that fit 32 bits, which is nearly all of them, take a third of the time in 32 bits.
inline std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (((a | b) >> 32) == 0)
    return static_cast<std::int64_t>(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
  return b == -1 ? add(~a, 1) : a / b;
}

using DimSet = std::uint8_t;
constexpr DimSet set_of(std::initializer_list<std::size_t> members) {
  DimSet set = 0;
  for (const std::size_t d : members) set = static_cast<DimSet>(set | (1U << d));
  return set;
}
constexpr DimSet all_dims = 0x3F;

/// Dimensions that an operand changes with, by DataOperand.
constexpr std::array<std::array<DimSet, data_operand_count>, 2> coupled_dims = {{
    {set_of({1, Y, X}), set_of({0, 1, R, S}), set_of({0, Y, X})},
    {set_of({1, Y, X}), set_of({1, R, S}), set_of({1, Y, X})},
}};
constexpr bool has(DimSet set, std::size_t d) {
  return ((set >> d) & 1U) != 0;
}
constexpr DimSet operator_dims(bool depthwise) {
  return depthwise ? static_cast<DimSet>(all_dims & ~1U) : all_dims;
}

/// How a directive steps through a tile's actual size.
struct Walk {
  std::int32_t steady;  // steps between the first and the edge
  bool first_is_edge;
  bool unrolled;  // one step covers all
  bool edge;      // a last, smaller step
  bool partial;   // spatial: the last unit of the edge step gets a smaller piece

  bool advances() const { return steady > 0 || edge; }
};

/// Factors of a dimension: of a full step, and of its edge step.
using ByEdge = std::array<std::int64_t, 2>;

/// A directive of a level, ready for the tiles: what it contributes to the products that are elements or
/// MACs. 1 where the dimension does not matter. The spatial one's contributions are those of all units
/// together.
struct Spot {
  std::uint8_t dim;
  bool spatial, stuck;          // stuck: temporal and nothing new in a piece
  std::array<bool, 2> coupled;  // to input and filter
  std::array<Walk, 2> walk;     // by which of the two sizes, as the next three
  std::array<ByEdge, 2> written, critical, computed;
  std::array<ByEdge, 2> loaded;       // by operand; spatial: 1, see Plan::loaded
  std::array<std::int64_t, 2> fresh;  // by operand
};

/// One level: pieces from its nominal sizes, walks through both sizes that the level above can hand down.
struct Plan {
  std::size_t count;  // directives
  std::array<std::uint8_t, dims> order;
  std::size_t spatial;  // index of DataDim
  std::int32_t units, edge_units;
  DataSizes step;                         // offset from piece to piece
  std::array<DataSizes, 2> piece{};       // [edge][dim]: elements of the full and of the edge piece
  std::array<DataSizes, 2> output_piece;  // the same in output rows and columns
  DataSizes fresh, fresh_edge;            // what is new in a piece
  DataSizes output_fresh, output_fresh_edge;
  std::array<Spot, dims> spots;  // in order
  std::array<std::array<ByEdge, 2>, 2>
      loaded;  // by all units if spread: [which of the two sizes][only what is new]
  // Sizes that the level above can hand down: its full piece and its edge piece. At level 0 the layer's.
  std::array<DataSizes, 2> size;
  DimSet two_sizes;  // dimensions where they differ
};

struct Context {
  Context(const DatacentricMapping& mapping, const DatacentricLayer& of_layer,
          const DatacentricHardware& on_hardware);

  const DatacentricLayer& layer;
  const DatacentricHardware& hardware;
  const std::array<DimSet, data_operand_count>& coupled;  // by DataOperand
  std::size_t levels;
  std::array<Plan, max_data_levels> plan;
};

}  // namespace atl::datacentric
