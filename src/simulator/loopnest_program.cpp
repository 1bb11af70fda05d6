#include "loopnest_program.hpp"

namespace atl::loopnest {
namespace {

constexpr std::uint32_t longest_axis = 1U << 15;
constexpr std::uint32_t largest_extent = 1U << 24;

double real(Words words) {
  return static_cast<double>(words);
}

Window window_of(const LayerFacts& facts, const Axis& axis, Words rows, Words taps) {
  const Words all_rows = facts.layer.size[axis.row_dim], all_taps = facts.layer.size[axis.tap_dim];
  Window window;
  const DistinctPairs pairs = distinct_pairs(rows, axis.row_step, taps, axis.tap_step);
  for (std::size_t i = 0; i < pairs.parts; ++i) {
    const auto& [offset, count_a, step_a, count_b, step_b] = pairs.part[i];
    const Words span = (count_a - 1) * step_a + (count_b - 1) * step_b;
    window.part[window.parts++] = {real(offset), real(count_a * count_b), real(span),  real(count_a),
                                   real(step_a), real(count_b),           real(step_b)};
  }
  window.held = real(held_words(axis, all_rows, all_taps, rows, taps));
  window.words = real(pairs.values);
  window.reach = real((rows - 1) * axis.row_step + (taps - 1) * axis.tap_step);
  window.places = real((all_rows / rows) * (all_taps / taps));
  window.start = real(axis.first);
  window.end = real(axis.first + (all_rows - rows) * axis.row_step + (all_taps - taps) * axis.tap_step);
  if (rows < all_rows) window.least_step = real(rows * axis.row_step);
  if (taps < all_taps) window.least_step = std::min(window.least_step, real(taps * axis.tap_step));
  return window;
}

WindowTable table_of(const LayerFacts& facts, const Axis& axis) {
  WindowTable table;
  if (axis.plain) {
    table.window.emplace_back();
    return table;
  }
  const Words all_rows = facts.layer.size[axis.row_dim], all_taps = facts.layer.size[axis.tap_dim];
  table.row_index.assign(static_cast<std::size_t>(all_rows) + 1, 0);
  table.tap_index.assign(static_cast<std::size_t>(all_taps) + 1, 0);
  std::uint16_t divisors = 0;
  for (Words taps = 1; taps <= all_taps; ++taps)
    if (all_taps % taps == 0) table.tap_index[static_cast<std::size_t>(taps)] = divisors++;
  for (Words rows = 1; rows <= all_rows; ++rows) {
    if (all_rows % rows != 0) continue;
    table.row_index[static_cast<std::size_t>(rows)] = static_cast<std::uint16_t>(table.window.size());
    for (Words taps = 1; taps <= all_taps; ++taps)
      if (all_taps % taps == 0) table.window.push_back(window_of(facts, axis, rows, taps));
  }
  return table;
}

}  // namespace

PackFacts::PackFacts(const LayerFacts& facts) {
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (facts.layer.size[d] > 1) turning |= dim_bit(d);
    fits &= facts.layer.size[d] < largest_extent;
  }
  for (const Axis& one : facts.axis)
    fits &= one.plain ||
            (facts.layer.size[one.row_dim] < longest_axis && facts.layer.size[one.tap_dim] < longest_axis);
  for (std::size_t a = 0; fits && a < axis.size(); ++a) axis[a] = table_of(facts, facts.axis[a]);
}

Program::Program(const Structure& accelerator, const LayerFacts& facts, const PackFacts& pack_facts,
                 const Mapping& one)
    : structure(accelerator), layer(facts), pack(pack_facts), turning(pack_facts.turning) {
  slides = facts.sliding != 0;
  halves[0] = (pack.turning & 0x0F) != 0;
  halves[1] = (pack.turning & 0xF0) != 0;
  along = DimList(pack.turning & facts.sliding);
  across = DimList(pack.turning & ~facts.sliding);
  for (std::size_t o = 0; o < operand_count; ++o) {
    apart[o] = DimList(pack.turning & facts.apart[o]);
    if (!facts.has[o]) continue;
    Edge edge{0, 0};
    for (edge.child = 1; edge.child <= structure.levels; ++edge.child) {
      const bool bottom = edge.child == structure.levels;
      if (!bottom && !Rules::holds(one.level[edge.child], edge.child, static_cast<Operand>(o))) continue;
      chain[o].link[chain[o].size++] = edge;
      if (!bottom) chain[o].deepest = edge.child;
      edge.parent = edge.child;
    }
    ordered = std::max(ordered, chain[o].deepest);
  }
}

}  // namespace atl::loopnest
