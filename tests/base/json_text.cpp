#include "atoll/base/json_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

TEST(JsonTextTest, NestingCountsBracketsOutsideStrings) {
  EXPECT_EQ(json_nesting(""), 0U);
  EXPECT_EQ(json_nesting("7"), 0U);
  EXPECT_EQ(json_nesting(R"({"a":[1,[2]],"b":{}})"), 3U);
  EXPECT_EQ(json_nesting("[][][]"), 1U);
  EXPECT_EQ(json_nesting("]]]["), 1U);
  EXPECT_EQ(json_nesting(R"({"[[[[":"]]"})"), 1U);
  EXPECT_EQ(json_nesting(R"(["a\"[[", [1]])"), 2U);
  EXPECT_EQ(json_nesting(R"(["a\\", [[1]]])"), 3U);
  EXPECT_EQ(json_nesting("\"\\"), 0U);
}

TEST(JsonTextTest, OnlyWhatIsTooDeepIsRefused) {
  EXPECT_FALSE(nests_too_deep(std::string(most_json_nesting, '[')));
  EXPECT_TRUE(nests_too_deep(std::string(most_json_nesting + 1, '[')));
}

}  // namespace
}  // namespace atl
