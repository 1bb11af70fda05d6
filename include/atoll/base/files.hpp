// Files as the rest of the program needs them: whole texts in and out, and never a half-written file
// under its final name.
#pragma once

#include <string>
#include <string_view>

namespace atl {

/// The content of a file, unpacked where it is compressed with gzip (up to 4 GiB). InputError if it is
/// missing, a folder, unreadable, or compressed and damaged.
std::string read_text_file(const std::string& path);
/// Writes a temporary file beside `path`, syncs it, renames it and syncs the folder: after a crash
/// there is the old file or the new one. A device or a pipe is written to as it is. ResourceError if that
/// fails; the temporary is removed.
void write_text_file_atomically(const std::string& path, std::string_view text);
/// Makes a folder and those above it; one that exists is fine. InputError if a file of that name is in
/// the way, ResourceError if the system refuses.
void make_folder(const std::string& path);

}  // namespace atl
