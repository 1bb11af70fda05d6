#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoll/base/text.hpp"
#include "atoll/exchange/zigzag.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t most_axes = 4;
// ZigZag has no word for "unlimited".
constexpr double stand_in_size = 1e15;
constexpr double stand_in_bandwidth = 1 << 20;

// By Dim and by Operand.
constexpr std::array<std::string_view, dim_count> dims = {"B", "G", "K", "C", "OY", "OX", "FY", "FX"};
constexpr std::array<std::string_view, operand_count> memory_operands = {"I2", "I1", "O"};
constexpr std::array<std::size_t, operand_count> operand_order = {1, 0, 2};  // I1, I2, O

struct Axis {
  std::string name;
  std::uint32_t size = 1;
  std::size_t above = 0;  // the level its fan-out hangs below
  bool along_x = true;
};

std::vector<Axis> axes_of(const Accelerator& accelerator) {
  std::vector<Axis> axes;
  for (const Fanout& fanout : accelerator.fanouts) {
    if (fanout.x > 1) axes.push_back({"", fanout.x, fanout.above, true});
    if (fanout.y > 1) axes.push_back({"", fanout.y, fanout.above, false});
  }
  if (axes.empty()) axes.push_back({"", 1, 0, true});
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i].name = fmt::format("D{}", i + 1);
  return axes;
}

double whole_bits(double value, double stand_in, const std::string& what, std::vector<std::string>& notes) {
  if (value == infinity) {
    note(notes, fmt::format("{} is unlimited; {} bits stand for it", what, number_text(stand_in)));
    return stand_in;
  }
  const double whole = std::max(1.0, std::floor(value));
  if (whole != value)
    note(notes, fmt::format("{} is {} bits; ZigZag takes whole numbers: {} is written", what, value, whole));
  return whole;
}

std::string port_text(const char* name, const char* type, double access, double bandwidth, OperandSet keep,
                      std::string_view directions) {
  std::string text = fmt::format(
      "      - name: {}\n        type: {}\n        bandwidth_min: {}\n        bandwidth_max: {}\n"
      "        allocation:\n",
      name, type, number_text(std::min(std::max(1.0, std::floor(access)), bandwidth)),
      number_text(bandwidth));
  for (const std::size_t o : operand_order) {
    if (!contains(keep, static_cast<Operand>(o))) continue;
    // Inputs come from higher up and go lower down; outputs move both ways.
    for (const std::string& direction : split(std::string(directions), ' '))
      if (o == index(Operand::O) || direction == "fh" || direction == "tl")
        text += fmt::format("          - {}, {}\n", memory_operands[o], direction);
  }
  return text;
}

std::string memory_text(const Accelerator& accelerator, std::size_t l, OperandSet keep,
                        const std::vector<Axis>& axes, std::vector<std::string>& notes) {
  const StorageLevel& level = accelerator.levels[l];
  const auto named = [&](const char* what) { return fmt::format("the {} of level '{}'", what, level.name); };
  const double size = whole_bits(level.size, stand_in_size, named("size"), notes);
  const double read = whole_bits(level.read_bandwidth, stand_in_bandwidth, named("read bandwidth"), notes);
  const double write = level.shared_port ? read
                                         : whole_bits(level.write_bandwidth, stand_in_bandwidth,
                                                      named("write bandwidth"), notes);
  std::vector<std::string> operands, served;
  for (const std::size_t o : operand_order)
    if (contains(keep, static_cast<Operand>(o))) operands.emplace_back(memory_operands[o]);
  for (const Axis& axis : axes)
    if (axis.above >= l) served.push_back(axis.name);
  std::string text = fmt::format(
      "  {}:\n    size: {}\n    r_cost: {}\n    w_cost: {}\n    area: {}\n    latency: 1\n    operands: "
      "[{}]\n"
      "    ports:\n",
      level.name, number_text(size), number_text(level.read_energy * (read / level.access_width)),
      number_text(level.write_energy * (write / level.access_width)), number_text(level.area),
      join(operands, ", "));
  if (level.shared_port) {
    text += port_text("rw_port_1", "read_write", level.access_width, read, keep, "fh tl fl th");
  } else {
    text += port_text("r_port_1", "read", level.access_width, read, keep, "tl th");
    text += port_text("w_port_1", "write", level.access_width, write, keep, "fh fl");
  }
  return text + fmt::format("    served_dimensions: [{}]\n", join(served, ", "));
}

void note_accelerator(const Accelerator& accelerator, std::vector<std::string>& notes) {
  for (const StorageLevel& level : accelerator.levels) {
    if (level.leakage > 0) note(notes, "leakage has no place in ZigZag");
    if (level.buffering != Buffering::rolling)
      note(notes, fmt::format("level '{}' is {}-buffered; ZigZag decides itself what is double-buffered",
                              level.name, level.buffering == Buffering::single ? "single" : "double"));
  }
  for (const Fanout& fanout : accelerator.fanouts) {
    const std::string& above = accelerator.levels[fanout.above].name;
    if (fanout.hop_energy > 0) note(notes, "energy of hops has no place in ZigZag");
    if (!fanout.multicast || !fanout.reduction)
      note(notes,
           fmt::format("the fan-out below '{}' does not multicast or add; ZigZag's array does both", above));
  }
}

std::string accelerator_text(const Accelerator& accelerator, const OutgoingMapping* named,
                             const std::vector<Axis>& axes, std::vector<std::string>& notes) {
  std::string text = fmt::format("name: {}\n\nmemories:\n", accelerator.name);
  for (std::size_t l = accelerator.levels.size(); l-- > 0;) {
    const StorageLevel& level = accelerator.levels[l];
    const auto keep =
        named ? named->mapping.level[l].keep : static_cast<OperandSet>(level.keep | level.may_keep);
    if (keep == 0) {
      note(notes, fmt::format("{}: nothing is kept in level '{}'; it is left out", named ? named->name : "",
                              level.name));
      continue;
    }
    text += memory_text(accelerator, l, keep, axes, notes);
  }
  std::vector<std::string> names, sizes;
  for (const Axis& axis : axes) {
    names.push_back(axis.name);
    sizes.push_back(fmt::format("{}", axis.size));
  }
  return text +
         fmt::format(
             "\noperational_array:\n  input_precision: [{0}, {0}]\n  unit_energy: {1}\n  unit_area: {2}\n"
             "  dimensions: [{3}]\n  sizes: [{4}]\n",
             accelerator.compute.bits, number_text(accelerator.compute.energy),
             number_text(accelerator.compute.area), join(names, ", "), join(sizes, ", "));
}

std::string workload_text(const OutgoingMapping& named, const Accelerator& accelerator,
                          std::vector<std::string>& notes) {
  const Layer& layer = named.layer;
  const bool grouped = layer[Dim::G] > 1;
  const char* g = grouped ? "[g]" : "";
  std::vector<std::string> names, sizes;
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (d == index(Dim::G) && !grouped) continue;
    names.emplace_back(dims[d]);
    sizes.push_back(fmt::format("{}", layer.size[d]));
  }
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l)
    for (const Operand o : {Operand::W, Operand::I})
      if (accelerator.word_bits(l, o) != accelerator.word_bits(0, o))
        note(notes,
             fmt::format(
                 "words of {} are {} bits wide in level '{}' and {} in '{}'; ZigZag has one width: the "
                 "latter",
                 operand_names[index(o)], accelerator.word_bits(l, o), accelerator.levels[l].name,
                 accelerator.word_bits(0, o), accelerator.levels[0].name));
  return fmt::format(
      "- id: 0\n  name: {}\n  operator_type: Conv\n"
      "  equation: O[b]{}[k][oy][ox]+=W{}[k][c][fy][fx]*I[b]{}[c][iy][ix]\n"
      "  dimension_relations: [ix={}*ox+{}*fx, iy={}*oy+{}*fy]\n  loop_dims: [{}]\n  loop_sizes: [{}]\n"
      "  operand_precision: {{W: {}, I: {}, O: {}, O_final: {}}}\n"
      "  pr_loop_dims: [IX, IY]\n  pr_loop_sizes: [{}, {}]\n  padding: [[{}, {}], [{}, {}]]\n",
      plain_name(named.name), g, g, g, layer.stride[1], layer.dilation[1], layer.stride[0], layer.dilation[0],
      join(names, ", "), join(sizes, ", "), accelerator.word_bits(0, Operand::W),
      accelerator.word_bits(0, Operand::I), accelerator.compute.accumulator_bits,
      accelerator.word_bits(0, Operand::O), layer.input_extent[1], layer.input_extent[0],
      layer.padding_before[1], layer.padding_after[1], layer.padding_before[0], layer.padding_after[0]);
}

std::string axis_text(const OutgoingMapping& named, const Axis& axis) {
  const LevelMapping& level = named.mapping.level[axis.above];
  const LoopBounds bounds =
      axis.along_x ? bounds_between(level.y, level.x) : bounds_between(level.temporal, level.y);
  std::string text;
  for (std::size_t d = 0; d < dim_count; ++d)
    if (bounds[d] > 1) text += fmt::format("      - {}, {}\n", dims[d], bounds[d]);
  return text.empty() ? "" : fmt::format("    {}:\n", axis.name) + text;
}

std::string mapping_text(const OutgoingMapping& named, const std::vector<Axis>& axes) {
  std::string space, time;
  for (const Axis& axis : axes) space += axis_text(named, axis);
  for (std::size_t l = named.mapping.levels; l-- > 0;) {
    const LevelMapping& level = named.mapping.level[l];
    const LoopBounds bounds = bounds_between(named.mapping.entering(l, named.layer), level.temporal);
    for (std::size_t i = dim_count; i-- > 0;)
      if (bounds[level.order[i]] > 1)
        time += fmt::format("    - [{}, {}]\n", dims[level.order[i]], bounds[level.order[i]]);
  }
  std::string text = "- name: default\n";
  if (!space.empty()) text += "  spatial_mapping:\n" + space;
  if (!time.empty()) text += "  temporal_ordering:  # innermost first\n" + time;
  return text + "  memory_operand_links: {O: O, W: I2, I: I1}\n";
}

}  // namespace

Exported export_zigzag(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings) {
  Exported result;
  const std::vector<Axis> axes = axes_of(accelerator);
  std::vector<std::string> hardware;
  std::vector<const OutgoingMapping*> written;
  for (const OutgoingMapping& named : mappings) {
    std::string reason = why_not_exported(named, accelerator, true);
    if (reason.empty() && axes.size() > most_axes)
      reason = fmt::format("accelerator '{}' has {} axes; ZigZag's mappings name at most {}",
                           accelerator.name, axes.size(), most_axes);
    if (!reason.empty()) {
      result.refusals.push_back(named.name + ": " + reason);
      continue;
    }
    written.push_back(&named);
    hardware.push_back(accelerator_text(accelerator, &named, axes, result.notes));
    result.files.push_back({named.name + ".workload.yaml", workload_text(named, accelerator, result.notes)});
    result.files.push_back({named.name + ".mapping.yaml", mapping_text(named, axes)});
  }
  if (mappings.empty()) hardware.push_back(accelerator_text(accelerator, nullptr, axes, result.notes));
  const bool same =
      std::adjacent_find(hardware.begin(), hardware.end(), std::not_equal_to<>()) == hardware.end();
  if (same && !hardware.empty())
    result.files.insert(result.files.begin(), {"accelerator.yaml", hardware.front()});
  for (std::size_t i = 0; !same && i < hardware.size(); ++i)
    result.files.push_back({written[i]->name + ".accelerator.yaml", hardware[i]});
  if (!written.empty())
    note(result.notes,
         "ZigZag allocates loops to memories itself: the order of the loops is written, the tile that each "
         "level holds is not");
  note_accelerator(accelerator, result.notes);
  return result;
}

}  // namespace atl
