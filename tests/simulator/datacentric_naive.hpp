// MAESTRO's model as it is defined, for comparison: every combination of iteration states of every tile of
// every level, one after another, nothing kept, nothing shared with the fast model but the types.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "atoll/simulator/datacentric.hpp"

namespace atl::test {

class NaiveDatacentric {
 public:
  NaiveDatacentric(const DatacentricMapping& mapping, const DatacentricLayer& layer,
                   const DatacentricHardware& hardware)
      : layer_(layer), hardware_(hardware) {
    using Dims = std::vector<bool>;  // K C Y X R S
    const bool k = !layer.depthwise;
    coupled_ = {Dims{false, true, true, true, false, false}, Dims{k, true, false, false, true, true},
                Dims{k, !k, true, true, false, false}};
    std::int64_t clustered = 1;
    for (std::size_t l = 1; l < mapping.levels; ++l) clustered *= mapping.level[l].units;
    std::vector<std::int64_t> nominal(layer.size.begin(), layer.size.end());
    size_ = nominal;
    for (std::size_t l = 0; l < mapping.levels; ++l) {
      levels_.push_back(
          make_level(mapping.level[l], nominal, l == 0 ? hardware.pes / clustered : mapping.level[l].units));
      for (std::size_t d = 0; d < 6; ++d) nominal[d] = std::min(levels_[l].full[d], nominal[d]);
    }
  }

  struct Result {
    std::int64_t runtime = 0, macs = 0, peak = 0, bandwidth = 0, steps = 0;
    std::vector<std::int64_t> read = {0, 0}, need = {0, 0, 0};
    std::int64_t written = 0;
    double pes = 0;
    bool divides_by_zero = false, gives_up = false, sub_tiles_ok = true;
  };
  Result run() {
    Result result;
    cost(0, size_, result, result);
    return result;
  }

 private:
  struct Level {
    std::vector<std::size_t> order;
    std::size_t spatial = 0;
    std::int64_t units = 1, edge_units = 1;
    std::vector<std::int64_t> step, full, edge, fresh, fresh_edge;            // by dimension
    std::vector<std::int64_t> out_full, out_edge, out_fresh, out_fresh_edge;  // as output dimension
  };
  enum Position { init, steady, last };
  struct State {
    Position position;
    std::int64_t times;
    bool unrolled, edge, partial;
  };
  enum Unit { first, other, part };
  using Case = std::vector<State>;  // by place in the order

  Level make_level(const DatacentricLevel& given, const std::vector<std::int64_t>& nominal,
                   std::int64_t units) const {
    Level level;
    for (const std::uint8_t d : given.order)
      if (d != 0 || !layer_.depthwise) level.order.push_back(d);
    level.spatial = given.spatial;
    level.units = units;
    level.step.assign(given.tile.begin(), given.tile.end());
    level.full = level.step;
    level.full[2] += level.step[4] - 1;
    level.full[3] += level.step[5] - 1;
    level.edge = level.fresh = level.fresh_edge = level.full;
    for (std::size_t d = 0; d < 6; ++d) {
      const std::int64_t size = nominal[d], piece = level.full[d], step = level.step[d];
      const std::int64_t n = std::max<std::int64_t>(0, (size - piece) / step);
      std::int64_t rest = size - (n + 1) * step;
      if (rest < 0) rest = size;
      if (n * step + piece < size || piece > size) level.edge[d] = rest;
      level.fresh[d] = d != level.spatial && size <= piece ? 0 : std::min(piece, step);
      level.fresh_edge[d] = std::max<std::int64_t>(step - (piece - rest), 0);
    }
    level.out_full = level.full;
    level.out_edge = level.edge;
    level.out_fresh = level.fresh;
    level.out_fresh_edge = level.fresh_edge;
    for (std::size_t image = 2; image < 4; ++image) {
      level.out_full[image] = level.full[image] - level.full[image + 2] + 1;
      level.out_edge[image] = level.edge[image] - level.edge[image + 2] + 1;
      level.out_fresh[image] = std::min(level.step[image], level.full[image]);
      level.out_fresh_edge[image] = std::min(level.step[image], level.out_edge[image]);
    }
    const std::int64_t size = nominal[level.spatial], piece = level.full[level.spatial],
                       step = level.step[level.spatial];
    if (size <= piece) return level;
    if (size > step * (units - 1) + piece) {
      const std::int64_t rest = size - ((((size - piece) / step + 1) / units - 1) + 1) * step * units;
      level.edge_units = rest < piece ? 1 : (rest - piece) / step + 1;
    } else {
      level.edge_units = (size - piece) / step + 1;
      if (step * (level.edge_units - 1) + piece < size) ++level.edge_units;
    }
    return level;
  }

  static std::vector<State> states(const Level& level, std::size_t d, std::int64_t size) {
    const std::int64_t piece = level.full[d], step = level.step[d];
    std::vector<State> all;
    if (d != level.spatial) {
      const std::int64_t n = (size - piece) / step;
      all.push_back({init, 1, size <= piece, size < piece, false});
      if (piece < size && n > 0) all.push_back({steady, n, false, false, false});
      if (size >= piece && n * step + piece < size) all.push_back({last, 1, false, true, false});
      return all;
    }
    const std::int64_t reach = piece + step * (level.units - 1), round = step * level.units;
    const std::int64_t q = ((size - piece) / step + 1) / level.units - 1;
    all.push_back({init, 1, size <= reach, size < reach, size < reach});
    if (reach < size && q > 0) all.push_back({steady, q, false, false, false});
    if (size > reach && (q + 1) * round + reach > size && q * round + reach != size) {
      const std::int64_t rest = size - (q + 1) * round;
      const std::int64_t busy = rest < piece ? 1 : (rest - piece) / step + 1;
      all.push_back({last, 1, false, true, (busy - 1) * step + piece < rest});
    }
    return all;
  }

  std::int64_t volume(const Level& level, const Case& now, Unit unit, bool partial_sums,
                      bool for_macs) const {
    std::int64_t product = 1;
    for (std::size_t i = 0; i < level.order.size(); ++i) {
      const std::size_t d = level.order[i];
      const bool output = coupled_[2][d];
      if (!output && !partial_sums) continue;
      const auto& full = output ? level.out_full : level.full;
      const auto& edge = output ? level.out_edge : level.edge;
      const auto& fresh = output ? level.out_fresh : level.fresh;
      const auto& fresh_edge = output ? level.out_fresh_edge : level.fresh_edge;
      const std::int64_t unlike_first = fresh[d] == 0 ? 1 : fresh[d];
      const State& state = now[i];
      if (d != level.spatial)
        product *= state.edge ? edge[d] : full[d];
      else if (state.position == last && level.edge_units == 1 && unit != other)
        product *= level.edge[d];
      else if (state.position == last && unit == part)
        product *= fresh_edge[d];
      else if (state.position == init && state.edge && unit == part)
        product *= level.edge_units == 1 || !output || for_macs ? edge[d] : fresh_edge[d];
      else
        product *= unit == first ? full[d] : unlike_first;
    }
    return product;
  }

  std::int64_t arriving(const Level& level, const Case& now, Unit unit, std::size_t operand) const {
    const auto& coupled = coupled_[operand];
    std::size_t stepping = now.size();
    for (std::size_t i = 0; i < now.size(); ++i)
      if (now[i].position != init) stepping = i;
    const bool all_first = stepping == now.size();
    if (!all_first && !coupled[level.order[stepping]]) return 0;
    bool again = false;
    for (std::size_t i = stepping + 1; i < now.size(); ++i)
      again = again || (coupled[level.order[i]] && !now[i].unrolled);
    std::int64_t product = 1;
    for (std::size_t i = 0; i < now.size(); ++i) {
      const std::size_t d = level.order[i];
      if (!coupled[d]) continue;
      const State& state = now[i];
      const bool only_one = level.edge_units == 1;
      if (d != level.spatial) {
        const bool new_only = state.position != init && i == stepping && !again;
        if (new_only && level.fresh[d] == 0) gives_up_ = true;
        product *= new_only                 ? std::max<std::int64_t>(level.fresh[d], 1)
                   : state.position != init ? level.full[d]
                   : state.edge             ? level.edge[d]
                                            : level.full[d];
      } else if (all_first || unit == first || (unit == part && only_one)) {
        product *= unit == part ? level.edge[d] : level.full[d];
      } else {
        const bool new_only = state.position == init ? i > stepping : i == stepping && !again;
        product *= unit == part ? (new_only ? level.fresh_edge[d] : level.edge[d])
                                : (new_only ? level.fresh[d] : level.full[d]);
      }
    }
    return product;
  }

  template <typename Volume>
  std::int64_t over_units(const Level& level, bool coupled, const State& spatial, Volume&& volume_of) const {
    if (!coupled) return volume_of(first);
    if (!spatial.edge) return volume_of(first) + (level.units - 1) * volume_of(other);
    if (level.edge_units == 1) return volume_of(spatial.partial ? part : first);
    const std::int64_t parts = spatial.partial ? 1 : 0;
    return volume_of(first) + std::max<std::int64_t>(level.edge_units - parts - 1, 0) * volume_of(other) +
           (parts != 0 ? volume_of(part) : 0);
  }

  std::int64_t network(std::int64_t elements) const {
    const std::int64_t width = hardware_.noc_bandwidth;
    return hardware_.noc_latency + elements / width + (elements % width != 0 ? 1 : 0) - 1;
  }

  std::vector<std::int64_t> below(const Level& level, const Case& now, bool partial_unit) const {
    std::vector<std::int64_t> size(6, 1);
    for (std::size_t i = 0; i < level.order.size(); ++i) {
      const std::size_t d = level.order[i];
      const bool small = now[i].edge && (d != level.spatial || level.edge_units == 1 || partial_unit);
      size[d] = small ? level.edge[d] : level.full[d];
    }
    return size;
  }

  void one_case(std::size_t l, const Case& now, Result& into, Result& top) {
    const Level& level = levels_[l];
    const std::size_t place = static_cast<std::size_t>(
        std::find(level.order.begin(), level.order.end(), level.spatial) - level.order.begin());
    const State& spatial = now[place];
    std::uint32_t wrapped = 1;
    bool all_first = true;
    for (const State& state : now) {
      wrapped *= static_cast<std::uint32_t>(state.times);
      all_first = all_first && state.position == init;
    }
    const std::int64_t times = static_cast<std::int32_t>(wrapped);
    std::vector<std::int64_t> words;
    for (std::size_t o = 0; o < 2; ++o)
      words.push_back(over_units(level, coupled_[o][level.spatial], spatial,
                                 [&](Unit unit) { return arriving(level, now, unit, o); }));
    const std::int64_t leaving = over_units(level, coupled_[2][level.spatial], spatial, [&](Unit unit) {
      return volume(level, now, unit, false, false);
    });
    const std::int64_t macs = over_units(level, true, spatial, [&](Unit unit) {
      return volume(level, now, unit == part ? part : first, true, true);
    });
    const std::int64_t active = spatial.edge ? level.edge_units : level.units;
    std::int64_t compute = 0;
    long double pes = 0;
    if (l + 1 == levels_.size()) {
      const bool small = spatial.partial && coupled_[2][level.spatial] && level.edge_units == 1;
      const std::int64_t work = volume(level, now, small ? part : first, true, false);
      compute = work / hardware_.simd_lanes + (work > 0 && work % hardware_.simd_lanes != 0 ? 1 : 0);
    } else {
      const auto take = [&](bool partial_unit, std::int64_t number) {
        Result sub;
        cost(l + 1, below(level, now, partial_unit), sub, top);
        compute = std::max(compute, sub.runtime);
        pes += sub.pes * static_cast<double>(number);
      };
      const bool partial = spatial.edge && spatial.partial;
      if (partial) take(true, 1);
      if (!partial || level.edge_units > 1) take(false, partial ? level.edge_units - 1 : active);
    }
    if (pes == 0) pes = active;
    const std::int64_t ingress = network(words[0] + words[1]), egress = network(leaving);
    std::int64_t delay = all_first ? compute + ingress : std::max({compute, ingress, egress});
    if (l == 0) {
      if (all_first) into.need = {2 * words[0], 2 * words[1], 2 * leaving};
      delay = std::max({delay, (into.need[0] + into.need[1]) / hardware_.offchip_bandwidth / 2,
                        into.need[2] / hardware_.offchip_bandwidth / 2});
      top.divides_by_zero = top.divides_by_zero || compute == 0;
    }
    into.runtime += times * delay;
    into.pes = static_cast<double>(into.pes + pes * static_cast<long double>(times));
    into.steps += times;
    if (l > 0) return;
    into.macs += times * macs;
    into.written += times * leaving;
    for (std::size_t o = 0; o < 2; ++o) into.read[o] += times * words[o];
    const std::int64_t traffic = std::max(words[0] + words[1], leaving);
    if (compute == 0) return;
    into.peak = std::max(into.peak, traffic / compute);
    into.bandwidth += times * traffic / compute;
  }

  void cost(std::size_t l, const std::vector<std::int64_t>& size, Result& into, Result& top) {
    const Level& level = levels_[l];
    std::vector<std::vector<State>> all;
    std::size_t cases = 1;
    for (const std::size_t d : level.order) {
      all.push_back(states(level, d, size[d]));
      cases *= all.back().size();
    }
    // Case 0 is all first; every counter then turns once before the second case and when its turn comes.
    std::vector<std::size_t> digit(all.size(), 0);
    for (std::size_t c = 0; c < cases; ++c) {
      Case now;
      for (std::size_t i = 0; i < all.size(); ++i) now.push_back(all[i][digit[i]]);
      one_case(l, now, into, top);
      std::size_t every = 1;
      for (std::size_t i = all.size(); i-- > 0;) {
        if (c % every == 0) digit[i] = (digit[i] + 1) % all[i].size();
        every *= all[i].size();
      }
    }
    if (into.steps != 0) into.pes /= static_cast<double>(into.steps);
    top.gives_up = top.gives_up || gives_up_;
    if (l == 0) return;
    std::int64_t pes = 1, macs = layer_.depthwise ? 1 : size[0];
    for (std::size_t below = l; below < levels_.size(); ++below) pes *= levels_[below].units;
    macs *= size[1] * size[4] * size[5] * (size[2] - size[4] + 1) * (size[3] - size[5] + 1);
    top.sub_tiles_ok = top.sub_tiles_ok && into.runtime * pes >= macs;
  }

  const DatacentricLayer& layer_;
  const DatacentricHardware& hardware_;
  std::vector<std::vector<bool>> coupled_;
  std::vector<std::int64_t> size_;
  std::vector<Level> levels_;
  mutable bool gives_up_ = false;
};

}  // namespace atl::test
