// ZigZag's own results are the judge: every figure of every row, its split of loops, and what its search
// finds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/random.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/rows.hpp"

namespace atl {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

std::vector<Json> answers_to(const std::string& text, RowCount* count = nullptr) {
  RowOptions options;
  options.data_folders = {ATOLL_SOURCE_DIR};
  std::vector<Json> answers;
  const RowCount counted = evaluate_zigzag_rows(
      text, "rows", options, [&](const std::string& line) { answers.push_back(Json::parse(line)); });
  if (count != nullptr) *count = counted;
  return answers;
}

std::vector<Json> rows_of(const std::string& file) {
  std::vector<Json> rows;
  for (const std::string& line :
       split(read_text_file(std::string(ATOLL_TEST_DATA) + "/zigzag/" + file), '\n'))
    if (!line.empty()) rows.push_back(Json::parse(line));
  return rows;
}

std::string lines_of(const std::vector<Json>& rows) {
  std::string text;
  for (const Json& row : rows) text += row.dump() + "\n";
  return text;
}

const Json& first_row() {
  static const Json row = rows_of("goldens.jsonl.gz").front();
  return row;
}

Json answer_to(const Json& row) {
  return answers_to(row.dump()).front();
}

// Same structure, same names and texts, numbers within 1e-6.
bool equal(const Json& ours, const Json& theirs) {
  if (theirs.is_object()) {
    for (const auto& [key, value] : theirs.items())
      if (!ours.contains(key) || !equal(ours[key], value)) return false;
    return ours.size() == theirs.size();
  }
  if (theirs.is_array()) {
    if (!ours.is_array() || ours.size() != theirs.size()) return false;
    for (std::size_t i = 0; i < theirs.size(); ++i)
      if (!equal(ours[i], theirs[i])) return false;
    return true;
  }
  if (!theirs.is_number()) return ours == theirs;
  const auto a = ours.get<double>(), b = theirs.get<double>();
  return std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b));
}

const std::vector<std::string> compared = {
    "word_accesses",        "elem_moves",       "energy_pJ",        "energy_pJ_dir",
    "mac_energy_pJ",        "mem_energy_pJ",    "energy_total_pJ",  "ideal_cycle",
    "ideal_temporal_cycle", "stall_slack_comb", "onload_cycles",    "offload_cycles",
    "latency_total0",       "latency_total1",   "latency_total2",   "util_spatial",
    "util_stalls",          "util_onload",      "util_all",         "mem_util_individual",
    "mem_util_shared",      "double_buffered",  "port_stall_slack", "temporal_mapping_stationary"};

void expect_all_equal(const std::string& file, std::size_t expected) {
  const std::vector<Json> rows = rows_of(file);
  RowCount count;
  const std::vector<Json> answers = answers_to(lines_of(rows), &count);
  ASSERT_EQ(rows.size(), expected);
  ASSERT_EQ(answers.size(), expected);
  EXPECT_EQ(count.rows, expected);
  EXPECT_EQ(count.refused, 0U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string where = file + " row " + std::to_string(i + 1);
    EXPECT_EQ(answers[i]["id"], i + 1);
    EXPECT_EQ(answers[i].value("refused", ""), "") << where;
    EXPECT_EQ(answers[i]["allocation_equal"], true) << where;
    for (const std::string& field : compared)
      EXPECT_TRUE(equal(answers[i][field], rows[i][field]))
          << where << " " << field << "\nours   " << answers[i][field] << "\ntheirs " << rows[i][field];
  }
}

TEST(ZigzagRows, EveryFigureOfTheBestMappingsIsEqual) {
  expect_all_equal("goldens.jsonl.gz", 268);
}

TEST(ZigzagRows, EveryFigureOfOtherMappingsIsEqual) {
  expect_all_equal("samples.jsonl.gz", 299);
}

TEST(ZigzagRows, WithoutTemporalMappingLomaFindsWhatZigzagFound) {
  std::vector<Json> rows = rows_of("goldens.jsonl.gz");
  std::vector<Json> open = rows;
  for (Json& row : open) row.erase("temporal_mapping");
  const std::vector<Json> answers = answers_to(lines_of(open));
  std::size_t full = 0, sampled = 0, evaluated = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Json& search = rows[i]["search"];
    // These runs constrain the order in their mapping file.
    if (rows[i]["accelerator"].get<std::string>().starts_with("gemm")) continue;
    if (search.value("orderings_cap", 0) == 0) {
      ++full;
      EXPECT_EQ(answers[i]["temporal_mapping"], rows[i]["temporal_mapping"]) << i;
      EXPECT_EQ(answers[i]["latency_total2"], rows[i]["latency_total2"]) << i;
      EXPECT_EQ(answers[i]["energy_total_pJ"], rows[i]["energy_total_pJ"]) << i;
      if (search["cme_evals"] == 0) continue;  // ZigZag copied it from an equal layer
      ++evaluated;
      EXPECT_EQ(answers[i]["search"]["cme_evals"], search["cme_evals"]) << i;
    } else {
      ++sampled;
      const char* goal = rows[i]["opt"] == "energy" ? "energy_total_pJ" : "latency_total2";
      EXPECT_LE(answers[i][goal].get<double>(), rows[i][goal].get<double>()) << i;
    }
  }
  EXPECT_EQ(full, 34U);
  EXPECT_GE(evaluated, 30U);
  EXPECT_GE(sampled, 200U);
}

TEST(ZigzagRows, TheUnrollingAskedForIsUnrolledAsZigzagDoes) {
  const std::vector<Json> rows = rows_of("goldens.jsonl.gz");
  std::vector<Json> open = rows;
  for (Json& row : open) {
    row.erase("spatial_mapping");
    row.erase("spatial_mapping_int");
  }
  const std::vector<Json> answers = answers_to(lines_of(open));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(answers[i].value("refused", ""), "") << i;
    EXPECT_EQ(answers[i]["energy_total_pJ"], rows[i]["energy_total_pJ"]) << i;
    EXPECT_EQ(answers[i]["latency_total2"], rows[i]["latency_total2"]) << i;
  }
}

TEST(ZigzagRows, ALayerByHandNeedsLittle) {
  const std::string layer = R"({"accelerator": "tpu_like", "equation": "O[d][k] = I[d][c] * W[c][k]", )"
                            R"("loop_dims": {"D": 64, "C": 256, "K": 128}, "spatial_mapping_requested": )";
  const auto answers = answers_to(layer + "\"{D1: {K: 32}, D2: {C: 32}}\"}\n" +  //
                                  layer + "\"{D1: {K: 16}, D2: {C: 32}}\"}\n" + layer +
                                  "\"{D1: {K: 32}, D2: {C: 32}}\"}\n" + layer + "\"{D1: {Q: 2}}\"}\n" +
                                  layer + "\"{D9: {K: 2}}\"}\n" + layer + "\"{D1: {K: 64}}\"}\n");
  ASSERT_EQ(answers.size(), 6U);
  EXPECT_EQ(answers[0]["ideal_temporal_cycle"], 64 * (256 / 32) * (128 / 32));
  EXPECT_EQ(answers[1]["ideal_temporal_cycle"], 64 * (256 / 32) * (128 / 16));
  EXPECT_EQ(answers[2]["temporal_mapping"], answers[0]["temporal_mapping"]);
  EXPECT_GT(answers[0]["search"]["cme_evals"], 1);
  EXPECT_THAT(answers[3]["refused"].get<std::string>(), HasSubstr("no such loop"));
  EXPECT_THAT(answers[4]["refused"].get<std::string>(), HasSubstr("no axis"));
  EXPECT_THAT(answers[5]["refused"].get<std::string>(), HasSubstr("has 32 multipliers"));
}

TEST(ZigzagRows, AnswersCarryTheRowsIdAndNames) {
  Json row = first_row();
  EXPECT_EQ(answer_to(row)["id"], 1);
  row["id"] = "mine";
  EXPECT_EQ(answer_to(row)["id"], "mine");
  for (const char* name : {"accelerator", "network", "layer"}) EXPECT_EQ(answer_to(row)[name], row[name]);
}

TEST(ZigzagRows, AnotherSplitOfTheSameOrderIsCostedAndTold) {
  Json row = first_row();
  for (const char* operand : {"W", "I", "O"}) {
    Json& levels = row["temporal_mapping"][operand];
    Json all = Json::array();
    for (Json& level : levels) {
      for (const Json& loop : level) all.push_back(loop);
      level = Json::array();
    }
    levels[levels.size() - 1] = all;  // everything in the outermost memory
  }
  const Json answer = answer_to(row);
  EXPECT_EQ(answer.value("refused", ""), "");
  EXPECT_EQ(answer["allocation_equal"], false);
  EXPECT_GT(answer["energy_total_pJ"].get<double>(), row["energy_total_pJ"].get<double>());
}

TEST(ZigzagRows, DoubtsNameWhatCannotBeTrue) {
  // 14048 cycles at 64 bit/cycle bring 1568 + 3072 cycles' worth of inputs and weights in and 9408 of outputs
  // out; ZigZag reports 9986.
  std::size_t below = 0, negative = 0, example = 0;
  const std::vector<Json> rows = rows_of("goldens.jsonl.gz");
  const std::vector<Json> answers = answers_to(lines_of(rows));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::string text = answers[i]["doubts"].dump();
    below += text.find("are fewer than the") != std::string::npos ? 1 : 0;
    const bool told = text.find("offloading takes -") != std::string::npos;
    EXPECT_EQ(told, rows[i]["offload_cycles"].get<double>() < 0) << i;
    negative += told ? 1 : 0;
    if (rows[i]["layer"] == "/features/features.8/conv/conv.0/conv.0.0/Conv" &&
        rows[i]["accelerator"] == "edge_tpu_like") {
      EXPECT_THAT(text, HasSubstr("9986 cycles are fewer than the 14048"));
      ++example;
    }
  }
  EXPECT_EQ(example, 1U);
  EXPECT_GE(below, 40U);
  EXPECT_GE(negative, 10U);
}

TEST(ZigzagRows, ImpossibleRowsAreRefusedWithTheRule) {
  const auto refusal = [](const std::string& patch) {
    Json row = first_row();
    row.merge_patch(Json::parse(patch));
    return answer_to(row).value("refused", "");
  };
  EXPECT_THAT(refusal(R"({"accelerator": "tpu_lik"})"), HasSubstr("did you mean 'tpu_like'"));
  EXPECT_THAT(refusal(R"({"accelerator": 3})"), HasSubstr("'accelerator' must be a text"));
  EXPECT_THAT(refusal(R"({"equation": null})"), HasSubstr("'equation' is missing"));
  EXPECT_THAT(refusal(R"({"equation": "A[b] = W[b] * I[b]"})"), HasSubstr("operands O, W and I"));
  EXPECT_THAT(refusal(R"({"loop_dims": {"K": 65}})"), HasSubstr("'total_macs'"));
  EXPECT_THAT(refusal(R"({"loop_dims": {"K": 0}})"), HasSubstr("'K' must be a whole number from 1; found 0"));
  EXPECT_THAT(refusal(R"({"loop_dims": {"K": 4000000000, "C": 4000000000}})"), HasSubstr("2^53"));
  EXPECT_THAT(refusal(R"({"loop_dims": {"Z": 2}})"), HasSubstr("'Z' indexes no two operands"));
  EXPECT_THAT(refusal(R"({"operand_elems": {"W": 1}})"), HasSubstr("W has"));
  EXPECT_THAT(refusal(R"({"operand_elems": {"I": 7}})"), HasSubstr("no square"));
  EXPECT_THAT(refusal(R"({"precision_bits": {"W": 4096}})"), HasSubstr("1 to 1024 bits"));
  EXPECT_THAT(refusal(R"({"mem_levels": {"W": ["dram"]}})"), HasSubstr("stores W in"));
  EXPECT_THAT(refusal(R"({"dimension_relations": ["IX = OX + FX"]})"), HasSubstr("reads 'IX = 2*OX + 1*FX'"));
  EXPECT_THAT(refusal(R"({"spatial_mapping": {"W": [[], [], []]}})"), HasSubstr("same loops"));
  EXPECT_THAT(refusal(R"({"temporal_mapping": {"W": [[], []]}})"), HasSubstr("in another order than W"));
  EXPECT_THAT(refusal(R"({"temporal_mapping": {"W": [[]]}})"), HasSubstr("1 levels; expected 2"));
  EXPECT_THAT(refusal(R"({"temporal_mapping": {"W": [[["Q", 2]], []]}})"),
              HasSubstr("which the layer has not"));
  EXPECT_EQ(refusal("{}"), "");
}

TEST(ZigzagRows, MappingsThatDoNotFitOrMultiplyUpAreRefused) {
  Json row = first_row();
  for (const char* operand : {"W", "I", "O"}) {
    Json& levels = row["temporal_mapping"][operand];
    for (std::size_t l = 1; l < levels.size(); ++l)
      while (!levels[l].empty()) {  // everything in the innermost memory
        levels[0].push_back(levels[l][0]);
        levels[l].erase(0);
      }
  }
  EXPECT_THAT(answer_to(row).value("refused", ""), HasSubstr("times its size of"));
  row = first_row();
  for (const char* operand : {"W", "I", "O"})
    for (Json& level : row["temporal_mapping"][operand])
      for (Json& loop : level) loop[1] = 1;
  EXPECT_THAT(answer_to(row).value("refused", ""), HasSubstr("multiply up to"));
}

TEST(ZigzagRows, TextThatIsNoRowIsRefusedLineByLine) {
  RowCount count;
  const auto answers = answers_to("not json\n\n[]\n{}\n" + std::string(100000, '[') + "\n", &count);
  ASSERT_EQ(answers.size(), 4U);
  EXPECT_EQ(count.refused, 4U);
  EXPECT_EQ(answers[3]["id"], 5);
  EXPECT_THAT(answers[0]["refused"].get<std::string>(), HasSubstr("rows:1: not JSON"));
  EXPECT_THAT(answers[3]["refused"].get<std::string>(), HasSubstr("nest deeper"));
  EXPECT_THROW(answers_to("\n \n"), InputError);
}

void collect(Json& json, std::vector<Json*>& nodes) {
  nodes.push_back(&json);
  if (!json.is_structured()) return;
  for (Json& child : json) collect(child, nodes);
}

// Every answer to a damaged row is a refusal or finite figures with energy and work in them.
void expect_sane(const Json& answer, const std::string& row) {
  if (answer.contains("refused")) return;
  for (const char* field : {"energy_total_pJ", "latency_total0", "latency_total2", "stall_slack_comb"})
    ASSERT_TRUE(answer[field].is_number() && std::isfinite(answer[field].get<double>())) << field << row;
  ASSERT_GE(answer["latency_total0"].get<double>(), answer["ideal_cycle"].get<double>() * (1 - 1e-9)) << row;
  ASSERT_GE(answer["energy_total_pJ"].get<double>(), answer["mac_energy_pJ"].get<double>()) << row;
}

TEST(ZigzagRows, DamagedRowsAreRefusedOrAnsweredNeverMore) {
  const std::vector<Json> rows = rows_of("goldens.jsonl.gz");
  const std::vector<std::string> values = {"0",  "-1",   "1",    "2",      "3",    "1.5",      "1e300",
                                           "[]", "null", "\"\"", "\"OX\"", "true", "\"G\"",    "4294967295",
                                           "{}", "[[]]", "7",    "64",     "0.5",  "16777216", "-9e99"};
  Random random({.seed = 3, .purpose = Purpose::test});
  std::size_t refused = 0, answered = 0;
  for (int i = 0; i < 2000; ++i) {
    Json row = rows[random.below(static_cast<std::uint32_t>(rows.size()))];
    for (const std::string& field : compared) row.erase(field);
    for (std::uint32_t change = 0; change <= random.below(2); ++change) {
      std::vector<Json*> nodes;
      collect(row, nodes);
      *nodes[random.below(static_cast<std::uint32_t>(nodes.size()))] =
          Json::parse(values[random.below(static_cast<std::uint32_t>(values.size()))]);
    }
    std::string text = row.dump();
    if (random.chance(0.2))
      text[random.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(32 + random.below(95));
    const std::vector<Json> answers = answers_to(text);
    ASSERT_EQ(answers.size(), 1U);
    expect_sane(answers[0], text);
    (answers[0].contains("refused") ? refused : answered) += 1;
  }
  EXPECT_GE(refused, 800U);
  EXPECT_GE(answered, 30U);
}

}  // namespace
}  // namespace atl
