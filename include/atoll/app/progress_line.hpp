// How a run shows that it is alive: one line that renews itself on a terminal, or a line in the log every few
// seconds where standard error goes to a file.
#pragma once

#include <cstddef>
#include <string>

#include "atoll/island/archipelago.hpp"

namespace atl {

/// "layer1.0.conv1 3/12 | gen 20/50 | 1.2 M evals, 410 k/s | best 3.1e+12, 1.9 x bound | 12 s left". In a
/// line narrower than that the task's name loses its end first.
std::string progress_text(const Progress& progress, std::size_t width = std::string::npos);

class ProgressLine {
 public:
  enum class Mode { none, live, log };
  /// none under --quiet, live if standard error is a terminal, otherwise log.
  static Mode mode_for(bool quiet);
  explicit ProgressLine(Mode mode) : mode_(mode) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const Progress& progress);
  /// Wipes the live line, so that what follows starts on an empty one.
  void clear();

 private:
  Mode mode_;
  bool visible_ = false;
  double last_shown_ = 0;  // Progress::seconds
};

}  // namespace atl
