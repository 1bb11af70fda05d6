// Packs of 4 rows, in registers of 32 bytes.
#include <cstring>

#include "loopnest_pack.hpp"

#pragma GCC push_options
#pragma GCC target("avx2")
#include "loopnest_kernel.hpp"

namespace atl::loopnest {

template <>
std::uint32_t PackKernel<4>::read(const Program& program, PackState<4>& state) {
  return Kernel<4>::read(program, state);
}

template <>
void PackKernel<4>::count(const Program& program, const PackHardware<4>& hardware, PackState<4>& state,
                          Real* columns) {
  Kernel<4>::count(program, hardware, state, columns);
}

}  // namespace atl::loopnest
#pragma GCC pop_options
