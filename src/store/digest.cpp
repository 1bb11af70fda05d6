#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>
#include <unordered_map>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "packed.hpp"
#include "stored_file.hpp"

namespace atl {
namespace {

/// The column that holds each part of a batch's body; layer slots are derived from `evaluation`.
constexpr std::array<Col, part_count> column_of_part = {
    Col::parent_a,     Col::parent_b,     Col::fitness,          Col::violation,
    Col::headline,     Col::genes_real,   Col::layer_key,        Col::layer_mapping,
    Col::layer_cycles, Col::layer_energy, Col::layer_evaluation, Col::layer_multiplicity,
    Col::migrations,   Col::breakdown,    Col::genes_integer,    Col::origin};

/// A column read in long runs, so that many small batches cost few reads.
class RunReader {
 public:
  RunReader(const StoredFile& file, Col column) : file_(file), column_(column) {}
  const std::uint8_t* rows(std::uint64_t first, std::uint64_t count) {
    if (!file_.has(column_) || count == 0) return bytes_.data();
    if (first < first_ || first + count > first_ + count_) {
      first_ = first;
      count_ = std::max(
          count, std::min<std::uint64_t>(run, file_.rows(column_) - std::min(first, file_.rows(column_))));
      bytes_.resize(count_ * file_.row_bytes(column_));
      file_.read(column_, first_, count_, bytes_.data());
    }
    return bytes_.data() + (first - first_) * file_.row_bytes(column_);
  }

 private:
  static constexpr std::uint64_t run = 16384;
  const StoredFile& file_;
  Col column_;
  std::vector<std::uint8_t> bytes_;
  std::uint64_t first_ = 0, count_ = 0;
};

/// Puts the bodies of batches together again from their columns, exactly as pack_batch made them.
class BodyReader {
 public:
  explicit BodyReader(const StoredFile& file) : file_(file) {
    for (const Col column : column_of_part) columns_.emplace_back(file, column);
  }

  std::span<const std::uint8_t> body(const BatchRow& batch) {
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

 private:
  void fill(Part part, const BatchRow& batch, std::uint8_t* to, std::size_t bytes) {
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

  const StoredFile& file_;
  std::vector<RunReader> columns_;
  std::vector<std::uint8_t> body_;
};

/// The columns that name a row must say what the batch index says.
bool names_fit(const StoredFile&, const BatchRow& batch, RunReader& task, RunReader& generation,
               RunReader& island, RunReader& slot) {
  const auto at = [&batch](RunReader& column, std::size_t bytes, std::uint64_t r) {
    std::uint32_t value = 0;
    std::memcpy(&value, column.rows(batch.first_row, batch.rows) + r * bytes, bytes);
    return value;
  };
  for (std::uint64_t r = 0; r < batch.rows; ++r)
    if (at(task, 2, r) != batch.task || at(generation, 4, r) != batch.generation ||
        at(island, 2, r) != batch.island || at(slot, 2, r) != r)
      return false;
  return true;
}

/// The batch index itself has no checksum: before memory is asked for, what it says must lie in the tables.
bool within_tables(const StoredFile& file, const BatchRow& batch) {
  const auto inside = [&file](Col column, std::uint64_t first, std::uint64_t count) {
    return first <= file.rows(column) && count <= file.rows(column) - first;
  };
  return inside(Col::task, batch.first_row, batch.rows) &&
         inside(Col::migrations, batch.first_migration, batch.migrations) &&
         inside(Col::layer_key, batch.first_layer_cost, batch.layer_costs);
}

using Visit = std::function<void(const BatchRow&, std::span<const std::uint8_t> body, bool sound)>;

void for_each_batch(const StoredFile& file, const Visit& visit) {
  BodyReader bodies(file);
  RunReader task(file, Col::task), generation(file, Col::generation), island(file, Col::island),
      slot(file, Col::slot);
  for (const BatchRow& batch : file.read_all<BatchRow>(Col::batches)) {
    if (!within_tables(file, batch)) {
      visit(batch, {}, false);
      continue;
    }
    const auto body = bodies.body(batch);
    const bool sound = XXH3_64bits(body.data(), body.size()) == batch.checksum &&
                       names_fit(file, batch, task, generation, island, slot);
    visit(batch, body, sound);
  }
}

std::string batch_text(const BatchRow& batch) {
  return "task " + std::to_string(batch.task) + ", generation " + std::to_string(batch.generation) +
         ", island " + std::to_string(batch.island) + " (rows " + std::to_string(batch.first_row) + " to " +
         std::to_string(batch.first_row + batch.rows) + ")";
}

struct Entry {
  std::uint32_t task, generation, island, rows;
  XXH128_hash_t hash;
};

class Hash {
 public:
  Hash() : state_(XXH3_createState(), XXH3_freeState) { XXH3_128bits_reset(state_.get()); }
  void add(const void* bytes, std::size_t size) { XXH3_128bits_update(state_.get(), bytes, size); }
  template <class T>
  void add_value(T value) {
    add(&value, sizeof value);
  }
  std::string text() const {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(state_.get()));
    std::string hex;
    std::array<char, 3> two{};
    for (const unsigned char byte : bytes.digest) {
      std::snprintf(two.data(), two.size(), "%02x", static_cast<unsigned>(byte));
      hex += two.data();
    }
    return hex;
  }

 private:
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state_;
};

bool mapping_sound(const MappingRow& row, std::span<const std::uint8_t> heap) {
  return row.offset <= heap.size() && row.bytes <= heap.size() - row.offset &&
         XXH3_64bits_withSeed(heap.data() + row.offset, row.bytes, row.key) == row.checksum;
}

std::string mapping_text(const MappingRow& row) {
  return "mapping " + std::to_string(row.key);
}

/// The mappings that layer costs name, by key; what else travelled along is chance.
void add_mappings(Hash& hash, const StoredFile& file) {
  auto named = file.read_all<std::uint64_t>(Col::layer_mapping);
  std::sort(named.begin(), named.end());
  named.erase(std::unique(named.begin(), named.end()), named.end());
  auto mappings = file.read_all<MappingRow>(Col::mapping_index);
  std::sort(mappings.begin(), mappings.end(),
            [](const MappingRow& a, const MappingRow& b) { return a.key < b.key; });
  const auto heap = file.read_all<std::uint8_t>(Col::mapping_heap);
  for (const MappingRow& row : mappings) {
    if (!mapping_sound(row, heap))
      throw StoreError("the store '" + file.path() + "' is damaged: " + mapping_text(row) +
                       " does not fit its checksum");
    if (!std::binary_search(named.begin(), named.end(), row.key)) continue;
    hash.add_value(row.key);
    hash.add_value(row.checksum);
  }
}

}  // namespace

std::vector<std::string> verify_store(const std::string& path) {
  std::vector<std::string> damaged;
  const StoredFile file(path);
  for_each_batch(file, [&damaged](const BatchRow& batch, std::span<const std::uint8_t>, bool sound) {
    if (!sound) damaged.push_back("batch " + batch_text(batch) + " does not fit its checksum");
  });
  const auto heap = file.read_all<std::uint8_t>(Col::mapping_heap);
  for (const MappingRow& row : file.read_all<MappingRow>(Col::mapping_index))
    if (!mapping_sound(row, heap)) damaged.push_back(mapping_text(row) + " does not fit its checksum");
  return damaged;
}

std::string store_digest(const std::string& path) {
  const StoredFile file(path);
  std::vector<Entry> entries;
  for_each_batch(file, [&](const BatchRow& b, std::span<const std::uint8_t> body, bool sound) {
    if (!sound)
      throw StoreError("the store '" + path + "' is damaged: batch " + batch_text(b) +
                       " does not fit its checksum");
    entries.push_back({b.task, b.generation, b.island, b.rows, XXH3_128bits(body.data(), body.size())});
  });
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.task, a.generation, a.island) < std::tie(b.task, b.generation, b.island);
  });
  Hash hash;
  for (const Entry& entry : entries) {
    hash.add_value(entry.task);
    hash.add_value(entry.generation);
    hash.add_value(entry.island);
    hash.add_value(entry.rows);
    hash.add_value(entry.hash.low64);
    hash.add_value(entry.hash.high64);
  }
  add_mappings(hash, file);
  return hash.text();
}

}  // namespace atl
