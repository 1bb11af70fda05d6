#include "atoll/app/progress_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace atl {
namespace {

using testing::HasSubstr;
using testing::Not;

Progress halfway() {
  Progress progress;
  progress.task = 2;
  progress.tasks = 12;
  progress.task_name = "layer2.0.conv1";
  progress.generation = 25;
  progress.generations = 50;
  progress.evaluations = 300'000;
  progress.seconds = 2;
  progress.best = 4.5e14;
  progress.ratio_to_bound = 1.25;
  progress.seconds_left = 10;
  return progress;
}

TEST(ProgressText, SaysEverythingTheIssueAsksFor) {
  const std::string text = progress_text(halfway());
  for (const char* part : {"layer2.0.conv1 3/12", "gen 25/50", "300 k evals", "150 k/s", "best 4.5e+14",
                           "1.25 x bound", "left"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

TEST(ProgressText, LeavesOutWhatIsNotKnownYet) {
  Progress progress = halfway();
  progress.seconds = progress.ratio_to_bound = progress.seconds_left = 0;
  const std::string text = progress_text(progress);
  EXPECT_THAT(text, Not(HasSubstr("/s")));
  EXPECT_THAT(text, Not(HasSubstr("bound")));
  EXPECT_THAT(text, Not(HasSubstr("left")));
}

TEST(ProgressText, ShortensTheNameFirstInANarrowLine) {
  const std::string whole = progress_text(halfway());
  for (std::size_t width = 0; width < whole.size() + 5; ++width) {
    const std::string text = progress_text(halfway(), width);
    EXPECT_EQ(text.size(), std::min(width, whole.size()));
    if (width + halfway().task_name.size() >= whole.size()) {
      EXPECT_THAT(text, testing::EndsWith("left"));
    }
  }
}

TEST(ProgressLine, WritesALineEveryFewSecondsWhereThereIsNoTerminal) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line(ProgressLine::Mode::log);
    Progress progress = halfway();
    for (progress.seconds = 0; progress.seconds < 20; progress.seconds += 0.25) line.show(progress);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3) << text;
  EXPECT_THAT(text, Not(HasSubstr("\033[K")));
}

TEST(ProgressLine, RenewsOneLineOnATerminalAndLeavesItEmpty) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line(ProgressLine::Mode::live);
    for (int i = 0; i < 3; ++i) line.show(halfway());
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0);
  EXPECT_TRUE(text.ends_with("\r\033[K"));
}

TEST(ProgressLine, IsSilentUnderQuiet) {
  testing::internal::CaptureStderr();
  {
    ProgressLine line(ProgressLine::mode_for(true));
    line.show(halfway());
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace atl
