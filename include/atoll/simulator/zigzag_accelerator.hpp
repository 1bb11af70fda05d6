// An accelerator as ZigZag sees it: an array of multipliers with named axes, and memories, each for some
// operands, with ports that name which moves of data they carry. Read from
// accelerators/reference/zigzag/*.yaml. ZIGZAG.md tells what each figure does.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atoll/network/layer.hpp"

namespace atl {

inline constexpr std::size_t zigzag_most_axes = 8;
inline constexpr std::size_t zigzag_most_memories = 16;
inline constexpr std::size_t zigzag_most_levels = 8;  // memories of one operand
inline constexpr std::size_t zigzag_most_ports = 64;  // of all memories together

/// The four ways data of one operand cross one memory: out to and in from what lies below (towards the
/// multipliers) and above (towards the outermost memory). Names are ZigZag's.
enum class ZigzagMove : std::uint8_t { rd_out_to_low, wr_in_by_low, rd_out_to_high, wr_in_by_high };
inline constexpr std::size_t zigzag_move_count = 4;
inline constexpr std::array<std::string_view, zigzag_move_count> zigzag_move_names = {
    "rd_out_to_low", "wr_in_by_low", "rd_out_to_high", "wr_in_by_high"};
constexpr std::size_t index(ZigzagMove move) {
  return static_cast<std::size_t>(move);
}
constexpr bool reads(ZigzagMove move) {
  return move == ZigzagMove::rd_out_to_low || move == ZigzagMove::rd_out_to_high;
}

struct ZigzagPort {
  std::string name;
  double least = 0;  // bit/cycle: an access narrower than `most` costs energy in steps of this
  double most = 0;   // bit/cycle
  std::vector<std::pair<Operand, ZigzagMove>> moves;  // the order decides which transfers overlap first
};

struct ZigzagMemory {
  std::string name;
  double size = 0;                           // bit, of one instance
  double read_energy = 0, write_energy = 0;  // pJ per access of the full width
  std::vector<Operand> operands;             // the order breaks ties of the allocator: the last one first
  std::uint32_t serves = 0;                  // bit mask of array axes that one instance feeds
  std::vector<ZigzagPort> ports;
};

struct ZigzagAccelerator {
  std::string name;
  std::vector<std::pair<std::string, std::uint32_t>> axes;  // name and number of multipliers along it
  double mac_energy = 0;                                    // pJ
  std::vector<ZigzagMemory> memories;                       // innermost first
  std::vector<std::pair<std::string, std::string>> sources;

  /// Indices of the memories of one operand, innermost first.
  std::vector<std::size_t> path(Operand operand) const;
  double multipliers() const;
};

/// Reads a description. InputError with the place: unknown keys, a memory without operands, an operand
/// without memory, a move that no port or two ports carry, figures without a source.
ZigzagAccelerator read_zigzag_accelerator(const std::string& path);
ZigzagAccelerator parse_zigzag_accelerator(const std::string& text, const std::string& name);

}  // namespace atl
