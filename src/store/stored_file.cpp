#include "stored_file.hpp"

#include <charconv>

#include "atoll/base/error.hpp"
#include "atoll/store/superblock.hpp"

namespace atl {
namespace {

/// Plainly where nobody marked it as open for writing; as a follower of a live or killed writer otherwise.
h5::Id open_for_reading(const std::string& path) {
  h5::start();
  const bool marked = read_superblock(path).marked();
  try {
    if (!marked) return h5::open_file(path, H5F_ACC_RDONLY);
  } catch (const StoreError&) {
    // a writer may have opened it just now
  }
  try {
    return h5::open_file(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ);
  } catch (const StoreError& error) {
    throw InputError("'" + path + "' cannot be opened as an atoll store (" + error.what() + ")");
  }
}

int schema_major(const std::string& version) {
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

std::string checked_version(hid_t file, const std::string& path) {
  if (h5::read_text_attribute(file, "format") != "atoll store")
    throw InputError("'" + path +
                     "' is an HDF5 file but no atoll store (it lacks the attribute format = 'atoll store')");
  const std::string version = h5::read_text_attribute(file, "schema_version");
  const int major = schema_major(version);
  if (major < 1 || major > store_schema_major)
    throw InputError("the store '" + path + "' has schema version '" + version +
                     "', but this atoll reads versions 1.0 to " + std::to_string(store_schema_major) +
                     ".x; use the atoll that wrote it, or a newer one");
  return version;
}

Commit mark(hid_t file, const char* name, const std::string& path) {
  const h5::Id set = h5::open_dataset(file, name);
  return Commit::newest(h5::read_words(set.get(), Commit::slots * Commit::words, name), path);
}

StoreLayout stored_layout(hid_t file, const std::string& path) {
  StoreLayout layout = layout_from_json(h5::read_text(file, "run/layout"), path);
  layout.config = h5::read_text(file, "run/config");
  layout.accelerator = h5::read_text(file, "run/accelerator");
  layout.network = h5::read_text(file, "run/network");
  return layout;
}

}  // namespace

// The marks are read before the tables are opened: whatever a live writer adds in between only makes the
// tables longer.
StoredFile::StoredFile(const std::string& path, Rows wanted)
    : path_(path),
      file_(open_for_reading(path)),
      schema_version_(checked_version(file_.get(), path)),
      layout_(stored_layout(file_.get(), path)),
      shape_(layout_, schema_major(schema_version_)),
      tables_(table_columns(shape_)) {
  read_marks(wanted);
  for (std::size_t i = 0; i < col_count; ++i) {
    if (!tables_[i].present) continue;
    types_[i] = cell_type(static_cast<Col>(i), shape_);
    sets_[i] = h5::open_dataset(file_.get(), tables_[i].path);
    const std::uint64_t there = h5::rows(sets_[i].get(), tables_[i].path);
    counts_[i] = wanted == Rows::all ? there : commit_[tables_[i].counter];
    if (there < counts_[i])
      throw StoreError("the store '" + path_ + "' is damaged: table " + tables_[i].path +
                       " is shorter than its " + std::to_string(counts_[i]) + " committed rows");
  }
}

void StoredFile::read_marks(Rows wanted) {
  try {
    commit_ = mark(file_.get(), "commit", path_);
    synced_ = mark(file_.get(), "synced", path_);
  } catch (const StoreError&) {
    if (wanted == Rows::committed) throw;
    has_commit_ = false;
  }
}

void StoredFile::read(Col column, std::uint64_t first, std::uint64_t count, void* out) const {
  const TableColumn& table = tables_[index(column)];
  if (!table.present) return;
  if (first > rows(column) || count > rows(column) - first)
    throw StoreError("the store '" + path_ + "' is damaged: rows " + std::to_string(first) + " to " +
                     std::to_string(first + count) + " of table " + table.path + " are not committed");
  h5::read_rows(sets_[index(column)].get(), types_[index(column)].get(), table.width, first, count, out,
                table.path);
}

}  // namespace atl
