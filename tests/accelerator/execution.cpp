#include "atoll/accelerator/execution.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {
namespace {

using testing::HasSubstr;

const std::string array =
    "  array: {rows: 16, columns: 8, run: Q, weight_load: 16, least: 4, latency: 62, in_flight: 8,\n"
    "          sources: {\"rows, columns, weight_load, least, latency, in_flight\": the data sheet}}\n";
const std::string rest =
    "  line: 64 B\n  memory_line_cycles: 20\n  store_cycles: 5\n"
    "  sources: {\"line, memory_line_cycles, store_cycles\": the data sheet}\n";

Execution read(const std::string& text, std::vector<std::pair<std::string, std::string>>* sources = nullptr) {
  std::vector<std::pair<std::string, std::string>> own;
  return read_execution(YamlNode::parse(text, "test"), {"dram", "buffer", "spad"}, sources ? *sources : own);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Execution, ReadsBlocksAndTheirSources) {
  std::vector<std::pair<std::string, std::string>> sources;
  const std::string cache =
      "  caches: [{size: 1 KiB, line_cycles: 5, sources: {\"size, line_cycles\": a guess}}]\n";
  const Execution execution = read("blocks:\n" + array + rest + cache + "  warm: true\n", &sources);
  ASSERT_TRUE(execution.given());
  const BlockExecution& blocks = *execution.blocks;
  EXPECT_EQ(blocks.array.rows, 16U);
  EXPECT_EQ(blocks.array.columns, 8U);
  EXPECT_EQ(blocks.array.run, Dim::Q);
  EXPECT_EQ(blocks.array.latency, 62);
  EXPECT_EQ(blocks.line, 512);
  EXPECT_EQ(blocks.memory_line_cycles, 20);
  EXPECT_TRUE(blocks.warm);
  ASSERT_EQ(blocks.caches.size(), 1U);
  EXPECT_EQ(blocks.caches[0].size, 8192);
  EXPECT_EQ(blocks.caches[0].line_cycles, 5);
  EXPECT_EQ(sources.size(), 6U + 3 + 2);
  EXPECT_THAT(sources, testing::Contains(testing::Pair("execution.blocks.cache1.size", "a guess")));
}

TEST(Execution, ReadsAdderAndLoad) {
  const Execution execution = read(
      "adder: {level: spad, cycles: 1, sources: {cycles: x}}\n"
      "load: {level: buffer, bus: 64 b/cycle, sources: {bus: y}}\n");
  EXPECT_TRUE(execution.given());
  EXPECT_FALSE(execution.blocks);
  EXPECT_EQ(execution.adder_level, "spad");
  EXPECT_EQ(execution.adder_cycles, 1);
  EXPECT_EQ(execution.load_level, "buffer");
  EXPECT_EQ(execution.load_bus, 64);
  EXPECT_FALSE(Execution{}.given());
}

TEST(Execution, RefusesWithThePlace) {
  EXPECT_THAT(refusal("blocks:\n" + array + "  line: 64 B\n  memory_line_cycles: 20\n  store_cycles: 5\n"),
              HasSubstr("names no source"));
  EXPECT_THAT(refusal("block: {}\n"), HasSubstr("blocks"));
  EXPECT_THAT(refusal("adder: {level: psum, cycles: 1, sources: {cycles: x}}\n"), HasSubstr("spad"));
  EXPECT_THAT(refusal("adder: {level: dram, cycles: 1, sources: {cycles: x}}\n"), HasSubstr("outermost"));
  EXPECT_THAT(refusal("adder: {level: spad, cycles: -1, sources: {cycles: x}}\n"), HasSubstr("-1"));
  EXPECT_THAT(refusal("load: {level: spad, bus: 0 b/cycle, sources: {bus: x}}\n"),
              HasSubstr("loads nothing"));
  EXPECT_THAT(refusal("load: {level: spad, bus: 8 b/cycle, sources: {bus: x, buss: y}}\n"),
              HasSubstr("buss"));
  const std::string cache = "{size: 1 KiB, line_cycles: 5, sources: {\"size, line_cycles\": x}}";
  EXPECT_THAT(refusal("blocks:\n" + array + rest + "  caches: [" + cache + ", " + cache + "]\n"),
              HasSubstr("from the smallest"));
}

}  // namespace
}  // namespace atl
