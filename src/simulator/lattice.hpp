// Counting positions of windows along one axis. A lattice is the multiset { sum of k_i * step_i : 0 <= k_i <
// count_i }; loops over rows and taps, in time or in space, are its digits, and so is the window itself.
#pragma once

#include <array>

#include "loopnest_rules.hpp"

namespace atl::loopnest {

/// a / b for a >= 0, b > 0, by the short division where
/// both are short: several times faster on many machines.
constexpr Words quotient(Words a, Words b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

class Lattice {
 public:
  void push(Words count, Words step) {
    if (count == 1) return;
    if (size_ > 0 && digit_[size_ - 1].step == count * step) {
      digit_[size_ - 1] = {digit_[size_ - 1].count * count, step};
      return;
    }
    digit_[size_++] = {count, step};
  }
  void clear() { size_ = 0; }
  std::size_t size() const { return size_; }
  Words count(std::size_t i) const { return digit_[i].count; }
  Words step(std::size_t i) const { return digit_[i].step; }

  /// A state to return to after some pushes.
  struct Mark {
    std::size_t size;
    Words count, step;
  };
  Mark mark() const {
    return size_ > 0 ? Mark{size_, digit_[size_ - 1].count, digit_[size_ - 1].step} : Mark{};
  }
  void restore(const Mark& mark) {
    size_ = mark.size;
    if (size_ > 0) digit_[size_ - 1] = {mark.count, mark.step};
  }

  template <typename Use>
  void for_each(Use use, std::size_t i = 0, Words start = 0) const {
    if (i == size_) return use(start);
    for (Words k = 0; k < digit_[i].count; ++k) for_each(use, i + 1, start + k * digit_[i].step);
  }
  /// For digits of loops over one dimension: each step exceeds all that further digits reach together.
  bool contains(Words x) const {
    if (x < 0) return false;
    for (std::size_t i = 0; i < size_; ++i)
      x -= std::min(digit_[i].count - 1, x / digit_[i].step) * digit_[i].step;
    return x == 0;
  }

  /// Members x of the lattice with 0 <= start + x < extent.
  Words inside(Words start, Words extent) {
    span_[size_] = 0;
    total_[size_] = 1;
    for (std::size_t i = size_; i-- > 0;) {
      span_[i] = span_[i + 1] + (digit_[i].count - 1) * digit_[i].step;
      total_[i] = total_[i + 1] * digit_[i].count;
    }
    return inside(0, start, extent);
  }

 private:
  struct Digit {
    Words count, step;
  };
  static constexpr std::size_t capacity = 64;  // every digit at least doubles a count below 2^53

  Words inside(std::size_t i, Words start, Words extent) const {
    if (start >= 0 && start + span_[i] < extent) return total_[i];
    if (start + span_[i] < 0 || start >= extent) return 0;
    const auto [count, step] = digit_[i];
    const Words room = extent - 1 - span_[i + 1] - start;  // turns up to room / step end inside
    const Words low = start >= 0 ? 0 : std::min(count, quotient(step - 1 - start, step));
    const Words high = room < 0 ? 0 : std::min(count, quotient(room, step) + 1);
    if (i + 1 == size_) return std::max<Words>(0, high - low);
    Words sum = high > low ? (high - low) * total_[i + 1] : 0;
    for (Words k = 0; k < low; ++k) sum += inside(i + 1, start + k * step, extent);
    for (Words k = std::max(low, high); k < count; ++k) sum += inside(i + 1, start + k * step, extent);
    return sum;
  }

  std::array<Digit, capacity> digit_;
  std::array<Words, capacity + 1> span_, total_;
  std::size_t size_ = 0;
};

/// The distinct values of two digits, as at most two lattices of two digits each.
struct DistinctPairs {
  struct Part {
    Words offset, count_a, step_a, count_b, step_b;
  };
  std::array<Part, 2> part;
  std::size_t parts = 0;
  Words values = 0;
};

inline DistinctPairs distinct_pairs(Words count_a, Words step_a, Words count_b, Words step_b) {
  DistinctPairs result;
  if (count_a == 1 || count_b == 1) {
    result.values = count_a * count_b;
    result.part[result.parts++] = {0, result.values, count_a == 1 ? step_b : step_a, 1, 1};
    return result;
  }
  const Words common = step_a == 1 || step_b == 1 ? 1 : std::gcd(step_a, step_b);
  const Words period_a = quotient(step_b, common);
  const Words period_b = quotient(step_a, common);
  if ((period_a == 1 && count_b >= period_b) || (period_b == 1 && count_a >= period_a)) {
    result.values = (count_a - 1) * period_b + (count_b - 1) * period_a + 1;
    result.part[result.parts++] = {0, result.values, common, 1, 1};
    return result;
  }
  // (a, b) and (a - period_a, b + period_b) are equal: keep the pairs without such a twin.
  const Words top = std::min(count_b, period_b);
  const Words rest = count_b - top;
  result.part[result.parts++] = {rest * step_b, count_a, step_a, top, step_b};
  if (rest > 0) result.part[result.parts++] = {0, std::min(count_a, period_a), step_a, rest, step_b};
  for (std::size_t i = 0; i < result.parts; ++i)
    result.values += result.part[i].count_a * result.part[i].count_b;
  return result;
}

}  // namespace atl::loopnest
