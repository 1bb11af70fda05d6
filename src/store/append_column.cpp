#include "append_column.hpp"

#include <algorithm>
#include <cstring>

namespace atoll {
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
    const std::size_t take = std::min(bytes.size(), (table_.chunk_rows - filled_) * row);
    std::memcpy(buffer_.data() + filled_ * row, bytes.data(), take);
    filled_ += take / row;
    dirty_ = true;
    bytes = bytes.subspan(take);
    if (filled_ < table_.chunk_rows) continue;
    write_buffer();
    std::fill(buffer_.begin(), buffer_.end(), std::uint8_t{0});
    first_ += table_.chunk_rows;
    filled_ = 0;
    stored_ = extent_ > first_;
  }
}

void AppendColumn::repeat(std::span<const std::uint8_t> row, std::uint64_t count) {
  for (; count > 0; --count) append(row);
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

}  // namespace atoll
