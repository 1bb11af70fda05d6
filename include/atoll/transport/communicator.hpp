// MPI, and only here. A communicator over all ranks of the job (or a single process without mpirun), with
// typed point-to-point messages of bytes, agreement, and waits that let the caller go on with other work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// Kinds of messages; each is an MPI tag of its own.
enum class Channel : int { migration = 11, record = 12, snapshot = 13, result = 14, credit = 15 };

struct Message {
  int source = 0;
  std::vector<std::uint8_t> bytes;
};

class Communicator {
 public:
  /// Starts MPI (MPI_THREAD_FUNNELED) if it is not running yet.
  static std::unique_ptr<Communicator> start(int& argc, char**& argv);
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string host() const = 0;
  /// Processors this process may run on, as "0-1".
  virtual std::string allowed_processors() const = 0;

  /// Takes the bytes and sends them without waiting; the
  /// buffer lives until delivered. Sending to oneself works.
  virtual void send(int to, Channel channel, std::vector<std::uint8_t> bytes) = 0;
  /// A waiting message, if there is one (any source).
  virtual std::optional<Message> poll(Channel channel) = 0;
  /// The next message of the channel from `from`; while waiting calls `idle` again and again.
  virtual Message receive(int from, Channel channel, const std::function<void()>& idle = {}) = 0;
  /// Sends not yet taken over by the receiver's side; progress happens in every call here.
  virtual std::size_t pending_sends() = 0;

  /// Element-wise maximum over all ranks; `idle` as above (non-blocking reduction inside).
  virtual std::vector<std::int64_t> agree_max(std::span<const std::int64_t> values,
                                              const std::function<void()>& idle = {}) = 0;
  virtual void barrier(const std::function<void()>& idle = {}) = 0;
  /// Rank 0's bytes on every rank / every rank's bytes on rank 0 (empty elsewhere).
  virtual std::vector<std::uint8_t> broadcast(std::vector<std::uint8_t> bytes) = 0;
  virtual std::vector<std::vector<std::uint8_t>> gather(std::vector<std::uint8_t> bytes) = 0;

  /// Ends the whole job at once: flushes the logger, then MPI_Abort. Never returns.
  [[noreturn]] virtual void abort(int exit_code) = 0;
  /// Orderly end: all ranks must call it.
  virtual void finish() = 0;
};

/// "Open MPI 4.1.4" and the like.
std::string mpi_version();

}  // namespace atl
