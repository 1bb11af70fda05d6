#include "atoll/accelerator/accelerator.hpp"

namespace atl {

const Fanout* Accelerator::fanout_below(std::size_t level) const {
  for (const Fanout& fanout : fanouts) {
    if (fanout.above == level) return &fanout;
  }
  return nullptr;
}

std::uint64_t Accelerator::instances(std::size_t level) const {
  std::uint64_t product = 1;
  for (const Fanout& fanout : fanouts) {
    if (fanout.above < level) product *= static_cast<std::uint64_t>(fanout.x) * fanout.y;
  }
  return product;
}

std::uint64_t Accelerator::units() const {
  return instances(levels.size());
}

double Accelerator::word_bits(std::size_t level, Operand operand) const {
  const double own = levels[level].word_bits[index(operand)];
  if (own > 0) return own;
  return operand == Operand::O ? compute.accumulator_bits : compute.bits;
}

double Accelerator::area() const {
  double sum = static_cast<double>(units()) * compute.area;
  for (std::size_t l = 0; l < levels.size(); ++l) sum += static_cast<double>(instances(l)) * levels[l].area;
  return sum;
}

}  // namespace atl
