// Small random accelerators, layers and legal mappings, drawn from keyed streams: the same on every machine.
// Sizes are such that the executed reference needs about a millisecond for one.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/simulator/mapping.hpp"
#include "atoll/simulator/simulator.hpp"

namespace atl::test {

struct Case {
  Accelerator accelerator;
  Layer layer;
  Mapping mapping;
};

inline Random stream(std::uint32_t number, std::uint32_t kind) {
  return Random({.seed = 20, .purpose = Purpose::test, .island = kind, .individual = number});
}

inline double pick(Random& random, const std::vector<double>& values) {
  return values[random.below(static_cast<std::uint32_t>(values.size()))];
}

inline OperandSet random_operands(Random& random) {
  return static_cast<OperandSet>(random.below(8));
}

inline StorageLevel random_level(Random& random, std::size_t l) {
  const double infinity = std::numeric_limits<double>::infinity();
  StorageLevel level;
  level.name = "level" + std::to_string(l);
  level.keep = l == 0 ? all_operands : random_operands(random);
  level.may_keep = static_cast<OperandSet>(random_operands(random) & ~level.keep);
  level.size = infinity;
  level.buffering = static_cast<Buffering>(random.below(3));
  level.read_bandwidth = pick(random, {infinity, 1, 4, 13, 64});
  level.write_bandwidth = pick(random, {infinity, 1, 4, 17, 64});
  level.shared_port = random.chance(0.3);
  level.access_width = pick(random, {8, 16, 32});
  level.read_energy = pick(random, {0, 1, 2.5, 100});
  level.write_energy = pick(random, {0, 1.5, 2, 120});
  level.leakage = pick(random, {0, 0.01, 0.3});
  level.area = pick(random, {1, 10});
  for (double& bits : level.word_bits) bits = pick(random, {0, 4, 8, 16, 32});
  return level;
}

inline Accelerator random_accelerator(Random& random, std::uint32_t levels, std::size_t most_fanouts) {
  Accelerator accelerator;
  accelerator.name = "random";
  accelerator.clock = 2e8;
  for (std::size_t l = 0; l < levels; ++l) accelerator.levels.push_back(random_level(random, l));
  for (std::size_t l = 0; l < levels; ++l) {
    if (accelerator.fanouts.size() == most_fanouts || !random.chance(0.45)) continue;
    Fanout fanout;
    fanout.above = l;
    fanout.x = 1 + random.below(6);
    fanout.y = 1 + random.below(6);
    fanout.multicast = random.chance(0.7);
    fanout.reduction = random.chance(0.6);
    fanout.hop_energy = pick(random, {0, 0.1, 1});
    accelerator.fanouts.push_back(fanout);
  }
  accelerator.compute.energy = pick(random, {0.2, 1});
  accelerator.compute.area = 5;
  return accelerator;
}

inline Accelerator random_accelerator(Random& random) {
  const std::uint32_t levels = 2 + random.below(4);
  return random_accelerator(random, levels, 2);
}

inline std::uint32_t random_extent(Random& random) {
  static constexpr std::array<std::uint32_t, 10> extents = {1, 1, 2, 2, 3, 4, 4, 5, 6, 8};
  return extents[random.below(extents.size())];
}

// Rows or columns: taps, stride, dilation, padding up to the window's reach, sometimes input that is not
// reached.
inline void random_axis(Random& random, Layer& layer, std::size_t a, Dim rows, Dim taps) {
  layer.size[index(rows)] = random_extent(random);
  layer.size[index(taps)] = 1 + random.below(4);
  layer.stride[a] = 1 + random.below(3);
  layer.dilation[a] = random.chance(0.3) ? 2 + random.below(2) : 1;
  const std::uint32_t reach = (layer[taps] - 1) * layer.dilation[a];
  if (random.chance(0.6)) {
    layer.padding_before[a] = random.below(reach + 1);
    layer.padding_after[a] = random.below(reach + 1);
  }
  const std::uint32_t padded =
      (layer[rows] - 1) * layer.stride[a] + reach + 1 + random.below(layer.stride[a]);
  const std::uint32_t padding = layer.padding_before[a] + layer.padding_after[a];
  if (padded > padding) {
    layer.input_extent[a] = padded - padding;
  } else {
    layer.padding_before[a] = layer.padding_after[a] = 0;
    layer.input_extent[a] = padded;
  }
}

inline void random_shape(Random& random, Layer& layer) {
  const auto draw = [&](Dim d) { layer.size[index(d)] = random_extent(random); };
  layer.op = static_cast<LayerOp>(random.chance(0.6) ? 0 : random.below(5));
  if (random.chance(0.3)) draw(Dim::N);
  if (layer.op != LayerOp::conv || random.chance(0.4)) draw(Dim::G);
  if (layer.multiplies() && random.chance(0.8)) {  // else depthwise
    draw(Dim::K);
    draw(Dim::C);
  }
  if (layer.op == LayerOp::conv || layer.op == LayerOp::pool) {
    random_axis(random, layer, 0, Dim::P, Dim::R);
    random_axis(random, layer, 1, Dim::Q, Dim::S);
  } else if (layer.op != LayerOp::fc) {
    draw(Dim::P);
    if (layer.op == LayerOp::elementwise) draw(Dim::Q);
    infer_input_extent(layer);
  }
}

inline Layer random_layer(Random& random, std::uint64_t most_operations) {
  while (true) {
    Layer layer;
    random_shape(random, layer);
    if (layer.operations() > most_operations) continue;
    layer.validate("random");
    return layer;
  }
}

inline std::uint32_t random_divisor(Random& random, std::uint32_t n, std::uint32_t most) {
  std::vector<std::uint32_t> divisors;
  for (std::uint32_t d = 1; d <= n && d <= most; ++d)
    if (n % d == 0) divisors.push_back(d);
  return divisors[random.below(static_cast<std::uint32_t>(divisors.size()))];
}

inline void random_space(Random& random, const Extents& outer, Extents& inner, std::uint32_t room) {
  inner = outer;
  for (int tries = 0; tries < 3; ++tries) {
    const std::uint32_t d = random.below(dim_count);
    const std::uint32_t bound = random_divisor(random, inner[d], room);
    inner[d] /= bound;
    room /= bound;
  }
}

inline void random_order(Random& random, LevelMapping& level) {
  for (std::uint8_t d = 0; d < dim_count; ++d) level.order[d] = d;
  for (std::uint32_t d = dim_count; d-- > 1;) std::swap(level.order[d], level.order[random.below(d + 1)]);
}

/// Legal apart from capacity, which random accelerators do not limit unless told to.
inline Mapping random_mapping(Random& random, const Layer& layer, const Accelerator& accelerator) {
  Mapping mapping;
  mapping.levels = static_cast<std::uint8_t>(accelerator.levels.size());
  OperandSet present = all_operands;
  if (!layer.has(Operand::W)) present = static_cast<OperandSet>(present & ~operand_bit(Operand::W));
  Extents entering = layer.size;
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    LevelMapping& level = mapping.level[l];
    const StorageLevel& storage = accelerator.levels[l];
    for (std::size_t d = 0; d < dim_count; ++d)
      level.temporal[d] = random.chance(0.5) ? entering[d] : random_divisor(random, entering[d], entering[d]);
    level.y = level.x = level.temporal;
    if (const Fanout* fanout = accelerator.fanout_below(l)) {
      random_space(random, level.temporal, level.y, fanout->y);
      random_space(random, level.y, level.x, fanout->x);
    }
    random_order(random, level);
    level.keep = static_cast<OperandSet>((storage.keep | (storage.may_keep & random.below(8))) & present);
    entering = level.x;
  }
  // What is left turns in time at the last level, before its loops in space.
  LevelMapping& last = mapping.level[mapping.levels - 1U];
  for (std::size_t d = 0; d < dim_count; ++d) {
    last.temporal[d] /= entering[d];
    last.y[d] /= entering[d];
    last.x[d] = 1;
  }
  return mapping;
}

// Any extents: loops in space that fit `room` children.
inline void random_clipped_space(Random& random, const Extents& outer, Extents& inner, std::uint32_t room) {
  inner = outer;
  for (int tries = 0; tries < 3; ++tries) {
    const std::uint32_t d = random.below(dim_count);
    if (inner[d] != outer[d]) continue;
    const std::uint32_t least = (outer[d] + room - 1) / room;
    inner[d] = least + random.below(outer[d] - least + 1);
    room /= (outer[d] + inner[d] - 1) / inner[d];
  }
}

// The last level hands on single words: its loops in space are chosen first, from the inside.
inline void close_last_level(Random& random, const Extents& entering, LevelMapping& last,
                             const Fanout* fanout) {
  last.temporal.fill(1);
  last.y.fill(1);
  last.x.fill(1);
  std::uint32_t room_x = fanout != nullptr ? fanout->x : 1;
  std::uint32_t room_y = fanout != nullptr ? fanout->y : 1;
  for (int tries = 0; tries < 4; ++tries) {
    const std::uint32_t d = random.below(dim_count);
    if (last.temporal[d] != 1) continue;
    last.y[d] = 1 + random.below(std::min(entering[d], room_x));
    room_x /= last.y[d];
    last.temporal[d] = last.y[d] + random.below(std::min(entering[d], last.y[d] * room_y) - last.y[d] + 1);
    room_y /= (last.temporal[d] + last.y[d] - 1) / last.y[d];
  }
}

/// Tiles need not divide. Legal apart from capacity.
inline Mapping random_clipped_mapping(Random& random, const Layer& layer, const Accelerator& accelerator) {
  Mapping mapping = random_mapping(random, layer, accelerator);  // for orders and what is kept
  const double turning = pick(random, {0.2, 0.4, 0.6});
  for (std::size_t l = 0; l < mapping.levels; ++l) {
    LevelMapping& level = mapping.level[l];
    const Extents& entering = mapping.entering(l, layer);
    const Fanout* fanout = accelerator.fanout_below(l);
    if (l + 1U == mapping.levels) {
      close_last_level(random, entering, level, fanout);
      break;
    }
    for (std::size_t d = 0; d < dim_count; ++d)
      level.temporal[d] = random.chance(turning) ? 1 + random.below(entering[d]) : entering[d];
    level.y = level.x = level.temporal;
    if (fanout == nullptr) continue;
    random_clipped_space(random, level.temporal, level.y, fanout->y);
    random_clipped_space(random, level.y, level.x, fanout->x);
  }
  return mapping;
}

// What the executed reference would go through, idle turns included.
inline double nominal_turns(const Mapping& mapping, const Layer& layer) {
  double turns = 1;
  for (std::size_t l = 0; l < mapping.levels; ++l)
    for (std::size_t d = 0; d < dim_count; ++d)
      for (const auto& [outer, inner] :
           {std::pair{mapping.entering(l, layer)[d], mapping.level[l].temporal[d]},
            std::pair{mapping.level[l].temporal[d], mapping.level[l].y[d]},
            std::pair{mapping.level[l].y[d], mapping.level[l].x[d]}})
        turns *= (outer + inner - 1) / inner;
  return turns;
}

// Moves one factor of dimension d from the outermost loop in time to a loop of level l.
enum class Kind : std::uint8_t { time, y, x };
inline void move_factor(Mapping& mapping, std::size_t l, Kind kind, std::size_t d, std::uint32_t factor) {
  for (std::size_t i = 0; i < l; ++i) {
    mapping.level[i].temporal[d] *= factor;
    mapping.level[i].y[d] *= factor;
    mapping.level[i].x[d] *= factor;
  }
  if (kind != Kind::time) mapping.level[l].temporal[d] *= factor;
  if (kind == Kind::x) mapping.level[l].y[d] *= factor;
}

inline std::uint32_t smallest_factor(std::uint32_t n) {
  for (std::uint32_t f = 2; f * f <= n; ++f)
    if (n % f == 0) return f;
  return n;
}

/// Legal in all respects, on accelerators and layers of real size: factors wander inwards while everything
/// fits.
inline Mapping random_fitting_mapping(Random& random, const Layer& layer, const Accelerator& accelerator) {
  Mapping mapping = trivial_mapping(layer, accelerator);
  for (std::size_t l = 0; l < mapping.levels; ++l) random_order(random, mapping.level[l]);
  for (int moves = 0; moves < 60; ++moves) {
    const std::size_t d = random.below(dim_count);
    const std::uint32_t left = layer.size[d] / mapping.level[0].temporal[d];
    const std::size_t l = random.below(mapping.levels);
    const auto kind =
        accelerator.fanout_below(l) != nullptr ? static_cast<Kind>(random.below(3)) : Kind::time;
    if (left == 1 || (l == 0 && kind == Kind::time)) continue;
    Mapping next = mapping;
    move_factor(next, l, kind, d, smallest_factor(left));
    if (check(next, layer, accelerator, true).empty()) mapping = next;
  }
  return mapping;
}

// The extent of dimension d that the loops of a level hand on.
inline std::uint32_t& handed_on(LevelMapping& level, Kind kind, std::size_t d) {
  return kind == Kind::time ? level.temporal[d] : kind == Kind::y ? level.y[d] : level.x[d];
}

// Makes a level hand on `extent` of dimension d at least, or at most inside; so tiles shrink inwards.
inline void hand_on(Mapping& mapping, std::size_t l, Kind kind, std::size_t d, std::uint32_t extent) {
  for (std::size_t i = 0; i < mapping.levels; ++i)
    for (const Kind k : {Kind::time, Kind::y, Kind::x}) {
      std::uint32_t& here = handed_on(mapping.level[i], k, d);
      const bool outside = i < l || (i == l && k <= kind);
      here = outside ? std::max(here, extent) : std::min(here, extent);
    }
  handed_on(mapping.level[l], kind, d) = extent;
}

/// The same for tiles that mostly do not divide.
inline Mapping random_clipped_fitting_mapping(Random& random, const Layer& layer,
                                              const Accelerator& accelerator) {
  Mapping mapping = trivial_mapping(layer, accelerator);
  for (std::size_t l = 0; l < mapping.levels; ++l) random_order(random, mapping.level[l]);
  for (int moves = 0; moves < 60; ++moves) {
    const std::size_t d = random.below(dim_count);
    const std::size_t l = random.below(mapping.levels);
    const auto kind =
        accelerator.fanout_below(l) != nullptr ? static_cast<Kind>(random.below(3)) : Kind::time;
    const std::uint32_t most = layer.size[d];
    std::uint32_t extent = 1 + random.below(most);
    if (random.chance(0.5)) extent = 1 + random.below(extent);
    Mapping next = mapping;
    hand_on(next, l, kind, d, extent);
    next.level[next.levels - 1U].x[d] = 1;
    if (accelerator.fanout_below(l) == nullptr) {
      next.level[l].y[d] = next.level[l].x[d] = l + 1U == next.levels ? 1 : next.level[l].temporal[d];
    }
    if (check(next, layer, accelerator, false).empty()) mapping = next;
  }
  return mapping;
}

inline Case random_case(std::uint32_t number, std::uint64_t most_operations) {
  Random random = stream(number, 1);
  Case result;
  result.accelerator = random_accelerator(random);
  result.layer = random_layer(random, most_operations);
  result.mapping = random_mapping(random, result.layer, result.accelerator);
  return result;
}

inline bool slides(const Layer& layer, Dim rows, Dim taps) {
  return layer[rows] >= 3 && layer[taps] >= 3;
}

// Rows and taps of one axis along one fan-out that joins, in pieces that need not divide, where there is
// room.
inline void make_diagonal(Random& random, Case& one) {
  if (one.accelerator.fanouts.empty()) return;
  const auto chosen = random.below(static_cast<std::uint32_t>(one.accelerator.fanouts.size()));
  Fanout& fanout = one.accelerator.fanouts[chosen];
  fanout.multicast = true;
  fanout.x = std::max(2U, fanout.x);
  fanout.y = std::max(2U, fanout.y);
  const std::size_t rows = index(slides(one.layer, Dim::P, Dim::R) ? Dim::P : Dim::Q);
  const std::size_t taps = rows == index(Dim::P) ? index(Dim::R) : index(Dim::S);
  for (int tries = 0; tries < 8; ++tries) {
    Mapping next = one.mapping;
    for (const auto& [d, kind] : {std::pair{rows, Kind::x}, std::pair{taps, Kind::y}}) {
      const std::uint32_t whole = one.layer.size[d] - random.below((one.layer.size[d] + 1) / 2);
      hand_on(next, fanout.above, Kind::time, d, whole);
      hand_on(next, fanout.above, Kind::y, d, kind == Kind::x ? whole : 1 + random.below(whole));
      hand_on(next, fanout.above, Kind::x, d, 1 + random.below(next.level[fanout.above].y[d]));
      next.level[next.levels - 1U].x[d] = 1;
    }
    if (check(next, one.layer, one.accelerator, false).empty()) one.mapping = next;
  }
}

/// Two to eight levels, up to three fan-outs, tiles that mostly do not divide.
inline Case random_clipped_case(std::uint32_t number, std::uint64_t most_operations) {
  Random random = stream(number, 8);
  Case result;
  result.accelerator = random_accelerator(random, 2 + random.below(7), 1 + random.below(3));
  result.accelerator.zero_read_elision = random.chance(0.8);
  const bool diagonal = random.chance(0.25);
  do {
    do {
      result.layer = random_layer(random, most_operations);
    } while (diagonal && !slides(result.layer, Dim::P, Dim::R) && !slides(result.layer, Dim::Q, Dim::S));
    result.mapping = random_clipped_mapping(random, result.layer, result.accelerator);
    if (diagonal) make_diagonal(random, result);
  } while (nominal_turns(result.mapping, result.layer) > 3 * static_cast<double>(most_operations));
  return result;
}

inline std::vector<double> evaluate(const Simulator& simulator, const Case& one) {
  const HardwareRow hardware = hardware_row(one.accelerator);
  std::vector<double> costs(simulator.schema().width());
  simulator.evaluate({{&one.layer, 1}, {&hardware, 1}, {&one.mapping, 1}}, costs);
  return costs;
}

inline bool equal(const CostColumn& column, double a, double b) {
  if (column.unit == "word" || column.unit == "cycle" || column.unit == "1") {
    if (column.name != "utilisation") return a == b;
  }
  return std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

/// The first column in which two rows of costs differ, as a sentence; empty if none does. Counts are exact.
inline std::string difference(const CostSchema& schema, const std::vector<double>& a,
                              const std::vector<double>& b) {
  for (std::size_t i = 0; i < schema.width(); ++i)
    if (!equal(schema.columns[i], a[i], b[i]))
      return schema.columns[i].name + ": " + std::to_string(a[i]) + " against " + std::to_string(b[i]);
  return {};
}

}  // namespace atl::test
