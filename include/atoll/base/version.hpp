// What this program is: its version, the commit and the compiler it was built with. Goes into
// `--version` and into the provenance of every store.
#pragma once

#include <string>

namespace atl {

/// "0.1.0"
std::string program_version();
/// The commit at build time, twelve digits, with "+" if tracked files differed from it; "unknown" for a
/// build outside a repository.
std::string git_commit();
/// "GCC 12.2.0", "Clang 16.0.0"
std::string compiler_version();

}  // namespace atl
