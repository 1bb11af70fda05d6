// A cost is a row of doubles; its schema names every column. Headline columns come first and are the
// same for all simulators; counts and energies per level and operand follow. Only pairs of level and operand
// that can be kept there have columns.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"

namespace atl {

struct CostColumn {
  std::string name;       // "cycles", "buffer.I.reads"
  std::string unit;       // "cycle", "pJ", "word", "1"
  bool headline = false;  // stored in double precision; the others as floats
  bool derived = false;   // follows from the others by cost_formulas(): need not be stored
};

/// Fixed places of the headline columns.
namespace cost {
enum Headline : std::size_t {
  cycles,          // compute + first load + last store + stalls of single buffers, or cycles_steady if more
  cycles_steady,   // the slowest of compute and every port, transfers overlapped
  energy,          // pJ: compute + all levels + fan-outs + leakage
  edp,             // pJ * cycle: energy * cycles
  area,            // um2 of the accelerator
  power,           // mW: energy / (cycles / clock)
  utilisation,     // operations / (units * cycles)
  compute_energy,  // pJ
  network_energy,  // pJ: hops of the fan-outs
  leakage_energy,  // pJ
  bound_cycles,    // lower bound from tensor sizes alone (simulator/bounds.hpp)
  bound_energy,    // pJ, likewise
  binds,           // what limits cycles_steady: 0 compute, 1 + 2*level read port, 2 + 2*level write port
  headline_count
};
}  // namespace cost

/// What each pair (level, operand) reports, in this order; words summed over all instances.
enum class Count : std::size_t { reads, fills, updates, energy, count };

struct CostSchema {
  std::vector<CostColumn> columns;
  std::vector<std::string> level_names;
  /// first_column[level][operand] = column of `reads` of the pair, or npos.
  std::vector<std::array<std::size_t, operand_count>> first_column;
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  std::size_t width() const { return columns.size(); }
  /// Column of a name, npos if there is none.
  std::size_t find(std::string_view name) const;
  std::vector<std::string> names() const;
};

CostSchema loopnest_schema(const Accelerator& accelerator);

/// factor * product of columns to whole powers.
struct CostTerm {
  double factor = 1;
  std::vector<std::pair<std::size_t, int>> powers;
};
/// A derived column as a sum of terms; of none where it is always 0.
struct CostFormula {
  std::size_t column = 0;
  std::vector<CostTerm> terms;
};
struct HardwareRow;
/// Every derived column of loopnest_schema() for one layer, each from columns that are not derived: constants
/// of layer and hardware, energies from counts, products of headline columns. Equal to what a simulator
/// reports but for rounding.
std::vector<CostFormula> loopnest_formulas(const Accelerator& accelerator, const HardwareRow& hardware,
                                           const Layer& layer);

}  // namespace atl
