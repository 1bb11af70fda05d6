#include "atoll/mapper/content_key.hpp"

#include "atoll/base/random.hpp"

namespace atl {

std::uint64_t content_key(std::string_view text) {
  std::uint64_t hash = mix64(text.size() + 1);
  for (std::size_t at = 0; at < text.size(); at += 8) {
    std::uint64_t word = 0;
    for (const char c : text.substr(at, 8)) word = word << 8 | static_cast<unsigned char>(c);
    hash = mix64(hash ^ word);
  }
  return hash;
}

}  // namespace atl
