// Timeloop's names of what atoll calls otherwise, and its rule for the size of a tile.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "atoll/base/yaml.hpp"
#include "atoll/simulator/mapping.hpp"

namespace atl {

namespace timeloop {
/// By Dim: K is M there.
inline constexpr std::array<std::string_view, dim_count> dims = {"N", "G", "M", "C", "P", "Q", "R", "S"};
/// By Operand.
inline constexpr std::array<std::string_view, operand_count> operands = {"Weights", "Inputs", "Outputs"};
/// The level that holds nothing and stands once for each row of the fan-out below `level`.
inline std::string rows_of(const std::string& level) {
  return level + "_rows";
}
}  // namespace timeloop

/// Is a directive of this type a list of what a level keeps?
inline bool timeloop_bypass(const std::string& type) {
  return type == "bypass" || type == "bypassing" || type == "datatype" || type == "dataspace";
}

/// [Weights, Inputs, Outputs] as a set.
inline OperandSet timeloop_operands(const YamlNode& node) {
  OperandSet set = 0;
  if (node.is_null()) return set;
  for (const YamlNode& element : node.elements(true)) {
    const std::size_t o = element.choice({timeloop::operands.begin(), timeloop::operands.end()});
    set = static_cast<OperandSet>(set | operand_bit(static_cast<Operand>(o)));
  }
  return set;
}

/// Words of a tile as Timeloop stores it: the bounding box of the projection, holes included.
inline std::uint64_t bounding_box_words(const Layer& layer, Operand operand, const Extents& extents) {
  if (operand != Operand::I) return tile_words(layer, operand, extents);
  std::uint64_t words = 1;
  for (const Dim d : {Dim::N, Dim::G, Dim::C}) words *= extents[index(d)];
  const auto side = [&](Dim rows, Dim taps, std::size_t axis) {
    return std::uint64_t{extents[index(rows)] - 1} * layer.stride[axis] +
           std::uint64_t{extents[index(taps)] - 1} * layer.dilation[axis] + 1;
  };
  return words * side(Dim::P, Dim::R, 0) * side(Dim::Q, Dim::S, 1);
}

}  // namespace atl
