#include "atoll/store/reader.hpp"

#include <xxhash.h>

#include <algorithm>
#include <filesystem>
#include <tuple>

#include "atoll/base/error.hpp"
#include "batch_bodies.hpp"

namespace atl {
namespace {

template <class T>
std::vector<std::uint32_t> widened(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  return lines;
}

class Hdf5Reader final : public StoreReader {
 public:
  explicit Hdf5Reader(const std::string& path) : file_(path) { summarise(); }

  const StoreSummary& summary() const override { return summary_; }
  std::vector<StoreBatchInfo> batches() const override;
  StoreRow row(std::uint64_t r) const override;
  bool sound(std::uint64_t r) const override;
  Index index() const override;
  std::vector<StoreMigration> migrations() const override {
    return file_.read_all<StoreMigration>(Col::migrations);
  }
  std::vector<StoreGeneration> generations() const override;
  std::vector<StoreLayerCost> layer_costs(std::uint64_t r) const override;
  std::string mapping(std::uint64_t key) const override;
  std::vector<std::uint64_t> best_rows() const override;

 private:
  void summarise();
  template <class T>
  T cell(Col column, std::uint64_t r) const {
    T value{};
    file_.read(column, r, 1, &value);
    return value;
  }

  StoredFile file_;
  StoreSummary summary_;
};

void Hdf5Reader::summarise() {
  const Commit& commit = file_.commit();
  summary_.layout = file_.layout();
  summary_.rows = commit[Counter::individuals];
  summary_.batches = commit[Counter::batches];
  summary_.synced_batches = file_.synced()[Counter::batches];
  summary_.migrations = commit[Counter::migrations];
  summary_.layer_costs = commit[Counter::layer_costs];
  summary_.mappings = commit[Counter::mappings];
  summary_.sealed = commit[Counter::sealed] != 0;
  summary_.file_bytes = std::filesystem::file_size(file_.path());
  summary_.schema_version = file_.schema_version();
  std::string text(file_.rows(Col::provenance), '\0');
  file_.read(Col::provenance, 0, text.size(), text.data());
  summary_.provenance = lines_of(text);
}

std::vector<StoreBatchInfo> Hdf5Reader::batches() const {
  std::vector<StoreBatchInfo> result;
  for (const BatchRow& b : file_.read_all<BatchRow>(Col::batches))
    result.push_back({b.task, b.generation, b.island, b.rows, b.first_row, b.checksum});
  return result;
}

StoreRow Hdf5Reader::row(std::uint64_t r) const {
  if (r >= summary_.rows)
    throw InputError("row " + std::to_string(r) + " is not in the store '" + file_.path() + "'; it has " +
                     std::to_string(summary_.rows) + " rows");
  StoreRow row;
  row.task = cell<std::uint16_t>(Col::task, r);
  row.generation = cell<std::uint32_t>(Col::generation, r);
  row.island = cell<std::uint16_t>(Col::island, r);
  row.slot = cell<std::uint16_t>(Col::slot, r);
  row.parent_a = cell<std::uint64_t>(Col::parent_a, r);
  row.parent_b = cell<std::uint64_t>(Col::parent_b, r);
  row.origin = cell<std::uint8_t>(Col::origin, r);
  row.fitness = cell<double>(Col::fitness, r);
  row.violation = cell<double>(Col::violation, r);
  const StoreShape& shape = file_.shape();
  std::vector<std::uint8_t> genes(shape.gene_row_bytes);
  file_.read(Col::genes_integer, r, 1, genes.data());
  row.integers.resize(shape.integers);
  take_genes(shape, genes.data(), row.integers.data());
  row.reals.resize(shape.reals);
  file_.read(Col::genes_real, r, 1, row.reals.data());
  std::vector<double> headline(shape.headline);
  std::vector<float> breakdown(shape.breakdown);
  file_.read(Col::headline, r, 1, headline.data());
  file_.read(Col::breakdown, r, 1, breakdown.data());
  row.costs.resize(summary_.layout.costs.size());
  for (std::size_t i = 0; i < headline.size(); ++i) row.costs[shape.headline_columns[i]] = headline[i];
  for (std::size_t i = 0; i < breakdown.size(); ++i)
    row.costs[shape.breakdown_columns[i]] = static_cast<double>(breakdown[i]);
  if (row.task < summary_.layout.tasks.size()) derive_costs(summary_.layout.tasks[row.task], row.costs);
  return row;
}

bool Hdf5Reader::sound(std::uint64_t r) const {
  for (const BatchRow& batch : file_.read_all<BatchRow>(Col::batches)) {
    if (r < batch.first_row || r - batch.first_row >= batch.rows) continue;
    if (!within_tables(file_, batch)) return false;
    BodyReader bodies(file_);
    const auto body = bodies.body(batch);
    return XXH3_64bits(body.data(), body.size()) == batch.checksum && NameReader(file_).fits(batch);
  }
  return false;
}

StoreReader::Index Hdf5Reader::index() const {
  Index all;
  all.task = widened(file_.read_all<std::uint16_t>(Col::task));
  all.generation = file_.read_all<std::uint32_t>(Col::generation);
  all.island = widened(file_.read_all<std::uint16_t>(Col::island));
  all.slot = widened(file_.read_all<std::uint16_t>(Col::slot));
  all.fitness = file_.read_all<double>(Col::fitness);
  all.violation = file_.read_all<double>(Col::violation);
  return all;
}

std::vector<StoreGeneration> Hdf5Reader::generations() const {
  std::vector<StoreGeneration> result;
  for (const GenerationRow& g : file_.read_all<GenerationRow>(Col::generations))
    result.push_back({g.task, g.generation, g.island, g.rows, g.feasible, g.best_slot, g.best, g.mean});
  return result;
}

std::vector<StoreLayerCost> Hdf5Reader::layer_costs(std::uint64_t r) const {
  const auto batches = file_.read_all<BatchRow>(Col::batches);
  const auto after = std::upper_bound(batches.begin(), batches.end(), r,
                                      [](std::uint64_t row, const BatchRow& b) { return row < b.first_row; });
  std::vector<StoreLayerCost> result;
  if (after == batches.begin() || r >= summary_.rows) return result;
  const BatchRow& batch = *std::prev(after);
  for (std::uint64_t i = batch.first_layer_cost; i < batch.first_layer_cost + batch.layer_costs; ++i) {
    if (cell<std::uint64_t>(Col::layer_evaluation, i) != r) continue;
    result.push_back({static_cast<std::uint32_t>(r - batch.first_row),
                      cell<std::uint32_t>(Col::layer_multiplicity, i), cell<std::uint64_t>(Col::layer_key, i),
                      cell<std::uint64_t>(Col::layer_mapping, i), cell<double>(Col::layer_cycles, i),
                      cell<double>(Col::layer_energy, i)});
  }
  return result;
}

std::string Hdf5Reader::mapping(std::uint64_t key) const {
  for (const MappingRow& row : file_.read_all<MappingRow>(Col::mapping_index)) {
    if (row.key != key) continue;
    if (row.bytes > file_.rows(Col::mapping_heap))
      throw StoreError("the store '" + file_.path() + "' has a mapping longer than its heap; it is damaged");
    std::string json(row.bytes, '\0');
    file_.read(Col::mapping_heap, row.offset, row.bytes, json.data());
    return json;
  }
  return {};
}

std::vector<std::uint64_t> Hdf5Reader::best_rows() const {
  const auto batches = file_.read_all<BatchRow>(Col::batches);
  const auto summaries = file_.read_all<GenerationRow>(Col::generations);
  const auto better = [](const GenerationRow& a, const GenerationRow& b) {
    return std::tie(a.best, a.generation, a.island) < std::tie(b.best, b.generation, b.island);
  };
  std::vector<std::uint64_t> rows(summary_.layout.tasks.size(), summary_.rows);
  std::vector<const GenerationRow*> best(rows.size(), nullptr);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const GenerationRow& candidate = summaries[i];
    if (candidate.feasible == 0 || candidate.task >= best.size()) continue;
    if (best[candidate.task] != nullptr && !better(candidate, *best[candidate.task])) continue;
    best[candidate.task] = &candidate;
    rows[candidate.task] = batches[i].first_row + candidate.best_slot;
  }
  return rows;
}

}  // namespace

std::unique_ptr<StoreReader> StoreReader::open(const std::string& path) {
  return std::make_unique<Hdf5Reader>(path);
}

}  // namespace atl
