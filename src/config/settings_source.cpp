#include "settings_source.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/text.hpp"

namespace atl {

namespace {

bool is_below(const std::string& key, const std::string& parent) {
  return key.size() > parent.size() && key.starts_with(parent) && key[parent.size()] == '.';
}

bool is_bare(const std::string& text) {
  constexpr std::string_view words[] = {"null", "Null", "NULL", "~", "-", "---", "..."};
  if (text.empty() || std::find(std::begin(words), std::end(words), text) != std::end(words)) return false;
  if (text.front() == ' ' || text.back() == ' ') return false;
  const std::string_view inner = "_./+-^*() ";
  const bool letters_only = std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           inner.find(c) != std::string_view::npos;
  });
  const std::string_view indicators = "*-";
  return letters_only && (indicators.find(text.front()) == std::string_view::npos ||
                          (text.size() > 1 && text[0] == '-' && text[1] >= '0' && text[1] <= '9'));
}

// A value as a tree that can be changed, only to lay --set over it.
struct Tree {
  enum class Kind { null, scalar, sequence, map } kind = Kind::null;
  std::string scalar;
  std::vector<std::pair<std::string, Tree>> children;  // empty names in a sequence

  static Tree of(const YamlNode& node) {
    Tree tree;
    if (node.is_scalar()) {
      tree.kind = Kind::scalar;
      tree.scalar = node.text();
    } else if (node.is_sequence()) {
      tree.kind = Kind::sequence;
      for (const YamlNode& element : node.elements()) tree.children.emplace_back("", of(element));
    } else if (node.is_map()) {
      tree.kind = Kind::map;
      for (const auto& [key, value] : node.entries()) tree.children.emplace_back(key, of(value));
    }
    return tree;
  }

  void set(const std::vector<std::string>& path, std::size_t depth, Tree value) {
    if (depth == path.size()) {
      *this = std::move(value);
      return;
    }
    if (kind != Kind::map) *this = Tree{Kind::map, {}, {}};
    auto child = std::find_if(children.begin(), children.end(),
                              [&](const auto& entry) { return entry.first == path[depth]; });
    if (child == children.end()) child = children.emplace(children.end(), path[depth], Tree{});
    child->second.set(path, depth + 1, std::move(value));
  }

  std::string text() const {
    if (kind == Kind::null) return "~";
    if (kind == Kind::scalar) return scalar_text(scalar);
    std::vector<std::string> parts;
    for (const auto& [key, value] : children) {
      parts.push_back(kind == Kind::map ? scalar_text(key) + ": " + value.text() : value.text());
    }
    const std::string inside = join(parts, ", ");
    return kind == Kind::map ? fmt::format("{{{}}}", inside) : fmt::format("[{}]", inside);
  }
};

}  // namespace

std::string scalar_text(const std::string& text) {
  if (is_bare(text)) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (c == '\n') {
      quoted += "\\n";
    } else if (c == '\t') {
      quoted += "\\t";
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string flow_text(const YamlNode& node) {
  return Tree::of(node).text();
}

SettingsSource::SettingsSource(YamlNode root, const std::vector<std::string>& overrides)
    : root_(std::move(root)) {
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw InputError(
          fmt::format("--set: expected key=value, found '{}'; for example islands.size=100", text));
    }
    const std::string key(trimmed(text.substr(0, equals)));
    overrides_.push_back({key, YamlNode::parse(text.substr(equals + 1), "--set " + key)});
  }
}

void SettingsSource::expect_keys(const std::vector<std::string>& keys,
                                 const std::vector<std::string>& open_keys) const {
  expect_keys_below(root_, "", keys);
  for (const Override& given : overrides_) {
    const auto is_known = [&](const std::string& key) { return key == given.key; };
    const auto is_open = [&](const std::string& key) { return is_below(given.key, key); };
    if (std::any_of(keys.begin(), keys.end(), is_known)) continue;
    if (std::any_of(open_keys.begin(), open_keys.end(), is_open)) continue;
    const auto is_section = [&](const std::string& key) { return is_below(key, given.key); };
    if (std::any_of(keys.begin(), keys.end(), is_section)) {
      throw InputError(fmt::format("--set: '{}' is a section; set its keys one by one, as {}.KEY=VALUE",
                                   given.key, given.key));
    }
    throw InputError(fmt::format("--set: unknown key '{}'{}; `atoll describe config` lists all keys",
                                 given.key, suggestion(given.key, keys)));
  }
}

void SettingsSource::expect_keys_below(const YamlNode& node, const std::string& prefix,
                                       const std::vector<std::string>& keys) const {
  std::vector<std::string> names;
  for (const std::string& key : keys) {
    if (!prefix.empty() && !is_below(key, prefix)) continue;
    const std::string rest = prefix.empty() ? key : key.substr(prefix.size() + 1);
    const std::string name = split(rest, '.').front();
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  node.expect_keys(names);
  for (const auto& [name, child] : node.entries()) {
    const std::string key = prefix.empty() ? name : prefix + "." + name;
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) expect_keys_below(child, key, keys);
  }
}

std::optional<YamlNode> SettingsSource::in_file(const std::string& key) const {
  YamlNode node = root_;
  for (const std::string& name : split(key, '.')) {
    if (!node.is_map()) return std::nullopt;
    auto child = node.find(name);
    if (!child) return std::nullopt;
    node = *child;
  }
  return node;
}

std::optional<YamlNode> SettingsSource::find(const std::string& key) const {
  std::optional<YamlNode> found = in_file(key);
  for (const Override& given : overrides_) {
    if (given.key == key) {
      found = given.value;
    } else if (is_below(given.key, key)) {
      Tree tree = found ? Tree::of(*found) : Tree{};
      tree.set(split(given.key.substr(key.size() + 1), '.'), 0, Tree::of(given.value));
      found = YamlNode::parse(tree.text(), fmt::format("{} with --set {}", key, given.key));
    }
  }
  return found;
}

std::vector<std::string> SettingsSource::children(const std::string& key) const {
  std::vector<std::string> names;
  const auto found = find(key);
  if (!found) return names;
  for (const auto& [name, child] : found->entries()) names.push_back(name);
  return names;
}

}  // namespace atl
