#include "atoll/base/units.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

TEST(UnitsTest, ReadsEveryDimension) {
  EXPECT_EQ(parse_quantity("108 KiB", "size"), 108.0 * 1024 * 8);
  EXPECT_EQ(parse_quantity("108 KB", "size"), 108.0 * 1000 * 8);
  EXPECT_EQ(parse_quantity("64 b", "size"), 64);
  EXPECT_EQ(parse_quantity("64bit", "size"), 64);
  EXPECT_EQ(parse_quantity("200 MHz", "frequency"), 2e8);
  EXPECT_EQ(parse_quantity("8 B/cycle", "bandwidth"), 64);
  EXPECT_EQ(parse_quantity("8 B / cycle", "bandwidth"), 64);
  EXPECT_EQ(parse_quantity("1.5 GB/s", "bit_rate"), 1.2e10);
  EXPECT_EQ(parse_quantity("18.2 pJ", "energy"), 18.2);
  EXPECT_EQ(parse_quantity("2 nJ", "energy"), 2000);
  EXPECT_EQ(parse_quantity("8 pJ/bit", "energy_per_bit"), 8);
  EXPECT_EQ(parse_quantity("8 pJ/B", "energy_per_bit"), 1);
  EXPECT_EQ(parse_quantity("2 fJ/cycle", "energy_per_cycle"), 2e-3);
  EXPECT_EQ(parse_quantity("3 W", "power"), 3000);
  EXPECT_EQ(parse_quantity("1 mm2", "area"), 1e6);
  EXPECT_EQ(parse_quantity("65 nm", "length"), 0.065);
  EXPECT_EQ(parse_quantity("2 min", "time"), 120);
  EXPECT_EQ(parse_quantity("1e-3 s", "time"), 1e-3);
}

TEST(UnitsTest, RefusesWhatIsNoQuantity) {
  for (const char* text : {"", "108", "KiB", "108 kib", "108 KiB x", "-1 KiB", "inf KiB", "nan B", "1e400 B",
                           "0x10 B", "1,5 B", "8 B/cycle", "1 2 B"}) {
    EXPECT_FALSE(parse_quantity(text, "size")) << text;
  }
  for (const char* text : {"8 B", "8 B/s", "8 /cycle", "8 B/cycle/cycle", "8 cycle"}) {
    EXPECT_FALSE(parse_quantity(text, "bandwidth")) << text;
  }
  EXPECT_FALSE(parse_quantity("1e308 GHz", "frequency"));  // the unit makes it infinite
  EXPECT_THROW(parse_quantity("1 B", "weight"), InternalError);
  EXPECT_NE(units_of("size").find("KiB"), std::string_view::npos);
}

TEST(UnitsTest, WritesForPeople) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1814073344.0), "1.81 G");
  EXPECT_EQ(format_count(999999), "1.00 M");
  EXPECT_EQ(format_count(12345), "12.3 k");
  EXPECT_EQ(format_count(-12345), "-12.3 k");
  EXPECT_EQ(format_bytes(108.0 * 1024), "108 KiB");
  EXPECT_EQ(format_bytes(1000), "1000 B");
  EXPECT_EQ(format_bytes(1536), "1.50 KiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<double>::infinity()), "unlimited");
  EXPECT_EQ(format_energy(3.2e6), "3.20 uJ");
  EXPECT_EQ(format_energy(0.25), "250 fJ");
  EXPECT_EQ(format_energy(0), "0 pJ");
  EXPECT_EQ(format_duration(3725), "1 h 02 min");
  EXPECT_EQ(format_duration(59.97), "1 min 00 s");
  EXPECT_EQ(format_duration(12.34), "12.3 s");
  EXPECT_EQ(format_duration(0.0025), "2.5 ms");
  EXPECT_EQ(format_duration(200000), "2 d 07 h");
}

}  // namespace
}  // namespace atl
