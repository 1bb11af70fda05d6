// Packs of 8 rows, in registers of 64 bytes.
#include <cstring>

#include "loopnest_pack.hpp"

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#include "loopnest_kernel.hpp"

namespace atl::loopnest {

template <>
std::uint32_t PackKernel<8>::read(const Program& program, PackState<8>& state) {
  return Kernel<8>::read(program, state);
}

template <>
void PackKernel<8>::count(const Program& program, const PackHardware<8>& hardware, PackState<8>& state,
                          Real* columns) {
  Kernel<8>::count(program, hardware, state, columns);
}

}  // namespace atl::loopnest
#pragma GCC pop_options
