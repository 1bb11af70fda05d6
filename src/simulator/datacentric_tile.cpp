#include "datacentric_tile.hpp"

namespace atl::datacentric {

namespace {

template <typename Factors>
void multiply_kinds(std::array<std::int64_t, subsets>& kinds, std::size_t half, const Factors& factor) {
  for (std::size_t kind = 0; kind < half; ++kind) {
    kinds[kind + half] = mul(kinds[kind], factor[1]);
    kinds[kind] = mul(kinds[kind], factor[0]);
  }
}

}  // namespace

// An operand is loaded when the innermost dimension that steps is one of its own: only what is new if no
// other of its dimensions starts again inside, else the whole piece.
void build_tile(Tile& tile, const Context& context, std::size_t l, DimSet mask) {
  const Plan& plan = context.plan[l];
  const auto& spots = plan.spots;
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

}  // namespace atl::datacentric
