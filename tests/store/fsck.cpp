#include "atoll/store/fsck.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <tuple>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/superblock.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

namespace fs = std::filesystem;

const FakeSpace space{9, 2, 3, 5, 100, true};
constexpr std::uint32_t generations = 6;

using Batches = std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::uint64_t>;

Batches checksums(const std::string& path) {
  Batches result;
  for (const StoreBatchInfo& batch : StoreReader::open(path)->batches())
    result[{batch.task, batch.generation, batch.island}] = batch.checksum;
  return result;
}

void overwrite(const std::string& path, std::uint64_t at, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
}

// What a kill leaves: a copy of a live writer's file, with rows behind the last commit.
void leave_by_kill(const std::string& path, const Folder& folder) {
  const StoreLayout layout = fake_layout(space);
  const auto names = all_names(2, 40, 3);
  const auto writer = StoreWriter::create(folder.file("live.h5"), layout);
  for (std::size_t i = 0; i < names.size(); ++i) {
    writer->append(fake_packed(layout, space, names[i]));
    if (i == names.size() / 2) writer->sync();
  }
  fs::copy(folder.file("live.h5"), path);
}

TEST(Fsck, ASoundStoreIsLeftAlone) {
  const Folder folder;
  const std::string path = folder.file("a.h5");
  write_run(path, space, generations);
  const std::string before = read_text_file(path);
  const StoreHealth health = examine_store(path);
  EXPECT_TRUE(health.sound());
  EXPECT_EQ(health.state, StoreState::sealed);
  EXPECT_EQ(health.batches, 2U * generations * 3U);
  EXPECT_EQ(health.rows, StoreReader::open(path)->summary().rows);
  EXPECT_FALSE(repair_store(path).changed);
  EXPECT_EQ(read_text_file(path), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Fsck, AStoreLeftByAKillBecomesAnOrdinaryOneThatTheRunGoesOnWith) {
  const Folder folder;
  const std::string path = folder.file("left.h5");
  leave_by_kill(path, folder);
  const StoreHealth health = examine_store(path);
  EXPECT_TRUE(health.sound());
  EXPECT_EQ(health.state, StoreState::left_by_kill);
  EXPECT_EQ(health.batches, 121U);
  const Batches committed = checksums(path);
  const StoreRepair repair = repair_store(path);
  EXPECT_TRUE(repair.changed);
  EXPECT_EQ(repair.kept_batches, 121U);
  EXPECT_FALSE(read_superblock(path).marked());
  EXPECT_EQ(checksums(path), committed);
  EXPECT_TRUE(fs::exists(path + ".damaged"));
  const StoreLayout layout = fake_layout(space);
  auto writer = StoreWriter::reopen(path, layout);
  for (const BatchName& name : all_names(2, 40, 3)) writer->append(fake_packed(layout, space, name));
  writer->seal();
  write_run(folder.file("never_killed.h5"), space, 40);
  EXPECT_EQ(store_digest(path), store_digest(folder.file("never_killed.h5")));
}

TEST(Fsck, RefusesALiveWriterAndAnEarlierRepair) {
  const Folder folder;
  const StoreLayout layout = fake_layout(space);
  const std::string path = folder.file("live.h5");
  auto writer = StoreWriter::create(path, layout);
  writer->append(fake_packed(layout, space, {0, 0, 0}));
  writer->commit();
  EXPECT_EQ(examine_store(path).state, StoreState::being_written);
  EXPECT_NE(message_of<InputError>([&] { repair_store(path); }).find("is being written by process"),
            std::string::npos);
  writer.reset();
  write_text_file_atomically(path + ".damaged", "kept");
  overwrite(path, 20, "x");
  EXPECT_NE(message_of<InputError>([&] { repair_store(path); }).find("from an earlier repair"),
            std::string::npos);
  EXPECT_EQ(read_text_file(path + ".damaged"), "kept");
}

TEST(Fsck, MakesALostFirstBlockAgain) {
  const Folder folder;
  const std::string path = folder.file("a.h5");
  write_run(path, space, generations);
  const std::string digest = store_digest(path);
  for (const std::uint64_t at : {0U, 8U, 9U, 20U, 30U, 36U, 44U}) {
    overwrite(path, at, "\x7f");
    EXPECT_EQ(examine_store(path).rebuilt.size(), 1U) << at;
    EXPECT_TRUE(repair_store(path).changed) << at;
    EXPECT_EQ(store_digest(path), digest) << at;
    EXPECT_TRUE(StoreReader::open(path)->summary().sealed);
    fs::remove(path + ".damaged");
  }
}

TEST(Fsck, MakesTheIndexAgainFromTheBatches) {
  const Folder folder;
  const std::string path = folder.file("a.h5");
  write_run(path, space, generations);
  const std::string digest = store_digest(path);
  const std::string bytes = read_text_file(path);
  const Batches batches = checksums(path);
  std::size_t damaged = 0;
  for (const auto& [name, checksum] : batches) {
    const std::string key(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    const std::size_t at = bytes.find(key);
    ASSERT_NE(at, std::string::npos);
    // The checksum, then each other field of the index row before it.
    for (const std::size_t back : {0U, 8U, 16U, 24U, 32U, 40U, 44U, 48U}) {
      if (++damaged % 7 != 0) continue;
      overwrite(path, at - back, "\x55\x55\x55");
      const StoreRepair repair = repair_store(path);
      EXPECT_TRUE(repair.changed);
      // Without its checksum nothing vouches for a batch.
      EXPECT_EQ(repair.health.lost.size(), back == 0 ? 1U : 0U) << back;
      EXPECT_EQ(store_digest(path) == digest, back != 0) << back;
      fs::remove(path + ".damaged");
      fs::remove(path);
      write_text_file_atomically(path, bytes);
    }
  }
}

// What is older is only read.
TEST(Fsck, LeavesAnOlderStoreAsItIs) {
  const Folder folder;
  const std::string path = folder.file("old.h5");
  write_text_file_atomically(path, read_text_file(ATOLL_TEST_DATA "/store/schema-1.0.h5.gz"));
  EXPECT_TRUE(examine_store(path).sound());
  overwrite(path, 20, "x");
  const std::string before = read_text_file(path);
  EXPECT_NE(message_of<InputError>([&] { repair_store(path); }).find("only stores of version 2.0"),
            std::string::npos);
  EXPECT_EQ(read_text_file(path), before);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

// The index of one column, by which no batch is whole any more.
TEST(Fsck, ALostColumnTakesTimeByTheBatchNotByItsSquare) {
  const Folder folder;
  const std::string path = folder.file("a.h5");
  constexpr std::uint32_t more_generations = 15;
  write_run(path, space, more_generations);
  const std::string bytes = read_text_file(path);
  std::string error;
  for (std::size_t at = bytes.find("EAIB"); error.find("evaluations/fitness") == std::string::npos;
       at = bytes.find("EAIB", at + 1)) {
    ASSERT_NE(at, std::string::npos);
    write_text_file_atomically(path, bytes);
    overwrite(path, at + 8, "\x55\x55");
    error = message_of<StoreError>([&] { store_digest(path); });
  }
  const auto start = std::chrono::steady_clock::now();
  const StoreHealth health = examine_store(path);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(health.lost.size(), 2U * more_generations * 3U);
  EXPECT_NE(health.unreadable, "");
  EXPECT_LT(seconds.count(), 25);  // some 2 s; 30 s where each batch looks at all that follow
}

// Random damage anywhere: repair never invents anything, never changes what it keeps, and keeps the damaged
// file.
TEST(Fsck, RandomDamageCostsOnlyWhatItHit) {
  const Folder folder;
  const std::string whole = folder.file("whole.h5"), path = folder.file("a.h5");
  write_run(whole, space, generations);
  const std::string bytes = read_text_file(whole);
  const Batches all = checksums(whole);
  const char* more = std::getenv("ATOLL_DAMAGES");
  const int trials = more != nullptr ? std::atoi(more) : 60;
  Random random({5, Purpose::test, 0, 0, 0, 0});
  std::size_t repaired = 0, unreadable = 0, lossless = 0, lost_batches = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::string damaged = bytes;
    const std::size_t at = random.below(static_cast<std::uint32_t>(bytes.size()));
    const std::size_t length = 1 + random.below(trial % 2 == 0 ? 1 : 64);
    for (std::size_t i = at; i < std::min(at + length, bytes.size()); ++i)
      damaged[i] = static_cast<char>(damaged[i] ^ static_cast<char>(1 + random.below(255)));
    write_text_file_atomically(path, damaged);
    try {
      const StoreRepair repair = repair_store(path);
      const Batches kept = checksums(path);
      for (const auto& [name, checksum] : kept) ASSERT_EQ(all.at(name), checksum) << trial;
      EXPECT_EQ(verify_store(path), std::vector<std::string>{}) << trial;
      if (repair.changed) {
        ASSERT_EQ(read_text_file(path + ".damaged"), damaged);
      }
      ++repaired;
      lossless += kept == all ? 1 : 0;
      lost_batches += all.size() - kept.size();
      EXPECT_LE(all.size() - kept.size(), 3U) << trial;  // a chunk's edge may touch two batches
    } catch (const Error&) {                             // the library's own structures
      ASSERT_EQ(read_text_file(path), damaged) << trial;
      ++unreadable;
    }
    fs::remove(path + ".damaged");
    fs::remove(path);
  }
  std::printf("%d damaged stores: %zu repaired (%zu without loss, %zu batches lost), %zu unreadable\n",
              trials, repaired, lossless, lost_batches, unreadable);
  EXPECT_GT(repaired, static_cast<std::size_t>(trials) / 2);
  EXPECT_GT(lost_batches, 0U);
}

}  // namespace
}  // namespace atl::testing
