// How fast mappings are costed: a pool of fresh legal mappings of every multiplying layer, larger than the L2
// cache, in batches of the size of a population. Items are mappings. The tests of the simulator compare
// mappings from the same generator with the executed reference, on layers small enough for it.
#include "atoll/simulator/simulator.hpp"

#include <benchmark/benchmark.h>

#include <string>

#include "../simulator/random_cases.hpp"
#include "atoll/network/network.hpp"

namespace {

constexpr std::size_t batch_size = 256;
constexpr std::size_t pool_size = 8192;

struct Pool {
  std::vector<atl::Layer> layers;                  // one per batch
  std::vector<std::vector<atl::Mapping>> batches;  // of batch_size each
};

Pool make_pool(const atl::Network& network, const atl::Accelerator& accelerator) {
  const auto distinct = network.distinct(true);
  Pool pool;
  for (std::uint32_t b = 0; b < pool_size / batch_size; ++b) {
    atl::Random random = atl::test::stream(b, 3);
    const atl::Layer& layer = network.layers[distinct[b % distinct.size()].first].layer;
    pool.layers.push_back(layer);
    auto& batch = pool.batches.emplace_back();
    while (batch.size() < batch_size)
      batch.push_back(atl::test::random_fitting_mapping(random, layer, accelerator));
  }
  return pool;
}

void loopnest(benchmark::State& state, const std::string& accelerator_name, const std::string& network_name) {
  const std::string root = ATOLL_SOURCE_DIR;
  const auto accelerator = atl::read_accelerator(root + "/accelerators/" + accelerator_name + ".yaml");
  const auto network = atl::read_network(root + "/configs/networks/" + network_name + ".yaml");
  const auto simulator = atl::make_simulator("loopnest", accelerator);
  const atl::HardwareRow hardware = atl::hardware_row(accelerator);
  const Pool pool = make_pool(network, accelerator);
  std::vector<double> costs(batch_size * simulator->schema().width());
  std::size_t b = 0;
  for (auto _ : state) {
    simulator->evaluate({{&pool.layers[b], 1}, {&hardware, 1}, pool.batches[b]}, costs);
    benchmark::DoNotOptimize(costs.data());
    b = (b + 1) % pool.batches.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_size));
}

BENCHMARK_CAPTURE(loopnest, eyeriss_resnet18, "eyeriss", "resnet18")->Name("loopnest/eyeriss/resnet18");
BENCHMARK_CAPTURE(loopnest, eyeriss_mobilenet_v2, "eyeriss", "mobilenet_v2")
    ->Name("loopnest/eyeriss/mobilenet_v2");
BENCHMARK_CAPTURE(loopnest, simba_resnet50, "simba", "resnet50")->Name("loopnest/simba/resnet50");

}  // namespace
