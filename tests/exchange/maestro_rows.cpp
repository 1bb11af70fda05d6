// Rows of MAESTRO: every column of its results, its verdicts, and whatever else may stand in such a file.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/random.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/rows.hpp"

namespace atl {
namespace {

using Json = nlohmann::json;
using Row = std::map<std::string, std::string>;
using ::testing::HasSubstr;

RowOptions options(bool strict) {
  RowOptions result;
  result.data_folders = {ATOLL_SOURCE_DIR};
  result.strict = strict;
  return result;
}

std::vector<Json> answers(const std::string& text, const RowOptions& how, RowCount* count = nullptr) {
  std::vector<Json> lines;
  const RowCount total = evaluate_maestro_rows(
      text, "rows.csv", how, [&](const std::string& line) { lines.push_back(Json::parse(line)); });
  if (count != nullptr) *count = total;
  return lines;
}

// Simple enough for these rows: only mapping_json is quoted, and it holds no line feed.
std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> result(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      result.back() += line[i++];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      result.emplace_back();
    } else {
      result.back() += line[i];
    }
  }
  return result;
}

const std::string& goldens() {
  static const std::string text = read_text_file(std::string(ATOLL_TEST_DATA) + "/maestro/goldens.csv.gz");
  return text;
}

std::vector<Row> golden_rows() {
  std::vector<Row> rows;
  std::vector<std::string> header;
  for (const std::string& line : split(goldens(), '\n')) {
    if (line.empty()) continue;
    const auto cells = fields(line);
    if (header.empty()) {
      header = cells;
      continue;
    }
    Row& row = rows.emplace_back();
    for (std::size_t c = 0; c < header.size(); ++c) row[header[c]] = cells[c];
  }
  return rows;
}

bool is_job(const std::string& column) {
  static const std::set<std::string> job = {"id",          "model",
                                            "layer_index", "platform",
                                            "type",        "K",
                                            "C",           "Y",
                                            "X",           "R",
                                            "S",           "stride",
                                            "n_levels",    "pes",
                                            "l1_bytes",    "l2_bytes",
                                            "noc_bw",      "noc_lat",
                                            "offchip_bw",  "full_rs",
                                            "y_in_range",  "mapping_json",
                                            "message"};
  return job.contains(column);
}

bool equal(const Json& ours, const std::string& theirs) {
  if (ours.is_string()) return ours.get<std::string>() == theirs;
  if (ours.is_number_integer()) return std::to_string(ours.get<std::int64_t>()) == theirs;
  return ours.is_number() && ours.get<double>() == std::strtod(theirs.c_str(), nullptr);
}

TEST(MaestroRows, EveryColumnIsMaestrosToTheLastBit) {
  const auto rows = golden_rows();
  const auto lines = answers(goldens(), options(false));
  ASSERT_EQ(lines.size(), rows.size());
  std::size_t compared = 0, columns = 0, crashed = 0, strided = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Row& row = rows[r];
    const Json& line = lines[r];
    ASSERT_EQ(line["id"].dump(), row.at("id"));
    if (row.at("stride") != "1") {
      EXPECT_THAT(line.at("refused").get<std::string>(), HasSubstr("stride must be 1")) << row.at("id");
      ++strided;
      continue;
    }
    if (row.at("status") != "ok") {
      EXPECT_THAT(line.at("refused").get<std::string>(), HasSubstr("divides by zero")) << row.at("id");
      ++crashed;
      continue;
    }
    ASSERT_FALSE(line.contains("refused")) << line.dump();
    ++compared;
    for (const auto& [column, value] : row) {
      if (is_job(column)) continue;
      ASSERT_TRUE(line.contains(column)) << column;
      EXPECT_TRUE(equal(line[column], value))
          << "row " << row.at("id") << ", " << column << ": " << line[column] << " instead of " << value;
      ++columns;
    }
  }
  fmt::print("{} rows equal in {} values; refused: {} divide by zero, {} have another stride\n", compared,
             columns, crashed, strided);
  EXPECT_GT(compared, 700U);
  EXPECT_GE(crashed, 2U);
  EXPECT_GE(strided, 5U);
}

TEST(MaestroRows, StrictAcceptsExactlyTheTrustedRows) {
  const auto rows = golden_rows();
  RowCount count;
  const auto lines = answers(goldens(), options(true), &count);
  ASSERT_EQ(lines.size(), rows.size());
  std::map<std::string, int> outcomes;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const bool refused = lines[r].contains("refused");
    EXPECT_EQ(!refused, rows[r].at("trusted") == "1") << rows[r].at("id") << ": " << lines[r].dump();
    if (!refused) {
      ++outcomes["accepted"];
      continue;
    }
    const auto reason = lines[r]["refused"].get<std::string>();
    std::string kind = "other: " + reason;
    for (const char* known : {"stride must be 1", "divides by zero", "MACs, the layer has", "cycles,",
                              "a tile of a lower level finishes faster"})
      if (reason.find(known) != std::string::npos) kind = known;
    ++outcomes[kind];
  }
  for (const auto& [kind, number] : outcomes) {
    fmt::print("{:5} {}\n", number, kind);
    EXPECT_FALSE(kind.starts_with("other")) << kind;
  }
  EXPECT_EQ(count.rows, rows.size());
  EXPECT_EQ(count.rows - count.refused, static_cast<std::size_t>(outcomes["accepted"]));
  EXPECT_GT(outcomes["MACs, the layer has"], 50);
  EXPECT_GT(outcomes["a tile of a lower level finishes faster"], 40);
}

const std::string header = "id,platform,type,K,C,Y,X,R,S,mapping_json\n";
const std::string mapping =
    R"("[{""sp"":""K"",""cluster"":null,""order"":[[""K"",2],[""C"",3],[""Y"",4],[""X"",4],[""R"",3],[""S"",3]]}]")";

std::string refusal(const std::string& row) {
  const auto lines = answers(header + row + "\n", options(true));
  return lines.size() == 1 && lines[0].contains("refused") ? lines[0]["refused"].get<std::string>()
                                                           : "accepted";
}

TEST(MaestroRows, ThePlatformGivesWhatTheRowLeavesOut) {
  const std::string row = "a,edge,CONV,8,3,6,6,3,3," + mapping + "\n";
  const auto plain = answers(header + row, options(true)).at(0);
  EXPECT_EQ(plain["id"], "a");
  EXPECT_EQ(plain["trusted"], 1);
  EXPECT_EQ(plain["num_macs"], 8 * 3 * 4 * 4 * 9);
  // 4 PEs work on 2 output channels each
  EXPECT_EQ(plain["runtime_cycles"], 2 * 3 * 4 * 4 * 9 + 1);
  const auto slow = answers("pes,noc_bw,stride," + header + "1,1,1," + row, options(true)).at(0);
  EXPECT_GT(slow["runtime_cycles"].get<int>(), 4 * plain["runtime_cycles"].get<int>() - 4);
  const auto quoted =
      answers("\"id\",platform,type,K,C,Y,X,R,S,mapping_json\r\n7,\"edge\",CONV,8,3,6,6,3,3," + mapping +
                  "\r\n\r\n",
              options(true))
          .at(0);
  EXPECT_EQ(quoted["id"], 7);
  EXPECT_EQ(quoted["runtime_cycles"], plain["runtime_cycles"]);
}

TEST(MaestroRows, OurColumnsStandApart) {
  const auto line = answers(header + "1,edge,CONV,8,3,6,6,3,3," + mapping + "\n", options(true)).at(0);
  const double reads = 3 * 6 * 6 + 8 * 3 * 9, writes = 8 * 4 * 4;
  EXPECT_EQ(line["atoll_dram_read_elements"], reads);
  EXPECT_EQ(line["atoll_dram_write_elements"], writes);
  EXPECT_DOUBLE_EQ(line["atoll_dram_energy_nJ"], 0.064 * (reads + writes));
  EXPECT_DOUBLE_EQ(line["energy_total_nJ"].get<double>(), line["energy_l2_nJ"].get<double>() +
                                                              line["energy_l1_nJ"].get<double>() +
                                                              line["energy_mac_nJ"].get<double>());
  EXPECT_DOUBLE_EQ(line["atoll_energy_nJ"].get<double>(), line["energy_total_nJ"].get<double>() +
                                                              line["atoll_dram_energy_nJ"].get<double>() +
                                                              line["atoll_noc_energy_nJ"].get<double>());
}

TEST(MaestroRows, RefusesBadRowsWithTheReason) {
  EXPECT_EQ(refusal("1,edge,CONV,8,3,6,6,3,3," + mapping), "accepted");
  EXPECT_THAT(refusal("1,edge,GEMM,8,3,6,6,3,3," + mapping), HasSubstr("found 'GEMM'"));
  EXPECT_THAT(refusal("1,edge,CONV,8,x,6,6,3,3," + mapping), HasSubstr("C must be a whole number"));
  EXPECT_THAT(refusal("1,edge,CONV,8,,6,6,3,3," + mapping), HasSubstr("C is empty"));
  EXPECT_THAT(refusal("1,edge,CONV,8,3,2,6,3,3," + mapping), HasSubstr("R is 3 and Y is 2"));
  EXPECT_THAT(refusal("1,edge,FC,8,3,6,6,3,3," + mapping), HasSubstr("an FC layer has"));
  EXPECT_THAT(refusal("1,edgy,CONV,8,3,6,6,3,3," + mapping), HasSubstr("edge"));
  EXPECT_THAT(refusal("1,edge,CONV,8,3,6,6,3,3,[]"), HasSubstr("1 to 4 levels"));
  EXPECT_THAT(refusal("1,edge,CONV,8,3,6,6,3,3,nonsense"), HasSubstr("mapping_json"));
  EXPECT_THAT(refusal("1,edge,CONV,8,3,6,6,3,3," + std::string(200000, '[') + std::string(200000, ']')),
              HasSubstr("nest deeper"));
  EXPECT_THAT(refusal("1,edge,CONV,8,3,6,6,3,3"), HasSubstr("expected 10 fields"));
  EXPECT_THAT(refusal(R"(1,edge,CONV,8,3,6,6,3,3,"[{""sp"":""Q"",""order"":[]}]")"),
              HasSubstr("found \"Q\""));
  EXPECT_THAT(refusal(R"(1,edge,CONV,8,3,6,6,3,3,"[{""sp"":""K"",""order"":[[""K"",1]]}]")"),
              HasSubstr("no directive for C"));
  EXPECT_THAT(refusal(R"(1,edge,CONV,8,3,6,6,3,3,"[{""sp"":""K"",""cluster"":2,""order"":[]}]")"),
              HasSubstr("no 'cluster'"));
  EXPECT_THAT(refusal(R"(1,edge,CONV,8,3,6,6,3,3,"[{""sp"":""K"",""order"":[[""K"",0]]}]")"),
              HasSubstr("found 0"));
}

TEST(MaestroRows, FilesThatCannotBeReadAreErrors) {
  const auto message = [](const std::string& text) {
    try {
      answers(text, options(true));
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(message(""), HasSubstr("rows.csv: expected a header"));
  EXPECT_THAT(message(header), HasSubstr("found 1 line"));
  EXPECT_THAT(message("id,type,K,C,Y,X,R\n1,CONV,1,1,1,1,1\n"),
              HasSubstr("missing: S, mapping_json, platform"));
  EXPECT_THAT(message(header + "\"1,edge\n"), HasSubstr("never closed"));
  EXPECT_THAT(message("id,id,type\n1,2,3\n"), HasSubstr("rows.csv:1: column 'id' stands twice"));
  RowOptions own = options(true);
  own.accelerator = std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/maestro/cloud.yaml";
  const auto lines = answers("type,K,C,Y,X,R,S,mapping_json\nCONV,8,3,6,6,3,3," + mapping + "\n", own);
  EXPECT_EQ(lines.at(0)["id"], 1);
  EXPECT_GT(lines.at(0)["pe_power"].get<double>(), 65536);
}

TEST(MaestroRows, ExplainsEveryRowItIsAskedTo) {
  std::string told;
  RowOptions how = options(true);
  how.explain = true;
  how.explain_to = [&](const std::string& text) { told += text; };
  answers(header + "9,edge,CONV,8,3,6,6,3,3," + mapping + "\n", how);
  EXPECT_THAT(told, HasSubstr("level 0: 168 units"));
  EXPECT_THAT(told, HasSubstr("spread K of 8 in tiles of 2: 4 steps"));
}

// Bytes changed at random anywhere: every row has an answer or the file is refused, nothing else happens.
TEST(MaestroRows, MutatedRowsAreAnsweredOrRefused) {
  const std::string& all = goldens();
  const std::string first_line = all.substr(0, all.find('\n') + 1);
  const auto lines = split(all, '\n');
  std::size_t accepted = 0, refused = 0, unreadable = 0;
  constexpr std::string_view pieces[] = {"0",         "-1",       "99999999999999999999",
                                         "1e9",       "",         "\"",
                                         ",",         "[",        "]",
                                         "null",      "16777216", "{",
                                         "K",         "\n",       "\xff",
                                         "2147483647"};
  for (std::uint32_t n = 0; n < 4000; ++n) {
    Random random({.seed = 77, .individual = n});
    std::string row = lines[1 + random.below(static_cast<std::uint32_t>(lines.size() - 2))];
    const std::uint32_t changes = 1 + random.below(3);
    for (std::uint32_t c = 0; c < changes && !row.empty(); ++c) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(std::min<std::size_t>(row.size(), 400)));
      const std::string_view piece = pieces[random.below(static_cast<std::uint32_t>(std::size(pieces)))];
      row.replace(at, random.below(4), piece);
    }
    try {
      RowCount count;
      answers(first_line + row + "\n", options(false), &count);
      refused += count.refused;
      accepted += count.rows - count.refused;
    } catch (const InputError&) {
      ++unreadable;
    }
  }
  fmt::print("{} mutated rows accepted, {} refused, {} files unreadable\n", accepted, refused, unreadable);
  EXPECT_GT(accepted, 100U);
  EXPECT_GT(refused, 500U);
}

}  // namespace
}  // namespace atl
