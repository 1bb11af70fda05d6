// Where the value of a key comes from: the run file, or `--set key=value` on top of it. Also the YAML text of
// a part of the document, for the configuration as used.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atoll/base/yaml.hpp"

namespace atl {

/// One line of YAML (flow style) that parses to the same values.
std::string flow_text(const YamlNode& node);
/// `text` as a YAML scalar: quoted where a bare word would read as something else.
std::string scalar_text(const std::string& text);

class SettingsSource {
 public:
  /// InputError if an override is not "key=value", or its value is no YAML.
  SettingsSource(YamlNode root, const std::vector<std::string>& overrides);

  /// Refuses keys of the file and of --set that are not in `keys` (dotted). What stands below a key of
  /// `open_keys` is free: its own reader checks it.
  void expect_keys(const std::vector<std::string>& keys, const std::vector<std::string>& open_keys) const;
  /// The value of a dotted key; overrides below the key are merged into it.
  std::optional<YamlNode> find(const std::string& key) const;
  /// Names of the children of a map at `key`, in file order, then those only --set has.
  std::vector<std::string> children(const std::string& key) const;

 private:
  struct Override {
    std::string key;
    YamlNode value;
  };
  std::optional<YamlNode> in_file(const std::string& key) const;
  void expect_keys_below(const YamlNode& node, const std::string& prefix,
                         const std::vector<std::string>& keys) const;

  YamlNode root_;
  std::vector<Override> overrides_;
};

}  // namespace atl
