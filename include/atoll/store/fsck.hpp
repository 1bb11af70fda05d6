// Looks a store over and mends what can be mended. Every batch carries a checksum and its rows name
// themselves, so a damaged index, mark or first block costs nothing, and damaged rows cost their own batch
// only. Repair writes a new file through the ordinary writer and never touches the old one but to rename it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace atl {

enum class StoreState : std::uint8_t {
  sealed,         // the run is complete
  unfinished,     // stopped and closed in good order
  left_by_kill,   // marked as open for writing, and nobody writes it
  being_written,  // a live writer holds its lock
};

/// What fsck found. Lists hold one sentence each.
struct StoreHealth {
  StoreState state = StoreState::unfinished;
  std::string writer;  // who holds the lock, for being_written
  std::uint64_t file_bytes = 0;
  std::uint64_t batches = 0, rows = 0;  // committed and whole
  std::uint64_t synced_batches = 0;     // of them known to be on the disk
  std::uint64_t rows_beyond = 0;        // appended after the last commit: would be cut
  std::vector<std::string> rebuilt;     // damage that costs nothing: first block, marks, index rows
  std::vector<std::string> lost;        // batches and mappings whose content is damaged
  std::string unreadable;               // why nothing can be read at all; empty if something can
  bool sound() const { return rebuilt.empty() && lost.empty() && unreadable.empty(); }
  /// Opens with any HDF5 program without the options for followers of a writer.
  bool opens_plainly() const {
    return state != StoreState::left_by_kill && state != StoreState::being_written;
  }
};

/// Reads everything and changes nothing. InputError: no such file, no HDF5 file, no atoll store, another
/// schema.
StoreHealth examine_store(const std::string& path);

struct StoreRepair {
  StoreHealth health;    // before
  bool changed = false;  // false: there was nothing to mend
  std::uint64_t kept_batches = 0, kept_rows = 0;
  std::string damaged_file;  // where the old file lies now: PATH.damaged
};

/// Puts a store of all whole batches in the place of one that is damaged or was left by a kill; the old file
/// becomes PATH.damaged. The result is sealed only if the old one was and nothing is lost. InputError: a live
/// writer, PATH.damaged exists; StoreError: unreadable, nothing was changed; ResourceError: no space, nothing
/// was changed.
StoreRepair repair_store(const std::string& path);

}  // namespace atl
