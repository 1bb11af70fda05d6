#include "atoll/accelerator/execution.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

using Sources = std::vector<std::pair<std::string, std::string>>;

constexpr double most_cycles = 1e6;

// Takes the source of every figure that is there; a key of `sources` may name several.
void take_sources(const YamlNode& node, const std::string& path, const std::vector<std::string>& figures,
                  Sources& sources) {
  std::vector<std::pair<std::string, YamlNode>> given;
  if (const auto list = node.find("sources"))
    for (const auto& [keys, text] : list->entries())
      for (const std::string& key : split(keys, ',')) given.emplace_back(trimmed(key), text);
  for (const std::string& figure : figures) {
    if (!node.find(figure)) continue;
    const auto found =
        std::find_if(given.begin(), given.end(), [&](const auto& source) { return source.first == figure; });
    if (found == given.end())
      node.at(figure).fail(fmt::format(
          "this figure names no source; add '{}: ...' to 'sources' beside it, or '{}: estimate, ...'", figure,
          figure));
    sources.emplace_back(path + "." + figure, found->second.text());
    given.erase(found);
  }
  if (!given.empty())
    given.front().second.fail(fmt::format("a source for '{}', but there is no such figure here{}",
                                          given.front().first, suggestion(given.front().first, figures)));
}

double cycles(const YamlNode& node, std::string_view key, double least) {
  return node.at(key).number(least, most_cycles);
}

StationaryArray read_array(const YamlNode& node, Sources& sources) {
  node.expect_keys({"rows", "columns", "run", "weight_load", "least", "latency", "in_flight", "sources"});
  StationaryArray array;
  array.rows = static_cast<std::uint32_t>(node.at("rows").integer(1, 65536));
  array.columns = static_cast<std::uint32_t>(node.at("columns").integer(1, 65536));
  array.run = node.at("run").choice({"P", "Q"}) == 0 ? Dim::P : Dim::Q;
  array.weight_load = cycles(node, "weight_load", 0);
  array.least = cycles(node, "least", 1);
  array.latency = cycles(node, "latency", 0);
  array.in_flight = node.at("in_flight").number(1, most_cycles);
  take_sources(node, "execution.blocks.array",
               {"rows", "columns", "weight_load", "least", "latency", "in_flight"}, sources);
  return array;
}

BlockExecution read_blocks(const YamlNode& node, Sources& sources) {
  node.expect_keys({"array", "line", "caches", "memory_line_cycles", "store_cycles", "warm", "sources"});
  BlockExecution blocks;
  blocks.array = read_array(node.at("array"), sources);
  blocks.line = node.at("line").quantity("size");
  if (blocks.line < 8) node.at("line").fail("a line has at least 1 B");
  blocks.memory_line_cycles = cycles(node, "memory_line_cycles", 0);
  blocks.store_cycles = cycles(node, "store_cycles", 0);
  if (const auto warm = node.find("warm")) blocks.warm = warm->boolean();
  if (const auto caches = node.find("caches")) {
    for (const YamlNode& cache : caches->elements()) {
      cache.expect_keys({"size", "line_cycles", "sources"});
      blocks.caches.push_back({cache.at("size").quantity("size"), cycles(cache, "line_cycles", 0)});
      const std::size_t number = blocks.caches.size();
      if (number > 1 && blocks.caches[number - 1].size <= blocks.caches[number - 2].size)
        cache.fail("caches stand from the smallest, next to the blocks, to the largest");
      take_sources(cache, fmt::format("execution.blocks.cache{}", number), {"size", "line_cycles"}, sources);
    }
  }
  take_sources(node, "execution.blocks", {"line", "memory_line_cycles", "store_cycles"}, sources);
  return blocks;
}

std::string read_level(const YamlNode& node, const std::vector<std::string>& names) {
  const std::size_t level = node.at("level").choice(names);
  if (level == 0) node.at("level").fail("nothing stands outside of the outermost level");
  return names[level];
}

}  // namespace

Execution read_execution(const YamlNode& node, const std::vector<std::string>& level_names,
                         std::vector<std::pair<std::string, std::string>>& sources) {
  node.expect_keys({"blocks", "adder", "load"});
  Execution execution;
  if (const auto blocks = node.find("blocks")) {
    if (level_names.size() < 2) blocks->fail("blocks are tiles of the second level; there is only one level");
    execution.blocks = read_blocks(*blocks, sources);
  }
  if (const auto adder = node.find("adder")) {
    adder->expect_keys({"level", "cycles", "sources"});
    execution.adder_level = read_level(*adder, level_names);
    execution.adder_cycles = cycles(*adder, "cycles", 0);
    take_sources(*adder, "execution.adder", {"cycles"}, sources);
  }
  if (const auto load = node.find("load")) {
    load->expect_keys({"level", "bus", "sources"});
    execution.load_level = read_level(*load, level_names);
    execution.load_bus = load->at("bus").quantity("bandwidth");
    if (execution.load_bus <= 0) load->at("bus").fail("a bus of 0 bits a cycle loads nothing");
    take_sources(*load, "execution.load", {"bus"}, sources);
  }
  return execution;
}

}  // namespace atl
