#include "atoll/simulator/datacentric_hardware.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

constexpr std::int64_t most = std::int64_t{1} << 31;
constexpr double largest_energy = 1e6;

// Figures of the file; each must have a source.
class Figures {
 public:
  explicit Figures(const YamlNode& root) : root_(root) {
    const auto sources = root.find("sources");
    if (!sources) return;
    for (const auto& [keys, text] : sources->entries())
      for (const std::string& key : split(keys, ',')) {
        if (trimmed(text.text()).empty()) text.fail("a source must name file and row, or say 'estimate'");
        sources_.push_back({std::string(trimmed(key)), text});
      }
  }

  std::int64_t integer(const std::string& key, std::int64_t low, std::int64_t high) {
    const YamlNode value = root_.at(key);
    take(key, value);
    return value.integer(low, high);
  }
  std::int64_t bytes(const std::string& key) {
    const YamlNode value = root_.at(key);
    take(key, value);
    const double size = value.quantity("size") / 8;
    if (size != std::floor(size) || size < 1 || size > 1e12)
      value.fail(fmt::format("'{}' must be a whole number of bytes from 1 to 10^12", key));
    return static_cast<std::int64_t>(size);
  }
  double energy(const YamlNode& part, const std::string& key) {
    const YamlNode value = part.at(key);
    take("energy." + key, value);
    return value.number(0, largest_energy);
  }

  void close() const {
    for (const Source& source : sources_)
      if (!source.used)
        source.text.fail(fmt::format("a source for '{}', but there is no such figure here{}", source.key,
                                     suggestion(source.key, figures_)));
  }

 private:
  struct Source {
    std::string key;
    YamlNode text;
    bool used = false;
  };

  void take(const std::string& key, const YamlNode& value) {
    figures_.push_back(key);
    bool found = false;
    for (Source& source : sources_) {
      if (source.key != key) continue;
      source.used = found = true;
    }
    if (!found)
      value.fail(
          fmt::format("this figure names no source; add '{}: ...' to 'sources', with file and row, or "
                      "'{}: estimate, ...'",
                      key, key));
  }

  const YamlNode& root_;
  std::vector<Source> sources_;
  std::vector<std::string> figures_;
};

DatacentricHardware read(const YamlNode& root) {
  root.expect_keys({"name", "num_pes", "simd_lanes", "l1_size", "l2_size", "noc_bw", "noc_latency",
                    "offchip_bw", "energy", "sources"});
  DatacentricHardware hardware;
  hardware.name = root.at("name").text();
  Figures figures(root);
  hardware.pes = static_cast<std::int32_t>(figures.integer("num_pes", 1, most_datacentric_pes));
  hardware.simd_lanes = static_cast<std::int32_t>(figures.integer("simd_lanes", 1, 1 << 20));
  hardware.l1_bytes = figures.bytes("l1_size");
  hardware.l2_bytes = figures.bytes("l2_size");
  hardware.noc_bandwidth = static_cast<std::int32_t>(figures.integer("noc_bw", 1, most - 1));
  hardware.noc_latency = static_cast<std::int32_t>(figures.integer("noc_latency", 0, 1 << 20));
  hardware.offchip_bandwidth = static_cast<std::int32_t>(figures.integer("offchip_bw", 1, most - 1));
  const YamlNode energy = root.at("energy");
  energy.expect_keys({"mac", "l1_per_mac", "l2_per_mac", "dram", "noc"});
  hardware.mac_energy = figures.energy(energy, "mac");
  hardware.l1_energy = figures.energy(energy, "l1_per_mac");
  hardware.l2_energy = figures.energy(energy, "l2_per_mac");
  hardware.dram_energy = figures.energy(energy, "dram");
  hardware.noc_energy = figures.energy(energy, "noc");
  figures.close();
  return hardware;
}

// Constants of MAESTRO e1d8efd, DSE_cost-database and DSE_scaling-coefficients.
constexpr double mac_area = 283, mac_power = 1.2223;       // um2, mW per lane
constexpr double sram_area = 0.104, sram_power = 0.00345;  // um2, mW per byte
constexpr double bus_area = 101.7938, bus_power = 0.8;     // um2, uW per connection and element/cycle
constexpr double arbiter_area = 395.473, arbiter_power = 0.34;

double at_least(double value, double unit) {
  return value < unit ? unit : value;
}

}  // namespace

DatacentricHardware read_datacentric_hardware(const std::string& path) {
  return read(YamlNode::load(path));
}

DatacentricHardware parse_datacentric_hardware(const std::string& text, const std::string& file) {
  return read(YamlNode::parse(text, file));
}

DatacentricArea datacentric_area(const DatacentricHardware& hardware, std::int32_t l1_bytes,
                                 std::int32_t l2_bytes) {
  const double lanes = hardware.simd_lanes, n = hardware.pes, width = hardware.noc_bandwidth;
  const double l1 = l1_bytes == 0 ? 1 : l1_bytes, l2 = l2_bytes == 0 ? 1 : l2_bytes;
  DatacentricArea sum;
  double pe_area = 0, pe_power = 0;
  // One addition for each PE, so that the sums are rounded as MAESTRO's.
  for (std::int32_t pe = 0; pe < hardware.pes; ++pe) {
    pe_area += mac_area * lanes + sram_area * l1;
    pe_power += mac_power * lanes + sram_power * l1;
    sum.pe_power += mac_power * lanes;
    sum.l1_power += sram_power * l1;
  }
  sum.l2_power = sram_power * l2;
  const double connections = 14.662 * n + 28.895;
  const double arbiters = 1.2886 * (n * n) + 5.5814 * n + -23.711;
  sum.noc_power =
      bus_power * connections / 1000 * width + at_least(arbiter_power * arbiters / 1000, arbiter_power);
  sum.area = pe_area + sram_area * l2 +
             (bus_area * connections * width + at_least(arbiter_area * arbiters, arbiter_area));
  sum.power = pe_power + sum.l2_power + sum.noc_power;
  return sum;
}

}  // namespace atl
