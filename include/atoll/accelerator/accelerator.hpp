// An accelerator: storage levels from the outermost (DRAM) inwards, fan-outs between them, and the
// multipliers at the bottom. Plain data. Numbers that evolution may change later (sizes, bandwidths,
// energies) stand apart from structure, so that a simulator is compiled once per structure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atoll/accelerator/execution.hpp"
#include "atoll/network/layer.hpp"

namespace atl {

inline constexpr std::size_t max_levels = 8;

/// Set of operands as bits: 1 << index(Operand).
using OperandSet = std::uint8_t;
constexpr OperandSet operand_bit(Operand o) {
  return static_cast<OperandSet>(1U << index(o));
}
constexpr bool contains(OperandSet set, Operand o) {
  return (set & operand_bit(o)) != 0;
}
inline constexpr OperandSet all_operands = 7;

/// single: one tile's room, transfers stall the compute. double_: two tiles' room, transfers overlap.
/// rolling: one tile's room, words are replaced one by one while others are in use, as in Eyeriss's
/// scratchpads (and as Timeloop assumes everywhere).
enum class Buffering : std::uint8_t { single, double_, rolling };

struct StorageLevel {
  std::string name;
  std::string kind;         // one of storage_kinds()
  std::string component;    // class of the figures that the file does not give; empty: none
  std::uint32_t banks = 1;  // parts apart from each other, as the class sees them
  OperandSet keep = 0;      // must be kept here
  OperandSet may_keep = 0;  // a mapping may keep or bypass these
  double size = 0;          // bits per instance; infinity for the outermost level
  Buffering buffering = Buffering::double_;
  double read_bandwidth = 0;  // bits per cycle and instance; infinity if not limited
  double write_bandwidth = 0;
  bool shared_port = false;  // reads and writes share read_bandwidth
  double access_width = 0;   // bits moved by one access
  double read_energy = 0;    // pJ per access of access_width bits
  double write_energy = 0;
  double leakage = 0;                                       // pJ per instance and cycle
  double area = 0;                                          // um2 per instance
  std::array<double, operand_count> word_bits = {0, 0, 0};  // stored width per operand; 0: the compute's
};

/// A fan-out stands below level `above` and multiplies the instances of everything further in.
struct Fanout {
  std::size_t above = 0;  // index of the storage level it hangs below
  std::uint32_t x = 1, y = 1;
  bool multicast = true;  // equal words to several children are read once
  bool reduction = true;  // partial sums of several children are added on the way
  double hop_energy = 0;  // pJ per bit and delivered word (one hop each); 0: not modelled
  double wire = 0;        // mm of a hop; 0: not said
};

struct Compute {
  std::string kind = "mac";
  std::string component;                // as of a level
  std::uint32_t bits = 8;               // W and I words
  std::uint32_t accumulator_bits = 16;  // O words
  double energy = 0;                    // pJ per operation
  double area = 0;                      // um2 per unit
};

struct Accelerator {
  std::string name;
  std::string file;                  // where it was read from, for messages
  double clock = 0;                  // Hz
  double technology = 0;             // um (65 nm is 0.065); 0: not said
  std::vector<StorageLevel> levels;  // outermost first; levels[0] keeps every operand
  std::vector<Fanout> fanouts;       // at most one below each level, in order of `above`
  Compute compute;
  /// An output word without a partial sum yet is not read; false: the first visit of an output tile reads
  /// too.
  bool zero_read_elision = true;
  Execution execution;  // what keeps it from perfect overlap; empty: nothing
  /// Every figure's source, as (dotted path, text): "levels.buffer.size" -> "JSSC'17 table I"; a fan-out's
  /// figures stand under the level it hangs below: "levels.buffer.fanout.x". Estimates begin with "estimate",
  /// figures of component classes with "derived" or, beyond the limits of the class, "estimate, derived".
  std::vector<std::pair<std::string, std::string>> sources;

  /// Fan-out below a level; nullptr if none.
  const Fanout* fanout_below(std::size_t level) const;
  /// Instances of a level (product of fan-outs further out) / of the multipliers.
  std::uint64_t instances(std::size_t level) const;
  std::uint64_t units() const;
  /// Bits of one word of `operand` at `level` (the level's word_bits or the compute's width).
  double word_bits(std::size_t level, Operand operand) const;
  /// um2 of everything: levels * instances + multipliers.
  double area() const;
};

/// Reads accelerators/*.yaml:
///
///   name: eyeriss
///   clock: 200 MHz
///   technology: 65 nm                 # may be left out
///   zero_read_elision: true           # the default; false: the first visit of an output tile reads too
///   sources: {clock: ..., technology: ...}
///   levels:                           # outermost first
///     - name: dram
///       kind: lpddr
///       keep: [W, I, O]               # kept in every mapping; may_keep: a mapping may keep or bypass
///       size: 108 KiB                 # only the outermost level may leave it out
///       buffering: rolling            # single, double (default), rolling
///       read_bandwidth: 8 B/cycle     # or 1.6 GB/s, or unlimited (default)
///       write_bandwidth: 8 B/cycle
///       shared_port: false            # true: write_bandwidth is left out
///       access: {width: 64 b, read: 512 pJ, write: 512 pJ}
///       component: sram               # read, write, leakage and area, where left out, follow from size,
///       width
///                                     # of an access and technology (component.hpp)
///       banks: 4                      # of the component: parts that stand apart, an access is one of size /
///       4;
///                                     # the way to them is not included (see hop_energy)
///       leakage: 0.005 pJ/cycle       # or 1 mW; left out: not modelled
///       area: 0.3 mm2                 # left out: not modelled
///       word_bits: 16                 # or {W: 8, I: 8, O: 24}; left out: the compute's
///       sources: {size: JSSC'17, access: "..."}   # one for each figure; "access" covers access.read etc.
///     - fanout: {x: 14, y: 12, multicast: true, reduction: true, hop_energy: 0.1 pJ/bit, sources: {...}}
///                                     # or wire: 0.6 mm, the length of a hop, from which its energy follows
///   compute: {kind: mac, bits: 16, accumulator_bits: 16, energy: 2.7 pJ, area: 2500 um2, sources: {...}}
///                                     # or component: mac, from which energy and area follow
///   execution: {...}                  # execution.hpp; left out: perfect overlap
///   timeloop: {...}                   # passed over here: simulator/timeloop_architecture.hpp
///
/// component: register_file, sram, edram, lpddr4, lpddr, ddr3, gddr5, hbm2; needs a technology unless it is
/// DRAM. A figure that the file gives wins over the class; derived ones get their source written.
///
/// A source names file and row; "estimate", best with the reason, is the word for a figure without one. A key
/// of `sources` may name several figures, separated by commas. InputError with the place for unknown keys, a
/// figure without a source and a source without a figure, a level without room for one word of each operand
/// it must keep (two words if double), more than max_levels levels, an outermost level that does not keep all
/// operands, two fan-outs below one level.
Accelerator read_accelerator(const std::string& path);
/// The same from text; `name` stands for the file in messages.
Accelerator parse_accelerator(const std::string& text, const std::string& name);
/// What `kind` of a level may say: dram, lpddr, sram, register_file, ...
const std::vector<std::string>& storage_kinds();

/// How many figures name a source, how many of these follow from a component class, and how many
/// say "estimate".
struct SourceCount {
  std::size_t sourced = 0;
  std::size_t derived = 0;  // among `sourced`
  std::size_t estimated = 0;
};
SourceCount count_sources(const Accelerator& accelerator);

/// A table of every figure with its source, for `atoll describe accelerator`.
std::string describe(const Accelerator& accelerator);

}  // namespace atl
