#include "timeloop_nest.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/error.hpp"

namespace atl::timeloop {
namespace {

constexpr Count longest_window = 1 << 20;
constexpr Count largest_count = Count{1} << 62;
constexpr Count largest_exact = Count{1} << 53;  // as a double

constexpr std::array<std::array<Dim, axes>, operand_count> axis_dims = {
    {{Dim::G, Dim::K, Dim::C, Dim::R, Dim::S},
     {Dim::G, Dim::N, Dim::C, Dim::P, Dim::Q},
     {Dim::G, Dim::N, Dim::K, Dim::P, Dim::Q}}};

Count extent(const Extents& extents, Dim d) {
  return extents[index(d)];
}

[[noreturn]] void too_large(Count limit) {
  throw InputError(fmt::format(
      "counts of words stay below {}; those of this layer do not: make it or its stride smaller", limit));
}

void require_short(Count span) {
  if (span > longest_window)
    throw InputError(fmt::format("windows with holes span at most {} rows or columns; these span {}",
                                 longest_window, span));
}

// The union of `turns` copies, each `step` further on: as many again at a time.
void repeat(std::vector<bool>& members, Count turns, Count step) {
  for (Count there = 1; there < turns;) {
    const Count added = std::min(there, turns - there);
    const auto shift = static_cast<std::size_t>(added * step);
    const std::size_t size = members.size();
    members.resize(size + shift, false);
    for (std::size_t i = size; i-- > 0;)
      if (members[i]) members[i + shift] = true;
    there += added;
  }
}

}  // namespace

Count times(Count a, Count b) {
  Count product = 0;
  if (__builtin_mul_overflow(a, b, &product) || product > largest_count) too_large(largest_count);
  return product;
}

Count plus(Count a, Count b) {
  if (a > largest_count - b) too_large(largest_count);
  return a + b;
}

void require_exact(Count words) {
  if (words > largest_exact) too_large(largest_exact);
}

Nest make_nest(const TimeloopMapping& mapping, const Layer& layer) {
  const std::size_t levels = mapping.levels.size();
  Nest nest;
  nest.layer = &layer;
  nest.in_time.resize(levels);
  nest.in_space.resize(levels);
  nest.entering.resize(levels + 1);
  Extents extents = {1, 1, 1, 1, 1, 1, 1, 1};
  nest.entering[levels] = extents;
  const auto add = [&](const std::vector<TimeloopLoop>& loops, bool along_x, std::vector<Loop>& to) {
    for (std::size_t i = loops.size(); i-- > 0;) {
      std::uint32_t& inside = extents[index(loops[i].dim)];
      if (loops[i].bound != 1) to.push_back({loops[i].dim, loops[i].bound, inside, along_x});
      inside *= loops[i].bound;
    }
  };
  for (std::size_t l = levels; l-- > 0;) {
    add(mapping.levels[l].spatial_x, true, nest.in_space[l]);
    add(mapping.levels[l].spatial_y, false, nest.in_space[l]);
    add(mapping.levels[l].temporal, false, nest.in_time[l]);
    std::reverse(nest.in_space[l].begin(), nest.in_space[l].end());
    std::reverse(nest.in_time[l].begin(), nest.in_time[l].end());
    nest.entering[l] = extents;
    for (const Loop& loop : nest.in_time[l]) nest.steps *= loop.bound;
  }
  nest.instances.push_back(1);
  for (std::size_t l = 0; l < levels; ++l) {
    Count children = nest.instances.back();
    for (const Loop& loop : nest.in_space[l]) children *= loop.bound;
    nest.instances.push_back(children);
  }
  return nest;
}

Point project(const Layer& layer, Operand operand, Dim dim, Count step) {
  Point moved{};
  const auto& dims = axis_dims[index(operand)];
  if (operand == Operand::I) {
    if (dim == Dim::P || dim == Dim::Q) step *= layer.stride[dim == Dim::P ? 0 : 1];
    if (dim == Dim::R || dim == Dim::S) {
      step *= layer.dilation[dim == Dim::R ? 0 : 1];
      dim = dim == Dim::R ? Dim::P : Dim::Q;
    }
  }
  for (std::size_t a = 0; a < axes; ++a)
    if (dims[a] == dim) moved[a] = step;
  return moved;
}

TileShape::TileShape(const Layer& layer, Operand operand, const Extents& extents, bool bounding_box)
    : words_(1) {
  for (std::size_t a = 0; a < axes; ++a) box_[a] = extent(extents, axis_dims[index(operand)][a]);
  for (std::size_t w = 0; operand == Operand::I && w < 2; ++w) {
    const Count rows = extent(extents, w == 0 ? Dim::P : Dim::Q);
    const Count taps = extent(extents, w == 0 ? Dim::R : Dim::S);
    const Count stride = layer.stride[w], dilation = layer.dilation[w];
    Count& span = box_[3 + w];
    span = plus(times(rows - 1, stride) + 1, times(taps - 1, dilation));
    held_[w] = static_cast<Count>(
        window_words(static_cast<std::uint64_t>(rows), static_cast<std::uint64_t>(taps),
                     static_cast<std::uint64_t>(stride), static_cast<std::uint64_t>(dilation)));
    if (bounding_box || held_[w] == span) continue;
    require_short(span);
    lattice_[w].assign(1, true);
    repeat(lattice_[w], rows, stride);
    repeat(lattice_[w], taps, dilation);
  }
  for (std::size_t a = 0; a < axes; ++a)
    words_ = times(words_, a >= 3 && !lattice_[a - 3].empty() ? held_[a - 3] : box_[a]);
}

Count TileShape::overlap(const Point& shift) const {
  Count words = 1;
  for (std::size_t a = 0; a < axes; ++a) {
    const Count apart = shift[a] < 0 ? -shift[a] : shift[a];
    if (apart >= box_[a]) return 0;
    if (a < 3 || lattice_[a - 3].empty()) {
      words *= box_[a] - apart;
      continue;
    }
    const Members& there = lattice_[a - 3];
    Count common = 0;
    for (std::size_t i = static_cast<std::size_t>(apart); i < there.size(); ++i)
      common += there[i] && there[i - static_cast<std::size_t>(apart)] ? 1 : 0;
    words *= common;
  }
  return words;
}

Count TileShape::words_over(const Layer& layer, Operand operand, const std::vector<Loop>& loops) const {
  Point box = box_;
  std::array<Members, 2> there = lattice_;
  for (const Loop& loop : loops) {
    const Point step = project(layer, operand, loop.dim, loop.step);
    for (std::size_t a = 0; a < axes; ++a) {
      if (step[a] == 0) continue;
      const bool window = operand == Operand::I && a >= 3;
      const Count span = box[a] + (loop.bound - 1) * step[a];
      if (window && (!there[a - 3].empty() || step[a] > box[a])) {
        require_short(span);
        if (there[a - 3].empty()) there[a - 3].assign(static_cast<std::size_t>(box[a]), true);
        repeat(there[a - 3], loop.bound, step[a]);
      }
      box[a] = window ? span : box[a] * loop.bound;
    }
  }
  Count words = 1;
  for (std::size_t a = 0; a < axes; ++a)
    words = times(words, a >= 3 && !there[a - 3].empty()
                             ? static_cast<Count>(std::count(there[a - 3].begin(), there[a - 3].end(), true))
                             : box[a]);
  return words;
}

Count distinct_tiles(const Layer& layer, Operand operand, const std::vector<Loop>& loops) {
  Count tiles = 1;
  std::array<std::vector<Count>, 2> starts = {{{0}, {0}}};
  for (const Loop& loop : loops) {
    const Point step = project(layer, operand, loop.dim, loop.step);
    for (std::size_t a = 0; a < axes; ++a) {
      if (step[a] == 0) continue;
      if (operand != Operand::I || a < 3) {
        tiles *= loop.bound;
        continue;
      }
      std::vector<Count> spread;
      for (const Count start : starts[a - 3])
        for (Count k = 0; k < loop.bound; ++k) spread.push_back(start + k * step[a]);
      std::sort(spread.begin(), spread.end());
      spread.erase(std::unique(spread.begin(), spread.end()), spread.end());
      starts[a - 3] = std::move(spread);
    }
  }
  return tiles * static_cast<Count>(starts[0].size() * starts[1].size());
}

}  // namespace atl::timeloop
