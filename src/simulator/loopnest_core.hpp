// The closed form of the executed reference: transfers between neighbouring levels of each operand, then
// energy and time. simulator/MODEL.md defines what is counted. A template over its rules
// (loopnest_rules.hpp).
#pragma once

#include <algorithm>
#include <span>

#include "nest.hpp"
#include "windowed_input.hpp"

namespace atl::loopnest {

constexpr double as_double(Words words) {
  return static_cast<double>(words);
}

/// Rounds up to whole cycles. Times are far below 2^63; what is not finite stays as it is.
inline double whole_cycles(double time) {
  if (!(time < 0x1.0p62)) return time;
  const double whole = static_cast<double>(static_cast<std::int64_t>(time));
  return whole < time ? whole + 1 : whole;
}

template <typename R>
class Model {
 public:
  explicit Model(const Accelerator& accelerator) : structure_(accelerator) {}
  const CostSchema& schema() const { return structure_.schema; }
  const Structure& structure() const { return structure_; }

  /// One row of costs. `layer` comes from layer_facts<R>().
  void evaluate(const LayerFacts& layer, const HardwareRow& hardware, const Mapping& mapping,
                std::span<double> costs) const {
    Nest nest;
    build_nest<R>(structure_, layer.layer, mapping, nest);
    Tally tally{};
    for (const Operand operand : {Operand::W, Operand::I, Operand::O})
      if (layer.has[index(operand)]) follow(layer, hardware, mapping, nest, operand, tally);
    report(layer, hardware, nest, tally, costs);
  }

 private:
  template <typename T>
  using PerPair = std::array<std::array<T, operand_count>, max_levels>;

  struct Tally {
    PerPair<Words> reads, fills, updates, first;
    PerPair<bool> kept;
    double network_energy;
    double fill_time;                                           // first load and last store, cycles
    std::array<double, max_levels> load_writing, load_reading;  // cycles, before rounding
  };

  // Walks the chain of levels that hold the operand, from the outermost to the multipliers.
  void follow(const LayerFacts& layer, const HardwareRow& hardware, const Mapping& mapping, const Nest& nest,
              Operand operand, Tally& tally) const {
    Edge edge{0, 0};
    tally.kept[0][index(operand)] = true;
    Words parent_words = layer.outputs;
    WindowedInput<R> window(structure_, layer, nest);
    if (operand == Operand::I) window.gather();
    for (edge.child = 1; edge.child <= structure_.levels; ++edge.child) {
      const bool bottom = edge.child == structure_.levels;
      if (!bottom && !R::holds(mapping.level[edge.child], edge.child, operand)) continue;
      if (!bottom) tally.kept[edge.child][index(operand)] = true;
      if (operand == Operand::O)
        parent_words = move_outputs(layer, hardware, nest, edge, parent_words, tally);
      else
        move_inputs(layer, hardware, nest, edge, operand, window, tally);
      edge.parent = edge.child;
    }
  }

  Transfers plain_transfers(const LayerFacts& layer, const Nest& nest, Edge edge, Operand operand) const {
    const DimSet relevant = layer.apart[index(operand)];
    const Spread children = spread<R>(structure_, nest, edge, relevant, all_dims,
                                      [](const Fanout& fanout) { return R::joins_reads(fanout); });
    const Words tile = nest.tile_words(edge.child, relevant);
    const Words each = tile * residencies<R>(structure_, nest, edge.child, relevant);
    return {.delivered = each * nest.instances[edge.child],
            .sent = each * children.apart * nest.instances[edge.parent],
            .first = tile * nest.instances[edge.child],
            .tile = tile,
            .apart = children.apart};
  }

  void move_inputs(const LayerFacts& layer, const HardwareRow& hardware, const Nest& nest, Edge edge,
                   Operand operand, WindowedInput<R>& window, Tally& tally) const {
    const std::size_t o = index(operand);
    const bool windowed = operand == Operand::I && layer.sliding != 0;
    const Transfers words = windowed ? window.transfers(edge) : plain_transfers(layer, nest, edge, operand);
    tally.reads[edge.parent][o] += words.sent;
    cross(hardware, edge, o, as_double(words.delivered), tally);
    if (edge.child == structure_.levels) return;
    tally.fills[edge.child][o] = words.delivered;
    tally.first[edge.child][o] = words.first;
    const double tile_bits = as_double(words.tile) * hardware.word_bits[edge.child][o];
    const double parent_bits = as_double(words.tile * words.apart) * hardware.word_bits[edge.parent][o];
    tally.load_writing[edge.child] += tile_bits / write_bandwidth(hardware, edge.child);
    tally.load_reading[edge.child] += parent_bits / hardware.read_bandwidth[edge.parent];
  }

  // Returns the words of the child's tiles, summed over residencies and children.
  Words move_outputs(const LayerFacts& layer, const HardwareRow& hardware, const Nest& nest, Edge edge,
                     Words parent_words, Tally& tally) const {
    constexpr std::size_t o = index(Operand::O);
    const DimSet relevant = layer.apart[o];
    const Spread children = spread<R>(structure_, nest, edge, relevant, all_dims,
                                      [](const Fanout& fanout) { return R::joins_updates(fanout); });
    const Words tile = nest.tile_words(edge.child, relevant);
    const Words each = tile * residencies<R>(structure_, nest, edge.child, relevant);
    const Words drained = each * nest.instances[edge.child];
    const Words updates = each * children.apart * nest.instances[edge.parent];
    const Words groups = each * children.unlike * nest.instances[edge.parent];
    const Words returned = R::returned(groups, parent_words, tally.fills[edge.parent][o]);
    tally.updates[edge.parent][o] += updates;
    tally.reads[edge.parent][o] += returned + R::rewrites(updates, groups);
    cross(hardware, edge, o, as_double(returned + drained), tally);
    if (edge.child == structure_.levels) return drained;
    tally.fills[edge.child][o] = returned;
    tally.reads[edge.child][o] += R::drain_reads(drained);
    const double tile_bits = as_double(tile) * hardware.word_bits[edge.child][o];
    const double parent_bits = as_double(tile * children.apart) * hardware.word_bits[edge.parent][o];
    tally.fill_time += whole_cycles(R::load_time(parent_bits / write_bandwidth(hardware, edge.parent),
                                                 tile_bits / hardware.read_bandwidth[edge.child]));
    return drained;
  }

  void cross(const HardwareRow& hardware, Edge edge, std::size_t o, double words, Tally& tally) const {
    for (std::size_t f = 0; f < structure_.levels; ++f)
      if (structure_.has_fanout[f] && R::crosses(f, edge.parent, edge.child))
        tally.network_energy += hardware.hop_energy[f] * hardware.word_bits[edge.parent][o] * words;
  }

  double write_bandwidth(const HardwareRow& hardware, std::size_t l) const {
    return structure_.shared_port[l] ? hardware.read_bandwidth[l] : hardware.write_bandwidth[l];
  }

  void report(const LayerFacts& layer, const HardwareRow& hardware, const Nest& nest, Tally& tally,
              std::span<double> costs) const {
    std::fill(costs.begin(), costs.end(), 0.0);
    double energy = layer.macs * hardware.compute_energy + tally.network_energy;
    double leakage = 0;  // pJ per cycle
    double steady = as_double(nest.steps(structure_.levels));
    double binds = 0;
    for (std::size_t l = 0; l < structure_.levels; ++l) {
      const double used = R::used_instances(as_double(nest.instances[l]), structure_.built[l]);
      const PortBits bits = report_level(hardware, l, tally, costs, energy);
      leakage +=
          hardware.leakage[l] * R::leaking_instances(as_double(nest.instances[l]), structure_.built[l]);
      const bool shared = structure_.shared_port[l];
      const double reading =
          R::read_port(bits.read, bits.written, shared) / (used * hardware.read_bandwidth[l]);
      const double writing = R::write_port(bits.written, shared) / (used * write_bandwidth(hardware, l));
      take_slower(whole_cycles(reading), 1 + 2 * static_cast<double>(l), steady, binds);
      take_slower(whole_cycles(writing), 2 + 2 * static_cast<double>(l), steady, binds);
      if (l == 0) continue;
      tally.fill_time += whole_cycles(R::load_time(tally.load_writing[l], tally.load_reading[l]));
      if (R::stalls(structure_.buffering[l]))
        tally.fill_time += whole_cycles(bits.stalled / (used * write_bandwidth(hardware, l)));
    }
    const double cycles = R::total_time(as_double(nest.steps(structure_.levels)), tally.fill_time, steady);
    costs[cost::leakage_energy] = leakage * cycles;
    costs[cost::energy] = energy + costs[cost::leakage_energy];
    costs[cost::cycles] = cycles;
    costs[cost::cycles_steady] = steady;
    costs[cost::edp] = costs[cost::energy] * cycles;
    costs[cost::area] = hardware.area;
    costs[cost::power] = costs[cost::energy] * 1e-9 * hardware.clock / cycles;
    costs[cost::utilisation] = layer.operations / (structure_.units * cycles);
    costs[cost::compute_energy] = layer.macs * hardware.compute_energy;
    costs[cost::network_energy] = tally.network_energy;
    costs[cost::binds] = binds;
  }

  struct PortBits {
    double read = 0, written = 0, stalled = 0;
  };

  PortBits report_level(const HardwareRow& hardware, std::size_t l, const Tally& tally,
                        std::span<double> costs, double& energy) const {
    PortBits bits;
    for (std::size_t o = 0; o < operand_count; ++o) {
      if (!tally.kept[l][o]) continue;
      const double width = hardware.word_bits[l][o];
      const double fills = as_double(tally.fills[l][o]);
      const double read = as_double(tally.reads[l][o]) * width;
      const double written = R::written(fills, as_double(tally.updates[l][o])) * width;
      const double spent = read * hardware.read_energy[l] + written * hardware.write_energy[l];
      bits.read += read;
      bits.written += written;
      bits.stalled += R::stall_words(fills, as_double(tally.first[l][o])) * width;
      energy += spent;
      const std::size_t column = structure_.schema.first_column[l][o];
      if (column == CostSchema::npos) continue;
      costs[column] = as_double(tally.reads[l][o]);
      costs[column + 1] = fills;
      costs[column + 2] = as_double(tally.updates[l][o]);
      costs[column + 3] = spent;
    }
    return bits;
  }

  static void take_slower(double cycles, double port, double& steady, double& binds) {
    if (!R::binds_more(cycles, steady)) return;
    steady = cycles;
    binds = port;
  }

  Structure structure_;
};

}  // namespace atl::loopnest
