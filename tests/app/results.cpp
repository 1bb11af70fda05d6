// The last check of a run must catch what it is there for: genes, costs and mappings that do not belong
// together.
#include "atoll/app/results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "atoll/app/evolve.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {
namespace {

const std::string data = std::string(ATOLL_TEST_DATA) + "/app/";

class ResultsTest : public testing::Test {
 protected:
  ResultsTest() : folder_{testing::TempDir() + "atoll_results_" + std::to_string(::getpid())} {
    RunFile run = read_run_file(data + "small_run.yaml", {"islands.generations=5"});
    settle_islands(run, 1);
    prepare_run_folder(folder_, load_problem(std::move(run)));
    EvolveOptions options;
    options.verbosity = Verbosity::quiet;
    options.json = true;
    testing::internal::CaptureStdout();
    EXPECT_EQ(evolve(*world_, folder_, options), ExitCode::done);
    printed_ = testing::internal::GetCapturedStdout();
  }
  ~ResultsTest() override { std::filesystem::remove_all(folder_.path); }

  // MPI starts and ends once in a process.
  static void SetUpTestSuite() {
    int count = 0;
    char** values = nullptr;
    world_ = Communicator::start(count, values);
    start_log(Verbosity::quiet, 0, 1);
  }
  static void TearDownTestSuite() { world_->finish(); }
  static inline std::unique_ptr<Communicator> world_;

  RunFolder folder_;
  std::string printed_;
};

TEST_F(ResultsTest, GoodResultsPassAndEveryTamperingIsCaught) {
  StoredRun stored = open_stored_run(folder_.path);
  const Results good = collect_results(stored);
  ASSERT_EQ(good.tasks.size(), 3U);
  ASSERT_TRUE(good.totals);
  EXPECT_NO_THROW(check_results(stored, good));
  EXPECT_THAT(printed_, testing::HasSubstr("\"finished\": true"));

  Results cheaper = good;
  cheaper.tasks[0].row.costs[cost::energy] *= 0.999;
  EXPECT_THROW(check_results(stored, cheaper), InternalError);

  Results impossible = good;
  impossible.tasks[1].cycles = impossible.tasks[1].bound_cycles * 0.99;
  EXPECT_THROW(check_results(stored, impossible), InternalError);

  Results other_genes = good;
  other_genes.tasks[2].row.integers = good.tasks[0].row.integers;
  EXPECT_THROW(check_results(stored, other_genes), InternalError);
}

TEST_F(ResultsTest, TheFolderHoldsItsOwnCopiesAndLoadsAsTheSameRun) {
  const RunTexts texts = read_run_texts(folder_);
  const Problem first = load_run_folder(folder_);
  const std::uint64_t key = run_key(first, texts);
  const std::string moved = folder_.path + "_moved";
  std::filesystem::rename(folder_.path, moved);
  folder_.path = moved;
  EXPECT_EQ(run_key(load_run_folder(folder_), read_run_texts(folder_)), key);
}

TEST(FileStem, IsAPlainNameWithANumberInFront) {
  TaskResult task;
  task.task = 2;
  task.name = "/model/conv 1:0";
  EXPECT_EQ(file_stem(task), "03-_model_conv_1_0");
}

}  // namespace
}  // namespace atl
