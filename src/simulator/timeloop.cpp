#include "atoll/simulator/timeloop.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "timeloop_network.hpp"

namespace atl {
namespace timeloop {
namespace {

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

double as_double(Count count) {
  return static_cast<double>(count);
}

// a * b * c / d, exact wherever the quotient is a whole number and fits.
double share_of(Count a, double b, Count c, Count d) {
  if (d == 0) return 0;
  if (b != std::floor(b) || b > 0x1p53) return as_double(a) * b * as_double(c) / as_double(d);
  Count product = 1;
  bool fits = true;
  for (Count factor : {a, static_cast<Count>(b), c}) {
    const Count common = std::gcd(factor, d);
    d /= common;
    fits = fits && !__builtin_mul_overflow(product, factor / common, &product);
  }
  return fits ? as_double(product) / as_double(d) : as_double(a) * b * as_double(c) / as_double(d);
}

// What passes one network, and how it counts at the level above once bypassed levels are taken out.
struct Crossing {
  Traffic traffic;
  double accesses = 0;            // words leaving one parent
  std::vector<double> by_record;  // likewise
  Count asked = 0;                // words that one child asks for in all
  Count visits = 0;               // how often it asks
  double hop_words = 0;           // sum of words * hops
};

class Evaluation {
 public:
  Evaluation(const TimeloopMapping& mapping, const Layer& layer, const TimeloopArchitecture& architecture,
             const TimeloopRules& rules)
      : mapping_(mapping),
        layer_(layer),
        architecture_(architecture),
        rules_(rules),
        levels_(mapping.levels.size()),
        nest_(make_nest(mapping, layer)),
        crossings_(levels_),
        totals_(levels_) {
    result_.levels.resize(levels_);
    result_.networks.resize(levels_);
  }

  TimeloopResult run() {
    for (const Operand o : operands) {
      for (std::size_t l = 0; l < levels_; ++l) cross(l, o);
      for (std::size_t l = levels_; l-- > 0;) take_out_bypassed(l, o);
      hold(o);
    }
    for (std::size_t l = 0; l < levels_; ++l) {
      for (const Operand o : {Operand::W, Operand::I}) count_input(l, o);
      count_output(l);
    }
    for (std::size_t l = 0; l < levels_; ++l)
      for (const Operand o : operands) finish_counts(l, o);
    time();
    for (std::size_t l = 0; l < levels_; ++l) {
      for (const Operand o : operands) spend(l, o);
      for (const Operand o : operands) report_network(l, o);
    }
    sum_up();
    return result_;
  }

 private:
  struct Totals {  // over all used instances
    double reads = 0, fills = 0, updates = 0, continued = 0;
  };

  bool kept(std::size_t l, Operand o) const { return l == levels_ || contains(mapping_.levels[l].keep, o); }
  std::size_t parent(std::size_t l, Operand o) const {
    while (!kept(--l, o)) continue;
    return l;
  }
  std::size_t child(std::size_t l, Operand o) const {
    while (!kept(++l, o)) continue;
    return l;
  }
  Crossing& crossing(std::size_t l, Operand o) { return crossings_[l][index(o)]; }
  Totals& totals(std::size_t l, Operand o) { return totals_[l][index(o)]; }
  TimeloopCounts& counts(std::size_t l, Operand o) { return result_.levels[l].counts[index(o)]; }
  double instances(std::size_t l) const { return as_double(nest_.instances[l]); }
  TileShape tile(const Extents& extents, Operand o) const {
    return {layer_, o, extents, rules_.bounding_boxes};
  }

  static std::vector<Loop> joined(const std::vector<std::vector<Loop>>& loops, std::size_t from,
                                  std::size_t to) {
    std::vector<Loop> result;
    for (std::size_t l = from; l < to; ++l) result.insert(result.end(), loops[l].begin(), loops[l].end());
    return result;
  }

  // -- what the children ask for ----------------------------------------------------------------------
  void cross(std::size_t l, Operand o) {
    const std::vector<Loop>& space = nest_.in_space[l];
    const TimeloopLevel& level = architecture_.levels[l];
    const bool neighbours = rules_.link_transfers && !space.empty();
    const bool latch = l + 1 < levels_;
    std::vector<Event> events;
    if (latch || neighbours) {
      const WalkRules walk_rules = {latch, rules_.extrapolation, rules_.displacement_reset, neighbours};
      events = walk(layer_, o, tile(nest_.entering[l + 1], o), joined(nest_.in_time, 0, l + 1), walk_rules);
    } else {
      events.push_back({.words = 1, .weight = nest_.steps});
    }
    Crossing& here = crossing(l, o);
    for (const Event& event : events) {
      here.asked = plus(here.asked, times(event.words, event.weight));
      here.visits += event.weight;
    }
    require_exact(times(here.asked, nest_.instances[l + 1]));
    here.traffic = traffic(layer_, o, space, level.mesh_x, level.mesh_y, events, rules_.link_transfers);
  }

  // A bypassed level asks its parent for what its children ask of it.
  void take_out_bypassed(std::size_t l, Operand o) {
    Crossing& here = crossing(l, o);
    const Count base = here.traffic.accesses();
    if (kept(l + 1, o)) {
      here.accesses = as_double(base);
      for (const Record& record : here.traffic.records) here.by_record.push_back(as_double(record.accesses));
      return;
    }
    here.traffic.link_transfers = 0;
    if (rules_.bypass_scaling) {
      const double inside = crossing(l + 1, o).accesses;
      const Count delivered = here.traffic.delivered();
      here.accesses = share_of(base, inside, here.traffic.fanout, delivered);
      for (const Record& record : here.traffic.records)
        here.by_record.push_back(share_of(record.accesses, inside, here.traffic.fanout, delivered));
    } else {
      const std::size_t c = child(l, o);
      const Count tiles = distinct_tiles(layer_, o, joined(nest_.in_space, l, c));
      here.accesses = as_double(times(tiles, crossing(c - 1, o).asked));
      for (const Record& record : here.traffic.records)
        here.by_record.push_back(share_of(record.accesses, here.accesses, 1, base));
    }
  }

  // -- what levels hold ---------------------------------------------------------------------------------
  void hold(Operand o) {
    Count divided = 1;
    for (std::size_t l = 0; l < levels_; ++l) {
      const TileShape here = tile(nest_.entering[l], o);
      require_exact(here.words());
      counts(l, o).tile = as_double(here.words());
      divided = l == 0 ? here.words() : divide(divided, l, o, here);
      counts(l, o).partition = as_double(
          rules_.partition_by_division ? divided : here.words_over(layer_, o, joined(nest_.in_time, 0, l)));
    }
  }

  Count divide(Count outer, std::size_t l, Operand o, const TileShape& here) const {
    if (nest_.in_space[l - 1].empty()) return outer;
    Extents spread = nest_.entering[l];
    for (const Loop& loop : nest_.in_space[l - 1])
      spread[index(loop.dim)] *= static_cast<std::uint32_t>(loop.bound);
    const Count all = tile(spread, o).words();
    const Count common = std::gcd(here.words(), all);
    return times(outer, here.words() / common) / (all / common);
  }

  // -- reads, fills, updates ----------------------------------------------------------------------------
  double from_neighbours(std::size_t l, Operand o) {
    return l == 0 ? 0 : instances(l - 1) * as_double(crossing(l - 1, o).traffic.link_transfers);
  }

  void count_input(std::size_t l, Operand o) {
    if (!kept(l, o)) return;
    Totals& here = totals(l, o);
    here.reads = instances(l) * crossing(l, o).accesses + from_neighbours(l, o);
    if (l > 0) here.fills = instances(l) * as_double(crossing(l - 1, o).asked);
  }

  void count_output(std::size_t l) {
    const Operand o = Operand::O;
    if (!kept(l, o)) return;
    Totals& here = totals(l, o);
    const double owned = instances(l) * counts(l, o).partition;
    const double asked = l == 0 ? 0 : instances(l) * as_double(crossing(l - 1, o).asked);
    here.updates = instances(l) * crossing(l, o).accesses;
    here.continued = here.updates + from_neighbours(l, o);
    if (rules_.return_to_all) {
      here.continued -= owned;
      here.fills = l == 0 ? 0 : asked - owned;
    } else {
      // The first update of a word finds nothing, on every visit that started without a partial sum.
      if (l > 0) here.fills = totals(parent(l, o), o).continued;
      here.continued -= (l == 0 ? counts(0, o).tile : asked) - here.fills;
    }
    here.reads = here.continued;
    if (l > 0 && !rules_.no_drain_reads) here.reads += asked;
  }

  void finish_counts(std::size_t l, Operand o) {
    if (!kept(l, o)) return;
    Totals& here = totals(l, o);
    const auto each = [&](double& total) {
      if (rules_.per_instance_rounding) total = std::floor(total / instances(l) + 0.5) * instances(l);
      return total / instances(l);
    };
    TimeloopCounts& count = counts(l, o);
    count.reads = each(here.reads);
    count.fills = each(here.fills);
    count.updates = each(here.updates);
    count.temporal_reductions = o == Operand::O ? each(here.continued) : 0;
  }

  // -- time -----------------------------------------------------------------------------------------------
  void time() {
    const double steps = as_double(nest_.steps);
    double slowest = 0;
    for (std::size_t l = 0; l < levels_; ++l) {
      TimeloopLevelResult& level = result_.levels[l];
      const TimeloopLevel& port = architecture_.levels[l];
      double reads = 0, writes = 0, read_demand = 0, write_demand = 0;
      for (const Operand o : operands) {
        const Totals& total = totals(l, o);
        reads += total.reads;
        writes += total.fills + total.updates;
        read_demand += counts(l, o).reads / steps;
        write_demand += (counts(l, o).fills + counts(l, o).updates) / steps;
      }
      if (read_demand > port.read_bandwidth)
        level.throttle = std::min(level.throttle, port.read_bandwidth / read_demand);
      if (write_demand > port.write_bandwidth)
        level.throttle = std::min(level.throttle, port.write_bandwidth / write_demand);
      if (rules_.slowdown_factor) {
        level.cycles = std::ceil(steps / level.throttle);
      } else {
        level.cycles = std::max({steps, std::ceil(reads / (instances(l) * port.read_bandwidth)),
                                 std::ceil(writes / (instances(l) * port.write_bandwidth))});
      }
      slowest = std::max(slowest, level.cycles);
      level.instances = static_cast<std::uint64_t>(nest_.instances[l]);
    }
    result_.compute_cycles = steps;
    result_.cycles = rules_.perfect_overlap ? slowest : std::max(slowest, steps + transfers_alone());
  }

  // First load and last store, level by level.
  double transfers_alone() {
    double cycles = 0;
    for (std::size_t l = 1; l < levels_; ++l) {
      const TimeloopLevel& here = architecture_.levels[l];
      double writing = 0, reading = 0;
      for (const Operand o : {Operand::W, Operand::I}) {
        if (!kept(l, o)) continue;
        writing += counts(l, o).tile / here.write_bandwidth;
        reading += tiles_apart(l, o) / architecture_.levels[parent(l, o)].read_bandwidth;
      }
      cycles += std::ceil(std::max(writing, reading));
      if (kept(l, Operand::O))
        cycles += std::ceil(
            std::max(tiles_apart(l, Operand::O) / architecture_.levels[parent(l, Operand::O)].write_bandwidth,
                     counts(l, Operand::O).tile / here.read_bandwidth));
    }
    return cycles;
  }

  // Words of the different tiles of all children of one parent.
  double tiles_apart(std::size_t l, Operand o) {
    const auto loops = joined(nest_.in_space, parent(l, o), l);
    return counts(l, o).tile * as_double(distinct_tiles(layer_, o, loops));
  }

  // -- energy -----------------------------------------------------------------------------------------------
  void spend(std::size_t l, Operand o) {
    if (!kept(l, o)) return;
    const TimeloopLevel& level = architecture_.levels[l];
    TimeloopCounts& count = counts(l, o);
    const auto lines = [&](double words) {
      return rules_.line_energy ? std::ceil(words / level.block) : words / level.block;
    };
    const double update_energy = rules_.update_energy ? level.update_energy : level.write_energy;
    count.energy =
        instances(l) * (lines(count.reads) * level.read_energy + lines(count.fills) * level.write_energy +
                        lines(count.updates) * update_energy);
    count.read_bandwidth = count.reads / result_.compute_cycles * result_.levels[l].throttle;
    count.write_bandwidth =
        (count.fills + count.updates) / result_.compute_cycles * result_.levels[l].throttle;
  }

  void report_network(std::size_t l, Operand o) {
    const Crossing& here = crossing(l, o);
    const TimeloopLevel& level = architecture_.levels[l];
    TimeloopNetwork& network = result_.networks[l][index(o)];
    network.fanout = static_cast<std::uint64_t>(here.traffic.fanout);
    double accesses = here.accesses;
    const double factor =
        rules_.dram_returns && o == Operand::O && level.dram ? 2 - counts(l, o).partition / accesses : 1;
    for (std::size_t r = 0; r < here.by_record.size(); ++r) {
      const Record& record = here.traffic.records[r];
      const double words = here.by_record[r];
      if (o == Operand::O) network.spatial_reductions += as_double(record.multicast - 1) * words;
      network.multicasts.push_back({static_cast<std::uint64_t>(record.multicast),
                                    static_cast<std::uint64_t>(record.scatter),
                                    factor == 1 ? words : std::nearbyint(words * factor)});
    }
    if (rules_.per_instance_rounding)
      network.spatial_reductions = std::floor(network.spatial_reductions + 0.5);
    network.ingresses = factor == 1 ? accesses : 2 * accesses - counts(l, o).partition;
    network.link_transfers = as_double(here.traffic.link_transfers);
    result_.link_transfers_used |= here.traffic.link_transfers > 0;
    network.link_energy = level.energy_per_hop() * network.link_transfers * instances(l);
    if (rules_.hop_distances) {
      distance_hops(l, o, network);
    } else {
      delivery_hops(l, o, network);
    }
  }

  void distance_hops(std::size_t l, Operand o, TimeloopNetwork& network) {
    const Crossing& here = crossing(l, o);
    double hop_words = as_double(here.traffic.twice_hops()) / 2;
    if (!rules_.hops_before_bypass) hop_words *= here.accesses / as_double(here.traffic.accesses());
    network.hops = hop_words / here.accesses;
    network.energy = architecture_.levels[l].energy_per_hop() * hop_words * instances(l);
    if (o != Operand::O || rules_.free_returns) return;
    const Totals& from = totals(keeper(l, o), o);
    network.energy *= 1 + from.continued / from.updates;
  }

  void delivery_hops(std::size_t l, Operand o, TimeloopNetwork& network) {
    const TimeloopLevel& level = architecture_.levels[l];
    if (!level.fanout) return;
    const Crossing& here = crossing(l, o);
    const std::size_t c = child(l, o);
    double delivered = instances(c) * as_double(crossing(c - 1, o).asked);
    if (rules_.hops_before_bypass) delivered = instances(l) * as_double(here.traffic.delivered());
    network.hops = delivered / (instances(l) * here.accesses);
    if (o == Operand::O && !rules_.free_returns) {
      const Totals& from = totals(keeper(l, o), o);
      delivered += rules_.return_to_all ? from.continued / from.updates * delivered : from.continued;
    }
    network.energy = level.hop_energy_per_bit * (delivered * architecture_.levels[keeper(l, o)].word_bits);
  }

  std::size_t keeper(std::size_t l, Operand o) const { return kept(l, o) ? l : parent(l, o); }

  void sum_up() {
    double energy = 0;
    for (std::size_t l = 0; l < levels_; ++l) {
      TimeloopLevelResult& level = result_.levels[l];
      const double leaking =
          rules_.power_gated_leakage ? instances(l) : static_cast<double>(architecture_.levels[l].instances);
      level.leakage = architecture_.levels[l].leakage * result_.cycles * leaking;
      energy += level.leakage;
      for (const Operand o : operands) energy += counts(l, o).energy;
    }
    result_.computes = as_double(nest_.steps) * instances(levels_);
    result_.units = static_cast<std::uint64_t>(nest_.instances[levels_]);
    result_.compute_energy = result_.computes * architecture_.compute_energy;
    energy += result_.compute_energy;
    for (const auto& networks : result_.networks)
      for (const TimeloopNetwork& network : networks) energy += network.energy + network.link_energy;
    result_.energy = energy;
    result_.edp = energy * result_.cycles;
    result_.utilisation = result_.computes / static_cast<double>(architecture_.units) / result_.cycles;
  }

  const TimeloopMapping& mapping_;
  const Layer& layer_;
  const TimeloopArchitecture& architecture_;
  const TimeloopRules& rules_;
  std::size_t levels_;
  Nest nest_;
  std::vector<std::array<Crossing, operand_count>> crossings_;
  std::vector<std::array<Totals, operand_count>> totals_;
  TimeloopResult result_;
};

}  // namespace
}  // namespace timeloop

TimeloopResult evaluate_timeloop(const TimeloopMapping& mapping, const Layer& layer,
                                 const TimeloopArchitecture& architecture, const TimeloopRules& rules) {
  return timeloop::Evaluation(mapping, layer, architecture, rules).run();
}

}  // namespace atl
