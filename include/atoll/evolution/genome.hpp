// A genome is a row: an integer part and a real part, either may be empty, described by a schema. Generic
// operators see only what stands here; what a gene means is the search space's affair.
//
// Repeated parts are *records* (a block of a network, a level of parallelism): a RecordBlock reserves room
// for max_count of them in the integer part, laid out as
//
//   count | innovation_0 field_0 field_1 ... | innovation_1 field_0 ... | ... up to max_count
//
// Records beyond `count` are zero (canonical form). A record's innovation id marks where it came from;
// crossover aligns records by id and moves them as units.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atoll/base/random.hpp"

namespace atl {

/// range: ordered integers, neighbours are alike. category: unordered. order_key: sorted to give a
/// permutation (equal keys by position). bit: 0 or 1. count, innovation: book-keeping of a RecordBlock,
/// touched only by record operators.
enum class GeneKind : std::uint8_t { range, category, order_key, bit, count, innovation };

struct Gene {
  std::string name;
  GeneKind kind = GeneKind::range;
  std::int32_t low = 0;  // both ends included
  std::int32_t high = 0;
  std::uint16_t group = 0;  // swap exchanges values only between genes of one kind and group
};

struct RealGene {
  std::string name;
  double low = 0;
  double high = 1;
};

struct RecordBlock {
  std::string name;
  std::size_t first = 0;   // index of the count gene
  std::size_t fields = 0;  // genes per record, without the innovation id
  std::size_t min_count = 0;
  std::size_t max_count = 0;
  std::size_t stride() const { return fields + 1; }
  std::size_t innovation(std::size_t record) const { return first + 1 + record * stride(); }
  std::size_t field(std::size_t record, std::size_t f) const { return innovation(record) + 1 + f; }
  std::size_t end() const { return first + 1 + max_count * stride(); }
};

struct GenomeSchema {
  std::vector<Gene> integers;
  std::vector<RealGene> reals;
  std::vector<RecordBlock> blocks;

  std::size_t integer_width() const { return integers.size(); }
  std::size_t real_width() const { return reals.size(); }
  std::size_t add(Gene gene);  // returns its index
  std::size_t add(RealGene gene);
  /// Appends a block; `fields` describe one record (low and high of each field), names get "[i]" prefixes.
  std::size_t add_block(const std::string& name, std::vector<Gene> fields, std::size_t min_count,
                        std::size_t max_count);
  /// InternalError if a range is empty or blocks overlap.
  void validate() const;
};

/// Fills a row uniformly within the schema: counts uniform in min..max, fresh innovation ids.
void random_row(const GenomeSchema& schema, Random& random, std::span<std::int32_t> integers,
                std::span<double> reals);
/// Clamps every gene into its range, counts into theirs, zeroes records beyond the count, renews innovation
/// ids that are missing or doubled. Legal rows stay as they are.
void clamp_row(const GenomeSchema& schema, std::span<std::int32_t> integers, std::span<double> reals);
/// A fresh innovation id (31 bits, never 0).
std::int32_t fresh_innovation(Random& random);

}  // namespace atl
