// The address of a content: a 64-bit key that follows from
// the text alone, on every machine and in every version.
#pragma once

#include <cstdint>
#include <string_view>

namespace atl {

/// Never changes between versions: stores are addressed by it. Not for protection against intent.
std::uint64_t content_key(std::string_view text);

}  // namespace atl
