// How fast mappings are costed whose tiles do not divide: as in simulator.cpp, but none of a batch divides.
#include <benchmark/benchmark.h>

#include <string>

#include "../simulator/random_cases.hpp"
#include "atoll/network/network.hpp"

namespace {

constexpr std::size_t batch_size = 256;
constexpr std::size_t batches = 16;

void clipped(benchmark::State& state, const std::string& accelerator_name, const std::string& network_name) {
  const std::string root = ATOLL_SOURCE_DIR;
  const auto accelerator = atl::read_accelerator(root + "/accelerators/" + accelerator_name + ".yaml");
  const auto network = atl::read_network(root + "/configs/networks/" + network_name + ".yaml");
  const auto simulator = atl::make_simulator("loopnest", accelerator);
  const atl::HardwareRow hardware = atl::hardware_row(accelerator);
  const auto distinct = network.distinct(true);
  std::vector<atl::Layer> layers;
  std::vector<std::vector<atl::Mapping>> pool(batches);
  for (std::uint32_t b = 0; b < batches; ++b) {
    atl::Random random = atl::test::stream(b, 9);
    layers.push_back(network.layers[distinct[b % distinct.size()].first].layer);
    while (pool[b].size() < batch_size) {
      const auto mapping = atl::test::random_clipped_fitting_mapping(random, layers[b], accelerator);
      if (!atl::check(mapping, layers[b], accelerator, true).empty()) pool[b].push_back(mapping);
    }
  }
  std::vector<double> costs(batch_size * simulator->schema().width());
  std::size_t b = 0;
  for (auto _ : state) {
    simulator->evaluate({{&layers[b], 1}, {&hardware, 1}, pool[b]}, costs);
    benchmark::DoNotOptimize(costs.data());
    b = (b + 1) % batches;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_size));
}

BENCHMARK_CAPTURE(clipped, eyeriss_resnet18, "eyeriss", "resnet18")->Name("clipped/eyeriss/resnet18");
BENCHMARK_CAPTURE(clipped, simba_resnet18, "simba", "resnet18")->Name("clipped/simba/resnet18");

}  // namespace
