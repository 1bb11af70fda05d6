// Packs of rows, in one version for each kind of machine. All versions give the same bits.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "loopnest_program.hpp"

namespace atl::loopnest {

inline constexpr std::size_t most_rows = 256;  // of one group

/// Rows of a batch that share a program.
struct RowGroup {
  const Program* program;
  const SimulatorBatch* batch;
  std::span<const std::uint32_t> rows;  // at most most_rows
  std::span<double> costs;              // of the whole batch
};

/// Rows that a version did not count, as their tiles do not all divide.
struct RowsLeft {
  std::array<std::uint32_t, most_rows> row;
  std::size_t size = 0;
};

/// Counts a group of rows; `count` may only be called where `runs_here`.
struct BatchVersion {
  std::string_view name;
  std::size_t lanes;  // rows of a pack
  bool runs_here;
  void (*count)(const RowGroup& group, RowsLeft& left);
};

/// All versions of this program, the fastest first; the last runs on every x86-64.
std::span<const BatchVersion> batch_versions();
/// The fastest that runs here.
const BatchVersion& best_version();

/// The simulator `loopnest` by one version, for tests.
std::unique_ptr<Simulator> make_loopnest(const Accelerator& accelerator, const BatchVersion& version);

}  // namespace atl::loopnest
