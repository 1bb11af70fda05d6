#include "atoll/simulator/datacentric_hardware.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;

const std::string good = R"(name: small
num_pes: 4
simd_lanes: 1
l1_size: 512 B
l2_size: 1 KiB
noc_bw: 8
noc_latency: 1
offchip_bw: 2
energy: {mac: 0.5, l1_per_mac: 2, l2_per_mac: 6, dram: 200, noc: 1}
sources:
  num_pes, simd_lanes, l1_size, l2_size, noc_bw, noc_latency, offchip_bw: "estimate"
  energy.mac, energy.l1_per_mac, energy.l2_per_mac, energy.dram, energy.noc: "estimate"
)";

std::string replaced(const std::string& from, const std::string& to) {
  std::string text = good;
  text.replace(text.find(from), from.size(), to);
  return text;
}

std::string message(const std::string& text) {
  try {
    parse_datacentric_hardware(text, "a.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(DatacentricHardware, ReadsEveryFigure) {
  const DatacentricHardware hardware = parse_datacentric_hardware(good, "a.yaml");
  EXPECT_EQ(hardware.name, "small");
  EXPECT_EQ(hardware.pes, 4);
  EXPECT_EQ(hardware.l1_bytes, 512);
  EXPECT_EQ(hardware.l2_bytes, 1024);
  EXPECT_EQ(hardware.noc_bandwidth, 8);
  EXPECT_EQ(hardware.offchip_bandwidth, 2);
  EXPECT_EQ(hardware.mac_energy, 0.5);
  EXPECT_EQ(hardware.dram_energy, 200);
}

TEST(DatacentricHardware, ShippedPlatformsHoldMaestrosConstants) {
  for (const auto& [name, pes] : {std::pair{"edge", 168}, std::pair{"cloud", 65536}}) {
    const DatacentricHardware hardware = read_datacentric_hardware(
        std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/maestro/" + name + ".yaml");
    EXPECT_EQ(hardware.name, name);
    EXPECT_EQ(hardware.pes, pes);
    EXPECT_EQ(hardware.mac_energy, 0.00023);
    EXPECT_EQ(hardware.l1_energy, 1.68);
    EXPECT_EQ(hardware.l2_energy, 18.61);
  }
}

TEST(DatacentricHardware, NamesThePlaceOfWhatIsWrong) {
  EXPECT_THAT(message(replaced("num_pes: 4", "num_pes: 0")), HasSubstr("a.yaml:2:10"));
  EXPECT_THAT(message(replaced("noc_bw: 8", "noc_bandwith: 8")), HasSubstr("noc_bandwith"));
  EXPECT_THAT(message(replaced("l1_size: 512 B", "l1_size: 512")), HasSubstr("a.yaml:4:10"));
  EXPECT_THAT(message(replaced("l1_size: 512 B", "l1_size: 12 b")), HasSubstr("whole number of bytes"));
  EXPECT_THAT(message(replaced("noc: 1}", "noc: -1}")), HasSubstr("energy.noc"));
  EXPECT_THAT(message(replaced("offchip_bw: \"estimate\"", "ofchip_bw: \"estimate\"")),
              HasSubstr("'offchip_bw: ...'"));
  EXPECT_THAT(message(replaced("energy.noc: \"estimate\"", "energy.noc, energy.hop: \"estimate\"")),
              HasSubstr("no such figure"));
}

TEST(DatacentricHardware, AreaAndPowerAreSums) {
  const DatacentricHardware hardware = parse_datacentric_hardware(good, "a.yaml");
  const DatacentricArea area = datacentric_area(hardware, 100, 1000);
  EXPECT_NEAR(area.pe_power, 4 * 1.2223, 1e-12);
  EXPECT_NEAR(area.l1_power, 4 * 0.00345 * 100, 1e-12);
  EXPECT_NEAR(area.l2_power, 0.00345 * 1000, 1e-12);
  // 4 PEs: the arbiter of 1.2886 * 16 + 5.5814 * 4 - 23.711 = 19.2322 units is above its least, its power
  // below
  EXPECT_NEAR(area.noc_power, 0.8 * (14.662 * 4 + 28.895) / 1000 * 8 + 0.34, 1e-12);
  EXPECT_NEAR(area.area, 4 * (283 + 10.4) + 104 + 101.7938 * (14.662 * 4 + 28.895) * 8 + 395.473 * 19.2322,
              1e-6);
  EXPECT_NEAR(area.power, area.pe_power + area.l1_power + area.l2_power + area.noc_power, 1e-9);
}

}  // namespace
}  // namespace atl
