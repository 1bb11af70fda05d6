#include "atoll/base/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& what, const std::string& path, int error) {
  throw ResourceError("cannot " + what + " '" + path + "': " + std::strerror(error));
}

// Closes at the end of its scope.
struct Descriptor {
  explicit Descriptor(int fd) : value(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
  int value;
};

void write_and_sync(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.value < 0) refuse("write", path, errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.value, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.value) != 0) refuse("sync", path, errno);
}

void sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.value < 0) refuse("open", path, errno);
  // Some file systems do not sync folders; that is no failure of ours.
  if (::fsync(folder.value) != 0 && errno != EINVAL && errno != ENOTSUP) refuse("sync", path, errno);
}

}  // namespace

std::string read_text_file(const std::string& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw InputError("there is no file '" + path + "'");
  if (fs::is_directory(path, ignored)) throw InputError("'" + path + "' is a folder, a file is needed");
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) throw InputError("cannot read '" + path + "': " + std::strerror(errno));
  return text.str();
}

void write_text_file_atomically(const std::string& path, std::string_view text) {
  const std::string temporary = path + ".tmp." + std::to_string(::getpid());
  try {
    write_and_sync(temporary, text);
    if (::rename(temporary.c_str(), path.c_str()) != 0) refuse("write", path, errno);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  const fs::path parent = fs::path(path).parent_path();
  sync_folder(parent.empty() ? "." : parent.string());
}

void make_folder(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) && !fs::is_directory(path, error)) {
    throw InputError("'" + path + "' is a file, a folder is needed: name another or remove it");
  }
  fs::create_directories(path, error);
  if (error) throw ResourceError("cannot make the folder '" + path + "': " + error.message());
}

}  // namespace atl
