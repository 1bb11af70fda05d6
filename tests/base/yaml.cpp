#include "atoll/base/yaml.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "atoll/base/random.hpp"

namespace atl {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// The message of the InputError that `action` must throw.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no InputError";
  return {};
}

std::string parse_error(const std::string& text) {
  return error_of([&] { YamlNode::parse(text, "run.yaml"); });
}

constexpr const char* sample =
    "run: {name: first, seed: 7}\n"
    "islands:\n"
    "  size: 200\n"
    "  rates: [0.5, 1e-3]\n"
    "  sync: true\n"
    "  nothing:\n"
    "levels:\n"
    "  - {name: dram, size: 108 KiB}\n";

TEST(YamlTest, ReadsValuesOfEveryKind) {
  const YamlNode root = YamlNode::parse(sample, "run.yaml");
  EXPECT_TRUE(root.is_map());
  EXPECT_EQ(root.at("run").at("name").text(), "first");
  EXPECT_EQ(root.at("run").at("seed").integer(0, 10), 7);
  const YamlNode islands = root.at("islands");
  EXPECT_EQ(islands.at("rates").elements().size(), 2U);
  EXPECT_EQ(islands.at("rates").elements()[1].number(0, 1), 1e-3);
  EXPECT_TRUE(islands.at("sync").boolean());
  EXPECT_TRUE(islands.at("nothing").is_null());
  EXPECT_FALSE(islands.find("missing"));
  EXPECT_EQ(islands.at("size").elements(true).size(), 1U);
  const YamlNode size = root.at("levels").elements()[0].at("size");
  EXPECT_EQ(size.quantity("size"), 108.0 * 1024 * 8);
  EXPECT_EQ(size.path(), "levels[0].size");
  EXPECT_EQ(size.place().line, 8);
  EXPECT_EQ(size.place().column, 24);
  EXPECT_EQ(root.entries()[1].first, "islands");
}

TEST(YamlTest, ErrorsNamePlacePathAndValue) {
  const YamlNode root = YamlNode::parse(sample, "run.yaml");
  const YamlNode islands = root.at("islands");
  EXPECT_EQ(error_of([&] { islands.at("size").integer(1, 100); }),
            "run.yaml:3:9: islands.size: expected a whole number from 1 to 100, found '200'");
  EXPECT_EQ(error_of([&] { islands.at("rates").elements()[0].integer(0, 1); }),
            "run.yaml:4:11: islands.rates[0]: expected a whole number from 0 to 1, found '0.5'");
  EXPECT_EQ(error_of([&] { islands.at("sync").number(0, 1); }),
            "run.yaml:5:9: islands.sync: expected a number from 0 to 1, found 'true'");
  EXPECT_EQ(error_of([&] { islands.at("size").boolean(); }),
            "run.yaml:3:9: islands.size: expected true or false, found '200'");
  EXPECT_EQ(error_of([&] { islands.at("rates").text(); }),
            "run.yaml:4:10: islands.rates: expected a single value, found a list");
  EXPECT_EQ(error_of([&] { islands.at("Size"); }),
            "run.yaml:3:3: islands: the key 'Size' is missing; did you mean 'size'?");
  EXPECT_THAT(error_of([&] { islands.at("size").quantity("size"); }),
              testing::AllOf(StartsWith("run.yaml:3:9: islands.size: expected a size with a unit"),
                             HasSubstr("KiB"), HasSubstr("'200'")));
  EXPECT_THAT(error_of([&] {
                root.at("run").at("name").choice({"fist", "second"});
              }),
              HasSubstr("expected one of fist, second, found 'first'; did you mean 'fist'?"));
  EXPECT_THAT(error_of([&] { islands.at("size").entries(); }), HasSubstr("expected a map of keys"));
}

TEST(YamlTest, RefusesUnknownKeysAtTheirPlace) {
  const YamlNode islands = YamlNode::parse("islands:\n  count: 4\n  szie: 200\n", "run.yaml").at("islands");
  EXPECT_EQ(error_of([&] {
              islands.expect_keys({"count", "size"});
            }),
            "run.yaml:3:3: islands: unknown key 'szie'; did you mean 'size'?; known here: count, size");
  EXPECT_NO_THROW(islands.expect_keys({"count", "szie"}));
}

TEST(YamlTest, RefusesDoubledKeys) {
  EXPECT_EQ(parse_error("a: 1\nb: {x: 1, y: 2, x: 3}\n"),
            "run.yaml:2:17: the key 'x' stands here twice, first in line 2; remove one");
  EXPECT_EQ(parse_error("a: 1\nb: 2\na: 3\n"),
            "run.yaml:3:1: the key 'a' stands here twice, first in line 1; remove one");
}

TEST(YamlTest, RefusesMalformedDocuments) {
  EXPECT_THAT(parse_error("a: [1, 2\nb: 3\n"), StartsWith("run.yaml:2:"));
  EXPECT_THAT(parse_error("a: 1\n\tb: 2\n"), StartsWith("run.yaml:2:"));
  EXPECT_THAT(parse_error("a: *nobody\n"), StartsWith("run.yaml:1:"));
  EXPECT_EQ(parse_error(""), "run.yaml: the document is empty");
  EXPECT_EQ(parse_error("# only a comment\n"), "run.yaml: the document is empty");
  EXPECT_THAT(parse_error("a: 1\n---\nb: 2\n"), StartsWith("run.yaml:2:1: a second document"));
  EXPECT_THAT(parse_error(","), HasSubstr("a second document"));  // must not be read for ever
  EXPECT_THAT(parse_error("a: 1\n? ]"), StartsWith("run.yaml:2:"));
  EXPECT_THAT(parse_error("? [a, b]\n: 1\n"), HasSubstr("a key must be a plain word"));
  EXPECT_THAT(parse_error("a: &x [*x]\n"), HasSubstr("deeper than 100"));
}

TEST(YamlTest, RefusesMissingFilesAndFolders) {
  EXPECT_THAT(error_of([] { YamlNode::load("no/such.yaml"); }), HasSubstr("no/such.yaml"));
  EXPECT_THAT(error_of([] { YamlNode::load("/"); }), HasSubstr("is a folder"));
}

TEST(YamlTest, AnchorsServeAsShorthand) {
  const YamlNode root = YamlNode::parse("base: &b {size: 3}\nother: *b\n", "run.yaml");
  EXPECT_EQ(root.at("other").at("size").integer(0, 9), 3);
}

// Whatever bytes come: an InputError or a document, nothing else.
TEST(YamlTest, SurvivesRandomDamage) {
  for (std::uint32_t trial = 0; trial < 2000; ++trial) {
    Random random({11, Purpose::test, 0, 0, 0, trial});
    std::string text = sample;
    for (std::uint32_t i = 0; i < 1 + random.below(4); ++i) {
      text[random.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(random.below(256));
    }
    try {
      YamlNode::parse(text, "run.yaml");
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), StartsWith("run.yaml:"));
    }
  }
}

TEST(YamlTest, NearestNamesAreSlipsOnly) {
  const std::vector<std::string> known = {"tournament", "truncation", "rank", "random"};
  EXPECT_EQ(nearest_name("tournamnet", known), "tournament");
  EXPECT_EQ(nearest_name("rnak", known), "rank");
  EXPECT_EQ(nearest_name("Rank", known), "rank");
  EXPECT_EQ(nearest_name("roulette", known), std::nullopt);
  EXPECT_EQ(nearest_name("x", {"K"}), std::nullopt);
  EXPECT_EQ(nearest_name("", known), std::nullopt);
  EXPECT_EQ(suggestion("truncatoin", known), "; did you mean 'truncation'?");
  EXPECT_EQ(suggestion("elephant", known), "");
}

}  // namespace
}  // namespace atl
