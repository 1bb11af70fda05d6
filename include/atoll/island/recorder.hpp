// Brings every generation to the store. One rank (0) writes for all; the others ship their batches to it
// and may be ahead by a window of bytes: beyond it they wait for credit, so that no queue grows without
// bound and evolution is as fast as the disk. Rank 0 calls tend() wherever it waits, hence nobody waits for
// a rank that waits.
//
// When the environment fails under the writer (disk full), rank 0 goes on taking batches, throws them away
// and remembers why: the archipelago agrees on the failure at its next agreement and ends everywhere alike.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "atoll/store/writer.hpp"

namespace atl {

class Communicator;

/// What rank 0 wants to know about a batch without unpacking it.
struct BatchSummary {
  std::uint32_t task = 0, generation = 0, island = 0, rows = 0;
  double best = 0;  // smallest fitness of a feasible row of the island in this task so far; infinity if none
  double ratio_to_bound = 0;  // of that row; 0 if there is no bound
};

class Recorder {
 public:
  /// `writer` on rank 0 only. `window`: bytes a rank may have under way.
  Recorder(Communicator& world, std::unique_ptr<StoreWriter> writer,
           std::size_t window = std::size_t{4} << 20);

  /// Hands over one packed batch; waits for credit if the window is full.
  void record(const BatchSummary& summary, std::vector<std::uint8_t> packed);

  /// Waits until rank 0 has taken in all batches of this rank.
  void wait_for_all_credit();

  /// The rest does nothing on other ranks. Takes in what has arrived; commits and syncs when it is time.
  void tend();
  /// Tends until this many batches have come in since the start of the call.
  void wait_for(std::uint64_t batches);
  void sync();
  void seal();
  void note(const std::string& key, const std::string& value);
  /// Runs something that may meet a failure of the environment; remembers the failure instead of throwing it.
  /// Other errors pass.
  void guard(const std::function<void()>& action);
  /// Why the store cannot go on; empty while all is well.
  const std::string& failure() const { return failure_; }

  std::uint64_t batches() const { return batches_; }
  std::uint64_t evaluations() const { return evaluations_; }
  std::uint64_t acknowledged_batches() const { return acknowledged_; }
  std::uint64_t synced_batches() const { return synced_; }
  /// The best of the newest task that anybody has reached.
  const BatchSummary& best() const { return best_; }
  /// Time this rank could not evolve because of the store: waiting for credit, on rank 0 writing.
  double seconds_waiting() const { return waited_; }

 private:
  void take_in(std::vector<std::uint8_t> message);
  void keep_promises();
  void wait_for_room(std::size_t bytes);
  void take_credit(const std::vector<std::uint8_t>& message);

  Communicator& world_;
  std::unique_ptr<StoreWriter> writer_;
  std::size_t window_;
  std::size_t under_way_ = 0;
  std::uint64_t batches_ = 0, evaluations_ = 0, acknowledged_ = 0, synced_ = 0;
  BatchSummary best_;
  bool uncommitted_ = false;
  double waited_ = 0;
  std::string failure_;
  std::chrono::steady_clock::time_point last_commit_, last_sync_;
};

}  // namespace atl
