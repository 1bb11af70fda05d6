// Toy problems with known optima, and an island's life without an island: what the tests of policies share.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <sstream>
#include <string>

#include "atoll/base/random.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/evolution/policy.hpp"

namespace atl::toy {

/// Sets fitness and violation of a row from its genes.
using Judge = std::function<void(Population&, std::size_t)>;

inline GenomeSchema bits(std::size_t count) {
  GenomeSchema schema;
  for (std::size_t i = 0; i < count; ++i) schema.add(Gene{fmt::format("bit{}", i), GeneKind::bit, 0, 1, 0});
  return schema;
}

/// Everything at once: ranges, categories, order keys in two groups, bits, two record blocks, reals.
inline GenomeSchema mixed() {
  GenomeSchema schema;
  for (int i = 0; i < 5; ++i) schema.add(Gene{fmt::format("tile{}", i), GeneKind::range, -3, 9 + i, 1});
  schema.add(Gene{"kind", GeneKind::category, 0, 4, 0});
  schema.add(Gene{"fixed", GeneKind::range, 7, 7, 0});
  schema.add_block("blocks", {{"op", GeneKind::category, 1, 3, 0}, {"width", GeneKind::range, 2, 50, 2}}, 1,
                   6);
  for (int i = 0; i < 4; ++i) schema.add(Gene{fmt::format("order{}", i), GeneKind::order_key, 0, 1000, 3});
  for (int i = 0; i < 3; ++i) schema.add(Gene{fmt::format("other{}", i), GeneKind::order_key, 0, 5, 4});
  schema.add_block("levels", {{"size", GeneKind::range, 1, 64, 0}}, 0, 3);
  schema.add(Gene{"keep", GeneKind::bit, 0, 1, 0});
  schema.add(RealGene{"x", -1, 1});
  schema.add(RealGene{"y", 0, 100});
  return schema;
}

/// Minus the number of ones.
inline void one_max(Population& rows, std::size_t row) {
  double ones = 0;
  for (const std::int32_t bit : rows.integers(row)) ones += bit;
  rows.fitness[row] = -ones;
  rows.violation[row] = 0;
}

/// Distance of every gene to a target, plus records to a wanted count; rows whose first gene is odd are
/// infeasible.
inline void mixed_target(Population& rows, std::size_t row) {
  double sum = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double d = rows.integers(row)[i] - static_cast<double>(i);
    sum += d * d;
  }
  const double records = rows.integers(row)[7] - 4.0;
  for (const double x : rows.reals(row)) sum += x * x;
  rows.fitness[row] = sum + 10 * records * records;
  rows.violation[row] = (rows.integers(row)[0] & 1) != 0 ? 1.0 + rows.integers(row)[1] * 0.01 + 0.1 : 0.0;
}

/// Every value of a row that a run's identity depends on.
inline std::uint64_t digest(const Population& rows) {
  std::uint64_t hash = rows.size();
  const auto add = [&](std::uint64_t value) { hash = mix64(hash ^ value) + 0x9e3779b97f4a7c15ULL; };
  const auto add_real = [&](double value) { add(std::bit_cast<std::uint64_t>(value)); };
  for (const std::int32_t value : rows.all_integers()) add(static_cast<std::uint32_t>(value));
  for (const double value : rows.all_reals()) add_real(value);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    add_real(rows.fitness[row]);
    add_real(rows.violation[row]);
    add(rows.id[row]);
    add(rows.parent_a[row]);
    add(rows.parent_b[row]);
    add(static_cast<std::uint64_t>(rows.origin[row]));
  }
  for (const ExtraColumn& column : rows.extra)
    for (const double value : column.values) add_real(value);
  return hash;
}

inline PolicyFactory factory(const std::string& yaml) {
  return PolicyFactory::read("test", YamlNode::parse(yaml, "test.yaml"));
}

/// One generation as an island lives it: ask, judge, name, tell. Returns the digest of what was born.
inline std::uint64_t generation(Policy& policy, const PolicyContext& context, std::uint32_t g,
                                Population& offspring, const Judge& judge) {
  policy.ask(g, offspring);
  for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
    judge(offspring, slot);
    offspring.id[slot] = individual_id(context.task, g, context.island, slot);
  }
  policy.tell(g, offspring);
  return digest(offspring);
}

}  // namespace atl::toy
