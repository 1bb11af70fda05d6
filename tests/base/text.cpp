#include "atoll/base/text.hpp"

#include <gtest/gtest.h>

#include "atoll/base/random.hpp"
#include "atoll/base/table.hpp"

namespace atl {
namespace {

TEST(TextTest, TrimsSplitsAndJoins) {
  EXPECT_EQ(trimmed(" \ta b\r\n"), "a b");
  EXPECT_EQ(trimmed(" \n"), "");
  EXPECT_EQ(split("a,,b,", ','), (std::vector<std::string>{"a", "", "b", ""}));
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(join({"a", "b", "c"}, ", "), "a, b, c");
  EXPECT_EQ(join({}, ", "), "");
}

TEST(TextTest, EditDistanceCountsSteps) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("abcd", "abdc"), 1U);
  EXPECT_EQ(edit_distance("ca", "abc"), 3U);  // a swapped pair is not edited again
}

std::string random_word(Random& random) {
  std::string word(random.below(7), 'a');
  for (char& letter : word) letter = static_cast<char>('a' + random.below(3));
  return word;
}

TEST(TextTest, EditDistanceIsADistance) {
  Random random({21, Purpose::test, 0, 0, 0, 0});
  for (int i = 0; i < 5000; ++i) {
    const std::string a = random_word(random);
    const std::string b = random_word(random);
    const std::size_t distance = edit_distance(a, b);
    EXPECT_EQ(distance, edit_distance(b, a));
    EXPECT_EQ(distance == 0, a == b);
    EXPECT_LE(distance, std::max(a.size(), b.size()));
    EXPECT_GE(distance, a.size() > b.size() ? a.size() - b.size() : b.size() - a.size());
    std::string c = a;
    c.insert(random.below(static_cast<std::uint32_t>(a.size()) + 1), 1, 'z');
    EXPECT_EQ(edit_distance(a, c), 1U);
  }
}

TEST(TableTest, AlignsColumns) {
  TextTable table({"layer", "cycles"});
  table.align_right_from(1).add({"conv1", "7"}).add_rule().add({"\xc2\xb5", "1234567"});
  EXPECT_EQ(table.text(),
            "layer   cycles\n"
            "-----  -------\n"
            "conv1        7\n"
            "-----  -------\n"
            "\xc2\xb5      1234567\n");
  EXPECT_ANY_THROW(table.add({"too", "many", "cells"}));
}

}  // namespace
}  // namespace atl
