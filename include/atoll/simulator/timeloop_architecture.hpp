// An accelerator as Timeloop sees it: every level counts words of one width, moves lines of whole words, and
// hands them to a mesh of children. It is read from an ordinary accelerator file; what has another word there
// is turned:
//
//   Timeloop            atoll
//   entries             size / word_bits, halved where buffering is double
//   block_size          access.width / word_bits
//   *_bandwidth         *_bandwidth / word_bits (words a cycle and instance)
//   ERT read, write     access.read, access.write (pJ a line)
//   ERT leak            leakage (pJ an instance and cycle)
//   meshX, meshY        products of the fan-outs x and y further out
//   energy_per_hop      hop_energy of the fan-out below the level, times word_bits (pJ a word and hop)
//   class DRAM          kind dram, lpddr, lpddr4, ddr3, gddr5, hbm2
//   ERT update          section `timeloop`; left out: as a write
//
// atoll's own model knows no energy of an update apart from that of a write, so an accelerator file may end
// with
//
//   timeloop:
//     update: {buffer: 5.5 pJ}        # by level, pJ a line
//     sources: {update: "..."}
//
// which read_accelerator() passes over.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"

namespace atl {

struct TimeloopLevel {
  std::string name;
  OperandSet keep = 0;            // must be kept
  OperandSet may_keep = 0;        // a mapping may keep or bypass these
  double entries = 0;             // words per instance; infinity if not limited
  double word_bits = 0;           // of every operand
  double block = 1;               // words of a line
  double read_bandwidth = 0;      // words per cycle and instance; infinity if not limited
  double write_bandwidth = 0;     // likewise
  double read_energy = 0;         // pJ per line
  double write_energy = 0;        // likewise: fills
  double update_energy = 0;       // likewise: partial sums from inside
  double leakage = 0;             // pJ per instance and cycle
  bool dram = false;              // adds no partial sums itself
  std::uint64_t instances = 1;    // all there are
  bool fanout = false;            // is there a fan-out below?
  std::uint32_t mesh_x = 1;       // children of one instance
  std::uint32_t mesh_y = 1;       // likewise
  double hop_energy_per_bit = 0;  // pJ per bit and hop below this level

  double energy_per_hop() const { return hop_energy_per_bit * word_bits; }
};

struct TimeloopArchitecture {
  std::string name;
  std::string file;
  std::vector<TimeloopLevel> levels;  // outermost first
  double compute_energy = 0;          // pJ per operation
  std::uint64_t units = 1;            // all multipliers
};

/// Updates cost as much as writes. InputError for what Timeloop cannot say or these rules do not cover: words
/// of several widths at one level, a line that is no whole number of words, a shared port, single buffers, a
/// fan-out without multicast or reduction.
TimeloopArchitecture timeloop_architecture(const Accelerator& accelerator);
/// The same from a file, with its section `timeloop`.
TimeloopArchitecture read_timeloop_architecture(const std::string& path);
TimeloopArchitecture parse_timeloop_architecture(const std::string& text, const std::string& name);

}  // namespace atl
