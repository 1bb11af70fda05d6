#include "atoll/app/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "atoll/base/files.hpp"
#include "atoll/space/mapping.hpp"

namespace atl {
namespace {

const std::string data = std::string(ATOLL_TEST_DATA) + "/app/";

Problem load(const std::string& file, const std::vector<std::string>& overrides = {}) {
  RunFile run = read_run_file(data + file, overrides);
  settle_islands(run, 1);
  return load_problem(std::move(run));
}

std::uint64_t key_of(const std::vector<std::string>& overrides, const std::string& accelerator = "text") {
  return run_key(load("small_run.yaml", overrides), {"", accelerator, ""});
}

TEST(RunKey, ChangesWithEverythingThatDecides) {
  const std::uint64_t key = key_of({});
  EXPECT_EQ(key, key_of({}));
  for (const std::string change :
       {"run.seed=8", "islands.count=3", "islands.size=21", "islands.generations=16",
        "islands.policies=[greedy]", "problem.objective=energy", "problem.constraints=[\"energy <= 5\"]",
        "problem.batch=2", "problem.simulator=reference", "migration.topology=star", "migration.every=4",
        "migration.elites=3", "migration.leave=random", "migration.enter=replace_random",
        "policies.greedy.mutation.rate=0.31", "problem.network=../../../configs/networks/resnet18.yaml"}) {
    EXPECT_NE(key, key_of({change})) << change;
  }
  EXPECT_NE(key, key_of({}, "another text"));
}

TEST(RunKey, IgnoresWhatDecidesNothing) {
  const std::uint64_t key = key_of({});
  for (const std::string change : {"run.name=other", "store.budget=1 GB", "checkpoint.every=3 generations"}) {
    EXPECT_EQ(key, key_of({change})) << change;
  }
}

TEST(StoreLayoutOfAProblem, DescribesTasksGenesAndIslands) {
  const Problem problem = load("small_run.yaml");
  const StoreLayout layout = make_layout(problem, {"config", "accelerator", "network"});
  EXPECT_EQ(layout.space, "mapping");
  ASSERT_EQ(layout.tasks.size(), 3U);
  EXPECT_EQ(layout.tasks[1].multiplicity, 2U);
  EXPECT_EQ(layout.tasks[1].layer, layer_key(problem.mapping_space()->layer(1)));
  ASSERT_EQ(layout.islands.size(), 4U);
  EXPECT_EQ(layout.islands[3].policy, "greedy");
  for (std::size_t t = 0; t < layout.tasks.size(); ++t) {
    ASSERT_EQ(layout.tasks[t].integer_low.size(), layout.integer_genes.size());
    for (std::size_t g = 0; g < layout.integer_genes.size(); ++g) {
      EXPECT_LE(layout.tasks[t].integer_low[g], layout.tasks[t].integer_high[g]);
    }
  }
  EXPECT_EQ(layout.costs.size(), problem.space->cost_columns().size());
}

TEST(Prediction, CountsEveryBirth) {
  // Three policies over four islands: 20 + 40 + 20 + 20 births, 15 generations, 3 tasks.
  const Prediction prediction = predict(load("small_run.yaml"), 2);
  EXPECT_EQ(prediction.individuals, 3U * 15U * 100U);
  EXPECT_GT(prediction.store_bytes, prediction.row_bytes * 4500);
}

TEST(Prediction, ABudgetBelowItIsRefused) {
  const Problem problem = load("small_run.yaml", {"store.budget=100 KB"});
  EXPECT_THROW(check_budget(problem, predict(problem, 1)), InputError);
  const Problem enough = load("small_run.yaml");
  EXPECT_NO_THROW(check_budget(enough, predict(enough, 1)));
}

TEST(LoadProblem, NamesThePlaceOfAWrongObjective) {
  try {
    load("small_run.yaml", {"problem.objective=edq"});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("--set problem.objective"));
    EXPECT_THAT(error.what(), testing::HasSubstr("did you mean 'edp'"));
  }
}

TEST(LoadProblem, BuildsTheSpaceOfNetworks) {
  const Problem problem = load("small_search.yaml");
  EXPECT_EQ(problem.space->task_count(), 1U);
  EXPECT_EQ(problem.mapping_space(), nullptr);
  EXPECT_THROW(load("small_search.yaml", {"problem.sequential.kernels=[3, 1]"}), InputError);
  EXPECT_THROW(load("small_search.yaml", {"problem.search.objective=parameters"}), InputError);
}

}  // namespace
}  // namespace atl
