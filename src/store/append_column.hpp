// One appendable dataset while it is written: rows collect in a buffer of one chunk; whole chunks go straight
// to the file, the last, partial one at every flush, and again when it has more rows: its first rows are then
// the same bytes as before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tables.hpp"

namespace atl {

class AppendColumn {
 public:
  AppendColumn() = default;
  /// A dataset that holds `rows` rows that stay; whatever lies beyond is written over.
  AppendColumn(h5::Id dataset, const TableColumn& table, std::uint64_t rows, hid_t cell_type);

  void append(std::span<const std::uint8_t> bytes);
  /// `count` rows of zeros.
  void append_zeros(std::uint64_t count);
  /// Writes the partial chunk and hands everything to the operating system.
  void flush();
  /// Cuts the dataset to its rows; only needed if an earlier writer got further.
  void trim();
  void close() { dataset_.reset(); }
  void abandon() { dataset_.abandon(); }

  std::uint64_t rows() const { return first_ + filled_; }
  bool dirty() const { return dirty_; }
  bool present() const { return static_cast<bool>(dataset_); }
  std::size_t chunk_bytes() const { return buffer_.size(); }

 private:
  void write_buffer();
  void advance(std::size_t rows);

  h5::Id dataset_;
  TableColumn table_;
  std::vector<std::uint8_t> buffer_;
  std::uint64_t first_ = 0;   // row of the buffer's first
  std::size_t filled_ = 0;    // rows in the buffer
  std::uint64_t extent_ = 0;  // rows the dataset has room for
  bool stored_ = false;       // the buffer's chunk exists in the file
  bool dirty_ = false;
};

}  // namespace atl
