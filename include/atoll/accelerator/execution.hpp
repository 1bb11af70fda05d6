// What keeps a chip from the perfect overlap that levels and fan-outs alone describe: loading weights into a
// systolic array, its latency, transfers in whole lines through caches, tiles that run one or two at a time,
// an adder that products and partial sums share. All of it may be left out; then nothing costs more time.
// simulator/MODEL.md ("Beyond perfect overlap") gives the formulas.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atoll/network/layer.hpp"

namespace atl {

class YamlNode;

/// An array that keeps a block of weights and streams inputs through it, row by row, as Gemmini does.
struct StationaryArray {
  std::uint32_t rows = 1;     // input channels side by side
  std::uint32_t columns = 1;  // output channels side by side
  Dim run = Dim::P;  // outputs along this dimension follow each other in one instruction, at most `rows`
  double weight_load = 0;  // cycles to shift a block of weights in, while the run before it streams
  double least = 1;        // cycles of the shortest run
  double latency = 0;      // cycles from the first row of a run to the last sum written
  double in_flight = std::numeric_limits<double>::infinity();  // runs at work at once
};

/// A cache between the outermost level and the blocks.
struct LineCache {
  double size = 0;         // bits
  double line_cycles = 0;  // one line, one after another
};

/// The tiles of the second level are blocks: what one needs is loaded, used and stored before its room is
/// free for the next but one. Nothing is kept from one block to the next.
struct BlockExecution {
  StationaryArray array;
  double line = 0;                // bits
  std::vector<LineCache> caches;  // nearest to the blocks first
  double memory_line_cycles = 0;  // a line that no cache holds
  double store_cycles = 0;        // one request of `columns` words
  bool warm = false;              // the layer's operands were used just before, so that caches may hold them
};

struct Execution {
  std::optional<BlockExecution> blocks;
  std::string adder_level;  // each partial sum that leaves this level takes the adder of its unit ...
  double adder_cycles = 0;  // ... for so many cycles; 0: none
  std::string load_level;   // weights come to this level while nothing is computed ...
  double load_bus = 0;      // ... over a bus of so many bits a cycle; 0: with perfect overlap

  bool given() const { return blocks || adder_cycles > 0 || load_bus > 0; }
};

/// Reads the part `execution` of an accelerator's file:
///
///   execution:
///     blocks:
///       array: {rows: 16, columns: 16, run: P, weight_load: 16, least: 4, latency: 62, in_flight: 8,
///       sources: {...}} line: 64 B caches:                   # from the smallest to the largest; may be left
///       out
///         - {size: 512 KiB, line_cycles: 5, sources: {...}}
///       memory_line_cycles: 20
///       store_cycles: 5
///       warm: true                # false if left out
///       sources: {line: ..., memory_line_cycles: ..., store_cycles: ...}
///     adder: {level: psum_spad, cycles: 1, sources: {cycles: ...}}
///     load: {level: filter_spad, bus: 64 b/cycle, sources: {bus: ...}}
///
/// Every figure needs its source, which is added to `sources` as ("execution.blocks.line", text). InputError
/// with the place for unknown keys, levels that are not in `level_names`, figures out of range, missing
/// sources.
Execution read_execution(const YamlNode& node, const std::vector<std::string>& level_names,
                         std::vector<std::pair<std::string, std::string>>& sources);

}  // namespace atl
