// Lower bounds of a layer on an accelerator, from tensor sizes alone. They know nothing of mappings and share
// no code with the cost models, so that a model's mistake cannot hide in its own bound. A bound never changes
// a result: a result below it is an internal error.
#pragma once

#include <cstdint>

#include "atoll/simulator/simulator.hpp"

namespace atl {

/// Words that any mapping has to move at the outermost level at least once. Input words that no window
/// reaches (stride holes, unused borders) and padding are not among them.
struct CompulsoryWords {
  std::uint64_t weights = 0;  // read
  std::uint64_t inputs = 0;   // read
  std::uint64_t outputs = 0;  // written
};
CompulsoryWords compulsory_words(const Layer& layer);

struct Bounds {
  double cycles = 0;  // of cycles_steady, and so of cycles
  double energy = 0;  // pJ
};

/// cycles: the larger of operations over multipliers and compulsory words over the outermost ports (its reads
/// and writes side by side, or one after the other through a shared port), rounded up to whole cycles.
/// energy: every multiplication once and every compulsory word once.
Bounds bounds(const Layer& layer, const CompulsoryWords& words, const HardwareRow& hardware, double units,
              bool shared_port);
/// The same for an accelerator as it stands in its file.
Bounds bounds(const Layer& layer, const Accelerator& accelerator);

/// Throws InternalError, naming the figures and the mapping, if
/// a row of costs lies below its bound by more than rounding.
void require_above(const Bounds& bound, std::span<const double> costs, const Mapping& mapping,
                   const Layer& layer, const Accelerator& accelerator);

}  // namespace atl
