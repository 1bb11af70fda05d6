#include "atoll/base/portable_math.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "atoll/base/random.hpp"

namespace atl {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// libm is the oracle for the value; the last bits may differ, and do.
void expect_close(double value, double expected, double relative, double argument) {
  EXPECT_LE(std::abs(value - expected), relative * std::abs(expected)) << "at " << argument;
}

TEST(PortableMathTest, LogIsAccurateOverTheWholeRange) {
  Random random({1, Purpose::test, 0, 0, 0, 1});
  for (int i = 0; i < 200000; ++i) {
    const double value = std::ldexp(1.0 + random.uniform(), random.between(-1074, 1022));
    expect_close(portable_log(value), std::log(value), 5e-16, value);
  }
  for (int i = 0; i < 200000; ++i) {
    const double value = 0.5 + random.uniform();
    expect_close(portable_log(value), std::log(value), 5e-16, value);
  }
}

TEST(PortableMathTest, ExpIsAccurateOverTheWholeRange) {
  Random random({1, Purpose::test, 0, 0, 0, 2});
  for (int i = 0; i < 200000; ++i) {
    const double value = -700 + 1400 * random.uniform();
    expect_close(portable_exp(value), std::exp(value), 5e-16, value);
  }
  for (double value = -745; value < -700; value += 0.37) {
    EXPECT_NEAR(portable_exp(value), std::exp(value), 1e-15 * std::exp(value) + 5e-324);
  }
}

TEST(PortableMathTest, PowFollowsLibm) {
  Random random({1, Purpose::test, 0, 0, 0, 3});
  for (int i = 0; i < 100000; ++i) {
    const double base = 10 * random.uniform() + 1e-3;
    const double exponent = 20 * random.uniform() - 10;
    expect_close(portable_pow(base, exponent), std::pow(base, exponent), 2e-14, base);
  }
}

TEST(PortableMathTest, EdgesAreAsIeeeSays) {
  EXPECT_EQ(portable_log(1), 0);
  EXPECT_EQ(portable_log(0), -infinity);
  EXPECT_EQ(portable_log(infinity), infinity);
  EXPECT_TRUE(std::isnan(portable_log(-1)));
  EXPECT_EQ(portable_exp(0), 1);
  EXPECT_EQ(portable_exp(800), infinity);
  EXPECT_EQ(portable_exp(-800), 0);
  EXPECT_EQ(portable_exp(-infinity), 0);
  EXPECT_TRUE(std::isnan(portable_exp(std::nan(""))));
  EXPECT_EQ(portable_pow(0, 2), 0);
  EXPECT_EQ(portable_pow(5, 0), 1);
  EXPECT_TRUE(std::isnan(portable_pow(-2, 2)));
}

}  // namespace
}  // namespace atl
