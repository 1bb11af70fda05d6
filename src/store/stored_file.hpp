// A store opened for reading, one level below StoreReader: typed columns of the committed rows. Reader,
// verification and digest stand on it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tables.hpp"

namespace atl {

class StoredFile {
 public:
  /// Which rows count: those of `commit`, or all that the tables hold (for repair: also where no mark is
  /// whole).
  enum class Rows : std::uint8_t { committed, all };
  /// InputError as StoreReader::open.
  explicit StoredFile(const std::string& path, Rows rows = Rows::committed);

  const std::string& path() const { return path_; }
  const StoreLayout& layout() const { return layout_; }
  const StoreShape& shape() const { return shape_; }
  const Commit& commit() const { return commit_; }
  const Commit& synced() const { return synced_; }
  const std::string& schema_version() const { return schema_version_; }
  bool has(Col column) const { return tables_[index(column)].present; }
  std::uint64_t rows(Col column) const { return counts_[index(column)]; }
  /// False if no row of `commit` is whole; commit() is then empty.
  bool has_commit() const { return has_commit_; }
  std::size_t row_bytes(Col column) const { return tables_[index(column)].row_bytes(); }

  /// Rows [first, first + count) as they lie in the file; nothing for a column that is not there. StoreError
  /// beyond the committed rows.
  void read(Col column, std::uint64_t first, std::uint64_t count, void* out) const;
  template <class T>
  std::vector<T> read_all(Col column) const {
    std::vector<T> values(rows(column));
    read(column, 0, values.size(), values.data());
    return values;
  }

 private:
  void read_marks(Rows wanted);

  std::string path_;
  h5::Id file_;
  std::string schema_version_;
  bool has_commit_ = true;
  Commit commit_, synced_;
  StoreLayout layout_;
  StoreShape shape_;
  std::array<TableColumn, col_count> tables_;
  std::array<h5::Id, col_count> sets_, types_;
  std::array<std::uint64_t, col_count> counts_{};
};

}  // namespace atl
