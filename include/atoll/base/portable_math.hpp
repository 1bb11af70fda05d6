// Logarithm, exponential and power made of + - * / only. libm's results differ in the last bit between
// versions and processors, and one bit is enough to send two runs different ways; these give the same
// bits on every machine with IEEE doubles. Accurate to a few units in the last place.
#pragma once

namespace atl {

/// Natural logarithm; minus infinity for 0, not-a-number below.
double portable_log(double value);
/// e to the power of `value`; overflows to infinity and underflows to 0.
double portable_exp(double value);
/// `base` to the power of `exponent` for base > 0, or base = 0 with exponent > 0; otherwise
/// not-a-number. A few hundred ulp for large results, as it goes through the logarithm.
double portable_pow(double base, double exponent);

}  // namespace atl
