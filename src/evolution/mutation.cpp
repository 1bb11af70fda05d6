#include "atoll/evolution/mutation.hpp"

#include <algorithm>
#include <numeric>

namespace atl {

namespace {

bool ordered(GeneKind kind) {
  return kind == GeneKind::range || kind == GeneKind::order_key;
}

std::size_t count_of(const RecordBlock& block, std::span<const std::int32_t> integers) {
  return static_cast<std::size_t>(integers[block.first]);
}

}  // namespace

Mutation::Mutation(const MutationSettings& settings, const GenomeSchema& schema)
    : settings_(settings), schema_(&schema) {
  const std::vector<Gene>& genes = schema.integers;
  const auto varies = [&](std::size_t i) { return genes[i].low < genes[i].high; };
  owner_.resize(genes.size());
  swap_class_.assign(genes.size(), -1);
  for (std::size_t b = 0; b < schema.blocks.size(); ++b) {
    const RecordBlock& block = schema.blocks[b];
    for (std::size_t i = block.first; i < block.end(); ++i)
      owner_[i] = {static_cast<std::int32_t>(b),
                   i == block.first ? 0 : static_cast<std::int32_t>((i - block.first - 1) / block.stride())};
    fields_.emplace_back();
    for (std::size_t f = 0; f < block.fields && block.max_count > 0; ++f)
      if (varies(block.field(0, f))) fields_.back().push_back(static_cast<std::uint32_t>(f));
    if (block.min_count < block.max_count) blocks_.push_back(static_cast<std::uint32_t>(b));
  }
  std::vector<std::uint32_t> class_head;
  for (std::uint32_t i = 0; i < genes.size(); ++i) {
    if (genes[i].kind == GeneKind::count || genes[i].kind == GeneKind::innovation || !varies(i)) continue;
    if (owner_[i].block < 0) free_.push_back(i);
    std::size_t c = 0;
    while (c < class_head.size() &&
           (genes[class_head[c]].kind != genes[i].kind || genes[class_head[c]].group != genes[i].group))
      ++c;
    if (c == class_head.size()) {
      class_head.push_back(i);
      classes_.emplace_back();
    }
    classes_[c].push_back(i);
    swap_class_[i] = static_cast<std::int32_t>(c);
  }
  for (std::uint32_t r = 0; r < schema.reals.size(); ++r)
    if (schema.reals[r].low < schema.reals[r].high) reals_.push_back(r);
  const double records = weight(Change::insert) + weight(Change::remove) + weight(Change::duplicate);
  const double total = std::accumulate(settings.weights.begin(), settings.weights.end(), 0.0);
  if (!blocks_.empty() && total > 0) record_share_ = records / total;
}

bool Mutation::active(std::size_t gene, std::span<const std::int32_t> integers) const {
  const Owner owner = owner_[gene];
  return owner.block < 0 ||
         owner.record < integers[schema_->blocks[static_cast<std::size_t>(owner.block)].first];
}

bool Mutation::reset(std::size_t gene, Random& random, std::span<std::int32_t> integers) const {
  const Gene& range = schema_->integers[gene];
  if (range.low >= range.high) return false;
  const auto others = static_cast<std::uint32_t>(range.high) - static_cast<std::uint32_t>(range.low);
  const std::int64_t value = static_cast<std::int64_t>(range.low) + random.below(others);
  integers[gene] = static_cast<std::int32_t>(value + (value >= integers[gene] ? 1 : 0));
  return true;
}

bool Mutation::creep(std::size_t gene, Random& random, std::span<std::int32_t> integers) const {
  const Gene& range = schema_->integers[gene];
  if (!ordered(range.kind) || range.low >= range.high) return false;
  std::int64_t reach = settings_.step;
  if (range.kind == GeneKind::order_key)
    reach = std::max(reach, (static_cast<std::int64_t>(range.high) - range.low) / 8);
  const std::int64_t value = integers[gene];
  const std::int64_t distance = reach > 1 ? 1 + random.below(static_cast<std::uint32_t>(reach)) : 1;
  const bool up = (random.next32() >> 31) != 0;
  std::int64_t next = up ? value + distance : value - distance;
  if (next < range.low || next > range.high) next = up ? value - distance : value + distance;
  if (next < range.low || next > range.high) next = value == range.high ? range.low : range.high;
  integers[gene] = static_cast<std::int32_t>(next);
  return true;
}

bool Mutation::swap(std::size_t gene, Random& random, std::span<std::int32_t> integers) const {
  if (swap_class_[gene] < 0) return false;
  const auto& partners = classes_[static_cast<std::size_t>(swap_class_[gene])];
  const Gene& mine = schema_->integers[gene];
  for (int attempt = 0; attempt < 4 && partners.size() > 1; ++attempt) {
    const std::size_t other = partners[random.below(static_cast<std::uint32_t>(partners.size()))];
    const Gene& theirs = schema_->integers[other];
    const std::int32_t a = integers[gene], b = integers[other];
    if (a == b || !active(other, integers)) continue;
    if (b < mine.low || b > mine.high || a < theirs.low || a > theirs.high) continue;
    std::swap(integers[gene], integers[other]);
    return true;
  }
  return false;
}

void Mutation::open_gap(const RecordBlock& block, std::size_t at, std::span<std::int32_t> integers) const {
  const std::size_t count = count_of(block, integers);
  const auto row = integers.begin();
  std::copy_backward(row + static_cast<std::ptrdiff_t>(block.innovation(at)),
                     row + static_cast<std::ptrdiff_t>(block.innovation(count)),
                     row + static_cast<std::ptrdiff_t>(block.innovation(count + 1)));
  integers[block.first] = static_cast<std::int32_t>(count + 1);
}

bool Mutation::insert(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const {
  const std::size_t count = count_of(block, integers);
  if (count >= block.max_count) return false;
  const std::size_t at = random.below(static_cast<std::uint32_t>(count + 1));
  open_gap(block, at, integers);
  integers[block.innovation(at)] = fresh_innovation(random);
  for (std::size_t f = 0; f < block.fields; ++f) {
    const Gene& gene = schema_->integers[block.field(at, f)];
    integers[block.field(at, f)] = random.between(gene.low, gene.high);
  }
  return true;
}

bool Mutation::remove(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const {
  const std::size_t count = count_of(block, integers);
  if (count <= block.min_count || count == 0) return false;
  const std::size_t at = random.below(static_cast<std::uint32_t>(count));
  const auto row = integers.begin();
  const auto end = row + static_cast<std::ptrdiff_t>(block.innovation(count));
  const auto moved = std::copy(row + static_cast<std::ptrdiff_t>(block.innovation(at + 1)), end,
                               row + static_cast<std::ptrdiff_t>(block.innovation(at)));
  std::fill(moved, end, 0);
  integers[block.first] = static_cast<std::int32_t>(count - 1);
  return true;
}

bool Mutation::duplicate(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const {
  const std::size_t count = count_of(block, integers);
  if (count >= block.max_count || count == 0) return false;
  const std::size_t at = random.below(static_cast<std::uint32_t>(count));
  open_gap(block, at, integers);  // the record stands at `at` and `at` + 1 now
  integers[block.innovation(at + 1)] = fresh_innovation(random);
  return true;
}

bool Mutation::change_records(Random& random, std::span<std::int32_t> integers) const {
  const RecordBlock& block =
      schema_->blocks[blocks_[random.below(static_cast<std::uint32_t>(blocks_.size()))]];
  const double insertion = weight(Change::insert), removal = weight(Change::remove);
  const double draw = random.uniform() * (insertion + removal + weight(Change::duplicate));
  if (draw < insertion) return insert(block, random, integers);
  if (draw < insertion + removal) return remove(block, random, integers);
  return duplicate(block, random, integers);
}

void Mutation::change_integer(std::size_t gene, Random& random, std::span<std::int32_t> integers) const {
  const bool can_creep = ordered(schema_->integers[gene].kind);
  const bool can_swap = classes_[static_cast<std::size_t>(swap_class_[gene])].size() > 1;
  const double creeping = can_creep ? weight(Change::creep) : 0.0;
  const double swapping = can_swap ? weight(Change::swap) : 0.0;
  const double total = weight(Change::reset) + creeping + swapping;
  const double draw = total > 0 ? random.uniform() * total : 0.0;
  if (draw < creeping && creep(gene, random, integers)) return;
  if (draw >= creeping && draw < creeping + swapping && swap(gene, random, integers)) return;
  if (total > 0 && weight(Change::reset) == 0 && creeping > 0 && creep(gene, random, integers)) return;
  reset(gene, random, integers);
}

void Mutation::change_real(std::size_t gene, Random& random, std::span<double> reals) const {
  const RealGene& range = schema_->reals[gene];
  const double width = range.high - range.low;
  const double creeping = weight(Change::creep), resetting = weight(Change::reset);
  if (creeping > 0 && random.uniform() * (creeping + resetting) < creeping)
    reals[gene] = std::clamp(reals[gene] + settings_.sigma * width * random.normal(), range.low, range.high);
  else
    reals[gene] = std::clamp(range.low + random.uniform() * width, range.low, range.high);
}

void Mutation::change_gene(Random& random, std::span<std::int32_t> integers, std::span<double> reals) const {
  std::size_t total = free_.size() + reals_.size();
  for (std::size_t b = 0; b < fields_.size(); ++b)
    total += count_of(schema_->blocks[b], integers) * fields_[b].size();
  if (total == 0) return;
  std::size_t pick = random.below(static_cast<std::uint32_t>(total));
  if (pick < free_.size()) return change_integer(free_[pick], random, integers);
  pick -= free_.size();
  if (pick < reals_.size()) return change_real(reals_[pick], random, reals);
  pick -= reals_.size();
  for (std::size_t b = 0; b < fields_.size(); ++b) {
    const std::size_t here = count_of(schema_->blocks[b], integers) * fields_[b].size();
    if (pick < here) {
      const std::size_t record = pick / fields_[b].size(), f = fields_[b][pick % fields_[b].size()];
      return change_integer(schema_->blocks[b].field(record, f), random, integers);
    }
    pick -= here;
  }
}

void Mutation::mutate(double genes, Random& random, std::span<std::int32_t> integers,
                      std::span<double> reals) const {
  const double again = genes > 1 ? 1 - 1 / genes : 0.0;
  do {
    const bool records = record_share_ > 0 && random.chance(record_share_);
    if (!records || !change_records(random, integers)) change_gene(random, integers, reals);
  } while (again > 0 && random.chance(again));
}

}  // namespace atl
