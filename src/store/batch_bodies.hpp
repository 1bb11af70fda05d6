// The batches of a stored file, put together again from their columns exactly as pack_batch made them: what
// verification, digest and repair stand on.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "packed.hpp"
#include "stored_file.hpp"

namespace atl {

/// A column read in long runs, so that many small batches cost few reads.
class RunReader {
 public:
  RunReader(const StoredFile& file, Col column) : file_(file), column_(column) {}
  const std::uint8_t* rows(std::uint64_t first, std::uint64_t count);

 private:
  const StoredFile& file_;
  Col column_;
  std::vector<std::uint8_t> bytes_;
  std::uint64_t first_ = 0, count_ = 0;
};

class BodyReader {
 public:
  explicit BodyReader(const StoredFile& file);
  /// The body of a batch that lies within the tables; valid until the next call.
  std::span<const std::uint8_t> body(const BatchRow& batch);

 private:
  void fill(Part part, const BatchRow& batch, std::uint8_t* to, std::size_t bytes);

  const StoredFile& file_;
  std::vector<RunReader> columns_;
  std::vector<std::uint8_t> body_;
};

/// The columns that name each row: task, generation, island, slot.
class NameReader {
 public:
  explicit NameReader(const StoredFile& file);
  struct Name {
    std::uint32_t task, generation, island, slot;
    bool same_batch(const Name& other) const {
      return task == other.task && generation == other.generation && island == other.island;
    }
  };
  Name name(std::uint64_t row);
  /// The rows of a batch are named as its index row says, slots in order.
  bool fits(const BatchRow& batch);

 private:
  RunReader task_, generation_, island_, slot_;
};

/// The batch index itself has no checksum: before memory is asked for, what it says must lie in the tables.
bool within_tables(const StoredFile& file, const BatchRow& batch);

using VisitBatch = std::function<void(const BatchRow&, std::span<const std::uint8_t> body, bool sound)>;
/// Every committed batch in the order of the index; without a body where the index points outside the tables.
void for_each_batch(const StoredFile& file, const VisitBatch& visit);

bool mapping_sound(const MappingRow& row, std::span<const std::uint8_t> heap);

/// "task 0, generation 3, island 1 (rows 20 to 40)"
std::string batch_text(const BatchRow& batch);

}  // namespace atl
