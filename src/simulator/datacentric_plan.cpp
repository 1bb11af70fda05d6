#include "datacentric_plan.hpp"

namespace atl::datacentric {

namespace {

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

void plan_spatial(Plan& plan, Spot& spot, bool spreads_output, std::size_t which) {
  const std::size_t s = plan.spatial;
  const Walk& walk = spot.walk[which];
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
    spot.written[which][edge] = spreads_output ? over_units(plan, in_edge, partial, first, rest, written) : 1;
    spot.computed[which][edge] = over_units(plan, in_edge, partial, first, first, computed);
    spot.critical[which][edge] = partial && spreads_output && one ? written : first;
    plan.loaded[which][0][edge] =
        over_units(plan, in_edge, partial, plan.piece[0][s], plan.piece[0][s], plan.piece[1][s]);
    plan.loaded[which][1][edge] = over_units(plan, in_edge, partial, plan.piece[0][s], plan.fresh[s],
                                             one ? plan.piece[1][s] : plan.fresh_edge[s]);
  }
}

void plan_spot(Plan& plan, const Context& context, std::size_t i, std::size_t sizes) {
  const std::size_t d = plan.order[i];
  Spot& spot = plan.spots[i];
  spot.dim = static_cast<std::uint8_t>(d);
  spot.spatial = d == plan.spatial;
  spot.stuck = !spot.spatial && plan.fresh[d] == 0;
  const bool output = has(context.coupled[2], d);
  const auto& piece = output ? plan.output_piece : plan.piece;
  for (std::size_t which = 0; which < sizes; ++which) {
    const std::int32_t size = plan.size[which][d];
    spot.walk[which] = spot.spatial ? spatial_walk(size, plan.piece[0][d], plan.step[d], plan.units)
                                    : temporal_walk(size, plan.piece[0][d], plan.step[d]);
    spot.critical[which] = spot.computed[which] = {piece[0][d], piece[1][d]};
    spot.written[which] = output ? spot.critical[which] : ByEdge{1, 1};
    if (spot.spatial) plan_spatial(plan, spot, output, which);
  }
  for (std::size_t o = 0; o < 2; ++o) {
    spot.coupled[o] = has(context.coupled[o], d);
    const bool matters = spot.coupled[o] && !spot.spatial;
    spot.loaded[o] = matters ? ByEdge{plan.piece[0][d], plan.piece[1][d]} : ByEdge{1, 1};
    spot.fresh[o] = matters ? std::max(plan.fresh[d], 1) : 1;
  }
}

void plan_level(Plan& plan, const DatacentricLevel& level, const Context& context, const DataSizes& nominal,
                std::size_t sizes) {
  const DimSet used = operator_dims(context.layer.depthwise);
  plan.count = 0;
  for (const std::uint8_t d : level.order)
    if (has(used, d)) plan.order[plan.count++] = d;
  plan.spatial = level.spatial;
  plan.step = level.tile;
  plan.piece[0] = level.tile;
  plan.piece[0][Y] = level.tile[Y] + level.tile[R] - 1;
  plan.piece[0][X] = level.tile[X] + level.tile[S] - 1;
  const std::size_t s = plan.spatial;
  plan.edge_units = edge_units(nominal[s], plan.piece[0][s], plan.step[s], plan.units);
  plan_pieces(plan, nominal);
  for (std::size_t i = 0; i < plan.count; ++i) plan_spot(plan, context, i, sizes);
}

/// The sizes that `outer` hands down to `inner`.
void hand_down(const Plan& outer, Plan& inner) {
  inner.size = outer.piece;
  inner.two_sizes = 0;
  for (std::size_t d = 0; d < dims; ++d)
    if (inner.size[0][d] != inner.size[1][d])
      inner.two_sizes = static_cast<DimSet>(inner.two_sizes | (1U << d));
}

}  // namespace

Context::Context(const DatacentricMapping& mapping, const DatacentricLayer& of_layer,
                 const DatacentricHardware& on_hardware)
    : layer(of_layer),
      hardware(on_hardware),
      coupled(coupled_dims[of_layer.depthwise ? 1 : 0]),
      levels(mapping.levels) {
  std::int64_t clustered = 1;
  for (std::size_t l = 1; l < levels; ++l) clustered *= plan[l].units = mapping.level[l].units;
  plan[0].units = static_cast<std::int32_t>(hardware.pes / clustered);
  DataSizes nominal = layer.size;
  plan[0].size[0] = nominal;
  plan[0].two_sizes = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    plan_level(plan[l], mapping.level[l], *this, nominal, l == 0 ? 1 : 2);
    if (l + 1 < levels) hand_down(plan[l], plan[l + 1]);
    for (std::size_t d = 0; d < dims; ++d) nominal[d] = std::min(plan[l].piece[0][d], nominal[d]);
  }
}

}  // namespace atl::datacentric
