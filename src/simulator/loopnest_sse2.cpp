// Packs of 2 rows, in registers of 16 bytes: every x86-64 has them.
#include <cstring>

#include "loopnest_kernel.hpp"
#include "loopnest_pack.hpp"

namespace atl::loopnest {

template <>
std::uint32_t PackKernel<2>::read(const Program& program, PackState<2>& state) {
  return Kernel<2>::read(program, state);
}

template <>
void PackKernel<2>::count(const Program& program, const PackHardware<2>& hardware, PackState<2>& state,
                          Real* columns) {
  Kernel<2>::count(program, hardware, state, columns);
}

}  // namespace atl::loopnest
