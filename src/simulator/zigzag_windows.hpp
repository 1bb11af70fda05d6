// The time that several transfers through one port may use together.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "atoll/simulator/zigzag_accelerator.hpp"

namespace atl::zigzag {

/// A transfer may run in the first `allowed` cycles of each period.
struct TimeWindow {
  double period = 1, allowed = 1;
};
using Windows = std::array<TimeWindow, operand_count * zigzag_move_count>;

/// How many of the first `cycles` cycles some of the first `count` windows cover. Periods are products of the
/// innermost loops, so that each divides the next; none is below 1, none is shorter than its window.
inline double union_of_windows(Windows windows, std::size_t count, double cycles) {
  std::sort(windows.begin(), windows.begin() + static_cast<std::ptrdiff_t>(count),
            [](const TimeWindow& a, const TimeWindow& b) {
              return a.period != b.period ? a.period < b.period : a.allowed < b.allowed;
            });
  // in_period[j]: cycles of one period of window j that windows 0..j cover; before[j]: what windows 0..j-1
  // cover of the cycles that window j covers itself.
  std::array<double, operand_count*zigzag_move_count> before = {}, in_period = {};
  const auto covered = [&](std::size_t of, double x) {
    double sum = 0;
    for (std::size_t j = of; j-- > 0;) {
      const double periods = std::floor(x / windows[j].period);
      sum += periods * in_period[j];
      x -= periods * windows[j].period;
      if (x <= windows[j].allowed) return sum + x;
      sum += windows[j].allowed - before[j];
    }
    return sum;
  };
  for (std::size_t j = 0; j < count; ++j) {
    before[j] = covered(j, windows[j].allowed);
    in_period[j] = windows[j].allowed + covered(j, windows[j].period) - before[j];
  }
  return covered(count, cycles);
}

}  // namespace atl::zigzag
