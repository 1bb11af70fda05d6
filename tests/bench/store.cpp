// What recording an individual costs: packing, appending and committing batches of 200 rows as the mapping
// space makes them (61 integer genes, 13 headline and 40 breakdown columns), against the plainest thing one
// could do, lines of JSON.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"

namespace atl {
namespace {

constexpr std::size_t genes = 61, headline = 13, breakdown = 40, rows = 200;

std::string numbered(char letter, std::size_t number) {
  std::string name(1, letter);
  return name.append(std::to_string(number));
}

StoreLayout bench_layout() {
  StoreLayout layout;
  layout.run_name = "bench";
  layout.space = "mapping";
  StoreTask task{"layer", 1, 1e8, "conv", {}, {}, {}, {}, {}};
  for (std::size_t i = 0; i < genes; ++i) layout.integer_genes.push_back({numbered('g', i), "range"});
  for (std::size_t i = 0; i < headline; ++i) layout.costs.push_back({numbered('h', i), "pJ", Keep::exact});
  for (std::size_t i = 0; i < breakdown; ++i)
    layout.costs.push_back({numbered('b', i), "word", Keep::compact});
  task.integer_low.assign(genes, 0);
  task.integer_high.assign(genes, 512);
  layout.tasks.push_back(task);
  layout.islands.assign(4, {"greedy"});
  return layout;
}

/// A pool larger than the second-level cache, so that rows come from memory as they would in a run.
struct Pool {
  std::vector<std::int32_t> integers;
  std::vector<double> costs, fitness, violation;
  std::vector<std::uint64_t> parents;
  std::vector<std::uint8_t> origin;
  static constexpr std::size_t batches = 40;
  Pool() {
    Random random({1, Purpose::test, 0, 0, 0, 0});
    for (std::size_t i = 0; i < batches * rows * genes; ++i) integers.push_back(random.between(0, 512));
    for (std::size_t i = 0; i < batches * rows * (headline + breakdown); ++i)
      costs.push_back(random.uniform() * 1e9);
    for (std::size_t i = 0; i < batches * rows; ++i) {
      fitness.push_back(random.uniform());
      parents.push_back(random.next64());
      origin.push_back(static_cast<std::uint8_t>(random.below(6)));
    }
    violation.assign(batches * rows, 0);
  }
  StoreBatch batch(std::uint32_t number) const {
    const std::size_t first = number % batches * rows;
    const auto part = [first](const auto& values, std::size_t width) {
      return std::span(values).subspan(first * width, rows * width);
    };
    return {0,
            number / 4,
            number % 4,
            rows,
            part(integers, genes),
            {},
            part(costs, headline + breakdown),
            part(fitness, 1),
            part(violation, 1),
            part(parents, 1),
            part(parents, 1),
            part(origin, 1)};
  }
};

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "atoll-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void count(benchmark::State& state, std::uint64_t bytes, std::uint64_t individuals) {
  state.SetItemsProcessed(static_cast<std::int64_t>(individuals));
  if (individuals == 0) return;
  state.counters["bytes/individual"] = static_cast<double>(bytes) / static_cast<double>(individuals);
}

void record(benchmark::State& state) {
  const Pool pool;
  const StoreLayout layout = bench_layout();
  const Scratch scratch;
  const auto writer = StoreWriter::create(scratch.file("results.h5"), layout);
  std::uint32_t number = 0;
  for (auto step : state) {
    static_cast<void>(step);
    writer->append(pack_batch(layout, pool.batch(number), {}, {}, {}));
    if (++number % static_cast<std::uint32_t>(state.range(0)) == 0) writer->commit();
  }
  writer->commit();
  count(state, writer->bytes(), writer->rows());
}

void pack(benchmark::State& state) {
  const Pool pool;
  const StoreLayout layout = bench_layout();
  std::uint32_t number = 0;
  std::size_t bytes = 0;
  for (auto step : state) {
    static_cast<void>(step);
    const auto packed = pack_batch(layout, pool.batch(number++), {}, {}, {});
    bytes += packed.size();
    benchmark::DoNotOptimize(packed.data());
  }
  count(state, bytes, number * rows);
}

void json_lines(benchmark::State& state) {
  const Pool pool;
  const Scratch scratch;
  std::FILE* file = std::fopen(scratch.file("results.jsonl").c_str(), "w");
  if (file == nullptr) return state.SkipWithError("no file");
  std::uint32_t number = 0;
  for (auto step : state) {
    static_cast<void>(step);
    const StoreBatch batch = pool.batch(number++);
    for (std::size_t r = 0; r < rows; ++r) {
      std::fprintf(file, "{\"generation\":%u,\"island\":%u,\"genes\":[", batch.generation, batch.island);
      for (std::size_t i = 0; i < genes; ++i)
        std::fprintf(file, i == 0 ? "%d" : ",%d", batch.integers[r * genes + i]);
      std::fputs("],\"costs\":[", file);
      constexpr std::size_t width = headline + breakdown;
      for (std::size_t i = 0; i < width; ++i)
        std::fprintf(file, i == 0 ? "%.9g" : ",%.9g", batch.costs[r * width + i]);
      std::fprintf(file, "],\"fitness\":%.17g}\n", batch.fitness[r]);
    }
  }
  const long bytes = std::ftell(file);
  std::fclose(file);
  count(state, static_cast<std::uint64_t>(bytes), number * rows);
}

void digest(benchmark::State& state) {
  const Pool pool;
  const StoreLayout layout = bench_layout();
  const Scratch scratch;
  const auto writer = StoreWriter::create(scratch.file("results.h5"), layout);
  for (std::uint32_t number = 0; number < 400; ++number)
    writer->append(pack_batch(layout, pool.batch(number), {}, {}, {}));
  writer->seal();
  std::int64_t individuals = 0;
  for (auto step : state) {
    static_cast<void>(step);
    benchmark::DoNotOptimize(store_digest(scratch.file("results.h5")));
    individuals += 400 * rows;
  }
  state.SetItemsProcessed(individuals);
}

// A fixed number of batches, so that a run writes 90 MB (20 MB as JSON lines) and not what a second holds.
BENCHMARK(pack)->Name("store/pack_batch/rows200");
BENCHMARK(record)->Name("store/record/rows200/commit_every")->Arg(1000)->Arg(100)->Arg(10)->Iterations(1000);
BENCHMARK(json_lines)->Name("store/json_lines/rows200")->Iterations(100);
BENCHMARK(digest)->Name("store/digest/rows200");

}  // namespace
}  // namespace atl
