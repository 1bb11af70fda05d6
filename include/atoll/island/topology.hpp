// Who sends migrants to whom: a directed graph over islands, made once from its name. Islands, not ranks, are
// its vertices, so that a run is the same on any number of ranks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace atl {

enum class TopologyKind : std::uint8_t {
  isolated,
  ring,
  both_ways_ring,
  torus,
  hypercube,
  star,
  complete,
  random_k,
  edges
};

struct TopologySettings {
  TopologyKind kind = TopologyKind::ring;
  std::uint32_t degree = 2;                                    // random_k: out-edges of each island
  std::vector<std::pair<std::uint32_t, std::uint32_t>> edges;  // edges: own list (from, to)
};

struct Edge {
  std::uint32_t from = 0, to = 0;
};

/// Edges ordered by (to, from), without loops and doubles. One island has none. torus: the most square grid
/// rows*cols = islands (a prime number gives a ring both ways). hypercube: neighbours differ in one bit of
/// the id, missing ids are left out. star: island 0 is the hub. random_k: drawn from (seed, island), k
/// clipped to islands - 1. InputError: an edge names an island that does not exist, degree 0,
/// more than 2^24 edges.
std::vector<Edge> make_edges(const TopologySettings& settings, std::uint32_t islands, std::uint64_t seed);

}  // namespace atl
