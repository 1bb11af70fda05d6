#include "atoll/checkpoint/checkpoint.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <tuple>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little,
              "a checkpoint is written as the bytes lie in memory");

constexpr std::array<char, 8> magic = {'A', 'T', 'O', 'L', 'L', 'C', 'K', 'P'};
constexpr std::uint32_t format_version = 1, byte_order = 0x01020304;
constexpr std::size_t sets_kept = 2;
constexpr const char* manifest_name = "MANIFEST";
constexpr const char* temporary_mark = ".tmp.";

/// What stands before the payload; everything that must fit before a byte of the payload is looked at.
struct Frame {
  std::array<char, 8> magic_bytes = magic;
  std::uint32_t version = format_version, order = byte_order;
  std::array<std::uint8_t, 8> sizes = {
      sizeof(int), sizeof(long), sizeof(std::size_t), sizeof(float), sizeof(double), sizeof(void*), 0, 0};
  std::uint64_t run_key = 0;
  std::uint32_t task = 0, generation = 0;
  std::uint64_t payload_bytes = 0, payload_checksum = 0;
  std::uint64_t frame_checksum = 0;  // of all before it
};
static_assert(sizeof(Frame) == 64);

std::uint64_t checksum(const Frame& frame) {
  return XXH3_64bits(&frame, offsetof(Frame, frame_checksum));
}

struct Name {
  std::uint32_t task = 0, generation = 0;
  std::string text() const {
    return "ckpt-" + std::to_string(task) + "-" + std::to_string(generation) + ".bin";
  }
  bool operator<(const Name& o) const { return std::tie(task, generation) < std::tie(o.task, o.generation); }
};

std::optional<Name> name_of(const std::string& file) {
  unsigned task = 0, generation = 0;
  int read = 0;
  if (std::sscanf(file.c_str(), "ckpt-%10u-%10u.bin%n", &task, &generation, &read) != 2) return {};
  const Name name{task, generation};
  if (name.text() != file) return {};
  return name;
}

[[noreturn]] void refused(const std::string& path, const char* action) {
  throw ResourceError("the checkpoint '" + path + "' cannot be " + action + ": " + std::strerror(errno) +
                      "; free space or mend the folder, then resume from the last good one");
}

void put_number(std::string& out, std::uint64_t value) {
  std::array<char, 8> bytes{};
  std::memcpy(bytes.data(), &value, bytes.size());
  out.append(bytes.data(), bytes.size());
}

std::string payload_of(const CheckpointSet& set) {
  std::size_t size = 8;
  for (const CheckpointBlob& blob : set.blobs) size += 16 + blob.name.size() + blob.bytes.size();
  std::string payload;
  payload.reserve(size);
  put_number(payload, set.blobs.size());
  for (const CheckpointBlob& blob : set.blobs) {
    put_number(payload, blob.name.size());
    payload += blob.name;
    put_number(payload, blob.bytes.size());
    payload += blob.bytes;
  }
  return payload;
}

/// Takes lengths and texts off a payload; every length is
/// checked against what is left before memory is asked for.
class Parser {
 public:
  explicit Parser(std::string_view left) : left_(left) {}
  bool number(std::uint64_t& value) {
    if (left_.size() < 8) return false;
    std::memcpy(&value, left_.data(), 8);
    left_.remove_prefix(8);
    return true;
  }
  bool text(std::string& out) {
    std::uint64_t length = 0;
    if (!number(length) || length > left_.size()) return false;
    out.assign(left_.substr(0, length));
    left_.remove_prefix(length);
    return true;
  }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

bool parse_payload(std::string_view payload, std::vector<CheckpointBlob>& blobs) {
  Parser parser(payload);
  std::uint64_t count = 0;
  if (!parser.number(count)) return false;
  for (; count > 0; --count) {
    CheckpointBlob blob;
    if (!parser.text(blob.name) || !parser.text(blob.bytes)) return false;
    blobs.push_back(std::move(blob));
  }
  return parser.at_end();
}

class File {
 public:
  File(const std::string& path, int flags)
      : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool open() const { return fd_ >= 0; }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) refused(path_, "written");
      bytes.remove_prefix(static_cast<std::size_t>(done));
    }
  }
  void sync_and_close() {
    if (::fsync(fd_) != 0) refused(path_, "synced");
    const int fd = fd_;
    fd_ = -1;
    if (::close(fd) != 0) refused(path_, "closed");
  }
  std::uint64_t size() const {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<std::uint64_t>(status.st_size)
                                                                 : 0;
  }
  bool read(char* to, std::size_t bytes) {
    while (bytes > 0) {
      const ssize_t done = ::read(fd_, to, bytes);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) return false;
      to += done;
      bytes -= static_cast<std::size_t>(done);
    }
    return true;
  }

 private:
  std::string path_;
  int fd_;
};

void sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) refused(folder, "synced");
  const int result = ::fsync(fd);
  ::close(fd);
  if (result != 0 && errno != EINVAL && errno != ENOTSUP) refused(folder, "synced");
}

/// Temporary name, write, fsync, rename, fsync of the folder: the name never stands for less than the whole.
void write_whole(const std::string& folder, const std::string& name, std::string_view head,
                 std::string_view rest) {
  const std::string temporary = folder + "/." + name + temporary_mark + std::to_string(::getpid());
  const std::string final_path = folder + "/" + name;
  try {
    File file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.open()) refused(temporary, "created");
    file.write(head);
    file.write(rest);
    file.sync_and_close();
    if (::rename(temporary.c_str(), final_path.c_str()) != 0) refused(final_path, "put in place");
  } catch (const ResourceError&) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder(folder);
}

std::vector<Name> sets_in(const std::string& folder) {
  std::vector<Name> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (const auto name = name_of(it->path().filename().string())) names.push_back(*name);
  std::sort(names.begin(), names.end());
  return names;
}

/// What a kill during a write left behind. A run has one writer of checkpoints: nobody is at work on them.
void remove_unfinished(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with('.') && name.find(temporary_mark) != std::string::npos) ::unlink(it->path().c_str());
  }
}

std::uint64_t frame_checksum_of(const std::string& path) {
  Frame frame;
  File file(path, O_RDONLY);
  std::array<char, sizeof(Frame)> bytes{};
  if (!file.open() || !file.read(bytes.data(), bytes.size())) return 0;
  std::memcpy(&frame, bytes.data(), bytes.size());
  return frame.frame_checksum;
}

/// One line a set: name and the checksum of its frame (which holds that of the payload).
void write_manifest(const std::string& folder, const std::vector<Name>& names) {
  std::string text = "atoll checkpoints, newest last\n";
  for (const Name& name : names) {
    std::array<char, 17> hex{};
    std::snprintf(hex.data(), hex.size(), "%016llx",
                  static_cast<unsigned long long>(frame_checksum_of(folder + "/" + name.text())));
    text += name.text() + " " + hex.data() + "\n";
  }
  write_whole(folder, manifest_name, text, {});
}

std::vector<std::pair<std::string, std::uint64_t>> read_manifest(const std::string& folder) {
  std::vector<std::pair<std::string, std::uint64_t>> lines;
  File file(folder + "/" + manifest_name, O_RDONLY);
  if (!file.open()) return lines;
  std::string text(std::min<std::uint64_t>(file.size(), 4096), '\0');
  if (!file.read(text.data(), text.size())) return lines;
  for (std::size_t from = text.find('\n'); from != std::string::npos;) {
    const std::size_t end = text.find('\n', from + 1);
    if (end == std::string::npos) break;
    const std::string line = text.substr(from + 1, end - from - 1);
    const std::size_t space = line.find(' ');
    if (space != std::string::npos)
      lines.emplace_back(line.substr(0, space), std::strtoull(line.c_str() + space + 1, nullptr, 16));
    from = end;
  }
  return lines;
}

struct Loaded {
  std::string fault;  // empty: good
  std::uint64_t run_key = 0;
  CheckpointSet set;
};

std::string frame_fault(const Frame& frame, const Name& name, std::uint64_t file_bytes) {
  if (frame.magic_bytes != magic) return "it is no checkpoint of atoll";
  if (frame.frame_checksum != checksum(frame)) return "its header does not fit its checksum";
  if (frame.version != format_version)
    return "it has format version " + std::to_string(frame.version) + ", this atoll reads " +
           std::to_string(format_version);
  if (frame.order != byte_order || frame.sizes != Frame().sizes)
    return "it was written on another kind of machine";
  if (frame.task != name.task || frame.generation != name.generation)
    return "it holds task " + std::to_string(frame.task) + ", generation " +
           std::to_string(frame.generation) + ", not what its name says";
  if (frame.payload_bytes != file_bytes - sizeof(Frame))
    return "it is " + std::to_string(file_bytes) + " bytes long instead of " +
           std::to_string(frame.payload_bytes + sizeof(Frame));
  return {};
}

Loaded load(const std::string& folder, const Name& name) {
  Loaded result;
  File file(folder + "/" + name.text(), O_RDONLY);
  const std::uint64_t size = file.open() ? file.size() : 0;
  std::array<char, sizeof(Frame)> head{};
  if (!file.open() || size < sizeof(Frame) || !file.read(head.data(), head.size())) {
    result.fault = file.open() ? "it is cut off in its header" : "it cannot be opened";
    return result;
  }
  Frame frame;
  std::memcpy(&frame, head.data(), head.size());
  result.fault = frame_fault(frame, name, size);
  if (!result.fault.empty()) return result;
  std::string payload(frame.payload_bytes, '\0');
  if (!file.read(payload.data(), payload.size()))
    result.fault = "it cannot be read to its end";
  else if (XXH3_64bits(payload.data(), payload.size()) != frame.payload_checksum)
    result.fault = "its content does not fit its checksum";
  else if (!parse_payload(payload, result.set.blobs))
    result.fault = "its content has no sound structure";
  result.run_key = result.set.run_key = frame.run_key;
  result.set.task = frame.task;
  result.set.generation = frame.generation;
  return result;
}

void warn_of_missing(const std::string& folder, const std::vector<Name>& names,
                     std::vector<std::string>& warnings) {
  for (const auto& [listed, sum] : read_manifest(folder)) {
    const auto there = [&listed = listed](const Name& name) { return name.text() == listed; };
    if (std::none_of(names.begin(), names.end(), there))
      warnings.push_back("the checkpoint '" + listed + "' stands in " + folder + "/" + manifest_name +
                         " but its file is missing");
    else if (frame_checksum_of(folder + "/" + listed) != sum)
      warnings.push_back("the checkpoint '" + listed + "' is not the file that " + folder + "/" +
                         manifest_name + " lists");
  }
}

}  // namespace

void write_checkpoint(const std::string& folder, const CheckpointSet& set) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw ResourceError("the folder '" + folder + "' for checkpoints cannot be made: " + error.message());
  remove_unfinished(folder);
  const std::string payload = payload_of(set);
  Frame frame;
  frame.run_key = set.run_key;
  frame.task = set.task;
  frame.generation = set.generation;
  frame.payload_bytes = payload.size();
  frame.payload_checksum = XXH3_64bits(payload.data(), payload.size());
  frame.frame_checksum = checksum(frame);
  std::array<char, sizeof(Frame)> head{};
  std::memcpy(head.data(), &frame, head.size());
  write_whole(folder, Name{set.task, set.generation}.text(), {head.data(), head.size()}, payload);

  const Name written{set.task, set.generation};
  std::vector<Name> kept = sets_in(folder), dropped;
  const auto newer = std::upper_bound(kept.begin(), kept.end(), written);
  dropped.assign(newer, kept.end());
  kept.erase(newer, kept.end());
  const auto old = static_cast<std::ptrdiff_t>(kept.size() > sets_kept ? kept.size() - sets_kept : 0);
  dropped.insert(dropped.end(), kept.begin(), kept.begin() + old);
  kept.erase(kept.begin(), kept.begin() + old);
  write_manifest(folder, kept);
  for (const Name& name : dropped) ::unlink((folder + "/" + name.text()).c_str());
}

std::optional<CheckpointSet> read_newest_checkpoint(const std::string& folder, std::uint64_t run_key,
                                                    std::vector<std::string>& warnings) {
  const std::vector<Name> names = sets_in(folder);
  warn_of_missing(folder, names, warnings);
  bool other_run = false;
  std::string faults;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    Loaded loaded = load(folder, *name);
    if (loaded.fault.empty() && loaded.run_key == run_key) return std::move(loaded.set);
    if (loaded.fault.empty()) {
      other_run = true;
      continue;
    }
    warnings.push_back("the checkpoint '" + folder + "/" + name->text() + "' is skipped: " + loaded.fault);
    faults += "\n  " + name->text() + ": " + loaded.fault;
  }
  if (names.empty()) return {};
  if (other_run)
    throw InputError(
        "the checkpoints in '" + folder +
        "' belong to another run; resume with the run file that made them, or choose another folder");
  throw CheckpointError("no checkpoint in '" + folder + "' is good:" + faults +
                        "\nrestore a copy of the folder, or start the run again in another one");
}

}  // namespace atl
