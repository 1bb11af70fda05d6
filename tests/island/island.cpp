#include "atoll/island/island.hpp"

#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/island/mailbox.hpp"
#include "atoll/island/recorder.hpp"
#include "fake_communicator.hpp"
#include "toy.hpp"

namespace atl {
namespace {

using namespace testing_island;

/// Keeps every batch that is recorded.
class KeepingWriter final : public StoreWriter {
 public:
  explicit KeepingWriter(std::vector<std::vector<std::uint8_t>>& batches) : batches_(batches) {}
  void append(std::span<const std::uint8_t> packed) override {
    batches_.emplace_back(packed.begin(), packed.end());
  }
  void commit() override {}
  void sync() override {}
  void note(const std::string&, const std::string&) override {}
  void seal() override {}
  std::uint64_t rows() const override { return 0; }
  std::uint64_t committed_batches() const override { return batches_.size(); }
  std::uint64_t bytes() const override { return 0; }

 private:
  std::vector<std::vector<std::uint8_t>>& batches_;
};

/// Four islands that go through their generations side by side.
struct World {
  explicit World(TopologyKind kind = TopologyKind::both_ways_ring)
      : run(settings(4, kind, "", space)),
        mailbox(communicator, make_edges(run.migration.topology, 4, run.seed), 4),
        recorder(communicator, std::make_unique<KeepingWriter>(batches)) {
    for (std::uint32_t i = 0; i < 4; ++i) {
      islands.emplace_back(i, Island::Surroundings{run, space, mailbox, recorder});
      islands.back().begin(1);
    }
  }
  void live(int generations) {
    for (int g = 0; g < generations; ++g) {
      for (Island& island : islands) island.generation();
    }
  }
  ToySpace space;
  ArchipelagoSettings run;
  FakeCommunicator communicator;
  std::vector<std::vector<std::uint8_t>> batches;
  Mailbox mailbox;
  Recorder recorder;
  std::vector<Island> islands;
};

TEST(Island, AGenerationIsBornEvaluatedJudgedAndRecorded) {
  World world;
  world.live(1);
  EXPECT_EQ(world.batches.size(), 4U);
  std::uint64_t rows = 0;
  for (const Island& island : world.islands) {
    EXPECT_EQ(island.completed(), 1U);
    const Population& population = island.policy().population();
    ASSERT_GT(population.size(), 0U);
    for (std::size_t row = 0; row < population.size(); ++row) {
      EXPECT_EQ(population.fitness[row], world.run.objective.fitness(population.costs(row)));
      EXPECT_EQ(population.id[row] >> 54, 1U);
      EXPECT_EQ(population.id[row] >> 16 & 0xffff, island.id());
    }
    rows += population.size();
  }
  EXPECT_EQ(world.recorder.evaluations(), world.space.evaluations());
  EXPECT_GE(world.space.evaluations(), rows);
}

TEST(Island, SaveAndLoadAtEveryGenerationGiveTheSameLife) {
  for (int at = 0; at <= 14; ++at) {
    World whole;
    whole.live(14);
    World before;
    before.live(at);
    World after;
    for (std::size_t i = 0; i < 4; ++i) {
      after.islands[i].load(1, static_cast<std::uint32_t>(at), before.islands[i].save());
    }
    after.live(14 - at);
    std::vector<std::vector<std::uint8_t>> joined = before.batches;
    joined.insert(joined.end(), after.batches.begin(), after.batches.end());
    // Mapping texts are handed out once by a space object, so a new one repeats them: the rows are compared
    // by the store.
    ASSERT_EQ(joined.size(), whole.batches.size());
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(after.islands[i].save(), whole.islands[i].save()) << "island " << i << ", saved at " << at;
    }
  }
}

TEST(Island, SavingChangesNothing) {
  World plain, saved;
  for (int g = 0; g < 14; ++g) {
    plain.live(1);
    saved.live(1);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(saved.islands[i].save(), saved.islands[i].save());
  }
  EXPECT_EQ(plain.batches, saved.batches);
}

TEST(Island, MigrantsEnterWithTheirIdsAndAreCounted) {
  World world;
  world.run.migration.enter = Enter::replace_worst;
  world.live(3);
  for (const Island& island : world.islands) {
    for (const EdgeTraffic& edge : island.traffic()) EXPECT_EQ(edge.sent, 0U);
  }
  world.live(1);
  for (const Island& island : world.islands) {
    ASSERT_EQ(island.traffic().size(), 2U);
    for (const EdgeTraffic& edge : island.traffic()) {
      EXPECT_EQ(edge.to, island.id());
      EXPECT_EQ(edge.sent, 4U);
      EXPECT_EQ(edge.accepted + edge.rejected, 4U);
      EXPECT_GT(edge.accepted, 0U);
    }
  }
}

TEST(Island, ForeignOrTornCheckpointsAreRefused) {
  World world;
  world.live(3);
  const std::string bytes = world.islands[1].save();
  World other;
  EXPECT_THROW(other.islands[2].load(1, 3, bytes), InternalError);
  EXPECT_THROW(other.islands[1].load(0, 3, bytes), InternalError);
  EXPECT_THROW(other.islands[1].load(1, 4, bytes), InternalError);
  EXPECT_THROW(other.islands[1].load(1, 3, bytes.substr(0, 30)), InternalError);
  EXPECT_NO_THROW(other.islands[1].load(1, 3, bytes));
}

}  // namespace
}  // namespace atl
