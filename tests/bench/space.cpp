// Decode and repair of mapping genomes, and the bounded mapping search of one layer.
#include <benchmark/benchmark.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "atoll/mapper/bounded_search.hpp"
#include "atoll/mapper/mapping_space.hpp"
#include "atoll/space/mapping.hpp"

namespace atl {
namespace {

const std::string source = ATOLL_SOURCE_DIR;
constexpr std::size_t rows_per_layer = 2000;  // over all layers: genes and mappings far beyond the L2 cache

MappingSpace space_of(const std::string& accelerator, const std::string& network) {
  return {read_network(source + "/configs/networks/" + network + ".yaml"),
          read_accelerator(source + "/accelerators/" + accelerator + ".yaml"), "loopnest"};
}

/// Random rows of every layer, one after another.
std::vector<std::int32_t> random_rows(const MappingSpace& space) {
  const std::size_t width = space.schema(0).integer_width();
  std::vector<std::int32_t> rows(space.task_count() * rows_per_layer * width);
  std::size_t at = 0;
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    Random random({.seed = 1, .task = static_cast<std::uint32_t>(t)});
    for (std::size_t i = 0; i < rows_per_layer; ++i, at += width)
      random_row(space.schema(t), random, std::span(rows).subspan(at, width), {});
  }
  return rows;
}

void check_some(const MappingSpace& space, const std::vector<Mapping>& mappings) {
  for (std::size_t i = 0; i < mappings.size(); i += 97) {
    const std::string why = check(mappings[i], space.layer(i / rows_per_layer), space.accelerator(), true);
    if (!why.empty()) throw std::runtime_error("benchmark: a repaired mapping is not legal: " + why);
  }
}

void decode_repair(benchmark::State& state, const std::string& accelerator, const std::string& network) {
  const MappingSpace space = space_of(accelerator, network);
  const std::size_t width = space.schema(0).integer_width();
  const std::vector<std::int32_t> fresh = random_rows(space);
  std::vector<std::int32_t> rows;
  std::vector<Mapping> mappings(space.task_count() * rows_per_layer);
  for (auto _ : state) {
    state.PauseTiming();
    rows = fresh;
    state.ResumeTiming();
    for (std::size_t i = 0; i < mappings.size(); ++i)
      space.layer_space(i / rows_per_layer).repair(std::span(rows).subspan(i * width, width), mappings[i]);
    benchmark::DoNotOptimize(mappings.data());
  }
  check_some(space, mappings);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(mappings.size()));
}

/// Items are layers. `excess` is the geometric mean of EDP over the product of the layer's lower bounds.
void bounded_search(benchmark::State& state, const std::string& accelerator, const std::string& network) {
  const MappingSpace space = space_of(accelerator, network);
  BoundedSearchSettings settings;
  settings.budget = static_cast<std::uint32_t>(state.range(0));
  settings.cache = 0;
  BoundedSearch search(space.accelerator(), "loopnest", settings);
  double excess = 0;
  for (auto _ : state) {
    excess = 0;
    for (std::size_t t = 0; t < space.task_count(); ++t) {
      const auto found = search.find(space.layer(t));
      excess +=
          std::log(found->fitness / (found->costs[cost::bound_cycles] * found->costs[cost::bound_energy]));
    }
  }
  const auto layers = static_cast<double>(space.task_count());
  state.counters["excess"] = std::exp(excess / layers);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(space.task_count()));
}

BENCHMARK_CAPTURE(decode_repair, eyeriss_resnet18, "eyeriss", "resnet18")
    ->Name("decode_repair/eyeriss/resnet18");
BENCHMARK_CAPTURE(decode_repair, edge_resnet18, "edge", "resnet18")->Name("decode_repair/edge/resnet18");
BENCHMARK_CAPTURE(decode_repair, simba_mobilenet_v2, "simba", "mobilenet_v2")
    ->Name("decode_repair/simba/mobilenet_v2");
BENCHMARK_CAPTURE(bounded_search, eyeriss_resnet18, "eyeriss", "resnet18")
    ->Name("bounded_search/eyeriss/resnet18")
    ->Arg(100)
    ->Arg(400)
    ->Arg(1600);

}  // namespace
}  // namespace atl
