#include <limits>

#include "zigzag_walk.hpp"

namespace atl {

namespace {

using zigzag::I;
using zigzag::O;
using zigzag::Walk;

// How far one operand's loops are placed, and the product of each dimension's loops so far, unrolled or not.
// Products are formed loop by loop and dimension by dimension in ZigZag's order: with fractional unrolling
// their last bits decide between choices that are equal on paper.
struct Placed {
  std::array<double, zigzag_dim_count> size = {1, 1, 1, 1, 1, 1, 1, 1};
  std::size_t end = 0;
};

double words_of(const ZigzagLayer& layer, std::size_t o, const Placed& placed) {
  const auto size = [&](ZigzagDim dim) { return placed.size[index(dim)]; };
  using enum ZigzagDim;
  if (o == O) return size(B) * size(G) * size(K) * size(OY) * size(OX);
  if (o != I) return size(G) * size(K) * size(C) * size(FY) * size(FX);
  const auto [x, y] = zigzag::window_sides(layer, {size(OX), size(OY), size(FX), size(FY)});
  return size(B) * size(G) * size(C) * y * x;
}

// Bits of one operand in a memory, for each number of further loops that fit it alone.
struct Sizes {
  std::array<double, zigzag_most_loops + 1> bits, accesses;
  std::size_t count = 0;
  std::size_t offset = 0;  // loops that must be taken in any case
};

void add_fanout(const ZigzagModel& model, std::size_t o, std::size_t l, Placed& placed) {
  for (std::size_t i = 0; i < model.unrolling_count; ++i)
    if (model.unrollings[i].level[o] == l)
      placed.size[index(model.unrollings[i].dim)] *= model.unrollings[i].factor;
}

void place(const ZigzagLoops& loops, Placed& placed) {
  placed.size[index(loops.dim[placed.end])] *= loops.size[placed.end];
  ++placed.end;
}

double bits_of_word(const ZigzagModel& model, const Walk& walk, std::size_t o, std::size_t l,
                    std::size_t placed) {
  if (o != O) return model.layer.bits[o];
  bool open = walk.open_until > placed;
  for (std::size_t i = 0; i < model.unrolling_count && !open; ++i)
    open = model.unrollings[i].level[O] > l &&
           zigzag::bearings[O][index(model.unrollings[i].dim)] == ZigzagBearing::ir;
  return open ? model.layer.bits[O] : model.layer.final_bits;
}

// False if not even what lies below fits.
bool fill_sizes(const ZigzagModel& model, const ZigzagLoops& loops, const Walk& walk, std::size_t o,
                std::size_t l, Placed placed, Sizes& sizes) {
  const double bits = bits_of_word(model, walk, o, l, placed.end);
  const double capacity = model.level[o][l].size;
  const bool top = l + 1 == model.depth[o];
  sizes.count = 0;
  while (true) {
    const double size = words_of(model.layer, o, placed) * bits;
    if (size > capacity) break;
    sizes.bits[sizes.count] = size;
    sizes.accesses[sizes.count++] = top ? 0 : walk.rest[placed.end] * size;
    if (placed.end == loops.count) break;
    place(loops, placed);
  }
  if (sizes.count == 0) return false;
  sizes.offset = top ? sizes.count - 1 : 0;
  // The loop above ends early where something does not fit; the outermost memory must take all.
  return !top || (placed.end == loops.count && words_of(model.layer, o, placed) * bits <= capacity);
}

// The best numbers of loops for the operands of a memory; false if none fits. ZigZag counts the last operand
// fastest and lets the last of equal choices win.
bool choose(const std::array<Sizes, operand_count>& sizes, std::size_t operands, double capacity,
            std::array<std::size_t, operand_count>& best) {
  std::array<std::size_t, operand_count> at = {};
  for (std::size_t h = 0; h < operands; ++h) at[h] = sizes[h].offset;
  double least = std::numeric_limits<double>::infinity();
  bool first = true;
  while (true) {
    double bits = 0, accesses = 0;
    for (std::size_t h = 0; h < operands; ++h) {
      bits += sizes[h].bits[at[h]];
      accesses += sizes[h].accesses[at[h]];
    }
    if (bits <= capacity && accesses <= least) {
      least = accesses;
      best = at;
    } else if (first && bits > capacity) {
      return false;
    }
    first = false;
    std::size_t h = operands;
    while (h > 0 && ++at[h - 1] == sizes[h - 1].count) {
      at[h - 1] = sizes[h - 1].offset;
      --h;
    }
    if (h == 0) return true;
  }
}

}  // namespace

bool allocate(const ZigzagModel& model, ZigzagMapping& mapping) {
  const ZigzagLoops& loops = mapping.loops;
  const Walk walk(loops);
  std::array<Placed, operand_count> placed;
  for (std::size_t m = 0; m < model.memory_count; ++m) {
    std::array<Sizes, operand_count> sizes;
    std::array<std::size_t, operand_count> best = {};
    for (std::size_t h = 0; h < model.held_count[m]; ++h) {
      const auto [o, l] = model.held[m][h];
      add_fanout(model, o, l, placed[o]);
      if (!fill_sizes(model, loops, walk, o, l, placed[o], sizes[h])) return false;
    }
    if (!choose(sizes, model.held_count[m], model.memory_size[m], best)) return false;
    for (std::size_t h = 0; h < model.held_count[m]; ++h) {
      const auto [o, l] = model.held[m][h];
      for (std::size_t i = 0; i < best[h]; ++i) place(loops, placed[o]);
      mapping.end[o][l] = static_cast<std::uint8_t>(placed[o].end);
    }
  }
  return true;
}

}  // namespace atl
