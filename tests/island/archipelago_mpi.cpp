// The same archipelago at 1 to 8 ranks: every store must have the digest of the run in one process, for every
// topology and for one, four and five islands, with and without stops, resumed by as many ranks or by one,
// and after a full disk.
#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>

#include <atomic>

#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"
#include "atoll/island/archipelago.hpp"
#include "atoll/store/reader.hpp"
#include "fake_communicator.hpp"
#include "toy.hpp"

namespace atl {
namespace {

using namespace testing_island;

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  fmt::print(stderr, "FAILED: {}\n", what);
}

struct Setup {
  std::uint32_t islands;
  TopologyKind kind;
};

using Change = std::function<void(ArchipelagoSettings&)>;

ArchipelagoReport go(Communicator& world, const Setup& setup, const std::string& folder,
                     const Change& change = {}) {
  ToySpace space;
  ArchipelagoSettings run = settings(setup.islands, setup.kind, folder, space);
  if (change) change(run);
  return run_archipelago(run, space, world, {}, {});
}

void resume(ArchipelagoSettings& run) {
  run.resume = true;
}

/// All ranks know the folder; rank 0 makes and removes it.
class SharedFolder {
 public:
  explicit SharedFolder(Communicator& world)
      : world_(world), own_("mpi", world.rank() == 0), path_(own_.path().begin(), own_.path().end()) {
    path_ = world.broadcast(path_);
  }
  void renew() {
    world_.barrier();
    if (world_.rank() == 0) own_.renew();
    world_.barrier();
  }
  std::string path() const { return {path_.begin(), path_.end()}; }

 private:
  Communicator& world_;
  Folder own_;
  std::vector<std::uint8_t> path_;
};

struct Bench {
  Communicator& world;
  SharedFolder folder;

  bool first() const { return world.rank() == 0; }
  ArchipelagoReport together(const Setup& setup, const Change& change = {}) {
    return go(world, setup, folder.path(), change);
  }
  /// Rank 0 goes on in one process while the others wait: another number of ranks.
  ArchipelagoReport alone(const Setup& setup, const Change& change) {
    ArchipelagoReport report;
    world.barrier();
    if (first()) {
      FakeCommunicator one;
      report = go(one, setup, folder.path(), change);
    }
    world.barrier();
    return report;
  }
  void expect_digest(const std::string& digest, const Setup& setup, const char* what) {
    if (!first()) return;
    expect(store_digest(store_of(folder.path())) == digest,
           fmt::format("{} ranks, {} islands, topology {}: {}", world.size(), setup.islands,
                       static_cast<int>(setup.kind), what));
  }
};

void same_at_any_number_of_ranks(Bench& bench, const Setup& setup) {
  bench.folder.renew();
  std::string digest;
  bench.alone(setup, {});
  if (bench.first()) digest = store_digest(store_of(bench.folder.path()));

  bench.folder.renew();
  const auto whole = bench.together(setup, [](auto& run) { run.checkpoint.every_generations = 4; });
  expect(whole.finished, "a whole run is finished on every rank");
  bench.expect_digest(digest, setup, "whole run");

  bench.folder.renew();
  expect(!bench.together(setup, [](auto& run) { run.stop_after = 9; }).finished, "stopped on every rank");
  expect(bench.together(setup, resume).finished, "resumed to the end on every rank");
  bench.expect_digest(digest, setup, "stopped and resumed");

  bench.folder.renew();
  bench.together(setup, [](auto& run) { run.stop_after = 6; });
  bench.alone(setup, [](auto& run) {
    run.resume = true;
    run.stop_after = 9;
  });
  expect(bench.together(setup, resume).finished, "resumed to the end after another number of ranks");
  bench.expect_digest(digest, setup, "resumed by one rank and again by all");
}

void finished_is_finished(Bench& bench) {
  const Setup setup{4, TopologyKind::ring};
  bench.folder.renew();
  const auto first = bench.together(setup);
  const auto again = bench.together(setup, resume);
  expect(again.finished && again.evaluations == 0, "finished at once");
  expect(again.edges.size() == (bench.first() ? 4U : 0U) && first.edges.size() == again.edges.size(),
         "edges are reported on rank 0");
  bool refused = false;
  try {
    bench.together(setup);
  } catch (const InputError&) {
    refused = true;
  }
  expect(refused, "every rank learns that the run exists");
}

/// The disk is full for rank 0 while the run goes on: every rank ends with the same error, and the run can be
/// resumed.
void full_disk(Bench& bench, bool wide_store) {
  const Setup setup{5, TopologyKind::complete};
  const auto longer = [](ArchipelagoSettings& run) {
    run.generations = 150;
    run.checkpoint.every_generations = 20;
  };
  bench.folder.renew();
  bench.alone(setup, longer);
  std::string digest;
  std::uint64_t bytes = 0;
  if (bench.first()) {
    digest = store_digest(store_of(bench.folder.path()));
    bytes = std::filesystem::file_size(store_of(bench.folder.path()));
  }
  bench.folder.renew();
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  if (bench.first()) {
    rlimit less = before;
    less.rlim_cur = wide_store ? bytes / 2 : 4000;  // of the second, checkpoints suffer
    setrlimit(RLIMIT_FSIZE, &less);
  }
  std::string told;
  try {
    bench.together(setup, longer);
  } catch (const ResourceError& error) {
    told = error.what();
  }
  setrlimit(RLIMIT_FSIZE, &before);
  expect(!told.empty(), fmt::format("rank {} learns of the full disk", bench.world.rank()));
  const auto all = bench.world.gather({told.begin(), told.end()});
  for (const auto& text : all) expect(text == all.front(), "every rank tells the same failure");
  if (!wide_store) return;
  const auto report = bench.together(setup, [&](auto& run) {
    longer(run);
    run.resume = true;
  });
  expect(report.finished, "after a full disk the run goes on");
  bench.expect_digest(digest, setup, "after a full disk");
}

constexpr TopologyKind all_kinds[] = {
    TopologyKind::isolated, TopologyKind::ring,      TopologyKind::both_ways_ring,
    TopologyKind::torus,    TopologyKind::hypercube, TopologyKind::star,
    TopologyKind::complete, TopologyKind::random_k,  TopologyKind::edges};

void test_all(Communicator& world) {
  Bench bench{world, SharedFolder(world)};
  for (const TopologyKind kind : all_kinds) same_at_any_number_of_ranks(bench, {5, kind});
  for (const TopologyKind kind : {TopologyKind::ring, TopologyKind::star})
    same_at_any_number_of_ranks(bench, {4, kind});
  same_at_any_number_of_ranks(bench, {1, TopologyKind::ring});
  finished_is_finished(bench);
  full_disk(bench, true);
  full_disk(bench, false);
}

}  // namespace
}  // namespace atl

int main(int argc, char** argv) {
  using namespace atl;
  signal(SIGXFSZ, SIG_IGN);
  const auto world = Communicator::start(argc, argv);
  start_log(Verbosity::quiet, world->rank(), world->size());
  try {
    test_all(*world);
  } catch (const std::exception& error) {
    fmt::print(stderr, "FAILED: rank {}: {}\n", world->rank(), error.what());
    world->abort(1);
  }
  const std::int64_t mine = failures;
  const std::int64_t worst = world->agree_max({&mine, 1})[0];
  world->finish();
  return worst == 0 ? 0 : 1;
}
