#include "atoll/mapper/divisors.hpp"

#include <algorithm>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

std::vector<std::uint32_t> divisors_of(std::uint32_t n) {
  std::vector<std::uint32_t> low, high;
  for (std::uint64_t d = 1; d * d <= n; ++d) {
    if (n % d != 0) continue;
    low.push_back(static_cast<std::uint32_t>(d));
    if (d * d != n) high.push_back(static_cast<std::uint32_t>(n / d));
  }
  low.insert(low.end(), high.rbegin(), high.rend());
  return low;
}

}  // namespace

DivisorTable::DivisorTable(std::uint32_t n) {
  if (n == 0) throw InternalError("divisors of 0 were asked for; a dimension has at least extent 1");
  values_ = divisors_of(n);
  const std::size_t count = values_.size();
  floor_.resize(count * count);
  product_.assign(count * count, none);
  quotient_.assign(count * count, none);
  for (std::size_t a = 0; a < count; ++a) {
    DivisorIndex best = 0;
    for (std::size_t b = 0; b < count; ++b) {
      if (values_[a] % values_[b] == 0) {
        best = static_cast<DivisorIndex>(b);
        quotient_[a * count + b] = find(values_[a] / values_[b]);
      }
      floor_[a * count + b] = best;
      const std::uint64_t product = std::uint64_t{values_[a]} * values_[b];
      if (product <= n) product_[a * count + b] = find(static_cast<std::uint32_t>(product));
    }
  }
}

DivisorIndex DivisorTable::find(std::uint32_t value) const {
  const auto place = std::lower_bound(values_.begin(), values_.end(), value);
  if (place == values_.end() || *place != value) return none;
  return static_cast<DivisorIndex>(place - values_.begin());
}

}  // namespace atl
