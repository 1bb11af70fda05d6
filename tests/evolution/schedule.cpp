#include "atoll/evolution/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace atl {
namespace {

Population one_row() {
  Population rows(0, 0, 0);
  rows.resize(1);
  return rows;
}

double shared(const Schedule& schedule, std::uint32_t generation) {
  Population parents = one_row(), children = one_row();
  Random random({1, Purpose::test, 0, 0, 0, 0});
  return schedule.child_value(generation, parents, 0, random, children, 0);
}

TEST(Schedule, AnnealsFromOneEndToTheOtherAndStaysThere) {
  ScheduleSettings settings;
  settings.kind = ScheduleKind::anneal;
  settings.start = 0.8;
  settings.end = 0.05;
  const Schedule linear(settings, 101, "x");
  settings.geometric = true;
  const Schedule geometric(settings, 101, "x");
  EXPECT_EQ(shared(linear, 0), 0.8);
  EXPECT_NEAR(shared(linear, 50), 0.425, 1e-12);
  EXPECT_NEAR(shared(linear, 100), 0.05, 1e-12);
  EXPECT_NEAR(shared(linear, 5000), 0.05, 1e-12);
  EXPECT_NEAR(shared(geometric, 50), 0.2, 1e-12);
  EXPECT_NEAR(shared(geometric, 100), 0.05, 1e-12);
  for (std::uint32_t g = 0; g < 100; ++g) {
    EXPECT_GT(shared(linear, g), shared(linear, g + 1));
    EXPECT_GT(shared(geometric, g), shared(geometric, g + 1));
  }
  EXPECT_EQ(shared(Schedule(settings, 1, "x"), 0), 0.8);
  EXPECT_EQ(shared(Schedule(settings, 0, "x"), 0), 0.8);
}

TEST(Schedule, OneFifthGrowsWithSuccessShrinksWithoutAndRestsAtAFifth) {
  ScheduleSettings settings;
  settings.kind = ScheduleKind::one_fifth;
  settings.start = 0.4;
  settings.factor = 1.5;
  settings.low = 0.01;
  settings.high = 1;
  Schedule schedule(settings, 10, "x");
  schedule.adapt(3, 10);
  EXPECT_DOUBLE_EQ(schedule.state(), 0.6);
  for (int failure = 0; failure < 4; ++failure) schedule.adapt(2, 10);  // one success undone by four failures
  EXPECT_NEAR(schedule.state(), 0.4, 1e-12);
  schedule.adapt(0, 0);
  EXPECT_NEAR(schedule.state(), 0.4, 1e-12);
  for (int n = 0; n < 100; ++n) schedule.adapt(0, 5);
  EXPECT_EQ(schedule.state(), 0.01);
  for (int n = 0; n < 100; ++n) schedule.adapt(5, 5);
  EXPECT_EQ(schedule.state(), 1);
  EXPECT_EQ(shared(schedule, 3), 1);
  schedule.restore(0.25);
  EXPECT_EQ(shared(schedule, 3), 0.25);
}

TEST(Schedule, SelfAdaptiveValuesAreLogNormalAroundTheParents) {
  ScheduleSettings settings;
  settings.kind = ScheduleKind::self_adaptive;
  settings.start = 0.3;
  settings.tau = 0.5;
  settings.low = 1e-6;
  settings.high = 1e6;
  const Schedule schedule(settings, 10, "rate");
  Population parents = one_row(), children = one_row();
  schedule.prepare(parents);
  schedule.prepare(children);
  schedule.start(parents, 0);
  ASSERT_EQ(parents.extra.at(0).values.at(0), 0.3);
  Random random({2, Purpose::test, 0, 0, 0, 0});
  const int trials = 20000;
  double sum = 0, squares = 0;
  for (int n = 0; n < trials; ++n) {
    const double value = schedule.child_value(1, parents, 0, random, children, 0);
    ASSERT_EQ(value, children.extra[0].values[0]);
    const double step = std::log(value / 0.3);
    sum += step;
    squares += step * step;
  }
  EXPECT_NEAR(sum / trials, 0, 0.02);
  EXPECT_NEAR(std::sqrt(squares / trials), 0.5, 0.02);
}

TEST(Schedule, SelfAdaptiveValuesStayInBoundsAndStartersStandInForMigrants) {
  ScheduleSettings settings;
  settings.kind = ScheduleKind::self_adaptive;
  settings.start = 0.3;
  settings.tau = 3;
  settings.low = 0.2;
  settings.high = 0.5;
  const Schedule schedule(settings, 10, "rate");
  Population parents = one_row(), children = one_row();
  schedule.prepare(parents);
  schedule.prepare(children);
  Random random({3, Purpose::test, 0, 0, 0, 0});
  int at_low = 0, at_high = 0;
  for (int n = 0; n < 1000; ++n) {
    const double value =
        schedule.child_value(1, parents, 0, random, children, 0);  // the parent's is 0: unset
    ASSERT_TRUE(value >= 0.2 && value <= 0.5) << value;
    at_low += value == 0.2 ? 1 : 0;
    at_high += value == 0.5 ? 1 : 0;
  }
  EXPECT_GT(at_low, 300);
  EXPECT_GT(at_high, 300);
}

}  // namespace
}  // namespace atl
