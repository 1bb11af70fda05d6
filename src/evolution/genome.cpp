#include "atoll/evolution/genome.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/error.hpp"

namespace atl {

std::size_t GenomeSchema::add(Gene gene) {
  integers.push_back(std::move(gene));
  return integers.size() - 1;
}

std::size_t GenomeSchema::add(RealGene gene) {
  reals.push_back(std::move(gene));
  return reals.size() - 1;
}

std::size_t GenomeSchema::add_block(const std::string& name, std::vector<Gene> fields, std::size_t min_count,
                                    std::size_t max_count) {
  RecordBlock block{name, integers.size(), fields.size(), min_count, max_count};
  integers.push_back({name + ".count", GeneKind::count, static_cast<std::int32_t>(min_count),
                      static_cast<std::int32_t>(max_count), 0});
  for (std::size_t record = 0; record < max_count; ++record) {
    const std::string prefix = fmt::format("{}[{}].", name, record);
    integers.push_back({prefix + "innovation", GeneKind::innovation, 0, 0x7fffffff, 0});
    for (Gene field : fields) {
      field.name = prefix + field.name;
      integers.push_back(std::move(field));
    }
  }
  blocks.push_back(block);
  return blocks.size() - 1;
}

void GenomeSchema::validate() const {
  for (const Gene& gene : integers)
    if (gene.low > gene.high)
      throw InternalError(fmt::format("gene '{}' has an empty range {}..{}", gene.name, gene.low, gene.high));
  for (const RealGene& gene : reals)
    if (!(gene.low <= gene.high)) throw InternalError("real gene '" + gene.name + "' has an empty range");
  std::size_t free_from = 0;
  for (const RecordBlock& block : blocks) {
    if (block.first < free_from || block.end() > integers.size())
      throw InternalError("record block '" + block.name +
                          "' overlaps another one or the end of the genome; blocks stand in ascending order");
    if (block.min_count > block.max_count)
      throw InternalError("record block '" + block.name + "' has an empty range of counts");
    if (integers[block.first].kind != GeneKind::count)
      throw InternalError("record block '" + block.name + "' does not begin with a count gene");
    free_from = block.end();
  }
}

std::int32_t fresh_innovation(Random& random) {
  return static_cast<std::int32_t>(random.below(0x7fffffffU)) + 1;
}

namespace {

void random_block(const GenomeSchema& schema, const RecordBlock& block, Random& random,
                  std::span<std::int32_t> row) {
  const auto count = static_cast<std::size_t>(
      random.between(static_cast<std::int32_t>(block.min_count), static_cast<std::int32_t>(block.max_count)));
  row[block.first] = static_cast<std::int32_t>(count);
  for (std::size_t record = 0; record < count; ++record) {
    row[block.innovation(record)] = fresh_innovation(random);
    for (std::size_t f = 0; f < block.fields; ++f) {
      const Gene& gene = schema.integers[block.field(record, f)];
      row[block.field(record, f)] = random.between(gene.low, gene.high);
    }
  }
  for (std::size_t i = block.innovation(count); i < block.end(); ++i) row[i] = 0;
}

// An id that is missing or stands in an earlier record too
// becomes the smallest that is free in the whole block.
void mend_innovation(const RecordBlock& block, std::size_t active, std::size_t record,
                     std::span<std::int32_t> row) {
  const auto used = [&](std::int32_t id, std::size_t records) {
    for (std::size_t r = 0; r < records; ++r)
      if (r != record && row[block.innovation(r)] == id) return true;
    return false;
  };
  std::int32_t& id = row[block.innovation(record)];
  if (id > 0 && !used(id, record)) return;
  id = 1;
  while (used(id, active)) ++id;
}

void clamp_block(const GenomeSchema& schema, const RecordBlock& block, std::span<std::int32_t> row) {
  const std::int32_t count = std::clamp(row[block.first], static_cast<std::int32_t>(block.min_count),
                                        static_cast<std::int32_t>(block.max_count));
  row[block.first] = count;
  const auto active = static_cast<std::size_t>(count);
  for (std::size_t record = 0; record < active; ++record) {
    mend_innovation(block, active, record, row);
    for (std::size_t f = 0; f < block.fields; ++f) {
      const Gene& gene = schema.integers[block.field(record, f)];
      std::int32_t& value = row[block.field(record, f)];
      value = std::clamp(value, gene.low, gene.high);
    }
  }
  for (std::size_t i = block.innovation(active); i < block.end(); ++i) row[i] = 0;
}

}  // namespace

void random_row(const GenomeSchema& schema, Random& random, std::span<std::int32_t> integers,
                std::span<double> reals) {
  std::size_t i = 0;
  for (std::size_t b = 0; b <= schema.blocks.size(); ++b) {
    const bool at_block = b < schema.blocks.size();
    const std::size_t stop = at_block ? schema.blocks[b].first : schema.integers.size();
    for (; i < stop; ++i) integers[i] = random.between(schema.integers[i].low, schema.integers[i].high);
    if (!at_block) break;
    random_block(schema, schema.blocks[b], random, integers);
    i = schema.blocks[b].end();
  }
  for (std::size_t r = 0; r < schema.reals.size(); ++r)
    reals[r] = schema.reals[r].low + random.uniform() * (schema.reals[r].high - schema.reals[r].low);
}

void clamp_row(const GenomeSchema& schema, std::span<std::int32_t> integers, std::span<double> reals) {
  std::size_t i = 0;
  for (std::size_t b = 0; b <= schema.blocks.size(); ++b) {
    const bool at_block = b < schema.blocks.size();
    const std::size_t stop = at_block ? schema.blocks[b].first : schema.integers.size();
    for (; i < stop; ++i)
      integers[i] = std::clamp(integers[i], schema.integers[i].low, schema.integers[i].high);
    if (!at_block) break;
    clamp_block(schema, schema.blocks[b], integers);
    i = schema.blocks[b].end();
  }
  for (std::size_t r = 0; r < schema.reals.size(); ++r) {
    const RealGene& gene = schema.reals[r];
    reals[r] = reals[r] >= gene.low ? std::min(reals[r], gene.high) : gene.low;  // NaN becomes low
  }
}

}  // namespace atl
