#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "timeloop_names.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// A level in Timeloop's units: words of one width.
struct WordLevel {
  double bits = 0;   // of a word
  double block = 0;  // words of one access
  std::uint64_t mesh_x = 1, mesh_y = 1;
};

WordLevel word_level(const Accelerator& accelerator, std::size_t l, std::vector<std::string>& notes) {
  const StorageLevel& level = accelerator.levels[l];
  double widest = 0;
  double narrowest = infinity;
  for (const Operand o : {Operand::W, Operand::I, Operand::O}) {
    if (!contains(static_cast<OperandSet>(level.keep | level.may_keep), o)) continue;
    widest = std::max(widest, accelerator.word_bits(l, o));
    narrowest = std::min(narrowest, accelerator.word_bits(l, o));
  }
  if (narrowest < widest)
    note(notes, fmt::format("level '{}' holds words of {} to {} bits; Timeloop has one width a level: all "
                            "have {}",
                            level.name, narrowest, widest, widest));
  WordLevel words;
  words.bits = widest;
  words.block = level.access_width / widest;
  if (words.block != std::floor(words.block)) {
    note(notes, fmt::format("level '{}' moves {} bits an access, which is no whole number of its words of "
                            "{}: an access of one word with its share of the energy is written",
                            level.name, level.access_width, widest));
    words.block = 1;
  }
  for (const Fanout& fanout : accelerator.fanouts) {
    if (fanout.above >= l) continue;
    words.mesh_x *= fanout.x;
    words.mesh_y *= fanout.y;
  }
  return words;
}

std::string instance_name(const std::string& name, std::uint64_t instances) {
  return fmt::format("{}[1..{}]", name, instances);
}

void add_capacity(const Accelerator& accelerator, std::size_t l, const WordLevel& words,
                  std::span<const OutgoingMapping> mappings, std::string& text,
                  std::vector<std::string>& notes) {
  const StorageLevel& level = accelerator.levels[l];
  if (level.buffering == Buffering::double_) text += "        multiple_buffering: 2\n";
  if (level.size == infinity) return;
  double entries = std::floor(level.size / words.bits);
  const double buffers = level.buffering == Buffering::double_ ? 2 : 1;
  double needed = 0;
  for (const OutgoingMapping& named : mappings) {
    double tile = 0;
    for (const Operand o : {Operand::W, Operand::I, Operand::O})
      if (contains(named.mapping.level[l].keep, o))
        tile +=
            static_cast<double>(bounding_box_words(named.layer, o, named.mapping.entering(l, named.layer)));
    needed = std::max(needed, tile * buffers);
  }
  if (needed > entries) {
    note(notes,
         fmt::format("level '{}' has {} entries, but Timeloop needs {} for these mappings (words of one "
                     "width, stride holes stored): {} are written",
                     level.name, entries, needed, needed));
    entries = needed;
  }
  text += fmt::format("        entries: {}\n", number_text(entries));
  if (level.buffering == Buffering::single)
    note(notes, fmt::format("level '{}' is single-buffered; Timeloop overlaps its transfers with compute",
                            level.name));
}

void add_ports(const StorageLevel& level, double bits, std::string& text) {
  if (level.shared_port) {
    if (level.read_bandwidth < infinity)
      text += fmt::format("        shared_bandwidth: {}\n", number_text(level.read_bandwidth / bits));
    return;
  }
  if (level.read_bandwidth < infinity)
    text += fmt::format("        read_bandwidth: {}\n", number_text(level.read_bandwidth / bits));
  if (level.write_bandwidth < infinity)
    text += fmt::format("        write_bandwidth: {}\n", number_text(level.write_bandwidth / bits));
}

std::string class_of(const StorageLevel& level, std::string& type, std::vector<std::string>& notes) {
  if (level.kind == "register_file") return "smartbuffer_RF";
  if (level.kind == "sram" || level.kind == "edram") {
    if (level.kind == "edram") note(notes, fmt::format("level '{}' is eDRAM; written as SRAM", level.name));
    return "smartbuffer_SRAM";
  }
  type = level.kind == "dram" ? "" : level.kind;
  std::transform(type.begin(), type.end(), type.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return "DRAM";
}

std::string level_text(const Accelerator& accelerator, std::size_t l, const WordLevel& words,
                       std::span<const OutgoingMapping> mappings, std::vector<std::string>& notes) {
  const StorageLevel& level = accelerator.levels[l];
  const Fanout* fanout = accelerator.fanout_below(l);
  std::string type;
  const std::string kind = class_of(level, type, notes);
  std::string text = fmt::format("    - name: {}\n      class: {}\n      attributes:\n",
                                 instance_name(level.name, accelerator.instances(l)), kind);
  if (!type.empty()) text += fmt::format("        type: {}\n", type);
  text += fmt::format(
      "        word_bits: {}\n        block_size: {}\n        cluster_size: 1\n"
      "        meshX: {}\n        meshY: {}\n        energy_per_hop: {}\n",
      number_text(words.bits), number_text(words.block), words.mesh_x, words.mesh_y,
      number_text(fanout ? fanout->hop_energy * words.bits : 0));
  add_capacity(accelerator, l, words, mappings, text, notes);
  add_ports(level, words.bits, text);
  return text;
}

std::string multiplier_name(const Accelerator& accelerator) {
  std::string name = accelerator.compute.kind;
  for (const StorageLevel& level : accelerator.levels)
    if (level.name == name) name += "_unit";
  return name;
}

void note_fanouts(const Accelerator& accelerator, std::vector<std::string>& notes) {
  for (const Fanout& fanout : accelerator.fanouts) {
    const std::string& above = accelerator.levels[fanout.above].name;
    if (!fanout.multicast)
      note(notes, fmt::format("the fan-out below '{}' does not multicast; Timeloop's networks do", above));
    if (!fanout.reduction)
      note(notes,
           fmt::format("the fan-out below '{}' does not add partial sums; Timeloop's networks do", above));
    if (fanout.hop_energy > 0)
      note(notes,
           fmt::format(
               "a hop below '{}' costs by the word and its distance in the mesh in Timeloop, by the bit "
               "and word that arrives in atoll",
               above));
  }
}

struct Tables {
  std::string architecture, ert, art;
};

// A level that holds nothing and stands once for each row of the fan-out below level l: loops along y run
// above it, loops along x below.
std::string rows_text(const Accelerator& accelerator, std::size_t l, const WordLevel& above) {
  const Fanout* fanout = accelerator.fanout_below(l);
  return fmt::format(
      "    - name: {}\n      class: smartbuffer_RF\n      attributes:\n        word_bits: {}\n"
      "        block_size: 1\n        cluster_size: 1\n        meshX: {}\n        meshY: {}\n"
      "        energy_per_hop: 0\n        entries: 1\n",
      instance_name(timeloop::rows_of(accelerator.levels[l].name), accelerator.instances(l) * fanout->y),
      number_text(above.bits), above.mesh_x, above.mesh_y * fanout->y);
}

Tables architecture(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings,
                    const std::set<std::size_t>& split, std::vector<std::string>& notes) {
  Tables tables;
  tables.architecture = "architecture:\n  version: 0.4\n  subtree:\n  - name: system\n";
  if (accelerator.technology > 0)
    tables.architecture += fmt::format("    attributes: {{technology: {}nm}}\n",
                                       number_text(std::round(accelerator.technology * 1e6) / 1e3));
  tables.architecture += "    local:\n";
  tables.ert = "ERT:\n  version: 0.4\n  tables:\n";
  tables.art = "ART:\n  version: 0.4\n  tables:\n";
  const auto action = [](const char* name, double energy) {
    return fmt::format("    - {{name: {}, energy: {}, arguments: {{}}}}\n", name, number_text(energy));
  };
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    const WordLevel words = word_level(accelerator, l, notes);
    tables.architecture += level_text(accelerator, l, words, mappings, notes);
    const std::string name = "system." + instance_name(level.name, accelerator.instances(l));
    const double share = words.block * words.bits / level.access_width;
    tables.ert += fmt::format("  - name: {}\n    actions:\n", name) +
                  action("read", level.read_energy * share) + action("write", level.write_energy * share) +
                  action("update", level.write_energy * share) + action("leak", level.leakage);
    tables.art += fmt::format("  - name: {}\n    area: {}\n", name, number_text(level.area));
    if (!split.contains(l)) continue;
    tables.architecture += rows_text(accelerator, l, words);
    tables.ert += fmt::format("  - name: system.{}\n    actions:\n",
                              instance_name(timeloop::rows_of(level.name),
                                            accelerator.instances(l) * accelerator.fanout_below(l)->y)) +
                  action("read", 0) + action("write", 0) + action("update", 0) + action("leak", 0);
  }
  const std::string mac = instance_name(multiplier_name(accelerator), accelerator.units());
  std::uint64_t x = 1, y = 1;
  for (const Fanout& fanout : accelerator.fanouts) {
    x *= fanout.x;
    y *= fanout.y;
  }
  tables.architecture += fmt::format(
      "    - name: {}\n      class: intmac\n      attributes:\n        meshX: {}\n        meshY: {}\n"
      "        datawidth: {}\n",
      mac, x, y, accelerator.compute.bits);
  tables.ert +=
      fmt::format("  - name: system.{}\n    actions:\n", mac) + action("compute", accelerator.compute.energy);
  tables.art +=
      fmt::format("  - name: system.{}\n    area: {}\n", mac, number_text(accelerator.compute.area));
  note_fanouts(accelerator, notes);
  return tables;
}

std::string operand_names_of(OperandSet set) {
  std::string text;
  for (std::size_t o = 0; o < operand_count; ++o)
    if (contains(set, static_cast<Operand>(o)))
      text += (text.empty() ? "" : ", ") + std::string(timeloop::operands[o]);
  return "[" + text + "]";
}

std::string constraints(const Accelerator& accelerator, const std::set<std::size_t>& split) {
  std::string text = "architecture_constraints:\n  targets:\n";
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    const auto neither = static_cast<OperandSet>(all_operands & ~(level.keep | level.may_keep));
    text += fmt::format("  - {{target: {}, type: bypass, keep: {}, bypass: {}}}\n", level.name,
                        operand_names_of(level.keep), operand_names_of(neither));
    if (split.contains(l))
      text += fmt::format("  - {{target: {}, type: bypass, keep: [], bypass: {}}}\n",
                          timeloop::rows_of(level.name), operand_names_of(all_operands));
  }
  return text;
}

// As in Timeloop's own convolutions, W goes with P and R (vertical here), H with Q and S.
std::string problem_text(const Layer& layer) {
  std::string text =
      "problem:\n  version: 0.4\n  shape:\n    name: atoll_layer\n"
      "    dimensions: [N, G, M, C, P, Q, R, S]\n    coefficients:\n"
      "    - {name: Wstride, default: 1}\n    - {name: Hstride, default: 1}\n"
      "    - {name: Wdilation, default: 1}\n    - {name: Hdilation, default: 1}\n"
      "    data_spaces:\n"
      "    - name: Weights\n      projection: [[[G]], [[M]], [[C]], [[R]], [[S]]]\n"
      "    - name: Inputs\n      projection: [[[N]], [[G]], [[C]], [[R, Wdilation], [P, Wstride]], "
      "[[S, Hdilation], [Q, Hstride]]]\n"
      "    - name: Outputs\n      projection: [[[N]], [[G]], [[M]], [[P]], [[Q]]]\n      read_write: true\n"
      "  instance:\n";
  for (std::size_t d = 0; d < dim_count; ++d)
    text += fmt::format("    {}: {}\n", timeloop::dims[d], layer.size[d]);
  text += fmt::format("    Wstride: {}\n    Hstride: {}\n    Wdilation: {}\n    Hdilation: {}\n",
                      layer.stride[0], layer.stride[1], layer.dilation[0], layer.dilation[1]);
  return text;
}

std::string factors_text(const LoopBounds& bounds) {
  std::string text;
  for (std::size_t d = 0; d < dim_count; ++d)
    text += fmt::format("{}{}={}", d == 0 ? "" : " ", timeloop::dims[d], bounds[d]);
  return text;
}

// Inner to outer, as Timeloop reads it.
std::string temporal_text(const std::string& target, const LevelMapping& level, const Extents& entering) {
  std::string permutation;
  for (std::size_t i = dim_count; i-- > 0;) permutation += timeloop::dims[level.order[i]];
  return fmt::format("  - target: {}\n    type: temporal\n    factors: {}\n    permutation: {}\n", target,
                     factors_text(bounds_between(entering, level.temporal)), permutation);
}

// Loops along x stand first (innermost), `split` of them; loops along y outside them.
std::string spatial_text(const std::string& target, const LoopBounds& x, const LoopBounds& y) {
  std::string along_x, along_y;
  LoopBounds both{};
  for (std::size_t d = dim_count; d-- > 0;) {
    both[d] = x[d] * y[d];
    (x[d] > 1 ? along_x : along_y) += timeloop::dims[d];
  }
  return fmt::format(
      "  - target: {}\n    type: spatial\n    factors: {}\n    permutation: {}\n    split: {}\n", target,
      factors_text(both), along_x + along_y, along_x.size());
}

// Moves loops of a dimension that runs both ways to one side, if there is room.
bool join_axes(const Fanout& fanout, LoopBounds& x, LoopBounds& y) {
  const auto product = [](const LoopBounds& bounds) {
    std::uint64_t all = 1;
    for (const std::uint32_t bound : bounds) all *= bound;
    return all;
  };
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (x[d] == 1 || y[d] == 1) continue;
    if (product(x) * y[d] <= fanout.x) {
      x[d] *= y[d];
      y[d] = 1;
    } else if (product(y) * x[d] <= fanout.y) {
      y[d] *= x[d];
      x[d] = 1;
    } else {
      return false;
    }
  }
  return true;
}

// Levels below which some mapping runs a dimension along y and along x: Timeloop has one loop for it at a
// level, so the fan-out is split in two.
std::set<std::size_t> split_fanouts(const Accelerator& accelerator,
                                    std::span<const OutgoingMapping> mappings) {
  std::set<std::size_t> split;
  for (const Fanout& fanout : accelerator.fanouts) {
    for (const OutgoingMapping& named : mappings) {
      const LevelMapping& level = named.mapping.level[fanout.above];
      LoopBounds y = bounds_between(level.temporal, level.y);
      LoopBounds x = bounds_between(level.y, level.x);
      if (!join_axes(fanout, x, y)) split.insert(fanout.above);
    }
  }
  return split;
}

LoopBounds no_loops() {
  LoopBounds bounds;
  bounds.fill(1);
  return bounds;
}

std::string rows_mapping_text(const std::string& target, const LoopBounds& x) {
  return fmt::format(
             "  - target: {0}\n    type: bypass\n    keep: []\n    bypass: {1}\n"
             "  - target: {0}\n    type: temporal\n    factors: {2}\n    permutation: NGMCPQRS\n",
             target, operand_names_of(all_operands), factors_text(no_loops())) +
         spatial_text(target, x, no_loops());
}

std::string mapping_text(const OutgoingMapping& named, const Accelerator& accelerator,
                         const std::set<std::size_t>& split) {
  std::string text = "mapping:\n";
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    const LevelMapping& level = named.mapping.level[l];
    const std::string& target = accelerator.levels[l].name;
    const auto bypassed = static_cast<OperandSet>(all_operands & ~level.keep);
    text += fmt::format("  - target: {}\n    type: bypass\n    keep: {}\n    bypass: {}\n", target,
                        operand_names_of(level.keep), operand_names_of(bypassed));
    text += temporal_text(target, level, named.mapping.entering(l, named.layer));
    const Fanout* fanout = accelerator.fanout_below(l);
    if (fanout == nullptr) continue;
    LoopBounds y = bounds_between(level.temporal, level.y);
    LoopBounds x = bounds_between(level.y, level.x);
    if (split.contains(l)) {
      text += spatial_text(target, no_loops(), y) + rows_mapping_text(timeloop::rows_of(target), x);
    } else {
      join_axes(*fanout, x, y);
      text += spatial_text(target, x, y);
    }
  }
  return text;
}

void note_layer(const OutgoingMapping& named, std::vector<std::string>& notes) {
  const Layer& layer = named.layer;
  if (layer.padding_before != std::array<std::uint32_t, 2>{} ||
      layer.padding_after != std::array<std::uint32_t, 2>{})
    note(notes, fmt::format("{}: padding becomes part of the stored input; Timeloop moves it", named.name));
  for (std::size_t a = 0; a < 2; ++a) {
    const std::uint32_t taps = layer.size[index(a == 0 ? Dim::R : Dim::S)];
    if (layer.stride[a] <= taps && layer.dilation[a] == 1) continue;
    note(notes,
         fmt::format("{}: the window leaves holes in the input; Timeloop stores and moves them", named.name));
    break;
  }
}

}  // namespace

Exported export_timeloop(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings) {
  Exported result;
  std::vector<OutgoingMapping> written;
  for (const OutgoingMapping& named : mappings) {
    const std::string reason = why_not_exported(named, accelerator, true);
    if (!reason.empty()) {
      result.refusals.push_back(named.name + ": " + reason);
    } else {
      written.push_back(named);
    }
  }
  const std::set<std::size_t> split = split_fanouts(accelerator, written);
  const Tables tables = architecture(accelerator, written, split, result.notes);
  result.files = {{"architecture.yaml", tables.architecture},
                  {"ert.yaml", tables.ert},
                  {"art.yaml", tables.art},
                  {"constraints.yaml", constraints(accelerator, split)}};
  for (const OutgoingMapping& named : written) {
    result.files.push_back({named.name + ".problem.yaml", problem_text(named.layer)});
    result.files.push_back({named.name + ".mapping.yaml", mapping_text(named, accelerator, split)});
    note_layer(named, result.notes);
  }
  for (const std::size_t l : split)
    note(result.notes,
         fmt::format("some dimension runs along y and x below level '{0}', for which Timeloop has one loop: "
                     "a level '{1}' that holds nothing stands between",
                     accelerator.levels[l].name, timeloop::rows_of(accelerator.levels[l].name)));
  return result;
}

}  // namespace atl
