// Reads a store: one that a job is still writing, one that was sealed, one that a kill left behind. Never
// changes the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "atoll/store/layout.hpp"

namespace atl {

struct StoreSummary {
  StoreLayout layout;
  std::uint64_t rows = 0, batches = 0, synced_batches = 0, migrations = 0, layer_costs = 0, mappings = 0;
  bool sealed = false;
  std::uint64_t file_bytes = 0;
  std::string schema_version;
  std::vector<std::string> provenance;  // "key: value"
};

/// One individual with its evaluation.
struct StoreRow {
  std::uint32_t task = 0, generation = 0, island = 0, slot = 0;
  std::uint64_t parent_a = 0, parent_b = 0;
  std::uint8_t origin = 0;
  double fitness = 0, violation = 0;
  std::vector<std::int32_t> integers;
  std::vector<double> reals;
  std::vector<double> costs;  // in the order of StoreLayout::costs
};

struct StoreBatchInfo {
  std::uint32_t task = 0, generation = 0, island = 0, rows = 0;
  std::uint64_t first_row = 0;
  std::uint64_t checksum = 0;
};

/// What one generation of one island came to; `best` is of
/// the feasible rows: infinity if there are none (mean: NaN).
struct StoreGeneration {
  std::uint32_t task = 0, generation = 0, island = 0, rows = 0, feasible = 0, best_slot = 0;
  double best = 0, mean = 0;
};

class StoreReader {
 public:
  /// InputError: missing, not HDF5, not an atoll store, newer
  /// schema; says which. What is read is the state at this moment.
  static std::unique_ptr<StoreReader> open(const std::string& path);
  virtual ~StoreReader() = default;
  virtual const StoreSummary& summary() const = 0;
  /// Committed batches in the order written.
  virtual std::vector<StoreBatchInfo> batches() const = 0;
  virtual StoreRow row(std::uint64_t r) const = 0;
  /// The batch that holds a row fits its checksum: what row(r) says is what was recorded.
  virtual bool sound(std::uint64_t r) const = 0;
  /// Columns of all committed rows (for whole-store questions):
  /// task, generation, island, slot, fitness, violation.
  struct Index {
    std::vector<std::uint32_t> task, generation, island, slot;
    std::vector<double> fitness, violation;
  };
  virtual Index index() const = 0;
  virtual std::vector<StoreMigration> migrations() const = 0;
  /// One for each batch, in the same order.
  virtual std::vector<StoreGeneration> generations() const = 0;
  /// The layer costs of one row, and the mapping one of them names (empty if it was not recorded).
  virtual std::vector<StoreLayerCost> layer_costs(std::uint64_t r) const = 0;
  virtual std::string mapping(std::uint64_t key) const = 0;
  /// The best feasible row of each task (smallest fitness, then
  /// smallest (generation, island, slot)); rows() if none.
  virtual std::vector<std::uint64_t> best_rows() const = 0;
};

/// Every batch whose rows do not fit its checksum, as one sentence each; empty if the store is sound.
std::vector<std::string> verify_store(const std::string& path);

/// The hash of the canonical content: all committed rows ordered by (task, generation, island, slot), with
/// migrations, layer costs and the mappings they name; 32 hex digits (XXH3-128). Independent of ranks,
/// kills, resumes and chunking. StoreError if a batch is damaged.
std::string store_digest(const std::string& path);

}  // namespace atl
