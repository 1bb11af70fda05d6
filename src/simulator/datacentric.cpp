#include "atoll/simulator/datacentric.hpp"

#include <limits>

#include "datacentric_tile.hpp"

namespace atl {

namespace datacentric {

namespace {

constexpr double most_trips = 2147483648.0;  // from here on products of steps wrap

struct TileCost {
  std::int64_t runtime;
  double pes;  // average of those at work
};

/// One kind of step of a tile: how long the level below computes, and PEs at work.
struct StepCost {
  std::int64_t compute;
  long double pes;
};

class Evaluation {
 public:
  Evaluation(Context& context, DatacentricCost& cost) : context_(context), cost_(cost) {
    known_.fill(0);
    std::int64_t below = 1;
    for (std::size_t l = context.levels; l-- > 0;) {
      below = mul(below, context.plan[l].units);
      pes_[l] = below;
    }
  }

  void run() {
    Tile tile;
    build_tile(tile, context_, 0, 0);
    if (tile.gives_up) {
      cost_.stop = DatacentricStop::gives_up;
      return;
    }
    std::array<StepCost, subsets> steps;
    cost_steps(0, tile, steps);
    if (cost_.stop != DatacentricStop::none) return;
    for (std::size_t kind = 0; kind < tile.kinds(); ++kind)
      if (tile.exists(kind) && steps[kind].compute == 0) {
        cost_.stop = DatacentricStop::divides_by_zero;
        return;
      }
    top_level(tile, steps);
  }

  bool sub_tiles_ok() const { return sub_tiles_ok_; }

 private:
  /// All kinds of steps of a tile; those that do not exist are left alone.
  void cost_steps(std::size_t l, const Tile& tile, std::array<StepCost, subsets>& steps) {
    const Plan& plan = context_.plan[l];
    const bool innermost = l + 1 == context_.levels;
    for (std::size_t kind = 0; kind < tile.kinds(); ++kind) {
      if (!tile.exists(kind)) continue;
      const bool edge = tile.spatial_edge(kind);
      const std::int32_t active = edge ? plan.edge_units : plan.units;
      StepCost& step = steps[kind];
      if (innermost) {
        step.compute = compute_delay(context_.hardware, tile.critical[kind]);
        step.pes = active;
        continue;
      }
      DimSet mask = tile.first_is_edge;
      for (std::size_t j = 0; j < tile.advancing; ++j)
        if (((kind >> j) & 1U) != 0) mask = static_cast<DimSet>(mask | (1U << tile.dim[j]));
      const DimSet spatial_bit = static_cast<DimSet>(1U << plan.spatial);
      const DimSet full = static_cast<DimSet>(mask & ~spatial_bit);
      const bool partial = edge && tile.partial;
      const bool small = partial || (edge && plan.edge_units == 1);
      const TileCost first = tile_cost(l + 1, small ? static_cast<DimSet>(full | spatial_bit) : full);
      step.compute = std::max<std::int64_t>(0, first.runtime);
      step.pes = first.pes * static_cast<double>(partial ? 1 : active);
      if (partial && plan.edge_units > 1) {
        const TileCost rest = tile_cost(l + 1, full);
        step.compute = std::max(step.compute, rest.runtime);
        step.pes += rest.pes * static_cast<double>(plan.edge_units - 1);
      }
      if (step.pes == 0) step.pes = active;
    }
  }

  /// A tile of level l >= 1; its sizes are chosen by the mask.
  TileCost tile_cost(std::size_t l, DimSet mask) {
    mask &= context_.plan[l].two_sizes;  // equal sizes are one tile
    TileCost& cost = memo_[l][mask];
    if (((known_[l] >> mask) & 1U) != 0) return cost;
    known_[l] |= std::uint64_t{1} << mask;
    if (l + 1 != context_.levels || !compute_bound_cost(l, mask, cost)) {
      Tile tile;
      build_tile(tile, context_, l, mask);
      if (tile.gives_up) {
        cost_.stop = DatacentricStop::gives_up;
        return cost = {0, 0};
      }
      double trips = 1;
      for (std::size_t j = 0; j < tile.advancing; ++j) trips *= 1.0 + tile.steady[j] + (tile.edge[j] ? 1 : 0);
      const bool by_kind = l + 1 == context_.levels && trips < most_trips;
      cost = by_kind ? innermost_cost(context_.plan[l], tile) : stepwise_cost(l, tile);
    }
    check_roofline(l, mask, cost.runtime);
    return cost;
  }

  /// An innermost tile that never waits for the network: the sum over all steps is a product over the
  /// dimensions. False if it may have to wait, or if anything else is out of the ordinary.
  bool compute_bound_cost(std::size_t l, DimSet mask, TileCost& cost) const {
    const Plan& plan = context_.plan[l];
    const DatacentricHardware& hardware = context_.hardware;
    if (hardware.simd_lanes != 1) return false;
    double trips = 1;
    std::int64_t runtime = 1, least = 1, most_written = 1;
    std::array<std::int64_t, 2> whole = {1, 1};
    bool ordinary = true;
    const Walk* spatial = nullptr;
    for (std::size_t i = 0; i < plan.count; ++i) {
      const Spot& spot = plan.spots[i];
      const std::size_t which = (mask >> spot.dim) & 1U;
      const Walk& walk = spot.walk[which];
      const std::size_t first = walk.first_is_edge ? 1 : 0;
      const ByEdge &work = spot.critical[which], &written = spot.written[which];
      if (spot.spatial) spatial = &walk;
      for (std::size_t o = 0; o < 2; ++o) whole[o] = mul(whole[o], spot.loaded[o][first]);
      ordinary = ordinary && !(spot.stuck && !walk.unrolled) && spot.loaded[0][first] > 0 &&
                 spot.loaded[1][first] > 0;
      const std::size_t other = walk.edge ? 1 : first;
      const std::int64_t times = walk.edge ? 1 : 0, repeated = 1 + walk.steady;
      trips *= static_cast<double>(repeated + times);
      runtime = mul(runtime, add(mul(repeated, work[first]), mul(times, work[other])));
      least = mul(least, std::min(work[first], work[other]));
      ordinary = ordinary && work[first] > 0 && work[other] > 0 && written[first] >= 0 && written[other] >= 0;
      most_written = mul(most_written, std::max(written[first], written[other]));
    }
    if (!ordinary || trips >= most_trips) return false;
    const ByEdge& units = plan.loaded[(mask >> plan.spatial) & 1U][0];
    const std::int64_t most_units = std::max(units[0], units[1]);
    std::int64_t first_load = 0, most_load = 0;
    for (std::size_t o = 0; o < 2; ++o) {
      const bool spread = has(context_.coupled[o], plan.spatial);
      first_load = add(first_load, spread ? mul(whole[o], units[spatial->first_is_edge ? 1 : 0]) : whole[o]);
      most_load = add(most_load, spread ? mul(whole[o], most_units) : whole[o]);
    }
    if (most_load < 1 ||
        std::max(network_delay(hardware, most_load), network_delay(hardware, most_written)) > least)
      return false;
    cost = {add(runtime, network_delay(hardware, first_load)), average_pes(plan, *spatial)};
    return true;
  }

  static double average_pes(const Plan& plan, const Walk& spatial) {
    if (spatial.first_is_edge) return plan.edge_units;
    if (!spatial.edge) return plan.units;
    const double steps = 2.0 + spatial.steady;
    return ((steps - 1) * plan.units + plan.edge_units) / steps;
  }

  // The innermost level without its order of steps: steps outside the innermost one that advances differ only
  // in being edge steps or not.
  TileCost innermost_cost(const Plan& plan, const Tile& tile) const {
    const DatacentricHardware& hardware = context_.hardware;
    std::array<std::int64_t, subsets> busy, times;
    const std::size_t kinds = tile.kinds();
    for (std::size_t kind = 0; kind < kinds; ++kind)
      busy[kind] =
          std::max(compute_delay(hardware, tile.critical[kind]), network_delay(hardware, tile.written[kind]));
    const auto& first_load = tile.loaded[dims][0];
    std::int64_t runtime = add(compute_delay(hardware, tile.critical[0]),
                               network_delay(hardware, add(first_load[0], first_load[1])));
    times[0] = 1;
    for (std::size_t j = 0; j < tile.advancing; ++j) {
      const std::size_t half = std::size_t{1} << j;
      ByEdge arrival;
      for (std::size_t edge = 0; edge < 2; ++edge)
        arrival[edge] = network_delay(hardware, add(tile.loaded[j][edge][0], tile.loaded[j][edge][1]));
      const std::int64_t steady = tile.steady[j];
      const bool own = j == tile.spatial;
      for (std::size_t kind = 0; kind < half; ++kind) {
        if (times[kind] == 0) continue;
        const std::size_t edge = tile.spatial_edge(kind) ? 1 : 0;
        if (steady != 0)
          runtime = add(runtime, mul(times[kind] * steady, std::max(busy[kind], arrival[edge])));
        if (tile.edge[j])
          runtime = add(runtime, mul(times[kind], std::max(busy[kind + half], arrival[own ? 1 : edge])));
      }
      for (std::size_t kind = 0; kind < half; ++kind) {
        times[kind + half] = tile.edge[j] ? times[kind] : 0;
        times[kind] *= 1 + steady;
      }
    }
    Walk spatial{};
    spatial.first_is_edge = tile.spatial_first_is_edge;
    if (tile.spatial < dims) {
      spatial.steady = tile.steady[tile.spatial];
      spatial.edge = tile.edge[tile.spatial];
    }
    return {runtime, average_pes(plan, spatial)};
  }

  TileCost stepwise_cost(std::size_t l, const Tile& tile) {
    const DatacentricHardware& hardware = context_.hardware;
    std::array<StepCost, subsets> steps;
    cost_steps(l, tile, steps);
    TileCost cost = {0, 0};
    std::int64_t total = 0;
    visit(tile, [&](std::int64_t times, std::size_t kind, std::size_t place) {
      const auto& load = tile.loaded[place][tile.spatial_edge(kind) ? 1 : 0];
      const std::int64_t arrival = network_delay(hardware, add(load[0], load[1]));
      const std::int64_t compute = steps[kind].compute;
      const std::int64_t delay =
          place == dims ? add(compute, arrival)
                        : std::max({compute, arrival, network_delay(hardware, tile.written[kind])});
      cost.runtime = add(cost.runtime, mul(times, delay));
      cost.pes = static_cast<double>(cost.pes + steps[kind].pes * static_cast<long double>(times));
      total += times;
    });
    if (total != 0) cost.pes /= static_cast<double>(total);
    return cost;
  }

  void check_roofline(std::size_t l, DimSet mask, std::int64_t runtime) {
    const auto size = [&](std::size_t d) { return std::int64_t{context_.plan[l].size[(mask >> d) & 1U][d]}; };
    std::int64_t macs = context_.layer.depthwise ? 1 : size(0);
    for (const std::int64_t factor :
         {size(1), size(R), size(S), size(Y) - size(R) + 1, size(X) - size(S) + 1})
      macs = mul(macs, factor);
    if (mul(runtime, pes_[l]) < macs) sub_tiles_ok_ = false;
  }

  void top_level(const Tile& tile, const std::array<StepCost, subsets>& steps);

  Context& context_;
  DatacentricCost& cost_;
  std::array<std::int64_t, max_data_levels> pes_{};  // PEs from this level inwards
  std::array<std::uint64_t, max_data_levels> known_;
  std::array<std::array<TileCost, subsets>, max_data_levels> memo_;
  bool sub_tiles_ok_ = true;
};

/// Least, most and sum of a delay over the steps; the most starts just above 0 and is cut to 0.
struct Spread {
  std::int64_t least = std::numeric_limits<std::int64_t>::max(), most = 0, sum = 0;

  void take(std::int64_t delay, std::int64_t times) {
    least = std::min(least, delay);
    most = std::max(most, delay);
    sum = add(sum, mul(times, delay));
  }
  std::array<std::int64_t, 3> over(std::int64_t total) const {
    // No number of steps, no average: what the conversion gives on x86.
    const std::int64_t average =
        total == 0
            ? std::numeric_limits<std::int64_t>::min()
            : static_cast<std::int64_t>(static_cast<long double>(sum) / static_cast<long double>(total));
    return {least, most, average};
  }
};

void Evaluation::top_level(const Tile& tile, const std::array<StepCost, subsets>& steps) {
  const DatacentricHardware& hardware = context_.hardware;
  DatacentricCost& cost = cost_;
  const std::array<std::int64_t, 2>& first = tile.loaded[dims][0];
  cost.l2_need = {mul(2, first[0]), mul(2, first[1]), mul(2, tile.written[0])};
  const std::int64_t need_in = add(cost.l2_need[0], cost.l2_need[1]), need_out = cost.l2_need[2];
  const std::int64_t offchip = std::max(quotient(need_in, hardware.offchip_bandwidth) / 2,
                                        quotient(need_out, hardware.offchip_bandwidth) / 2);
  std::array<std::int64_t, subsets> departure, demand;
  for (std::size_t kind = 0; kind < tile.kinds(); ++kind) {
    if (!tile.exists(kind)) continue;
    departure[kind] = network_delay(hardware, tile.written[kind]);
    demand[kind] = std::max(
        {std::int64_t{0}, quotient(need_out, steps[kind].compute), quotient(need_in, steps[kind].compute)});
  }
  std::array<ByEdge, dims + 1> arrival, arriving;
  for (std::size_t place = 0; place <= dims; ++place) {
    if (place >= tile.advancing && place != dims) continue;
    for (std::size_t edge = 0; edge < 2; ++edge) {
      arriving[place][edge] = add(tile.loaded[place][edge][0], tile.loaded[place][edge][1]);
      arrival[place][edge] = network_delay(hardware, arriving[place][edge]);
    }
  }
  Spread ingress, egress, compute;
  std::int64_t total = 0, bandwidth = 0, last_macs = 0, last_arriving = 0;
  double pes = 0;
  visit(tile, [&](std::int64_t times, std::size_t kind, std::size_t place) {
    const std::size_t edge = tile.spatial_edge(kind) ? 1 : 0;
    const std::int64_t written = tile.written[kind], busy = steps[kind].compute;
    const std::int64_t in = arrival[place][edge], out = departure[kind];
    const std::int64_t delay = place == dims ? add(busy, in) : std::max({busy, in, out});
    cost.runtime = add(cost.runtime, mul(times, std::max(delay, offchip)));
    cost.l2_read[0] = add(cost.l2_read[0], mul(times, tile.loaded[place][edge][0]));
    cost.l2_read[1] = add(cost.l2_read[1], mul(times, tile.loaded[place][edge][1]));
    cost.l2_write[2] = add(cost.l2_write[2], mul(times, written));
    cost.macs = add(cost.macs, mul(times, tile.computed[kind]));
    pes = static_cast<double>(pes + steps[kind].pes * static_cast<long double>(times));
    const std::int64_t traffic = std::max(arriving[place][edge], written);
    cost.peak_bandwidth = std::max(cost.peak_bandwidth, quotient(traffic, busy));
    bandwidth = add(bandwidth, quotient(mul(times, traffic), busy));
    cost.offchip_bandwidth = std::max(cost.offchip_bandwidth, demand[kind]) / 2;
    ingress.take(in, times);
    egress.take(out, times);
    compute.take(busy, times);
    total = add(total, times);
    last_macs = tile.computed[kind];
    last_arriving = arriving[place][edge];
  });
  cost.average_bandwidth =
      static_cast<double>(static_cast<long double>(bandwidth) / static_cast<long double>(total));
  cost.average_pes = total != 0 ? pes / static_cast<double>(total) : pes;
  cost.ingress = ingress.over(total);
  cost.egress = egress.over(total);
  cost.compute = compute.over(total);
  cost.arithmetic_intensity = static_cast<double>(last_macs) / static_cast<double>(last_arriving);
}

void count_buffers(const Context& context, DatacentricCost& cost) {
  const DatacentricLayer& layer = context.layer;
  for (std::size_t o = 0; o < 2; ++o) {
    cost.l2_write[o] = layer.elements(static_cast<DataOperand>(o));
    cost.l1_write[o] = cost.l2_read[o];
  }
  cost.l2_read[2] = layer.elements(DataOperand::output);
  cost.l1_write[2] = cost.macs;
  cost.l1_read.fill(cost.macs);
  const Plan& innermost = context.plan[context.levels - 1];
  for (std::size_t o = 0; o < data_operand_count; ++o) {
    std::int64_t words = 2;
    for (std::size_t d = 0; d < dims; ++d)
      if (has(context.coupled[o], d)) words = mul(words, innermost.piece[0][d]);
    cost.l1_need[o] = words;
  }
  cost.l2_bytes = wrap32(add(add(cost.l2_need[0], cost.l2_need[1]), cost.l2_need[2]));
  cost.l1_bytes = wrap32(add(add(cost.l1_need[0], cost.l1_need[1]), cost.l1_need[2]));
}

// MAESTRO prints L2 alone where there are two levels or more. Its sum is made term by term, in this order.
void count_energy(const Context& context, DatacentricCost& cost) {
  const DatacentricHardware& hardware = context.hardware;
  std::int64_t l2 = cost.l2_write[2], l1 = 0;
  double reported = 0;
  for (std::size_t o = 0; o < 2; ++o) {
    l2 = add(l2, add(cost.l2_read[o], cost.l2_write[o]));
    reported += static_cast<double>(cost.l2_read[o]) * hardware.l2_energy;
    reported += static_cast<double>(cost.l2_write[o]) * hardware.l2_energy;
  }
  reported += static_cast<double>(cost.l2_write[2]) * hardware.l2_energy;
  for (std::size_t o = 0; o < data_operand_count; ++o) {
    l1 = add(l1, add(cost.l1_read[o], cost.l1_write[o]));
    if (context.levels > 1) continue;
    reported += static_cast<double>(cost.l1_read[o]) * hardware.l1_energy;
    reported += static_cast<double>(cost.l1_write[o]) * hardware.l1_energy;
  }
  cost.energy_reported = reported * hardware.mac_energy;
  cost.energy_l2 = hardware.mac_energy * (hardware.l2_energy * static_cast<double>(l2));
  cost.energy_l1 = hardware.mac_energy * (hardware.l1_energy * static_cast<double>(l1));
  cost.energy_mac = static_cast<double>(cost.macs) * hardware.mac_energy;
}

// An operand crosses the path to DRAM once if all of it stays in L2 beside the tiles of the others, else as
// often as MAESTRO moves its tiles between L2 and L1. The cheapest choice that fits.
void count_dram(const Context& context, DatacentricCost& cost) {
  std::array<double, data_operand_count> whole, tiles, streamed_reads, streamed_writes = {0, 0, 0};
  for (std::size_t o = 0; o < data_operand_count; ++o) {
    whole[o] = static_cast<double>(context.layer.elements(static_cast<DataOperand>(o)));
    tiles[o] = static_cast<double>(cost.l2_need[o]);
    streamed_reads[o] = std::max(whole[o], static_cast<double>(cost.l2_read[o]));
  }
  streamed_writes[2] = std::max(whole[2], static_cast<double>(cost.l2_write[2]));
  streamed_reads[2] = streamed_writes[2] - whole[2];  // partial sums that come back
  double best = std::numeric_limits<double>::infinity();
  for (std::size_t kept = 0; kept < 8; ++kept) {
    double room = 0, reads = 0, writes = 0;
    for (std::size_t o = 0; o < data_operand_count; ++o) {
      const bool once = ((kept >> o) & 1U) != 0;
      room += once ? std::max(whole[o], tiles[o]) : tiles[o];
      reads += once ? (o == 2 ? 0 : whole[o]) : streamed_reads[o];
      writes += once ? (o == 2 ? whole[o] : 0) : streamed_writes[o];
    }
    if ((kept != 0 && room > static_cast<double>(context.hardware.l2_bytes)) || reads + writes >= best)
      continue;
    best = reads + writes;
    cost.dram_reads = reads;
    cost.dram_writes = writes;
  }
  cost.dram_energy = best * context.hardware.dram_energy;
  cost.noc_energy = static_cast<double>(add(add(cost.l2_read[0], cost.l2_read[1]), cost.l2_write[2])) *
                    context.hardware.noc_energy;
}

}  // namespace

}  // namespace datacentric

using namespace datacentric;

std::int64_t DatacentricLayer::macs() const {
  std::int64_t product = depthwise ? 1 : size[0];
  for (const std::int64_t factor :
       {std::int64_t{size[1]}, output_rows(), output_columns(), std::int64_t{size[R]}, std::int64_t{size[S]}})
    product = mul(product, factor);
  return product;
}

std::int64_t DatacentricLayer::elements(DataOperand operand) const {
  const DimSet coupled = coupled_dims[depthwise ? 1 : 0][static_cast<std::size_t>(operand)];
  std::int64_t product = 1;
  for (std::size_t d = 0; d < dims; ++d) {
    if (!has(coupled, d)) continue;
    const bool output = operand == DataOperand::output;
    product = mul(product, output && d == Y ? output_rows() : output && d == X ? output_columns() : size[d]);
  }
  return product;
}

void datacentric_evaluate(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                          const DatacentricHardware& hardware, DatacentricCost& cost) {
  cost = {};
  Context context(mapping, layer, hardware);
  Evaluation evaluation(context, cost);
  evaluation.run();
  if (cost.stop != DatacentricStop::none) return;
  count_buffers(context, cost);
  count_energy(context, cost);
  count_dram(context, cost);
  const std::int64_t macs = layer.macs();
  cost.macs_exact = cost.macs == macs;
  cost.beats_roofline = mul(cost.runtime, hardware.pes) < macs;
  cost.sub_tiles_ok = evaluation.sub_tiles_ok();
  cost.fits_l1 = cost.l1_bytes > 0 && cost.l1_bytes <= hardware.l1_bytes;
  cost.fits_l2 = cost.l2_bytes > 0 && cost.l2_bytes <= hardware.l2_bytes;
}

}  // namespace atl
