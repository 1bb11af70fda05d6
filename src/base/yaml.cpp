#include "atoll/base/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "atoll/base/files.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

enum class Kind : std::uint8_t { null, scalar, sequence, map };

struct Child {
  std::string key;  // empty in a sequence
  SourcePlace key_place;
  std::size_t node = 0;
};

struct Entry {
  Kind kind = Kind::null;
  SourcePlace place;
  std::string scalar;
  std::vector<Child> children;
};

// Aliases may nest without end or multiply; no file of ours comes near these.
constexpr std::size_t max_depth = 100;
constexpr std::size_t max_nodes = 5'000'000;

SourcePlace place_of(const std::string& file, const YAML::Mark& mark) {
  if (mark.is_null()) return {file, 0, 0};
  return {file, mark.line + 1, mark.column + 1};
}

// Walks through a text without building it. yaml-cpp's LoadAll() never ends on some malformed texts: it finds
// one empty document after the other where it stands. Here the second one is an error.
class OneDocument final : public YAML::EventHandler {
 public:
  explicit OneDocument(const std::string& file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw InputError(place_of(file_, mark), "a second document starts here; only one is allowed");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnAlias(const YAML::Mark& /*mark*/, YAML::anchor_t /*anchor*/) override {}
  void OnScalar(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                const std::string& /*value*/) override {}
  void OnSequenceStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                       YAML::EmitterStyle::value /*style*/) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& /*mark*/, const std::string& /*tag*/, YAML::anchor_t /*anchor*/,
                  YAML::EmitterStyle::value /*style*/) override {}
  void OnMapEnd() override {}

 private:
  const std::string& file_;
  int documents_ = 0;
};

void require_one_document(const std::string& text, const std::string& name) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  OneDocument handler(name);
  while (parser.HandleNextDocument(handler)) {
  }
}

class Flattener {
 public:
  explicit Flattener(std::string file) : file_(std::move(file)) {}

  std::size_t add(const YAML::Node& node, std::size_t depth) {
    const SourcePlace place = place_of(file_, node.Mark());
    if (depth > max_depth) throw InputError(place, "the document nests deeper than 100 levels; flatten it");
    if (entries.size() >= max_nodes) throw InputError(place, "the document has more than 5 million values");
    const std::size_t index = entries.size();
    entries.push_back({Kind::null, place, {}, {}});
    if (node.IsScalar()) {
      entries[index].kind = Kind::scalar;
      entries[index].scalar = node.Scalar();
    } else if (node.IsSequence()) {
      entries[index].kind = Kind::sequence;
      for (const auto& element : node) add_child(index, {}, place, element, depth);
    } else if (node.IsMap()) {
      entries[index].kind = Kind::map;
      add_pairs(index, node, depth);
    }
    return index;
  }

  std::vector<Entry> entries;

 private:
  void add_child(std::size_t parent, std::string key, const SourcePlace& place, const YAML::Node& node,
                 std::size_t depth) {
    const std::size_t child = add(node, depth + 1);
    entries[parent].children.push_back({std::move(key), place, child});
  }

  void add_pairs(std::size_t index, const YAML::Node& node, std::size_t depth) {
    for (const auto& pair : node) {
      const SourcePlace place = place_of(file_, pair.first.Mark());
      if (!pair.first.IsScalar()) throw InputError(place, "a key must be a plain word, not a list or a map");
      const std::string& key = pair.first.Scalar();
      for (const Child& earlier : entries[index].children) {
        if (earlier.key != key) continue;
        throw InputError(place, fmt::format("the key '{}' stands here twice, first in line {}; remove one",
                                            key, earlier.key_place.line));
      }
      add_child(index, key, place, pair.second, depth);
    }
  }

  std::string file_;
};

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "nothing";
    case Kind::scalar:
      return "a single value";
    case Kind::sequence:
      return "a list";
    case Kind::map:
      break;
  }
  return "a map";
}

std::string quoted(const std::vector<std::string>& names) {
  return join(names, ", ");
}

std::string range_text(double low, double high) {
  const bool bounded_low = std::isfinite(low) && std::abs(low) < 1e300;
  const bool bounded_high = std::isfinite(high) && std::abs(high) < 1e300;
  if (bounded_low && bounded_high) return fmt::format(" from {} to {}", low, high);
  if (bounded_low) return fmt::format(" of at least {}", low);
  return bounded_high ? fmt::format(" of at most {}", high) : "";
}

}  // namespace

struct YamlNode::Document {
  std::vector<Entry> entries;
};

YamlNode::YamlNode(std::shared_ptr<const Document> document, std::size_t index, std::string path)
    : document_(std::move(document)), index_(index), path_(std::move(path)) {}

YamlNode YamlNode::load(const std::string& path) {
  return parse(read_text_file(path), path);
}

YamlNode YamlNode::parse(const std::string& text, const std::string& name) {
  try {
    require_one_document(text, name);
    const YAML::Node root = YAML::Load(text);
    if (root.IsNull()) throw InputError(SourcePlace{name, 0, 0}, "the document is empty");
    Flattener flattener(name);
    flattener.add(root, 0);
    auto document = std::make_shared<Document>(Document{std::move(flattener.entries)});
    return {std::move(document), 0, {}};
  } catch (const YAML::Exception& error) {
    throw InputError(place_of(name, error.mark), "this is no valid YAML: " + error.msg);
  }
}

bool YamlNode::is_map() const {
  return document_->entries[index_].kind == Kind::map;
}
bool YamlNode::is_sequence() const {
  return document_->entries[index_].kind == Kind::sequence;
}
bool YamlNode::is_scalar() const {
  return document_->entries[index_].kind == Kind::scalar;
}
bool YamlNode::is_null() const {
  return document_->entries[index_].kind == Kind::null;
}

SourcePlace YamlNode::place() const {
  return document_->entries[index_].place;
}

void YamlNode::fail(const std::string& text) const {
  throw InputError(place(), path_.empty() ? text : path_ + ": " + text);
}

YamlNode YamlNode::at(std::string_view key) const {
  if (auto found = find(key)) return *found;
  std::vector<std::string> present;
  for (const Child& child : document_->entries[index_].children) present.push_back(child.key);
  fail(fmt::format("the key '{}' is missing{}", key, suggestion(key, present)));
}

std::optional<YamlNode> YamlNode::find(std::string_view key) const {
  const Entry& entry = document_->entries[index_];
  if (entry.kind != Kind::map) fail(fmt::format("expected a map of keys, found {}", name_of(entry.kind)));
  for (const Child& child : entry.children) {
    if (child.key == key) {
      return YamlNode(document_, child.node, path_.empty() ? child.key : path_ + "." + child.key);
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, YamlNode>> YamlNode::entries() const {
  const Entry& entry = document_->entries[index_];
  if (entry.kind != Kind::map) fail(fmt::format("expected a map of keys, found {}", name_of(entry.kind)));
  std::vector<std::pair<std::string, YamlNode>> all;
  for (const Child& child : entry.children) {
    all.emplace_back(child.key,
                     YamlNode(document_, child.node, path_.empty() ? child.key : path_ + "." + child.key));
  }
  return all;
}

std::vector<YamlNode> YamlNode::elements(bool or_scalar) const {
  const Entry& entry = document_->entries[index_];
  if (or_scalar && entry.kind == Kind::scalar) return {*this};
  if (entry.kind != Kind::sequence) fail(fmt::format("expected a list, found {}", name_of(entry.kind)));
  std::vector<YamlNode> all;
  for (std::size_t i = 0; i < entry.children.size(); ++i) {
    all.push_back(YamlNode(document_, entry.children[i].node, fmt::format("{}[{}]", path_, i)));
  }
  return all;
}

void YamlNode::expect_keys(const std::vector<std::string>& known) const {
  const Entry& entry = document_->entries[index_];
  if (entry.kind != Kind::map) {
    fail(fmt::format("expected a map with keys among {}, found {}", quoted(known), name_of(entry.kind)));
  }
  for (const Child& child : entry.children) {
    if (std::find(known.begin(), known.end(), child.key) != known.end()) continue;
    throw InputError(child.key_place,
                     fmt::format("{}unknown key '{}'{}; known here: {}", path_.empty() ? "" : path_ + ": ",
                                 child.key, suggestion(child.key, known), quoted(known)));
  }
}

std::string YamlNode::text() const {
  const Entry& entry = document_->entries[index_];
  if (entry.kind != Kind::scalar) fail(fmt::format("expected a single value, found {}", name_of(entry.kind)));
  return entry.scalar;
}

std::int64_t YamlNode::integer(std::int64_t low, std::int64_t high) const {
  const std::string value = text();
  std::int64_t result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  const bool is_integer = error == std::errc() && end == value.data() + value.size();
  if (!is_integer || result < low || result > high) {
    fail(fmt::format("expected a whole number from {} to {}, found '{}'", low, high, value));
  }
  return result;
}

double YamlNode::number(double low, double high) const {
  const std::string value = text();
  double result = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), result);
  const bool is_number = error == std::errc() && end == value.data() + value.size() && std::isfinite(result);
  if (!is_number || result < low || result > high) {
    fail(fmt::format("expected a number{}, found '{}'", range_text(low, high), value));
  }
  return result;
}

bool YamlNode::boolean() const {
  const std::string value = text();
  if (value == "true") return true;
  if (value == "false") return false;
  fail(fmt::format("expected true or false, found '{}'", value));
}

double YamlNode::quantity(std::string_view dimension) const {
  const std::string value = text();
  if (const auto result = parse_quantity(value, dimension)) return *result;
  const bool vowel =
      !dimension.empty() && std::string_view("aeiou").find(dimension[0]) != std::string_view::npos;
  fail(fmt::format("expected {} {} with a unit ({}), found '{}'", vowel ? "an" : "a", dimension,
                   units_of(dimension), value));
}

std::size_t YamlNode::choice(const std::vector<std::string>& names) const {
  const std::string value = text();
  const auto found = std::find(names.begin(), names.end(), value);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  fail(fmt::format("expected one of {}, found '{}'{}", quoted(names), value, suggestion(value, names)));
}

std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::optional<std::string> nearest;
  std::size_t smallest = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    // A distance of the whole word is no slip but another word.
    if (distance < smallest && distance < std::max(name.size(), candidate.size())) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const auto nearest = nearest_name(name, known);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

}  // namespace atl
