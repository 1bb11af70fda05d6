// Small helpers for text that several rooms need.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Without white space (space, tab, CR, LF) at both ends.
std::string_view trimmed(std::string_view text);
/// The parts between separators; empty parts are kept, so n separators give n + 1 parts.
std::vector<std::string> split(std::string_view text, char separator);
/// The parts with `between` in between them.
std::string join(const std::vector<std::string>& parts, std::string_view between);
/// Number of insertions, deletions, replacements and swaps of neighbours that turn one text into the
/// other (optimal string alignment). Upper and lower case are different letters.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace atl
