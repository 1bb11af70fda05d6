#include "atoll/app/run_folder.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "atoll/base/files.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

const std::string data = std::string(ATOLL_TEST_DATA) + "/app/";

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest() : root_(testing::TempDir() + "atoll_run_folder_" + std::to_string(::getpid())) {
    fs::create_directories(root_);
  }
  ~RunFolderTest() override { fs::remove_all(root_); }
  std::string root_;
};

TEST_F(RunFolderTest, OnlyNewOrEmptyFoldersAreTaken) {
  EXPECT_NO_THROW(require_new_folder(root_ + "/new"));
  EXPECT_FALSE(fs::exists(root_ + "/new")) << "asking makes nothing";
  EXPECT_NO_THROW(require_new_folder(root_));
  write_text_file_atomically(root_ + "/file", "keep");
  EXPECT_THROW(require_new_folder(root_), InputError);
  EXPECT_THROW(require_new_folder(root_ + "/file"), InputError);
  EXPECT_EQ(read_text_file(root_ + "/file"), "keep");
}

// Property: for both spaces and several batches, the folder's own copies are the same problem.
TEST_F(RunFolderTest, CopiesGiveTheSameProblemAsTheOriginals) {
  int number = 0;
  for (const std::string file : {"small_run.yaml", "small_search.yaml"}) {
    for (const std::string batch : {"1", "2", "4"}) {
      RunFile run = read_run_file(data + file, {"problem.batch=" + batch});
      settle_islands(run, 3);
      const Problem original = load_problem(run);
      const RunFolder folder{root_ + "/" + std::to_string(number++)};
      prepare_run_folder(folder, original);
      require_run_folder(folder);
      const Problem copy = load_run_folder(folder);
      EXPECT_EQ(copy.layer_keys, original.layer_keys);
      EXPECT_EQ(copy.space->task(0).macs, original.space->task(0).macs);
      EXPECT_EQ(copy.run.island_policy_names(), original.run.island_policy_names());
      const RunTexts texts = read_run_texts(folder);
      EXPECT_EQ(make_layout(copy, texts).tasks.size(), make_layout(original, texts).tasks.size());
      EXPECT_EQ(copy.space->schema(0).integer_width(), original.space->schema(0).integer_width());
    }
  }
}

TEST_F(RunFolderTest, AFolderWithoutARunIsRefused) {
  EXPECT_THROW(require_run_folder({root_}), InputError);
  EXPECT_THROW(require_run_folder({root_ + "/none"}), InputError);
}

}  // namespace
}  // namespace atl
