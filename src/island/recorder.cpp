#include "atoll/island/recorder.hpp"

#include <fmt/format.h>

#include <cstring>
#include <limits>
#include <thread>
#include <utility>

#include "atoll/base/error.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto between_commits = std::chrono::milliseconds(200);
constexpr auto between_syncs = std::chrono::seconds(10);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

Recorder::Recorder(Communicator& world, std::unique_ptr<StoreWriter> writer, std::size_t window)
    : world_(world),
      writer_(std::move(writer)),
      window_(window),
      last_commit_(Clock::now()),
      last_sync_(last_commit_) {
  best_.best = std::numeric_limits<double>::infinity();
}

void Recorder::record(const BatchSummary& summary, std::vector<std::uint8_t> packed) {
  const auto* tail = reinterpret_cast<const std::uint8_t*>(&summary);
  packed.insert(packed.end(), tail, tail + sizeof summary);
  if (world_.rank() == 0) {
    take_in(std::move(packed));
    tend();
    return;
  }
  wait_for_room(packed.size());
  under_way_ += packed.size();
  world_.send(0, Channel::record, std::move(packed));
}

void Recorder::take_credit(const std::vector<std::uint8_t>& message) {
  std::uint64_t amount = 0;
  if (message.size() == sizeof amount) std::memcpy(&amount, message.data(), sizeof amount);
  if (amount == 0 || amount > under_way_) {
    throw InternalError(
        fmt::format("the writer gave credit for {} bytes, but {} are under way", amount, under_way_));
  }
  under_way_ -= amount;
}

void Recorder::wait_for_room(std::size_t bytes) {
  while (const auto credit = world_.poll(Channel::credit)) take_credit(credit->bytes);
  if (under_way_ == 0 || under_way_ + bytes <= window_) return;
  const auto start = Clock::now();
  while (under_way_ > 0 && under_way_ + bytes > window_)
    take_credit(world_.receive(0, Channel::credit).bytes);
  waited_ += seconds_since(start);
}

void Recorder::wait_for_all_credit() {
  while (under_way_ > 0) take_credit(world_.receive(0, Channel::credit).bytes);
}

void Recorder::tend() {
  if (world_.rank() != 0) return;
  while (auto message = world_.poll(Channel::record)) {
    const std::uint64_t amount = message->bytes.size();
    take_in(std::move(message->bytes));
    std::vector<std::uint8_t> credit(sizeof amount);
    std::memcpy(credit.data(), &amount, sizeof amount);
    world_.send(message->source, Channel::credit, std::move(credit));
    keep_promises();
  }
  keep_promises();
}

void Recorder::take_in(std::vector<std::uint8_t> message) {
  BatchSummary summary;
  if (message.size() < sizeof summary)
    throw InternalError("a batch for the store arrived without its summary");
  const std::size_t packed = message.size() - sizeof summary;
  std::memcpy(&summary, message.data() + packed, sizeof summary);
  const auto start = Clock::now();
  guard([&] { writer_->append(std::span<const std::uint8_t>(message).first(packed)); });
  waited_ += seconds_since(start);
  uncommitted_ = true;
  ++batches_;
  evaluations_ += summary.rows;
  const bool newer = summary.task > best_.task;
  if (newer || (summary.task == best_.task && summary.best < best_.best)) best_ = summary;
}

void Recorder::keep_promises() {
  const auto now = Clock::now();
  if (!uncommitted_ || now - last_commit_ < between_commits) return;
  if (now - last_sync_ >= between_syncs) {
    sync();
  } else {
    guard([&] {
      writer_->commit();
      acknowledged_ = writer_->committed_batches();
    });
    uncommitted_ = false;
    last_commit_ = Clock::now();
    waited_ += std::chrono::duration<double>(last_commit_ - now).count();
  }
}

void Recorder::wait_for(std::uint64_t batches) {
  if (world_.rank() != 0) return;
  while (batches_ < batches) {
    const std::uint64_t before = batches_;
    tend();
    if (batches_ == before) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
}

void Recorder::sync() {
  if (world_.rank() != 0) return;
  const auto start = Clock::now();
  guard([&] {
    writer_->sync();
    acknowledged_ = synced_ = writer_->committed_batches();
  });
  uncommitted_ = false;
  last_commit_ = last_sync_ = Clock::now();
  waited_ += seconds_since(start);
}

void Recorder::seal() {
  if (world_.rank() != 0) return;
  guard([&] {
    writer_->sync();
    acknowledged_ = synced_ = writer_->committed_batches();
    writer_->seal();
  });
}

void Recorder::note(const std::string& key, const std::string& value) {
  if (world_.rank() == 0) guard([&] { writer_->note(key, value); });
}

void Recorder::guard(const std::function<void()>& action) {
  if (!failure_.empty()) return;
  try {
    action();
  } catch (const Error& error) {
    if (error.code() != ExitCode::machine) throw;
    failure_ = error.what();
  }
}

}  // namespace atl
