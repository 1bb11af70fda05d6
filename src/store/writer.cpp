#include "atoll/store/writer.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <tuple>
#include <unordered_map>

#include "append_column.hpp"
#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/superblock.hpp"
#include "packed.hpp"
#include "write_lock.hpp"

namespace atl {
namespace {

constexpr double seconds_for_an_old_writer = 10;

template <class T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  // NOLINTNEXTLINE: any object may be read as bytes
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

template <class T>
std::span<const std::uint8_t> all_bytes(const std::vector<T>& values) {
  // NOLINTNEXTLINE: any object may be read as bytes
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)};
}

std::vector<std::string> names_of(const std::vector<StoreGene>& genes) {
  std::vector<std::string> names;
  for (const StoreGene& gene : genes) names.push_back(gene.name);
  return names;
}

void name_costs(hid_t dataset, const StoreLayout& layout, const std::vector<std::size_t>& columns) {
  std::vector<std::string> names, units;
  for (const std::size_t c : columns) {
    names.push_back(layout.costs[c].name);
    units.push_back(layout.costs[c].unit);
  }
  h5::write_list_attribute(dataset, "columns", names);
  h5::write_list_attribute(dataset, "units", units);
}

void name_columns(Col column, hid_t dataset, const StoreLayout& layout, const StoreShape& shape) {
  if (column == Col::genes_integer && !shape.genes_by_name)
    h5::write_list_attribute(dataset, "columns", names_of(layout.integer_genes));
  if (column == Col::genes_real) h5::write_list_attribute(dataset, "columns", names_of(layout.real_genes));
  if (column == Col::headline) name_costs(dataset, layout, shape.headline_columns);
  if (column == Col::breakdown) name_costs(dataset, layout, shape.breakdown_columns);
}

void describe_run(hid_t file, const StoreLayout& layout) {
  h5::write_text_attribute(file, "format", "atoll store");
  h5::write_text_attribute(file, "schema_version", store_schema_version);
  const h5::Id run = h5::make_group(file, "run");
  h5::make_text(run.get(), "layout", layout_json(layout));
  h5::make_text(run.get(), "config", layout.config);
  h5::make_text(run.get(), "accelerator", layout.accelerator);
  h5::make_text(run.get(), "network", layout.network);
}

void make_tables(hid_t file, const StoreLayout& layout, const StoreShape& shape) {
  const auto tables = table_columns(shape);
  for (std::size_t i = 0; i < col_count; ++i) {
    if (!tables[i].present) continue;
    const Col column = static_cast<Col>(i);
    const h5::Id type = cell_type(column, shape);
    // A dataset's header is written anew whenever rows are added, and a kill may tear what spans pages: the
    // long description of a row of genes stands elsewhere.
    if (column == Col::genes_integer && shape.genes_by_name)
      h5::name_type(file, "individuals/genes_integer_type", type.get());
    const h5::Id set =
        h5::make_appendable(file, tables[i].path, type.get(), tables[i].width, tables[i].chunk_rows);
    name_columns(column, set.get(), layout, shape);
  }
}

void make_marks(hid_t file) {
  Commit empty;
  empty.close();
  for (const char* name : {"commit", "synced"}) {
    const h5::Id set = h5::make_words(file, name, Commit::slots, Commit::words);
    h5::write_list_attribute(set.get(), "columns",
                             {"sequence", "batches", "individuals", "evaluations", "migrations",
                              "layer_costs", "mappings", "mapping_bytes", "provenance_bytes", "sealed",
                              "reserved", "reserved", "reserved", "reserved", "reserved", "checksum"});
    for (std::size_t slot = 0; slot < Commit::slots; ++slot)
      h5::write_words_row(set.get(), slot, empty.value, name);
  }
}

void sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

/// The parts of two layouts that make them the same run; the
/// text of the run file may differ in keys that change nothing.
void expect_same_run(const StoreLayout& there, const StoreLayout& here, const std::string& path) {
  const auto refuse = [&path](const std::string& what) {
    throw InputError("the store '" + path + "' belongs to another run: its " + what +
                     "; resume with the run file that made it, or choose another folder");
  };
  if (there.seed != here.seed)
    refuse("seed is " + std::to_string(there.seed) + ", not " + std::to_string(here.seed));
  if (there.space != here.space) refuse("search space is '" + there.space + "', not '" + here.space + "'");
  if (there.objective != here.objective)
    refuse("objective is '" + there.objective + "', not '" + here.objective + "'");
  if (there.tasks.size() != here.tasks.size())
    refuse("number of tasks is " + std::to_string(there.tasks.size()) + ", not " +
           std::to_string(here.tasks.size()));
  if (there.islands.size() != here.islands.size())
    refuse("number of islands is " + std::to_string(there.islands.size()) + ", not " +
           std::to_string(here.islands.size()));
  if (there.accelerator != here.accelerator) refuse("accelerator differs");
  if (there.network != here.network) refuse("network differs");
  if (layout_json(there) != layout_json(here))
    refuse("name, genes, costs, tasks or policies of islands differ");
}

/// Disk space that is ours before HDF5 needs it: a full
/// disk is then found while every structure is still whole.
class SpaceAhead {
 public:
  void ask(int fd, std::uint64_t end, const std::string& path) {
    if (!supported_ || end <= end_) return;
    struct rlimit limit {};
    const bool beyond_limit =
        ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && end > limit.rlim_cur;
    const std::uint64_t from = end_ > 0 ? end_ : end > step ? end - step : 0;
    if (!beyond_limit && (reserve(fd, from, end + step) || reserve(fd, from, end))) return;
    if (!supported_) return;
    throw ResourceError(
        "the store '" + path + "' cannot grow to " + std::to_string(end) + " bytes: " +
        (beyond_limit ? "the limit of the file size (ulimit -f) is reached" : std::strerror(errno)) +
        "; free space or choose another folder, then resume");
  }

 private:
  static constexpr std::uint64_t step = 4U << 20U;
  bool reserve(int fd, std::uint64_t from, std::uint64_t to) {
    const int result =
        ::fallocate(fd, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(from), static_cast<off_t>(to - from));
    if (result == 0) end_ = to;
    if (result != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) supported_ = false;
    return result == 0;
  }
  std::uint64_t end_ = 0;
  bool supported_ = true;
};

class Hdf5Writer final : public StoreWriter {
 public:
  Hdf5Writer(const std::string& path, const StoreLayout& layout, std::unique_ptr<WriteLock> lock, h5::Id file,
             const Commit& commit, const Commit& synced);
  ~Hdf5Writer() override;
  Hdf5Writer(const Hdf5Writer&) = delete;
  Hdf5Writer& operator=(const Hdf5Writer&) = delete;

  void append(std::span<const std::uint8_t> packed) override;
  void commit() override;
  void sync() override;
  void note(const std::string& key, const std::string& value) override;
  void seal() override;
  std::uint64_t rows() const override { return column(Col::task).rows(); }
  std::uint64_t committed_batches() const override { return commit_[Counter::batches]; }
  std::uint64_t bytes() const override;

 private:
  AppendColumn& column(Col c) { return columns_[index(c)]; }
  const AppendColumn& column(Col c) const { return columns_[index(c)]; }
  void add(Col c, std::span<const std::uint8_t> bytes) {
    if (column(c).present()) column(c).append(bytes);
  }
  void remember_batches();
  void remember_mappings();
  void expect_open() const;
  bool known(const PackedView& batch) const;
  void append_rows(const PackedView& batch);
  void append_layer_costs(const PackedView& batch, std::uint64_t first_row);
  void append_mappings(const PackedView& batch);
  void append_batch(const PackedView& batch);
  void commit_now();
  void sync_now();
  void close();
  template <class F>
  void guarded(F&& action);

  using BatchKey = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;
  std::string path_;
  StoreShape shape_;
  std::unique_ptr<WriteLock> lock_;
  h5::Id file_, commit_set_, synced_set_;
  int fd_ = -1;
  std::array<AppendColumn, col_count> columns_;
  Commit commit_, synced_;
  std::map<BatchKey, std::uint64_t> batches_;                  // checksums by name
  std::unordered_map<std::uint64_t, std::uint64_t> mappings_;  // XXH3 of the text by key; only looked up
  SpaceAhead space_;
  std::uint64_t buffer_bytes_ = 0;
  bool broken_ = false;
};

Hdf5Writer::Hdf5Writer(const std::string& path, const StoreLayout& layout, std::unique_ptr<WriteLock> lock,
                       h5::Id file, const Commit& commit, const Commit& synced)
    : path_(path),
      shape_(layout),
      lock_(std::move(lock)),
      file_(std::move(file)),
      commit_(commit),
      synced_(synced) {
  fd_ = h5::descriptor(file_.get(), path_);
  commit_set_ = h5::open_dataset(file_.get(), "commit");
  synced_set_ = h5::open_dataset(file_.get(), "synced");
  const auto tables = table_columns(shape_);
  for (std::size_t i = 0; i < col_count; ++i) {
    if (!tables[i].present) continue;
    const h5::Id type = cell_type(static_cast<Col>(i), shape_);
    columns_[i] = AppendColumn(h5::open_dataset(file_.get(), tables[i].path), tables[i],
                               commit_[tables[i].counter], type.get());
    buffer_bytes_ += columns_[i].chunk_bytes();
  }
  remember_batches();
  remember_mappings();
}

Hdf5Writer::~Hdf5Writer() {
  try {
    close();
  } catch (const Error&) {
    broken_ = true;
  }
}

/// After a failed write HDF5's own state is not what the file says: nothing more may reach the file through
/// it, not even by closing.
void Hdf5Writer::close() {
  if (!file_) return;
  if (!broken_) {
    for (AppendColumn& c : columns_) c.close();
    commit_set_.reset();
    synced_set_.reset();
    h5::close_file(file_, path_);
    return;
  }
  for (AppendColumn& c : columns_) c.abandon();
  commit_set_.abandon();
  synced_set_.abandon();
  file_.abandon();
}

template <class F>
void Hdf5Writer::guarded(F&& action) {
  expect_open();
  try {
    action();
  } catch (...) {
    broken_ = true;
    throw;
  }
}

void Hdf5Writer::expect_open() const {
  if (!file_) throw InternalError("the store '" + path_ + "' is sealed; nothing may follow");
  if (broken_)
    throw StoreError("the store '" + path_ +
                     "' failed before and is closed; what was committed stands in the file");
}

void Hdf5Writer::remember_batches() {
  std::vector<BatchRow> rows(commit_[Counter::batches]);
  const h5::Id type = cell_type(Col::batches, shape_);
  const h5::Id set = h5::open_dataset(file_.get(), "batches");
  h5::read_rows(set.get(), type.get(), 0, 0, rows.size(), rows.data(), "batches");
  for (const BatchRow& row : rows) batches_[{row.task, row.generation, row.island}] = row.checksum;
}

void Hdf5Writer::remember_mappings() {
  std::vector<MappingRow> rows(commit_[Counter::mappings]);
  const h5::Id type = cell_type(Col::mapping_index, shape_);
  const h5::Id set = h5::open_dataset(file_.get(), "mappings/index");
  h5::read_rows(set.get(), type.get(), 0, 0, rows.size(), rows.data(), "mappings/index");
  for (const MappingRow& row : rows) mappings_[row.key] = row.checksum;
}

bool Hdf5Writer::known(const PackedView& batch) const {
  const auto found = batches_.find({batch.body.task, batch.body.generation, batch.body.island});
  if (found == batches_.end()) return false;
  if (found->second != batch.checksum)
    throw InternalError("batch (" + batch.name() + ") came again with another content than the store '" +
                        path_ +
                        "' holds: the run was not repeated exactly; please report it with both log files");
  return true;
}

void Hdf5Writer::append(std::span<const std::uint8_t> packed) {
  expect_open();
  const PackedView batch = unpack_batch(packed, shape_);
  if (known(batch)) return;
  if (batch.body.task >= 1024 || batch.body.island >= 65536 || batch.body.rows > 65536)
    throw InternalError("batch (" + batch.name() + ") does not fit the columns of the store");
  space_.ask(fd_, h5::end_of_allocation(file_.get(), path_) + packed.size() + 2 * buffer_bytes_ + (1U << 20U),
             path_);
  guarded([&] { append_batch(batch); });
}

void Hdf5Writer::append_batch(const PackedView& batch) {
  const BatchRow row{batch.body.task,
                     batch.body.generation,
                     batch.body.island,
                     batch.body.rows,
                     column(Col::task).rows(),
                     column(Col::migrations).rows(),
                     column(Col::layer_key).rows(),
                     batch.body.migrations,
                     batch.body.layer_costs,
                     batch.checksum};
  append_mappings(batch);
  append_rows(batch);
  append_layer_costs(batch, row.first_row);
  add(Col::migrations, batch.parts[index(Part::migrations)]);
  add(Col::generations, bytes_of(summarise(batch.body, batch.parts[index(Part::fitness)],
                                           batch.parts[index(Part::violation)])));
  add(Col::batches, bytes_of(row));
  batches_[{row.task, row.generation, row.island}] = row.checksum;
}

void Hdf5Writer::append_rows(const PackedView& batch) {
  const BodyShape& body = batch.body;
  std::vector<std::uint16_t> slots(body.rows);
  for (std::uint32_t r = 0; r < body.rows; ++r) slots[r] = static_cast<std::uint16_t>(r);
  const std::vector<std::uint16_t> tasks(body.rows, static_cast<std::uint16_t>(body.task)),
      islands(body.rows, static_cast<std::uint16_t>(body.island));
  add(Col::task, all_bytes(tasks));
  add(Col::generation, all_bytes(std::vector<std::uint32_t>(body.rows, body.generation)));
  add(Col::island, all_bytes(islands));
  add(Col::slot, all_bytes(slots));
  const auto part = [&batch](Part p) { return batch.parts[index(p)]; };
  add(Col::parent_a, part(Part::parent_a));
  add(Col::parent_b, part(Part::parent_b));
  add(Col::origin, part(Part::origin));
  add(Col::genes_integer, part(Part::integers));
  add(Col::genes_real, part(Part::reals));
  add(Col::fitness, part(Part::fitness));
  add(Col::violation, part(Part::violation));
  add(Col::headline, part(Part::headline));
  add(Col::breakdown, part(Part::breakdown));
  for (const Col unused : {Col::fidelity, Col::replicate, Col::seed}) column(unused).append_zeros(body.rows);
}

void Hdf5Writer::append_layer_costs(const PackedView& batch, std::uint64_t first_row) {
  if (batch.body.layer_costs == 0) return;
  const auto part = [&batch](Part p) { return batch.parts[index(p)]; };
  for (std::uint32_t i = 0; i < batch.body.layer_costs; ++i) {
    std::uint32_t slot = 0;
    std::memcpy(&slot, part(Part::layer_slot).data() + i * 4, 4);
    if (slot >= batch.body.rows)
      throw InternalError("batch (" + batch.name() + ") has a layer cost beyond its rows");
    column(Col::layer_evaluation).append(bytes_of(first_row + slot));
  }
  add(Col::layer_key, part(Part::layer_key));
  add(Col::layer_multiplicity, part(Part::layer_multiplicity));
  add(Col::layer_mapping, part(Part::layer_mapping));
  add(Col::layer_cycles, part(Part::layer_cycles));
  add(Col::layer_energy, part(Part::layer_energy));
}

void Hdf5Writer::append_mappings(const PackedView& batch) {
  for (const PackedView::Mapping& mapping : batch.mappings) {
    const std::uint64_t hash = XXH3_64bits_withSeed(mapping.json.data(), mapping.json.size(), mapping.key);
    const auto [place, fresh] = mappings_.try_emplace(mapping.key, hash);
    if (!fresh && place->second != hash)
      throw InternalError("two mappings have the key " + std::to_string(mapping.key) + " (batch " +
                          batch.name() + "): keys must follow from the content");
    if (!fresh) continue;
    const MappingRow row{mapping.key, column(Col::mapping_heap).rows(), mapping.json.size(), hash};
    // NOLINTNEXTLINE: characters are read as bytes
    add(Col::mapping_heap, {reinterpret_cast<const std::uint8_t*>(mapping.json.data()), mapping.json.size()});
    add(Col::mapping_index, bytes_of(row));
  }
}

void Hdf5Writer::commit() {
  guarded([this] { commit_now(); });
}

void Hdf5Writer::commit_now() {
  Commit next = commit_;
  bool changed = false;
  const auto tables = table_columns(shape_);
  for (std::size_t i = 0; i < col_count; ++i) {
    if (!columns_[i].present()) continue;
    changed = changed || columns_[i].dirty();
    columns_[i].flush();
    next[tables[i].counter] = columns_[i].rows();
  }
  if (!changed && next.value == commit_.value) return;
  ++next[Counter::sequence];
  next.close();
  h5::write_words_row(commit_set_.get(), next[Counter::sequence] % Commit::slots, next.value, "commit");
  h5::flush(commit_set_.get(), "commit");
  commit_ = next;
}

void Hdf5Writer::sync() {
  guarded([this] { sync_now(); });
}

void Hdf5Writer::sync_now() {
  commit_now();
  if (synced_[Counter::sequence] == commit_[Counter::sequence]) return;
  const auto to_disk = [this] {
    if (::fdatasync(fd_) != 0)
      throw ResourceError("the store '" + path_ + "' cannot be synced to the disk: " + std::strerror(errno));
  };
  to_disk();
  h5::write_words_row(synced_set_.get(), commit_[Counter::sequence] % Commit::slots, commit_.value, "synced");
  h5::flush(synced_set_.get(), "synced");
  to_disk();
  synced_ = commit_;
}

void Hdf5Writer::note(const std::string& key, const std::string& value) {
  std::string line = key + ": " + value;
  for (char& c : line)
    if (c == '\n' || c == '\r') c = ' ';
  line += '\n';
  guarded([&] {
    // NOLINTNEXTLINE: characters are read as bytes
    column(Col::provenance).append({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
  });
}

void Hdf5Writer::seal() {
  guarded([this] {
    commit_now();
    for (AppendColumn& c : columns_) c.trim();
    commit_[Counter::sealed] = 1;
    ++commit_[Counter::sequence];
    commit_.close();
    h5::write_words_row(commit_set_.get(), commit_[Counter::sequence] % Commit::slots, commit_.value,
                        "commit");
    sync_now();
  });
  const std::uint64_t size = bytes();
  if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) broken_ = false;  // only gives reserved space back
  close();
  lock_.reset();
}

std::uint64_t Hdf5Writer::bytes() const {
  struct stat status {};
  if (file_ ? ::fstat(fd_, &status) != 0 : ::stat(path_.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

constexpr const char* unfinished_mark = ".new.";

/// What a kill during create left behind; we hold the lock, so nobody is building one now.
void remove_unfinished(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path store(path), folder = store.parent_path().empty() ? fs::path(".") : store.parent_path();
  const std::string start = store.filename().string() + unfinished_mark;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().starts_with(start)) ::unlink(it->path().c_str());
}

void expect_continuable(const StoreSummary& there, const StoreLayout& layout, const std::string& path) {
  if (there.schema_version != store_schema_version)
    throw InputError("the store '" + path + "' has schema version " + there.schema_version +
                     ", this atoll writes " + store_schema_version +
                     " and only reads older ones; go on with the atoll that began the run");
  expect_same_run(there.layout, layout, path);
}

Commit read_mark(hid_t file, const char* name, const std::string& path) {
  const h5::Id set = h5::open_dataset(file, name);
  return Commit::newest(h5::read_words(set.get(), Commit::slots * Commit::words, name), path);
}

}  // namespace

std::unique_ptr<StoreWriter> StoreWriter::create(const std::string& path, const StoreLayout& layout) {
  h5::start();
  auto lock = std::make_unique<WriteLock>(path, 0);
  if (std::filesystem::exists(path))
    throw InputError("the store '" + path + "' exists already; resume that run or choose another folder");
  remove_unfinished(path);
  const std::string building = path + unfinished_mark + std::to_string(::getpid());
  h5::Id file;
  try {
    file = h5::create_file(building);
    describe_run(file.get(), layout);
    make_tables(file.get(), layout, StoreShape(layout));
    make_marks(file.get());
    h5::start_swmr(file.get(), building);
    if (std::rename(building.c_str(), path.c_str()) != 0)
      throw ResourceError("the store '" + path + "' cannot be put in place: " + std::strerror(errno));
  } catch (...) {
    file.abandon();
    std::error_code ignored;
    std::filesystem::remove(building, ignored);
    throw;
  }
  sync_folder_of(path);
  Commit empty;
  empty.close();
  return std::make_unique<Hdf5Writer>(path, layout, std::move(lock), std::move(file), empty, empty);
}

std::unique_ptr<StoreWriter> StoreWriter::reopen(const std::string& path, const StoreLayout& layout) {
  h5::start();
  read_superblock(path);
  auto lock = std::make_unique<WriteLock>(path, seconds_for_an_old_writer);
  expect_continuable(StoreReader::open(path)->summary(), layout, path);
  mend_superblock(path);
  h5::Id file = h5::open_file(path, H5F_ACC_RDWR | H5F_ACC_SWMR_WRITE);
  Commit commit = read_mark(file.get(), "commit", path);
  const Commit synced = read_mark(file.get(), "synced", path);
  commit[Counter::sealed] = 0;
  return std::make_unique<Hdf5Writer>(path, layout, std::move(lock), std::move(file), commit, synced);
}

}  // namespace atl
