#include "atoll/base/random.hpp"

#include <Random123/philox.h>

#include <cmath>

#include "atoll/base/error.hpp"
#include "atoll/base/portable_math.hpp"

namespace atl {

std::uint64_t mix64(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

Random::Random(const RandomKey& key) {
  if (key.task >= (1U << 12) || key.island >= (1U << 20)) {
    throw InternalError("random key out of range: task " + std::to_string(key.task) +
                        " (below 4096), island " + std::to_string(key.island) + " (below 1048576)");
  }
  const std::uint64_t mixed = mix64(mix64(key.seed) + static_cast<std::uint64_t>(key.purpose));
  key_ = {static_cast<std::uint32_t>(mixed), static_cast<std::uint32_t>(mixed >> 32)};
  counter_ = {0, key.individual, key.generation, (key.task << 20) | key.island};
}

std::array<std::uint32_t, 4> philox_block(const std::array<std::uint32_t, 4>& counter,
                                          const std::array<std::uint32_t, 2>& key) {
  const philox4x32_ctr_t in = {{counter[0], counter[1], counter[2], counter[3]}};
  const philox4x32_key_t keys = {{key[0], key[1]}};
  const philox4x32_ctr_t out = philox4x32_R(10, in, keys);
  return {out.v[0], out.v[1], out.v[2], out.v[3]};
}

void Random::refill() {
  block_ = philox_block(counter_, key_);
  ++counter_[0];
  used_ = 0;
}

std::uint32_t Random::below(std::uint32_t n) {
  if (n == 0) return next32();
  std::uint64_t product = static_cast<std::uint64_t>(next32()) * n;
  auto low = static_cast<std::uint32_t>(product);
  if (low < n) {
    const std::uint32_t reject_below = (0U - n) % n;
    while (low < reject_below) {
      product = static_cast<std::uint64_t>(next32()) * n;
      low = static_cast<std::uint32_t>(product);
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double Random::normal() {
  for (;;) {
    const double u = 2.0 * uniform() - 1.0;
    const double v = 2.0 * uniform() - 1.0;
    const double s = u * u + v * v;
    if (s > 0 && s < 1) return u * std::sqrt(-2.0 * portable_log(s) / s);
  }
}

}  // namespace atl
