#include "atoll/checkpoint/checkpoint.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

class Checkpoint : public ::testing::Test {
 protected:
  Checkpoint() {
    const fs::path base = ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path();
    std::string name = (base / "atoll-checkpoint-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    folder_ = name;
  }
  ~Checkpoint() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.insert(entry.path().filename().string());
    return names;
  }
  std::optional<CheckpointSet> newest(std::uint64_t run_key = 42) {
    warnings_.clear();
    return read_newest_checkpoint(folder_, run_key, warnings_);
  }

  std::string folder_;
  std::vector<std::string> warnings_;
};

/// A pure function of (task, generation), so that a wrong load shows.
CheckpointSet made(std::uint32_t task, std::uint32_t generation, std::size_t bytes = 300) {
  CheckpointSet set{42, task, generation, {}};
  Random random({1, Purpose::test, task, 0, generation, 0});
  for (int i = 0; i < 4; ++i) {
    CheckpointBlob blob{"island " + std::to_string(i),
                        std::string(random.below(static_cast<std::uint32_t>(bytes)), ' ')};
    for (char& c : blob.bytes) c = static_cast<char>(random.below(256));
    set.blobs.push_back(blob);
  }
  return set;
}

bool same(const CheckpointSet& a, const CheckpointSet& b) {
  if (a.run_key != b.run_key || a.task != b.task || a.generation != b.generation ||
      a.blobs.size() != b.blobs.size())
    return false;
  for (std::size_t i = 0; i < a.blobs.size(); ++i)
    if (a.blobs[i].name != b.blobs[i].name || a.blobs[i].bytes != b.blobs[i].bytes) return false;
  return true;
}

std::string content(const std::string& path) {
  std::string bytes(fs::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST_F(Checkpoint, ComesBackAndTwoAreKept) {
  EXPECT_FALSE(newest());
  for (std::uint32_t task = 0; task < 3; ++task)
    for (std::uint32_t generation = 0; generation <= 110; generation += 11) {
      write_checkpoint(folder_, made(task, generation));
      const auto read = newest();
      ASSERT_TRUE(read);
      EXPECT_TRUE(same(*read, made(task, generation)));
      EXPECT_TRUE(warnings_.empty());
    }
  EXPECT_EQ(files(), (std::set<std::string>{"MANIFEST", "ckpt-2-99.bin", "ckpt-2-110.bin"}));
}

TEST_F(Checkpoint, EmptySetsAndEmptyBlobsComeBack) {
  CheckpointSet set{42, 0, 0, {}};
  write_checkpoint(folder_, set);
  EXPECT_TRUE(same(*newest(), set));
  set.blobs = {{"", ""}, {"a", ""}, {"", std::string(5, '\0')}};
  write_checkpoint(folder_, set);
  EXPECT_TRUE(same(*newest(), set));
}

TEST_F(Checkpoint, AFolderThatIsMissingHasNone) {
  folder_ += "/not/there";
  EXPECT_FALSE(newest());
  write_checkpoint(folder_, made(0, 1));
  EXPECT_TRUE(newest());
}

TEST_F(Checkpoint, TheOneBeforeIsUsedIfTheNewestIsDamaged) {
  write_checkpoint(folder_, made(0, 10));
  write_checkpoint(folder_, made(0, 20));
  put(file("ckpt-0-20.bin"), content(file("ckpt-0-20.bin")).substr(0, 200));
  const auto read = newest();
  ASSERT_TRUE(read);
  EXPECT_TRUE(same(*read, made(0, 10)));
  EXPECT_FALSE(warnings_.empty());
  write_checkpoint(folder_, made(0, 15));  // the run went back: the damaged one must not push a good one out
  EXPECT_EQ(files(), (std::set<std::string>{"MANIFEST", "ckpt-0-10.bin", "ckpt-0-15.bin"}));
}

TEST_F(Checkpoint, SaysWhyNoneIsGood) {
  write_checkpoint(folder_, made(0, 10));
  put(file("ckpt-0-10.bin"), "");
  EXPECT_THROW(newest(), CheckpointError);
  write_checkpoint(folder_, made(0, 10));
  EXPECT_THROW(newest(43), InputError);
}

TEST_F(Checkpoint, AMissingFileIsAWarningAndTheOtherIsUsed) {
  write_checkpoint(folder_, made(0, 10));
  write_checkpoint(folder_, made(0, 20));
  fs::remove(file("ckpt-0-20.bin"));
  EXPECT_TRUE(same(*newest(), made(0, 10)));
  EXPECT_EQ(warnings_.size(), 1U);
}

/// Tens of thousands of flipped bits, cuts and additions: never another content, only the older set or an
/// error.
TEST_F(Checkpoint, DamageIsNeverLoaded) {
  write_checkpoint(folder_, made(0, 10));
  write_checkpoint(folder_, made(0, 20));
  const std::string path = file("ckpt-0-20.bin"), good = content(path);
  Random random({2, Purpose::test, 0, 0, 0, 0});
  for (int trial = 0; trial < 20000; ++trial) {
    std::string bad = good;
    const std::uint32_t kind = random.below(10), at = random.below(static_cast<std::uint32_t>(good.size()));
    if (kind < 6)
      bad[at] = static_cast<char>(bad[at] ^ (1 << random.below(8)));
    else if (kind < 8)
      bad.resize(at);
    else if (kind == 8)
      bad += std::string(at + 1, 'x');
    else
      for (std::uint32_t i = at; i < std::min<std::size_t>(at + 16, bad.size()); ++i)
        bad[i] = static_cast<char>(random.below(256));
    if (bad == good) continue;
    put(path, bad);
    const auto read = newest();
    ASSERT_TRUE(read && same(*read, made(0, 10))) << "kind " << kind << " at " << at;
    ASSERT_FALSE(warnings_.empty());
  }
}

TEST_F(Checkpoint, SwappedFilesAreFound) {
  write_checkpoint(folder_, made(0, 10));
  const std::string ten = content(file("ckpt-0-10.bin"));
  write_checkpoint(folder_, made(0, 20));
  const std::string twenty = content(file("ckpt-0-20.bin"));
  put(file("ckpt-0-20.bin"), ten);
  EXPECT_TRUE(same(*newest(), made(0, 10)));
  put(file("ckpt-0-10.bin"), twenty);
  EXPECT_THROW(newest(), CheckpointError);
}

TEST_F(Checkpoint, AFullDiskIsAResourceErrorAndLeavesTheOldOnes) {
  write_checkpoint(folder_, made(0, 10));
  write_checkpoint(folder_, made(0, 20));
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit limit { 5000, 5000 };
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_checkpoint(folder_, made(0, 30, 100000));
    } catch (const ResourceError&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(same(*newest(), made(0, 20)));
  EXPECT_TRUE(warnings_.empty());
  EXPECT_EQ(files(), (std::set<std::string>{"MANIFEST", "ckpt-0-10.bin", "ckpt-0-20.bin"}));
}

TEST_F(Checkpoint, WhatAKilledWriterLeftBehindIsRemoved) {
  put(file(".ckpt-0-1.bin.tmp.123"), "half a checkpoint");
  put(file(".MANIFEST.tmp.124"), "half a manifest");
  put(file("notes.txt"), "not ours");
  write_checkpoint(folder_, made(0, 2));
  EXPECT_EQ(files(), (std::set<std::string>{"MANIFEST", "ckpt-0-2.bin", "notes.txt"}));
}

TEST_F(Checkpoint, AFolderThatCannotBeMadeIsAResourceError) {
  put(file("in the way"), "text");
  folder_ += "/in the way/checkpoints";
  EXPECT_THROW(write_checkpoint(folder_, made(0, 1)), ResourceError);
}

/// The writer is killed at random moments; the set read afterwards is whole and not older than the last that
/// was acknowledged.
TEST_F(Checkpoint, AKilledWriterLeavesTheNewestAcknowledged) {
  Random random({3, Purpose::test, 0, 0, 0, 0});
  std::uint32_t next = 1;
  for (int trial = 0; trial < 40; ++trial) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      for (std::uint32_t generation = next;; ++generation) {
        write_checkpoint(folder_, made(0, generation, 20000));
        if (::write(ends[1], &generation, sizeof generation) != sizeof generation) ::_exit(1);
      }
    }
    ::close(ends[1]);
    std::this_thread::sleep_for(std::chrono::microseconds(random.below(40'000)));
    ::kill(child, SIGKILL);
    std::uint32_t acknowledged = next - 1, value = 0;
    while (::read(ends[0], &value, sizeof value) == sizeof value) acknowledged = value;
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    const auto read = newest();
    ASSERT_EQ(read.has_value(), acknowledged > 0 || read.has_value());
    if (!read) continue;
    ASSERT_GE(read->generation, acknowledged);
    ASSERT_TRUE(same(*read, made(0, read->generation, 20000)));
    next = read->generation + 1;
  }
}

}  // namespace
}  // namespace atl
