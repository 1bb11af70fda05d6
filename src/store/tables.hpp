// The tables of a store as data: which datasets there are, what one row of each is. Writer, reader and digest
// share this list; SCHEMA.md describes it to others.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atoll/store/layout.hpp"
#include "hdf5.hpp"

namespace atl {

static_assert(std::endian::native == std::endian::little, "a store is written as the bytes lie in memory");

inline constexpr const char* store_schema_version = "2.0";
inline constexpr int store_schema_major = 2;

/// Names of the columns, in the order they are written and flushed.
enum class Col : std::size_t {
  task,
  generation,
  island,
  slot,
  parent_a,
  parent_b,
  origin,
  genes_integer,
  genes_real,
  individual,
  fidelity,
  replicate,
  seed,
  fitness,
  violation,
  headline,
  breakdown,
  layer_evaluation,
  layer_key,
  layer_multiplicity,
  layer_mapping,
  layer_cycles,
  layer_energy,
  generations,
  migrations,
  mapping_index,
  mapping_heap,
  batches,
  provenance,
  count
};
constexpr std::size_t index(Col c) {
  return static_cast<std::size_t>(c);
}
inline constexpr std::size_t col_count = index(Col::count);

/// Which counter of Commit says how many rows of a column are whole.
enum class Counter : std::size_t {
  sequence,
  batches,
  individuals,
  evaluations,
  migrations,
  layer_costs,
  mappings,
  mapping_bytes,
  provenance_bytes,
  sealed,
  count
};
constexpr std::size_t index(Counter c) {
  return static_cast<std::size_t>(c);
}

/// What `commit` and `synced` hold: two rows of 16 words, written in turn, so that one of them is whole
/// whatever tears the other.
struct Commit {
  static constexpr std::size_t words = 16, slots = 2;
  std::array<std::uint64_t, words> value{};
  std::uint64_t operator[](Counter c) const { return value[index(c)]; }
  std::uint64_t& operator[](Counter c) { return value[index(c)]; }
  void close();  // puts the checksum of the others into the last word
  bool whole() const;
  /// The newest whole row of both; StoreError if none is whole.
  static Commit newest(std::span<const std::uint64_t> both_rows, const std::string& path);
};

/// Rows of the compound tables, as they lie in the file.
struct GenerationRow {
  std::uint32_t task, generation, island, rows, feasible, best_slot;
  double best, mean;
};
struct MappingRow {
  std::uint64_t key, offset, bytes, checksum;
};
struct BatchRow {
  std::uint32_t task, generation, island, rows;
  std::uint64_t first_row, first_migration, first_layer_cost;
  std::uint32_t migrations, layer_costs;
  std::uint64_t checksum;
};
static_assert(sizeof(GenerationRow) == 40 && sizeof(MappingRow) == 32 && sizeof(BatchRow) == 56);
static_assert(sizeof(StoreMigration) == 28);

struct TableColumn {
  std::string path;  // "individuals/task"
  Counter counter = Counter::count;
  std::size_t width = 0;  // cells per row; 0: one-dimensional
  std::size_t cell_bytes = 0;
  std::size_t chunk_rows = 0;
  bool sparse = false;  // chunks that are all zero are not written
  bool present = true;  // a table without such genes or costs has no such dataset
  std::size_t row_bytes() const { return cell_bytes * (width == 0 ? 1 : width); }
};

/// The narrowest of i1, u1, i2, u2, i4 that holds a gene's bounds in all tasks.
struct GeneType {
  std::uint8_t bytes = 4;
  bool is_signed = true;
  bool operator==(const GeneType&) const = default;
};

/// Widths that follow from the layout and from the schema's major version.
struct StoreShape {
  std::size_t integers = 0, reals = 0, headline = 0, breakdown = 0;
  std::vector<GeneType> gene_types;     // of integer genes
  std::vector<std::string> gene_names;  // likewise
  /// Neighbours of one type, so that whole runs are converted at once.
  struct GeneRun {
    GeneType type;
    std::size_t count;
  };
  std::vector<GeneRun> gene_runs;
  std::size_t gene_row_bytes = 0;
  /// One compound with a field for each gene; else (schema 1, or more names than a type can hold) a matrix.
  bool genes_by_name = true;
  int major = store_schema_major;
  std::vector<std::size_t> headline_columns, breakdown_columns;  // places in StoreLayout::costs
  explicit StoreShape(const StoreLayout& layout, int schema_major = store_schema_major);
  /// What the header of a batch says of integer genes: bytes of a row (schema 1: of one gene).
  std::size_t gene_bytes_in_header() const {
    if (major >= 2) return gene_row_bytes;
    return integers > 0 ? gene_row_bytes / integers : 2;
  }
};

/// One row of integer genes to and from its bytes; false if a value does not fit its type.
bool put_genes(const StoreShape& shape, const std::int32_t* genes, std::uint8_t* to);
void take_genes(const StoreShape& shape, const std::uint8_t* from, std::int32_t* genes);

std::array<TableColumn, col_count> table_columns(const StoreShape& shape);
/// The HDF5 type of one cell of a column.
h5::Id cell_type(Col column, const StoreShape& shape);

/// The layout as JSON (without config, accelerator and network, which are texts of their own) and back.
std::string layout_json(const StoreLayout& layout);
StoreLayout layout_from_json(const std::string& text, const std::string& path);

}  // namespace atl
