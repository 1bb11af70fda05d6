// How fast ZigZag's cost model, its allocator and LOMA run on the layers of ResNet-18. Items are loop orders.
#include "atoll/simulator/zigzag.hpp"

#include <benchmark/benchmark.h>

#include <map>
#include <string>

#include "../simulator/zigzag_cases.hpp"
#include "atoll/mapper/loma.hpp"
#include "atoll/network/network.hpp"
#include "instructions.hpp"

namespace {

constexpr std::size_t orders_of_a_layer = 1000;

struct Pool {
  std::vector<atl::ZigzagModel> models;
  std::vector<std::vector<atl::ZigzagMapping>> mappings;  // allocated, fresh orders of each model
};

std::vector<atl::ZigzagModel> models_of(const std::string& accelerator_name) {
  const std::string root = ATOLL_SOURCE_DIR;
  const auto accelerator =
      atl::read_zigzag_accelerator(root + "/accelerators/reference/zigzag/" + accelerator_name + ".yaml");
  const auto network = atl::read_network(root + "/configs/networks/resnet18.yaml");
  std::vector<atl::ZigzagModel> models;
  for (const auto& [index, count] : network.distinct(true)) {
    const atl::ZigzagLayer layer = atl::test::zigzag_layer(network.layers[index].layer);
    models.push_back(
        atl::compile_zigzag(accelerator, layer, atl::test::tpu_like_unrolling(accelerator, layer)));
  }
  return models;
}

const Pool& pool_of(const std::string& accelerator) {
  static std::map<std::string, Pool> pools;
  Pool& pool = pools[accelerator];
  if (!pool.models.empty()) return pool;
  pool.models = models_of(accelerator);
  atl::Random random({.seed = 1});
  for (const atl::ZigzagModel& model : pool.models) {
    auto& mappings = pool.mappings.emplace_back();
    while (mappings.size() < orders_of_a_layer) {
      atl::ZigzagMapping mapping;
      mapping.loops = atl::loma_factors(model, 6);
      atl::test::shuffle(mapping.loops, random);
      if (atl::allocate(model, mapping)) mappings.push_back(mapping);
    }
  }
  return pool;
}

template <class Work>
void run(benchmark::State& state, const std::string& accelerator, Work work) {
  const Pool& pool = pool_of(accelerator);
  atl::ZigzagCosts costs;
  std::size_t layer = 0;
  const atl::bench::Instructions instructions;
  for (auto _ : state) {
    for (const atl::ZigzagMapping& mapping : pool.mappings[layer]) {
      work(pool.models[layer], mapping, costs);
      benchmark::DoNotOptimize(costs.latency);
    }
    layer = (layer + 1) % pool.models.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * orders_of_a_layer));
  instructions.report(state, static_cast<std::size_t>(state.iterations()) * orders_of_a_layer);
}

void cost_model(benchmark::State& state, const std::string& accelerator) {
  run(state, accelerator, [](const auto& model, const auto& mapping, atl::ZigzagCosts& costs) {
    atl::evaluate(model, mapping, costs);
  });
}

void with_allocator(benchmark::State& state, const std::string& accelerator) {
  run(state, accelerator, [](const auto& model, const auto& mapping, atl::ZigzagCosts& costs) {
    atl::ZigzagMapping own;
    own.loops = mapping.loops;
    atl::allocate(model, own);
    atl::evaluate(model, own, costs);
  });
}

// All orders of all distinct layers; an iteration is the whole network.
void full_loma(benchmark::State& state, const std::string& accelerator) {
  const std::vector<atl::ZigzagModel> models = models_of(accelerator);
  std::uint64_t evaluated = 0;
  const atl::bench::Instructions instructions;
  for (auto _ : state)
    for (const atl::ZigzagModel& model : models) {
      const atl::LomaResult found = atl::loma(model, {});
      evaluated += found.evaluated;
      benchmark::DoNotOptimize(found.costs.latency);
    }
  state.SetItemsProcessed(static_cast<std::int64_t>(evaluated));
  instructions.report(state, evaluated);
}

BENCHMARK_CAPTURE(cost_model, tpu_like_resnet18, "tpu_like")->Name("zigzag/cost_model/tpu_like/resnet18");
BENCHMARK_CAPTURE(with_allocator, tpu_like_resnet18, "tpu_like")
    ->Name("zigzag/with_allocator/tpu_like/resnet18");
BENCHMARK_CAPTURE(full_loma, tpu_like_resnet18, "tpu_like")
    ->Name("zigzag/loma/tpu_like/resnet18")
    ->Unit(benchmark::kMillisecond);

}  // namespace
