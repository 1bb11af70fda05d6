// What makes a row legal, said once more and in another way than the code under test says it; and statistics.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>
#include <span>
#include <string>

#include "atoll/evolution/genome.hpp"

namespace atl::toy {

/// Empty if the row lies within the schema: ranges, counts, zeros behind the count, innovation ids that
/// differ.
inline std::string complaint(const GenomeSchema& schema, std::span<const std::int32_t> row,
                             std::span<const double> reals) {
  std::vector<int> state(row.size(), 0);  // 0 free, 1 in use, 2 behind the count
  for (const RecordBlock& block : schema.blocks) {
    const std::int32_t count = row[block.first];
    if (count < static_cast<std::int32_t>(block.min_count) ||
        count > static_cast<std::int32_t>(block.max_count))
      return block.name + fmt::format(": count {}", count);
    std::set<std::int32_t> ids;
    for (std::size_t i = block.first + 1; i < block.end(); ++i) {
      const auto record = static_cast<std::int32_t>((i - block.first - 1) / block.stride());
      state[i] = record < count ? 1 : 2;
      const bool is_id = (i - block.first - 1) % block.stride() == 0;
      if (is_id && state[i] == 1 && (row[i] <= 0 || !ids.insert(row[i]).second))
        return schema.integers[i].name + ": id " + std::to_string(row[i]);
    }
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    const Gene& gene = schema.integers[i];
    const bool legal = state[i] == 2 ? row[i] == 0 : row[i] >= gene.low && row[i] <= gene.high;
    if (!legal) return gene.name + ": " + std::to_string(row[i]);
  }
  for (std::size_t r = 0; r < reals.size(); ++r)
    if (!(reals[r] >= schema.reals[r].low && reals[r] <= schema.reals[r].high))
      return schema.reals[r].name + ": " + std::to_string(reals[r]);
  return "";
}

/// Records of a block by innovation id.
inline std::map<std::int32_t, std::vector<std::int32_t>> records(const RecordBlock& block,
                                                                 std::span<const std::int32_t> row) {
  std::map<std::int32_t, std::vector<std::int32_t>> found;
  for (std::size_t r = 0; r < static_cast<std::size_t>(row[block.first]); ++r)
    for (std::size_t f = 0; f < block.fields; ++f)
      found[row[block.innovation(r)]].push_back(row[block.field(r, f)]);
  return found;
}

/// True if `hits` of `trials` is within five standard deviations of probability p (and one hit of slack).
inline bool plausible(double hits, double trials, double p) {
  return std::abs(hits - trials * p) <= 5 * std::sqrt(trials * p * (1 - p)) + 1;
}

}  // namespace atl::toy
