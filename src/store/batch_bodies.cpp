#include "batch_bodies.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace atl {
namespace {

/// The column that holds each part of a batch's body; layer slots are derived from `evaluation`.
constexpr std::array<Col, part_count> column_of_part = {
    Col::parent_a,     Col::parent_b,     Col::fitness,          Col::violation,
    Col::headline,     Col::genes_real,   Col::layer_key,        Col::layer_mapping,
    Col::layer_cycles, Col::layer_energy, Col::layer_evaluation, Col::layer_multiplicity,
    Col::migrations,   Col::breakdown,    Col::genes_integer,    Col::origin};

constexpr std::uint64_t rows_at_once = 16384;

template <class T>
T value_at(RunReader& column, std::uint64_t row) {
  T value;
  std::memcpy(&value, column.rows(row, 1), sizeof value);
  return value;
}

}  // namespace

const std::uint8_t* RunReader::rows(std::uint64_t first, std::uint64_t count) {
  if (!file_.has(column_) || count == 0) return bytes_.data();
  const std::size_t width = file_.row_bytes(column_);
  if (first < first_ || first + count > first_ + count_) {
    count_ = 0;  // a read that fails leaves nothing behind
    const std::uint64_t there = file_.rows(column_) - std::min(first, file_.rows(column_));
    const std::uint64_t wanted = std::max(count, std::min(rows_at_once, there));
    bytes_.resize(wanted * width);
    file_.read(column_, first, wanted, bytes_.data());
    first_ = first;
    count_ = wanted;
  }
  return bytes_.data() + (first - first_) * width;
}

BodyReader::BodyReader(const StoredFile& file) : file_(file) {
  for (const Col column : column_of_part) columns_.emplace_back(file, column);
}

std::span<const std::uint8_t> BodyReader::body(const BatchRow& batch) {
  const BodyShape shape{batch.task, batch.generation, batch.island,
                        batch.rows, batch.migrations, batch.layer_costs};
  const auto bytes = shape.bytes(file_.shape());
  std::size_t size = body_header_bytes;
  for (const std::size_t part : bytes) size += part;
  body_.resize(size);
  put_body_header(body_.data(), shape, file_.shape());
  std::uint8_t* to = body_.data() + body_header_bytes;
  for (std::size_t p = 0; p < part_count; ++p) {
    fill(static_cast<Part>(p), batch, to, bytes[p]);
    to += bytes[p];
  }
  return body_;
}

void BodyReader::fill(Part part, const BatchRow& batch, std::uint8_t* to, std::size_t bytes) {
  if (bytes == 0) return;
  const Counter counter = table_columns(file_.shape())[index(column_of_part[index(part)])].counter;
  const bool of_layers = counter == Counter::layer_costs, of_migrations = counter == Counter::migrations;
  const std::uint64_t first = of_layers       ? batch.first_layer_cost
                              : of_migrations ? batch.first_migration
                                              : batch.first_row;
  const std::uint64_t count = of_layers ? batch.layer_costs : of_migrations ? batch.migrations : batch.rows;
  const std::uint8_t* from = columns_[index(part)].rows(first, count);
  if (part != Part::layer_slot) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t evaluation = 0;
    std::memcpy(&evaluation, from + i * 8, 8);
    const auto slot = static_cast<std::uint32_t>(evaluation - batch.first_row);
    std::memcpy(to + i * 4, &slot, 4);
  }
}

NameReader::NameReader(const StoredFile& file)
    : task_(file, Col::task),
      generation_(file, Col::generation),
      island_(file, Col::island),
      slot_(file, Col::slot) {}

NameReader::Name NameReader::name(std::uint64_t row) {
  return {value_at<std::uint16_t>(task_, row), value_at<std::uint32_t>(generation_, row),
          value_at<std::uint16_t>(island_, row), value_at<std::uint16_t>(slot_, row)};
}

bool NameReader::fits(const BatchRow& batch) {
  for (std::uint32_t r = 0; r < batch.rows; ++r) {
    const Name found = name(batch.first_row + r);
    if (found.task != batch.task || found.generation != batch.generation || found.island != batch.island ||
        found.slot != r)
      return false;
  }
  return true;
}

bool within_tables(const StoredFile& file, const BatchRow& batch) {
  const auto inside = [&file](Col column, std::uint64_t first, std::uint64_t count) {
    return first <= file.rows(column) && count <= file.rows(column) - first;
  };
  return inside(Col::task, batch.first_row, batch.rows) &&
         inside(Col::migrations, batch.first_migration, batch.migrations) &&
         inside(Col::layer_key, batch.first_layer_cost, batch.layer_costs);
}

void for_each_batch(const StoredFile& file, const VisitBatch& visit) {
  BodyReader bodies(file);
  NameReader names(file);
  for (const BatchRow& batch : file.read_all<BatchRow>(Col::batches)) {
    if (!within_tables(file, batch)) {
      visit(batch, {}, false);
      continue;
    }
    const auto body = bodies.body(batch);
    visit(batch, body, XXH3_64bits(body.data(), body.size()) == batch.checksum && names.fits(batch));
  }
}

bool mapping_sound(const MappingRow& row, std::span<const std::uint8_t> heap) {
  return row.offset <= heap.size() && row.bytes <= heap.size() - row.offset &&
         XXH3_64bits_withSeed(heap.data() + row.offset, row.bytes, row.key) == row.checksum;
}

std::string batch_text(const BatchRow& batch) {
  return "task " + std::to_string(batch.task) + ", generation " + std::to_string(batch.generation) +
         ", island " + std::to_string(batch.island) + " (rows " + std::to_string(batch.first_row) + " to " +
         std::to_string(batch.first_row + batch.rows) + ")";
}

}  // namespace atl
