// The HDF5 C API, each call that we need wrapped once: handles that close
// themselves, and failures that become our errors with the deepest reason
// of the library's own stack. Included by sources of this room only.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl::h5 {

/// Before any other call: no file locking by the library (it fails on many
/// cluster file systems; we lock ourselves), no clean-up at exit (a file
/// that could not be closed must stay as it is), no printing of errors.
void start();

/// ResourceError if the operating system refused (full disk, quota, ...), else StoreError.
[[noreturn]] void fail(std::string_view action, std::string_view name);
template <class T>
T check(T value, std::string_view action, std::string_view name) {
  if (value < 0) fail(action, name);
  return value;
}

class Id {
 public:
  using Close = herr_t (*)(hid_t);
  Id() = default;
  Id(hid_t id, Close close) : id_(id), close_(close) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Id& operator=(Id&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      close_ = other.close_;
    }
    return *this;
  }
  ~Id() { reset(); }
  void reset() {
    if (id_ >= 0) close_(id_);
    id_ = -1;
  }
  /// Gives the handle up without closing it.
  void abandon() { id_ = -1; }
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

Id create_file(const std::string& path);
/// Flags as H5Fopen's.
Id open_file(const std::string& path, unsigned flags);
void close_file(Id& file, const std::string& path);
void start_swmr(hid_t file, const std::string& path);
/// The file descriptor of the sec2 driver.
int descriptor(hid_t file, const std::string& path);
std::uint64_t end_of_allocation(hid_t file, const std::string& path);

Id make_group(hid_t parent, const std::string& name);
bool exists(hid_t parent, const std::string& name);
Id open_dataset(hid_t parent, const std::string& name);
/// width 0: one-dimensional. Rows are unlimited, chunks hold chunk_rows of them, nothing is filled in.
Id make_appendable(hid_t parent, const std::string& name, hid_t type, std::size_t width,
                   std::size_t chunk_rows);
/// rows x columns of u8, allocated at once.
Id make_words(hid_t parent, const std::string& name, std::size_t rows, std::size_t columns);
/// Gives a type a name in the file: datasets made with it then only point to it.
void name_type(hid_t parent, const std::string& name, hid_t type);
void make_text(hid_t parent, const std::string& name, const std::string& text);
std::string read_text(hid_t parent, const std::string& name);
void write_text_attribute(hid_t object, const std::string& name, const std::string& text);
std::string read_text_attribute(hid_t object, const std::string& name);
/// An array of fixed-length strings; nothing is written for an empty list.
void write_list_attribute(hid_t object, const std::string& name, const std::vector<std::string>& list);

void extend(hid_t dataset, std::uint64_t rows, std::size_t width, const std::string& name);
std::uint64_t rows(hid_t dataset, const std::string& name);
void write_chunk(hid_t dataset, std::uint64_t first_row, std::span<const std::uint8_t> bytes,
                 const std::string& name);
/// rows [first, first + count) as they stand in the file.
void read_rows(hid_t dataset, hid_t type, std::size_t width, std::uint64_t first, std::uint64_t count,
               void* out, const std::string& name);
void write_words_row(hid_t dataset, std::size_t row, std::span<const std::uint64_t> words,
                     const std::string& name);
std::vector<std::uint64_t> read_words(hid_t dataset, std::size_t count, const std::string& name);
void flush(hid_t dataset, const std::string& name);

}  // namespace atl::h5
