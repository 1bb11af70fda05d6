#include "hdf5.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "atoll/base/error.hpp"

namespace atl::h5 {
namespace {

struct Reason {
  std::string text;
  int error = 0;
};

int error_number(const char* text) {
  const char* found = std::strstr(text, "errno = ");
  return found == nullptr ? 0 : std::atoi(found + 8);
}

herr_t collect(unsigned, const H5E_error2_t* entry, void* out) {
  auto& reason = *static_cast<Reason*>(out);
  if (entry->desc == nullptr) return 0;
  if (const int error = error_number(entry->desc); error != 0) {
    reason.error = error;
    reason.text = std::strerror(error);
  } else if (reason.error == 0) {
    reason.text = entry->desc;
  }
  return 0;
}

bool refused_by_system(int error) {
  constexpr std::array<int, 11> known = {ENOSPC, EDQUOT, EFBIG,  EROFS,  EIO,   EACCES,
                                         EPERM,  ENOENT, ESTALE, ENOMEM, ENODEV};
  return std::find(known.begin(), known.end(), error) != known.end();
}

Id own(hid_t id, Id::Close close, std::string_view action, std::string_view name) {
  return {check(id, action, name), close};
}

// A follower that meets a block half written reads it again, waiting twice as long each time; the library's
// 100 attempts would take years on a damaged file.
constexpr unsigned read_attempts = 22;
constexpr hsize_t page_bytes = 4096;

Id file_access() {
  Id list = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "prepare", "file access");
  check(H5Pset_libver_bounds(list.get(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST), "set", "format version");
  check(H5Pset_sieve_buf_size(list.get(), 0), "set", "sieve buffer");
  // A kill may end a write between two pages: a block of metadata that lies in one page is never torn.
  check(H5Pset_alignment(list.get(), 1, page_bytes), "set", "alignment");
  check(H5Pset_meta_block_size(list.get(), 0), "set", "size of metadata blocks");
  check(H5Pset_metadata_read_attempts(list.get(), read_attempts), "set", "read attempts");
  return list;
}

Id simple_space(std::initializer_list<hsize_t> size) {
  return own(H5Screate_simple(static_cast<int>(size.size()), size.begin(), nullptr), H5Sclose, "make",
             "space");
}

Id text_type(std::size_t length) {
  Id type = own(H5Tcopy(H5T_C_S1), H5Tclose, "make", "text type");
  check(H5Tset_size(type.get(), std::max<std::size_t>(length, 1)), "size", "text type");
  check(H5Tset_cset(type.get(), H5T_CSET_UTF8), "set", "character set");
  check(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "set", "padding");
  return type;
}

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\0') text.pop_back();
  return text;
}

}  // namespace

void start() {
  static const bool started = [] {
    ::setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    return true;
  }();
  static_cast<void>(started);
}

void fail(std::string_view action, std::string_view name) {
  Reason reason;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, collect, &reason);
  H5Eclear2(H5E_DEFAULT);
  const std::string text =
      "HDF5 cannot " + std::string(action) + " '" + std::string(name) + "': " + reason.text;
  if (refused_by_system(reason.error)) throw ResourceError(text + "; free space or choose another folder");
  throw StoreError(text);
}

Id create_file(const std::string& path) {
  const Id access = file_access();
  return own(H5Fcreate(path.c_str(), H5F_ACC_EXCL, H5P_DEFAULT, access.get()), H5Fclose, "create", path);
}

Id open_file(const std::string& path, unsigned flags) {
  const Id access = file_access();
  return own(H5Fopen(path.c_str(), flags, access.get()), H5Fclose, "open", path);
}

void close_file(Id& file, const std::string& path) {
  const hid_t id = file.get();
  file.abandon();
  check(H5Fclose(id), "close", path);
}

void start_swmr(hid_t file, const std::string& path) {
  check(H5Fstart_swmr_write(file), "start single-writer mode of", path);
}

int descriptor(hid_t file, const std::string& path) {
  void* handle = nullptr;
  check(H5Fget_vfd_handle(file, H5P_DEFAULT, &handle), "ask for the descriptor of", path);
  return *static_cast<int*>(handle);
}

std::uint64_t end_of_allocation(hid_t file, const std::string& path) {
  haddr_t end = 0;
  check(H5Fget_eoa(file, &end), "ask for the size of", path);
  return end;
}

Id make_group(hid_t parent, const std::string& name) {
  return own(H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "make group",
             name);
}

bool exists(hid_t parent, const std::string& name) {
  for (std::size_t slash = name.find('/');; slash = name.find('/', slash + 1)) {
    if (check(H5Lexists(parent, name.substr(0, slash).c_str(), H5P_DEFAULT), "look for", name) == 0)
      return false;
    if (slash == std::string::npos) return true;
  }
}

Id open_dataset(hid_t parent, const std::string& name) {
  Id access = own(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose, "prepare", name);
  check(H5Pset_chunk_cache(access.get(), 521, 4U << 20U, 0.75), "set", "chunk cache");
  return own(H5Dopen2(parent, name.c_str(), access.get()), H5Dclose, "open dataset", name);
}

Id make_appendable(hid_t parent, const std::string& name, hid_t type, std::size_t width,
                   std::size_t chunk_rows) {
  const int rank = width == 0 ? 1 : 2;
  const std::array<hsize_t, 2> size = {0, width}, most = {H5S_UNLIMITED, width}, chunk = {chunk_rows, width};
  const Id space = own(H5Screate_simple(rank, size.data(), most.data()), H5Sclose, "make space of", name);
  const Id list = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "prepare", name);
  check(H5Pset_chunk(list.get(), rank, chunk.data()), "set chunks of", name);
  check(H5Pset_alloc_time(list.get(), H5D_ALLOC_TIME_INCR), "set allocation of", name);
  Id links = own(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "prepare", name);
  check(H5Pset_create_intermediate_group(links.get(), 1), "prepare", name);
  return own(H5Dcreate2(parent, name.c_str(), type, space.get(), links.get(), list.get(), H5P_DEFAULT),
             H5Dclose, "make dataset", name);
}

Id make_words(hid_t parent, const std::string& name, std::size_t rows, std::size_t columns) {
  const Id space = simple_space({rows, columns});
  const Id list = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "prepare", name);
  check(H5Pset_layout(list.get(), H5D_CONTIGUOUS), "lay out", name);
  check(H5Pset_alloc_time(list.get(), H5D_ALLOC_TIME_EARLY), "set allocation of", name);
  return own(
      H5Dcreate2(parent, name.c_str(), H5T_STD_U64LE, space.get(), H5P_DEFAULT, list.get(), H5P_DEFAULT),
      H5Dclose, "make dataset", name);
}

void name_type(hid_t parent, const std::string& name, hid_t type) {
  check(H5Tcommit2(parent, name.c_str(), type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), "name type", name);
}

void make_text(hid_t parent, const std::string& name, const std::string& text) {
  const Id type = text_type(text.size());
  const Id space = own(H5Screate(H5S_SCALAR), H5Sclose, "make space of", name);
  const Id set =
      own(H5Dcreate2(parent, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          H5Dclose, "make dataset", name);
  const std::string padded = text.empty() ? std::string(1, '\0') : text;
  check(H5Dwrite(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), "write", name);
}

std::string read_text(hid_t parent, const std::string& name) {
  const Id set = open_dataset(parent, name);
  const Id type = own(H5Dget_type(set.get()), H5Tclose, "ask for the type of", name);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0)
    fail("read as text", name);
  std::string text(H5Tget_size(type.get()), '\0');
  check(H5Dread(set.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data()), "read", name);
  return trimmed(std::move(text));
}

void write_text_attribute(hid_t object, const std::string& name, const std::string& text) {
  const Id type = text_type(text.size());
  const Id space = own(H5Screate(H5S_SCALAR), H5Sclose, "make space of", name);
  const Id attribute =
      own(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
          "make attribute", name);
  const std::string padded = text.empty() ? std::string(1, '\0') : text;
  check(H5Awrite(attribute.get(), type.get(), padded.data()), "write", name);
}

std::string read_text_attribute(hid_t object, const std::string& name) {
  if (check(H5Aexists(object, name.c_str()), "look for", name) == 0) return {};
  const Id attribute = own(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose, "open attribute", name);
  const Id type = own(H5Aget_type(attribute.get()), H5Tclose, "ask for the type of", name);
  if (H5Tget_class(type.get()) != H5T_STRING || H5Tis_variable_str(type.get()) != 0) return {};
  std::string text(static_cast<std::size_t>(H5Aget_storage_size(attribute.get())), '\0');
  check(H5Aread(attribute.get(), type.get(), text.data()), "read", name);
  return trimmed(std::move(text));
}

void write_list_attribute(hid_t object, const std::string& name, const std::vector<std::string>& list) {
  if (list.empty()) return;
  std::size_t length = 1;
  for (const std::string& text : list) length = std::max(length, text.size());
  std::string bytes(length * list.size(), '\0');
  for (std::size_t i = 0; i < list.size(); ++i) list[i].copy(bytes.data() + i * length, length);
  const Id type = text_type(length);
  const Id space = simple_space({list.size()});
  const Id attribute =
      own(H5Acreate2(object, name.c_str(), type.get(), space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
          "make attribute", name);
  check(H5Awrite(attribute.get(), type.get(), bytes.data()), "write", name);
}

void extend(hid_t dataset, std::uint64_t rows, std::size_t width, const std::string& name) {
  const std::array<hsize_t, 2> size = {rows, width};
  check(H5Dset_extent(dataset, size.data()), "extend", name);
}

std::uint64_t rows(hid_t dataset, const std::string& name) {
  const Id space = own(H5Dget_space(dataset), H5Sclose, "ask for the size of", name);
  std::array<hsize_t, 4> size{};
  if (check(H5Sget_simple_extent_ndims(space.get()), "ask for the rank of", name) > 4) fail("read", name);
  check(H5Sget_simple_extent_dims(space.get(), size.data(), nullptr), "ask for the size of", name);
  return size[0];
}

void write_chunk(hid_t dataset, std::uint64_t first_row, std::span<const std::uint8_t> bytes,
                 const std::string& name) {
  const std::array<hsize_t, 2> offset = {first_row, 0};
  check(H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, offset.data(), bytes.size(), bytes.data()), "write", name);
}

void read_rows(hid_t dataset, hid_t type, std::size_t width, std::uint64_t first, std::uint64_t count,
               void* out, const std::string& name) {
  if (count == 0) return;
  const int rank = width == 0 ? 1 : 2;
  const std::array<hsize_t, 2> start = {first, 0}, size = {count, width};
  const Id file_space = own(H5Dget_space(dataset), H5Sclose, "ask for the size of", name);
  check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr),
        "select rows of", name);
  const Id memory = own(H5Screate_simple(rank, size.data(), nullptr), H5Sclose, "make space of", name);
  check(H5Dread(dataset, type, memory.get(), file_space.get(), H5P_DEFAULT, out), "read", name);
}

void write_words_row(hid_t dataset, std::size_t row, std::span<const std::uint64_t> words,
                     const std::string& name) {
  const std::array<hsize_t, 2> start = {row, 0}, size = {1, words.size()};
  const Id file_space = own(H5Dget_space(dataset), H5Sclose, "ask for the size of", name);
  check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr),
        "select rows of", name);
  const Id memory = own(H5Screate_simple(2, size.data(), nullptr), H5Sclose, "make space of", name);
  check(H5Dwrite(dataset, H5T_STD_U64LE, memory.get(), file_space.get(), H5P_DEFAULT, words.data()), "write",
        name);
}

std::vector<std::uint64_t> read_words(hid_t dataset, std::size_t count, const std::string& name) {
  const Id space = own(H5Dget_space(dataset), H5Sclose, "ask for the size of", name);
  if (H5Sget_simple_extent_npoints(space.get()) != static_cast<hssize_t>(count))
    fail("find the expected size of", name);
  std::vector<std::uint64_t> words(count);
  check(H5Dread(dataset, H5T_STD_U64LE, H5S_ALL, H5S_ALL, H5P_DEFAULT, words.data()), "read", name);
  return words;
}

void flush(hid_t dataset, const std::string& name) {
  check(H5Dflush(dataset), "flush", name);
}

}  // namespace atl::h5
