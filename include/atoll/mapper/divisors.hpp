// The divisors of one number as a list, with their arithmetic as table look-ups: tile sizes of a dimension
// are indices into this list, so that decoding and repairing a genome needs no division and no search.
//
//   DivisorTable t(12);           // 1 2 3 4 6 12
//   t.value(t.floor(4, 3))        // the largest divisor of 6 that is not above 4: 3
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atl {

/// Place of a divisor in the ascending list; 0 is the divisor 1.
using DivisorIndex = std::uint16_t;

class DivisorTable {
 public:
  static constexpr DivisorIndex none = 0xffff;

  /// All divisors of n >= 1. Memory grows with the square of their number (at most 1536 for 32 bits).
  explicit DivisorTable(std::uint32_t n = 1);

  std::size_t size() const { return values_.size(); }
  DivisorIndex last() const { return static_cast<DivisorIndex>(values_.size() - 1); }
  std::uint32_t value(DivisorIndex i) const { return values_[i]; }
  /// The index of a divisor, or none.
  DivisorIndex find(std::uint32_t value) const;

  /// The largest divisor of value(parent) that is not above value(wish).
  DivisorIndex floor(DivisorIndex parent, DivisorIndex wish) const { return floor_[at(parent, wish)]; }
  /// The largest divisor of value(parent) below value(i); 1 stays 1.
  DivisorIndex below(DivisorIndex parent, DivisorIndex i) const {
    return i == 0 ? DivisorIndex{0} : floor(parent, static_cast<DivisorIndex>(i - 1));
  }
  /// value(a) * value(b), none if that does not divide n.
  DivisorIndex product(DivisorIndex a, DivisorIndex b) const { return product_[at(a, b)]; }
  /// value(a) / value(b), none if b does not divide a.
  DivisorIndex quotient(DivisorIndex a, DivisorIndex b) const { return quotient_[at(a, b)]; }

 private:
  std::size_t at(DivisorIndex a, DivisorIndex b) const { return a * values_.size() + b; }

  std::vector<std::uint32_t> values_;
  std::vector<DivisorIndex> floor_, product_, quotient_;
};

}  // namespace atl
