#include "tables.hpp"

#include <xxhash.h>

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

bool fits_narrow(const std::vector<std::int32_t>& values) {
  for (const std::int32_t value : values)
    if (value < std::numeric_limits<std::int16_t>::min() || value > std::numeric_limits<std::int16_t>::max())
      return false;
  return true;
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

StoreShape::StoreShape(const StoreLayout& layout)
    : integers(layout.integer_genes.size()), reals(layout.real_genes.size()) {
  for (std::size_t i = 0; i < layout.costs.size(); ++i)
    (layout.costs[i].headline ? headline_columns : breakdown_columns).push_back(i);
  headline = headline_columns.size();
  breakdown = breakdown_columns.size();
  for (const StoreTask& task : layout.tasks)
    narrow = narrow && fits_narrow(task.integer_low) && fits_narrow(task.integer_high);
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
  matrix(Col::genes_integer, "individuals/genes_integer", Counter::individuals, shape.integer_bytes(),
         shape.integers);
  matrix(Col::genes_real, "individuals/genes_real", Counter::individuals, 8, shape.reals);
  set(Col::individual, "evaluations/individual", Counter::evaluations, 8, chunk);
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
      return copy_of(shape.narrow ? H5T_STD_I16LE : H5T_STD_I32LE);
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
