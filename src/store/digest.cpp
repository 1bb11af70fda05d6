#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <tuple>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "batch_bodies.hpp"

namespace atl {
namespace {

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
