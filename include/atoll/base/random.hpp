// Random numbers without state: a counter-based generator (Philox4x32-10, Salmon et al., SC'11, by way
// of Random123) whose every number is a pure function of (seed, purpose, task, island, generation,
// individual, draw). Nothing has to be saved in a checkpoint, and neither ranks nor the order of
// calls elsewhere can change a number. All distributions are our own: the standard library's differ
// between implementations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace atl {

/// What the numbers are for; two purposes never share a
/// stream. Append only: the values are part of "the same run".
enum class Purpose : std::uint32_t {
  initialise = 1,
  selection = 2,
  variation = 3,
  survival = 4,
  emigration = 5,
  immigration = 6,
  topology = 7,
  mapping_search = 8,
  test = 9,
};

/// Names one stream. `task` < 2^12 and `island` < 2^20 share one counter word.
struct RandomKey {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::test;
  std::uint32_t task = 0;
  std::uint32_t island = 0;
  std::uint32_t generation = 0;
  std::uint32_t individual = 0;
};

/// Draws one after another from the stream of a key. Cheap to make (no allocation), 2^34 draws each.
/// Streams of one seed never overlap. InternalError if the task or the island is out of its range.
class Random {
 public:
  explicit Random(const RandomKey& key);

  std::uint32_t next32() {
    if (used_ == 4) refill();
    return block_[used_++];
  }
  std::uint64_t next64() {
    const std::uint64_t low = next32();
    return low | (static_cast<std::uint64_t>(next32()) << 32);
  }
  /// Uniform in [0, n) without bias (Lemire, ACM TOMACS 2019); n = 0 stands for 2^32.
  std::uint32_t below(std::uint32_t n);
  /// Uniform in [low, high], both ends included.
  std::int32_t between(std::int32_t low, std::int32_t high) {
    const std::uint32_t values = static_cast<std::uint32_t>(high) - static_cast<std::uint32_t>(low) + 1U;
    return static_cast<std::int32_t>(static_cast<std::int64_t>(low) + below(values));
  }
  /// Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next64() >> 11) * 0x1.0p-53; }
  /// True with probability p, 32 bits of resolution: one draw.
  bool chance(double p) { return static_cast<double>(next32()) * 0x1.0p-32 < p; }
  /// Standard normal (polar method of Marsaglia & Bray, 1964), with portable_log instead of libm's
  /// logarithm, so that every machine draws the same number. Uses a varying number of draws.
  double normal();

 private:
  void refill();

  std::array<std::uint32_t, 4> block_{};
  std::array<std::uint32_t, 4> counter_{};
  std::array<std::uint32_t, 2> key_{};
  std::uint32_t used_ = 4;
};

/// One block of Philox4x32-10: four numbers from a counter and a key.
std::array<std::uint32_t, 4> philox_block(const std::array<std::uint32_t, 4>& counter,
                                          const std::array<std::uint32_t, 2>& key);

/// A well mixed 64-bit hash of a 64-bit value (splitmix64's finaliser).
std::uint64_t mix64(std::uint64_t value);

}  // namespace atl
