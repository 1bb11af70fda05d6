#include "drawn_mappings.hpp"

#include <fmt/format.h>

#include "atoll/simulator/simulator.hpp"

namespace atl::test {

std::string seen_by_simulators(const Accelerator& accelerator) {
  const HardwareRow row = hardware_row(accelerator);
  std::string text;
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    text += fmt::format(
        "{} keep {} may {} size {} buffering {} shared {} read {} write {} pJ/bit {:.12g} {:.12g} leak {} "
        "area {}",
        level.name, level.keep, level.may_keep, row.size[l], static_cast<int>(level.buffering),
        level.shared_port, row.read_bandwidth[l], level.shared_port ? 0 : row.write_bandwidth[l],
        row.read_energy[l], row.write_energy[l], row.leakage[l], level.area);
    for (const double bits : row.word_bits[l]) text += fmt::format(" {}b", bits);
    if (const Fanout* fanout = accelerator.fanout_below(l); fanout && fanout->x * fanout->y > 1)
      text += fmt::format(" fanout {} x {} {} {} hop {:.12g}", fanout->x, fanout->y, fanout->multicast,
                          fanout->reduction, row.hop_energy[l]);
    text += '\n';
  }
  return text + fmt::format("mac {} pJ {} um2\n", row.compute_energy, accelerator.compute.area);
}

}  // namespace atl::test
