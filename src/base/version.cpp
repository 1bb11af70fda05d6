#include "atoll/base/version.hpp"

#include "atoll_version_data.hpp"

namespace atl {

std::string program_version() {
  return version_data::version;
}
std::string git_commit() {
  return version_data::commit;
}

std::string compiler_version() {
#if defined(__clang__)
  return "Clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
#elif defined(__GNUC__)
  return "GCC " + std::to_string(__GNUC__) + "." + std::to_string(__GNUC_MINOR__) + "." +
         std::to_string(__GNUC_PATCHLEVEL__);
#else
  return "unknown compiler";
#endif
}

}  // namespace atl
