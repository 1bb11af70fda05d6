// Counts the allocations of this test program, so that a test can show that there are none.
#pragma once

#include <cstdint>

namespace atl::test {

/// Calls of operator new since the program began.
std::uint64_t allocation_count();

}  // namespace atl::test
