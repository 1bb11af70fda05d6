// YAML documents whose every error names file, line and column. A thin, read-only view over yaml-cpp
// that keeps the library out of our headers, refuses unknown and doubled keys, and offers the nearest
// right name for a misspelt one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atoll/base/error.hpp"

namespace atl {

class YamlNode {
 public:
  /// Reads a file. InputError: missing, unreadable, malformed, empty, doubled keys.
  static YamlNode load(const std::string& path);
  /// Parses text; `name` stands for the file in messages.
  static YamlNode parse(const std::string& text, const std::string& name);

  bool is_map() const;
  bool is_sequence() const;
  bool is_scalar() const;
  bool is_null() const;

  /// Where this node stands in its file.
  SourcePlace place() const;
  /// The dotted path from the root ("islands.size"), for messages.
  const std::string& path() const { return path_; }
  /// Throws InputError at this node: "file:line:col: <path>: <text>".
  [[noreturn]] void fail(const std::string& text) const;

  /// A key that must be there / may be there. The node must be a map.
  YamlNode at(std::string_view key) const;
  std::optional<YamlNode> find(std::string_view key) const;
  /// All (key, value) pairs of a map in file order.
  std::vector<std::pair<std::string, YamlNode>> entries() const;
  /// All elements of a sequence; a scalar counts as a sequence of one if `or_scalar`.
  std::vector<YamlNode> elements(bool or_scalar = false) const;
  /// Refuses every key that is not in the list, naming the nearest one that is.
  void expect_keys(const std::vector<std::string>& known) const;

  /// Scalars, converted strictly ("3.0" is no integer); InputError says what was expected.
  std::string text() const;
  std::int64_t integer(std::int64_t low, std::int64_t high) const;
  double number(double low, double high) const;
  bool boolean() const;
  /// A quantity with a unit; see base/units.hpp for what each accepts.
  double quantity(std::string_view dimension) const;
  /// One of the given names, as its index; the message lists them and the nearest.
  std::size_t choice(const std::vector<std::string>& names) const;

 private:
  struct Document;
  YamlNode(std::shared_ptr<const Document> document, std::size_t index, std::string path);
  std::shared_ptr<const Document> document_;
  std::size_t index_ = 0;
  std::string path_;
};

/// The name of `known` with the smallest edit distance to `name`, if it is near enough to be a slip.
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& known);
/// "; did you mean 'x'?" or "" -- ready to append to a message.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace atl
