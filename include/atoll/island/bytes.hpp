// Plain values and arrays to bytes and back, in the machine's order (little endian on every machine that can
// join one job). What goes over MPI or into a checkpoint blob of the island room is written with these two.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "atoll/base/error.hpp"

namespace atl {

class ByteWriter {
 public:
  template <class T>
  void value(const T& item) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(&item, sizeof item);
  }
  /// The items alone; the reader must know how many.
  template <class T>
  void items(std::span<const T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    raw(items.data(), items.size_bytes());
  }
  /// A length and the bytes.
  void block(const void* data, std::size_t size) {
    value(static_cast<std::uint64_t>(size));
    raw(data, size);
  }
  void text(const std::string& text) { block(text.data(), text.size()); }
  void bytes(std::span<const std::uint8_t> bytes) { block(bytes.data(), bytes.size()); }

  std::vector<std::uint8_t> take() { return std::move(out_); }
  std::string take_text() const { return {out_.begin(), out_.end()}; }

 private:
  void raw(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), first, first + size);
  }

  std::vector<std::uint8_t> out_;
};

/// Reads what a ByteWriter wrote, in the same order; InternalError instead of reading past the end.
class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> in) : in_(in) {}
  explicit ByteReader(const std::string& in)
      : in_(reinterpret_cast<const std::uint8_t*>(in.data()), in.size()) {}

  template <class T>
  T value() {
    static_assert(std::is_trivially_copyable_v<T>);
    T item;
    std::memcpy(&item, take(sizeof item).data(), sizeof item);
    return item;
  }
  template <class T>
  void items(std::span<T> items) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto from = take(items.size_bytes());
    if (!from.empty()) std::memcpy(items.data(), from.data(), from.size());
  }
  std::span<const std::uint8_t> block() { return take(value<std::uint64_t>()); }
  std::string text() {
    const auto from = block();
    return {from.begin(), from.end()};
  }
  std::vector<std::uint8_t> bytes() {
    const auto from = block();
    return {from.begin(), from.end()};
  }
  bool at_end() const { return in_.empty(); }

 private:
  std::span<const std::uint8_t> take(std::uint64_t size) {
    if (size > in_.size())
      throw InternalError("a message or a checkpoint blob is shorter than its header says");
    const auto taken = in_.first(size);
    in_ = in_.subspan(size);
    return taken;
  }

  std::span<const std::uint8_t> in_;
};

}  // namespace atl
