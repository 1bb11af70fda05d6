// Writes results.h5 so that any kill leaves it readable: all datasets made at the start, then SWMR; rows
// are only appended, as column chunks written directly; a one-element `commit` says how many batches are
// whole (columns are flushed before it, it after them); `synced` says what has reached the disk. One
// process writes one file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "atoll/store/layout.hpp"

namespace atl {

class StoreWriter {
 public:
  /// Makes a new store. InputError if the file exists; ResourceError if it cannot be made.
  static std::unique_ptr<StoreWriter> create(const std::string& path, const StoreLayout& layout);
  /// Opens the store of an interrupted run (also one left by a kill): rows up to `commit` stay, what lies
  /// beyond is cut. Batches that are already committed and arrive again are compared by checksum and
  /// dropped; a difference is an InternalError. InputError if it is the store of another run (layout
  /// differs) or no store.
  static std::unique_ptr<StoreWriter> reopen(const std::string& path, const StoreLayout& layout);

  virtual ~StoreWriter() = default;
  /// Appends one packed batch (see pack_batch). Batches may come in any order of islands.
  virtual void append(std::span<const std::uint8_t> packed) = 0;
  /// Makes everything appended so far kill-safe.
  virtual void commit() = 0;
  /// commit() and then power-safe: fsync, then the `synced` mark.
  virtual void sync() = 0;
  /// Adds "key: value" lines to /provenance (hosts, versions, times, rates): not part of the digest.
  virtual void note(const std::string& key, const std::string& value) = 0;
  /// commit, sync, mark as sealed and close; nothing may follow.
  virtual void seal() = 0;
  virtual std::uint64_t rows() const = 0;
  virtual std::uint64_t committed_batches() const = 0;
  virtual std::uint64_t bytes() const = 0;
};

}  // namespace atl
