// The table of all keys of a run file.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "atoll/config/run_file.hpp"

namespace atl {

class YamlNode;

struct RunKey {
  std::string name;  // dotted
  std::string type;  // with the range
  std::string documentation;
  std::function<void(const YamlNode&, RunFile&)> read;  // none for `policies`, which are read one by one
  std::function<std::string(const RunFile&)> write;     // the value as YAML; "" where there is none
  bool open = false;                                    // holds a map of its own that --set may reach into
};

const std::vector<RunKey>& run_keys();

}  // namespace atl
