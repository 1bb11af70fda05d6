#include "atoll/island/recorder.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "atoll/base/error.hpp"
#include "fake_communicator.hpp"

namespace atl {
namespace {

using testing_island::FakeCommunicator;

/// What a writer was asked to do; refuses from a given batch on.
struct Log {
  std::vector<std::vector<std::uint8_t>> batches;
  std::uint64_t committed = 0;
  int syncs = 0, seals = 0;
  std::size_t full_after = std::numeric_limits<std::size_t>::max();
};

class LoggingWriter final : public StoreWriter {
 public:
  explicit LoggingWriter(Log& log) : log_(log) {}
  void append(std::span<const std::uint8_t> packed) override {
    if (log_.batches.size() >= log_.full_after) throw ResourceError("the disk is full");
    if (packed.empty()) throw InternalError("an empty batch");
    log_.batches.emplace_back(packed.begin(), packed.end());
  }
  void commit() override { log_.committed = log_.batches.size(); }
  void sync() override {
    commit();
    ++log_.syncs;
  }
  void note(const std::string&, const std::string&) override {}
  void seal() override { ++log_.seals; }
  std::uint64_t rows() const override { return 0; }
  std::uint64_t committed_batches() const override { return log_.committed; }
  std::uint64_t bytes() const override { return 0; }

 private:
  Log& log_;
};

BatchSummary summary(std::uint32_t task, std::uint32_t island, double best) {
  return {
      .task = task, .generation = 3, .island = island, .rows = 10, .best = best, .ratio_to_bound = best / 2};
}

std::vector<std::uint8_t> batch(std::uint8_t n, std::size_t size = 100) {
  return std::vector<std::uint8_t>(size, n);
}

struct Fixture {
  std::shared_ptr<FakeCommunicator::Queues> queues = std::make_shared<FakeCommunicator::Queues>();
  FakeCommunicator first{0, 2, queues}, second{1, 2, queues};
  Log log;
  Recorder writing{first, std::make_unique<LoggingWriter>(log), 1000};
  Recorder shipping{second, nullptr, 1000};
};

TEST(Recorder, BatchesOfAllRanksReachTheWriterUnchanged) {
  Fixture f;
  f.shipping.record(summary(0, 1, 7), batch(1));
  f.shipping.record(summary(0, 1, 5), batch(2));
  EXPECT_TRUE(f.log.batches.empty());
  f.writing.record(summary(0, 0, 6), batch(3));
  f.writing.wait_for(3);
  ASSERT_EQ(f.log.batches.size(), 3U);
  EXPECT_EQ(f.log.batches[0], batch(3));
  EXPECT_EQ(f.log.batches[2], batch(2));
  EXPECT_EQ(f.writing.batches(), 3U);
  EXPECT_EQ(f.writing.evaluations(), 30U);
  EXPECT_EQ(f.writing.best().best, 5);
  EXPECT_EQ(f.writing.best().island, 1U);
  f.writing.record(summary(1, 0, 90), batch(4));
  EXPECT_EQ(f.writing.best().best, 90) << "a newer task starts afresh";
}

TEST(Recorder, ARankWaitsForCreditBeyondItsWindow) {
  Fixture f;
  for (std::uint8_t n = 0; n < 7; ++n) f.shipping.record(summary(0, 1, 1), batch(n));  // 7 x 132 bytes
  EXPECT_THROW(f.shipping.record(summary(0, 1, 1), batch(8)), InternalError)
      << "nobody gives credit: it waits";
  f.writing.tend();
  EXPECT_EQ(f.log.batches.size(), 7U);
  f.shipping.record(summary(0, 1, 1), batch(9));
  f.shipping.record(summary(0, 1, 1), batch(10));
  f.writing.tend();
  EXPECT_EQ(f.log.batches.size(), 9U);
}

TEST(Recorder, ABatchLargerThanTheWindowGoesAlone) {
  Fixture f;
  f.shipping.record(summary(0, 1, 1), batch(1, 5000));
  EXPECT_THROW(f.shipping.record(summary(0, 1, 1), batch(2)), InternalError);
  f.writing.tend();
  f.shipping.record(summary(0, 1, 1), batch(3, 5000));
  f.writing.tend();
  EXPECT_EQ(f.log.batches.size(), 2U);
}

TEST(Recorder, SyncAndSealAcknowledgeEverything) {
  Fixture f;
  f.writing.record(summary(0, 0, 6), batch(1));
  EXPECT_EQ(f.writing.synced_batches(), 0U);
  f.writing.sync();
  EXPECT_EQ(f.writing.acknowledged_batches(), 1U);
  EXPECT_EQ(f.writing.synced_batches(), 1U);
  f.writing.record(summary(0, 0, 6), batch(2));
  EXPECT_EQ(f.writing.synced_batches(), 1U);
  f.writing.seal();
  EXPECT_EQ(f.writing.synced_batches(), 2U);
  EXPECT_EQ(f.log.seals, 1);
  f.shipping.sync();
  f.shipping.seal();
  EXPECT_EQ(f.log.seals, 1) << "other ranks have no store";
}

TEST(Recorder, AFullDiskIsRememberedAndNobodyIsLeftWaiting) {
  Fixture f;
  f.log.full_after = 2;
  for (std::uint8_t round = 0; round < 50; ++round) {
    f.shipping.record(summary(0, 1, 1), batch(round));
    f.writing.tend();
  }
  EXPECT_EQ(f.writing.failure(), "the disk is full");
  EXPECT_EQ(f.log.batches.size(), 2U);
  EXPECT_EQ(f.writing.batches(), 50U);
  f.writing.sync();
  f.writing.seal();
  EXPECT_EQ(f.log.seals, 0) << "a store that failed is not touched again";
  EXPECT_EQ(f.writing.synced_batches(), 0U);
}

TEST(Recorder, OurOwnFaultsPass) {
  Fixture f;
  EXPECT_THROW(f.writing.record(summary(0, 0, 1), {}), InternalError);
  EXPECT_TRUE(f.writing.failure().empty());
}

}  // namespace
}  // namespace atl
