#include "atoll/mapper/content_key.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "atoll/base/random.hpp"

namespace atl {
namespace {

TEST(ContentKey, DiffersWithEveryCharacterAndLength) {
  std::set<std::uint64_t> keys;
  std::size_t texts = 0;
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string plain(length, 'a');
    keys.insert(content_key(plain));
    ++texts;
    for (std::size_t i = 0; i < length; ++i) {
      std::string changed = plain;
      changed[i] = 'b';
      keys.insert(content_key(changed));
      ++texts;
    }
  }
  EXPECT_EQ(keys.size(), texts);
}

TEST(ContentKey, IsTheSameInEveryVersion) {
  // By the definition: chained splitmix64 finalisers over big-endian words of eight characters.
  EXPECT_EQ(content_key(""), mix64(1));
  EXPECT_EQ(content_key("ab"), mix64(mix64(3) ^ 0x6162U));
  EXPECT_EQ(content_key("abcdefghi"), mix64(mix64(mix64(10) ^ 0x6162636465666768U) ^ 0x69U));
}

}  // namespace
}  // namespace atl
