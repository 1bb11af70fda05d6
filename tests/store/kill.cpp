// Kills a writer with SIGKILL at random moments and looks at what it leaves: every batch that was
// acknowledged must be there, whole, and the run must go on to the same digest as one that was never killed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>
#include <tuple>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/superblock.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

const FakeSpace space{61, 2, 13, 40, 512, true};
constexpr std::uint32_t generations = 150;

std::unique_ptr<StoreWriter> open_or_create(const std::string& path, const StoreLayout& layout) {
  return std::filesystem::exists(path) ? StoreWriter::reopen(path, layout)
                                       : StoreWriter::create(path, layout);
}

/// The child's life: opens or makes the store, appends and commits, and reports the number of committed
/// batches after each commit through a pipe, as one write of eight bytes.
[[noreturn]] void write_until_killed(const std::string& path, const StoreLayout& layout,
                                     const std::vector<std::vector<std::uint8_t>>& batches,
                                     int acknowledged) {
  try {
    const auto writer = open_or_create(path, layout);
    for (std::size_t i = 0; i < batches.size(); ++i) {
      writer->append(batches[i]);
      if (i % 3 != 0) continue;
      i % 24 == 0 ? writer->sync() : writer->commit();
      const std::uint64_t count = writer->committed_batches();
      if (::write(acknowledged, &count, sizeof count) != sizeof count) ::_exit(3);
    }
    writer->seal();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    ::_exit(2);
  }
  ::_exit(0);
}

struct Life {
  std::uint64_t acknowledged = 0;
  int status = 0;
};

Life run_and_kill(const std::string& path, const StoreLayout& layout,
                  const std::vector<std::vector<std::uint8_t>>& batches, std::uint32_t microseconds) {
  std::array<int, 2> pipe_ends{};
  if (::pipe(pipe_ends.data()) != 0) ADD_FAILURE() << "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe_ends[0]);
    write_until_killed(path, layout, batches, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
    ::kill(child, SIGKILL);
  });
  Life life;
  std::uint64_t count = 0;
  while (::read(pipe_ends[0], &count, sizeof count) == sizeof count) life.acknowledged = count;
  killer.join();
  ::waitpid(child, &life.status, 0);
  ::close(pipe_ends[0]);
  return life;
}

void expect_whole(const std::string& path, const StoreLayout& layout, std::uint64_t acknowledged) {
  const auto reader = StoreReader::open(path);
  EXPECT_GE(reader->summary().batches, acknowledged);
  EXPECT_EQ(verify_store(path), std::vector<std::string>{});
  const auto batches = reader->batches();
  for (std::size_t i = 0; i < batches.size(); i += 37) {
    const StoreBatchInfo& info = batches[i];
    const FakeBatch b = fake_batch(layout, space, {info.task, info.generation, info.island});
    ASSERT_EQ(info.rows, b.batch.rows);
    EXPECT_EQ(reader->row(info.first_row).fitness, b.fitness[0]);
  }
}

struct Tally {
  int killed = 0, before_creation = 0, marked = 0, finished = 0;
};

/// One store, killed again and again until it is finished.
void live_and_die(const std::string& path, const StoreLayout& layout,
                  const std::vector<std::vector<std::uint8_t>>& batches, Random& random, Tally& tally) {
  std::uint64_t acknowledged = 0;
  for (int life = 0; life < 12; ++life) {
    const Life result = run_and_kill(path, layout, batches, random.below(100'000));
    if (WIFEXITED(result.status)) {
      ASSERT_EQ(WEXITSTATUS(result.status), 0);
      ++tally.finished;
      break;
    }
    ++tally.killed;
    acknowledged = std::max(acknowledged, result.acknowledged);
    if (!std::filesystem::exists(path)) {
      ++tally.before_creation;
      ASSERT_EQ(result.acknowledged, 0U);
      continue;
    }
    tally.marked += read_superblock(path).marked() ? 1 : 0;
    expect_whole(path, layout, acknowledged);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Kill, NothingAcknowledgedIsLostAndTheRunGoesOn) {
  const StoreLayout layout = fake_layout(space);
  std::vector<std::vector<std::uint8_t>> batches;
  for (const BatchName& name : all_names(2, generations, 3))
    batches.push_back(fake_packed(layout, space, name));
  const Folder folder;
  write_run(folder.file("whole.h5"), space, generations);
  const std::string expected = store_digest(folder.file("whole.h5"));
  const char* more = std::getenv("ATOLL_KILLS");
  const int kills = more != nullptr ? std::atoi(more) : 48;
  Random random({static_cast<std::uint64_t>(kills), Purpose::test, 0, 0, 0, 0});
  Tally tally;
  for (int store = 0; tally.killed < kills; ++store) {
    const std::string path = folder.file("results" + std::to_string(store) + ".h5");
    live_and_die(path, layout, batches, random, tally);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "store " << store;
    if (!std::filesystem::exists(path) || !StoreReader::open(path)->summary().sealed) {
      const auto writer = open_or_create(path, layout);
      for (const auto& batch : batches) writer->append(batch);
      writer->seal();
    }
    EXPECT_EQ(store_digest(path), expected);
    std::filesystem::remove(path);
  }
  std::printf(
      "%d kills: %d before the store stood, %d while it was open for writing; %d runs came to their end\n",
      tally.killed, tally.before_creation, tally.marked, tally.finished);
  EXPECT_GE(tally.marked, tally.killed / 2);
}

}  // namespace
}  // namespace atl::testing
