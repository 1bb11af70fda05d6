// A guard for JSON that comes from users: reading, copying and printing a value takes a function call for
// each bracket around it, so that a line of 200,000 brackets ends the program where it should be refused.
#pragma once

#include <cstddef>
#include <string_view>

namespace atl {

/// No text of ours, nor of the tools we read, has more brackets around a value than seven.
inline constexpr std::size_t most_json_nesting = 64;

/// How deep the brackets of a JSON text nest, those within strings left out. Text that is no JSON is fine.
std::size_t json_nesting(std::string_view text);

/// Ask before the text is parsed.
inline bool nests_too_deep(std::string_view text) {
  return json_nesting(text) > most_json_nesting;
}

}  // namespace atl
