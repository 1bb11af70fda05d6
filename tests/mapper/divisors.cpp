#include "atoll/mapper/divisors.hpp"

#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"

namespace atl {
namespace {

TEST(Divisors, AgreeWithArithmetic) {
  Random random({.seed = 1, .task = 1});
  for (int round = 0; round < 200; ++round) {
    const std::uint32_t n = 1 + random.below(5000);
    const DivisorTable table(n);
    std::size_t count = 0;
    for (std::uint32_t d = 1; d <= n; ++d) {
      ASSERT_EQ(table.find(d) != DivisorTable::none, n % d == 0) << d << " of " << n;
      count += n % d == 0 ? 1 : 0;
    }
    ASSERT_EQ(table.size(), count);
    for (DivisorIndex a = 0; a < count; ++a)
      for (DivisorIndex b = 0; b < count; ++b) {
        const std::uint32_t x = table.value(a), y = table.value(b);
        std::uint32_t best = 1;
        for (std::uint32_t d = 1; d <= y; ++d)
          if (x % d == 0) best = d;
        ASSERT_EQ(table.value(table.floor(a, b)), best);
        ASSERT_EQ(table.quotient(a, b), x % y == 0 ? table.find(x / y) : DivisorTable::none);
        ASSERT_EQ(table.product(a, b), n % (x * y) == 0 ? table.find(x * y) : DivisorTable::none);
      }
  }
}

TEST(Divisors, StepsDownToOne) {
  const DivisorTable table(12);
  EXPECT_EQ(table.value(table.floor(4, 3)), 3U);  // of 6, not above 4
  EXPECT_EQ(table.value(table.below(5, 5)), 6U);  // of 12, below 12
  EXPECT_EQ(table.value(table.below(3, 3)), 2U);  // of 4, below 4
  EXPECT_EQ(table.below(5, 0), 0);
  EXPECT_EQ(DivisorTable(1).last(), 0);
}

TEST(Divisors, OfALargePrimeAndOfTheNumberWithMost) {
  EXPECT_EQ(DivisorTable(4294967291U).size(), 2U);
  EXPECT_EQ(DivisorTable(735134400U).size(), 1344U);
  EXPECT_THROW(DivisorTable(0), InternalError);
}

}  // namespace
}  // namespace atl
