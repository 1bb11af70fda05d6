// The closed form of loopnest_core.hpp for several rows of one program at once, the same numbers to the last
// bit: every count is a whole number below 2^53 and exact as a double; energies and times are added in the
// order of the core. What is rare is left to the core.
#pragma once

#include <cstdint>
#include <type_traits>

#include "loopnest_core.hpp"
#include "loopnest_program.hpp"

namespace atl::loopnest {

/// `N` rows: 2 fill a register of 16 bytes, 4 one of 32, 8 one of 64. Extents are below 2^24, so that short
/// numbers hold them and their quotients; registers of 16 bytes have no half.
template <int N>
struct Lanes {
  using Short = std::conditional_t<N == 2, double, float>;
  typedef double Real __attribute__((vector_size(8 * N)));
  typedef std::uint64_t Bits __attribute__((vector_size(8 * N)));
  typedef unsigned char Bytes __attribute__((vector_size(8 * N)));
  typedef Short Extent __attribute__((vector_size(sizeof(Short) * N)));
  typedef std::int32_t Whole __attribute__((vector_size(4 * N)));
  using ExtentMask = decltype(Extent{} < Extent{});
};

/// What is known of a pack while it is counted. Each number stands for all N rows.
template <int N>
struct PackState {
  using Real = typename Lanes<N>::Real;
  using PerLevel = std::array<Real, max_levels + 1>;
  using PerDim = std::array<Real, dim_count>;

  std::array<const Mapping*, N> mapping;
  std::array<double*, N> costs;
  // The nest; index `levels` stands for the multipliers. Only dimensions that turn have entries.
  std::array<PerDim, max_levels + 1> tile;  // extents that enter a level
  std::array<PerDim, max_levels> turns;     // of loops in time
  std::array<PerDim, max_levels> space;     // bounds in space below a level
  PerLevel children;                        // product of these
  PerLevel turning;    // places of the loops in time that turn, a bit each, place 0 lowest
  PerLevel innermost;  // likewise, the innermost that gives other words of the input, or 0
  PerLevel steps;      // product of the loops in time further out
  PerLevel across;     // the same without loops of sliding dimensions
  PerLevel instances;  // product of the loops in space further out
  std::array<PerLevel, operand_count> residencies;
  // Sliding inputs, by link of their chain:
  PerLevel moved, joined;   // words along both axes and all steps; the same where children join
  PerLevel window, starts;  // words of one tile; children that are served one by one
  PerLevel first;           // words of the first tiles
  std::array<PerLevel, 2> joined_rows, joined_taps;  // children along fan-outs that join
  struct Sent {
    Real delivered, sent, first, tile, apart;  // as Transfers
  };
  std::array<Sent, max_levels> words;
  // Tally of words and time:
  std::array<std::array<Real, operand_count>, max_levels> reads, fills, updates, first_fills;
  Real network_energy, fill_time;
  PerLevel load_writing, load_reading;
};

/// The numbers of the hardware, one for each row.
template <int N>
struct PackHardware {
  using Real = typename Lanes<N>::Real;
  using PerLevel = std::array<Real, max_levels>;
  PerLevel read_bandwidth, write_bandwidth, read_energy, write_energy, leakage, hop_energy;
  std::array<std::array<Real, operand_count>, max_levels> word_bits;
  Real clock, compute_energy, area, bound_cycles, bound_energy;
};

template <int N>
inline void fill_hardware(const Program& program, const HardwareRow& row, std::size_t lane,
                          PackHardware<N>& to) {
  const Structure& structure = program.structure;
  for (std::size_t l = 0; l < structure.levels; ++l) {
    to.read_bandwidth[l][lane] = row.read_bandwidth[l];
    to.write_bandwidth[l][lane] = structure.shared_port[l] ? row.read_bandwidth[l] : row.write_bandwidth[l];
    to.read_energy[l][lane] = row.read_energy[l];
    to.write_energy[l][lane] = row.write_energy[l];
    to.leakage[l][lane] = row.leakage[l];
    to.hop_energy[l][lane] = row.hop_energy[l];
    for (std::size_t o = 0; o < operand_count; ++o) to.word_bits[l][o][lane] = row.word_bits[l][o];
  }
  to.clock[lane] = row.clock;
  to.compute_energy[lane] = row.compute_energy;
  to.area[lane] = row.area;
  const LayerFacts& layer = program.layer;
  const Bounds bound = bounds(layer.layer, layer.compulsory, row, structure.units, structure.shared_port[0]);
  to.bound_cycles[lane] = bound.cycles;
  to.bound_energy[lane] = bound.energy;
}

/// Fills moved, joined, window and starts of the state for every link of a sliding input's chain. Bits of the
/// rows of which some link needs the general form.
template <int N>
std::uint32_t count_sliding(const Program& program, PackState<N>& state);
/// The words of these rows by the general form.
template <int N>
void count_in_general(const Program& program, PackState<N>& state, std::uint32_t rows);

/// The kernel for one kind of machine; N says which.
template <int N>
struct PackKernel {
  using Real = typename Lanes<N>::Real;
  /// Reads the mappings of the state. Bits of the rows whose tiles do not all divide: if there are any, the
  /// pack cannot be counted.
  static std::uint32_t read(const Program& program, PackState<N>& state);
  /// Counts the rows that have been read and writes their costs; `columns` is room for one row's columns.
  static void count(const Program& program, const PackHardware<N>& hardware, PackState<N>& state,
                    Real* columns);
};

template <>
std::uint32_t PackKernel<8>::read(const Program&, PackState<8>&);
template <>
void PackKernel<8>::count(const Program&, const PackHardware<8>&, PackState<8>&, Real*);
template <>
std::uint32_t PackKernel<4>::read(const Program&, PackState<4>&);
template <>
void PackKernel<4>::count(const Program&, const PackHardware<4>&, PackState<4>&, Real*);
template <>
std::uint32_t PackKernel<2>::read(const Program&, PackState<2>&);
template <>
void PackKernel<2>::count(const Program&, const PackHardware<2>&, PackState<2>&, Real*);

}  // namespace atl::loopnest
