#include "atoll/simulator/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoll/base/table.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

struct View {
  const Mapping& mapping;
  const Layer& layer;
  const Accelerator& accelerator;
  const CostSchema& schema;
  std::span<const double> costs;

  bool kept(std::size_t l, Operand o) const {
    return layer.has(o) && (l == 0 || contains(mapping.level[l].keep, o));
  }
  double count(std::size_t l, Operand o, Count what) const {
    const std::size_t first = schema.first_column[l][index(o)];
    return first == CostSchema::npos ? 0 : costs[first + static_cast<std::size_t>(what)];
  }
  /// The next level further in, or further out, that keeps the operand; `levels` (npos) if there is none.
  std::size_t inner(std::size_t l, Operand o) const {
    for (++l; l < mapping.levels && !kept(l, o);) ++l;
    return l;
  }
  std::size_t outer(std::size_t l, Operand o) const {
    while (l-- > 0)
      if (kept(l, o)) return l;
    return CostSchema::npos;
  }
};

std::string ratio(double above, double below) {
  if (below <= 0) return "-";
  const double value = above / below;
  return value < 999.5 ? fmt::format("{:.3g}", value) : format_count(value);
}

std::string percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

// Uses of a word for each time it comes in; of an output: additions for each time it goes out. The outermost
// level holds the tensor from the start.
std::string reuse(const View& view, std::size_t l, Operand o) {
  const std::size_t outer = view.outer(l, o);
  const auto tensor = static_cast<double>(view.layer.elements(o));
  if (o == Operand::O) {
    const double out = outer == CostSchema::npos ? tensor : view.count(outer, o, Count::updates);
    return ratio(view.count(l, o, Count::updates), out);
  }
  return ratio(view.count(l, o, Count::reads),
               outer == CostSchema::npos ? tensor : view.count(l, o, Count::fills));
}

// Children that receive a word for each time it is read: multicast.
std::string shared(const View& view, std::size_t l, Operand o) {
  if (o == Operand::O) return "";
  const std::size_t inner = view.inner(l, o);
  if (inner == view.mapping.levels) return "";
  return ratio(view.count(inner, o, Count::fills), view.count(l, o, Count::reads));
}

std::string room(const View& view, std::size_t l, Operand o) {
  const StorageLevel& level = view.accelerator.levels[l];
  if (level.size == infinity) return "-";
  const auto words = static_cast<double>(tile_words(view.layer, o, view.mapping.entering(l, view.layer)));
  const double tiles = level.buffering == Buffering::double_ ? 2 : 1;
  return percent(tiles * words * view.accelerator.word_bits(l, o), level.size);
}

std::string traffic_table(const View& view) {
  TextTable table(
      {"level", "", "tile", "room", "reads", "fills", "updates", "reuse", "multicast", "energy", "share"});
  table.align_right_from(2);
  const double total = view.costs[cost::energy];
  const auto words = [&](std::size_t l, Operand o, Count what) {
    return format_count(view.count(l, o, what));
  };
  for (std::size_t l = 0; l < view.mapping.levels; ++l) {
    std::string name = view.accelerator.levels[l].name;
    for (const Operand o : operands) {
      if (!view.kept(l, o)) continue;
      const double energy = view.count(l, o, Count::energy);
      table.add({name, std::string(operand_names[index(o)]),
                 fmt::format("{}", tile_words(view.layer, o, view.mapping.entering(l, view.layer))),
                 room(view, l, o), words(l, o, Count::reads), words(l, o, Count::fills),
                 words(l, o, Count::updates), reuse(view, l, o), shared(view, l, o), format_energy(energy),
                 percent(energy, total)});
      name.clear();
    }
  }
  table.add_rule();
  const auto rest = [&](const char* name, double energy) {
    if (energy > 0)
      table.add({name, "", "", "", "", "", "", "", "", format_energy(energy), percent(energy, total)});
  };
  rest(view.accelerator.compute.kind.c_str(), view.costs[cost::compute_energy]);
  rest("hops", view.costs[cost::network_energy]);
  rest("leakage", view.costs[cost::leakage_energy]);
  rest("all", total);
  return table.text();
}

struct Port {
  std::string name;
  double code = 0;  // as in cost::binds
  double bits = 0, bandwidth = 0, instances = 1;
  double cycles() const { return std::ceil(bits / (bandwidth * instances)); }
};

std::uint64_t spread(const Mapping& mapping, std::size_t l) {
  std::uint64_t children = 1;
  const LevelMapping& level = mapping.level[l];
  for (std::size_t d = 0; d < dim_count; ++d)
    children *= std::uint64_t{(level.temporal[d] - 1) / level.y[d] + 1} * ((level.y[d] - 1) / level.x[d] + 1);
  return children;
}

std::vector<Port> ports(const View& view) {
  std::vector<Port> all;
  std::uint64_t instances = 1;
  for (std::size_t l = 0; l < view.mapping.levels; ++l) {
    const StorageLevel& level = view.accelerator.levels[l];
    double read = 0, written = 0;
    for (const Operand o : operands) {
      if (!view.kept(l, o)) continue;
      const double bits = view.accelerator.word_bits(l, o);
      read += view.count(l, o, Count::reads) * bits;
      written += (view.count(l, o, Count::fills) + view.count(l, o, Count::updates)) * bits;
    }
    const double code = 1 + 2 * static_cast<double>(l);
    const auto used = static_cast<double>(instances);
    const auto add = [&](const char* what, double number, double bits, double bandwidth) {
      if (bandwidth < infinity) all.push_back({level.name + what, number, bits, bandwidth, used});
    };
    if (level.shared_port) {
      add(" reads and writes", code, read + written, level.read_bandwidth);
    } else {
      add(" reads", code, read, level.read_bandwidth);
      add(" writes", code + 1, written, level.write_bandwidth);
    }
    instances *= spread(view.mapping, l);
  }
  return all;
}

std::string time_table(const View& view) {
  const double steady = view.costs[cost::cycles_steady];
  const double binds = view.costs[cost::binds];
  TextTable table({"what takes time", "bits moved", "width x instances", "cycles", "of the limit", ""});
  table.align_right_from(1);
  const auto row = [&](const std::string& name, const std::string& bits, const std::string& width,
                       double code, double cycles) {
    table.add({name, bits, width, fmt::format("{:.0f}", cycles), percent(cycles, steady),
               code == binds ? "<- limits" : ""});
  };
  row("compute", "", "", 0, binds == 0 ? steady : compute_cycles(view.mapping, view.layer));
  for (const Port& port : ports(view))
    row(port.name, format_count(port.bits), fmt::format("{:.4g} x {:.0f}", port.bandwidth, port.instances),
        port.code, port.code == binds ? steady : port.cycles());
  return table.text();
}

std::string summary(const View& view) {
  std::uint64_t used = 1;
  for (std::size_t l = 0; l < view.mapping.levels; ++l) used *= spread(view.mapping, l);
  const double cycles = view.costs[cost::cycles];
  const double steady = view.costs[cost::cycles_steady];
  const double extra = cycles - steady;
  std::string text =
      fmt::format("{} of {} multipliers work; {} of all that they could do in this time is done\n", used,
                  view.accelerator.units(), percent(view.costs[cost::utilisation], 1));
  text += fmt::format("cycles {:.0f} = {:.0f}{}\n", cycles, steady,
                      extra > 0 ? fmt::format(" + {:.0f} for first load, last store and stalls", extra) : "");
  const double bound_cycles = view.costs[cost::bound_cycles];
  const double bound_energy = view.costs[cost::bound_energy];
  return text + fmt::format("lower bounds: {:.0f} cycles (x {}), {} (x {})\n", bound_cycles,
                            ratio(cycles, bound_cycles), format_energy(bound_energy),
                            ratio(view.costs[cost::energy], bound_energy));
}

// Steps of dimension d from level l inwards, for a tile of `extent`.
double steps(const Mapping& mapping, std::size_t l, std::size_t d, std::uint32_t extent) {
  if (l == mapping.levels) return 1;
  const LevelMapping& level = mapping.level[l];
  const auto inside = [&](std::uint32_t tile) {
    return steps(mapping, l + 1, d, std::min(tile, level.x[d]));
  };
  const std::uint32_t full = extent / level.temporal[d];
  const std::uint32_t rest = extent % level.temporal[d];
  return full * (full > 0 ? inside(level.temporal[d]) : 0) + (rest > 0 ? inside(rest) : 0);
}

}  // namespace

double compute_cycles(const Mapping& mapping, const Layer& layer) {
  double cycles = 1;
  for (std::size_t d = 0; d < dim_count; ++d) cycles *= steps(mapping, 0, d, layer.size[d]);
  return cycles;
}

std::string explain(const Mapping& mapping, const Layer& layer, const Accelerator& accelerator,
                    const CostSchema& schema, std::span<const double> costs) {
  const View view{mapping, layer, accelerator, schema, costs};
  return fmt::format(
      "{} on {}\n\n{}\n{}\n"
      "words are sums over all instances; reuse: reads for each word that comes in (O: additions for each "
      "that goes\n"
      "out); multicast: instances further in that one read serves\n\n{}\n{}",
      layer_key(layer), accelerator.name, loop_nest(mapping, layer, accelerator), traffic_table(view),
      time_table(view), summary(view));
}

}  // namespace atl
