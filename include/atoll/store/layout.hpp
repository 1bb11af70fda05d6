// What one run's store holds, apart from rows: the columns of every table, the
// tasks and the islands. Written once, before the first generation; SCHEMA.md
// beside this header is the format another tool could be written from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace atl {

struct StoreGene {
  std::string name, kind;
};
/// How a cost is kept: `exact` as f8 in evaluations/headline, `compact` as f4 in evaluations/breakdown,
/// `derived` not at all: readers compute it from the others by its task's formula.
enum class Keep : std::uint8_t { exact, compact, derived };
struct StoreColumn {
  std::string name, unit;
  Keep keep = Keep::compact;
};
/// factor * product of costs to whole powers; a formula is a sum of such terms, of none for a cost that is
/// always 0.
struct StoreTerm {
  double factor = 1;
  std::vector<std::pair<std::uint32_t, std::int32_t>> powers;  // place in StoreLayout::costs, power
};
struct StoreFormula {
  std::uint32_t column = 0;  // place in StoreLayout::costs
  std::vector<StoreTerm> terms;
};
struct StoreTask {
  std::string name;
  std::uint32_t multiplicity = 1;
  double macs = 0;
  std::string layer;  // canonical key of the layer, or "" for a whole network
  std::vector<std::int32_t> integer_low, integer_high;  // by gene
  std::vector<double> real_low, real_high;
  std::vector<StoreFormula>
      formulas;  // one for each derived column, in an order in which they can be computed
};
struct StoreIsland {
  std::string policy;
};
/// Everything that is fixed for a run.
struct StoreLayout {
  std::string run_name;
  std::uint64_t seed = 0;
  std::string config;       // the run file as used, with all defaults (YAML)
  std::string accelerator;  // YAML text
  std::string network;      // YAML text; may be empty
  std::string objective;
  std::string space;
  std::vector<StoreGene> integer_genes, real_genes;
  std::vector<StoreColumn> costs;
  std::vector<StoreTask> tasks;
  std::vector<StoreIsland> islands;
};

/// Bytes that one individual takes in the tables, at most (a column of zeros takes none).
std::size_t stored_row_bytes(const StoreLayout& layout);

/// Fills the derived costs of one row from the others.
void derive_costs(const StoreTask& task, std::span<double> costs);

/// One generation of one island, rows in slot order: pointers into a Population. All spans hold `rows`
/// entries (genes and costs: rows * width, row by row).
struct StoreBatch {
  std::uint32_t task = 0, generation = 0, island = 0, rows = 0;
  std::span<const std::int32_t> integers;
  std::span<const double> reals;
  std::span<const double> costs;
  std::span<const double> fitness, violation;
  std::span<const std::uint64_t> parent_a, parent_b;
  std::span<const std::uint8_t> origin;
};

/// A row of `migrations`: what one edge carried after one generation.
struct StoreMigration {
  std::uint32_t task = 0, generation = 0, from = 0, to = 0, sent = 0, accepted = 0, rejected = 0;
};
/// A row of `layer_costs`; `individual_slot` counts within the batch it came with.
struct StoreLayerCost {
  std::uint32_t slot = 0, multiplicity = 1;
  std::uint64_t layer_key = 0, mapping_key = 0;
  double cycles = 0, energy = 0;
};
struct StoreMapping {
  std::uint64_t key = 0;
  std::string json;
};

/// A batch with what belongs to the same generation of the same island, as one self-contained block of
/// bytes: what a rank sends to the writer, what the writer checks, and whose checksum stands in the batch
/// index. Canonical: equal content, equal bytes.
std::vector<std::uint8_t> pack_batch(const StoreLayout& layout, const StoreBatch& batch,
                                     std::span<const StoreMigration> migrations,
                                     std::span<const StoreLayerCost> layer_costs,
                                     std::span<const StoreMapping> mappings);

}  // namespace atl
