#include "atoll/simulator/datacentric.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace atl {

namespace {

constexpr std::size_t dims = data_dim_count;
constexpr std::size_t subsets = std::size_t{1} << dims;
constexpr std::size_t Y = 2, X = 3, R = 4, S = 5;

// MAESTRO counts in `int` and `long` and relies on their wrapping round.
std::int32_t wrap32(std::int64_t value) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
}
std::int64_t mul(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
}
std::int64_t add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
// Quotients of counts that fit 32 bits, which is nearly all of them, take a third of the time in 32 bits.
std::int64_t quotient(std::int64_t a, std::int64_t b) {
  if (((a | b) >> 32) == 0)
    return static_cast<std::int64_t>(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
  return b == -1 ? add(~a, 1) : a / b;
}

using DimSet = std::uint8_t;
constexpr DimSet set_of(std::initializer_list<std::size_t> members) {
  DimSet set = 0;
  for (const std::size_t d : members) set = static_cast<DimSet>(set | (1U << d));
  return set;
}
constexpr DimSet all_dims = 0x3F;

/// Dimensions that an operand changes with, by DataOperand.
constexpr std::array<std::array<DimSet, data_operand_count>, 2> coupled_dims = {{
    {set_of({1, Y, X}), set_of({0, 1, R, S}), set_of({0, Y, X})},
    {set_of({1, Y, X}), set_of({1, R, S}), set_of({1, Y, X})},
}};
constexpr bool has(DimSet set, std::size_t d) {
  return ((set >> d) & 1U) != 0;
}
constexpr DimSet operator_dims(bool depthwise) {
  return depthwise ? static_cast<DimSet>(all_dims & ~1U) : all_dims;
}

/// How a directive steps through a tile's actual size.
struct Walk {
  std::int32_t steady;  // steps between the first and the edge
  bool first_is_edge;
  bool unrolled;  // one step covers all
  bool edge;      // a last, smaller step
  bool partial;   // spatial: the last unit of the edge step gets a smaller piece

  bool advances() const { return steady > 0 || edge; }
};

/// What the units of a level move or compute together, as a factor to the temporal dimensions' product;
/// [1]: in the edge step of the spatial dimension.
using ByEdge = std::array<std::int64_t, 2>;

/// One level: pieces from the nominal sizes, walks through both sizes that the level above can hand down.
struct Plan {
  std::size_t count;
  std::array<std::uint8_t, dims> order;
  std::size_t spatial;
  std::int32_t units, edge_units;
  DataSizes step;                         // offset from piece to piece
  std::array<DataSizes, 2> piece{};       // [edge][dim]: elements of the full and of the edge piece
  std::array<DataSizes, 2> output_piece;  // the same in output rows and columns
  DataSizes fresh, fresh_edge;            // what is new in a piece
  DataSizes output_fresh, output_fresh_edge;
  std::array<std::array<Walk, dims>, 2> walk;         // [which of the two sizes][dim]
  std::array<ByEdge, 2> written, computed, critical;  // by which of the two sizes
  std::array<std::array<ByEdge, 2>, 2> loaded;        // by size, then [1]: only what is new
};

/// A directive of a level, ready for the tiles: factors are 1 where the dimension does not matter.
struct Spot {
  std::uint8_t dim;
  bool spatial, stuck;          // stuck: temporal and nothing new in a piece
  std::array<bool, 2> coupled;  // to input and filter
  std::array<Walk, 2> walk;     // by which of the two sizes, as the next three
  std::array<ByEdge, 2> written, critical, computed;
  std::array<ByEdge, 2> loaded;       // by operand; spatial: 1, see Plan::loaded
  std::array<std::int64_t, 2> fresh;  // by operand
};

struct Context {
  Context(const DatacentricLayer& of_layer, const DatacentricHardware& on_hardware, std::size_t number)
      : layer(of_layer),
        hardware(on_hardware),
        coupled(coupled_dims[of_layer.depthwise ? 1 : 0]),
        levels(number) {}

  const DatacentricLayer& layer;
  const DatacentricHardware& hardware;
  const std::array<DimSet, data_operand_count>& coupled;
  std::size_t levels;
  std::array<Plan, max_data_levels> plan;
  std::array<std::array<Spot, dims>, max_data_levels> spots;
  std::array<DimSet, max_data_levels> two_sizes;               // dimensions whose two sizes differ
  std::array<std::array<DataSizes, 2>, max_data_levels> size;  // [level][which of the two][dim]
};

Walk temporal_walk(std::int32_t size, std::int32_t piece, std::int32_t step) {
  Walk walk{};
  const std::int32_t steps = (size - piece) / step;
  walk.unrolled = size <= piece;
  walk.first_is_edge = size < piece;
  walk.steady = piece < size && steps > 0 ? steps : 0;
  walk.edge = !walk.first_is_edge && steps * step + piece < size;
  return walk;
}

Walk spatial_walk(std::int32_t size, std::int32_t piece, std::int32_t step, std::int32_t units) {
  Walk walk{};
  const std::int64_t all_units = wrap32(mul(step, units));
  const std::int64_t reach = wrap32(piece + mul(step, units - 1));
  const std::int64_t rounds = ((size - piece) / step + 1) / units - 1;
  walk.unrolled = size <= reach;
  walk.first_is_edge = size < reach;
  walk.steady = reach < size && rounds > 0 ? static_cast<std::int32_t>(rounds) : 0;
  walk.edge = !walk.unrolled && wrap32((rounds + 1) * all_units + reach) > size &&
              wrap32(rounds * all_units + reach) != size;
  const std::int64_t rest = wrap32(size - (rounds + 1) * all_units);
  const std::int64_t busy = rest < piece ? 1 : (rest - piece) / step + 1;
  walk.partial = walk.first_is_edge || (walk.edge && wrap32((busy - 1) * step + piece) < rest);
  return walk;
}

/// Units with work in the edge step, from the nominal size; where the size exceeds one step, a unit with a
/// part of a piece is not counted.
std::int32_t edge_units(std::int32_t size, std::int32_t piece, std::int32_t step, std::int32_t units) {
  if (size <= piece) return 1;
  if (size > wrap32(mul(step, units - 1) + piece)) {
    const std::int64_t rounds = ((size - piece) / step + 1) / units - 1;
    const std::int32_t rest = wrap32(size - (rounds + 1) * mul(step, units));
    return rest < piece ? 1 : (rest - piece) / step + 1;
  }
  const std::int32_t whole = (size - piece) / step + 1;
  return step * (whole - 1) + piece < size ? whole + 1 : whole;
}

void plan_pieces(Plan& plan, const DataSizes& nominal) {
  for (std::size_t i = 0; i < plan.count; ++i) {
    const std::size_t d = plan.order[i];
    const std::int32_t piece = plan.piece[0][d], step = plan.step[d];
    const std::int32_t steps = std::max(0, (nominal[d] - piece) / step);
    const bool has_edge = steps * step + piece < nominal[d] || piece > nominal[d];
    const std::int32_t after = nominal[d] - (steps + 1) * step;
    const std::int32_t rest = after < 0 ? nominal[d] : after;
    plan.piece[1][d] = has_edge ? rest : piece;
    plan.fresh[d] = d != plan.spatial && nominal[d] <= piece ? 0 : std::min(piece, step);
    plan.fresh_edge[d] = std::max(step - (piece - rest), 0);
  }
  plan.output_piece = plan.piece;
  plan.output_fresh = plan.fresh;
  plan.output_fresh_edge = plan.fresh_edge;
  for (const auto& [image, filter] : {std::pair{Y, R}, std::pair{X, S}}) {
    for (std::size_t edge = 0; edge < 2; ++edge)
      plan.output_piece[edge][image] = plan.piece[edge][image] - plan.piece[edge][filter] + 1;
    plan.output_fresh[image] = std::min(plan.step[image], plan.piece[0][image]);
    plan.output_fresh_edge[image] = std::min(plan.step[image], plan.output_piece[1][image]);
  }
}

/// first + (further full units) * rest [+ one partial unit].
std::int64_t over_units(const Plan& plan, bool edge, bool partial, std::int64_t first, std::int64_t rest,
                        std::int64_t last) {
  if (!edge) return add(first, mul(plan.units - 1, rest));
  if (plan.edge_units == 1) return partial ? last : first;
  const std::int64_t full = std::max(plan.edge_units - (partial ? 1 : 0) - 1, 0);
  return add(add(first, mul(full, rest)), partial ? last : 0);
}

void plan_spatial(Plan& plan, const Context& context, std::size_t which) {
  const std::size_t s = plan.spatial;
  const Walk& walk = plan.walk[which][s];
  const bool spreads_output = has(context.coupled[2], s);
  const DataSizes& fresh = spreads_output ? plan.output_fresh : plan.fresh;
  const DataSizes& fresh_edge = spreads_output ? plan.output_fresh_edge : plan.fresh_edge;
  const auto& piece = spreads_output ? plan.output_piece : plan.piece;
  const std::int64_t rest = fresh[s] != 0 ? fresh[s] : 1;
  const bool one = plan.edge_units == 1;
  for (std::size_t edge = 0; edge < 2; ++edge) {
    const bool in_edge = edge != 0, partial = in_edge && walk.partial;
    std::int64_t first = piece[0][s], written = 0, computed = 0;
    if (in_edge && walk.first_is_edge) {
      computed = piece[1][s];
      written = one || !spreads_output ? piece[1][s] : fresh_edge[s];
    } else if (in_edge) {
      if (one) first = plan.piece[1][s];  // input rows where output rows are meant
      written = computed = one ? plan.piece[1][s] : fresh_edge[s];
    }
    plan.written[which][edge] = spreads_output ? over_units(plan, in_edge, partial, first, rest, written) : 1;
    plan.computed[which][edge] = over_units(plan, in_edge, partial, first, first, computed);
    plan.critical[which][edge] = partial && spreads_output && one ? written : first;
    plan.loaded[which][0][edge] =
        over_units(plan, in_edge, partial, plan.piece[0][s], plan.piece[0][s], plan.piece[1][s]);
    plan.loaded[which][1][edge] = over_units(plan, in_edge, partial, plan.piece[0][s], plan.fresh[s],
                                             one ? plan.piece[1][s] : plan.fresh_edge[s]);
  }
}

void plan_spots(Context& context, std::size_t l) {
  const Plan& plan = context.plan[l];
  for (std::size_t i = 0; i < plan.count; ++i) {
    const std::size_t d = plan.order[i];
    Spot& spot = context.spots[l][i];
    spot.dim = static_cast<std::uint8_t>(d);
    spot.spatial = d == plan.spatial;
    spot.stuck = !spot.spatial && plan.fresh[d] == 0;
    const bool output = has(context.coupled[2], d);
    const auto& piece = output ? plan.output_piece : plan.piece;
    for (std::size_t which = 0; which < (l == 0 ? 1 : 2); ++which) {
      spot.walk[which] = plan.walk[which][d];
      spot.critical[which] = spot.computed[which] = {piece[0][d], piece[1][d]};
      spot.written[which] = output ? spot.critical[which] : ByEdge{1, 1};
      if (!spot.spatial) continue;
      spot.critical[which] = plan.critical[which];
      spot.computed[which] = plan.computed[which];
      spot.written[which] = plan.written[which];
    }
    for (std::size_t o = 0; o < 2; ++o) {
      spot.coupled[o] = has(context.coupled[o], d);
      const bool matters = spot.coupled[o] && !spot.spatial;
      spot.loaded[o] = matters ? ByEdge{plan.piece[0][d], plan.piece[1][d]} : ByEdge{1, 1};
      spot.fresh[o] = matters ? std::max(plan.fresh[d], 1) : 1;
    }
  }
}

void plan_level(Context& context, const DatacentricMapping& mapping, std::size_t l,
                const DataSizes& nominal) {
  const DatacentricLevel& level = mapping.level[l];
  Plan& plan = context.plan[l];
  const DimSet used = operator_dims(context.layer.depthwise);
  plan.count = 0;
  for (const std::uint8_t d : level.order)
    if (has(used, d)) plan.order[plan.count++] = d;
  plan.spatial = level.spatial;
  plan.step = level.tile;
  plan.piece[0] = level.tile;
  plan.piece[0][Y] = level.tile[Y] + level.tile[R] - 1;
  plan.piece[0][X] = level.tile[X] + level.tile[S] - 1;
  plan.units = level.units;
  if (l == 0) {
    std::int64_t clustered = 1;
    for (std::size_t inner = 1; inner < mapping.levels; ++inner) clustered *= mapping.level[inner].units;
    plan.units = static_cast<std::int32_t>(context.hardware.pes / clustered);
  }
  const std::size_t s = plan.spatial;
  plan.edge_units = edge_units(nominal[s], plan.piece[0][s], plan.step[s], plan.units);
  plan_pieces(plan, nominal);
  for (std::size_t which = 0; which < (l == 0 ? 1 : 2); ++which) {
    for (std::size_t i = 0; i < plan.count; ++i) {
      const std::size_t d = plan.order[i];
      const std::int32_t size = context.size[l][which][d];
      plan.walk[which][d] = d == s ? spatial_walk(size, plan.piece[0][d], plan.step[d], plan.units)
                                   : temporal_walk(size, plan.piece[0][d], plan.step[d]);
    }
    plan_spatial(plan, context, which);
  }
  plan_spots(context, l);
}

/// A tile handed to a level: which dimensions advance, and what each kind of step moves and computes. Kinds
/// of steps are subsets of the advancing dimensions (bit = place, outermost first): those in their edge step.
struct Tile {
  std::size_t advancing = 0;
  std::array<std::uint8_t, dims> dim;
  std::array<std::int32_t, dims> steady;
  std::array<bool, dims> edge;
  std::size_t without_edge = 0;  // places that have no edge step
  DimSet first_is_edge = 0;
  std::size_t spatial = dims;  // its place among the advancing ones
  bool spatial_first_is_edge = false;
  bool partial = false;  // in its edge step
  bool gives_up = false;
  std::array<std::int64_t, subsets> written, computed, critical;
  // Elements that arrive when the advancing dimension at a place steps, [dims]: at the very first step;
  // [spatial edge][operand].
  std::array<std::array<std::array<std::int64_t, 2>, 2>, dims + 1> loaded;

  std::size_t kinds() const { return std::size_t{1} << advancing; }
  bool exists(std::size_t kind) const { return (kind & without_edge) == 0; }
  bool spatial_edge(std::size_t kind) const {
    return spatial < dims ? ((kind >> spatial) & 1U) != 0 : spatial_first_is_edge;
  }
};

template <typename Factors>
void multiply_kinds(std::array<std::int64_t, subsets>& kinds, std::size_t half, const Factors& factor) {
  for (std::size_t kind = 0; kind < half; ++kind) {
    kinds[kind + half] = mul(kinds[kind], factor[1]);
    kinds[kind] = mul(kinds[kind], factor[0]);
  }
}

// An operand is loaded when the innermost dimension that steps is one of its own: only what is new if no
// other of its dimensions starts again inside, else the whole piece.
void build_tile(Tile& tile, const Context& context, std::size_t l, DimSet mask) {
  const Plan& plan = context.plan[l];
  const auto& spots = context.spots[l];
  std::int64_t written = 1, critical = 1, computed = 1;
  std::array<std::int64_t, 2> whole = {1, 1}, fresh = {1, 1};
  std::array<std::size_t, 2> last = {dims, dims};
  std::array<std::uint8_t, dims> place;
  std::size_t spatial_place = 0, n = 0;
  for (std::size_t i = 0; i < plan.count; ++i) {
    const Spot& spot = spots[i];
    const std::size_t which = (mask >> spot.dim) & 1U;
    const Walk& walk = spot.walk[which];
    const std::size_t first = walk.first_is_edge ? 1 : 0;
    tile.first_is_edge = static_cast<DimSet>(tile.first_is_edge | (first << spot.dim));
    for (std::size_t o = 0; o < 2; ++o) {
      const bool starts_again = spot.coupled[o] && !walk.unrolled;
      fresh[o] = starts_again ? mul(whole[o], spot.fresh[o]) : mul(fresh[o], spot.loaded[o][first]);
      last[o] = starts_again ? i : last[o];
      whole[o] = mul(whole[o], spot.loaded[o][first]);
    }
    if (spot.spatial) {
      spatial_place = i;
      tile.spatial_first_is_edge = walk.first_is_edge;
      tile.partial = walk.partial;
      if (walk.advances()) tile.spatial = n;
    }
    if (walk.advances()) {
      tile.dim[n] = spot.dim;
      tile.steady[n] = walk.steady;
      tile.edge[n] = walk.edge;
      if (!walk.edge) tile.without_edge |= std::size_t{1} << n;
      place[n++] = static_cast<std::uint8_t>(i);
      continue;
    }
    written = mul(written, spot.written[which][first]);
    critical = mul(critical, spot.critical[which][first]);
    computed = mul(computed, spot.computed[which][first]);
  }
  tile.advancing = n;
  tile.written[0] = written;
  tile.critical[0] = critical;
  tile.computed[0] = computed;
  for (std::size_t j = 0; j < n; ++j) {
    const Spot& spot = spots[place[j]];
    const std::size_t which = (mask >> spot.dim) & 1U, half = std::size_t{1} << j;
    multiply_kinds(tile.written, half, spot.written[which]);
    multiply_kinds(tile.critical, half, spot.critical[which]);
    if (l == 0) multiply_kinds(tile.computed, half, spot.computed[which]);
  }
  const auto& by_units = plan.loaded[(mask >> plan.spatial) & 1U];
  const std::size_t still = tile.spatial_first_is_edge ? 1 : 0;
  for (std::size_t o = 0; o < 2; ++o) {
    const bool spread = has(context.coupled[o], plan.spatial);
    tile.loaded[dims][0][o] = tile.loaded[dims][1][o] = spread ? mul(whole[o], by_units[0][still]) : whole[o];
    for (std::size_t j = 0; j < n; ++j) {
      const std::size_t i = place[j];
      const Spot& spot = spots[i];
      auto& at = tile.loaded[j];
      const bool innermost = last[o] == i;
      const std::int64_t words = !spot.coupled[o] ? 0 : innermost ? fresh[o] : whole[o];
      tile.gives_up = tile.gives_up || (innermost && spot.stuck);
      const bool only_new = spot.spatial ? innermost : spatial_place > i;
      const auto& units = by_units[only_new ? 1 : 0];
      at[0][o] = spread ? mul(words, units[0]) : words;
      at[1][o] = spread ? mul(words, units[1]) : words;
    }
  }
}

std::int64_t network_delay(const DatacentricHardware& hardware, std::int64_t elements) {
  const std::int64_t bandwidth = hardware.noc_bandwidth;
  // At most one send is the rule where the network is wide.
  if (elements > 0 && elements <= bandwidth) return hardware.noc_latency;
  const std::int64_t whole = quotient(elements, bandwidth);
  return hardware.noc_latency + whole + (whole * bandwidth != elements ? 1 : 0) - 1;
}

std::int64_t compute_delay(const DatacentricHardware& hardware, std::int64_t macs) {
  if (hardware.simd_lanes == 1) return macs;
  const std::int64_t whole = quotient(macs, hardware.simd_lanes);
  return whole + (macs > 0 && whole * hardware.simd_lanes != macs ? 1 : 0);
}

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
    mask &= context_.two_sizes[l];  // equal sizes are one tile
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
      const Spot& spot = context_.spots[l][i];
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

  /// Visits every combination of first, steady and edge steps in MAESTRO's order, which decides how its sums
  /// of floating-point numbers are rounded: all first steps, then a counter whose digits turn (steady, edge,
  /// first). take(times, kind, innermost advancing place or `dims`).
  template <typename Take>
  static void visit(const Tile& tile, Take&& take) {
    const std::size_t n = tile.advancing;
    std::array<std::uint8_t, dims> states, digit, start;
    std::size_t left = 1;
    for (std::size_t j = 0; j < n; ++j) {
      states[j] = static_cast<std::uint8_t>(1 + (tile.steady[j] > 0 ? 1 : 0) + (tile.edge[j] ? 1 : 0));
      start[j] = digit[j] = 1;
      left *= states[j];
    }
    take(std::int64_t{1}, std::size_t{0}, dims);
    struct Prefix {
      std::uint32_t times;
      std::uint32_t kind;
      std::size_t innermost;
    };
    std::array<Prefix, dims + 1> prefix;
    prefix[0] = {1, 0, dims};
    std::size_t from = 0;
    while (--left > 0) {
      for (std::size_t j = from; j < n; ++j) {
        Prefix& next = prefix[j + 1] = prefix[j];
        if (digit[j] == 0) continue;
        next.innermost = j;
        if (digit[j] == 1 && tile.steady[j] > 0)
          next.times *= static_cast<std::uint32_t>(tile.steady[j]);
        else
          next.kind |= 1U << j;
      }
      take(std::int64_t{static_cast<std::int32_t>(prefix[n].times)}, std::size_t{prefix[n].kind},
           prefix[n].innermost);
      from = n;
      while (from-- > 0) {
        digit[from] = static_cast<std::uint8_t>(digit[from] + 1 == states[from] ? 0 : digit[from] + 1);
        if (digit[from] != start[from]) break;
      }
    }
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
    const auto size = [&](std::size_t d) { return std::int64_t{context_.size[l][(mask >> d) & 1U][d]}; };
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
  cost.l2_need = {2 * first[0], 2 * first[1], 2 * tile.written[0]};
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
  Context context(layer, hardware, mapping.levels);
  DataSizes nominal = layer.size;
  if (layer.depthwise) nominal[0] = 1;
  context.size[0][0] = nominal;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    plan_level(context, mapping, l, nominal);
    if (l + 1 == mapping.levels) break;
    context.size[l + 1] = context.plan[l].piece;
    context.two_sizes[l + 1] = 0;
    for (std::size_t d = 0; d < dims; ++d)
      if (context.size[l + 1][0][d] != context.size[l + 1][1][d])
        context.two_sizes[l + 1] = static_cast<DimSet>(context.two_sizes[l + 1] | (1U << d));
    for (std::size_t d = 0; d < dims; ++d) nominal[d] = std::min(context.plan[l].piece[0][d], nominal[d]);
  }
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
