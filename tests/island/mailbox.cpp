#include "atoll/island/mailbox.hpp"

#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"
#include "fake_communicator.hpp"

namespace atl {
namespace {

using testing_island::FakeCommunicator;

/// Six islands on three ranks, complete.
struct Fixture {
  std::shared_ptr<FakeCommunicator::Queues> queues = std::make_shared<FakeCommunicator::Queues>();
  std::vector<FakeCommunicator> ranks{{0, 3, queues}, {1, 3, queues}, {2, 3, queues}};
  std::vector<Edge> edges = make_edges({.kind = TopologyKind::complete, .degree = 1, .edges = {}}, 6, 1);
  std::vector<Mailbox> boxes;
  Fixture() {
    for (auto& rank : ranks) boxes.emplace_back(rank, edges, 6);
  }
  Mailbox& of(std::uint32_t island) { return boxes[island / 2]; }
};

TEST(Mailbox, ListsEdgesByTheIslandAtTheOtherEnd) {
  Fixture f;
  for (std::uint32_t island = 0; island < 6; ++island) {
    const auto into = f.of(island).edges_into(island);
    const auto out = f.of(island).edges_out_of(island);
    ASSERT_EQ(into.size(), 5U);
    ASSERT_EQ(out.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(f.edges[into[i]].to, island);
      EXPECT_EQ(f.edges[out[i]].from, island);
      if (i == 0) continue;
      EXPECT_LT(f.edges[into[i - 1]].from, f.edges[into[i]].from);
      EXPECT_LT(f.edges[out[i - 1]].to, f.edges[out[i]].to);
    }
  }
}

TEST(Mailbox, EveryEdgeKeepsItsOrderWhateverTheOrderOfTaking) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    Fixture f;
    Random random({.seed = seed});
    const auto count = static_cast<std::uint32_t>(f.edges.size());
    std::vector<std::uint8_t> sent(count), taken(count);
    for (int n = 0; n < 2000; ++n) {
      const std::uint32_t e = random.below(count);
      if (random.chance(0.5) && sent[e] < 250) {
        f.of(f.edges[e].from).post(e, {static_cast<std::uint8_t>(e), sent[e]++});
      } else if (taken[e] < sent[e]) {
        EXPECT_EQ(f.of(f.edges[e].to).take(e), (Mailbox::Letter{static_cast<std::uint8_t>(e), taken[e]++}));
      }
    }
  }
}

TEST(Mailbox, WaitingCallsIdleAndLeavesTheLetter) {
  Fixture f;
  const std::uint32_t edge = f.boxes[2].edges_into(5)[0];
  int turns = 0;
  Mailbox patient(f.ranks[2], f.edges, 6, [&] {
    if (++turns == 3) f.of(0).post(edge, {42});
  });
  EXPECT_EQ(patient.wait_for(edge), Mailbox::Letter{42});
  EXPECT_EQ(turns, 3);
  EXPECT_EQ(patient.waiting(edge), 1U);
  EXPECT_EQ(patient.take(edge), Mailbox::Letter{42});
  EXPECT_EQ(patient.waiting(edge), 0U);
  patient.put_back(edge, {7});
  EXPECT_EQ(patient.take(edge), Mailbox::Letter{7});
}

TEST(Mailbox, LettersWithoutAGoodAddressAreRefused) {
  Fixture f;
  const std::uint32_t edge = f.boxes[2].edges_into(5)[0];
  f.ranks[0].send(2, Channel::migration, {1, 2});
  EXPECT_THROW(f.boxes[2].take(edge), InternalError);
  f.ranks[0].send(2, Channel::migration, {0, 255, 255, 0, 0});
  EXPECT_THROW(f.boxes[2].take(edge), InternalError);
}

}  // namespace
}  // namespace atl
