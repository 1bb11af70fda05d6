// Instructions of this thread in user mode, counted by the processor where the system allows it. A count
// varies far less than a time on a shared machine. Where it is not allowed, nothing is reported.
#pragma once

#include <benchmark/benchmark.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace atl::bench {

class Instructions {
 public:
  Instructions() {
    perf_event_attr wanted{};
    wanted.size = sizeof(wanted);
    wanted.type = PERF_TYPE_HARDWARE;
    wanted.config = PERF_COUNT_HW_INSTRUCTIONS;
    wanted.exclude_kernel = 1;
    wanted.exclude_hv = 1;
    file_ = static_cast<int>(syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0));
  }
  ~Instructions() {
    if (file_ >= 0) close(file_);
  }
  Instructions(const Instructions&) = delete;
  Instructions& operator=(const Instructions&) = delete;

  /// Adds the column `instructions`: those since construction, for one item.
  template <typename Count>
  void report(benchmark::State& state, Count items) const {
    std::uint64_t count = 0;
    if (file_ < 0 || read(file_, &count, sizeof(count)) != sizeof(count) || count == 0) return;
    state.counters["instructions"] = static_cast<double>(count) / static_cast<double>(items);
  }

 private:
  int file_ = -1;
};

}  // namespace atl::bench
