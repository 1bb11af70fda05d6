// ZigZag's cost model: energy from accesses of the memories' full width, latency from stalls of their ports,
// the loading of the first tiles and the storing of the last. The formulas and where they are not to be
// believed: ZIGZAG.md. Everything follows ZigZag 3d12a96e to the last rounding, quirks included.
//
//   compile_zigzag    once for a layer on an accelerator with one spatial unrolling
//   allocate          splits one order of temporal loops over the memories, as ZigZag does
//   evaluate          costs one split
//
// All of it is plain data in arrays of fixed capacity: neither allocate nor evaluate asks for memory.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "atoll/simulator/zigzag_accelerator.hpp"

namespace atl {

inline constexpr std::size_t zigzag_most_loops = 32;       // temporal, of one layer
inline constexpr std::size_t zigzag_most_unrollings = 16;  // spatial

/// Roles of a loop. A matrix product O[d,k] += I[d,c] W[c,k] has B for d.
enum class ZigzagDim : std::uint8_t { B, G, K, C, OX, OY, FX, FY };
inline constexpr std::size_t zigzag_dim_count = 8;
inline constexpr std::array<std::string_view, zigzag_dim_count> zigzag_dim_names = {"B",  "G",  "K",  "C",
                                                                                    "OX", "OY", "FX", "FY"};
constexpr std::size_t index(ZigzagDim dim) {
  return static_cast<std::size_t>(dim);
}

/// How a loop bears on an operand: another index of its tensor (r), none (ir), or, for the input, a step of a
/// sliding window (pr).
enum class ZigzagBearing : std::uint8_t { r, ir, pr };
ZigzagBearing bearing(Operand operand, ZigzagDim dim);

struct ZigzagLayer {
  std::array<std::uint32_t, zigzag_dim_count> size = {1, 1, 1, 1, 1, 1, 1, 1};  // by ZigzagDim
  std::array<std::uint32_t, 2> stride = {1, 1}, dilation = {1, 1};              // x, y
  std::array<std::uint32_t, 2> input_extent = {1, 1};                           // without padding; x, y
  std::array<std::uint32_t, operand_count> bits = {8, 8, 16};                   // W, I, partial sums
  std::uint32_t final_bits = 8;                                                 // O when it is complete
  /// As in the layer's equation. Decides who may double-buffer first, and the order of sums.
  std::array<Operand, operand_count> operands = {Operand::O, Operand::W, Operand::I};
  /// Names and order of the loops as their owner lists them: they break ties of LOMA.
  std::vector<std::pair<std::string, ZigzagDim>> names;

  std::uint32_t operator[](ZigzagDim dim) const { return size[index(dim)]; }
  double macs() const;
  double elements(Operand operand) const;  // of the whole tensor, without padding
};

/// One loop unrolled over array axes.
struct ZigzagUnrolling {
  ZigzagDim dim = ZigzagDim::B;
  double factor = 1;  // for energy and allocation: dim / ceil(dim / whole), so that all rounds are full
  double whole = 1;   // for latency
  /// Per operand: the innermost memory whose instances feed the axis; the number of memories if none does.
  std::array<std::uint8_t, operand_count> level = {};
  bool operator==(const ZigzagUnrolling&) const = default;
};

/// A loop that is to be unrolled over an array axis.
struct ZigzagAxisLoop {
  std::string axis;
  ZigzagDim dim = ZigzagDim::B;
  std::uint32_t factor = 1;
};
/// What comes of it: factors are cut to the dimension; where they do not divide it, the fractional factor
/// fills all rounds evenly. InputError: an axis that is not there, or is smaller than its loops together.
std::vector<ZigzagUnrolling> unroll(const ZigzagAccelerator& accelerator, const ZigzagLayer& layer,
                                    const std::vector<ZigzagAxisLoop>& loops);

/// The temporal loops, innermost first.
struct ZigzagLoops {
  std::array<ZigzagDim, zigzag_most_loops> dim = {};
  std::array<double, zigzag_most_loops> size = {};
  std::size_t count = 0;
};

/// A split: memory l of operand o takes loops [end[o][l - 1], end[o][l]); the last memory ends at
/// loops.count.
struct ZigzagMapping {
  ZigzagLoops loops;
  std::array<std::array<std::uint8_t, zigzag_most_levels>, operand_count> end = {};
};

template <class T>
using ByLevel = std::array<std::array<T, zigzag_most_levels>, operand_count>;
using ByMove = std::array<double, zigzag_move_count>;

/// Entries of levels, ports and moves that a model has not are left as they were.
struct ZigzagCosts {
  ByLevel<ByMove> accesses = {};                               // of the full width
  ByLevel<ByMove> energy_by_move = {};                         // pJ
  ByLevel<double> energy = {};                                 // pJ
  double mac_energy = 0, memory_energy = 0, total_energy = 0;  // pJ
  double ideal_cycles = 0;                                     // multiplications over multipliers, rounded up
  double temporal_cycles = 0;                                  // product of the temporal loops
  double stall = 0, onload = 0, offload = 0;                   // cycles
  std::array<double, 3> latency = {};  // with stalls; and onloading; and offloading: the one to report
  ByLevel<bool> double_buffered = {};
  std::array<double, zigzag_most_ports> port_stall = {};  // below 0: slack; ports in the accelerator's order
  ByLevel<double> share = {}, shared = {};  // of the memory's size: this operand's data, all operands' data
};

/// Everything about layer, accelerator and unrolling that no loop order changes. Fields of levels are indexed
/// by operand and level, innermost first.
struct ZigzagModel {
  struct Port {
    std::uint8_t operand = 0, level = 0, move = 0;
  };
  struct Level {
    std::uint8_t memory = 0;
    double size = 0, read_energy = 0, write_energy = 0;
    std::array<double, 2> boost = {1, 1};     // copies that differ below, per instance: fractional, whole
    double instances = 1;                     // in use
    std::array<double, 2> relevant = {1, 1};  // unrolled loops down from this level that index the tensor
    std::array<std::array<double, 4>, 2> window = {};  // unrolled OX, OY, FX, FY of this level's fan-out
    std::array<bool, 2> reduced_above = {false,
                                         false};  // O: partial sums of other instances come together above
    ByMove least = {}, most = {};                 // bit/cycle; 0: no port
    std::array<std::uint8_t, zigzag_move_count> port = {};
    bool loads_shared_low = false, loads_shared_high = false;  // that port serves the other input, too
  };

  ZigzagLayer layer;
  std::array<std::array<Level, zigzag_most_levels>, operand_count> level = {};
  std::array<std::uint8_t, operand_count> depth = {};
  bool fractional = false;  // whole factors differ from the fractional ones
  double macs = 0, multipliers = 1, mac_energy = 0;
  std::array<double, operand_count> elements = {};
  std::array<ZigzagUnrolling, zigzag_most_unrollings> unrollings = {};
  std::size_t unrolling_count = 0;

  std::size_t memory_count = 0, port_count = 0;
  std::array<double, zigzag_most_memories> memory_size = {};
  /// The operands of a memory in its own order, as (operand, level).
  std::array<std::array<std::pair<std::uint8_t, std::uint8_t>, operand_count>, zigzag_most_memories> held =
      {};
  std::array<std::uint8_t, zigzag_most_memories> held_count = {};
  std::array<std::array<Port, operand_count * zigzag_move_count>, zigzag_most_ports> moves = {};
  std::array<std::uint8_t, zigzag_most_ports> move_count = {};
  std::array<double, zigzag_most_ports> port_width = {};      // bit/cycle
  std::array<std::string, zigzag_most_ports> port_name = {};  // of the port's memory
  std::array<double, operand_count> reached = {};  // words that some multiplication uses: at least so many
};

/// InputError: sizes or bits of 0, products beyond 2^53, factors beyond an axis or a dimension, more loops
/// than supported.
ZigzagModel compile_zigzag(const ZigzagAccelerator& accelerator, const ZigzagLayer& layer,
                           const std::vector<ZigzagUnrolling>& unrollings);

/// The temporal loops a layer needs beside its unrolling: one per dimension, ceil(size / factor), without
/// those of 1, in the layer's own order.
ZigzagLoops temporal_loops(const ZigzagModel& model);

/// Why this split cannot be: loops that do not multiply up to the layer, levels out of order, a memory too
/// small. Empty if it can.
std::string check(const ZigzagModel& model, const ZigzagMapping& mapping);

/// Gives every memory, innermost first, the loops that spare most accesses to the memory above; ties go to
/// the last choice found. Fills mapping.end from mapping.loops; false if a memory is too small for that
/// order.
bool allocate(const ZigzagModel& model, ZigzagMapping& mapping);

/// `mapping` must be legal (see check()).
void evaluate(const ZigzagModel& model, const ZigzagMapping& mapping, ZigzagCosts& costs);

/// Where a result cannot be true, one sentence each; empty if nothing was found. ZigZag reports such results,
/// and so do we (ZIGZAG.md, "Where it is not to be believed"); a search that is to be trusted must not keep
/// them.
std::vector<std::string> doubts(const ZigzagModel& model, const ZigzagCosts& costs);

/// What ZigZag lists beside the costs: elements moved in all, per operand, level and move. No cost uses it.
ByLevel<ByMove> element_moves(const ZigzagModel& model, const ZigzagMapping& mapping);

/// The split after irrelevant loops at the bottom of a memory have moved down: what the formulas use.
ByLevel<std::uint8_t> stationary_ends(const ZigzagModel& model, const ZigzagMapping& mapping);

}  // namespace atl
