#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/exchange/maestro.hpp"

namespace atl {

namespace {

constexpr double byte = 8;
constexpr std::int64_t largest = 4'000'000'000;

// MAESTRO e1d8efd, May 2021: energies for one element of one byte, areas of logic and memory.
constexpr double mac_energy = 0.23;    // pJ
constexpr double l1_energy = 0.3864;   // 1.68 x MAC
constexpr double l2_energy = 4.2803;   // 18.61 x MAC
constexpr double mac_area = 283;       // um2
constexpr double memory_area = 0.104;  // um2 per byte
constexpr const char* constants = "MAESTRO e1d8efd, constants: ";

struct Entry {
  std::int64_t value = 0;
  int line = 0;
};

using Entries = std::map<std::string, Entry>;

// Both generations of names.
const std::map<std::string, std::string> names = {
    {"num_pes", "num_pes"},       {"NumPEs", "num_pes"},       {"l1_size_cstr", "l1_size"},
    {"l1_size", "l1_size"},       {"L1Size", "l1_size"},       {"l2_size_cstr", "l2_size"},
    {"l2_size", "l2_size"},       {"L2Size", "l2_size"},       {"noc_bw_cstr", "noc_bw"},
    {"noc_bw", "noc_bw"},         {"NoC_BW", "noc_bw"},        {"offchip_bw_cstr", "offchip_bw"},
    {"offchip_bw", "offchip_bw"}, {"OffChip_BW", "offchip_bw"}};

[[noreturn]] void fail(const ForeignFile& file, int line, const std::string& text) {
  throw InputError(SourcePlace{file.path, line, 0}, text);
}

Entries read_entries(const ForeignFile& file, std::vector<std::string>& notes) {
  Entries entries;
  int number = 0;
  for (const std::string& line : split(file.text, '\n')) {
    ++number;
    const std::string text(trimmed(std::string_view(line).substr(0, line.find("//"))));
    if (text.empty()) continue;
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos)
      fail(file, number, fmt::format("expected 'name: number', found '{}'", text));
    const std::string key(trimmed(std::string_view(text).substr(0, colon)));
    const std::string_view value = trimmed(std::string_view(text).substr(colon + 1));
    const auto known = names.find(key);
    if (known == names.end()) {
      note(notes, fmt::format("{}:{}: '{}' has no place in atoll; ignored", file.path, number, key));
      continue;
    }
    Entry entry{0, number};
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), entry.value);
    if (error != std::errc() || end != value.data() + value.size() || entry.value < 1 ||
        entry.value > largest)
      fail(file, number,
           fmt::format("{}: expected a whole number from 1 to {}, found '{}'", key, largest, value));
    if (!entries.emplace(known->second, entry).second)
      fail(file, number,
           fmt::format("'{}' stands here twice, first in line {}", key, entries.at(known->second).line));
  }
  return entries;
}

class Reader {
 public:
  explicit Reader(const ForeignFile& file) : file_(file), entries_(read_entries(file, draft_.result.notes)) {}

  Imported read(const std::string& name) {
    Accelerator& accelerator = draft_.result.accelerator;
    accelerator.name = plain_name(name.empty() ? "maestro" : name);
    accelerator.clock = 1e9;
    draft_.source("clock", "estimate: MAESTRO counts cycles only");
    draft_.note("the clock is not in MAESTRO's files: 1 GHz is written; change it for times and powers");
    add_memory(level("dram", "lpddr4", all_operands, 0), "offchip_bw", "", 64, 512);
    draft_.note("MAESTRO has no DRAM energy: LPDDR4's 8 pJ/bit is written");
    add_memory(level("shared", "sram", 0, all_operands), "noc_bw", "l2_size", byte, l2_energy);
    add_units();
    add_memory(level("local", "sram", all_operands, 0), "", "l1_size", byte, l1_energy);
    add_compute();
    return draft_.finish(file_.path);
  }

 private:
  const Entry& at(const std::string& key) const {
    const auto found = entries_.find(key);
    if (found == entries_.end())
      fail(file_, 0,
           fmt::format("the entry '{}' is missing; MAESTRO's hardware file has num_pes, l1_size_cstr, "
                       "l2_size_cstr, noc_bw_cstr and offchip_bw_cstr, one a line",
                       key));
    return found->second;
  }
  std::string source(const std::string& key) const {
    return fmt::format("{}:{}: {}", file_.path, at(key).line, key);
  }

  static StorageLevel level(const char* name, const char* kind, OperandSet keep, OperandSet may_keep) {
    StorageLevel level;
    level.name = name;
    level.kind = kind;
    level.keep = keep;
    level.may_keep = may_keep;
    level.size = level.read_bandwidth = level.write_bandwidth = std::numeric_limits<double>::infinity();
    return level;
  }

  void add_memory(StorageLevel level, const std::string& bandwidth, const std::string& size, double width,
                  double energy) {
    const std::string path = "levels." + level.name + ".";
    // The older form has no bandwidth off the chip.
    if (!bandwidth.empty() && entries_.contains(bandwidth)) {
      level.read_bandwidth = level.write_bandwidth = static_cast<double>(at(bandwidth).value) * byte;
      draft_.source(path + "read_bandwidth", source(bandwidth));
      draft_.source(path + "write_bandwidth", source(bandwidth));
    } else if (!bandwidth.empty()) {
      draft_.note(fmt::format("no {} is given: level '{}' is unlimited", bandwidth, level.name));
    }
    if (!size.empty()) {
      level.size = static_cast<double>(at(size).value) * byte;
      level.area = static_cast<double>(at(size).value) * memory_area;
      draft_.source(path + "size", source(size));
      draft_.source(path + "area", std::string(constants) + "memory of 0.104 um2 per byte");
    }
    level.access_width = width;
    level.read_energy = level.write_energy = energy;
    draft_.source(path + "access.width", size.empty() ? "estimate: a line of 64 b"
                                                      : std::string(constants) + "one element of one byte");
    const std::string text =
        size.empty() ? "estimate: LPDDR4 8 pJ/bit (accelergy-cacti-plug-in); MAESTRO has no DRAM energy"
                     : fmt::format("{}{} x MAC of 0.23 pJ", constants,
                                   level.name == "local" ? "L1 access 1.68" : "L2 access 18.61");
    draft_.source(path + "access.read", text);
    draft_.source(path + "access.write", text);
    draft_.result.accelerator.levels.push_back(std::move(level));
  }

  // MAESTRO divides its units freely between levels of clusters: one axis with several loops says the same.
  void add_units() {
    const Entry& units = at("num_pes");
    if (units.value > (1 << 20))
      fail(file_, units.line, fmt::format("{} units; at most 2^20 are possible", units.value));
    draft_.add_fanout(static_cast<std::uint32_t>(units.value), 1, source("num_pes"));
  }

  void add_compute() {
    Compute& compute = draft_.result.accelerator.compute;
    compute.bits = compute.accumulator_bits = 8;
    compute.energy = mac_energy;
    compute.area = mac_area;
    draft_.source("compute.bits", std::string(constants) + "1 element = 1 byte, outputs too");
    draft_.source("compute.accumulator_bits", std::string(constants) + "1 element = 1 byte, outputs too");
    draft_.source("compute.energy", std::string(constants) + "mac_energy 0.00023 nJ");
    draft_.source("compute.area", std::string(constants) + "283 um2 per multiplier");
  }

  AcceleratorDraft draft_;
  const ForeignFile& file_;
  Entries entries_;
};

}  // namespace

Imported import_maestro(const ForeignFile& file, const std::string& name) {
  return Reader(file).read(name);
}

}  // namespace atl
