// What the kernel does with the numbers of several rows at once, in the plain operators of the compiler.
// Every width gives the same bits: nothing is ever summed across rows, and no count exceeds 2^53.
#pragma once

#include <cstring>

#include "loopnest_pack.hpp"

namespace atl::loopnest {

using FourWhole = Lanes<4>::Whole;

template <typename Vector>
[[gnu::always_inline]] inline void load(const void* from, Vector& to) {
  std::memcpy(&to, from, sizeof(Vector));
}

template <int N>
[[gnu::always_inline]] inline void to_real(const typename Lanes<N>::Extent& extent,
                                           typename Lanes<N>::Real& real) {
  real = __builtin_convertvector(extent, typename Lanes<N>::Real);
}

/// Where a quotient is no whole number, all bits of `rest` are set.
template <int N>
[[gnu::always_inline]] inline void note_rest(const typename Lanes<N>::Extent& quotient,
                                             typename Lanes<N>::ExtentMask& rest) {
  if constexpr (N == 2) {
    constexpr double shift = 0x1.0p52;  // sums above it have no fraction
    rest |= (quotient + shift) - shift != quotient;
  } else {
    using Extent = typename Lanes<N>::Extent;
    rest |= __builtin_convertvector(__builtin_convertvector(quotient, typename Lanes<N>::Whole), Extent) !=
            quotient;
  }
}

/// Rounds up to whole cycles; what has no fraction, infinity included, stays as it is. Not for negative ones.
template <int N>
[[gnu::always_inline]] inline void round_up(typename Lanes<N>::Real& time) {
  constexpr double shift = 0x1.0p52;
  const typename Lanes<N>::Real nearest = (time + shift) - shift;
  const typename Lanes<N>::Real up = nearest < time ? nearest + 1.0 : nearest;
  time = time < shift ? up : time;
}

/// Four extents of four rows, turned: to[d][row].
[[gnu::always_inline]] inline void turn(const std::uint32_t* const* row, std::size_t d, FourWhole* to) {
  FourWhole a, b, c, e;
  load(row[0] + d, a);
  load(row[1] + d, b);
  load(row[2] + d, c);
  load(row[3] + d, e);
  const FourWhole ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const FourWhole ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const FourWhole ce_low = __builtin_shufflevector(c, e, 0, 4, 1, 5);
  const FourWhole ce_high = __builtin_shufflevector(c, e, 2, 6, 3, 7);
  to[0] = __builtin_shufflevector(ab_low, ce_low, 0, 1, 4, 5);
  to[1] = __builtin_shufflevector(ab_low, ce_low, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(ab_high, ce_high, 0, 1, 4, 5);
  to[3] = __builtin_shufflevector(ab_high, ce_high, 2, 3, 6, 7);
}

/// Four extents of each of N rows, from dimension d on: to[d + i] holds one dimension of all rows.
template <int N>
[[gnu::always_inline]] inline void load_extents(const std::uint32_t* const* row, std::size_t d,
                                                typename Lanes<N>::Extent* to) {
  if constexpr (N == 2) {
    for (std::size_t i = d; i < d + 4; ++i)
      to[i] = typename Lanes<N>::Extent{static_cast<double>(static_cast<std::int32_t>(row[0][i])),
                                        static_cast<double>(static_cast<std::int32_t>(row[1][i]))};
  } else if constexpr (N == 4) {
    FourWhole whole[4];
    turn(row, d, whole);
    for (std::size_t i = 0; i < 4; ++i)
      to[d + i] = __builtin_convertvector(whole[i], typename Lanes<N>::Extent);
  } else {
    FourWhole low[4], high[4];
    turn(row, d, low);
    turn(row + 4, d, high);
    for (std::size_t i = 0; i < 4; ++i) {
      const typename Lanes<N>::Whole both = __builtin_shufflevector(low[i], high[i], 0, 1, 2, 3, 4, 5, 6, 7);
      to[d + i] = __builtin_convertvector(both, typename Lanes<N>::Extent);
    }
  }
}

/// Eight bytes of each row.
template <int N>
[[gnu::always_inline]] inline void load_orders(const unsigned char* const* row,
                                               typename Lanes<N>::Bits& orders) {
  using Two = Lanes<2>::Bits;
  std::uint64_t one[N];
  for (std::size_t lane = 0; lane < N; ++lane) std::memcpy(&one[lane], row[lane], sizeof(one[lane]));
  if constexpr (N == 2) {
    orders = Two{one[0], one[1]};
  } else {
    const Lanes<4>::Bits low = __builtin_shufflevector(Two{one[0], one[1]}, Two{one[2], one[3]}, 0, 1, 2, 3);
    if constexpr (N == 4) {
      orders = low;
    } else {
      const Lanes<4>::Bits high =
          __builtin_shufflevector(Two{one[4], one[5]}, Two{one[6], one[7]}, 0, 1, 2, 3);
      orders = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
    }
  }
}

/// `orders` holds one loop order in each of its 64-bit numbers: 2^place of dimension d as a number.
template <int N>
[[gnu::always_inline]] inline void place_bit(const typename Lanes<N>::Bits& orders, std::size_t d,
                                             typename Lanes<N>::Real& bit) {
  using Bits = typename Lanes<N>::Bits;
  using Bytes = typename Lanes<N>::Bytes;
  using Real = typename Lanes<N>::Real;
  constexpr std::uint64_t places = 0x8040201008040201, whole = 0x4330000000000000;  // 2^52 as a double
  const Bytes here = reinterpret_cast<Bytes>(orders) == (Bytes{} + static_cast<unsigned char>(d))
                         ? reinterpret_cast<Bytes>(Bits{} + places)
                         : Bytes{};
  Bits folded = reinterpret_cast<Bits>(here);
  folded |= folded >> 32;
  folded |= folded >> 16;
  folded |= folded >> 8;
  bit = reinterpret_cast<Real>((folded & 0xFF) | whole) - 0x1.0p52;
}

/// Writes columns, each with one number of every row, to the rows.
template <int N>
[[gnu::always_inline]] inline void store_rows(const typename Lanes<N>::Real* columns, std::size_t count,
                                              double* const* row) {
  using Pair = Lanes<2>::Real;
  std::size_t c = 0;
  for (; c + 2 <= count; c += 2) {
    const double* a = reinterpret_cast<const double*>(columns + c);
    const double* b = reinterpret_cast<const double*>(columns + c + 1);
    for (std::size_t lane = 0; lane < N; lane += 2) {
      Pair first, second;
      load(a + lane, first);
      load(b + lane, second);
      const Pair upper = __builtin_shufflevector(first, second, 0, 2);
      const Pair lower = __builtin_shufflevector(first, second, 1, 3);
      std::memcpy(row[lane] + c, &upper, sizeof(upper));
      std::memcpy(row[lane + 1] + c, &lower, sizeof(lower));
    }
  }
  for (; c < count; ++c)
    for (std::size_t lane = 0; lane < N; ++lane) row[lane][c] = columns[c][lane];
}

}  // namespace atl::loopnest
