// How fast MAESTRO's model costs mappings: a pool of fresh random mappings of ResNet-18's distinct layers,
// larger than the L2 cache, all columns. Items are mappings. Layers as GAMMA lists them: input sizes, stride
// and padding left out.
#include "atoll/simulator/datacentric.hpp"

#include <benchmark/benchmark.h>

#include <vector>

#include "../simulator/datacentric_cases.hpp"
#include "instructions.hpp"

namespace {

constexpr std::size_t batch_size = 1000;

// K, C, Y, X, R, S
constexpr std::array<atl::DataSizes, 11> resnet18 = {{{64, 3, 224, 224, 7, 7},
                                                      {64, 64, 56, 56, 3, 3},
                                                      {128, 64, 56, 56, 3, 3},
                                                      {128, 64, 56, 56, 1, 1},
                                                      {128, 128, 28, 28, 3, 3},
                                                      {256, 128, 28, 28, 3, 3},
                                                      {256, 128, 28, 28, 1, 1},
                                                      {256, 256, 14, 14, 3, 3},
                                                      {512, 256, 14, 14, 3, 3},
                                                      {512, 256, 14, 14, 1, 1},
                                                      {512, 512, 7, 7, 3, 3}}};

void datacentric(benchmark::State& state, std::size_t levels, const char* platform, std::int32_t bandwidth) {
  atl::DatacentricHardware hardware = atl::read_datacentric_hardware(
      std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/maestro/" + platform + ".yaml");
  if (bandwidth != 0) hardware.noc_bandwidth = hardware.offchip_bandwidth = bandwidth;
  std::vector<atl::DatacentricLayer> layers;
  std::vector<std::vector<atl::DatacentricMapping>> batches;
  for (std::uint32_t b = 0; b < 2 * resnet18.size(); ++b) {
    atl::Random random({.seed = 18, .task = static_cast<std::uint32_t>(levels), .individual = b});
    layers.push_back({.size = resnet18[b % resnet18.size()]});
    auto& batch = batches.emplace_back();
    for (std::size_t i = 0; i < batch_size; ++i)
      batch.push_back(atl::test::random_data_mapping(random, layers.back(), hardware.pes, levels));
  }
  atl::DatacentricCost cost;
  std::size_t b = 0;
  const atl::bench::Instructions instructions;
  for (auto _ : state) {
    for (const atl::DatacentricMapping& mapping : batches[b]) {
      atl::datacentric_evaluate(mapping, layers[b], hardware, cost);
      benchmark::DoNotOptimize(&cost);
      benchmark::ClobberMemory();
    }
    b = (b + 1) % batches.size();
  }
  instructions.report(state, state.iterations() * batch_size);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch_size));
}

BENCHMARK_CAPTURE(datacentric, edge_1, 1, "edge", 0)->Name("datacentric/edge/resnet18/1_level");
BENCHMARK_CAPTURE(datacentric, edge_2, 2, "edge", 0)->Name("datacentric/edge/resnet18/2_levels");
BENCHMARK_CAPTURE(datacentric, edge_2_64, 2, "edge", 64)->Name("datacentric/edge/resnet18/2_levels/64_wide");
BENCHMARK_CAPTURE(datacentric, edge_3, 3, "edge", 0)->Name("datacentric/edge/resnet18/3_levels");
BENCHMARK_CAPTURE(datacentric, cloud_2, 2, "cloud", 0)->Name("datacentric/cloud/resnet18/2_levels");
BENCHMARK_CAPTURE(datacentric, cloud_2_64, 2, "cloud", 64)
    ->Name("datacentric/cloud/resnet18/2_levels/64_wide");

}  // namespace
