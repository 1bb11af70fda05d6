#include "atoll/island/topology.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

void both_ways(std::vector<Edge>& edges, std::uint32_t a, std::uint32_t b) {
  edges.push_back({a, b});
  edges.push_back({b, a});
}

void torus(std::vector<Edge>& edges, std::uint32_t n) {
  std::uint32_t rows = 1;
  for (std::uint32_t r = 1; r * r <= n; ++r) {
    if (n % r == 0) rows = r;
  }
  const std::uint32_t cols = n / rows;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t row = i / cols;
    const std::uint32_t col = i % cols;
    both_ways(edges, i, row * cols + (col + 1) % cols);
    both_ways(edges, i, (row + 1) % rows * cols + col);
  }
}

void random_k(std::vector<Edge>& edges, std::uint32_t n, std::uint32_t degree, std::uint64_t seed) {
  std::vector<std::uint32_t> others(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    Random random({.seed = seed, .purpose = Purpose::topology, .island = i});
    std::iota(others.begin(), others.end(), 0U);
    std::swap(others[i], others[n - 1]);
    for (std::uint32_t k = 0; k < std::min(degree, n - 1); ++k) {
      std::swap(others[k], others[k + random.below(n - 1 - k)]);
      edges.push_back({i, others[k]});
    }
  }
}

/// Every edge costs memory on every rank; a graph of many islands must be a sparse one.
void require_room_for_edges(const TopologySettings& settings, std::uint32_t n) {
  constexpr std::uint64_t most_edges = 1U << 24;
  std::uint64_t each = 0;
  if (settings.kind == TopologyKind::complete) each = n - 1;
  if (settings.kind == TopologyKind::random_k) each = std::min(settings.degree, n - 1);
  if (each * n <= most_edges) return;
  throw InputError(fmt::format(
      "migration.topology: {} islands would have {} edges, at most {} are possible; choose a sparse "
      "topology such as torus or hypercube, or a smaller degree",
      n, each * n, most_edges));
}

void own_list(std::vector<Edge>& edges, const TopologySettings& settings, std::uint32_t n) {
  for (const auto& [from, to] : settings.edges) {
    if (from >= n || to >= n) {
      throw InputError(fmt::format(
          "migration.topology: every end of an edge must be an island from 0 to {}, but there is the edge "
          "[{}, {}]; correct the edge or raise islands.count",
          n - 1, from, to));
    }
    edges.push_back({from, to});
  }
}

void put_in_order(std::vector<Edge>& edges) {
  std::erase_if(edges, [](const Edge& e) { return e.from == e.to; });
  std::sort(edges.begin(), edges.end(),
            [](const Edge& a, const Edge& b) { return a.to != b.to ? a.to < b.to : a.from < b.from; });
  const auto same = [](const Edge& a, const Edge& b) { return a.from == b.from && a.to == b.to; };
  edges.erase(std::unique(edges.begin(), edges.end(), same), edges.end());
}

}  // namespace

std::vector<Edge> make_edges(const TopologySettings& settings, std::uint32_t n, std::uint64_t seed) {
  std::vector<Edge> edges;
  if (settings.kind == TopologyKind::random_k && settings.degree == 0) {
    throw InputError(
        "migration.topology: random_k needs a degree of at least 1, not 0; use isolated for none");
  }
  require_room_for_edges(settings, n);
  for (std::uint32_t i = 0; i < n; ++i) {
    switch (settings.kind) {
      case TopologyKind::ring:
        edges.push_back({i, (i + 1) % n});
        break;
      case TopologyKind::both_ways_ring:
        both_ways(edges, i, (i + 1) % n);
        break;
      case TopologyKind::hypercube:
        for (std::uint64_t bit = 1; bit < n; bit <<= 1) {
          if ((i ^ bit) < n) edges.push_back({i, static_cast<std::uint32_t>(i ^ bit)});
        }
        break;
      case TopologyKind::star:
        both_ways(edges, 0, i);
        break;
      case TopologyKind::complete:
        for (std::uint32_t j = 0; j < n; ++j) edges.push_back({i, j});
        break;
      default:
        break;
    }
  }
  if (settings.kind == TopologyKind::torus) torus(edges, n);
  if (settings.kind == TopologyKind::random_k && n > 1) random_k(edges, n, settings.degree, seed);
  if (settings.kind == TopologyKind::edges) own_list(edges, settings, n);
  put_in_order(edges);
  return edges;
}

}  // namespace atl
