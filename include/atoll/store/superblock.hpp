// The first 48 bytes of an HDF5 file, read and mended without the HDF5 library. A writer that is killed in
// SWMR mode leaves two things wrong there: the marks "open for writing" and an end-of-file address that was
// only true when the file was opened. The library then refuses to open the file for writing, and its repair
// tool cuts everything behind the stale address away. All blocks that the metadata points to were written
// before the metadata (that is what SWMR promises), so the true end is the size of the file; with it and the
// marks cleared the file is an ordinary one.
//
// Layout (HDF5 file format specification 3.0, section II.A, superblock versions 2 and 3): signature 8,
// version 1, size of offsets 1, size of lengths 1, consistency flags 1, base address 8, extension address 8,
// end-of-file address 8, root header address 8, checksum (Jenkins lookup3) 4.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace atl {

struct Superblock {
  std::uint8_t version = 0;
  bool open_for_writing = false, swmr = false;
  std::uint64_t end_of_file = 0;  // as written there
  std::uint64_t file_size = 0;
  bool checksum_fits = false;
  /// A writer has it open, or was killed while it had.
  bool marked() const { return open_for_writing || swmr; }
};

/// Reads it. InputError: missing, a folder, empty, not HDF5, a version that atoll never writes;
/// ResourceError: unreadable.
Superblock read_superblock(const std::string& path);

/// Clears the marks and sets the end of the file to its size, in one write, synced. The caller must hold
/// the write lock. StoreError if the block itself is damaged. Does nothing if there is nothing to mend;
/// true if it wrote.
bool mend_superblock(const std::string& path);

/// The block itself is damaged (no signature, or its checksum does not fit) in a file that otherwise starts
/// as a store does: with the root's object header at byte 4096 (schema 1: 48). InputError: missing, a folder,
/// empty.
bool superblock_is_lost(const std::string& path);
/// Writes the block of such a file anew: what stands there is the same in every store but for the end of the
/// file. StoreError if the root's header is not there either.
void rebuild_superblock(const std::string& path);

/// Bob Jenkins' lookup3 ("hashlittle", initial value 0), the checksum of HDF5's metadata.
std::uint32_t lookup3(std::span<const std::uint8_t> bytes);

}  // namespace atl
