// What a generation costs besides evaluating: ask and tell at population 200 with 61 integer genes and 60
// cost columns, the size of a mapping search. Items are individuals. The fitness is the sum of the
// genes, so that survival has work.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>

#include "atoll/base/random.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/evolution/policy.hpp"

namespace {

atl::GenomeSchema mapping_like() {
  atl::GenomeSchema schema;
  for (int i = 0; i < 33; ++i)
    schema.add(atl::Gene{fmt::format("tile{}", i), atl::GeneKind::range, 0, 11, 0});
  for (int i = 0; i < 28; ++i)
    schema.add(atl::Gene{fmt::format("order{}", i), atl::GeneKind::order_key, 0, 63,
                         static_cast<std::uint16_t>(1 + i / 7)});
  return schema;
}

atl::GenomeSchema network_like() {
  atl::GenomeSchema schema;
  for (int i = 0; i < 6; ++i)
    schema.add(atl::Gene{fmt::format("global{}", i), atl::GeneKind::range, 0, 11, 0});
  schema.add_block("blocks",
                   {{"operator", atl::GeneKind::category, 0, 3, 0},
                    {"kernel", atl::GeneKind::range, 0, 2, 0},
                    {"channels", atl::GeneKind::range, 0, 15, 0},
                    {"stride", atl::GeneKind::range, 1, 2, 0}},
                   2, 11);
  return schema;
}

void judge(atl::Population& rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    std::int64_t sum = 0;
    for (const std::int32_t gene : rows.integers(row)) sum += gene;
    rows.fitness[row] = static_cast<double>(sum);
    rows.violation[row] = 0;
  }
}

void generations(benchmark::State& state, const std::string& yaml, const atl::GenomeSchema& schema) {
  atl::PolicyContext context;
  context.schema = &schema;
  context.cost_width = 60;
  context.size = 200;
  context.generations = 1U << 20;
  const auto policy =
      atl::PolicyFactory::read("bench", atl::YamlNode::parse(yaml, "bench.yaml")).make(context);
  atl::Population offspring;
  std::uint32_t g = 0;
  std::int64_t born = 0;
  for (auto _ : state) {
    policy->ask(g, offspring);
    judge(offspring);
    for (std::size_t slot = 0; slot < offspring.size(); ++slot)
      offspring.id[slot] = atl::individual_id(0, g, 0, slot);
    policy->tell(g, offspring);
    born += static_cast<std::int64_t>(offspring.size());
    ++g;
  }
  state.SetItemsProcessed(born);
  state.counters["ns/individual"] = benchmark::Counter(
      static_cast<double>(born) * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

const bool registered = [] {
  static const atl::GenomeSchema mapping = mapping_like(), network = network_like();
  const auto add = [](const std::string& name, const std::string& yaml, const atl::GenomeSchema& schema) {
    benchmark::RegisterBenchmark(("generation/" + name).c_str(), generations, yaml, schema);
  };
  add("standard", "{}", mapping);
  add("records", "{}", network);
  add("greedy",
      "{selection: {truncation: {share: 0.4}}, crossover: {uniform: {rate: 0.6}}, mutation: {rate: 0.3}, "
      "survival: "
      "{elitism: {elites: 10}}}",
      mapping);
  add("explorer",
      "{selection: {tournament: {size: 2}}, crossover: {two_point: {rate: 0.5}}, mutation: {rate: 0.6}, "
      "survival: "
      "{comma: {offspring: 400}}}",
      mapping);
  add("annealed",
      "{selection: {rank: {pressure: 1.7}}, mutation: {rate: {anneal: [0.8, 0.05]}}, survival: {plus: "
      "{offspring: "
      "200}}}",
      mapping);
  add("self_adaptive", "{mutation: {rate: self_adaptive, genes: self_adaptive}, survival: comma}", mapping);
  add("universal_steady", "{selection: universal, survival: {steady_state: {replace: worst}}}", mapping);
  add("random_search", "random_search", mapping);
  return true;
}();

}  // namespace
