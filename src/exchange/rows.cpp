#include "atoll/exchange/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace fs = std::filesystem;

std::string find_reference_accelerator(const RowOptions& options, const std::string& tool,
                                       const std::string& name) {
  if (!options.accelerator.empty()) return options.accelerator;
  std::vector<std::string> names;
  std::vector<std::string> folders = options.data_folders;
  folders.push_back(".");  // a program built outside the tree, called inside
  for (const std::string& folder : folders) {
    const fs::path shipped = fs::path(folder) / "accelerators" / "reference" / tool;
    if (!fs::is_directory(shipped)) continue;
    for (const auto& entry : fs::directory_iterator(shipped)) {
      if (entry.path().extension() != ".yaml") continue;
      if (entry.path().stem() == name) return entry.path().string();
      names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // folders may be the same one
  throw InputError(fmt::format("there is no accelerator '{}' of {}{}; known are: {}", name, tool,
                               suggestion(name, names), join(names, ", ")));
}

}  // namespace atl
