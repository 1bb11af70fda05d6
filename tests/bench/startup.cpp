// How long a user waits for the first result: from the files of a problem to the first evaluated and survived
// generation of one island. Starting MPI is not in it.
#include <benchmark/benchmark.h>

#include <string>

#include "atoll/evolution/policy.hpp"
#include "atoll/space/mapping.hpp"

namespace {

constexpr std::size_t island_size = 200;

void first_generation(benchmark::State& state, const std::string& accelerator, const std::string& network) {
  const std::string source = ATOLL_SOURCE_DIR;
  for (auto _ : state) {
    atl::MappingSpace space(atl::read_network(source + "/configs/networks/" + network + ".yaml"),
                            atl::read_accelerator(source + "/accelerators/" + accelerator + ".yaml"),
                            "loopnest");
    std::vector<std::string> names;
    for (const auto& column : space.cost_columns()) names.push_back(column.name);
    const atl::Objective objective("edp", {}, names);
    const auto policy = atl::PolicyFactory::standard().make({.schema = &space.schema(0),
                                                             .cost_width = names.size(),
                                                             .size = island_size,
                                                             .generations = 50,
                                                             .seed = 1,
                                                             .task = 0,
                                                             .island = 0});
    atl::Population rows(space.schema(0).integer_width(), 0, names.size());
    policy->ask(0, rows);
    space.evaluate(0, rows, nullptr);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      rows.id[row] = atl::individual_id(0, 0, 0, row);
      rows.fitness[row] = objective.fitness(rows.costs(row));
    }
    policy->tell(0, rows);
    benchmark::DoNotOptimize(policy->population().size());
  }
}

BENCHMARK_CAPTURE(first_generation, eyeriss_resnet18, "eyeriss", "resnet18")
    ->Name("startup/eyeriss/resnet18")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(first_generation, simba_resnet50, "simba", "resnet50")
    ->Name("startup/simba/resnet50")
    ->Unit(benchmark::kMillisecond);

}  // namespace
