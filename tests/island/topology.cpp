#include "atoll/island/topology.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <vector>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using Pairs = std::set<std::pair<std::uint32_t, std::uint32_t>>;

std::vector<Edge> edges_of(TopologyKind kind, std::uint32_t n, std::uint32_t degree = 2,
                           std::uint64_t seed = 1) {
  return make_edges({.kind = kind, .degree = degree, .edges = {}}, n, seed);
}

Pairs pairs(const std::vector<Edge>& edges) {
  Pairs set;
  for (const Edge& e : edges) set.insert({e.from, e.to});
  return set;
}

std::vector<std::uint32_t> out_degrees(const std::vector<Edge>& edges, std::uint32_t n) {
  std::vector<std::uint32_t> degree(n);
  for (const Edge& e : edges) ++degree[e.from];
  return degree;
}

bool symmetric(const std::vector<Edge>& edges) {
  const Pairs set = pairs(edges);
  for (const Edge& e : edges) {
    if (!set.contains({e.to, e.from})) return false;
  }
  return true;
}

std::size_t reached_from_zero(const std::vector<Edge>& edges) {
  std::set<std::uint32_t> seen{0};
  for (std::size_t before = 0; before != seen.size();) {
    before = seen.size();
    for (const Edge& e : edges) {
      if (seen.contains(e.from)) seen.insert(e.to);
    }
  }
  return seen.size();
}

constexpr TopologyKind named[] = {
    TopologyKind::isolated,  TopologyKind::ring, TopologyKind::both_ways_ring, TopologyKind::torus,
    TopologyKind::hypercube, TopologyKind::star, TopologyKind::complete,       TopologyKind::random_k};

TEST(Topology, EdgesAreOrderedSingleAndWithoutLoopsForAnyCount) {
  for (const TopologyKind kind : named) {
    for (std::uint32_t n = 1; n <= 40; ++n) {
      const auto edges = edges_of(kind, n);
      for (std::size_t i = 0; i < edges.size(); ++i) {
        ASSERT_LT(edges[i].from, n);
        ASSERT_LT(edges[i].to, n);
        ASSERT_NE(edges[i].from, edges[i].to);
        if (i == 0) continue;
        const auto before = std::pair(edges[i - 1].to, edges[i - 1].from);
        ASSERT_LT(before, std::pair(edges[i].to, edges[i].from));
      }
    }
  }
}

TEST(Topology, OneIslandHasNoEdges) {
  for (const TopologyKind kind : named) EXPECT_TRUE(edges_of(kind, 1).empty());
  EXPECT_TRUE(edges_of(TopologyKind::isolated, 17).empty());
}

TEST(Topology, ConnectedKindsReachEveryIsland) {
  for (const TopologyKind kind : {TopologyKind::ring, TopologyKind::both_ways_ring, TopologyKind::torus,
                                  TopologyKind::hypercube, TopologyKind::star, TopologyKind::complete}) {
    for (std::uint32_t n = 1; n <= 40; ++n) EXPECT_EQ(reached_from_zero(edges_of(kind, n)), n);
  }
}

TEST(Topology, AllButRingAndRandomGoBothWays) {
  for (const TopologyKind kind : {TopologyKind::both_ways_ring, TopologyKind::torus, TopologyKind::hypercube,
                                  TopologyKind::star, TopologyKind::complete}) {
    for (std::uint32_t n = 1; n <= 40; ++n) EXPECT_TRUE(symmetric(edges_of(kind, n)));
  }
  EXPECT_FALSE(symmetric(edges_of(TopologyKind::ring, 5)));
}

TEST(Topology, DegreesAreThoseOfTheShape) {
  for (std::uint32_t n = 3; n <= 40; ++n) {
    EXPECT_EQ(out_degrees(edges_of(TopologyKind::ring, n), n), std::vector<std::uint32_t>(n, 1));
    EXPECT_EQ(out_degrees(edges_of(TopologyKind::both_ways_ring, n), n), std::vector<std::uint32_t>(n, 2));
    EXPECT_EQ(out_degrees(edges_of(TopologyKind::complete, n), n), std::vector<std::uint32_t>(n, n - 1));
    auto star = out_degrees(edges_of(TopologyKind::star, n), n);
    EXPECT_EQ(star[0], n - 1);
    for (std::uint32_t i = 1; i < n; ++i) EXPECT_EQ(star[i], 1U);
    for (const Edge& e : edges_of(TopologyKind::hypercube, n)) EXPECT_EQ(std::popcount(e.from ^ e.to), 1);
  }
  EXPECT_EQ(out_degrees(edges_of(TopologyKind::hypercube, 16), 16), std::vector<std::uint32_t>(16, 4));
  EXPECT_EQ(out_degrees(edges_of(TopologyKind::torus, 12), 12), std::vector<std::uint32_t>(12, 4));
  EXPECT_EQ(out_degrees(edges_of(TopologyKind::torus, 25), 25), std::vector<std::uint32_t>(25, 4));
}

TEST(Topology, TorusOfAPrimeIsTheRingBothWays) {
  for (const std::uint32_t n : {2U, 3U, 5U, 7U, 13U, 31U}) {
    EXPECT_EQ(pairs(edges_of(TopologyKind::torus, n)), pairs(edges_of(TopologyKind::both_ways_ring, n)));
  }
}

TEST(Topology, RandomDegreeIsClippedAndDrawnFromTheSeed) {
  for (std::uint32_t n = 2; n <= 20; ++n) {
    for (const std::uint32_t k : {1U, 2U, 5U, 100U}) {
      const auto edges = edges_of(TopologyKind::random_k, n, k, 3);
      EXPECT_EQ(out_degrees(edges, n), std::vector<std::uint32_t>(n, std::min(k, n - 1)));
      EXPECT_EQ(pairs(edges), pairs(edges_of(TopologyKind::random_k, n, k, 3)));
    }
  }
  EXPECT_NE(pairs(edges_of(TopologyKind::random_k, 20, 2, 3)),
            pairs(edges_of(TopologyKind::random_k, 20, 2, 4)));
}

TEST(Topology, RandomTargetsAreUniform) {
  std::vector<int> hits(6);
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    for (const Edge& e : edges_of(TopologyKind::random_k, 6, 2, seed)) {
      if (e.from == 2) ++hits[e.to];
    }
  }
  EXPECT_EQ(hits[2], 0);
  for (const std::uint32_t to : {0U, 1U, 3U, 4U, 5U}) EXPECT_NEAR(hits[to], 1200, 150);
}

TEST(Topology, AnOwnListIsTakenInOrderWithoutDoubles) {
  const auto edges = make_edges(
      {.kind = TopologyKind::edges, .degree = 2, .edges = {{2, 0}, {0, 1}, {1, 1}, {0, 1}, {1, 0}}}, 3, 1);
  ASSERT_EQ(edges.size(), 3U);
  EXPECT_EQ(edges[0].from, 1U);
  EXPECT_EQ(edges[1].from, 2U);
  EXPECT_EQ(edges[2].to, 1U);
}

TEST(Topology, BadInputIsRefusedWithTheOffendingEdge) {
  try {
    make_edges({.kind = TopologyKind::edges, .degree = 2, .edges = {{0, 1}, {1, 4}}}, 4, 1);
    FAIL() << "an edge to a missing island passed";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("[1, 4]"), std::string::npos);
  }
  EXPECT_THROW(edges_of(TopologyKind::random_k, 4, 0), InputError);
  EXPECT_THROW(edges_of(TopologyKind::complete, 65536, 2), InputError);
  EXPECT_THROW(edges_of(TopologyKind::random_k, 65536, 65535), InputError);
}

}  // namespace
}  // namespace atl
