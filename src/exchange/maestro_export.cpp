#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "atoll/base/text.hpp"
#include "atoll/exchange/maestro.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// What GAMMA's published runs pass for "unlimited", and the default of MAESTRO's sizes.
constexpr double unlimited_noc = 81920000;
constexpr double unlimited_offchip = 1073741824;
constexpr double unlimited_size = 2147483647;

constexpr std::array<std::string_view, dim_count> dims = {"N", "G", "K", "C", "Y'", "X'", "R", "S"};

// One directive: the tile that one step of the loop over `dim` hands inwards.
struct Step {
  std::size_t dim = 0;
  std::uint32_t tile = 1;
};

// One level of clusters: loops in their order, at most one of which spreads its dimension over `units`.
struct Section {
  std::vector<Step> loops;
  std::optional<std::size_t> space;  // index of the loop that runs in space
  std::uint32_t units = 1;
  Extents entering{};
};

// Levels outside the units; those further in are L1.
std::size_t shared_levels(const Accelerator& accelerator) {
  if (!accelerator.fanouts.empty()) return accelerator.fanouts.back().above + 1;
  return std::max<std::size_t>(1, accelerator.levels.size() - 1);
}

// Joins a loop to the one before if they run over the same dimension.
std::string add_time(const std::string& level, std::size_t dim, std::uint32_t tile, Section& section) {
  if (!section.loops.empty() && section.loops.back().dim == dim) {
    section.loops.back().tile = tile;
    return {};
  }
  for (const Step& step : section.loops)
    if (step.dim == dim)
      return fmt::format(
          "dimension {} is cut in time in two storage levels, the inner one '{}', with other loops between; "
          "MAESTRO has one loop for it there",
          dims[dim], level);
  section.loops.push_back({dim, tile});
  return {};
}

// Several loops in space make several sections. A dimension that is cut in time as well is folded over the
// units: the spatial directive stands where its loop in time stood.
void add_space(std::size_t dim, std::uint32_t outer, std::uint32_t inner, Extents& now,
               std::vector<Section>& sections) {
  if (outer == inner) return;
  Section& section = sections.back();
  const auto folded = std::find_if(section.loops.begin(), section.loops.end(),
                                   [&](const Step& step) { return step.dim == dim; });
  section.space = static_cast<std::size_t>(folded - section.loops.begin());
  if (folded == section.loops.end()) {
    section.loops.push_back({dim, inner});
  } else {
    folded->tile = inner;
  }
  section.units = (outer - 1) / inner + 1;
  now[dim] = inner;
  sections.emplace_back();
  sections.back().entering = now;
}

std::string sections_of(const OutgoingMapping& named, const Accelerator& accelerator,
                        std::vector<Section>& sections) {
  Extents now = named.layer.size;
  sections.emplace_back();
  sections.back().entering = now;
  for (std::size_t l = 0; l < shared_levels(accelerator); ++l) {
    const LevelMapping& level = named.mapping.level[l];
    for (const std::uint8_t d : level.order) {
      if (now[d] == level.temporal[d]) continue;
      const std::string reason = add_time(accelerator.levels[l].name, d, level.temporal[d], sections.back());
      if (!reason.empty()) return reason;
      now[d] = level.temporal[d];
    }
    for (std::size_t d = 0; d < dim_count; ++d) add_space(d, level.temporal[d], level.y[d], now, sections);
    for (std::size_t d = 0; d < dim_count; ++d) add_space(d, level.y[d], level.x[d], now, sections);
  }
  if (sections.size() > 1 && sections.back().loops.empty()) sections.pop_back();
  for (const std::size_t d : {index(Dim::R), index(Dim::S)})
    if (now[d] != named.layer.size[d])
      return fmt::format(
          "the window is cut along {} outside the innermost memory; MAESTRO miscounts or refuses that",
          dims[d]);
  return {};
}

// Depthwise: channels are C there. The dimension that a directive or a size belongs to.
bool depthwise(const Layer& layer) {
  return layer[Dim::G] > 1 && layer[Dim::K] == 1 && layer[Dim::C] == 1;
}

std::string why_not(const OutgoingMapping& named) {
  const Layer& layer = named.layer;
  if (layer[Dim::G] > 1 && !depthwise(layer))
    return fmt::format("{} groups; MAESTRO knows none but depthwise layers", layer[Dim::G]);
  for (std::size_t a = 0; a < 2; ++a)
    if (layer.dilation[a] > 1 && layer.size[index(a == 0 ? Dim::R : Dim::S)] > 1)
      return fmt::format("a dilation of {}; MAESTRO has none", layer.dilation[a]);
  return {};
}

std::string directive(const char* kind, std::uint32_t tile, std::string_view dim) {
  return fmt::format("      {}({},{}) {};\n", kind, tile, tile, dim);
}

// Which name a dimension has here; empty if it does not occur.
std::string_view dim_name(const Layer& layer, std::size_t d) {
  const bool depth = depthwise(layer);
  if (d == index(Dim::N) && layer.size[d] == 1) return {};
  if (d == index(Dim::G)) return depth ? dims[index(Dim::C)] : std::string_view{};
  if (depth && (d == index(Dim::K) || d == index(Dim::C))) return {};
  return dims[d];
}

// Every level must spread some dimension: without a loop in space one unit takes all of one that is not cut.
std::optional<std::size_t> uncut_dim(const Layer& layer, const Section& section) {
  const auto cut = [&](std::size_t d) {
    return std::any_of(section.loops.begin(), section.loops.end(),
                       [&](const Step& step) { return dim_name(layer, step.dim) == dim_name(layer, d); });
  };
  for (std::size_t d = 0; d < dim_count; ++d)
    if (!dim_name(layer, d).empty() && !cut(d)) return d;
  return std::nullopt;
}

std::string section_text(const Layer& layer, const Section& section) {
  std::string text;
  std::array<bool, dim_count> named{};
  const auto add = [&](const char* kind, std::size_t d, std::uint32_t tile) {
    named[d] = true;
    if (const auto name = dim_name(layer, d); !name.empty()) text += directive(kind, tile, name);
  };
  for (std::size_t i = 0; i < section.loops.size(); ++i)
    add(section.space == i ? "SpatialMap" : "TemporalMap", section.loops[i].dim, section.loops[i].tile);
  if (!section.space)
    if (const auto d = uncut_dim(layer, section)) add("SpatialMap", *d, section.entering[*d]);
  for (std::size_t d = 0; d < dim_count; ++d)
    if (!named[d]) add("TemporalMap", d, section.entering[d]);
  return text;
}

std::string mapping_text(const OutgoingMapping& named, const std::vector<Section>& sections) {
  const Layer& layer = named.layer;
  const bool depth = depthwise(layer);
  const auto input = [&](Dim rows, Dim taps, std::size_t a) {
    return std::uint64_t{layer[rows] - 1} * layer.stride[a] + layer[taps];
  };
  std::string text = fmt::format("Network {} {{\n  Layer {} {{\n    Type: {}\n", plain_name(named.name),
                                 plain_name(named.name), depth ? "DSCONV" : "CONV");
  if (layer.stride != std::array<std::uint32_t, 2>{1, 1})
    text += fmt::format("    Stride {{ X: {}, Y: {} }}\n", layer.stride[1], layer.stride[0]);
  text += "    Dimensions { ";
  if (layer[Dim::N] > 1) text += fmt::format("N: {}, ", layer[Dim::N]);
  text += fmt::format("K: {}, C: {}, Y: {}, X: {}, R: {}, S: {} }}\n    Dataflow {{\n", layer[Dim::K],
                      depth ? layer[Dim::G] : layer[Dim::C], input(Dim::P, Dim::R, 0),
                      input(Dim::Q, Dim::S, 1), layer[Dim::R], layer[Dim::S]);
  for (std::size_t s = 0; s < sections.size(); ++s) {
    if (s > 0) text += fmt::format("      Cluster({},P);\n", sections[s].units);
    text += section_text(layer, sections[s]);
  }
  return text + "    }\n  }\n}\n";
}

struct Hardware {
  std::uint64_t units = 1;
  double l1 = 0, l2 = 0, noc = unlimited_noc, offchip = unlimited_offchip;
};

double whole(double value, double unlimited, const char* what, std::vector<std::string>& notes) {
  if (value == infinity) return unlimited;
  if (value != std::floor(value))
    note(notes, fmt::format("{} is {} words; MAESTRO takes whole numbers: {} is written", what, value,
                            std::floor(value)));
  return std::min(unlimited_size, std::floor(value));
}

Hardware hardware_of(const Accelerator& accelerator, std::vector<std::string>& notes) {
  Hardware hardware;
  hardware.units = accelerator.units();
  const double word = accelerator.compute.bits;
  if (accelerator.compute.bits != 8 || accelerator.compute.accumulator_bits != 8)
    note(notes,
         fmt::format(
             "MAESTRO takes one byte for every word; sizes and bandwidths are written in words of {} bits",
             word));
  const std::size_t shared = shared_levels(accelerator);
  const std::size_t first = accelerator.fanouts.empty() ? shared : accelerator.fanouts.front().above + 1;
  double l2 = 0, l1 = 0, noc = infinity;
  for (std::size_t l = 1; l < accelerator.levels.size(); ++l) {
    const StorageLevel& level = accelerator.levels[l];
    if (l >= shared) {
      l1 += level.size;
    } else if (l >= first) {
      note(notes,
           fmt::format("level '{}' stands between two fan-outs; MAESTRO has no memory there", level.name));
    } else {
      l2 += level.size;
      noc = level.read_bandwidth;
      if (level.write_bandwidth != level.read_bandwidth)
        note(notes, fmt::format(
                        "level '{}' writes at another bandwidth than it reads; MAESTRO has one, the latter's",
                        level.name));
    }
  }
  if (l2 == 0) note(notes, "there is no memory that all units share; MAESTRO's L2 is written as unlimited");
  if (l1 == 0) note(notes, "there is no memory in the units; MAESTRO's L1 is written as 0");
  hardware.l2 = l2 == 0 ? unlimited_size : whole(l2 / word, unlimited_size, "L2", notes);
  hardware.l1 = whole(l1 / word, unlimited_size, "L1", notes);
  hardware.noc = whole(noc / word, unlimited_noc, "the bandwidth to the units", notes);
  hardware.offchip = whole(accelerator.levels[0].read_bandwidth / word, unlimited_offchip,
                           "the bandwidth of the outermost level", notes);
  return hardware;
}

std::string hardware_text(const Hardware& hardware, std::uint64_t units) {
  return fmt::format(
      "num_pes: {}\nl1_size_cstr: {:.0f}\nl2_size_cstr: {:.0f}\nnoc_bw_cstr: {:.0f}\noffchip_bw_cstr: "
      "{:.0f}\n",
      units, hardware.l1, hardware.l2, hardware.noc, hardware.offchip);
}

void note_mapping(const OutgoingMapping& named, const Accelerator& accelerator,
                  std::vector<std::string>& notes) {
  const Layer& layer = named.layer;
  if (layer.stride != std::array<std::uint32_t, 2>{1, 1})
    note(notes, fmt::format("{}: a stride; MAESTRO counts too many operations for it", named.name));
  if (layer.padding_before != std::array<std::uint32_t, 2>{} ||
      layer.padding_after != std::array<std::uint32_t, 2>{})
    note(notes, fmt::format("{}: padding becomes part of the input; MAESTRO moves it", named.name));
  if (!check(named.mapping, layer, accelerator, true).empty())
    note(notes,
         fmt::format(
             "{}: tiles that do not divide; MAESTRO miscounts a last step in space that is partly filled",
             named.name));
  for (std::size_t l = 1; l < accelerator.levels.size(); ++l)
    for (const Operand o : {Operand::W, Operand::I, Operand::O})
      if (l < shared_levels(accelerator) && layer.has(o) && !contains(named.mapping.level[l].keep, o))
        note(notes, fmt::format("{}: {} bypasses '{}'; MAESTRO's L2 holds every operand", named.name,
                                operand_names[index(o)], accelerator.levels[l].name));
}

}  // namespace

Exported export_maestro(const Accelerator& accelerator, std::span<const OutgoingMapping> mappings) {
  Exported result;
  const Hardware hardware = hardware_of(accelerator, result.notes);
  result.files.push_back({"hardware.m", hardware_text(hardware, hardware.units)});
  for (const OutgoingMapping& named : mappings) {
    std::vector<Section> sections;
    std::string reason = why_not_exported(named, accelerator, false);
    if (reason.empty()) reason = why_not(named);
    if (reason.empty()) reason = sections_of(named, accelerator, sections);
    if (!reason.empty()) {
      result.refusals.push_back(named.name + ": " + reason);
      continue;
    }
    result.files.push_back({named.name + ".m", mapping_text(named, sections)});
    note_mapping(named, accelerator, result.notes);
    std::uint64_t units = 1;
    for (const Section& section : sections) units *= section.units;
    if (units == hardware.units) continue;
    result.files.push_back({named.name + ".hardware.m", hardware_text(hardware, units)});
    note(result.notes,
         fmt::format("{}: uses {} of {} units; MAESTRO would spread it over all: {}.hardware.m has {}",
                     named.name, units, hardware.units, named.name, units));
  }
  if (result.files.size() > 1)
    note(result.notes,
         "energies, buffering and the DRAM's traffic have no place in MAESTRO's files, nor have loops inside "
         "the innermost memory");
  return result;
}

}  // namespace atl
