#include "atoll/evolution/crossover.hpp"

#include <algorithm>

namespace atl {

Crossover::Crossover(const CrossoverSettings& settings, const GenomeSchema& schema)
    : settings_(settings), schema_(&schema) {
  std::size_t i = 0;
  for (std::size_t b = 0; b < schema.blocks.size(); ++b) {
    const RecordBlock& block = schema.blocks[b];
    if (i < block.first) pieces_.push_back({i, block.first, -1});
    pieces_.push_back({block.first, block.end(), static_cast<std::int32_t>(b)});
    i = block.end();
  }
  if (i < schema.integer_width()) pieces_.push_back({i, schema.integer_width(), -1});
  std::size_t records = 0;
  for (const RecordBlock& block : schema.blocks) records += 2 * block.max_count;
  aligned_.reserve(records);
  chosen_.reserve(records);
  aligned_ends_.reserve(schema.blocks.size());
  from_b_.reserve(schema.integer_width() + schema.real_width() + records + 32);
}

namespace {

// Without branches: the masks are random, no processor could predict them.
void blend(std::size_t count, const std::uint32_t* mask, const std::int32_t* a, const std::int32_t* b,
           std::int32_t* __restrict out) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int32_t>((static_cast<std::uint32_t>(a[i]) & ~mask[i]) |
                                       (static_cast<std::uint32_t>(b[i]) & mask[i]));
}

}  // namespace

void Crossover::align(const RecordBlock& block, const GenomeView& a, const GenomeView& b) {
  const auto begin = static_cast<std::ptrdiff_t>(aligned_.size());
  const auto count_a = static_cast<std::int32_t>(a.integers[block.first]);
  const auto count_b = static_cast<std::int32_t>(b.integers[block.first]);
  const auto id = [&](const GenomeView& parent, std::int32_t record) {
    return parent.integers[block.innovation(static_cast<std::size_t>(record))];
  };
  for (std::int32_t r = 0; r < count_a; ++r) aligned_.push_back({r, -1});
  std::ptrdiff_t after = begin;
  for (std::int32_t r = 0; r < count_b; ++r) {
    auto match = aligned_.begin() + begin;
    while (match != aligned_.end() && !(match->a >= 0 && match->b < 0 && id(a, match->a) == id(b, r)))
      ++match;
    if (match == aligned_.end()) {
      match = aligned_.insert(aligned_.begin() + after, Aligned{-1, r});
    } else {
      match->b = r;
    }
    after = match - aligned_.begin() + 1;
  }
  aligned_ends_.push_back(aligned_.size());
}

void Crossover::choose_units(std::size_t units, Random& random) {
  from_b_.resize(units);
  const auto count = static_cast<std::uint32_t>(units);
  if (settings_.kind == CrossoverKind::uniform || units < 2) {
    if (settings_.swap == 0.5) {
      for (std::uint32_t begin = 0; begin < count; begin += 32) {
        const std::uint32_t bits = random.next32(), length = std::min(32U, count - begin);
        for (std::uint32_t u = 0; u < length; ++u) from_b_[begin + u] = 0U - ((bits >> u) & 1U);
      }
    } else {
      const auto limit = static_cast<std::uint32_t>(settings_.swap * 65536);
      std::uint32_t bits = 0;
      for (std::uint32_t u = 0; u < count; ++u, bits >>= 16) {
        if (u % 2 == 0) bits = random.next32();
        from_b_[u] = (bits & 0xffffU) < limit ? ~0U : 0U;
      }
    }
    return;
  }
  std::fill(from_b_.begin(), from_b_.end(), 0U);
  if (settings_.kind == CrossoverKind::one_point) {
    std::fill(from_b_.begin() + 1 + random.below(count - 1), from_b_.end(), ~0U);
    return;
  }
  const std::uint32_t first = random.below(count);
  const std::uint32_t length = 1 + random.below(count - 1);
  for (std::uint32_t k = 0; k < length; ++k) from_b_[(first + k) % count] = ~0U;
}

void Crossover::build_block(const RecordBlock& block, std::span<const Aligned> line,
                            std::span<const std::uint32_t> from_b, const GenomeView& a, const GenomeView& b,
                            std::span<std::int32_t> child) {
  chosen_.assign(line.size(), 0);
  std::size_t count = 0;
  for (std::size_t u = 0; u < line.size(); ++u) {
    chosen_[u] = from_b[u] != 0 ? line[u].b >= 0 : line[u].a >= 0;
    count += chosen_[u];
  }
  for (std::size_t u = line.size(); u-- > 0 && count > block.max_count;)
    if (chosen_[u] != 0 && line[u].a < 0) chosen_[u] = 0, --count;
  for (std::size_t u = 0; u < line.size() && count < block.min_count; ++u)
    if (chosen_[u] == 0 && line[u].b < 0) chosen_[u] = 1, ++count;
  child[block.first] = static_cast<std::int32_t>(count);
  auto out = child.begin() + static_cast<std::ptrdiff_t>(block.innovation(0));
  for (std::size_t u = 0; u < line.size(); ++u) {
    if (chosen_[u] == 0) continue;
    const bool take_b = line[u].a < 0 || (from_b[u] != 0 && line[u].b >= 0);
    const auto record = static_cast<std::size_t>(take_b ? line[u].b : line[u].a);
    const auto& source = take_b ? b.integers : a.integers;
    out = std::ranges::copy(source.subspan(block.innovation(record), block.stride()), out).out;
  }
  std::fill(out, child.begin() + static_cast<std::ptrdiff_t>(block.end()), 0);
}

void Crossover::cross(const GenomeView& a, const GenomeView& b, Random& random,
                      std::span<std::int32_t> integers, std::span<double> reals) {
  aligned_.clear();
  aligned_ends_.clear();
  for (const RecordBlock& block : schema_->blocks) align(block, a, b);
  std::size_t units = aligned_.size() + reals.size();
  for (const Piece& piece : pieces_)
    if (piece.block < 0) units += piece.end - piece.begin;
  choose_units(units, random);
  std::size_t u = 0;
  for (const Piece& piece : pieces_) {
    if (piece.block >= 0) {
      const auto which = static_cast<std::size_t>(piece.block);
      const std::size_t begin = which == 0 ? 0 : aligned_ends_[which - 1];
      const std::size_t length = aligned_ends_[which] - begin;
      build_block(schema_->blocks[which], std::span(aligned_).subspan(begin, length),
                  std::span(from_b_).subspan(u, length), a, b, integers);
      u += length;
      continue;
    }
    const std::size_t length = piece.end - piece.begin;
    blend(length, from_b_.data() + u, a.integers.data() + piece.begin, b.integers.data() + piece.begin,
          integers.data() + piece.begin);
    u += length;
  }
  for (std::size_t r = 0; r < reals.size(); ++r, ++u) reals[r] = from_b_[u] != 0 ? b.reals[r] : a.reals[r];
}

}  // namespace atl
