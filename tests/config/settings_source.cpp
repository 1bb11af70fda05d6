#include "../../src/config/settings_source.hpp"

#include <gtest/gtest.h>

#include <string>

#include "atoll/base/random.hpp"

namespace atl {
namespace {

// Property: a scalar that was written reads as the same text, whatever stands in it.
TEST(ScalarText, ReadsAsItself) {
  const std::string letters = "ab1 ~:#-,[]{}\"'\\%@&*!|>?\n\t=.";
  for (std::uint32_t i = 0; i < 3000; ++i) {
    Random random({3, Purpose::test, 0, 0, 0, i});
    std::string text;
    for (std::uint32_t length = random.below(6); length > 0; --length)
      text += letters[random.below(static_cast<std::uint32_t>(letters.size()))];
    const YamlNode node =
        YamlNode::parse("[" + scalar_text(text) + ", {" + scalar_text(text) + ": 1}]", "test");
    EXPECT_EQ(node.elements()[0].text(), text);
    EXPECT_EQ(node.elements()[1].entries()[0].first, text);
  }
  for (const std::string word : {"null", "~", "true", "1e9", "-3", "parameters >= 100000", ""}) {
    EXPECT_EQ(YamlNode::parse("[" + scalar_text(word) + "]", "test").elements()[0].text(), word);
  }
}

TEST(FlowText, KeepsStructure) {
  const YamlNode node = YamlNode::parse("a: [1, {b: 'x: y'}]\nc:\n  d: 0.25\ne: ~\n", "test");
  EXPECT_EQ(flow_text(node), "{a: [1, {b: \"x: y\"}], c: {d: 0.25}, e: ~}");
  EXPECT_EQ(flow_text(YamlNode::parse(flow_text(node), "test")), flow_text(node));
}

TEST(SettingsSource, MergesBelowAKeyAndKeepsPlacesElsewhere) {
  const SettingsSource source(YamlNode::parse("p:\n  a: {x: 1, y: 2}\n  b: 3\n", "file"),
                              {"p.a.x=5", "p.c.z=6"});
  EXPECT_EQ(source.find("p.a.x")->text(), "5");
  EXPECT_EQ(flow_text(*source.find("p.a")), "{x: 5, y: 2}");
  EXPECT_EQ(source.find("p.b")->place().file, "file");
  EXPECT_EQ(source.find("p.b")->place().line, 3);
  EXPECT_EQ(source.children("p"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_FALSE(source.find("q"));
}

}  // namespace
}  // namespace atl
