// Ranks without MPI, all in this process: what one sends lies in the other's queue at once. A single one of
// them runs a whole archipelago alone, which gives the reference for every other number of ranks.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "atoll/base/error.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl::testing_island {

class FakeCommunicator final : public Communicator {
 public:
  using Queues = std::map<std::pair<int, Channel>, std::deque<Message>>;  // by (receiver, channel)

  FakeCommunicator() : FakeCommunicator(0, 1, std::make_shared<Queues>()) {}
  FakeCommunicator(int rank, int size, std::shared_ptr<Queues> queues)
      : rank_(rank), size_(size), queues_(std::move(queues)) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string host() const override { return "nowhere"; }
  std::string allowed_processors() const override { return "0"; }
  void send(int to, Channel channel, std::vector<std::uint8_t> bytes) override {
    (*queues_)[{to, channel}].push_back({rank_, std::move(bytes)});
  }
  std::optional<Message> poll(Channel channel) override {
    auto& queue = (*queues_)[{rank_, channel}];
    if (queue.empty()) return std::nullopt;
    Message message = std::move(queue.front());
    queue.pop_front();
    return message;
  }
  Message receive(int from, Channel channel, const std::function<void()>& idle) override {
    for (int turn = 0; turn < 1000; ++turn) {
      auto& queue = (*queues_)[{rank_, channel}];
      for (auto at = queue.begin(); at != queue.end(); ++at) {
        if (at->source != from) continue;
        Message message = std::move(*at);
        queue.erase(at);
        return message;
      }
      if (idle) idle();
    }
    throw InternalError("this rank would wait for ever");
  }
  std::size_t pending_sends() override { return 0; }
  std::vector<std::int64_t> agree_max(std::span<const std::int64_t> values,
                                      const std::function<void()>& /*idle*/) override {
    alone();
    return {values.begin(), values.end()};
  }
  void barrier(const std::function<void()>& /*idle*/) override { alone(); }
  std::vector<std::uint8_t> broadcast(std::vector<std::uint8_t> bytes) override {
    alone();
    return bytes;
  }
  std::vector<std::vector<std::uint8_t>> gather(std::vector<std::uint8_t> bytes) override {
    alone();
    std::vector<std::vector<std::uint8_t>> all;
    all.push_back(std::move(bytes));
    return all;
  }
  [[noreturn]] void abort(int /*exit_code*/) override {
    throw InternalError("a fake rank was told to abort");
  }
  void finish() override {}

 private:
  void alone() const {
    if (size_ != 1) throw InternalError("fake ranks know no collective calls");
  }

  int rank_, size_;
  std::shared_ptr<Queues> queues_;
};

}  // namespace atl::testing_island
