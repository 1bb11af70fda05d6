#include "atoll/mapper/mapping_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {

namespace {

constexpr std::size_t slot_field = static_cast<std::size_t>(ParallelField::slot);
constexpr std::size_t dim_field = static_cast<std::size_t>(ParallelField::dim);
constexpr std::size_t factor_field = static_cast<std::size_t>(ParallelField::factor);
constexpr std::size_t max_slots = 2 * max_levels;

constexpr std::array<Dim, 2> output_axis = {Dim::P, Dim::Q};
constexpr std::array<Dim, 2> filter_axis = {Dim::R, Dim::S};

std::int32_t last_divisor(const Layer& layer, Dim d) {
  return static_cast<std::int32_t>(DivisorTable(layer[d]).last());
}

DivisorIndex clamp_index(std::int32_t gene, const DivisorTable& table) {
  return static_cast<DivisorIndex>(std::clamp<std::int32_t>(gene, 0, table.last()));
}

bool is_window(Dim d) {
  return d == Dim::P || d == Dim::Q || d == Dim::R || d == Dim::S;
}

}  // namespace

MappingLayout::MappingLayout(std::span<const Layer> layers, const Accelerator& accelerator)
    : levels_(accelerator.levels.size()) {
  for (std::size_t d = 0; d < dim_count; ++d)
    if (std::any_of(layers.begin(), layers.end(), [d](const Layer& layer) { return layer.size[d] > 1; }))
      dims_.push_back(static_cast<Dim>(d));
  for (const Fanout& fanout : accelerator.fanouts) {
    if (fanout.y > 1) slots_.push_back({fanout.above, false, fanout.y});
    if (fanout.x > 1) slots_.push_back({fanout.above, true, fanout.x});
  }
  for (std::size_t l = 1; l < levels_; ++l)
    for (std::size_t o = 0; o < operand_count; ++o) {
      const Operand operand = static_cast<Operand>(o);
      const StorageLevel& level = accelerator.levels[l];
      if (contains(level.may_keep, operand) && !contains(level.keep, operand)) keeps_.push_back({l, operand});
    }
  // A loop has at least two steps, so an axis of n units takes at most log2(n) loops.
  for (const ParallelSlot& slot : slots_)
    max_records_ += std::min<std::size_t>(dims_.size(), std::bit_width(slot.capacity) - 1);
}

GenomeSchema MappingLayout::schema(const Layer& layer, const Accelerator& accelerator) const {
  GenomeSchema schema;
  std::int32_t last_factor = 1;
  for (const Dim d : dims_) last_factor = std::max(last_factor, last_divisor(layer, d));
  for (std::size_t l = 0; l + 1 < levels_; ++l)
    for (const Dim d : dims_)
      schema.add(Gene{fmt::format("{}.{}", accelerator.levels[l].name, dim_names[index(d)]), GeneKind::range,
                      0, last_divisor(layer, d), 0});
  for (std::size_t l = 0; l + 1 < levels_; ++l)
    for (const Dim d : dims_)
      schema.add(Gene{fmt::format("{}.order.{}", accelerator.levels[l].name, dim_names[index(d)]),
                      GeneKind::order_key, 0, layer[d] > 1 ? highest_order_key : 0,
                      static_cast<std::uint16_t>(l)});
  for (const KeepChoice& choice : keeps_)
    schema.add(Gene{fmt::format("{}.keep.{}", accelerator.levels[choice.level].name,
                                operand_names[index(choice.operand)]),
                    GeneKind::bit, 0, 1, 0});
  if (max_records_ > 0)
    schema.add_block("parallel",
                     {Gene{"slot", GeneKind::category, 0, static_cast<std::int32_t>(slots_.size()) - 1, 0},
                      Gene{"dim", GeneKind::category, 0, static_cast<std::int32_t>(dims_.size()) - 1, 0},
                      Gene{"factor", GeneKind::range, 1, last_factor, 0}},
                     0, max_records_);
  return schema;
}

/// A genome taken apart, on the stack; only what is counted is set.
struct LayerMappingSpace::Parts {
  using Row = std::array<DivisorIndex, dim_count>;
  std::array<OperandSet, max_levels> keep;
  std::size_t records = 0;
  std::array<std::uint16_t, max_slots * dim_count> source;  // which record of the row
  std::array<std::uint8_t, max_slots * dim_count> slot, dim;
  std::array<DivisorIndex, max_slots * dim_count> factor;
  std::array<Row, max_levels> inner;  // by level: product of the factors of fan-outs further in
  Row rest;                           // of each dimension after all factors
  std::array<Row, max_levels> tile;   // by level: the temporal tile handed inwards
};

/// A tile that shrinks until it fits. Words are integers below 2^53, so every product and quotient is exact.
struct LayerMappingSpace::Shrinking {
  std::array<DivisorIndex, dim_count> extents;
  std::array<double, dim_count> value;
  std::array<double, operand_count> linear, bits;  // words without the sliding window; room of one word or 0
  std::array<double, 2> window;

  double footprint() const {
    return linear[0] * bits[0] + linear[1] * window[0] * window[1] * bits[1] + linear[2] * bits[2];
  }
};
static_assert(index(Operand::I) == 1);

LayerMappingSpace::LayerMappingSpace(const MappingLayout& layout, const Layer& layer,
                                     const Accelerator& accelerator)
    : layout_(layout), layer_(layer), accelerator_(accelerator), schema_(layout.schema(layer, accelerator)) {
  if (!schema_.blocks.empty()) block_ = schema_.blocks.front();
  const std::size_t places = layout_.dims().size();
  outer_place_.fill(dim_count);
  inner_place_.fill(dim_count);
  for (std::size_t o = 0; o < operand_count; ++o)
    if (layer_.has(static_cast<Operand>(o))) present_ |= operand_bit(static_cast<Operand>(o));
  for (std::size_t i = 0; i < places; ++i) {
    const Dim d = layout_.dims()[i];
    dim_[i] = static_cast<std::uint8_t>(d);
    divisors_[i] = DivisorTable(layer_[d]);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      if (d == output_axis[axis]) outer_place_[axis] = i;
      if (d == filter_axis[axis]) inner_place_[axis] = i;
    }
    for (std::size_t o = 0; o < operand_count; ++o) {
      const Operand operand = static_cast<Operand>(o);
      if (!contains(present_, operand) || !depends(layer_.op, operand, d)) continue;
      occupies_[i] |= operand_bit(operand);
      if (operand != Operand::I || !is_window(d)) linear_[i] |= operand_bit(operand);
    }
  }
  make_windows();
  prepare_orders();
  for (std::size_t l = 0; l < layout_.levels(); ++l) {
    const StorageLevel& level = accelerator_.levels[l];
    room_[l] = level.size;
    const double tiles = level.buffering == Buffering::double_ ? 2 : 1;
    for (std::size_t o = 0; o < operand_count; ++o)
      bits_[l][o] = accelerator_.word_bits(l, static_cast<Operand>(o)) * tiles;
  }
  require_room();
}

void LayerMappingSpace::make_windows() {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const DivisorTable outer(layer_[output_axis[axis]]), inner(layer_[filter_axis[axis]]);
    for (std::size_t i = 0; i < outer.size(); ++i)
      for (std::size_t j = 0; j < inner.size(); ++j) {
        Extents extents;
        extents.fill(1);
        extents[index(output_axis[axis])] = outer.value(static_cast<DivisorIndex>(i));
        extents[index(filter_axis[axis])] = inner.value(static_cast<DivisorIndex>(j));
        window_[axis].push_back(static_cast<double>(tile_words(layer_, Operand::I, extents)));
      }
    window_row_[axis] = inner.size();
  }
}

double lacking_bits(const Layer& layer, const Accelerator& accelerator) {
  const StorageLevel& level = accelerator.levels.front();
  double bits = 0;
  for (std::size_t i = 0; i < operand_count; ++i) {
    const Operand o = static_cast<Operand>(i);
    if (layer.has(o))
      bits += static_cast<double>(tile_words(layer, o, layer.size)) * accelerator.word_bits(0, o);
  }
  if (level.buffering == Buffering::double_) bits *= 2;
  return bits > level.size ? bits - level.size : 0;
}

void LayerMappingSpace::require_room() const {
  const double lacking = lacking_bits(layer_, accelerator_);
  if (lacking > 0)
    throw InputError(fmt::format(
        "accelerator '{}': the outermost level '{}' holds {} bits, but the tensors of the layer need {}; the "
        "outermost level must hold them all",
        accelerator_.name, accelerator_.levels[0].name, room_[0], room_[0] + lacking));
  const Parts::Row one{};
  for (std::size_t l = 1; l < layout_.levels(); ++l) {
    const OperandSet must = accelerator_.levels[l].keep & present_;
    if (footprint(l, must, one) > room_[l])
      throw InputError(fmt::format(
          "accelerator '{}': level '{}' holds {} bits, but one word of each operand it must keep needs {}; "
          "make it larger or let it keep less",
          accelerator_.name, accelerator_.levels[l].name, room_[l], footprint(l, must, one)));
  }
}

double LayerMappingSpace::footprint(std::size_t level, OperandSet keep,
                                    std::span<const DivisorIndex> extents) const {
  double bits = 0;
  for (std::size_t o = 0; o < operand_count; ++o) {
    if (!contains(keep, static_cast<Operand>(o))) continue;
    double words = 1;
    for (std::size_t i = 0; i < layout_.dims().size(); ++i)
      if (contains(linear_[i], static_cast<Operand>(o))) words *= divisors_[i].value(extents[i]);
    if (static_cast<Operand>(o) == Operand::I) words *= window_words(0, extents) * window_words(1, extents);
    bits += words * bits_[level][o];
  }
  return bits;
}

double LayerMappingSpace::window_words(std::size_t axis, std::span<const DivisorIndex> extents) const {
  const std::size_t outer = outer_place_[axis] == dim_count ? 0 : extents[outer_place_[axis]];
  const std::size_t inner = inner_place_[axis] == dim_count ? 0 : extents[inner_place_[axis]];
  return window_[axis][outer * window_row_[axis] + inner];
}

void LayerMappingSpace::repair(std::span<std::int32_t> genes, Mapping& mapping) const {
  Parts parts;  // NOLINT: set step by step
  read_keeps(genes, parts);
  read_records(genes, parts);
  spread_inner(parts);
  fit_records(parts);
  write_records(genes, parts);
  read_tiles(genes, parts);
  read_orders(genes, mapping);
  write_mapping(parts, mapping);
}

void LayerMappingSpace::read_keeps(std::span<std::int32_t> genes, Parts& parts) const {
  for (std::size_t l = 0; l < layout_.levels(); ++l) parts.keep[l] = accelerator_.levels[l].keep & present_;
  const std::vector<KeepChoice>& choices = layout_.keeps();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    std::int32_t& gene = genes[layout_.keep(i)];
    const OperandSet with = parts.keep[choices[i].level] | (operand_bit(choices[i].operand) & present_);
    constexpr Parts::Row one{};
    const bool fits = footprint(choices[i].level, with, one) <= room_[choices[i].level];
    gene = gene != 0 && fits ? 1 : 0;
    if (gene != 0) parts.keep[choices[i].level] = with;
  }
}

void LayerMappingSpace::read_records(std::span<std::int32_t> genes, Parts& parts) const {
  for (std::size_t i = 0; i < layout_.dims().size(); ++i) parts.rest[i] = divisors_[i].last();
  if (block_.max_count == 0) return;
  std::array<std::uint32_t, max_slots> room{};
  for (std::size_t s = 0; s < layout_.slots().size(); ++s) room[s] = layout_.slots()[s].capacity;
  const auto limit = [](std::int32_t gene, std::size_t size) {
    return static_cast<std::uint8_t>(std::clamp<std::int32_t>(gene, 0, static_cast<std::int32_t>(size) - 1));
  };
  const std::size_t count =
      std::min(static_cast<std::size_t>(std::max(0, genes[block_.first])), block_.max_count);
  for (std::size_t r = 0; r < count; ++r) {
    const std::uint8_t slot = limit(genes[block_.field(r, slot_field)], layout_.slots().size());
    const std::uint8_t dim = limit(genes[block_.field(r, dim_field)], layout_.dims().size());
    const DivisorTable& table = divisors_[dim];
    DivisorIndex factor =
        table.floor(parts.rest[dim], clamp_index(genes[block_.field(r, factor_field)], table));
    while (table.value(factor) > room[slot]) factor = table.below(parts.rest[dim], factor);
    if (factor == 0) continue;
    room[slot] /= table.value(factor);
    parts.rest[dim] = table.quotient(parts.rest[dim], factor);
    add_record(parts, r, slot, dim, factor);
  }
}

void LayerMappingSpace::add_record(Parts& parts, std::size_t source, std::uint8_t slot, std::uint8_t dim,
                                   DivisorIndex factor) const {
  for (std::size_t r = 0; r < parts.records; ++r)
    if (parts.slot[r] == slot && parts.dim[r] == dim) {
      parts.factor[r] = divisors_[dim].product(parts.factor[r], factor);
      return;
    }
  const std::size_t r = parts.records++;
  parts.source[r] = static_cast<std::uint16_t>(source);
  parts.slot[r] = slot;
  parts.dim[r] = dim;
  parts.factor[r] = factor;
}

void LayerMappingSpace::spread_inner(Parts& parts) const {
  const std::size_t levels = layout_.levels();
  for (std::size_t l = 0; l < levels; ++l) parts.inner[l].fill(0);
  for (std::size_t r = 0; r < parts.records; ++r) {
    const std::uint8_t dim = parts.dim[r];
    for (std::size_t l = 0; l < layout_.slots()[parts.slot[r]].level; ++l)
      parts.inner[l][dim] = divisors_[dim].product(parts.inner[l][dim], parts.factor[r]);
  }
}

void LayerMappingSpace::fit_records(Parts& parts) const {
  if (parts.records == 0) return;
  const std::size_t deepest = layout_.slots().back().level;
  for (std::size_t l = 1; l <= deepest; ++l)
    while (footprint(l, parts.keep[l], parts.inner[l - 1]) > room_[l]) {
      std::size_t r = parts.records - 1;
      while (parts.factor[r] == 0 || layout_.slots()[parts.slot[r]].level < l) --r;
      const DivisorTable& table = divisors_[parts.dim[r]];
      const DivisorIndex all = table.product(parts.rest[parts.dim[r]], parts.factor[r]);
      parts.factor[r] = table.below(all, parts.factor[r]);
      parts.rest[parts.dim[r]] = table.quotient(all, parts.factor[r]);
      spread_inner(parts);
    }
}

void LayerMappingSpace::write_records(std::span<std::int32_t> genes, const Parts& parts) const {
  if (block_.max_count == 0) return;
  std::size_t count = 0;
  for (std::size_t r = 0; r < parts.records; ++r) {
    if (parts.factor[r] == 0) continue;
    genes[block_.innovation(count)] = genes[block_.innovation(parts.source[r])];
    genes[block_.field(count, slot_field)] = parts.slot[r];
    genes[block_.field(count, dim_field)] = parts.dim[r];
    genes[block_.field(count, factor_field)] = parts.factor[r];
    ++count;
  }
  genes[block_.first] = static_cast<std::int32_t>(count);
  std::fill(genes.begin() + static_cast<std::ptrdiff_t>(block_.innovation(count)),
            genes.begin() + static_cast<std::ptrdiff_t>(block_.end()), 0);
}

void LayerMappingSpace::read_tiles(std::span<std::int32_t> genes, Parts& parts) const {
  const std::size_t places = layout_.dims().size();
  for (std::size_t l = 0; l + 1 < layout_.levels(); ++l) {
    const Parts::Row& parent = l == 0 ? parts.rest : parts.tile[l - 1];
    for (std::size_t i = 0; i < places; ++i)
      parts.tile[l][i] = divisors_[i].floor(parent[i], clamp_index(genes[layout_.tile(l, i)], divisors_[i]));
    fit_tile(l, parent, parts);
    for (std::size_t i = 0; i < places; ++i) genes[layout_.tile(l, i)] = parts.tile[l][i];
  }
  parts.tile[layout_.levels() - 1].fill(0);
}

LayerMappingSpace::Shrinking LayerMappingSpace::start_shrinking(std::size_t level, const Parts& parts) const {
  Shrinking tile;
  tile.linear.fill(1);
  for (std::size_t o = 0; o < operand_count; ++o)
    tile.bits[o] = contains(parts.keep[level + 1], static_cast<Operand>(o)) ? bits_[level + 1][o] : 0;
  for (std::size_t i = 0; i < layout_.dims().size(); ++i) {
    tile.extents[i] = divisors_[i].product(parts.tile[level][i], parts.inner[level][i]);
    tile.value[i] = divisors_[i].value(tile.extents[i]);
    for (std::size_t o = 0; o < operand_count; ++o)
      if (contains(linear_[i], static_cast<Operand>(o))) tile.linear[o] *= tile.value[i];
  }
  for (std::size_t axis = 0; axis < 2; ++axis) tile.window[axis] = window_words(axis, tile.extents);
  return tile;
}

void LayerMappingSpace::shrink(Shrinking& tile, std::size_t place, DivisorIndex extent) const {
  const double value = divisors_[place].value(extent);
  for (std::size_t o = 0; o < operand_count; ++o)
    if (contains(linear_[place], static_cast<Operand>(o)))
      tile.linear[o] = tile.linear[o] / tile.value[place] * value;
  tile.extents[place] = extent;
  tile.value[place] = value;
  for (std::size_t axis = 0; axis < 2; ++axis)
    if (place == outer_place_[axis] || place == inner_place_[axis])
      tile.window[axis] = window_words(axis, tile.extents);
}

void LayerMappingSpace::fit_tile(std::size_t level, std::span<const DivisorIndex> parent,
                                 Parts& parts) const {
  const std::size_t places = layout_.dims().size();
  const OperandSet keep = parts.keep[level + 1];
  Parts::Row& temporal = parts.tile[level];
  Shrinking tile = start_shrinking(level, parts);
  while (tile.footprint() > room_[level + 1]) {
    std::size_t largest = places;
    double most = 0;
    for (std::size_t i = 0; i < places; ++i) {
      const bool better = temporal[i] != 0 && (occupies_[i] & keep) != 0 && tile.value[i] > most;
      most = better ? tile.value[i] : most;
      largest = better ? i : largest;
    }
    temporal[largest] = divisors_[largest].below(parent[largest], temporal[largest]);
    shrink(tile, largest, divisors_[largest].product(temporal[largest], parts.inner[level][largest]));
  }
}

void LayerMappingSpace::read_orders(std::span<std::int32_t> genes, Mapping& mapping) const {
  for (std::size_t l = 0; l + 1 < layout_.levels(); ++l) {
    std::array<std::int64_t, dim_count> keys;
    for (std::size_t v = 0; v < varying_.size(); ++v)
      keys[v] = std::int64_t{genes[layout_.order(l, varying_[v])]} * std::int64_t{dim_count} +
                static_cast<std::int64_t>(v);
    for (const std::uint8_t i : fixed_) genes[layout_.order(l, i)] = 0;
    LevelMapping& level = mapping.level[l];
    level.order = last_order_;
    for (std::size_t v = 0; v < varying_.size(); ++v) {
      std::size_t rank = 0;
      for (std::size_t w = 0; w < varying_.size(); ++w) rank += keys[w] < keys[v] ? 1 : 0;
      level.order[rank] = dim_[varying_[v]];
      genes[layout_.order(l, varying_[v])] = spaced_keys_[rank];
    }
  }
  LevelMapping& innermost = mapping.level[layout_.levels() - 1];
  for (std::uint8_t d = 0; d < dim_count; ++d) innermost.order[d] = d;
}

void LayerMappingSpace::prepare_orders() {
  for (std::uint8_t i = 0; i < layout_.dims().size(); ++i)
    (divisors_[i].size() > 1 ? varying_ : fixed_).push_back(i);
  const std::size_t count = varying_.size();
  for (std::size_t rank = 0; rank < count; ++rank)
    spaced_keys_[rank] = static_cast<std::int32_t>((2 * rank + 1) * (highest_order_key + 1) / (2 * count));
  std::size_t at = count;
  for (std::uint8_t d = 0; d < dim_count; ++d)
    if (layer_.size[d] == 1) last_order_[at++] = d;
}

void LayerMappingSpace::write_mapping(const Parts& parts, Mapping& mapping) const {
  const std::size_t levels = layout_.levels(), places = layout_.dims().size();
  mapping.levels = static_cast<std::uint8_t>(levels);
  for (std::size_t l = 0; l < levels; ++l) {
    LevelMapping& level = mapping.level[l];
    level.keep = parts.keep[l];
    level.x.fill(1);
    for (std::size_t i = 0; i < places; ++i)
      level.x[dim_[i]] = divisors_[i].value(divisors_[i].product(parts.tile[l][i], parts.inner[l][i]));
    level.y = level.x;
    level.temporal = level.x;
  }
  for (std::size_t r = 0; r < parts.records; ++r) {
    const ParallelSlot& slot = layout_.slots()[parts.slot[r]];
    const std::uint32_t factor = divisors_[parts.dim[r]].value(parts.factor[r]);
    LevelMapping& level = mapping.level[slot.level];
    const std::uint8_t d = dim_[parts.dim[r]];
    level.temporal[d] *= factor;
    if (slot.along_x) level.y[d] *= factor;
  }
}

void LayerMappingSpace::encode(const Mapping& mapping, std::span<std::int32_t> genes) const {
  const std::string reason = check(mapping, layer_, accelerator_, true);
  if (!reason.empty()) throw InputError("this mapping cannot become a genome: " + reason);
  const std::size_t levels = layout_.levels(), places = layout_.dims().size();
  std::fill(genes.begin(), genes.end(), 0);
  for (std::size_t i = 0; i < places; ++i) {
    std::uint32_t tile = 1;
    for (std::size_t l = levels - 1; l > 0; --l) {
      const std::size_t d = dim_[i];
      tile *= mapping.entering(l, layer_)[d] / mapping.level[l].temporal[d];
      genes[layout_.tile(l - 1, i)] = divisors_[i].find(tile);
    }
  }
  for (std::size_t l = 0; l + 1 < levels; ++l)
    for (std::size_t i = 0; i < places; ++i) {
      const auto& order = mapping.level[l].order;
      const auto rank = std::find(order.begin(), order.end(), dim_[i]) - order.begin();
      genes[layout_.order(l, i)] = static_cast<std::int32_t>(rank);
    }
  for (std::size_t i = 0; i < layout_.keeps().size(); ++i) {
    const KeepChoice& choice = layout_.keeps()[i];
    genes[layout_.keep(i)] = contains(mapping.level[choice.level].keep, choice.operand) ? 1 : 0;
  }
  encode_records(mapping, genes);
  Mapping same;
  repair(genes, same);
}

void LayerMappingSpace::encode_records(const Mapping& mapping, std::span<std::int32_t> genes) const {
  std::size_t count = 0;
  for (std::size_t s = 0; s < layout_.slots().size(); ++s)
    for (std::size_t i = 0; i < layout_.dims().size(); ++i) {
      const ParallelSlot& slot = layout_.slots()[s];
      const LevelMapping& level = mapping.level[slot.level];
      const std::size_t d = dim_[i];
      const std::uint32_t factor = slot.along_x ? level.y[d] / level.x[d] : level.temporal[d] / level.y[d];
      if (factor == 1) continue;
      genes[block_.field(count, slot_field)] = static_cast<std::int32_t>(s);
      genes[block_.field(count, dim_field)] = static_cast<std::int32_t>(i);
      genes[block_.field(count, factor_field)] = divisors_[i].find(factor);
      // Equal loops of different mappings are the same innovation.
      const std::uint64_t hash = mix64(s << 48 | std::uint64_t{i} << 32 | factor);
      genes[block_.innovation(count)] = static_cast<std::int32_t>(hash >> 33 | 1U);
      ++count;
    }
  if (count > 0) genes[block_.first] = static_cast<std::int32_t>(count);
}

}  // namespace atl
