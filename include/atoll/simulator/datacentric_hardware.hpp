// The hardware that MAESTRO's model knows: PEs with a private L1, one shared L2, a network with a width and a
// latency, and the width of the path to DRAM. One element is one byte. MAESTRO has the energies of MAC, L1
// and L2; those of DRAM and of the network are ours.
#pragma once

#include <cstdint>
#include <string>

namespace atl {

inline constexpr std::int32_t most_datacentric_pes = 1 << 20;

struct DatacentricHardware {
  std::string name;
  std::int32_t pes = 1;
  std::int32_t simd_lanes = 1;         // MACs per PE and cycle
  std::int64_t l1_bytes = 0;           // per PE
  std::int64_t l2_bytes = 0;           // shared
  std::int32_t noc_bandwidth = 1;      // elements per cycle
  std::int32_t noc_latency = 1;        // cycles (hops * latency of a hop)
  std::int32_t offchip_bandwidth = 1;  // elements per cycle
  double mac_energy = 0.00023;         // nJ
  double l1_energy = 1.68;             // an access, in MACs
  double l2_energy = 18.61;            // an access, in MACs
  double dram_energy = 0;              // nJ per element
  double noc_energy = 0;               // nJ per element between L2 and L1
};

/// Reads accelerators/reference/maestro/*.yaml:
///
///   name: edge
///   num_pes: 168
///   simd_lanes: 1
///   l1_size: 512 B
///   l2_size: 108000 B
///   noc_bw: 64                    # elements/cycle
///   noc_latency: 1                # cycles
///   offchip_bw: 70000             # elements/cycle
///   energy: {mac: 0.00023, l1_per_mac: 1.68, l2_per_mac: 18.61, dram: 0.32, noc: 0.00046}    # nJ; nJ an
///   element sources: {num_pes: "...", energy.mac: "...", ...}         # one for each figure
///
/// InputError with the place for unknown keys, values out of range and a figure without a source.
DatacentricHardware read_datacentric_hardware(const std::string& path);
/// The same from text; `file` stands for it in messages.
DatacentricHardware parse_datacentric_hardware(const std::string& text, const std::string& file);

/// Area and power as MAESTRO adds them up, PE by PE, for buffers of the needed (not the given) size.
struct DatacentricArea {
  double area = 0;                                                            // um2
  double power = 0, pe_power = 0, l1_power = 0, l2_power = 0, noc_power = 0;  // mW
};
DatacentricArea datacentric_area(const DatacentricHardware& hardware, std::int32_t l1_bytes,
                                 std::int32_t l2_bytes);

}  // namespace atl
