#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/zigzag.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t largest_bits = 1'000'000'000'000'000'000;

struct Axis {
  std::string name;
  std::uint32_t size = 1;
};

// What a memory's ports move in one cycle, and the width that one access is priced for.
struct Ports {
  double read = 0, write = 0, both = 0;    // sums, bits per cycle
  double read_width = 0, write_width = 0;  // the widest port that can
  std::size_t count = 0;
  YamlNode node;
};

struct Memory {
  std::string name;
  YamlNode node;
  OperandSet operands = 0;
  std::set<std::string> served;
};

double bits(const YamlNode& node) {
  return static_cast<double>(node.integer(1, largest_bits));
}

class Reader {
 public:
  Imported read(const ForeignFile& file, const std::string& name) {
    const YamlNode root = YamlNode::parse(file.text, file.path);
    Accelerator& accelerator = draft_.result.accelerator;
    accelerator.name = plain_name(name.empty() ? root.at("name").text() : name);
    accelerator.clock = 1e9;
    draft_.source("clock", "estimate: ZigZag counts cycles");
    draft_.note("the clock is not in ZigZag's files: 1 GHz is written; change it for times and powers");
    read_array(root.at("operational_array"));
    std::vector<Memory> memories = read_memories(root.at("memories"));
    add_levels(root.at("memories"), memories);
    for (const auto& [key, value] : root.entries())
      if (key != "name" && key != "memories" && key != "operational_array")
        draft_.note(fmt::format("key '{}' limits mappings or belongs to other arrays; ignored", key));
    return draft_.finish(file.path);
  }

 private:
  void read_array(const YamlNode& node) {
    if (const auto imc = node.find("is_imc"); imc && imc->boolean())
      imc->fail("arrays that compute in memory cannot be described in atoll");
    const std::vector<YamlNode> names = node.at("dimensions").elements();
    const std::vector<YamlNode> sizes = node.at("sizes").elements();
    if (names.size() != sizes.size())
      node.at("sizes").fail(fmt::format("{} axes have {} sizes", names.size(), sizes.size()));
    for (std::size_t i = 0; i < names.size(); ++i)
      axes_.push_back({names[i].text(), static_cast<std::uint32_t>(sizes[i].integer(1, 1 << 20))});
    axes_source_ = fmt::format("{}:{}: sizes of the array", node.at("sizes").place().file,
                               node.at("sizes").place().line);
    Compute& compute = draft_.result.accelerator.compute;
    const auto precision = node.find("input_precision");
    if (precision) {
      for (const YamlNode& one : precision->elements())
        compute.bits = std::max(compute.bits, static_cast<std::uint32_t>(one.integer(1, 64)));
      draft_.source("compute.bits", *precision, "input_precision");
    } else {
      draft_.source("compute.bits", "estimate: ZigZag's readers of networks take 8 bits");
    }
    compute.accumulator_bits = std::max<std::uint32_t>(16, compute.bits);
    draft_.source("compute.accumulator_bits",
                  "estimate: ZigZag's readers of networks take 16 bits for partial sums");
    draft_.note(
        "word widths belong to ZigZag's workloads: the accelerator's input precision or 8, and 16 for sums, "
        "are written");
    auto energy = node.find("unit_energy");
    if (!energy) energy = node.find("multiplier_energy");
    if (!energy) node.fail("the key 'unit_energy' is missing");
    compute.energy = energy->number(0, 1e18);
    draft_.source("compute.energy", *energy, "energy of one multiplication");
    draft_.note(
        "ZigZag also reads outputs before their first sum; 'zero_read_elision: false' would say that here");
    draft_.note("areas have no unit in ZigZag's files; they are left out");
  }

  std::vector<Memory> read_memories(const YamlNode& node) {
    std::vector<Memory> memories;  // inner to outer, as in the file
    for (const auto& [name, value] : node.entries()) {
      Memory memory{name, value, 0, {}};
      for (const YamlNode& operand : value.at("operands").elements()) read_operand(operand, memory);
      if (memory.operands == 0) {
        draft_.note(fmt::format("memory '{}' holds none of I1, I2 and O; left out", name));
        continue;
      }
      for (const YamlNode& axis : value.at("served_dimensions").elements(true)) {
        if (std::none_of(axes_.begin(), axes_.end(), [&](const Axis& a) { return a.name == axis.text(); }))
          axis.fail(fmt::format("the array has no axis '{}'", axis.text()));
        memory.served.insert(axis.text());
      }
      memories.push_back(std::move(memory));
    }
    if (memories.empty()) node.fail("an accelerator needs at least one memory");
    std::reverse(memories.begin(), memories.end());
    // Outer memories of an operand serve whatever inner ones do.
    std::stable_sort(memories.begin(), memories.end(),
                     [](const Memory& a, const Memory& b) { return a.served.size() > b.served.size(); });
    return memories;
  }

  void read_operand(const YamlNode& operand, Memory& memory) {
    const std::string text = operand.text();
    const std::size_t o = text == "I1"   ? index(Operand::I)
                          : text == "I2" ? index(Operand::W)
                                         : index(Operand::O);
    if (text != "I1" && text != "I2" && text != "O") {
      draft_.note(
          fmt::format("operand '{}' of memory '{}' has no place in atoll; ignored", text, memory.name));
      return;
    }
    memory.operands = static_cast<OperandSet>(memory.operands | operand_bit(static_cast<Operand>(o)));
  }

  void add_levels(const YamlNode& node, const std::vector<Memory>& memories) {
    std::set<std::string> inside;  // axes not yet fanned out
    for (const Axis& axis : axes_) inside.insert(axis.name);
    if (memories.front().operands != all_operands)
      node.fail(fmt::format("the outermost memory '{}' must hold I1, I2 and O", memories.front().name));
    for (const Memory& memory : memories) {
      std::set<std::string> serves;
      std::set_intersection(memory.served.begin(), memory.served.end(), inside.begin(), inside.end(),
                            std::inserter(serves, serves.end()));
      if (serves != memory.served)
        draft_.note(
            fmt::format("memory '{}' serves axes [{}], which is not nested in the memories further out: it "
                        "becomes one instance for each point of the others, serving [{}]",
                        memory.name, join({memory.served.begin(), memory.served.end()}, ", "),
                        join({serves.begin(), serves.end()}, ", ")));
      fan_out(memory.node, inside, serves);
      inside = serves;
      add_level(memory);
    }
    fan_out(node, inside, {});
  }

  // A fan-out along the axes that the next memory does not serve.
  void fan_out(const YamlNode& node, const std::set<std::string>& outer, const std::set<std::string>& inner) {
    std::vector<std::uint64_t> sizes;
    std::vector<std::string> names;
    for (const Axis& axis : axes_) {
      if (!outer.contains(axis.name) || inner.contains(axis.name)) continue;
      names.push_back(axis.name);
      sizes.push_back(axis.size);
    }
    if (sizes.empty()) return;
    if (draft_.result.accelerator.levels.empty())
      node.fail("the outermost memory must serve every axis of the array");
    std::uint64_t y = 1;
    for (std::size_t i = 1; i < sizes.size(); ++i) {
      y *= sizes[i];
      if (y > (1U << 20)) node.fail("an array of more than 2^20 along its joined axes is too large");
    }
    if (sizes.size() > 2)
      draft_.note(
          fmt::format("axes {} fan out at one place; atoll has x and y there: all but the first are joined",
                      join(names, ", ")));
    draft_.add_fanout(static_cast<std::uint32_t>(sizes[0]), static_cast<std::uint32_t>(y), axes_source_);
  }

  void add_level(const Memory& memory) {
    Accelerator& accelerator = draft_.result.accelerator;
    StorageLevel level;
    level.name = draft_.level_name(memory.name);
    const std::string path = "levels." + level.name + ".";
    level.keep = memory.operands;
    level.kind = kind_of(level.name);
    level.buffering = Buffering::rolling;
    draft_.note(
        "ZigZag decides itself what is double-buffered; every level holds one tile, replaced word by word");
    level.size = bits(memory.node.at("size"));
    draft_.source(path + "size", memory.node.at("size"), "size in bits");
    const Ports ports = memory.node.find("r_bw") ? old_ports(memory) : new_ports(memory);
    add_ports(memory, ports, path, level);
    const double read = cost(memory, "r_cost", path + "access.read");
    const double write = cost(memory, "w_cost", path + "access.write");
    level.access_width = ports.read_width > 0 ? ports.read_width : ports.write_width;
    draft_.source(path + "access.width", ports.node, "width of the port that an access is priced for");
    level.read_energy = read;
    level.write_energy = ports.write_width > 0 ? write * (level.access_width / ports.write_width) : write;
    if (const auto granularity = memory.node.find("min_r_granularity"); granularity)
      draft_.note(
          "accesses narrower than a port cost their share in bits; ZigZag's smallest granularity is left "
          "out");
    accelerator.levels.push_back(std::move(level));
  }

  static std::string kind_of(const std::string& name) {
    if (name.find("dram") != std::string::npos) return "dram";
    return name.starts_with("rf") || name.starts_with("reg") ? "register_file" : "sram";
  }

  double cost(const Memory& memory, const char* key, const std::string& path) {
    const auto node = memory.node.find(key);
    if (!node || node->is_null()) {
      draft_.source(path, fmt::format("estimate: no {} given", key));
      draft_.note(fmt::format("memory '{}' has no {}: 0 pJ is written", memory.name, key));
      return 0;
    }
    draft_.source(path, *node, fmt::format("{}, taken as pJ", key));
    return node->number(0, 1e18);
  }

  static void add_port(const std::string& type, double bandwidth, Ports& ports) {
    const bool reads = type != "write";
    const bool writes = type != "read";
    (type == "read" ? ports.read : type == "write" ? ports.write : ports.both) += bandwidth;
    if (reads) ports.read_width = std::max(ports.read_width, bandwidth);
    if (writes) ports.write_width = std::max(ports.write_width, bandwidth);
    ++ports.count;
  }

  Ports new_ports(const Memory& memory) {
    const YamlNode node = memory.node.at("ports");
    Ports ports{0, 0, 0, 0, 0, 0, node};
    for (const YamlNode& port : node.elements()) {
      const YamlNode type = port.at("type");
      type.choice({"read", "write", "read_write"});
      const double most = bits(port.at("bandwidth_max"));
      if (const auto least = port.find("bandwidth_min"); least && bits(*least) < most)
        draft_.note(
            "accesses narrower than a port cost their share in bits; ZigZag's smallest granularity is left "
            "out");
      add_port(type.text(), most, ports);
    }
    return ports;
  }

  // Counts of ports of each kind, all of r_bw or w_bw bits.
  Ports old_ports(const Memory& memory) {
    Ports ports{0, 0, 0, 0, 0, 0, memory.node.at("r_bw")};
    const double read = bits(memory.node.at("r_bw"));
    const double write = bits(memory.node.at("w_bw"));
    const auto count = [&](const char* key) {
      const auto node = memory.node.find(key);
      return node ? node->integer(0, 64) : std::int64_t{0};
    };
    for (std::int64_t i = count("r_port"); i > 0; --i) add_port("read", read, ports);
    for (std::int64_t i = count("w_port"); i > 0; --i) add_port("write", write, ports);
    for (std::int64_t i = count("rw_port"); i > 0; --i) add_port("read_write", std::max(read, write), ports);
    if (ports.count == 0) memory.node.fail(fmt::format("memory '{}' has no port", memory.name));
    return ports;
  }

  void add_ports(const Memory& memory, const Ports& ports, const std::string& path, StorageLevel& level) {
    if (ports.count == 0) memory.node.fail(fmt::format("memory '{}' has no port", memory.name));
    const bool shared = ports.read == 0 && ports.write == 0;
    level.shared_port = shared;
    level.read_bandwidth = ports.read + ports.both;
    level.write_bandwidth = shared ? level.read_bandwidth : ports.write + ports.both;
    if (level.read_bandwidth == 0) level.read_bandwidth = infinity;
    if (level.write_bandwidth == 0) level.write_bandwidth = infinity;
    if (level.read_bandwidth < infinity)
      draft_.source(path + "read_bandwidth", ports.node, "ports that read");
    if (!shared && level.write_bandwidth < infinity)
      draft_.source(path + "write_bandwidth", ports.node, "ports that write");
    if (!shared && ports.both > 0)
      draft_.note(fmt::format("memory '{}' has ports for one direction and for both; the latter count twice",
                              memory.name));
    if (ports.count > (shared ? 1U : 2U))
      draft_.note(fmt::format(
          "memory '{}' has {} ports; those of one direction are joined to one of their summed width",
          memory.name, ports.count));
  }

  AcceleratorDraft draft_;
  std::vector<Axis> axes_;
  std::string axes_source_;
};

}  // namespace

Imported import_zigzag(const ForeignFile& file, const std::string& name) {
  return Reader().read(file, name);
}

}  // namespace atl
