#include "atoll/store/fsck.hpp"

#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/superblock.hpp"
#include "atoll/store/writer.hpp"
#include "batch_bodies.hpp"
#include "write_lock.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

using Keep = std::function<void(const BatchRow&, std::span<const std::uint8_t> body)>;

/// Walks the batches in the order they were appended. Positions in the tables follow from the batches before,
/// so an index row that does not fit can be made again from what its rows say of themselves.
class Walk {
 public:
  Walk(const StoredFile& file, StoreHealth& health)
      : file_(file), health_(health), bodies_(file), names_(file) {
    try {
      index_ = file_.read_all<BatchRow>(Col::batches);
    } catch (const StoreError& error) {
      health_.lost.push_back(std::string("the index of batches: ") + error.what());
    }
  }

  void run(const Keep& keep) {
    for (position_ = 0; next_.first_row < file_.rows(Col::task); ++position_) {
      const std::optional<BatchRow> listed = listed_here();
      if (listed && sound(*listed)) {
        take(*listed, keep);
        continue;
      }
      const std::optional<BatchRow> made = make_again();
      if (made && vouched_for(*made)) {
        health_.rebuilt.push_back("the index row of batch " + batch_text(*made));
        take(*made, keep);
        continue;
      }
      give_up(made);
    }
  }

 private:
  std::optional<BatchRow> listed_here() const {
    if (position_ >= index_.size()) return std::nullopt;
    const BatchRow& row = index_[position_];
    const bool here = row.first_row == next_.first_row && row.first_migration == next_.first_migration &&
                      row.first_layer_cost == next_.first_layer_cost && row.rows > 0;
    return here ? std::optional(row) : std::nullopt;
  }

  bool sound(const BatchRow& batch) {
    try {
      if (!within_tables(file_, batch)) return false;
      body_ = bodies_.body(batch);
    } catch (const StoreError&) {
      return false;
    }
    return XXH3_64bits(body_.data(), body_.size()) == batch.checksum;
  }

  // The checksum covers the names too, by the index; the columns that repeat them are written anew.
  bool names_fit(const BatchRow& batch) {
    try {
      return names_.fits(batch);
    } catch (const StoreError&) {
      return false;
    }
  }

  void take(const BatchRow& batch, const Keep& keep) {
    if (!names_fit(batch)) health_.rebuilt.push_back("the names of the rows of batch " + batch_text(batch));
    ++health_.batches;
    health_.rows += batch.rows;
    keep(batch, body_);
    move_behind(batch);
  }

  void move_behind(const BatchRow& batch) {
    next_.first_row = batch.first_row + batch.rows;
    next_.first_migration = batch.first_migration + batch.migrations;
    next_.first_layer_cost = batch.first_layer_cost + batch.layer_costs;
  }

  // The batch that starts here, by the names of its rows.
  std::optional<BatchRow> make_again() {
    try {
      const NameReader::Name first = names_.name(next_.first_row);
      if (first.slot != 0) return std::nullopt;
      BatchRow batch = next_;
      batch.task = first.task, batch.generation = first.generation, batch.island = first.island;
      const std::uint64_t end = file_.rows(Col::task);
      while (batch.first_row + batch.rows < end) {
        const NameReader::Name name = names_.name(batch.first_row + batch.rows);
        if (!name.same_batch(first) || name.slot != batch.rows) break;
        ++batch.rows;
      }
      count_migrations(batch);
      count_layer_costs(batch);
      body_ = bodies_.body(batch);
      batch.checksum = XXH3_64bits(body_.data(), body_.size());
      return batch;
    } catch (const StoreError&) {
      return std::nullopt;
    }
  }

  void count_migrations(BatchRow& batch) const {
    StoreMigration migration;
    for (std::uint64_t r = batch.first_migration; r < file_.rows(Col::migrations); ++r) {
      file_.read(Col::migrations, r, 1, &migration);
      if (migration.task != batch.task || migration.generation != batch.generation ||
          migration.to != batch.island)
        return;
      ++batch.migrations;
    }
  }

  void count_layer_costs(BatchRow& batch) const {
    std::uint64_t evaluation = 0;
    for (std::uint64_t r = batch.first_layer_cost; r < file_.rows(Col::layer_evaluation); ++r) {
      file_.read(Col::layer_evaluation, r, 1, &evaluation);
      if (evaluation < batch.first_row || evaluation >= batch.first_row + batch.rows) return;
      ++batch.layer_costs;
    }
  }

  // An index row may have lost everything but the checksum, by which the content is known to be whole.
  bool vouched_for(const BatchRow& made) const {
    return position_ < index_.size() && index_[position_].checksum == made.checksum;
  }

  // To the next index row that fits, or behind the rows that name the same batch, or to the end.
  void give_up(const std::optional<BatchRow>& made) {
    // Rows once found unsound stay so: looking at them again for each batch would take days where a whole
    // column is lost.
    for (std::size_t later = std::max(position_ + 1, searched_); later < index_.size(); ++later) {
      searched_ = later + 1;
      const BatchRow& row = index_[later];
      if (row.first_row <= next_.first_row || !sound(row)) continue;
      for (; position_ < later; ++position_) lose(index_[position_]);
      next_.first_row = row.first_row, next_.first_migration = row.first_migration;
      next_.first_layer_cost = row.first_layer_cost;
      --position_;  // the loop steps forward again
      return;
    }
    if (position_ < index_.size() && index_[position_].first_row == next_.first_row &&
        within_tables(file_, index_[position_]) && index_[position_].rows > 0) {
      lose(index_[position_]);
      move_behind(index_[position_]);
    } else if (made && made->rows > 0) {
      lose(*made);
      move_behind(*made);
    } else {
      health_.lost.push_back("rows from " + std::to_string(next_.first_row) +
                             " on: no batch can be told from another");
      next_.first_row = file_.rows(Col::task);
    }
  }

  void lose(const BatchRow& batch) { health_.lost.push_back("batch " + batch_text(batch)); }

  const StoredFile& file_;
  StoreHealth& health_;
  BodyReader bodies_;
  NameReader names_;
  std::vector<BatchRow> index_;
  std::span<const std::uint8_t> body_;
  std::size_t position_ = 0, searched_ = 0;  // in the index: here, and behind what give_up() looked at
  BatchRow next_{};                          // where the next batch starts in each table
};

/// The mappings by key; what does not fit its checksum is left out and noted.
std::unordered_map<std::uint64_t, std::string> sound_mappings(const StoredFile& file, StoreHealth& health) {
  std::unordered_map<std::uint64_t, std::string> result;
  try {
    const auto heap = file.read_all<std::uint8_t>(Col::mapping_heap);
    for (const MappingRow& row : file.read_all<MappingRow>(Col::mapping_index)) {
      if (!mapping_sound(row, heap)) {
        health.lost.push_back("mapping " + std::to_string(row.key));
        continue;
      }
      const auto first = heap.begin() + static_cast<std::ptrdiff_t>(row.offset);
      result.emplace(row.key, std::string(first, first + static_cast<std::ptrdiff_t>(row.bytes)));
    }
  } catch (const StoreError& error) {
    health.lost.push_back(std::string("the mappings: ") + error.what());
  }
  return result;
}

StoreState state_of(const std::string& path, bool sealed, std::string& writer) {
  const bool marked = read_superblock(path).marked();
  writer = WriteLock::holder_of(path);
  if (!writer.empty()) return StoreState::being_written;
  if (marked) return StoreState::left_by_kill;
  return sealed ? StoreState::sealed : StoreState::unfinished;
}

/// A copy beside the store, gone at the end: of a file whose first block has to be made again before it
/// opens.
class MendedCopy {
 public:
  explicit MendedCopy(const std::string& path) : path_(path + ".fsck." + std::to_string(::getpid())) {
    try {
      fs::copy_file(path, path_);
    } catch (const fs::filesystem_error& error) {
      remove();
      throw ResourceError("the store '" + path + "' cannot be copied for repair: " + error.code().message());
    }
    rebuild_superblock(path_);
  }
  ~MendedCopy() { remove(); }
  MendedCopy(const MendedCopy&) = delete;
  MendedCopy& operator=(const MendedCopy&) = delete;
  const std::string& path() const { return path_; }

 private:
  void remove() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  std::string path_;
};

struct Source {
  std::unique_ptr<MendedCopy> copy;
  std::unique_ptr<StoredFile> file;
};

Source open_source(const std::string& path, StoreHealth& health) {
  Source source;
  if (superblock_is_lost(path)) {
    health.rebuilt.emplace_back("the first block of the file");
    source.copy = std::make_unique<MendedCopy>(path);
  }
  const std::string& readable = source.copy ? source.copy->path() : path;
  auto all = std::make_unique<StoredFile>(readable, StoredFile::Rows::all);
  if (!all->has_commit()) {
    health.rebuilt.emplace_back("the marks `commit` and `synced`");
    source.file = std::move(all);
    return source;
  }
  source.file = std::make_unique<StoredFile>(readable);
  health.rows_beyond = all->rows(Col::task) - source.file->rows(Col::task);
  return source;
}

void examine(const std::string& path, const Source& source, StoreHealth& health, const Keep& keep) {
  const StoredFile& file = *source.file;
  const bool sealed = file.commit()[Counter::sealed] != 0;
  health.state = source.copy ? StoreState::unfinished : state_of(path, sealed, health.writer);
  if (source.copy && sealed) health.state = StoreState::sealed;
  health.file_bytes = fs::file_size(path);
  health.synced_batches = file.synced()[Counter::batches];
  Walk(file, health).run(keep);
  if (health.batches == 0 && !health.lost.empty()) health.unreadable = "no batch of it is whole";
}

/// The mappings that a body names and that were not given out before.
std::vector<StoreMapping> new_mappings(const StoredFile& file, const BatchRow& batch,
                                       const std::unordered_map<std::uint64_t, std::string>& known,
                                       std::unordered_set<std::uint64_t>& given) {
  std::vector<std::uint64_t> keys(batch.layer_costs);
  file.read(Col::layer_mapping, batch.first_layer_cost, keys.size(), keys.data());
  std::vector<StoreMapping> result;
  for (const std::uint64_t key : keys) {
    const auto found = known.find(key);
    if (found != known.end() && given.insert(key).second) result.push_back({key, found->second});
  }
  return result;
}

void copy_provenance(const StoredFile& file, StoreWriter& writer) {
  std::string line;
  for (const std::uint8_t byte : file.read_all<std::uint8_t>(Col::provenance)) {
    if (byte != '\n') {
      line += static_cast<char>(byte);
      continue;
    }
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) writer.note(line.substr(0, colon), line.substr(colon + 2));
    line.clear();
  }
}

// Of a store that the writer can write again.
StoreLayout layout_of(const std::string& path) {
  StoreHealth ignored;
  const Source source = open_source(path, ignored);
  if (source.file->schema_version() != store_schema_version)
    throw InputError("the store '" + path + "' has schema version " + source.file->schema_version() +
                     ", but only stores of version " + store_schema_version +
                     " can be repaired; it was left as it is, and what is whole in it can be exported");
  return source.file->layout();
}

// Writes everything that is whole into a new store under another name.
StoreHealth write_whole_batches(const std::string& path, const std::string& target) {
  StoreHealth health;
  // The library starts no writer while it has named types open, of whatever file.
  const auto writer = StoreWriter::create(target, layout_of(path));
  const Source source = open_source(path, health);
  const auto mappings = sound_mappings(*source.file, health);
  std::unordered_set<std::uint64_t> given;
  examine(path, source, health, [&](const BatchRow& batch, std::span<const std::uint8_t> body) {
    writer->append(pack_body(body, new_mappings(*source.file, batch, mappings, given)));
  });
  try {
    copy_provenance(*source.file, *writer);
  } catch (const StoreError& error) {
    health.rebuilt.push_back(std::string("the provenance: ") + error.what());
  }
  writer->note("repaired", std::to_string(health.batches) + " batches kept, " +
                               std::to_string(health.lost.size()) + " parts lost");
  if (health.state == StoreState::sealed && health.lost.empty())
    writer->seal();
  else
    writer->sync();
  return health;
}

}  // namespace

StoreHealth examine_store(const std::string& path) {
  StoreHealth health;
  try {
    const Source source = open_source(path, health);
    sound_mappings(*source.file, health);
    examine(path, source, health, [](const BatchRow&, std::span<const std::uint8_t>) {});
  } catch (const StoreError& error) {
    health.unreadable = error.what();
    health.file_bytes = fs::file_size(path);
  }
  return health;
}

StoreRepair repair_store(const std::string& path) {
  StoreRepair repair;
  repair.health = examine_store(path);
  if (repair.health.state == StoreState::being_written)
    throw InputError("the store '" + path + "' is being written by " + repair.health.writer +
                     "; repair it when that run has ended");
  if (!repair.health.unreadable.empty())
    throw StoreError("the store '" + path + "' cannot be repaired: " + repair.health.unreadable +
                     "; the file was left as it is");
  repair.kept_batches = repair.health.batches;
  repair.kept_rows = repair.health.rows;
  if (repair.health.sound() && repair.health.opens_plainly()) return repair;
  const WriteLock lock(path, 0);
  repair.damaged_file = path + ".damaged";
  if (fs::exists(repair.damaged_file))
    throw InputError("'" + repair.damaged_file +
                     "' exists already, from an earlier repair; move it away first");
  const std::string target = path + ".repaired." + std::to_string(::getpid());
  try {
    write_whole_batches(path, target);
    fs::rename(path, repair.damaged_file);
    fs::rename(target, path);
  } catch (const fs::filesystem_error& error) {
    throw ResourceError("the repaired store cannot be put in place: " + error.code().message() + " ('" +
                        target + "' is whole, the old file is '" + repair.damaged_file + "' or '" + path +
                        "')");
  } catch (...) {
    std::error_code ignored;
    fs::remove(target, ignored);
    throw;
  }
  repair.changed = true;
  return repair;
}

}  // namespace atl
