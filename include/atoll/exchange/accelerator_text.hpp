// The other direction of read_accelerator(): an accelerator as the text of an accelerators/*.yaml file, with
// the source of every figure beside it. Figures are written with as many digits as they need to come back the
// same.
#pragma once

#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"

namespace atl {

/// `comments` become lines of a comment at the top. parse_accelerator() of the result gives the same figures,
/// bit for bit, apart from the section `execution`, which no other tool has and which is not written. A
/// figure without an entry in `accelerator.sources` is written with "estimate".
std::string accelerator_text(const Accelerator& accelerator, const std::vector<std::string>& comments);

}  // namespace atl
