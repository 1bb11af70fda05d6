#include "atoll/base/error.hpp"

namespace atl {

std::string SourcePlace::prefix() const {
  if (file.empty()) return {};
  std::string text = file;
  if (line > 0) text.append(":").append(std::to_string(line));
  if (line > 0 && column > 0) text.append(":").append(std::to_string(column));
  return text.append(": ");
}

}  // namespace atl
