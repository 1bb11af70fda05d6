#include "atoll/simulator/zigzag_accelerator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

constexpr std::int64_t most_units_of_an_axis = 1 << 20;

Operand operand_of(const std::string& name, const YamlNode& node) {
  for (std::size_t o = 0; o < operand_count; ++o)
    if (name == operand_names[o]) return static_cast<Operand>(o);
  node.fail(fmt::format("expected an operand (W, I or O), found '{}'", name));
}

double positive(const YamlNode& node, std::string_view dimension) {
  const double value = node.quantity(dimension);
  if (value <= 0) node.fail("must be above 0");
  return value;
}

std::pair<Operand, ZigzagMove> read_move(const YamlNode& node, const ZigzagMemory& memory) {
  const std::vector<std::string> words = split(node.text(), ' ');
  if (words.size() != 2)
    node.fail(fmt::format("expected an operand and a move, as in 'W {}', found '{}'", zigzag_move_names[0],
                          node.text()));
  const Operand operand = operand_of(words[0], node);
  if (std::find(memory.operands.begin(), memory.operands.end(), operand) == memory.operands.end())
    node.fail(fmt::format("the memory '{}' holds no {}", memory.name, words[0]));
  for (std::size_t m = 0; m < zigzag_move_count; ++m)
    if (words[1] == zigzag_move_names[m]) return {operand, static_cast<ZigzagMove>(m)};
  const std::vector<std::string> names(zigzag_move_names.begin(), zigzag_move_names.end());
  node.fail(fmt::format("unknown move '{}'{}; moves: {}", words[1], suggestion(words[1], names),
                        join(names, ", ")));
}

ZigzagPort read_port(const YamlNode& node, const ZigzagMemory& memory) {
  node.expect_keys({"name", "bandwidth", "moves"});
  ZigzagPort port;
  port.name = node.at("name").text();
  const YamlNode bandwidth = node.at("bandwidth");
  bandwidth.expect_keys({"least", "most"});
  port.least = positive(bandwidth.at("least"), "bandwidth");
  port.most = positive(bandwidth.at("most"), "bandwidth");
  if (port.least > port.most)
    bandwidth.fail(fmt::format("least ({} bit/cycle) is above most ({} bit/cycle)", port.least, port.most));
  for (const YamlNode& move : node.at("moves").elements()) port.moves.push_back(read_move(move, memory));
  return port;
}

void check_moves(const ZigzagMemory& memory, const YamlNode& node) {
  for (const Operand operand : memory.operands)
    for (std::size_t m = 0; m < zigzag_move_count; ++m) {
      const std::pair<Operand, ZigzagMove> wanted = {operand, static_cast<ZigzagMove>(m)};
      std::size_t count = 0;
      for (const ZigzagPort& port : memory.ports)
        count += static_cast<std::size_t>(std::count(port.moves.begin(), port.moves.end(), wanted));
      if (count > 1)
        node.fail(fmt::format("the memory '{}' moves {} {} through {} ports; one must do", memory.name,
                              operand_names[index(operand)], zigzag_move_names[m], count));
    }
}

std::uint32_t read_axes(const YamlNode& node, const ZigzagAccelerator& accelerator) {
  std::uint32_t mask = 0;
  for (const YamlNode& axis : node.elements()) {
    const auto found = std::find_if(accelerator.axes.begin(), accelerator.axes.end(),
                                    [&](const auto& one) { return one.first == axis.text(); });
    if (found == accelerator.axes.end()) axis.fail(fmt::format("'{}' is no axis of the array", axis.text()));
    mask |= 1U << (found - accelerator.axes.begin());
  }
  return mask;
}

ZigzagMemory read_memory(const YamlNode& node, const ZigzagAccelerator& accelerator) {
  node.expect_keys({"name", "size", "access", "operands", "serves", "ports"});
  ZigzagMemory memory;
  memory.name = node.at("name").text();
  memory.size = positive(node.at("size"), "size");
  const YamlNode access = node.at("access");
  access.expect_keys({"read", "write"});
  memory.read_energy = access.at("read").quantity("energy");
  memory.write_energy = access.at("write").quantity("energy");
  for (const YamlNode& one : node.at("operands").elements()) {
    const Operand operand = operand_of(one.text(), one);
    if (std::find(memory.operands.begin(), memory.operands.end(), operand) != memory.operands.end())
      one.fail(fmt::format("{} stands twice", one.text()));
    memory.operands.push_back(operand);
  }
  if (memory.operands.empty()) node.fail(fmt::format("the memory '{}' holds no operand", memory.name));
  memory.serves = read_axes(node.at("serves"), accelerator);
  for (const YamlNode& port : node.at("ports").elements()) memory.ports.push_back(read_port(port, memory));
  check_moves(memory, node);
  return memory;
}

bool carried(const ZigzagMemory& memory, Operand operand, ZigzagMove move) {
  const std::pair<Operand, ZigzagMove> wanted = {operand, move};
  return std::any_of(memory.ports.begin(), memory.ports.end(), [&](const ZigzagPort& port) {
    return std::find(port.moves.begin(), port.moves.end(), wanted) != port.moves.end();
  });
}

// Inputs go down only; partial sums go both ways, so both are asked for at every level of O.
void require_ports(const ZigzagAccelerator& accelerator, Operand operand, const YamlNode& node) {
  const std::vector<std::size_t> path = accelerator.path(operand);
  for (std::size_t l = 0; l < path.size(); ++l)
    for (std::size_t m = 0; m < zigzag_move_count; ++m) {
      const auto move = static_cast<ZigzagMove>(m);
      const bool upward = move == ZigzagMove::rd_out_to_high || move == ZigzagMove::wr_in_by_high;
      const bool of_input = move == ZigzagMove::rd_out_to_low || move == ZigzagMove::wr_in_by_high;
      if ((upward && l + 1 == path.size()) || (operand != Operand::O && !of_input)) continue;
      if (!carried(accelerator.memories[path[l]], operand, move))
        node.fail(fmt::format("no port of the memory '{}' carries {} {}", accelerator.memories[path[l]].name,
                              operand_names[index(operand)], zigzag_move_names[m]));
    }
}

void check_hierarchy(const ZigzagAccelerator& accelerator, const YamlNode& node) {
  std::size_t ports = 0;
  for (const ZigzagMemory& memory : accelerator.memories) ports += memory.ports.size();
  if (ports > zigzag_most_ports)
    node.fail(fmt::format("{} ports; at most {} are supported", ports, zigzag_most_ports));
  for (std::size_t o = 0; o < operand_count; ++o) {
    const auto path = accelerator.path(static_cast<Operand>(o));
    if (path.empty() || path.size() > zigzag_most_levels)
      node.fail(fmt::format("{} memories hold {}; expected 1 to {}", path.size(), operand_names[o],
                            zigzag_most_levels));
    require_ports(accelerator, static_cast<Operand>(o), node);
  }
}

void read_array(const YamlNode& node, ZigzagAccelerator& accelerator) {
  for (const auto& [axis, size] : node.entries())
    accelerator.axes.emplace_back(axis, static_cast<std::uint32_t>(size.integer(1, most_units_of_an_axis)));
  if (accelerator.axes.empty() || accelerator.axes.size() > zigzag_most_axes)
    node.fail(fmt::format("{} axes; expected 1 to {}", accelerator.axes.size(), zigzag_most_axes));
  if (accelerator.multipliers() > 1e9)
    node.fail(fmt::format("{} multipliers; at most 1e9 are supported", accelerator.multipliers()));
}

ZigzagAccelerator read(const YamlNode& root) {
  root.expect_keys({"name", "array", "mac_energy", "memories", "sources"});
  ZigzagAccelerator accelerator;
  accelerator.name = root.at("name").text();
  read_array(root.at("array"), accelerator);
  accelerator.mac_energy = root.at("mac_energy").quantity("energy");
  const std::vector<YamlNode> memories = root.at("memories").elements();
  if (memories.empty() || memories.size() > zigzag_most_memories)
    root.at("memories")
        .fail(fmt::format("{} memories; expected 1 to {}", memories.size(), zigzag_most_memories));
  for (const YamlNode& memory : memories) accelerator.memories.push_back(read_memory(memory, accelerator));
  check_hierarchy(accelerator, root.at("memories"));
  const YamlNode sources = root.at("sources");
  sources.expect_keys({"array", "mac_energy", "memories"});
  for (const char* key : {"array", "mac_energy", "memories"})
    accelerator.sources.emplace_back(key, sources.at(key).text());
  return accelerator;
}

}  // namespace

std::vector<std::size_t> ZigzagAccelerator::path(Operand operand) const {
  std::vector<std::size_t> found;
  for (std::size_t m = 0; m < memories.size(); ++m) {
    const auto& held = memories[m].operands;
    if (std::find(held.begin(), held.end(), operand) != held.end()) found.push_back(m);
  }
  return found;
}

double ZigzagAccelerator::multipliers() const {
  double count = 1;
  for (const auto& axis : axes) count *= axis.second;
  return count;
}

ZigzagAccelerator read_zigzag_accelerator(const std::string& path) {
  return read(YamlNode::load(path));
}

ZigzagAccelerator parse_zigzag_accelerator(const std::string& text, const std::string& name) {
  return read(YamlNode::parse(text, name));
}

}  // namespace atl
