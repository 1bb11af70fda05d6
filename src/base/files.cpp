#include "atoll/base/files.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
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

void write_all(const Descriptor& file, const std::string& path, std::string_view text) {
  if (file.value < 0) refuse("write", path, errno);
  while (!text.empty()) {
    const ssize_t written = ::write(file.value, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void write_and_sync(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  write_all(file, path, text);
  if (::fsync(file.value) != 0) refuse("sync", path, errno);
}

// A device or a pipe (/dev/null, /dev/stdout): a renamed file would take its place.
bool written_in_place(const std::string& path) {
  std::error_code ignored;
  const fs::file_type type = fs::status(path, ignored).type();
  return type == fs::file_type::character || type == fs::file_type::fifo || type == fs::file_type::block ||
         type == fs::file_type::socket;
}

void sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.value < 0) refuse("open", path, errno);
  // Some file systems do not sync folders; that is no failure of ours.
  if (::fsync(folder.value) != 0 && errno != EINVAL && errno != ENOTSUP) refuse("sync", path, errno);
}

constexpr std::size_t largest_unpacked = std::size_t{4} << 30;

std::string unpacked(const std::string& packed, const std::string& path) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) throw ResourceError("zlib cannot start");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> closes(&stream, ::inflateEnd);
  std::string text, piece(std::size_t{1} << 18, '\0');
  std::size_t given = 0;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      const std::string_view next = std::string_view(packed).substr(given, std::size_t{1} << 20);
      stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(next.data()));  // zlib only reads it
      stream.avail_in = static_cast<uInt>(next.size());
      given += next.size();
    }
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    state = ::inflate(&stream, Z_NO_FLUSH);
    text.append(piece, 0, piece.size() - stream.avail_out);
    if (state != Z_OK && state != Z_STREAM_END)
      throw InputError("'" + path + "' is compressed with gzip and cut off or damaged");
    if (text.size() > largest_unpacked) throw InputError("'" + path + "' is larger than 4 GiB when unpacked");
    if (state == Z_STREAM_END && (stream.avail_in > 0 || given < packed.size())) {  // another member follows
      ::inflateReset(&stream);
      state = Z_OK;
    }
  }
  return text;
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
  std::string content = text.str();
  return content.starts_with("\x1f\x8b") ? unpacked(content, path) : content;
}

void write_text_file_atomically(const std::string& path, std::string_view text) {
  if (written_in_place(path)) {
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return write_all(file, path, text);
  }
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
