#include "atoll/simulator/explain.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "atoll/base/text.hpp"
#include "atoll/simulator/simulator.hpp"
#include "random_cases.hpp"

namespace atl {
namespace {

constexpr std::uint64_t most_operations = 4000;

std::vector<double> costs_of(const test::Case& c, const Simulator& simulator) {
  const HardwareRow hardware = hardware_row(c.accelerator);
  std::vector<double> costs(simulator.schema().width());
  simulator.evaluate({{&c.layer, 1}, {&hardware, 1}, {&c.mapping, 1}}, costs);
  return costs;
}

std::size_t occurrences(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

TEST(Explain, NamesOneLimitWhoseFigureIsTheResult) {
  for (std::uint32_t i = 0; i < 400; ++i) {
    const test::Case c = test::random_case(i, most_operations);
    const auto simulator = make_simulator("loopnest", c.accelerator);
    const std::vector<double> costs = costs_of(c, *simulator);
    const std::string text = explain(c.mapping, c.layer, c.accelerator, simulator->schema(), costs);
    ASSERT_EQ(occurrences(text, "<- limits"), 1U) << text;
    for (const std::string& line : split(text, '\n')) {
      EXPECT_LE(line.size(), 120U) << line;
      // No port and no unit works longer than the whole: "<number> %" of the limit is at most 100.
      const std::size_t end = line.rfind(" %");
      if (end == std::string::npos || line.find(" x ") == std::string::npos || line.starts_with("lower"))
        continue;
      const std::size_t start = line.rfind(' ', end - 1);
      EXPECT_LE(std::stod(line.substr(start)), 100.0) << text;
    }
    EXPECT_LE(compute_cycles(c.mapping, c.layer), costs[cost::cycles_steady]);
    if (costs[cost::binds] == 0) {
      EXPECT_EQ(compute_cycles(c.mapping, c.layer), costs[cost::cycles_steady]);
    }
  }
}

// The lines of the table whose header starts with `header`, up to the first empty line.
std::vector<std::string> table_lines(const std::string& text, const std::string& header) {
  std::vector<std::string> lines;
  bool inside = false;
  for (const std::string& line : split(text, '\n')) {
    if (inside && line.empty()) break;
    if (inside) lines.push_back(line);
    inside = inside || line.starts_with(header);
  }
  return lines;
}

TEST(Explain, SharesOfEnergyAddUp) {
  int tables = 0;
  for (std::uint32_t i = 0; i < 100; ++i) {
    const test::Case c = test::random_case(i, most_operations);
    const auto simulator = make_simulator("loopnest", c.accelerator);
    const std::vector<double> costs = costs_of(c, *simulator);
    if (costs[cost::energy] <= 0) continue;
    const std::string text = explain(c.mapping, c.layer, c.accelerator, simulator->schema(), costs);
    double sum = 0;
    for (const std::string& line : table_lines(text, "level ")) {
      if (line.starts_with("all ") || !line.ends_with(" %")) continue;
      sum += std::stod(line.substr(line.rfind(' ', line.size() - 3)));
    }
    EXPECT_NEAR(sum, 100, 2) << text;  // each is rounded to a tenth
    ++tables;
  }
  EXPECT_GT(tables, 50);
}

TEST(Explain, CountsReuseOfASmallCase) {
  // K = 4 around C = 8 in a buffer that keeps I: each input word comes in once and is read 4 times.
  test::Case c;
  c.accelerator.name = "small";
  c.accelerator.clock = 1e9;
  for (const char* name : {"dram", "buffer"}) {
    StorageLevel level;
    level.name = name;
    level.keep = all_operands;
    level.size = std::numeric_limits<double>::infinity();
    level.read_bandwidth = level.write_bandwidth = 64;
    level.access_width = 8;
    level.read_energy = level.write_energy = 1;
    c.accelerator.levels.push_back(level);
  }
  c.accelerator.compute.energy = 1;
  c.layer.op = LayerOp::fc;
  c.layer.size = {1, 1, 4, 8, 1, 1, 1, 1};
  infer_input_extent(c.layer);
  c.mapping = trivial_mapping(c.layer, c.accelerator);
  c.mapping.level[0].temporal = c.mapping.level[0].y = c.mapping.level[0].x = c.layer.size;
  const auto simulator = make_simulator("loopnest", c.accelerator);
  const std::string text =
      explain(c.mapping, c.layer, c.accelerator, simulator->schema(), costs_of(c, *simulator));
  // level, operand, tile, room, reads, fills, updates, reuse
  const auto expect_row = [&](const std::string& start, const std::vector<std::string>& expected) {
    for (const std::string& line : table_lines(text, "level ")) {
      if (!line.starts_with(start)) continue;
      std::vector<std::string> words;
      for (const std::string& word : split(line.substr(start.size()), ' '))
        if (!word.empty()) words.push_back(word);
      ASSERT_GE(words.size(), expected.size()) << text;
      words.resize(expected.size());
      EXPECT_EQ(words, expected) << text;
      return;
    }
    FAIL() << "no row '" << start << "' in\n" << text;
  };
  expect_row("buffer  W", {"32", "-", "32", "32", "0", "1"});
  expect_row("dram    W", {"32", "-", "32", "0", "0", "1"});
}

}  // namespace
}  // namespace atl
