// How fast mappings are costed: a pool of fresh legal mappings of every multiplying layer, larger than the L2
// cache, in batches of one layer each. Items are mappings. The tests of the simulator compare mappings from
// the same generator with the executed reference, on layers small enough for it. Instructions per mapping
// stand beside the times where the system lets a program count them.
#include "atoll/simulator/simulator.hpp"

#include <benchmark/benchmark.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "../../src/simulator/loopnest_batch.hpp"
#include "../simulator/random_cases.hpp"
#include "atoll/network/network.hpp"

namespace {

constexpr std::size_t pool_size = 12000;

// Instructions of this program outside the kernel, by the processor's own counter.
class InstructionCounter {
 public:
  InstructionCounter() {
    perf_event_attr what{};
    what.type = PERF_TYPE_HARDWARE;
    what.size = sizeof(what);
    what.config = PERF_COUNT_HW_INSTRUCTIONS;
    what.exclude_kernel = 1;
    what.exclude_hv = 1;
    file_ = static_cast<int>(syscall(SYS_perf_event_open, &what, 0, -1, -1, 0));
  }
  ~InstructionCounter() {
    if (counts()) close(file_);
  }
  InstructionCounter(const InstructionCounter&) = delete;
  InstructionCounter& operator=(const InstructionCounter&) = delete;

  bool counts() const { return file_ >= 0; }
  double so_far() const {
    std::uint64_t count = 0;
    return counts() && read(file_, &count, sizeof(count)) == sizeof(count) ? static_cast<double>(count) : 0;
  }

 private:
  int file_ = -1;
};

struct Pool {
  std::vector<atl::Layer> layers;  // one per batch
  std::vector<std::vector<atl::Mapping>> batches;
};

Pool make_pool(const atl::Network& network, const atl::Accelerator& accelerator, std::size_t batch_size) {
  const auto distinct = network.distinct(true);
  Pool pool;
  for (std::uint32_t b = 0; b < std::max(pool_size / batch_size, distinct.size()); ++b) {
    atl::Random random = atl::test::stream(b, 3);
    const atl::Layer& layer = network.layers[distinct[b % distinct.size()].first].layer;
    pool.layers.push_back(layer);
    auto& batch = pool.batches.emplace_back();
    while (batch.size() < batch_size)
      batch.push_back(atl::test::random_fitting_mapping(random, layer, accelerator));
  }
  return pool;
}

struct Setting {
  std::string accelerator, network;
  std::size_t batch_size;
  std::string version;  // of the program for kinds of machines; empty: the fastest that runs here
};

const atl::loopnest::BatchVersion& version_of(const Setting& setting) {
  for (const auto& version : atl::loopnest::batch_versions())
    if (version.name == setting.version) return version;
  return atl::loopnest::best_version();
}

void loopnest(benchmark::State& state, const Setting& setting) {
  if (!version_of(setting).runs_here) return state.SkipWithError("this machine cannot run it");
  const std::string root = ATOLL_SOURCE_DIR;
  const auto accelerator = atl::read_accelerator(root + "/accelerators/" + setting.accelerator + ".yaml");
  const auto network = atl::read_network(root + "/configs/networks/" + setting.network + ".yaml");
  const auto simulator = atl::loopnest::make_loopnest(accelerator, version_of(setting));
  const atl::HardwareRow hardware = atl::hardware_row(accelerator);
  const Pool pool = make_pool(network, accelerator, setting.batch_size);
  std::vector<double> costs(setting.batch_size * simulator->schema().width());
  std::size_t b = 0;
  const InstructionCounter instructions;
  const double before = instructions.so_far();
  for (auto _ : state) {
    simulator->evaluate({{&pool.layers[b], 1}, {&hardware, 1}, pool.batches[b]}, costs);
    benchmark::DoNotOptimize(costs.data());
    b = (b + 1) % pool.batches.size();
  }
  const auto rows = static_cast<double>(state.iterations() * setting.batch_size);
  if (instructions.counts())
    state.counters["instructions_per_item"] = (instructions.so_far() - before) / rows;
  else
    state.SetLabel("instructions are not counted here");
  state.SetItemsProcessed(static_cast<std::int64_t>(rows));
}

const bool registered = [] {
  const auto add = [](const Setting& setting) {
    std::string name =
        "loopnest/" + setting.accelerator + "/" + setting.network + "/" + std::to_string(setting.batch_size);
    if (!setting.version.empty()) name += "/" + setting.version;
    benchmark::RegisterBenchmark(name.c_str(),
                                 [setting](benchmark::State& state) { loopnest(state, setting); });
  };
  for (const std::size_t batch_size : {1000, 200}) {
    add({"eyeriss", "resnet18", batch_size, ""});
    add({"eyeriss", "mobilenet_v2", batch_size, ""});
    add({"simba", "resnet18", batch_size, ""});
    add({"simba", "resnet50", batch_size, ""});
  }
  for (const auto& version : atl::loopnest::batch_versions())
    for (const char* accelerator : {"eyeriss", "simba"})
      add({accelerator, "resnet18", 1000, std::string(version.name)});
  return true;
}();

}  // namespace
