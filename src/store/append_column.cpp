#include "append_column.hpp"

#include <algorithm>
#include <cstring>

namespace atl {
namespace {

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

AppendColumn::AppendColumn(h5::Id dataset, const TableColumn& table, std::uint64_t rows, hid_t cell_type)
    : dataset_(std::move(dataset)), table_(table), buffer_(table.chunk_rows * table.row_bytes()) {
  filled_ = static_cast<std::size_t>(rows % table_.chunk_rows);
  first_ = rows - filled_;
  extent_ = h5::rows(dataset_.get(), table_.path);
  stored_ = extent_ > first_;
  h5::read_rows(dataset_.get(), cell_type, table_.width, first_, filled_, buffer_.data(), table_.path);
}

void AppendColumn::append(std::span<const std::uint8_t> bytes) {
  const std::size_t row = table_.row_bytes();
  while (!bytes.empty()) {
    const std::size_t rows = std::min(bytes.size() / row, table_.chunk_rows - filled_);
    std::memcpy(buffer_.data() + filled_ * row, bytes.data(), rows * row);
    bytes = bytes.subspan(rows * row);
    advance(rows);
  }
}

void AppendColumn::append_zeros(std::uint64_t count) {
  while (count > 0) {
    const std::size_t rows = std::min<std::uint64_t>(count, table_.chunk_rows - filled_);
    count -= rows;
    advance(rows);
  }
}

// What lies behind the filled rows of the buffer is always zero.
void AppendColumn::advance(std::size_t rows) {
  filled_ += rows;
  dirty_ = true;
  if (filled_ < table_.chunk_rows) return;
  write_buffer();
  std::fill(buffer_.begin(), buffer_.end(), std::uint8_t{0});
  first_ += table_.chunk_rows;
  filled_ = 0;
  stored_ = extent_ > first_;
}

void AppendColumn::write_buffer() {
  if (extent_ < rows()) {
    extent_ = rows();
    h5::extend(dataset_.get(), extent_, table_.width, table_.path);
  }
  if (table_.sparse && !stored_ && all_zero(buffer_)) return;
  h5::write_chunk(dataset_.get(), first_, buffer_, table_.path);
  stored_ = true;
}

void AppendColumn::flush() {
  if (!dirty_) return;
  if (filled_ > 0) write_buffer();
  h5::flush(dataset_.get(), table_.path);
  dirty_ = false;
}

void AppendColumn::trim() {
  if (!dataset_ || extent_ == rows()) return;
  extent_ = rows();
  h5::extend(dataset_.get(), extent_, table_.width, table_.path);
}

}  // namespace atl
