#include "atoll/store/superblock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

constexpr std::array<std::uint8_t, 8> signature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
constexpr std::size_t block_size = 48, flags_at = 11, end_at = 28, checksum_at = 44;
using Block = std::array<std::uint8_t, block_size>;

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::uint64_t word(const Block& block, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | block[at + i];
  return value;
}

void set_word(Block& block, std::size_t at, std::size_t bytes, std::uint64_t value) {
  for (std::size_t i = 0; i < bytes; ++i) block[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t checksum_of(const Block& block) {
  return lookup3({block.data(), checksum_at});
}

[[noreturn]] void fail(const std::string& path, const char* action) {
  const int error = errno;
  const std::string text =
      "the store '" + path + "' cannot be " + action + ": " + std::string(std::strerror(error));
  if (error == ENOENT) throw InputError("the store '" + path + "' does not exist; check the path");
  throw ResourceError(text);
}

Block load(const std::string& path, int fd, std::uint64_t& size) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) fail(path, "opened");
  if (S_ISDIR(status.st_mode))
    throw InputError("'" + path + "' is a folder; name the store inside it (results.h5)");
  size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0) throw InputError("the store '" + path + "' is an empty file; it holds no run");
  Block block{};
  const ssize_t got = ::pread(fd, block.data(), block.size(), 0);
  if (got < 0) fail(path, "read");
  if (got < static_cast<ssize_t>(signature.size()) ||
      std::memcmp(block.data(), signature.data(), signature.size()) != 0)
    throw InputError("'" + path +
                     "' is not an HDF5 file; an atoll store is expected (results.h5 of a run folder)");
  if (got < static_cast<ssize_t>(block_size))
    throw InputError("the store '" + path + "' ends after " + std::to_string(size) +
                     " bytes, inside its first block; it holds no run");
  if (block[8] != 3)
    throw InputError("'" + path + "' is an HDF5 file with superblock version " + std::to_string(block[8]) +
                     ", but atoll stores have version 3; it is not an atoll store");
  return block;
}

// "OHDR": the object header of the root stands on the first page behind the block, in stores of schema 1
// right behind it. 0: at neither place.
std::uint64_t root_header(const std::string& path, int fd) {
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) fail(path, "opened");
  for (const std::uint64_t place : {std::uint64_t{4096}, std::uint64_t{block_size}}) {
    std::array<char, 4> text{};
    if (S_ISREG(status.st_mode) && ::pread(fd, text.data(), text.size(), static_cast<off_t>(place)) == 4 &&
        std::memcmp(text.data(), "OHDR", 4) == 0)
      return place;
  }
  return 0;
}

Superblock parse(const Block& block, std::uint64_t size) {
  Superblock result;
  result.version = block[8];
  result.open_for_writing = (block[flags_at] & 1U) != 0;
  result.swmr = (block[flags_at] & 4U) != 0;
  result.end_of_file = word(block, end_at, 8);
  result.file_size = size;
  result.checksum_fits = word(block, checksum_at, 4) == checksum_of(block);
  return result;
}

struct Jenkins {
  std::uint32_t a, b, c;
  void mix() {
    a -= c, a ^= std::rotl(c, 4), c += b;
    b -= a, b ^= std::rotl(a, 6), a += c;
    c -= b, c ^= std::rotl(b, 8), b += a;
    a -= c, a ^= std::rotl(c, 16), c += b;
    b -= a, b ^= std::rotl(a, 19), a += c;
    c -= b, c ^= std::rotl(b, 4), b += a;
  }
  void finish() {
    c ^= b, c -= std::rotl(b, 14);
    a ^= c, a -= std::rotl(c, 11);
    b ^= a, b -= std::rotl(a, 25);
    c ^= b, c -= std::rotl(b, 16);
    a ^= c, a -= std::rotl(c, 4);
    b ^= a, b -= std::rotl(a, 14);
    c ^= b, c -= std::rotl(b, 24);
  }
};

}  // namespace

std::uint32_t lookup3(std::span<const std::uint8_t> bytes) {
  const std::uint32_t start = 0xdeadbeefU + static_cast<std::uint32_t>(bytes.size());
  Jenkins state{start, start, start};
  while (!bytes.empty()) {
    std::array<std::uint32_t, 3> words{};
    const std::size_t count = bytes.size() < 12 ? bytes.size() : 12;
    for (std::size_t i = 0; i < count; ++i)
      words[i / 4] |= static_cast<std::uint32_t>(bytes[i]) << (8 * (i % 4));
    state.a += words[0], state.b += words[1], state.c += words[2];
    bytes = bytes.subspan(count);
    if (bytes.empty())
      state.finish();
    else
      state.mix();
  }
  return state.c;
}

Superblock read_superblock(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  std::uint64_t size = 0;
  const Block block = load(path, file.get(), size);
  return parse(block, size);
}

bool superblock_is_lost(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (root_header(path, file.get()) == 0) return false;
  Block block{};
  if (::pread(file.get(), block.data(), block.size(), 0) != static_cast<ssize_t>(block.size())) return false;
  return std::memcmp(block.data(), signature.data(), signature.size()) != 0 || block[8] != 3 ||
         word(block, checksum_at, 4) != checksum_of(block);
}

void rebuild_superblock(const std::string& path) {
  const Descriptor file(path, O_RDWR);
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) fail(path, "opened");
  const std::uint64_t root = root_header(path, file.get());
  if (root == 0)
    throw StoreError("the first block of the store '" + path +
                     "' is damaged, and what follows is not what follows it in a store");
  Block block{};
  std::copy(signature.begin(), signature.end(), block.begin());
  block[8] = 3;                               // version
  block[9] = block[10] = 8;                   // bytes of an offset and of a length
  set_word(block, 12, 8, 0);                  // base address
  set_word(block, 20, 8, ~std::uint64_t{0});  // no extension
  set_word(block, end_at, 8, static_cast<std::uint64_t>(status.st_size));
  set_word(block, 36, 8, root);  // the root's object header
  set_word(block, checksum_at, 4, checksum_of(block));
  if (::pwrite(file.get(), block.data(), block.size(), 0) != static_cast<ssize_t>(block.size()) ||
      ::fsync(file.get()) != 0)
    fail(path, "mended");
}

bool mend_superblock(const std::string& path) {
  const Descriptor file(path, O_RDWR);
  std::uint64_t size = 0;
  Block block = load(path, file.get(), size);
  const Superblock now = parse(block, size);
  if (!now.checksum_fits)
    throw StoreError("the first block of the store '" + path +
                     "' is damaged (its checksum does not fit); keep the file and restore a copy");
  if (!now.marked() && now.end_of_file == size) return false;
  block[flags_at] = 0;
  set_word(block, end_at, 8, size);
  set_word(block, checksum_at, 4, checksum_of(block));
  if (::pwrite(file.get(), block.data(), block.size(), 0) != static_cast<ssize_t>(block.size()) ||
      ::fsync(file.get()) != 0)
    fail(path, "mended");
  return true;
}

}  // namespace atl
