#include "atoll/simulator/bounds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

// Rows r of one window are reached again by later windows; a row is counted by the first window that
// reaches it, which is the one without a predecessor of the same row.
std::uint64_t touched(std::uint64_t steps, std::uint64_t taps, std::uint64_t stride, std::uint64_t dilation,
                      std::uint64_t before, std::uint64_t extent) {
  const std::uint64_t common = std::gcd(stride, dilation);
  const std::uint64_t period = dilation / common;  // steps until another tap meets the same row
  const std::uint64_t tap_shift = stride / common;
  std::uint64_t words = 0;
  for (std::uint64_t tap = 0; tap < taps; ++tap) {
    const std::uint64_t fresh = tap + tap_shift < taps ? std::min(steps, period) : steps;
    const std::uint64_t offset = tap * dilation;
    // Of steps 0 .. fresh-1 those with before <= step * stride + offset < before + extent.
    const std::uint64_t low = offset >= before ? 0 : (before - offset + stride - 1) / stride;
    const std::uint64_t end =
        offset >= before + extent ? 0 : (before + extent - offset + stride - 1) / stride;
    words += std::min(end, fresh) > low ? std::min(end, fresh) - low : 0;
  }
  return words;
}

double round_up(double value) {
  return std::ceil(value);
}

}  // namespace

CompulsoryWords compulsory_words(const Layer& layer) {
  const auto rows = [&](Dim steps, Dim taps, std::size_t axis) {
    return touched(layer[steps], layer[taps], layer.stride[axis], layer.dilation[axis],
                   layer.padding_before[axis], layer.input_extent[axis]);
  };
  const std::uint64_t channels = std::uint64_t{layer[Dim::N]} * layer[Dim::G] * layer[Dim::C];
  return {.weights = layer.elements(Operand::W),
          .inputs = channels * rows(Dim::P, Dim::R, 0) * rows(Dim::Q, Dim::S, 1),
          .outputs = layer.elements(Operand::O)};
}

Bounds bounds(const Layer& layer, const CompulsoryWords& words, const HardwareRow& hardware, double units,
              bool shared_port) {
  const auto& width = hardware.word_bits[0];
  const double read_bits = static_cast<double>(words.weights) * width[index(Operand::W)] +
                           static_cast<double>(words.inputs) * width[index(Operand::I)];
  const double written_bits = static_cast<double>(words.outputs) * width[index(Operand::O)];
  const double read_time = read_bits / hardware.read_bandwidth[0];
  const double port_time = shared_port ? (read_bits + written_bits) / hardware.read_bandwidth[0]
                                       : std::max(read_time, written_bits / hardware.write_bandwidth[0]);
  const double compute_time = static_cast<double>(layer.operations()) / units;
  return {.cycles = std::max(round_up(compute_time), round_up(port_time)),
          .energy = static_cast<double>(layer.macs()) * hardware.compute_energy +
                    read_bits * hardware.read_energy[0] + written_bits * hardware.write_energy[0]};
}

Bounds bounds(const Layer& layer, const Accelerator& accelerator) {
  return bounds(layer, compulsory_words(layer), hardware_row(accelerator),
                static_cast<double>(accelerator.units()), accelerator.levels[0].shared_port);
}

void require_above(const Bounds& bound, std::span<const double> costs, const Mapping& mapping,
                   const Layer& layer, const Accelerator& accelerator) {
  const double slack = 1 - 1e-9;
  const double cycles = costs[cost::cycles_steady];
  const double energy = costs[cost::energy];
  if (cycles >= bound.cycles * slack && energy >= bound.energy * slack) return;
  throw InternalError(fmt::format(
      "a result on '{}' lies below its bound: {} cycles against {}, {} pJ against {}; please report "
      "this mapping: {}",
      accelerator.name, cycles, bound.cycles, energy, bound.energy,
      mapping_to_json(mapping, layer, accelerator)));
}

}  // namespace atl
