// Letters between islands, one queue for every edge of the topology. An island posts along its out-edges and
// takes from its in-edges without knowing which rank hosts the other end; messages of other edges that arrive
// meanwhile are filed. Each queue keeps the order of sending, so arrival order across edges can never matter.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "atoll/island/topology.hpp"

namespace atl {

class Communicator;

class Mailbox {
 public:
  using Letter = std::vector<std::uint8_t>;

  /// `idle` is called again and again while take() or wait_for() wait for a letter.
  Mailbox(Communicator& world, std::vector<Edge> edges, std::uint32_t islands,
          std::function<void()> idle = {});

  const std::vector<Edge>& edges() const { return edges_; }
  /// Indices of the edges that end / begin at an island, ordered by the island at the other end.
  std::span<const std::uint32_t> edges_into(std::uint32_t island) const { return into_[island]; }
  std::span<const std::uint32_t> edges_out_of(std::uint32_t island) const { return out_of_[island]; }

  /// Called by the island the edge begins at; never waits.
  void post(std::uint32_t edge, Letter letter);
  /// Called by the island the edge ends at: the oldest letter of the edge, waiting until there is one.
  Letter take(std::uint32_t edge);
  /// Waits until the edge has a letter and leaves it there; for checkpoints.
  const Letter& wait_for(std::uint32_t edge);
  /// Puts a letter that a checkpoint kept back into its queue.
  void put_back(std::uint32_t edge, Letter letter);
  std::size_t waiting(std::uint32_t edge) const { return queues_[edge].size(); }

 private:
  int rank_of(std::uint32_t island) const;
  void file(Letter letter);

  Communicator& world_;
  std::vector<Edge> edges_;
  std::uint32_t islands_;
  std::function<void()> idle_;
  std::vector<std::vector<std::uint32_t>> into_, out_of_;  // by island
  std::vector<std::deque<Letter>> queues_;                 // by edge
};

}  // namespace atl
