// The bytes of pack_batch, seen from inside. Little-endian; a header of 64 bytes, the body, the mappings:
//
//   header   magic "ATBT" u4, version u4, body bytes u8, mapping bytes u8, XXH3-64 of the body u8, of the
//            mappings u8, reserved to 64
//   body     task, generation, island, rows, integers, integer bytes, reals, headline, breakdown, migrations,
//            layer costs: u4 each, u4 zero; then columns, each of all rows: parent_a u8, parent_b u8, fitness
//            f8, violation f8, headline f8, reals f8; layer costs: layer key u8, mapping key u8, cycles
//            f8, energy f8, slot u4, multiplicity u4; migrations u4 x 7; breakdown f4, integer genes as
//            their types say, origin u1
//   mappings count u8, then (key u8, length u8, text) each
//
// The body is what the checksum of a batch covers: which mappings
// travel along depends on what the receiver knows already.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tables.hpp"

namespace atl {

/// The parts of a body, in file order; each a run of bytes.
enum class Part : std::size_t {
  parent_a,
  parent_b,
  fitness,
  violation,
  headline,
  reals,
  layer_key,
  layer_mapping,
  layer_cycles,
  layer_energy,
  layer_slot,
  layer_multiplicity,
  migrations,
  breakdown,
  integers,
  origin,
  count
};
constexpr std::size_t index(Part p) {
  return static_cast<std::size_t>(p);
}
inline constexpr std::size_t part_count = index(Part::count);

struct BodyShape {
  std::uint32_t task = 0, generation = 0, island = 0, rows = 0, migrations = 0, layer_costs = 0;
  std::array<std::size_t, part_count> bytes(const StoreShape& shape) const;
};

inline constexpr std::size_t packed_header_bytes = 64, body_header_bytes = 48;

/// Writes the header of a body; the parts follow at body_header_bytes.
void put_body_header(std::uint8_t* out, const BodyShape& body, const StoreShape& shape);

/// A packed batch taken apart; spans into the packed bytes.
struct PackedView {
  BodyShape body;
  std::uint64_t checksum = 0;
  std::array<std::span<const std::uint8_t>, part_count> parts;
  struct Mapping {
    std::uint64_t key;
    std::string_view json;
  };
  std::vector<Mapping> mappings;
  std::string name() const;  // "task 0, generation 3, island 1"
};

/// The row of /generations that a batch gives: `fitness` and `violation` as they lie in the body.
GenerationRow summarise(const BodyShape& body, std::span<const std::uint8_t> fitness,
                        std::span<const std::uint8_t> violation);

/// The packed bytes of a body that was put together elsewhere.
std::vector<std::uint8_t> pack_body(std::span<const std::uint8_t> body,
                                    std::span<const StoreMapping> mappings);

/// InternalError if the bytes are not a whole batch of this shape.
PackedView unpack_batch(std::span<const std::uint8_t> packed, const StoreShape& shape);

}  // namespace atl
