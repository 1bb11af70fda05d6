// Snapshots of a run, good or absent: a payload (named blobs, made with
// Boost.Serialization by those who own the state) in a frame with magic, version,
// length and checksum, written under a temporary name, synced, renamed, folder synced;
// a manifest last. Two sets are kept. Knows nothing of HDF5 or of what the blobs mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct CheckpointBlob {
  std::string name;  // "island 3"
  std::string bytes;
};

struct CheckpointSet {
  std::uint64_t run_key = 0;  // hash of what makes the run the same run
  std::uint32_t task = 0;
  std::uint32_t generation = 0;  // all islands have completed this many generations of `task`
  std::vector<CheckpointBlob> blobs;
};

/// Writes one set into `folder` (made if missing) and removes all but it and the one before (newer ones
/// too: the run has gone back behind them). ResourceError with the reason if the disk refuses: the older
/// sets are then untouched.
void write_checkpoint(const std::string& folder, const CheckpointSet& set);

/// The newest good set whose run_key fits; damaged ones are skipped with a
/// warning in `warnings`. Nothing if there is none at all; CheckpointError if
/// there are sets but none is good; InputError if they belong to another run.
std::optional<CheckpointSet> read_newest_checkpoint(const std::string& folder, std::uint64_t run_key,
                                                    std::vector<std::string>& warnings);

}  // namespace atl
