// What others do with a store: plain h5py and pandas after seal, and the report tool on a sealed, a live and
// a killed store.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "atoll/base/random.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

struct Ran {
  int code = -1;
  std::string output;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 512> part{};
  while (std::fgets(part.data(), part.size(), pipe) != nullptr) ran.output += part.data();
  const int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

/// A Python with what the tools need, or "".
std::string python() {
  for (const char* name : {"/usr/bin/python3", "python3"})
    if (run(std::string(name) + " -c 'import h5py, pandas, matplotlib'").code == 0) return name;
  return {};
}

/// A run that looks like one of the mapping space: costs with levels and operands, fitness that improves.
StoreLayout network_like(bool sequential) {
  FakeSpace space{6, 0, 0, 0, 100, false, 0};
  StoreLayout layout = fake_layout(space, sequential ? 1 : 9, 4);
  layout.run_name = "resnet-like";
  layout.space = sequential ? "sequential" : "mapping";
  const std::array<const char*, 4> policies = {"greedy", "explorer", "annealed", "greedy"};
  for (std::size_t i = 0; i < layout.islands.size(); ++i) layout.islands[i].policy = policies[i];
  for (const char* name : {"cycles", "energy", "edp", "compute_energy", "network_energy", "leakage_energy"})
    layout.costs.push_back({name, std::string(name) == "cycles" ? "cycle" : "pJ", Keep::exact});
  for (const char* level : {"dram", "buffer", "ifmap_spad", "filter_spad", "psum_spad"})
    for (const char* operand : {"W", "I", "O"})
      for (const char* count : {"reads", "energy"})
        if (!sequential)
          layout.costs.push_back({std::string(level) + "." + operand + "." + count, "pJ", Keep::compact});
  return layout;
}

void improve(FakeBatch& b, const StoreLayout& layout, BatchName name, bool sequential) {
  const double level = 1e9 * (name.task + 1) / (1 + 0.3 * name.generation * (1 + 0.2 * name.island));
  const std::size_t width = layout.costs.size();
  for (std::uint32_t r = 0; r < b.batch.rows; ++r) {
    double* row = b.costs.data() + r * width;
    for (std::size_t c = 0; c < width; ++c)
      row[c] = level * (0.5 + row[c] * 1e-9) / (1.0 + static_cast<double>(c));
    b.fitness[r] = row[2] = row[0] * row[1];
    for (std::uint32_t l = 0; sequential && l < 12; ++l)
      b.layer_costs.push_back({r, l % 3 + 1, mix64(l), 0, level / (l + 1), level / (13 - l)});
  }
  b.migrations.clear();
  if (name.generation % 5 == 4)
    b.migrations.push_back({name.task, name.generation, (name.island + 3) % 4, name.island, 5,
                            name.island + 1, 4 - name.island});
}

std::unique_ptr<StoreWriter> write_network_like(const std::string& path, bool sequential) {
  const StoreLayout layout = network_like(sequential);
  auto writer = StoreWriter::create(path, layout);
  for (const BatchName& name : all_names(sequential ? 1 : 9, 30, 4)) {
    FakeBatch b = fake_batch(layout, {6, 0, 0, 0, 100, false, 0}, name);
    improve(b, layout, name, sequential);
    writer->append(pack_batch(layout, b.batch, b.migrations, b.layer_costs, {}));
  }
  writer->commit();
  return writer;
}

TEST(Python, ReadsASealedStoreWithPlainH5pyAndPandas) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "no Python with h5py, pandas and matplotlib";
  const FakeSpace space{5, 2, 3, 4, 50, true};
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, space, 9);
  const auto index = StoreReader::open(path)->index();
  double best = index.fitness[0];
  for (const double fitness : index.fitness) best = std::min(best, fitness);
  std::ofstream(folder.file("read.py")) << R"(
import sys, h5py, pandas as pd
f = h5py.File(sys.argv[1], "r")
n = f["commit"][:, 2].max()
df = pd.DataFrame(f["evaluations/headline"][:n], columns=f["evaluations/headline"].attrs["columns"].astype(str))
df["fitness"], df["island"] = f["evaluations/fitness"][:n], f["individuals/island"][:n]
assert list(df.columns[:3]) == ["h0", "h1", "h2"] and f["evaluations/headline"].attrs["units"][0] == b"pJ"
assert f["individuals/genes_integer"][:n]["g1"].max() > 127
assert all(len(f[t][c]) == n for t in ("individuals", "evaluations") for c in f[t] if isinstance(f[t][c], h5py.Dataset))
print(len(df), repr(float(df.fitness.min())), sorted(set(df.island)))
)";
  const Ran ran = run(interpreter + " " + folder.file("read.py") + " " + path);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.17g", best);
  ASSERT_EQ(ran.code, 0) << ran.output;
  EXPECT_EQ(ran.output.substr(0, ran.output.find(' ')), std::to_string(index.fitness.size()));
  EXPECT_EQ(std::strtod(ran.output.c_str() + ran.output.find(' '), nullptr), best) << text.data();
  EXPECT_NE(ran.output.find("[0, 1, 2]"), std::string::npos) << ran.output;
}

// Every row through the reader of tools/, against our own.
TEST(Python, TheReaderOfTheToolsSeesWhatTheStoreHolds) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "no Python with h5py, pandas and matplotlib";
  const FakeSpace space{5, 2, 3, 4, 50, true};
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, space, 9, 4);
  const auto reader = StoreReader::open(path);
  std::ofstream rows(folder.file("rows.txt"));
  rows.precision(17);
  for (std::uint64_t r = 0; r < reader->summary().rows; ++r) {
    const StoreRow row = reader->row(r);
    rows << row.task << ' ' << row.generation << ' ' << row.island << ' ' << row.slot << ' ' << row.parent_a
         << ' ' << int{row.origin} << ' ' << row.fitness << ' ' << row.violation;
    for (const auto gene : row.integers) rows << ' ' << gene;
    for (const auto gene : row.reals) rows << ' ' << gene;
    for (const auto cost : row.costs) rows << ' ' << cost;
    rows << ' ' << reader->layer_costs(r).size() << '\n';
  }
  rows.close();
  std::ofstream(folder.file("read.py")) << R"(
import sys
sys.path.insert(0, sys.argv[3])
from atoll_store import ORIGINS, InputError, Store, individual_id
store = Store(sys.argv[1])
people, judged, layers = store.individuals(), store.evaluations(), store.layer_costs()
counts = layers.groupby("evaluation").size()
genes = [c for c in people.columns if c[0] in "gx" and c[1:].isdigit()]
assert len(genes) == 7
costs = [c["name"] for c in store.layout["costs"]]
for r, line in enumerate(open(sys.argv[2])):
    want = [float(x) for x in line.split()]
    p, e = people.iloc[r], judged.iloc[r]
    have = [p.task, p.generation, p.island, p.slot, float(p.parent_a), ORIGINS.index(p.origin), e.fitness, e.violation]
    have += [float(p[g]) for g in genes] + [float(e[c]) for c in costs] + [counts.get(r, 0)]
    assert have == want, (r, have, want)
    assert p.id == e.id == individual_id(p.task, p.generation, p.island, p.slot) and store.row_of(p.id) == r
assert len(people) == r + 1 and len(store.generations()) == 54 and len(store.migrations()) > 0
one = store.evaluations(task=1)
assert len(one) and (store.individuals(rows=one.index).task == 1).all()
assert list(store.evaluations(rows=[7, 3, 7]).index) == [7, 3, 7]
assert set(layers.mapping) <= set(store.mappings().index)
assert all(str(key) in text for key, text in store.mappings().items())
best = store.best_rows()
for task, row in best.items():
    mine = judged[(people.task == task) & judged.feasible]
    assert mine.fitness.min() == judged.fitness[row]
assert store.lineage(people.id[5]).index[0] == 5
for wrong in (dict(task=9), dict(rows=[10**6])):
    try:
        store.individuals(**wrong)
        sys.exit("no refusal")
    except InputError:
        pass
)";
  const Ran ran = run(interpreter + " " + folder.file("read.py") + " " + path + " " +
                      folder.file("rows.txt") + " " ATOLL_SOURCE_DIR "/tools");
  EXPECT_EQ(ran.code, 0) << ran.output;
  const Ran table =
      run(interpreter + " " ATOLL_SOURCE_DIR "/tools/atoll_store.py --table generations " + path);
  EXPECT_EQ(table.code, 0);
  EXPECT_EQ(std::count(table.output.begin(), table.output.end(), '\n'), 55) << table.output;
}

TEST(Report, DrawsSealedLiveAndKilledStores) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "no Python with h5py, pandas and matplotlib";
  const char* keep = std::getenv("ATOLL_KEEP_PICTURES");
  for (const bool sequential : {false, true}) {
    const Folder folder;
    const std::string live = folder.file("live.h5"), killed = folder.file("killed.h5"),
                      sealed = folder.file("sealed.h5");
    {
      const auto writer = write_network_like(live, sequential);
      std::filesystem::copy(live, killed);
      const std::string out = " --out " + folder.file("live");
      const Ran ran = sequential
                          ? Ran{0, {}}
                          : run(interpreter + " " ATOLL_SOURCE_DIR "/tools/atoll_report.py " + live + out);
      EXPECT_EQ(ran.code, 0) << ran.output;
      writer->seal();
    }
    std::filesystem::rename(live, sealed);
    const std::string path = sequential ? sealed : killed;
    {
      const std::string out =
          keep != nullptr ? std::string(keep) + (sequential ? "/seq" : "/map") : folder.file("out");
      const Ran ran =
          run(interpreter + " " ATOLL_SOURCE_DIR "/tools/atoll_report.py --out " + out + " " + path);
      EXPECT_EQ(ran.code, 0) << ran.output;
      for (const char* name : {"convergence.png", "breakdown.png", "migrations.png"}) {
        EXPECT_NE(ran.output.find(out + "/" + name + "\n"), std::string::npos) << ran.output;
        EXPECT_GT(std::filesystem::file_size(out + "/" + name), 10000U);
        if (keep == nullptr) std::filesystem::remove(out + "/" + name);
      }
    }
  }
}

TEST(Report, SaysWhatIsWrong) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "no Python with h5py, pandas and matplotlib";
  const Folder folder;
  std::ofstream(folder.file("text.h5")) << "hello";
  std::ofstream(folder.file("empty.h5")).flush();
  for (const char* name : {"missing.h5", "text.h5", "empty.h5"}) {
    const Ran ran = run(interpreter + " " ATOLL_SOURCE_DIR "/tools/atoll_report.py " + folder.file(name));
    EXPECT_EQ(ran.code, 2) << ran.output;
    EXPECT_EQ(ran.output.find("Traceback"), std::string::npos);
    EXPECT_NE(ran.output.find(name), std::string::npos);
  }
}

}  // namespace
}  // namespace atl::testing
