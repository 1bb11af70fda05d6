#include "atoll/base/portable_math.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace atl {

namespace {

// ln 2 in two parts; the first has 21 zero bits at its end, so that a product with an exponent is exact.
constexpr double ln2_high = 0x1.62e42fee00000p-1;
constexpr double ln2_low = 0x1.a39ef35793c76p-33;
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// 1 / k!, k = 0 to 14: the terms of the exponential that matter for |x| < 0.35.
constexpr auto inverse_factorials = [] {
  std::array<double, 15> values{};
  double factorial = 1;
  for (std::size_t k = 0; k < values.size(); ++k) {
    if (k > 0) factorial *= static_cast<double>(k);
    values[k] = 1 / factorial;
  }
  return values;
}();

// 2^exponent for a normal result, -1022 <= exponent <= 1023.
double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

}  // namespace

double portable_log(double value) {
  if (value != value || value < 0) return not_a_number;
  if (value == 0) return -infinity;
  if (value == infinity) return infinity;
  int exponent = 0;
  if (value < std::numeric_limits<double>::min()) {
    value *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(value);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double mantissa = std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);
  if (mantissa > 0x1.6a09e667f3bcdp+0) {  // sqrt(2): keeps the series' argument below 0.172
    mantissa *= 0.5;
    ++exponent;
  }
  // log m = 2 atanh(z), z = (m - 1) / (m + 1).
  const double z = (mantissa - 1.0) / (mantissa + 1.0);
  const double zz = z * z;
  double series = 0;
  for (int k = 23; k >= 3; k -= 2) series = (series + 1.0 / k) * zz;
  const double tail = 2.0 * z * series;
  return exponent * ln2_high + (2.0 * z + (tail + exponent * ln2_low));
}

double portable_exp(double value) {
  if (value != value) return not_a_number;
  if (value > 709.79) return infinity;
  if (value < -745.2) return 0;
  const double scaled = value * 0x1.71547652b82fep+0;  // 1 / ln 2
  const int exponent = static_cast<int>(scaled + (scaled < 0 ? -0.5 : 0.5));
  const double rest = (value - exponent * ln2_high) - exponent * ln2_low;
  double series = inverse_factorials.back();
  for (std::size_t k = inverse_factorials.size() - 1; k-- > 0;)
    series = inverse_factorials[k] + series * rest;
  // In two steps, as 2^exponent itself may be out of range.
  const int half = exponent / 2;
  return series * power_of_two(half) * power_of_two(exponent - half);
}

double portable_pow(double base, double exponent) {
  if (exponent == 0) return 1;
  if (base == 0 && exponent > 0) return 0;
  if (!(base > 0)) return not_a_number;
  return portable_exp(exponent * portable_log(base));
}

}  // namespace atl
