#include "atoll/transport/communicator.hpp"

// Only the C interface: Open MPI's old C++ classes would need a library of their own.
#define OMPI_SKIP_MPICXX 1

#include <fmt/format.h>
#include <mpi.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <utility>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

constexpr int gather_tag = 31;

std::string error_text(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(code, text.data(), &length);
  return std::string(text.data(), static_cast<std::size_t>(length));
}

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  throw ResourceError(
      fmt::format("MPI refused {}: {}; see the log of the other ranks", call, error_text(code)));
}

int message_length(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(INT_MAX)) {
    throw ResourceError(fmt::format(
        "a message may hold at most {} bytes, this one has {}; use smaller or fewer islands per rank",
        INT_MAX, bytes));
  }
  return static_cast<int>(bytes);
}

/// Waiting without burning a core that another rank needs: first yield, then sleep a little.
class Backoff {
 public:
  void pause() {
    if (++turns_ < 100) {
      sched_yield();
    } else {
      const timespec nap{0, 50'000};
      nanosleep(&nap, nullptr);
    }
  }

 private:
  unsigned turns_ = 0;
};

class MpiCommunicator final : public Communicator {
 public:
  MpiCommunicator(int& argc, char**& argv) {
    int running = 0;
    check(MPI_Initialized(&running), "MPI_Initialized");
    if (running == 0) {
      int provided = MPI_THREAD_SINGLE;
      check(MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
      owns_mpi_ = true;
    }
    check(MPI_Comm_dup(MPI_COMM_WORLD, &world_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(world_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(world_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(world_, &size_), "MPI_Comm_size");
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::string host() const override {
    std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
    int length = 0;
    check(MPI_Get_processor_name(name.data(), &length), "MPI_Get_processor_name");
    return std::string(name.data(), static_cast<std::size_t>(length));
  }

  std::string allowed_processors() const override {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) return "unknown";
    std::string text;
    for (int first = 0; first < CPU_SETSIZE; ++first) {
      if (!CPU_ISSET(static_cast<unsigned>(first), &set)) continue;
      int last = first;
      while (last + 1 < CPU_SETSIZE && CPU_ISSET(static_cast<unsigned>(last + 1), &set)) ++last;
      text += text.empty() ? "" : ",";
      text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
      first = last;
    }
    return text;
  }

  void send(int to, Channel channel, std::vector<std::uint8_t> bytes) override {
    if (to == rank_) {
      to_self_[channel].push_back(std::move(bytes));
      return;
    }
    send_tagged(to, static_cast<int>(channel), std::move(bytes));
  }

  std::optional<Message> poll(Channel channel) override {
    progress();
    if (auto own = take_from_self(channel)) return own;
    return try_receive(MPI_ANY_SOURCE, static_cast<int>(channel));
  }

  Message receive(int from, Channel channel, const std::function<void()>& idle) override {
    for (Backoff backoff;; backoff.pause()) {
      progress();
      auto message = from == rank_ ? take_from_self(channel) : try_receive(from, static_cast<int>(channel));
      if (message) return std::move(*message);
      if (idle) idle();
    }
  }

  std::size_t pending_sends() override {
    progress();
    return requests_.size();
  }

  std::vector<std::int64_t> agree_max(std::span<const std::int64_t> values,
                                      const std::function<void()>& idle) override {
    std::vector<std::int64_t> result(values.begin(), values.end());
    const std::vector<std::int64_t> mine = result;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(mine.data(), result.data(), message_length(mine.size()), MPI_INT64_T, MPI_MAX,
                         world_, &request),
          "MPI_Iallreduce");
    wait(request, idle);
    return result;
  }

  void barrier(const std::function<void()>& idle) override {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibarrier(world_, &request), "MPI_Ibarrier");
    wait(request, idle);
  }

  std::vector<std::uint8_t> broadcast(std::vector<std::uint8_t> bytes) override {
    std::uint64_t length = bytes.size();
    broadcast_block(reinterpret_cast<std::uint8_t*>(&length), sizeof length);
    bytes.resize(length);
    constexpr std::size_t block = std::size_t{1} << 30;
    for (std::size_t at = 0; at < bytes.size(); at += block) {
      broadcast_block(bytes.data() + at, std::min(block, bytes.size() - at));
    }
    return bytes;
  }

  std::vector<std::vector<std::uint8_t>> gather(std::vector<std::uint8_t> bytes) override {
    std::vector<std::vector<std::uint8_t>> all;
    if (rank_ != 0) {
      send_tagged(0, gather_tag, std::move(bytes));
      return all;
    }
    all.resize(static_cast<std::size_t>(size_));
    all[0] = std::move(bytes);
    for (int from = 1; from < size_; ++from) {
      Backoff backoff;
      std::optional<Message> message;
      while (!(message = try_receive(from, gather_tag))) {
        progress();
        backoff.pause();
      }
      all[static_cast<std::size_t>(from)] = std::move(message->bytes);
    }
    return all;
  }

  [[noreturn]] void abort(int exit_code) override {
    std::fflush(nullptr);
    MPI_Abort(world_, exit_code);
    _exit(exit_code);
  }

  void finish() override {
    for (Backoff backoff; pending_sends() > 0;) backoff.pause();
    barrier({});
    check(MPI_Comm_free(&world_), "MPI_Comm_free");
    if (owns_mpi_) check(MPI_Finalize(), "MPI_Finalize");
  }

 private:
  void send_tagged(int to, int tag, std::vector<std::uint8_t> bytes) {
    const int length = message_length(bytes.size());
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(bytes.data(), length, MPI_BYTE, to, tag, world_, &request), "MPI_Isend");
    requests_.push_back(request);
    buffers_.push_back(std::move(bytes));
    progress();
  }

  void progress() {
    if (requests_.empty()) return;
    int done = 0;
    completed_.resize(requests_.size());
    check(MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &done, completed_.data(),
                       MPI_STATUSES_IGNORE),
          "MPI_Testsome");
    if (done > 0) drop_completed();
  }

  void drop_completed() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      if (requests_[i] == MPI_REQUEST_NULL) continue;
      requests_[kept] = requests_[i];
      if (kept != i) buffers_[kept] = std::move(buffers_[i]);
      ++kept;
    }
    requests_.resize(kept);
    buffers_.resize(kept);
  }

  std::optional<Message> try_receive(int from, int tag) {
    int found = 0;
    MPI_Message handle = MPI_MESSAGE_NULL;
    MPI_Status status{};
    check(MPI_Improbe(from, tag, world_, &found, &handle, &status), "MPI_Improbe");
    if (found == 0) return std::nullopt;
    int length = 0;
    check(MPI_Get_count(&status, MPI_BYTE, &length), "MPI_Get_count");
    Message message{status.MPI_SOURCE, std::vector<std::uint8_t>(static_cast<std::size_t>(length))};
    check(MPI_Mrecv(message.bytes.data(), length, MPI_BYTE, &handle, &status), "MPI_Mrecv");
    return message;
  }

  std::optional<Message> take_from_self(Channel channel) {
    auto& queue = to_self_[channel];
    if (queue.empty()) return std::nullopt;
    Message message{rank_, std::move(queue.front())};
    queue.pop_front();
    return message;
  }

  void wait(MPI_Request& request, const std::function<void()>& idle) {
    int done = 0;
    for (Backoff backoff;; backoff.pause()) {
      check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (done != 0) return;
      progress();
      if (idle) idle();
    }
  }

  void broadcast_block(std::uint8_t* data, std::size_t length) {
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibcast(data, message_length(length), MPI_BYTE, 0, world_, &request), "MPI_Ibcast");
    wait(request, {});
  }

  MPI_Comm world_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  bool owns_mpi_ = false;
  std::vector<MPI_Request> requests_;               // active sends ...
  std::vector<std::vector<std::uint8_t>> buffers_;  // ... and their bytes, side by side
  std::vector<int> completed_;
  std::map<Channel, std::deque<std::vector<std::uint8_t>>> to_self_;
};

}  // namespace

std::unique_ptr<Communicator> Communicator::start(int& argc, char**& argv) {
  return std::make_unique<MpiCommunicator>(argc, argv);
}

std::string mpi_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  MPI_Get_library_version(text.data(), &length);
  std::string version(text.data(), static_cast<std::size_t>(length));
  version = version.substr(0, version.find(','));
  const auto v = version.find(" v");
  if (v != std::string::npos) version.erase(v + 1, 1);
  return version;
}

}  // namespace atl
