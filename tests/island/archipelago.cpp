// Whole runs in one process: what is recorded, how runs stop and go on, and that neither a stop nor a kill
// changes a bit. The same at several ranks stands in archipelago_mpi.cpp.
#include "atoll/island/archipelago.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"
#include "atoll/base/random.hpp"
#include "atoll/store/reader.hpp"
#include "fake_communicator.hpp"
#include "toy.hpp"

namespace atl {
namespace {

using namespace testing_island;

constexpr TopologyKind all_kinds[] = {
    TopologyKind::isolated, TopologyKind::ring,      TopologyKind::both_ways_ring,
    TopologyKind::torus,    TopologyKind::hypercube, TopologyKind::star,
    TopologyKind::complete, TopologyKind::random_k,  TopologyKind::edges};

struct Setup {
  std::uint32_t islands = 5;
  TopologyKind kind = TopologyKind::ring;
};

ArchipelagoReport go(const Setup& setup, const std::string& folder,
                     const std::function<void(ArchipelagoSettings&)>& change = {},
                     const std::function<bool()>& stop = {},
                     const std::function<void(const Progress&)>& progress = {}) {
  start_log(Verbosity::quiet, 0, 1);
  ToySpace space;
  FakeCommunicator world;
  ArchipelagoSettings run = settings(setup.islands, setup.kind, folder, space);
  if (change) change(run);
  return run_archipelago(run, space, world, stop, progress);
}

std::string digest_of_whole_run(const Setup& setup,
                                const std::function<void(ArchipelagoSettings&)>& change = {}) {
  const Folder folder("whole");
  EXPECT_TRUE(go(setup, folder.path(), change).finished);
  return store_digest(store_of(folder.path()));
}

void resume(ArchipelagoSettings& run) {
  run.resume = true;
}

TEST(Archipelago, IslandsAreSpreadInEvenBlocks) {
  for (std::uint32_t islands = 1; islands <= 20; ++islands) {
    for (std::uint32_t ranks = 1; ranks <= 20; ++ranks) {
      std::map<std::uint32_t, std::uint32_t> load;
      for (std::uint32_t i = 0; i < islands; ++i) {
        const std::uint32_t rank = rank_of_island(i, islands, ranks);
        ASSERT_LT(rank, ranks);
        if (i > 0) {
          ASSERT_GE(rank, rank_of_island(i - 1, islands, ranks));
        }
        ++load[rank];
      }
      ASSERT_EQ(load.size(), std::min(islands, ranks));
      for (const auto& [rank, count] : load) ASSERT_LE(count, (islands + ranks - 1) / ranks);
    }
  }
}

TEST(Archipelago, RecordsEveryIndividualOfEveryGeneration) {
  const Folder folder("all");
  const auto report = go({.islands = 4, .kind = TopologyKind::ring}, folder.path());
  EXPECT_TRUE(report.finished);
  const auto reader = StoreReader::open(store_of(folder.path()));
  EXPECT_TRUE(reader->summary().sealed);
  EXPECT_EQ(reader->summary().batches, 2U * 14U * 4U);
  EXPECT_EQ(reader->summary().rows, report.evaluations);
  EXPECT_EQ(report.acknowledged_batches, 2U * 14U * 4U);
  EXPECT_EQ(report.synced_batches, report.acknowledged_batches);
  std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> seen;
  for (const auto& batch : reader->batches()) seen.insert({batch.task, batch.generation, batch.island});
  EXPECT_EQ(seen.size(), 2U * 14U * 4U);
}

TEST(Archipelago, RepairedGenesAndJudgedCostsAreStored) {
  const Folder folder("judged");
  go({}, folder.path());
  ToySpace space(2);
  const Objective objective = settings(5, TopologyKind::ring, "", space).objective;
  const auto reader = StoreReader::open(store_of(folder.path()));
  for (std::uint64_t r = 0; r < reader->summary().rows; r += 37) {
    const StoreRow row = reader->row(r);
    EXPECT_EQ(row.integers[0] % 2, 0);
    EXPECT_EQ(row.fitness, objective.fitness(row.costs));
    EXPECT_GE(row.violation, objective.violation(row.costs));
  }
}

TEST(Archipelago, MigrationsOfStoreAndReportAgreeAndFollowTheEdges) {
  for (const TopologyKind kind : all_kinds) {
    const Folder folder("edges");
    const auto report = go({.islands = 5, .kind = kind}, folder.path());
    ToySpace space;
    const auto run = settings(5, kind, "", space);
    const auto edges = make_edges(run.migration.topology, 5, run.seed);
    ASSERT_EQ(report.edges.size(), edges.size());
    std::map<std::pair<std::uint32_t, std::uint32_t>, EdgeTraffic> from_store;
    const auto reader = StoreReader::open(store_of(folder.path()));
    for (const StoreMigration& m : reader->migrations()) {
      EXPECT_EQ(m.generation % 3, 0U);
      EXPECT_EQ(m.sent, m.accepted + m.rejected);
      auto& sum = from_store[{m.from, m.to}];
      sum.sent += m.sent;
      sum.accepted += m.accepted;
      sum.rejected += m.rejected;
    }
    for (const EdgeTraffic& edge : report.edges) {
      const auto& sum = from_store[{edge.from, edge.to}];
      EXPECT_EQ(edge.sent, 2U * 4U * 4U);  // tasks, rounds after generations 3, 6, 9 and 12, elites
      EXPECT_EQ(edge.sent, sum.sent);
      EXPECT_EQ(edge.accepted, sum.accepted);
      EXPECT_EQ(edge.rejected, sum.rejected);
    }
    EXPECT_EQ(from_store.size(), edges.size());
  }
}

TEST(Archipelago, MigrationChangesWhatIslandsFindAndSeedsDiffer) {
  const auto ring = digest_of_whole_run({});
  EXPECT_EQ(ring, digest_of_whole_run({}));
  EXPECT_NE(ring, digest_of_whole_run({.islands = 5, .kind = TopologyKind::isolated}));
  EXPECT_NE(ring, digest_of_whole_run({}, [](auto& run) { run.seed = 12; }));
  EXPECT_NE(ring, digest_of_whole_run({}, [](auto& run) { run.migration.every = 0; }));
}

TEST(Archipelago, CheckpointsLeaveNoTrace) {
  const auto plain = digest_of_whole_run({});
  EXPECT_EQ(plain, digest_of_whole_run({}, [](auto& run) { run.checkpoint.every_generations = 1; }));
  EXPECT_EQ(plain, digest_of_whole_run({}, [](auto& run) { run.checkpoint.every_seconds = 1e-9; }));
}

TEST(Archipelago, StoppedAnywhereItGoesOnToTheSameStore) {
  const auto whole = digest_of_whole_run({});
  for (std::uint32_t stop = 1; stop <= 29; ++stop) {
    const Folder folder("stopped");
    const auto first = go({}, folder.path(), [&](auto& run) { run.stop_after = stop; });
    EXPECT_EQ(first.finished, stop >= 28);
    EXPECT_EQ(StoreReader::open(store_of(folder.path()))->summary().batches, std::min(stop, 28U) * 5U);
    EXPECT_TRUE(go({}, folder.path(), resume).finished);
    EXPECT_EQ(store_digest(store_of(folder.path())), whole) << "stopped after " << stop;
  }
}

TEST(Archipelago, ManyShortCallsEqualOneLong) {
  for (const TopologyKind kind : all_kinds) {
    const auto whole = digest_of_whole_run({.islands = 4, .kind = kind});
    const Folder folder("short");
    bool finished = false;
    std::uint64_t evaluations = 0;
    for (int call = 0; !finished; ++call) {
      ASSERT_LT(call, 28);
      const auto report = go({.islands = 4, .kind = kind}, folder.path(), [&](auto& run) {
        run.stop_after = 3;
        run.resume = call > 0;
      });
      finished = report.finished;
      evaluations += report.evaluations;
    }
    EXPECT_EQ(store_digest(store_of(folder.path())), whole);
    EXPECT_EQ(StoreReader::open(store_of(folder.path()))->summary().rows, evaluations);
  }
}

TEST(Archipelago, AFinishedRunIsReportedFinishedAtOnce) {
  const Folder folder("finished");
  const auto first = go({}, folder.path());
  const auto before = store_digest(store_of(folder.path()));
  const auto again = go({}, folder.path(), resume);
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.evaluations, 0U);
  EXPECT_EQ(again.acknowledged_batches, first.acknowledged_batches);
  ASSERT_EQ(again.edges.size(), first.edges.size());
  for (std::size_t e = 0; e < again.edges.size(); ++e)
    EXPECT_EQ(again.edges[e].accepted, first.edges[e].accepted);
  EXPECT_EQ(store_digest(store_of(folder.path())), before);
}

TEST(Archipelago, ASignalStopsAtAnAgreementWithAGoodCheckpoint) {
  const Folder folder("signal");
  int asked = 0;
  EXPECT_FALSE(go({}, folder.path(), {}, [&] { return ++asked == 1; }).finished);
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(go({}, folder.path(), resume).finished);
  EXPECT_EQ(store_digest(store_of(folder.path())), digest_of_whole_run({}));
}

TEST(Archipelago, TheTimeLimitStopsWithAGoodCheckpoint) {
  const Folder folder("limit");
  EXPECT_FALSE(go({}, folder.path(), [](auto& run) { run.max_seconds = 1e-6; }).finished);
  EXPECT_TRUE(go({}, folder.path(), resume).finished);
  EXPECT_EQ(store_digest(store_of(folder.path())), digest_of_whole_run({}));
}

TEST(Archipelago, ProgressTellsTaskBestAndBound) {
  const Folder folder("progress");
  std::vector<Progress> seen;
  const auto report = go({}, folder.path(), {}, {}, [&](const Progress& p) { seen.push_back(p); });
  ASSERT_FALSE(seen.empty());
  const Progress& last = seen.back();
  EXPECT_EQ(last.task, 1U);
  EXPECT_EQ(last.tasks, 2U);
  EXPECT_EQ(last.generation, 14U);
  EXPECT_EQ(last.task_name, "task 1");
  EXPECT_EQ(last.evaluations, report.evaluations);
  EXPECT_EQ(last.seconds_left, 0);
  const auto reader = StoreReader::open(store_of(folder.path()));
  const StoreRow best = reader->row(reader->best_rows()[1]);
  EXPECT_EQ(last.best, best.fitness);
  EXPECT_EQ(last.ratio_to_bound, best.costs[0] / best.costs[2]);
}

TEST(Archipelago, RefusesARunThatExistsAndAResumeOfNothing) {
  const Folder folder("exists");
  EXPECT_THROW(go({}, folder.path(), resume), InputError);
  go({}, folder.path(), [](auto& run) { run.stop_after = 2; });
  EXPECT_THROW(go({}, folder.path()), InputError);
  EXPECT_THROW(go({}, folder.path(),
                  [](auto& run) {
                    run.resume = true;
                    run.run_key = 5;
                  }),
               InputError);
  EXPECT_TRUE(go({}, folder.path(), resume).finished);
}

TEST(Archipelago, ADamagedNewestCheckpointFallsBackToTheOneBefore) {
  const Folder folder("damaged");
  go({}, folder.path(), [](auto& run) {
    run.stop_after = 9;
    run.checkpoint.every_generations = 5;
  });
  std::filesystem::path newest;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() + "/checkpoints")) {
    if (entry.is_regular_file() && entry.path() > newest) newest = entry.path();
  }
  std::filesystem::resize_file(newest, std::filesystem::file_size(newest) / 2);
  EXPECT_TRUE(go({}, folder.path(), resume).finished);
  EXPECT_EQ(store_digest(store_of(folder.path())), digest_of_whole_run({}));
}

/// Meets bad input in the middle of a run, on this rank only.
class FailingSpace final : public ToySpace {
 public:
  void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) override {
    if (++calls_ == 20) throw InputError("this row is too large");
    ToySpace::evaluate(t, rows, detail);
  }

 private:
  int calls_ = 0;
};

TEST(Archipelago, AFailureOfOneRankIsToldFromAFailureThatAllHaveAgreedOn) {
  const Folder folder("lone");
  FailingSpace space;
  FakeCommunicator world;
  const ArchipelagoSettings run = settings(5, TopologyKind::ring, folder.path(), space);
  try {
    run_archipelago(run, space, world, {}, {});
    FAIL() << "the failure was swallowed";
  } catch (const LoneFailure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::input);
    EXPECT_STREQ(failure.what(), "this row is too large");
  }
  EXPECT_TRUE(go({}, folder.path(), resume).finished) << "the failed run left no good checkpoint";
  EXPECT_EQ(store_digest(store_of(folder.path())), digest_of_whole_run({}));
}

TEST(Archipelago, OnlyDamagedCheckpointsAreAFailureThatAllAgreeOn) {
  const Folder folder("all-damaged");
  go({}, folder.path(), [](auto& run) { run.stop_after = 5; });
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() + "/checkpoints"))
    std::filesystem::resize_file(entry.path(), std::filesystem::file_size(entry.path()) / 2);
  EXPECT_THROW(go({}, folder.path(), resume), ResourceError);
}

/// Dies without a word some microseconds after a number of evaluations.
class DyingSpace final : public SearchSpace {
 public:
  DyingSpace(std::uint64_t evaluations, long microseconds)
      : left_(evaluations), microseconds_(microseconds) {}
  std::size_t task_count() const override { return toy_.task_count(); }
  TaskInfo task(std::size_t t) const override { return toy_.task(t); }
  const GenomeSchema& schema(std::size_t t) const override { return toy_.schema(t); }
  const std::vector<SpaceCostColumn>& cost_columns() const override { return toy_.cost_columns(); }
  void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) override {
    toy_.evaluate(t, rows, detail);
    if (left_ > 0 && rows.size() >= left_) {
      signal(SIGALRM, SIG_DFL);  // ends the process like a kill
      const itimerval timer{{0, 0}, {0, microseconds_}};
      setitimer(ITIMER_REAL, &timer, nullptr);
    }
    left_ -= std::min<std::uint64_t>(left_, rows.size());
  }
  std::string to_json(std::size_t, std::span<const std::int32_t>, std::span<const double>) const override {
    return "";
  }
  std::string to_text(std::size_t, std::span<const std::int32_t>, std::span<const double>) const override {
    return "";
  }
  void write_individual(std::size_t, std::span<const std::int32_t>, std::span<const double>,
                        const std::string&, const std::string&) const override {}

 private:
  ToySpace toy_;
  std::uint64_t left_;
  long microseconds_;
};

/// True if the kill came before the end.
bool run_until_killed(const std::string& folder, bool go_on, Random& random) {
  const std::uint64_t evaluations = 1 + random.below(1200);
  const long microseconds = 1 + static_cast<long>(random.below(3000));
  const pid_t child = fork();
  if (child == 0) {
    try {
      DyingSpace space(evaluations, microseconds);
      FakeCommunicator world;
      ArchipelagoSettings run = settings(5, TopologyKind::ring, folder, space);
      run.resume = go_on;
      run.checkpoint.every_generations = 4;
      run_archipelago(run, space, world, {}, {});
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
      _exit(1);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_FALSE(WIFEXITED(status) && WEXITSTATUS(status) != 0);
  return WIFSIGNALED(status);
}

TEST(Archipelago, KilledAtAnyMomentItGoesOnToTheSameStore) {
  const auto whole = digest_of_whole_run({});
  Random random({.seed = 3});
  int killed = 0, in_the_middle = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const Folder folder("killed");
    for (int kills = 0; kills < 3; ++kills) {
      const bool go_on = std::filesystem::exists(store_of(folder.path()));
      killed += run_until_killed(folder.path(), go_on, random) ? 1 : 0;
    }
    const auto found = StoreReader::open(store_of(folder.path()))->summary();
    in_the_middle += !found.sealed && found.batches > 0 ? 1 : 0;
    EXPECT_TRUE(go({}, folder.path(), resume).finished);
    EXPECT_EQ(store_digest(store_of(folder.path())), whole) << "trial " << trial;
  }
  EXPECT_GT(killed, 30);
  EXPECT_GT(in_the_middle, 10);
}

}  // namespace
}  // namespace atl
