// The data-centric cost model of MAESTRO (Kwon et al., MICRO 2019; commit e1d8efd): mappings are written as
// directives on data instead of loops. Its numbers are reproduced as they are, wrong ones included;
// DATACENTRIC.md lists where they are not to be believed, and `DatacentricCost::trusted` says so of one
// result.
//
// A mapping has levels, outermost first. A level is an ordered list of directives, one a dimension, outermost
// loop first; exactly one dimension is spread over `units`, the others follow one another in time. A
// directive is the size of the piece handed to the level below, which is also the step to the next piece; Y
// and X count *output* rows and columns. Layers have stride 1 and no padding; their Y and X are the size of
// the *input*.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "atoll/simulator/datacentric_hardware.hpp"

namespace atl {

enum class DataDim : std::uint8_t { K, C, Y, X, R, S };
inline constexpr std::size_t data_dim_count = 6;
inline constexpr std::string_view data_dim_letters = "KCYXRS";

/// The operands in the order of MAESTRO's columns.
enum class DataOperand : std::uint8_t { input, filter, output };
inline constexpr std::size_t data_operand_count = 3;
inline constexpr std::array<std::string_view, data_operand_count> data_operand_names = {"input", "filter",
                                                                                        "output"};

using DataSizes = std::array<std::int32_t, data_dim_count>;  // by DataDim

struct DatacentricLayer {
  bool depthwise = false;  // DSCONV: K is 1 and no operand depends on it
  DataSizes size = {1, 1, 1, 1, 1, 1};

  std::int64_t output_rows() const { return size[2] - size[4] + 1; }
  std::int64_t output_columns() const { return size[3] - size[5] + 1; }
  /// K * C * R * S * output rows * output columns.
  std::int64_t macs() const;
  std::int64_t elements(DataOperand operand) const;
};

struct DatacentricLevel {
  std::uint8_t spatial = 0;                          // index of the DataDim spread over the units
  std::int32_t units = 1;                            // size of this level's cluster; unused at level 0
  std::array<std::uint8_t, data_dim_count> order{};  // order[0] = outermost; a permutation of all six
  DataSizes tile = {1, 1, 1, 1, 1, 1};               // Y and X: output rows and columns
};

inline constexpr std::size_t max_data_levels = 4;
struct DatacentricMapping {
  std::uint8_t levels = 0;
  std::array<DatacentricLevel, max_data_levels> level{};
};

/// Why there is no result at all.
enum class DatacentricStop : std::uint8_t {
  none,
  divides_by_zero,  // MAESTRO ends with SIGFPE: a step of the outermost level computes for 0 cycles
  gives_up,         // MAESTRO ends itself: a piece that advances has nothing new in it
};

/// Everything MAESTRO prints for a layer, then what we add. Cycles, element accesses (bytes), elements/cycle,
/// nJ.
struct DatacentricCost {
  DatacentricStop stop = DatacentricStop::none;  // if not none, nothing below counts
  std::int64_t runtime = 0;
  std::int64_t macs = 0;                                               // those that MAESTRO believes it did
  std::array<std::int64_t, data_operand_count> l2_read{}, l2_write{};  // the shared buffer
  std::array<std::int64_t, data_operand_count> l1_read{}, l1_write{};  // summed over all PEs
  std::array<std::int64_t, data_operand_count> l2_need{}, l1_need{};   // double-buffered; L1 of one PE
  std::int32_t l2_bytes = 0, l1_bytes = 0;                             // sums of the needs in 32 bits
  std::int64_t peak_bandwidth = 0, offchip_bandwidth = 0;
  double average_bandwidth = 0;
  std::array<std::int64_t, 3> ingress{}, egress{}, compute{};  // delay of one step: least, most, average
  double average_pes = 0;
  double arithmetic_intensity = 0;  // of MAESTRO's last step; may be infinite or not a number
  double energy_reported = 0;       // what MAESTRO prints; with two levels or more L2 only
  double energy_l2 = 0, energy_l1 = 0, energy_mac = 0;  // from the counts, all with MAESTRO's constants

  // Verdict: MAESTRO's results are impossible where one of these does not hold.
  bool macs_exact = false;      // macs equals the layer's
  bool beats_roofline = false;  // runtime * PEs < the layer's MACs
  bool sub_tiles_ok = false;    // no tile of a lower level finishes faster than its MACs on all its PEs
  bool trusted() const {
    return stop == DatacentricStop::none && macs_exact && !beats_roofline && sub_tiles_ok;
  }

  // Left out by MAESTRO and never mixed with its energy; DATACENTRIC.md defines the DRAM traffic.
  double dram_reads = 0, dram_writes = 0;  // elements
  double dram_energy = 0, noc_energy = 0;
  bool fits_l1 = false, fits_l2 = false;
  double full_energy() const { return energy_l2 + energy_l1 + energy_mac + dram_energy + noc_energy; }
};

/// Why a mapping cannot be evaluated, as one sentence with rule and value; empty if it can. Sizes and tiles
/// from 1 to 2^24, clusters that fit the PEs, order a permutation, no count beyond 2^60. A mapping that
/// passes may still be one that MAESTRO gets wrong: see DatacentricCost::trusted.
std::string datacentric_check(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                              const DatacentricHardware& hardware);

/// The result of a mapping that passed the check. Allocates nothing; a tile of a lower level is costed once.
void datacentric_evaluate(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                          const DatacentricHardware& hardware, DatacentricCost& cost);

/// Why a result is refused by the strict rule (or stopped), as one sentence that names what in the mapping is
/// known to cause it; empty if it is trusted.
std::string datacentric_refusal(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                                const DatacentricHardware& hardware, const DatacentricCost& cost);

/// The mapping as directives, one a line, with the steps each one takes.
std::string datacentric_text(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                             const DatacentricHardware& hardware);

}  // namespace atl
