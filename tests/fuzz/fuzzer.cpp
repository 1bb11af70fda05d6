// One libFuzzer program per target: fuzz_<target> tests/data/fuzz/<target> -max_total_time=60
#include <cstdint>
#include <cstdlib>

#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const atl::fuzz::Target& target : atl::fuzz::targets)
    if (target.name == ATOLL_FUZZ_TARGET) atl::fuzz::run(target, text);
  return 0;
}
