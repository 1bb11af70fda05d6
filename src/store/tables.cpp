#include "tables.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

struct Field {
  const char* name;
  hid_t type;
  std::size_t offset;
};

h5::Id copy_of(hid_t type) {
  return {h5::check(H5Tcopy(type), "copy", "type"), H5Tclose};
}

h5::Id compound(std::size_t size, std::initializer_list<Field> fields) {
  h5::Id type(h5::check(H5Tcreate(H5T_COMPOUND, size), "make", "row type"), H5Tclose);
  for (const Field& field : fields)
    h5::check(H5Tinsert(type.get(), field.name, field.offset, field.type), "make", field.name);
  return type;
}

h5::Id generation_type() {
  const hid_t u4 = H5T_STD_U32LE, f8 = H5T_IEEE_F64LE;
  return compound(sizeof(GenerationRow), {{"task", u4, 0},
                                          {"generation", u4, 4},
                                          {"island", u4, 8},
                                          {"rows", u4, 12},
                                          {"feasible", u4, 16},
                                          {"best_slot", u4, 20},
                                          {"best", f8, 24},
                                          {"mean", f8, 32}});
}

h5::Id migration_type() {
  const hid_t u4 = H5T_STD_U32LE;
  return compound(sizeof(StoreMigration), {{"task", u4, 0},
                                           {"generation", u4, 4},
                                           {"from", u4, 8},
                                           {"to", u4, 12},
                                           {"sent", u4, 16},
                                           {"accepted", u4, 20},
                                           {"rejected", u4, 24}});
}

h5::Id mapping_type() {
  const hid_t u8 = H5T_STD_U64LE;
  return compound(sizeof(MappingRow),
                  {{"key", u8, 0}, {"offset", u8, 8}, {"bytes", u8, 16}, {"checksum", u8, 24}});
}

h5::Id batch_type() {
  const hid_t u4 = H5T_STD_U32LE, u8 = H5T_STD_U64LE;
  return compound(sizeof(BatchRow), {{"task", u4, 0},
                                     {"generation", u4, 4},
                                     {"island", u4, 8},
                                     {"rows", u4, 12},
                                     {"first_row", u8, 16},
                                     {"first_migration", u8, 24},
                                     {"first_layer_cost", u8, 32},
                                     {"migrations", u4, 40},
                                     {"layer_costs", u4, 44},
                                     {"checksum", u8, 48}});
}

template <class T>
bool holds(std::int32_t low, std::int32_t high) {
  return low >= std::numeric_limits<T>::min() && high <= std::numeric_limits<T>::max();
}

GeneType narrowest(std::int32_t low, std::int32_t high) {
  if (holds<std::int8_t>(low, high)) return {1, true};
  if (holds<std::uint8_t>(low, high)) return {1, false};
  if (holds<std::int16_t>(low, high)) return {2, true};
  if (holds<std::uint16_t>(low, high)) return {2, false};
  return {4, true};
}

/// Schema 1: all genes as i2 or all as i4.
void widen_all(std::vector<GeneType>& types) {
  bool narrow = true;
  for (const GeneType& type : types) narrow = narrow && (type.bytes == 1 || type == GeneType{2, true});
  for (GeneType& type : types) type = {static_cast<std::uint8_t>(narrow ? 2 : 4), true};
}

/// Bytes that the description of a field takes in a type, about; a type must stay below 64 KiB.
constexpr std::size_t field_bytes = 48, most_type_bytes = 56'000;

hid_t native(GeneType type) {
  if (type.bytes == 1) return type.is_signed ? H5T_STD_I8LE : H5T_STD_U8LE;
  if (type.bytes == 2) return type.is_signed ? H5T_STD_I16LE : H5T_STD_U16LE;
  return H5T_STD_I32LE;
}

h5::Id gene_type(const StoreShape& shape) {
  if (!shape.genes_by_name) return copy_of(native(shape.gene_types.front()));
  h5::Id type(h5::check(H5Tcreate(H5T_COMPOUND, shape.gene_row_bytes), "make", "row of genes"), H5Tclose);
  std::size_t at = 0;
  for (std::size_t g = 0; g < shape.integers; ++g) {
    h5::check(H5Tinsert(type.get(), shape.gene_names[g].c_str(), at, native(shape.gene_types[g])), "make",
              shape.gene_names[g]);
    at += shape.gene_types[g].bytes;
  }
  return type;
}

template <class T>
std::uint32_t put_run(const std::int32_t* genes, std::size_t count, std::uint8_t* to) {
  std::uint32_t lost = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const T value = static_cast<T>(genes[i]);
    lost |= static_cast<std::uint32_t>(static_cast<std::int32_t>(value) ^ genes[i]);
    std::memcpy(to + i * sizeof(T), &value, sizeof(T));
  }
  return lost;
}

template <class T>
void take_run(const std::uint8_t* from, std::size_t count, std::int32_t* genes) {
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * sizeof(T), sizeof(T));
    genes[i] = value;
  }
}

}  // namespace

void Commit::close() {
  value.back() = XXH3_64bits(value.data(), (words - 1) * sizeof(std::uint64_t));
}

bool Commit::whole() const {
  return value.back() == XXH3_64bits(value.data(), (words - 1) * sizeof(std::uint64_t));
}

Commit Commit::newest(std::span<const std::uint64_t> both_rows, const std::string& path) {
  Commit best;
  bool found = false;
  for (std::size_t slot = 0; slot < slots; ++slot) {
    Commit candidate;
    for (std::size_t i = 0; i < words; ++i) candidate.value[i] = both_rows[slot * words + i];
    if (!candidate.whole() || (found && candidate[Counter::sequence] < best[Counter::sequence])) continue;
    best = candidate;
    found = true;
  }
  if (!found) throw StoreError("the store '" + path + "' has no whole commit record; it is damaged");
  return best;
}

StoreShape::StoreShape(const StoreLayout& layout, int schema_major)
    : integers(layout.integer_genes.size()), reals(layout.real_genes.size()), major(schema_major) {
  for (std::size_t i = 0; i < layout.costs.size(); ++i) {
    if (layout.costs[i].keep == Keep::exact) headline_columns.push_back(i);
    if (layout.costs[i].keep == Keep::compact) breakdown_columns.push_back(i);
  }
  headline = headline_columns.size();
  breakdown = breakdown_columns.size();
  std::size_t type_bytes = 0;
  for (std::size_t g = 0; g < integers; ++g) {
    std::int32_t low = 0, high = 0;
    for (const StoreTask& task : layout.tasks) {
      if (g < task.integer_low.size()) low = std::min(low, task.integer_low[g]);
      if (g < task.integer_high.size()) high = std::max(high, task.integer_high[g]);
    }
    gene_types.push_back(narrowest(low, high));
    gene_names.push_back(layout.integer_genes[g].name);
    type_bytes += field_bytes + gene_names.back().size();
  }
  genes_by_name = major >= 2 && type_bytes <= most_type_bytes;
  if (major < 2) widen_all(gene_types);
  if (major >= 2 && !genes_by_name) gene_types.assign(integers, GeneType{});
  for (const GeneType& type : gene_types) {
    gene_row_bytes += type.bytes;
    if (gene_runs.empty() || !(gene_runs.back().type == type)) gene_runs.push_back({type, 0});
    ++gene_runs.back().count;
  }
}

bool put_genes(const StoreShape& shape, const std::int32_t* genes, std::uint8_t* to) {
  std::uint32_t lost = 0;
  for (const auto& [type, count] : shape.gene_runs) {
    if (type.bytes == 1)
      lost |=
          type.is_signed ? put_run<std::int8_t>(genes, count, to) : put_run<std::uint8_t>(genes, count, to);
    else if (type.bytes == 2)
      lost |=
          type.is_signed ? put_run<std::int16_t>(genes, count, to) : put_run<std::uint16_t>(genes, count, to);
    else
      lost |= put_run<std::int32_t>(genes, count, to);
    genes += count;
    to += count * type.bytes;
  }
  return lost == 0;
}

void take_genes(const StoreShape& shape, const std::uint8_t* from, std::int32_t* genes) {
  for (const auto& [type, count] : shape.gene_runs) {
    if (type.bytes == 1)
      type.is_signed ? take_run<std::int8_t>(from, count, genes) : take_run<std::uint8_t>(from, count, genes);
    else if (type.bytes == 2)
      type.is_signed ? take_run<std::int16_t>(from, count, genes)
                     : take_run<std::uint16_t>(from, count, genes);
    else
      take_run<std::int32_t>(from, count, genes);
    genes += count;
    from += count * type.bytes;
  }
}

std::size_t stored_row_bytes(const StoreLayout& layout) {
  const StoreShape shape(layout);
  std::size_t chunk_bytes = 0, rows = 1;
  for (const TableColumn& column : table_columns(shape)) {
    const bool of_individuals =
        column.counter == Counter::individuals || column.counter == Counter::evaluations;
    const bool later = column.path == "evaluations/fidelity" || column.path == "evaluations/replicate" ||
                       column.path == "evaluations/seed";
    if (!column.present || !of_individuals || later) continue;
    constexpr std::size_t page = 4096;  // every chunk starts on one
    chunk_bytes += (column.chunk_rows * column.row_bytes() + page - 1) / page * page;
    rows = column.chunk_rows;
  }
  return (chunk_bytes + rows - 1) / rows;
}

void derive_costs(const StoreTask& task, std::span<double> costs) {
  for (const StoreFormula& formula : task.formulas) {
    double sum = 0;
    for (const StoreTerm& term : formula.terms) {
      double product = term.factor;
      for (const auto& [column, power] : term.powers) {
        for (std::int32_t i = 0; i < power; ++i) product *= costs[column];
        for (std::int32_t i = 0; i > power; --i) product /= costs[column];
      }
      sum += product;
    }
    costs[formula.column] = sum;
  }
}

std::array<TableColumn, col_count> table_columns(const StoreShape& shape) {
  constexpr std::size_t chunk = 1024, small = 256, layer_chunk = 4096;
  std::array<TableColumn, col_count> c;
  const auto set = [&c](Col col, const char* path, Counter counter, std::size_t bytes, std::size_t rows) {
    c[index(col)] = {path, counter, 0, bytes, rows};
  };
  const auto matrix = [&c, &set](Col col, const char* path, Counter counter, std::size_t bytes,
                                 std::size_t width) {
    set(col, path, counter, bytes, chunk);
    c[index(col)].width = width;
    c[index(col)].present = width > 0;
  };
  set(Col::task, "individuals/task", Counter::individuals, 2, chunk);
  set(Col::generation, "individuals/generation", Counter::individuals, 4, chunk);
  set(Col::island, "individuals/island", Counter::individuals, 2, chunk);
  set(Col::slot, "individuals/slot", Counter::individuals, 2, chunk);
  set(Col::parent_a, "individuals/parent_a", Counter::individuals, 8, chunk);
  set(Col::parent_b, "individuals/parent_b", Counter::individuals, 8, chunk);
  set(Col::origin, "individuals/origin", Counter::individuals, 1, chunk);
  if (shape.genes_by_name) {
    set(Col::genes_integer, "individuals/genes_integer", Counter::individuals, shape.gene_row_bytes, chunk);
    c[index(Col::genes_integer)].present = shape.integers > 0;
  } else {
    matrix(Col::genes_integer, "individuals/genes_integer", Counter::individuals,
           shape.integers > 0 ? shape.gene_row_bytes / shape.integers : 0, shape.integers);
  }
  matrix(Col::genes_real, "individuals/genes_real", Counter::individuals, 8, shape.reals);
  set(Col::individual, "evaluations/individual", Counter::evaluations, 8, chunk);
  c[index(Col::individual)].present = shape.major < 2;
  set(Col::fidelity, "evaluations/fidelity", Counter::evaluations, 1, chunk);
  set(Col::replicate, "evaluations/replicate", Counter::evaluations, 2, chunk);
  set(Col::seed, "evaluations/seed", Counter::evaluations, 8, chunk);
  set(Col::fitness, "evaluations/fitness", Counter::evaluations, 8, chunk);
  set(Col::violation, "evaluations/violation", Counter::evaluations, 8, chunk);
  matrix(Col::headline, "evaluations/headline", Counter::evaluations, 8, shape.headline);
  matrix(Col::breakdown, "evaluations/breakdown", Counter::evaluations, 4, shape.breakdown);
  set(Col::layer_evaluation, "layer_costs/evaluation", Counter::layer_costs, 8, layer_chunk);
  set(Col::layer_key, "layer_costs/layer_key", Counter::layer_costs, 8, layer_chunk);
  set(Col::layer_multiplicity, "layer_costs/multiplicity", Counter::layer_costs, 4, layer_chunk);
  set(Col::layer_mapping, "layer_costs/mapping", Counter::layer_costs, 8, layer_chunk);
  set(Col::layer_cycles, "layer_costs/cycles", Counter::layer_costs, 8, layer_chunk);
  set(Col::layer_energy, "layer_costs/energy", Counter::layer_costs, 8, layer_chunk);
  set(Col::generations, "generations", Counter::batches, sizeof(GenerationRow), small);
  set(Col::migrations, "migrations", Counter::migrations, sizeof(StoreMigration), small);
  set(Col::mapping_index, "mappings/index", Counter::mappings, sizeof(MappingRow), small);
  set(Col::mapping_heap, "mappings/heap", Counter::mapping_bytes, 1, 65536);
  set(Col::batches, "batches", Counter::batches, sizeof(BatchRow), small);
  set(Col::provenance, "provenance", Counter::provenance_bytes, 1, 4096);
  for (const Col col : {Col::fidelity, Col::replicate, Col::seed, Col::violation})
    c[index(col)].sparse = true;
  return c;
}

h5::Id cell_type(Col column, const StoreShape& shape) {
  switch (column) {
    case Col::generations:
      return generation_type();
    case Col::migrations:
      return migration_type();
    case Col::mapping_index:
      return mapping_type();
    case Col::batches:
      return batch_type();
    case Col::genes_integer:
      return gene_type(shape);
    case Col::breakdown:
      return copy_of(H5T_IEEE_F32LE);
    case Col::genes_real:
    case Col::fitness:
    case Col::violation:
    case Col::headline:
    case Col::layer_cycles:
    case Col::layer_energy:
      return copy_of(H5T_IEEE_F64LE);
    case Col::origin:
    case Col::fidelity:
    case Col::mapping_heap:
    case Col::provenance:
      return copy_of(H5T_STD_U8LE);
    case Col::task:
    case Col::island:
    case Col::slot:
    case Col::replicate:
      return copy_of(H5T_STD_U16LE);
    case Col::generation:
    case Col::layer_multiplicity:
      return copy_of(H5T_STD_U32LE);
    default:
      return copy_of(H5T_STD_U64LE);
  }
}

}  // namespace atl
