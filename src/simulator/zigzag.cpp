#include "atoll/simulator/zigzag.hpp"

#include "zigzag_walk.hpp"
#include "zigzag_windows.hpp"

namespace atl {

namespace {

using zigzag::I;
using zigzag::O;
using zigzag::Walk;

constexpr std::size_t down = index(ZigzagMove::rd_out_to_low), from_below = index(ZigzagMove::wr_in_by_low);
constexpr std::size_t up = index(ZigzagMove::rd_out_to_high), from_above = index(ZigzagMove::wr_in_by_high);
constexpr bool of_low(std::size_t move) {
  return move == down || move == from_below;
}

// Amounts per period of every move, with fractional (variant 0) or whole unrolling (variant 1).
struct Traffic {
  ByLevel<double> held;  // words in one instance of the memory
  ByLevel<ByMove> amount, bits;
  std::array<double, zigzag_most_levels> held_bits_of_outputs;
};

// One layer's transfers in time. A count of 0: no such move.
struct Transfer {
  double real = 0, allowed = 0, period = 0, count = 0;
};
using Transfers = ByLevel<std::array<Transfer, zigzag_move_count>>;

struct Case {
  const ZigzagModel& model;
  const ZigzagLoops& loops;
  Walk walk;
  ByLevel<std::uint8_t> end;

  Case(const ZigzagModel& m, const ZigzagMapping& mapping) : model(m), loops(mapping.loops), walk(loops) {
    for (std::size_t o = 0; o < operand_count; ++o)
      for (std::size_t l = 0; l < model.depth[o]; ++l) end[o][l] = walk.next[o][mapping.end[o][l]];
  }

  std::size_t begin_of(std::size_t o, std::size_t l) const { return l == 0 ? 0 : end[o][l - 1]; }
  // Cycles for which what enters level l from below, or leaves to there, stays.
  double low_period(std::size_t o, std::size_t l) const {
    if (l > 0) return walk.all[end[o][l - 1]];
    return o == O ? 1.0 : walk.all[walk.next[o][0]];
  }
  double low_count(std::size_t o, std::size_t l) const {
    if (l > 0) return walk.rest[end[o][l - 1]];
    return o == O ? walk.rest[0] : walk.rest[walk.next[o][0]];
  }
  // Whether sums that level l receives are still to be added to.
  bool partial(std::size_t l, std::size_t variant) const {
    if (l >= model.depth[O]) return false;
    return walk.reductions > begin_of(O, l) || model.level[O][l].reduced_above[variant];
  }
  // Product of the outermost loops of level l that bear so on the operand.
  double top(std::size_t o, std::size_t l, ZigzagBearing bearing) const {
    double product = 1;
    for (std::size_t i = end[o][l]; i > begin_of(o, l); --i) {
      if (zigzag::bearings[o][index(loops.dim[i - 1])] != bearing) break;
      product *= loops.size[i - 1];
    }
    return product;
  }
};

void count_held(const Case& one, std::size_t variant, Traffic& traffic) {
  const ZigzagModel& model = one.model;
  for (std::size_t o = 0; o < operand_count; ++o) {
    zigzag::Window window = {1, 1, 1, 1};
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const ZigzagModel::Level& level = model.level[o][l];
      double words = one.walk.relevant[o][one.end[o][l]] * level.relevant[variant];
      if (o == I) {
        for (std::size_t i = one.begin_of(o, l); i < one.end[o][l]; ++i)
          if (one.loops.dim[i] >= ZigzagDim::OX)
            window[zigzag::window_index(one.loops.dim[i])] *= one.loops.size[i];
        for (std::size_t k = 0; k < window.size(); ++k) window[k] *= level.window[variant][k];
        words *= zigzag::window_elements(model.layer, window);
      }
      traffic.held[o][l] = std::nearbyint(words);
    }
  }
}

void fill_traffic(const Case& one, std::size_t variant, Traffic& traffic) {
  const ZigzagModel& model = one.model;
  count_held(one, variant, traffic);
  for (std::size_t o = 0; o < operand_count; ++o) {
    double below = 1;
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const bool top = l + 1 == model.depth[o];
      const double low = below * model.level[o][l].boost[variant];
      const double high = top ? 0 : traffic.held[o][l];
      ByMove& amount = traffic.amount[o][l];
      ByMove& bits = traffic.bits[o][l];
      if (o == O) {
        const bool partial = one.partial(l, variant), partial_above = one.partial(l + 1, variant);
        const double bits_low = partial ? model.layer.bits[O] : model.layer.final_bits;
        const double bits_high = partial_above ? model.layer.bits[O] : model.layer.final_bits;
        amount = {partial ? low : 0, low, high, partial_above ? high : 0};
        bits = {bits_low, bits_low, bits_high, bits_high};
        traffic.held_bits_of_outputs[l] = bits_high;
      } else {
        amount = {low, 0, 0, high};
        bits.fill(model.layer.bits[o]);
      }
      below = traffic.held[o][l];
    }
  }
}

double held_bits(const Case& one, const Traffic& traffic, std::size_t o, std::size_t l) {
  return traffic.held[o][l] *
         (o == O ? traffic.held_bits_of_outputs[l] : static_cast<double>(one.model.layer.bits[o]));
}

void add_energy(const Case& one, const Traffic& traffic, ZigzagCosts& costs) {
  const ZigzagModel& model = one.model;
  costs.memory_energy = 0;
  for (const Operand operand : model.layer.operands) {
    const std::size_t o = index(operand);
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const ZigzagModel::Level& level = model.level[o][l];
      const std::array<double, 2> count = {one.low_count(o, l), one.walk.rest[one.end[o][l]]};
      ByMove& energy = costs.energy_by_move[o][l];
      for (std::size_t m = 0; m < zigzag_move_count; ++m) {
        const double amount = traffic.amount[o][l][m];
        double accesses = 0;
        if (amount != 0)
          accesses =
              std::trunc(std::ceil(amount * traffic.bits[o][l][m] / level.least[m]) *
                         (level.least[m] / level.most[m]) * count[of_low(m) ? 0 : 1] * level.instances);
        costs.accesses[o][l][m] = accesses;
        energy[m] = accesses * (m == down || m == up ? level.read_energy : level.write_energy);
      }
      costs.energy[o][l] = (energy[up] + energy[down]) + (energy[from_above] + energy[from_below]);
      costs.memory_energy += costs.energy[o][l];
    }
  }
  costs.mac_energy = model.mac_energy;
  costs.total_energy = costs.memory_energy + costs.mac_energy;
}

// A memory is double-buffered where the rest of it has room for what changes at a time; `traffic` is the
// fractional one.
void find_double_buffers(const Case& one, const Traffic& traffic, ZigzagCosts& costs) {
  const ZigzagModel& model = one.model;
  ByLevel<double> changing;
  std::array<double, zigzag_most_memories> occupied = {}, filled = {};
  for (const Operand operand : model.layer.operands) {
    const std::size_t o = index(operand);
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const ZigzagModel::Level& level = model.level[o][l];
      const double bits = held_bits(one, traffic, o, l);
      changing[o][l] = std::floor(bits / one.top(o, l, ZigzagBearing::r)) / level.size;
      costs.share[o][l] = bits / level.size;
    }
  }
  for (std::size_t m = 0; m < model.memory_count; ++m)
    for (std::size_t h = 0; h < model.held_count[m]; ++h) {
      const auto [o, l] = model.held[m][h];
      occupied[m] += changing[o][l];
      filled[m] += costs.share[o][l];
    }
  for (const Operand operand : model.layer.operands) {
    const std::size_t o = index(operand);
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const std::size_t m = model.level[o][l].memory;
      costs.shared[o][l] = filled[m];
      costs.double_buffered[o][l] = true;
      if (occupied[m] <= 0.5) continue;
      if (changing[o][l] <= 1 - occupied[m]) {
        occupied[m] += changing[o][l];
      } else {
        costs.double_buffered[o][l] = false;
      }
    }
  }
}

void time_transfers(const Case& one, const Traffic& traffic, const ZigzagCosts& costs, Transfers& transfers) {
  const ZigzagModel& model = one.model;
  for (std::size_t o = 0; o < operand_count; ++o) {
    double room_below = 1;  // the array of multipliers keeps one word
    bool buffered_below = false;
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const double room = one.top(o, l, ZigzagBearing::ir);
      const bool buffered = costs.double_buffered[o][l];
      for (std::size_t m = 0; m < zigzag_move_count; ++m) {
        Transfer& transfer = transfers[o][l][m];
        transfer.count = 0;
        const double amount = traffic.amount[o][l][m];
        if (amount == 0) continue;
        const bool low = of_low(m);
        transfer.real = std::ceil(amount * traffic.bits[o][l][m] / model.level[o][l].most[m]);
        transfer.period = low ? one.low_period(o, l) : one.walk.all[one.end[o][l]];
        transfer.count = low ? one.low_count(o, l) : one.walk.rest[one.end[o][l]];
        const bool whole_period = low ? buffered_below : buffered;
        transfer.allowed =
            whole_period ? transfer.period : std::floor(transfer.period / (low ? room_below : room));
      }
      room_below = room;
      buffered_below = buffered;
    }
  }
}

using Port = std::array<const Transfer*, operand_count * zigzag_move_count>;

double stall_of_port(const Port& port, std::size_t count, double cycles) {
  if (count == 0) return 0;
  double late = 0, early = 0, windows = 0;
  bool always = false;
  zigzag::Windows shared;
  for (std::size_t i = 0; i < count; ++i) {
    const Transfer& transfer = *port[i];
    const double stall = (transfer.real - transfer.allowed) * (transfer.count - 1);
    if (count == 1) return stall;
    (stall > 0 ? late : early) += stall;
    windows += transfer.allowed * (transfer.count - 1);
    always = always || transfer.allowed == transfer.period;
    shared[i] = {transfer.period, transfer.allowed};
  }
  const double covered = always ? cycles : zigzag::union_of_windows(shared, count, cycles);
  return late + std::max(0.0, early + windows - covered);
}

void add_stalls(const Case& one, const Transfers& transfers, ZigzagCosts& costs) {
  const ZigzagModel& model = one.model;
  costs.stall = 0;
  for (std::size_t p = 0; p < model.port_count; ++p) {
    Port port;
    std::size_t count = 0;
    for (std::size_t i = 0; i < model.move_count[p]; ++i) {
      const auto [o, l, m] = model.moves[p][i];
      if (transfers[o][l][m].count > 0) port[count++] = &transfers[o][l][m];
    }
    costs.port_stall[p] = stall_of_port(port, count, costs.temporal_cycles);
    costs.stall = std::max(costs.stall, costs.port_stall[p]);
  }
}

struct Loading {
  double cycles = 0, least = 0;
  Transfer* transfer = nullptr;
};
using Loadings = std::array<Loading, operand_count * zigzag_move_count>;

// Takes `spare` cycles off, longest first. As in ZigZag, what the i-th may lose is taken from all before it,
// too, beyond their own least: results may fall below 0.
void shorten(Loadings& loadings, std::size_t count, double spare) {
  // Stable by insertion: of equals, the one that the port names first stays first.
  for (std::size_t i = 1; i < count; ++i)
    for (std::size_t j = i; j > 0 && loadings[j - 1].cycles < loadings[j].cycles; --j)
      std::swap(loadings[j - 1], loadings[j]);
  for (std::size_t i = 0; i < count && spare > 0; ++i) {
    const double places = static_cast<double>(i + 1);
    const double most = (loadings[i].cycles - loadings[i].least) * places;
    const bool enough = spare >= most;
    const double cut = enough ? loadings[i].cycles - loadings[i].least : spare / places;
    for (std::size_t j = 0; j <= i; ++j) loadings[j].cycles -= cut;
    if (!enough) return;
    spare -= most;
  }
}

// Bits per cycle, rounded down. The order of the operations is that of ZigZag: the last bit decides the
// rounding.
double average_width(const Case& one, const Traffic& traffic, const ZigzagModel::Port& move, double period) {
  const auto [o, l, m] = move;
  const double bits = traffic.bits[o][l][m];
  if (!of_low(m)) return std::trunc(traffic.held[o][l] * bits / period);
  const double below = l == 0 ? 1 : traffic.held[o][l - 1];
  return std::trunc(below * bits / period * one.model.level[o][l].boost[one.model.fractional ? 1 : 0]);
}

// What is moved only once may start while the layer runs, where its port has time to spare. Changes
// transfers[..].real to what is left of it.
void overlap_port(const Case& one, const Traffic& traffic, std::size_t p, double cycles,
                  Transfers& transfers) {
  const ZigzagModel& model = one.model;
  const double width = model.port_width[p];
  Loadings loadings;
  std::size_t count = 0;
  double busy = 0;
  for (std::size_t i = 0; i < model.move_count[p]; ++i) {
    const auto [o, l, m] = model.moves[p][i];
    Transfer& transfer = transfers[o][l][m];
    if (transfer.count == 0 || (o == O && (m == down || m == from_above))) continue;
    if (transfer.count > 1) {
      busy += average_width(one, traffic, model.moves[p][i], transfer.period);
    } else {
      loadings[count++] = {transfer.real, std::ceil(held_bits(one, traffic, o, 0) / width), &transfer};
    }
  }
  const double spare = std::max(0.0, (width - busy) / width * cycles);
  if (count == 0 || spare <= 0) return;
  shorten(loadings, count, spare);
  for (std::size_t i = 0; i < count; ++i) loadings[i].transfer->real = loadings[i].cycles;
}

double real_of(const Transfer& transfer) {
  return transfer.count > 0 ? transfer.real : 0;
}

double onload(const Case& one, const Transfers& transfers) {
  const ZigzagModel& model = one.model;
  std::array<double, 2> shared = {}, half = {}, own = {};
  std::size_t i = 0;
  for (const Operand operand : model.layer.operands) {
    const std::size_t o = index(operand);
    if (o == O) continue;
    for (std::size_t l = 0; l + 1 < model.depth[o]; ++l) {
      const double cycles =
          std::max(real_of(transfers[o][l][from_above]), real_of(transfers[o][l + 1][down]));
      const bool low = model.level[o][l].loads_shared_high, high = model.level[o][l + 1].loads_shared_low;
      if (low && high) {
        shared[i] += cycles;
      } else if (low || high) {
        half[i] = cycles;  // the outermost one only
      } else {
        own[i] += cycles;
      }
    }
    ++i;
  }
  return std::min(shared[0] + std::max(shared[1] + half[1] + own[1], half[0] + own[0]),
                  shared[1] + std::max(shared[0] + half[0] + own[0], half[1] + own[1]));
}

double offload(const Case& one, const Transfers& transfers) {
  double cycles = 0;
  for (std::size_t l = 0; l + 1 < one.model.depth[O]; ++l)
    cycles += std::max(real_of(transfers[O][l][up]), real_of(transfers[O][l + 1][from_below]));
  return cycles;
}

void add_latency(const Case& one, const Traffic& traffic, ZigzagCosts& costs) {
  Transfers transfers;
  time_transfers(one, traffic, costs, transfers);
  costs.temporal_cycles = one.walk.rest[0];
  costs.ideal_cycles = std::ceil(one.model.macs / one.model.multipliers);
  add_stalls(one, transfers, costs);
  costs.latency[0] = costs.temporal_cycles + costs.stall;
  for (std::size_t p = 0; p < one.model.port_count; ++p)
    overlap_port(one, traffic, p, costs.latency[0], transfers);
  costs.onload = onload(one, transfers);
  costs.offload = offload(one, transfers);
  costs.latency[1] = costs.temporal_cycles + costs.stall + costs.onload;
  costs.latency[2] = costs.temporal_cycles + costs.stall + costs.onload + costs.offload;
}

}  // namespace

void evaluate(const ZigzagModel& model, const ZigzagMapping& mapping, ZigzagCosts& costs) {
  const Case one(model, mapping);
  Traffic traffic;
  fill_traffic(one, 0, traffic);
  add_energy(one, traffic, costs);
  find_double_buffers(one, traffic, costs);
  if (model.fractional) fill_traffic(one, 1, traffic);
  add_latency(one, traffic, costs);
}

ByLevel<std::uint8_t> stationary_ends(const ZigzagModel& model, const ZigzagMapping& mapping) {
  ByLevel<std::uint8_t> ends = {};
  const Walk walk(mapping.loops);
  for (std::size_t o = 0; o < operand_count; ++o)
    for (std::size_t l = 0; l < model.depth[o]; ++l) ends[o][l] = walk.next[o][mapping.end[o][l]];
  return ends;
}

}  // namespace atl
