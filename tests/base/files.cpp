#include "atoll/base/files.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"
#include "atoll/base/version.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

class FilesTest : public testing::Test {
 protected:
  FilesTest() : folder_(fs::temp_directory_path() / ("atoll_files_" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
  }
  ~FilesTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string unpack_from(const std::string& packed) const {
    write_text_file_atomically(path("packed"), packed);
    return read_text_file(path("packed"));
  }
  fs::path folder_;
};

TEST_F(FilesTest, WritesWholeFilesAndLeavesNoTemporary) {
  const std::string text = std::string("one\ntwo\0three", 13);
  write_text_file_atomically(path("a.txt"), "old content that is longer than the new one");
  write_text_file_atomically(path("a.txt"), text);
  EXPECT_EQ(read_text_file(path("a.txt")), text);
  write_text_file_atomically(path("empty"), "");
  EXPECT_EQ(read_text_file(path("empty")), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
}

TEST_F(FilesTest, WritesIntoAPipeInsteadOfPuttingAFileInItsPlace) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  write_text_file_atomically(path("pipe"), "text");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
  std::string got(9, '.');
  EXPECT_EQ(::read(reader, got.data(), got.size()), 4);
  EXPECT_EQ(got.substr(0, 4), "text");
  ::close(reader);
  fs::create_symlink(path("pipe"), path("link"));
  const int again = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  write_text_file_atomically(path("link"), "");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  ::close(again);
}

// Two members of gzip: "one\n" and "two\n".
TEST_F(FilesTest, UnpacksGzipAndRefusesWhatIsCutOff) {
  const std::string one(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\xe5\x02\x00\x00\x00\x00\x00\x04\x00\x00\x00", 24);
  EXPECT_THROW(unpack_from(one), InputError);  // its checksum is wrong
  const std::string good =
      std::string(
          "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\xcf\x4b\xe5\x02\x00\x9f\xa8\x17\xf8\x04\x00\x00\x00",
          24) +
      std::string(
          "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\x2b\x29\xcf\xe7\x02\x00\x74\x08\x17\x96\x04\x00\x00\x00",
          24);
  EXPECT_EQ(unpack_from(good), "one\ntwo\n");
  for (std::size_t cut = 2; cut < good.size(); ++cut) {
    if (cut == good.size() / 2) continue;  // the first member alone is whole
    EXPECT_THROW(unpack_from(good.substr(0, cut)), InputError) << cut;
  }
}

TEST_F(FilesTest, FailuresAreOfTheRightFamily) {
  EXPECT_THROW(read_text_file(path("missing")), InputError);
  EXPECT_THROW(read_text_file(folder_.string()), InputError);
  EXPECT_THROW(write_text_file_atomically(path("no/such/folder"), "x"), ResourceError);
  write_text_file_atomically(path("file"), "x");
  EXPECT_THROW(make_folder(path("file")), InputError);
  EXPECT_THROW(make_folder(path("file/below")), Error);
  fs::create_directory(path("taken"));
  EXPECT_THROW(write_text_file_atomically(path("taken"), "x"), ResourceError);
  EXPECT_FALSE(fs::exists(path("taken.tmp." + std::to_string(::getpid()))));
}

TEST_F(FilesTest, MakesFoldersTwice) {
  make_folder(path("a/b/c"));
  make_folder(path("a/b/c"));
  EXPECT_TRUE(fs::is_directory(path("a/b/c")));
}

TEST_F(FilesTest, LogFileGetsEverythingTheTerminalGetsOnlyWarnings) {
  start_log(Verbosity::quiet, 1, 2);
  add_log_file(path("run.log"));
  testing::internal::CaptureStderr();
  log_info("some progress");
  log_warning("a warning with {braces}");
  const std::string terminal = testing::internal::GetCapturedStderr();
  const std::string file = read_text_file(path("run.log"));
  start_log(Verbosity::normal, 0, 1);
  EXPECT_EQ(terminal.find("some progress"), std::string::npos);
  EXPECT_NE(terminal.find("rank 1"), std::string::npos);
  EXPECT_NE(terminal.find("a warning with {braces}"), std::string::npos);
  EXPECT_NE(file.find("some progress"), std::string::npos);
  EXPECT_NE(file.find("a warning with {braces}"), std::string::npos);
  EXPECT_THROW(add_log_file(path("run.log/below")), Error);
}

TEST(VersionTest, SaysWhatItIs) {
  EXPECT_EQ(program_version().find_first_not_of("0123456789."), std::string::npos);
  EXPECT_FALSE(program_version().empty());
  EXPECT_TRUE(git_commit() == "unknown" ||
              git_commit().find_first_not_of("0123456789abcdef+") == std::string::npos);
  EXPECT_NE(compiler_version().find('.'), std::string::npos);
}

TEST(ErrorTest, PlacesAreShortenedWhenUnknown) {
  EXPECT_EQ((SourcePlace{"a.yaml", 3, 4}.prefix()), "a.yaml:3:4: ");
  EXPECT_EQ((SourcePlace{"a.yaml", 3, 0}.prefix()), "a.yaml:3: ");
  EXPECT_EQ((SourcePlace{"a.yaml", 0, 0}.prefix()), "a.yaml: ");
  EXPECT_EQ((SourcePlace{}.prefix()), "");
  EXPECT_EQ(InputError("x").code(), ExitCode::input);
  EXPECT_EQ(StoreError("x").code(), ExitCode::machine);
  EXPECT_EQ(InternalError("x").code(), ExitCode::internal);
}

}  // namespace
}  // namespace atl
