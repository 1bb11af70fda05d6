#include "packed.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

constexpr std::uint32_t magic = 0x54425441, version = 1;  // "ATBT"

template <class T>
T take(const std::uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class T>
void put(std::uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

std::string batch_name(std::uint32_t task, std::uint32_t generation, std::uint32_t island) {
  return "task " + std::to_string(task) + ", generation " + std::to_string(generation) + ", island " +
         std::to_string(island);
}

[[noreturn]] void broken(const BodyShape& body, const std::string& rule) {
  throw InternalError("batch (" + batch_name(body.task, body.generation, body.island) + ") " + rule);
}

void expect(bool holds, const StoreBatch& batch, const char* what) {
  if (!holds)
    throw InternalError("batch (" + batch_name(batch.task, batch.generation, batch.island) + ") of " +
                        std::to_string(batch.rows) + " rows: " + what);
}

void check_batch(const StoreLayout& layout, const StoreBatch& b, const StoreShape& shape,
                 std::span<const StoreLayerCost> layer_costs) {
  const std::size_t rows = b.rows;
  expect(b.task < 1024 && b.generation < 1U << 22U && b.island < 65536 && rows <= 65536, b,
         "task < 2^10, generation < 2^22, island < 2^16 and slot < 2^16 must hold");
  expect(b.integers.size() == rows * shape.integers && b.reals.size() == rows * shape.reals, b,
         "the genes do not have the width of the layout");
  expect(b.costs.size() == rows * layout.costs.size(), b, "the costs do not have the width of the layout");
  expect(b.fitness.size() == rows && b.violation.size() == rows && b.parent_a.size() == rows &&
             b.parent_b.size() == rows && b.origin.size() == rows,
         b, "a column has another length");
  for (const StoreLayerCost& cost : layer_costs)
    expect(cost.slot < rows, b, "a layer cost names a slot beyond the rows");
}

/// Places the parts of a body one after another.
class BodyWriter {
 public:
  BodyWriter(std::uint8_t* body, const BodyShape& shape, const StoreShape& store) {
    std::uint8_t* at = body + body_header_bytes;
    const auto bytes = shape.bytes(store);
    for (std::size_t p = 0; p < part_count; ++p) {
      place_[p] = at;
      at += bytes[p];
    }
  }
  std::uint8_t* operator[](Part p) const { return place_[index(p)]; }
  template <class T>
  void copy(Part p, std::span<const T> values) const {
    if (!values.empty()) std::memcpy(place_[index(p)], values.data(), values.size_bytes());
  }

 private:
  std::array<std::uint8_t*, part_count> place_{};
};

void pack_costs(const BodyWriter& out, const StoreBatch& b, const StoreShape& shape, std::size_t width) {
  std::uint8_t* headline = out[Part::headline];
  std::uint8_t* breakdown = out[Part::breakdown];
  for (std::size_t r = 0; r < b.rows; ++r) {
    const double* row = b.costs.data() + r * width;
    for (std::size_t i = 0; i < shape.headline; ++i) put(headline + i * 8, row[shape.headline_columns[i]]);
    for (std::size_t i = 0; i < shape.breakdown; ++i)
      put(breakdown + i * 4, static_cast<float>(row[shape.breakdown_columns[i]]));
    headline += shape.headline * 8;
    breakdown += shape.breakdown * 4;
  }
}

void pack_integers(const BodyWriter& out, const StoreBatch& b, const StoreShape& shape) {
  std::uint8_t* to = out[Part::integers];
  bool fits = true;
  for (std::size_t r = 0; r < b.rows && shape.integers > 0; ++r, to += shape.gene_row_bytes)
    fits = put_genes(shape, b.integers.data() + r * shape.integers, to) && fits;
  expect(fits, b, "an integer gene lies outside the bounds of every task");
}

void pack_layer_costs(const BodyWriter& out, std::span<const StoreLayerCost> given) {
  std::vector<StoreLayerCost> costs(given.begin(), given.end());
  std::stable_sort(costs.begin(), costs.end(),
                   [](const StoreLayerCost& a, const StoreLayerCost& b) { return a.slot < b.slot; });
  for (std::size_t i = 0; i < costs.size(); ++i) {
    put(out[Part::layer_key] + i * 8, costs[i].layer_key);
    put(out[Part::layer_mapping] + i * 8, costs[i].mapping_key);
    put(out[Part::layer_cycles] + i * 8, costs[i].cycles);
    put(out[Part::layer_energy] + i * 8, costs[i].energy);
    put(out[Part::layer_slot] + i * 4, costs[i].slot);
    put(out[Part::layer_multiplicity] + i * 4, costs[i].multiplicity);
  }
}

void pack_migrations(const BodyWriter& out, std::span<const StoreMigration> given) {
  std::vector<StoreMigration> rows(given.begin(), given.end());
  std::stable_sort(rows.begin(), rows.end(), [](const StoreMigration& a, const StoreMigration& b) {
    return a.from != b.from ? a.from < b.from : a.to < b.to;
  });
  out.copy(Part::migrations, std::span<const StoreMigration>(rows));
}

std::vector<StoreMapping> sorted_mappings(std::span<const StoreMapping> given) {
  std::vector<StoreMapping> sorted(given.begin(), given.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const StoreMapping& a, const StoreMapping& b) { return a.key < b.key; });
  return sorted;
}

void pack_mappings(std::uint8_t* to, const std::vector<StoreMapping>& mappings) {
  put(to, std::uint64_t{mappings.size()});
  to += 8;
  for (const StoreMapping& mapping : mappings) {
    put(to, mapping.key);
    put(to + 8, std::uint64_t{mapping.json.size()});
    std::memcpy(to + 16, mapping.json.data(), mapping.json.size());
    to += 16 + mapping.json.size();
  }
}

void put_packed_header(std::uint8_t* to, std::size_t body_bytes, std::size_t mapping_bytes) {
  std::memset(to, 0, packed_header_bytes);
  put(to, magic);
  put(to + 4, version);
  put(to + 8, std::uint64_t{body_bytes});
  put(to + 16, std::uint64_t{mapping_bytes});
  put(to + 24, std::uint64_t{XXH3_64bits(to + packed_header_bytes, body_bytes)});
  put(to + 32, std::uint64_t{XXH3_64bits(to + packed_header_bytes + body_bytes, mapping_bytes)});
}

std::vector<PackedView::Mapping> take_mappings(std::span<const std::uint8_t> bytes, const BodyShape& body) {
  std::vector<PackedView::Mapping> mappings;
  if (bytes.size() < 8) broken(body, "is cut in its mappings");
  std::uint64_t count = take<std::uint64_t>(bytes.data());
  bytes = bytes.subspan(8);
  for (; count > 0; --count) {
    if (bytes.size() < 16) broken(body, "is cut in its mappings");
    const auto key = take<std::uint64_t>(bytes.data()), length = take<std::uint64_t>(bytes.data() + 8);
    bytes = bytes.subspan(16);
    if (length > bytes.size()) broken(body, "is cut in its mappings");
    // NOLINTNEXTLINE: bytes are read as characters
    mappings.push_back({key, {reinterpret_cast<const char*>(bytes.data()), length}});
    bytes = bytes.subspan(length);
  }
  return mappings;
}

BodyShape take_body_header(const std::uint8_t* from, const StoreShape& shape) {
  const auto field = [from](std::size_t i) { return take<std::uint32_t>(from + i * 4); };
  const BodyShape body{field(0), field(1), field(2), field(3), field(9), field(10)};
  if (field(4) != shape.integers || field(5) != shape.gene_bytes_in_header() || field(6) != shape.reals ||
      field(7) != shape.headline || field(8) != shape.breakdown)
    broken(body, "has other widths than the store");
  return body;
}

}  // namespace

std::array<std::size_t, part_count> BodyShape::bytes(const StoreShape& shape) const {
  const std::size_t r = rows, l = layer_costs, m = migrations;
  return {r * 8,
          r * 8,
          r * 8,
          r * 8,
          r * 8 * shape.headline,
          r * 8 * shape.reals,
          l * 8,
          l * 8,
          l * 8,
          l * 8,
          l * 4,
          l * 4,
          m * sizeof(StoreMigration),
          r * 4 * shape.breakdown,
          r * shape.gene_row_bytes,
          r};
}

void put_body_header(std::uint8_t* out, const BodyShape& body, const StoreShape& shape) {
  const std::array<std::size_t, 12> fields = {body.task,       body.generation,  body.island,
                                              body.rows,       shape.integers,   shape.gene_bytes_in_header(),
                                              shape.reals,     shape.headline,   shape.breakdown,
                                              body.migrations, body.layer_costs, 0};
  for (std::size_t i = 0; i < fields.size(); ++i) put(out + i * 4, static_cast<std::uint32_t>(fields[i]));
}

std::vector<std::uint8_t> pack_batch(const StoreLayout& layout, const StoreBatch& batch,
                                     std::span<const StoreMigration> migrations,
                                     std::span<const StoreLayerCost> layer_costs,
                                     std::span<const StoreMapping> mappings) {
  const StoreShape shape(layout);
  check_batch(layout, batch, shape, layer_costs);
  const BodyShape body{batch.task,
                       batch.generation,
                       batch.island,
                       batch.rows,
                       static_cast<std::uint32_t>(migrations.size()),
                       static_cast<std::uint32_t>(layer_costs.size())};
  std::size_t body_bytes = body_header_bytes, mapping_bytes = 8;
  for (const std::size_t bytes : body.bytes(shape)) body_bytes += bytes;
  for (const StoreMapping& mapping : mappings) mapping_bytes += 16 + mapping.json.size();

  std::vector<std::uint8_t> packed(packed_header_bytes + body_bytes + mapping_bytes);
  std::uint8_t* start = packed.data() + packed_header_bytes;
  put_body_header(start, body, shape);
  const BodyWriter out(start, body, shape);
  out.copy(Part::parent_a, batch.parent_a);
  out.copy(Part::parent_b, batch.parent_b);
  out.copy(Part::fitness, batch.fitness);
  out.copy(Part::violation, batch.violation);
  out.copy(Part::reals, batch.reals);
  out.copy(Part::origin, batch.origin);
  pack_costs(out, batch, shape, layout.costs.size());
  pack_integers(out, batch, shape);
  pack_layer_costs(out, layer_costs);
  pack_migrations(out, migrations);
  pack_mappings(start + body_bytes, sorted_mappings(mappings));
  put_packed_header(packed.data(), body_bytes, mapping_bytes);
  return packed;
}

GenerationRow summarise(const BodyShape& body, std::span<const std::uint8_t> fitness,
                        std::span<const std::uint8_t> violation) {
  GenerationRow summary{
      body.task, body.generation, body.island, body.rows, 0, 0, std::numeric_limits<double>::infinity(), 0};
  for (std::uint32_t r = 0; r < body.rows; ++r) {
    const auto value = take<double>(fitness.data() + r * 8);
    if (!(take<double>(violation.data() + r * 8) <= 0) || value != value) continue;
    if (summary.feasible == 0 || value < summary.best) {
      summary.best = value;
      summary.best_slot = r;
    }
    ++summary.feasible;
    summary.mean += value;
  }
  summary.mean =
      summary.feasible == 0 ? std::numeric_limits<double>::quiet_NaN() : summary.mean / summary.feasible;
  return summary;
}

std::vector<std::uint8_t> pack_body(std::span<const std::uint8_t> body,
                                    std::span<const StoreMapping> mappings) {
  std::size_t mapping_bytes = 8;
  for (const StoreMapping& mapping : mappings) mapping_bytes += 16 + mapping.json.size();
  std::vector<std::uint8_t> packed(packed_header_bytes + body.size() + mapping_bytes);
  std::memcpy(packed.data() + packed_header_bytes, body.data(), body.size());
  pack_mappings(packed.data() + packed_header_bytes + body.size(), sorted_mappings(mappings));
  put_packed_header(packed.data(), body.size(), mapping_bytes);
  return packed;
}

std::string PackedView::name() const {
  return batch_name(body.task, body.generation, body.island);
}

PackedView unpack_batch(std::span<const std::uint8_t> packed, const StoreShape& shape) {
  PackedView view;
  if (packed.size() < packed_header_bytes + body_header_bytes ||
      take<std::uint32_t>(packed.data()) != magic || take<std::uint32_t>(packed.data() + 4) != version)
    throw InternalError("a packed batch does not start as one (" + std::to_string(packed.size()) + " bytes)");
  const auto body_bytes = take<std::uint64_t>(packed.data() + 8),
             mapping_bytes = take<std::uint64_t>(packed.data() + 16);
  const std::uint64_t rest = packed.size() - packed_header_bytes;
  view.body = take_body_header(packed.data() + packed_header_bytes, shape);
  if (body_bytes > rest || mapping_bytes != rest - body_bytes || body_bytes < body_header_bytes)
    broken(view.body, "does not have the length that its header says");
  const auto body = packed.subspan(packed_header_bytes, body_bytes);
  const auto mappings = packed.subspan(packed_header_bytes + body_bytes);
  view.checksum = take<std::uint64_t>(packed.data() + 24);
  if (XXH3_64bits(body.data(), body.size()) != view.checksum ||
      XXH3_64bits(mappings.data(), mappings.size()) != take<std::uint64_t>(packed.data() + 32))
    broken(view.body, "does not fit its checksum");

  auto left = body.subspan(body_header_bytes);
  const auto bytes = view.body.bytes(shape);
  for (std::size_t p = 0; p < part_count; ++p) {
    if (bytes[p] > left.size()) broken(view.body, "is shorter than its rows");
    view.parts[p] = left.first(bytes[p]);
    left = left.subspan(bytes[p]);
  }
  if (!left.empty()) broken(view.body, "is longer than its rows");
  view.mappings = take_mappings(mappings, view.body);
  return view;
}

}  // namespace atl
