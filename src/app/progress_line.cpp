#include "atoll/app/progress_line.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "atoll/base/log.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

constexpr double log_interval = 5;  // seconds

std::size_t terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace

std::string progress_text(const Progress& progress, std::size_t width) {
  std::string text =
      fmt::format(" {}/{} | gen {}/{} | {} evals", progress.task + 1, progress.tasks, progress.generation,
                  progress.generations, format_count(static_cast<double>(progress.evaluations)));
  if (progress.seconds > 0) {
    text += fmt::format(", {}/s", format_count(static_cast<double>(progress.evaluations) / progress.seconds));
  }
  text += fmt::format(" | best {:.4g}", progress.best);
  if (progress.ratio_to_bound > 0) text += fmt::format(", {:.3g} x bound", progress.ratio_to_bound);
  if (progress.seconds_left > 0) text += fmt::format(" | {} left", format_duration(progress.seconds_left));
  const std::size_t room = width > text.size() ? width - text.size() : 0;
  return (progress.task_name.substr(0, room) + text).substr(0, width);
}

ProgressLine::Mode ProgressLine::mode_for(bool quiet) {
  if (quiet) return Mode::none;
  return isatty(STDERR_FILENO) != 0 ? Mode::live : Mode::log;
}

void ProgressLine::show(const Progress& progress) {
  if (mode_ == Mode::live) {
    const std::string text = progress_text(progress, terminal_width() - 1);
    fmt::print(stderr, "\r\033[K{}", text);
    std::fflush(stderr);
    visible_ = true;
  } else if (mode_ == Mode::log && progress.seconds - last_shown_ >= log_interval) {
    last_shown_ = progress.seconds;
    log_info(progress_text(progress));
  }
}

void ProgressLine::clear() {
  if (!visible_) return;
  fmt::print(stderr, "\r\033[K");
  std::fflush(stderr);
  visible_ = false;
}

}  // namespace atl
