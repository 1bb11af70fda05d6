#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/random.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/simulator/timeloop.hpp"

namespace atl {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

const std::string& rows_text() {
  static const std::string text = read_text_file(std::string(ATOLL_TEST_DATA) + "/timeloop/rows.jsonl.gz");
  return text;
}

std::vector<Json> rows() {
  std::vector<Json> result;
  for (const std::string& line : split(rows_text(), '\n'))
    if (!line.empty()) result.push_back(Json::parse(line));
  return result;
}

RowOptions row_options(bool timeloop_semantics) {
  RowOptions options;
  options.data_folders = {ATOLL_SOURCE_DIR};
  options.timeloop_semantics = timeloop_semantics;
  return options;
}

std::vector<Json> answers(const std::string& text, bool timeloop_semantics) {
  std::vector<Json> result;
  evaluate_timeloop_rows(text, "rows", row_options(timeloop_semantics),
                         [&](const std::string& line) { result.push_back(Json::parse(line)); });
  return result;
}

Json answer(const std::string& line, bool timeloop_semantics = true) {
  return answers(line, timeloop_semantics).at(0);
}

// The difference of two results as a patch, for messages.
std::string difference(const Json& ours, const Json& theirs) {
  return Json::diff(ours, theirs).dump().substr(0, 400);
}

// A row of simple2 as a line of our own: loops hand extents inwards. Empty where loops in space stand in
// another order than ours.
std::string own_line(const Json& row) {
  const std::string dims = "NGKCPQRS";
  Json layer = {{"op", "conv"}}, left = Json::object();
  for (const char d : dims) {
    const std::string name = d == 'K' ? "M" : std::string(1, d);
    layer[std::string(1, d)] = left[name] = row["problem"][name];
  }
  for (const char* key : {"stride", "dilation"}) layer[key] = {row["problem"][key], row["problem"][key]};
  Json mapping = Json::array();
  for (const Json& level : row["mapping"]) {
    Json own = {{"level", level["level"] == "DRAM" ? "dram" : "buffer"}, {"keep", Json::array()}};
    for (const Json& kept : level["keep"]) own["keep"].push_back(std::string(1, kept.get<std::string>()[0]));
    for (const char* key : {"temporal", "spatial_y", "spatial_x"}) {
      own[key] = Json::array();
      std::size_t last = 0;
      for (const Json& loop : level[key]) {
        const std::string name = loop[0];
        left[name] = left[name].get<int>() / loop[1].get<int>();
        const std::size_t place = dims.find(name == "M" ? 'K' : name[0]);
        if (key != std::string("temporal") && place < last) return {};
        last = place;
        own[key].push_back({name == "M" ? "K" : name, left[name]});
      }
    }
    mapping.push_back(own);
  }
  return Json{{"id", row["id"]}, {"layer", layer}, {"mapping", mapping}}.dump();
}

TEST(TimeloopRows, LinesOfOurOwnAreCountedByTheSameRules) {
  RowOptions options = row_options(true);
  std::size_t compared = 0;
  for (const Json& row : rows()) {
    if (row["arch"] != "simple2") continue;
    const std::string line = own_line(row);
    if (line.empty()) continue;
    options.accelerator = std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/timeloop/simple2.yaml";
    evaluate_own_rows_by_timeloop(line, "own", options, [&](const std::string& text) {
      const Json ours = Json::parse(text);
      ASSERT_FALSE(ours.contains("refused")) << ours["refused"];
      EXPECT_EQ(ours["id"], row["id"]);
      EXPECT_EQ(ours["result"]["cycles"], row["result"]["cycles"]) << row["id"];
      EXPECT_EQ(ours["result"]["energy_uJ"], row["result"]["energy_uJ"]) << row["id"];
      EXPECT_EQ(ours["link_transfers_used"], row["link_transfers_used"]);
    });
    ++compared;
  }
  EXPECT_GT(compared, 10U);
}

TEST(TimeloopRows, every_figure_of_every_golden_row_is_equal) {
  const std::vector<Json> golden = rows();
  const std::vector<Json> ours = answers(rows_text(), true);
  ASSERT_EQ(ours.size(), golden.size());
  ASSERT_GT(golden.size(), 200U);
  int with_links = 0;
  for (std::size_t r = 0; r < golden.size(); ++r) {
    SCOPED_TRACE(golden[r]["id"].dump());
    ASSERT_FALSE(ours[r].contains("refused")) << ours[r]["refused"];
    EXPECT_EQ(ours[r]["id"], golden[r]["id"]);
    EXPECT_EQ(ours[r]["arch"], golden[r]["arch"]);
    EXPECT_EQ(ours[r]["link_transfers_used"], golden[r]["link_transfers_used"]);
    EXPECT_EQ(ours[r]["result"], golden[r]["result"]) << difference(ours[r]["result"], golden[r]["result"]);
    ASSERT_EQ(ours[r].contains("result_no_link_transfers"), golden[r].contains("result_no_link_transfers"));
    if (!golden[r].contains("result_no_link_transfers")) continue;
    ++with_links;
    EXPECT_EQ(ours[r]["result_no_link_transfers"], golden[r]["result_no_link_transfers"])
        << difference(ours[r]["result_no_link_transfers"], golden[r]["result_no_link_transfers"]);
  }
  EXPECT_GT(with_links, 20);
}

// A rule left out is noticed: for each there is a golden row that is not equal without it.
TEST(TimeloopRows, our_own_figures_differ_by_named_rules_only_and_every_rule_is_needed) {
  std::map<std::string, int> needed;
  for (const Json& ours : answers(rows_text(), false)) {
    SCOPED_TRACE(ours["id"].dump());
    ASSERT_TRUE(ours.contains("explained_by"));
    ASSERT_TRUE(ours["explained_by"].is_array()) << ours["unexplained"];
    EXPECT_EQ(ours["compared_with"], "the row's result");
    EXPECT_EQ(ours["explained_by"].empty(), ours["differs"].empty());
    for (const auto& name : ours["explained_by"]) ++needed[name];
  }
  for (const TimeloopRule& rule : timeloop_rule_list())
    EXPECT_GT(needed[std::string(rule.name)], 0) << rule.name;
}

TEST(TimeloopRows, a_stated_result_that_no_rule_gives_is_not_explained) {
  Json row = rows()[0];
  row["result"]["cycles"] = row["result"]["cycles"].get<int>() + 1;
  const Json ours = answer(row.dump(), false);
  EXPECT_TRUE(ours["explained_by"].is_null());
  EXPECT_EQ(ours["unexplained"], Json::array({"cycles"}));
}

TEST(TimeloopRows, a_row_without_result_is_compared_with_the_rules) {
  Json row = rows()[0];
  row.erase("result");
  row.erase("id");
  const Json ours = answer("\n" + row.dump(), false);
  EXPECT_EQ(ours["id"], 2);
  EXPECT_EQ(ours["compared_with"], "Timeloop's rules");
  EXPECT_FALSE(ours["explained_by"].empty());
}

Json first_row_of(const std::string& arch) {
  for (Json& row : rows())
    if (row["arch"] == arch && row["mapping"][0]["temporal"].size() > 1) return row;
  ADD_FAILURE() << arch;
  return {};
}

std::string refusal(const Json& row) {
  const Json ours = answer(row.dump());
  EXPECT_EQ(ours["id"], row["id"]);
  return ours.value("refused", "not refused");
}

TEST(TimeloopRows, what_is_not_legal_is_refused_with_rule_and_value) {
  const Json good = first_row_of("eyeriss_like");
  Json row = good;
  row["mapping"][0]["temporal"][0][1] = 7919;
  EXPECT_THAT(refusal(row), HasSubstr("must multiply up to the layer's"));

  row = good;
  row["mapping"][0]["keep"] = {"Weights", "Outputs"};
  EXPECT_THAT(refusal(row), HasSubstr("level 'dram' must keep WIO, but keeps WO"));

  row = good;
  row["mapping"][2]["keep"] = {"Inputs", "Weights"};
  EXPECT_THAT(refusal(row), HasSubstr("level 'ifmap_spad' may keep only I, but keeps WI"));

  row = good;
  row["mapping"][1]["level"] = "shared_glob";
  EXPECT_THAT(refusal(row), HasSubstr("found 'shared_glob'; did you mean 'shared_glb'?"));

  row = good;
  row["mapping"].erase(4);
  EXPECT_THAT(refusal(row), HasSubstr("has 5 levels, found 4"));

  row = good;
  row["mapping"][0]["temporal"][0][0] = "K";
  EXPECT_THAT(refusal(row), HasSubstr("there is no dimension 'K'; known are N, G, M, C"));

  row = good;
  row["arch"] = "eyeris_like";
  EXPECT_THAT(refusal(row), HasSubstr("did you mean 'eyeriss_like'?"));
  EXPECT_THAT(refusal(row), HasSubstr("known are: eyeriss_like, simba_like, simple2, three_level"));

  row = good;
  row["problem"]["padding"] = 1;
  EXPECT_THAT(refusal(row), HasSubstr("there is no dimension 'padding'"));
}

Json plain_row(const std::string& arch, const std::vector<std::string>& levels, std::uint64_t outputs) {
  Json row = {{"id", "plain"}, {"arch", arch}, {"mapping", Json::array()}};
  row["problem"] = {{"G", 1}, {"N", 1}, {"M", outputs}, {"C", 1},      {"P", 1},
                    {"Q", 1}, {"R", 1}, {"S", 1},       {"stride", 1}, {"dilation", 1}};
  for (const std::string& name : levels)
    row["mapping"].push_back({{"level", name},
                              {"keep", {"Weights", "Inputs", "Outputs"}},
                              {"temporal", Json::array()},
                              {"spatial_x", Json::array()},
                              {"spatial_y", Json::array()}});
  return row;
}

Json loops(const std::vector<std::pair<std::string, std::uint64_t>>& list) {
  Json result = Json::array();
  for (const auto& [dim, bound] : list) result.push_back(Json::array({dim, bound}));
  return result;
}

TEST(TimeloopRows, capacity_mesh_and_size_are_checked) {
  Json row = plain_row("simple2", {"DRAM", "Buffer"}, 40000);
  row["mapping"][1]["temporal"] = loops({{"M", 40000}});
  EXPECT_THAT(refusal(row), HasSubstr("the tiles at level 'buffer' need 80001 words, it has 65536"));

  row = plain_row("simple2", {"DRAM", "Buffer"}, 17);
  row["mapping"][1]["spatial_x"] = loops({{"M", 17}});
  EXPECT_THAT(refusal(row), HasSubstr("ask for 17 x 1 children (x, y), there are 16 x 4"));

  row = plain_row("simple2", {"DRAM", "Buffer"}, 1000000);
  row["problem"]["P"] = 1000000;
  row["mapping"][0]["temporal"] = loops({{"M", 1000000}, {"P", 1000000}});
  EXPECT_THAT(refusal(row), HasSubstr("fewer than 1000000000000 operations, so that every count is exact; "
                                      "found 1000000000000"));

  row["problem"]["P"] = 999999;
  row["mapping"][0]["temporal"] = loops({{"M", 1000000}, {"P", 999999}});
  EXPECT_EQ(answer(row.dump())["result"]["computes"], 999999000000);

  // A stride that makes boxes of more words than there are numbers for.
  row = plain_row("simple2", {"DRAM", "Buffer"}, 1);
  row["problem"]["P"] = row["problem"]["Q"] = 1000;
  row["problem"]["stride"] = 4294967295;
  row["mapping"][0]["temporal"] = loops({{"P", 1000}, {"Q", 1000}});
  EXPECT_THAT(refusal(row), HasSubstr("counts of words stay below"));
  row["problem"]["stride"] = 1;
  EXPECT_EQ(refusal(row), "not refused");
}

// Large layers cost no more than small ones: nothing is stepped through.
TEST(TimeloopRows, long_loops_are_evaluated_at_once) {
  Json row = plain_row("simple2", {"DRAM", "Buffer"}, 1);
  row["problem"]["P"] = row["problem"]["R"] = 250000;
  row["problem"]["stride"] = row["problem"]["dilation"] = 2;
  row["mapping"][0]["temporal"] = loops({{"R", 250000}, {"P", 250000}});
  EXPECT_EQ(answer(row.dump())["result"]["computes"], 62500000000);
  const Json native = answer(row.dump(), false)["result"]["levels"];
  EXPECT_EQ(native["DRAM"]["Inputs"]["tile"], 499999);
  EXPECT_EQ(native["Buffer"]["Inputs"]["partition"], 499999);
  EXPECT_EQ(native["DRAM"]["Inputs"]["reads"], 62500000000);
}

TEST(TimeloopRows, lines_that_are_no_rows_are_refused_by_place) {
  const std::vector<Json> ours = answers("{\"id\": 7, \"arch\": 3}\nnonsense\n[1]\n{}\n", true);
  ASSERT_EQ(ours.size(), 4U);
  EXPECT_EQ(ours[0]["id"], 7);
  EXPECT_EQ(ours[0]["refused"], "rows:1: arch: expected a text, found 3");
  EXPECT_EQ(ours[1]["refused"], "rows:2: expected one row as an object of JSON");
  EXPECT_EQ(ours[3]["refused"], "rows:4: row: 'arch' is missing");
}

// Each bracket would cost a function call when the value is copied or shown.
TEST(TimeloopRows, lines_of_deep_brackets_are_refused) {
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  for (const std::string key : {"id", "arch", "problem"})
    for (const bool timeloop_semantics : {false, true}) {
      const Json ours = answer("{\"" + key + "\":" + deep + "}", timeloop_semantics);
      EXPECT_EQ(ours["id"], 1);
      EXPECT_EQ(ours["refused"], "rows:1: brackets nest deeper than 64");
    }
}

// Random damage: every line is answered, with a result or a reason.
Json damaged_value(Random& random, const Json& value) {
  switch (random.below(7)) {
    case 0:
      return nullptr;
    case 1:
      return -1;
    case 2:
      return 0;
    case 3:
      return 18446744073709551615ULL;
    case 4:
      return "Q";
    case 5:
      return Json::array({value, value});
    default:
      return value.is_number_unsigned() ? Json(value.get<std::uint64_t>() * 2) : Json(1.5);
  }
}

void damage(Random& random, Json& value) {
  if (value.is_structured() && !value.empty() && random.chance(0.85)) {
    auto member = value.begin();
    std::advance(member, random.below(static_cast<std::uint32_t>(value.size())));
    if (random.chance(0.1)) {
      value.erase(member);
    } else {
      damage(random, *member);
    }
  } else {
    value = damaged_value(random, value);
  }
}

TEST(TimeloopRows, damaged_rows_are_refused_or_evaluated) {
  std::vector<Json> good = rows();
  Random random({.seed = 5, .purpose = Purpose::test});
  std::size_t refused = 0, evaluated = 0;
  for (int turn = 0; turn < 4000; ++turn) {
    Json row = good[random.below(static_cast<std::uint32_t>(good.size()))];
    row.erase("result");
    row.erase("result_no_link_transfers");
    damage(random, row[random.chance(0.7) ? "mapping" : "problem"]);
    std::string line = row.dump();
    if (random.chance(0.2))
      line[random.below(static_cast<std::uint32_t>(line.size()))] = static_cast<char>(random.below(256));
    if (random.chance(0.05)) line.resize(random.below(static_cast<std::uint32_t>(line.size())) + 1);
    for (const Json& ours : answers(line, turn % 8 != 0)) {
      ASSERT_NE(ours.contains("refused"), ours.contains("result")) << line;
      ++(ours.contains("refused") ? refused : evaluated);
    }
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(evaluated, 50U);
}

TEST(TimeloopRows, a_loop_nest_is_explained_on_request) {
  RowOptions options = row_options(true);
  options.explain = true;
  std::string told;
  options.explain_to = [&](const std::string& text) { told += text; };
  evaluate_timeloop_rows(first_row_of("simple2").dump(), "rows", options, [](const std::string&) {});
  EXPECT_THAT(told, HasSubstr("DRAM: Weights Inputs Outputs\n for "));
}

TEST(TimeloopRows, the_shipped_architectures_name_a_source_for_every_figure) {
  for (const char* name : {"simple2", "three_level", "eyeriss_like", "simba_like"}) {
    const std::string path =
        std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/timeloop/" + name + ".yaml";
    const Accelerator accelerator = read_accelerator(path);
    EXPECT_EQ(accelerator.name, name);
    const SourceCount count = count_sources(accelerator);
    EXPECT_GT(count.sourced + count.estimated, 10U);
    EXPECT_EQ(read_timeloop_architecture(path).levels.size(), accelerator.levels.size());
  }
}

}  // namespace
}  // namespace atl
