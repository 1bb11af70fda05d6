#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "atoll/base/error.hpp"
#include "zigzag_walk.hpp"

namespace atl {

namespace {

using zigzag::I;
using zigzag::O;
using zigzag::Walk;

constexpr double most_exact = 9007199254740992.0;  // 2^53
constexpr std::uint32_t most_bits = 1024;

constexpr bool is_window(ZigzagDim dim) {
  return dim >= ZigzagDim::OX;
}

void check_layer(const ZigzagLayer& layer) {
  double macs = 1;
  for (std::size_t d = 0; d < zigzag_dim_count; ++d) {
    if (layer.size[d] == 0)
      throw InputError(fmt::format("a loop size is at least 1; {} is 0", zigzag_dim_names[d]));
    macs *= layer.size[d];
  }
  if (macs > most_exact)
    throw InputError(fmt::format("a layer has at most 2^53 multiplications; found {}", macs));
  for (std::size_t axis = 0; axis < 2; ++axis)
    if (layer.stride[axis] == 0 || layer.dilation[axis] == 0 || layer.input_extent[axis] == 0)
      throw InputError("stride, dilation and input extent are at least 1; found 0");
  for (std::size_t o = 0; o < operand_count; ++o)
    if (layer.bits[o] == 0 || layer.bits[o] > most_bits)
      throw InputError(
          fmt::format("words have 1 to {} bits; {} has {}", most_bits, operand_names[o], layer.bits[o]));
  if (layer.final_bits == 0 || layer.final_bits > most_bits)
    throw InputError(
        fmt::format("words have 1 to {} bits; final outputs have {}", most_bits, layer.final_bits));
  std::uint32_t seen = 0;
  for (const Operand operand : layer.operands) seen |= 1U << index(operand);
  if (seen != 7U) throw InputError("the operands of a layer are W, I and O, each once");
}

void check_unrollings(const ZigzagModel& model, const std::vector<ZigzagUnrolling>& unrollings) {
  if (unrollings.size() > zigzag_most_unrollings)
    throw InputError(fmt::format("{} unrolled loops; at most {} are supported", unrollings.size(),
                                 zigzag_most_unrollings));
  std::array<double, zigzag_dim_count> product;
  product.fill(1);
  double units = 1;
  for (const ZigzagUnrolling& one : unrollings) {
    const std::string_view name = zigzag_dim_names[index(one.dim)];
    // Negated, so that what is no number is refused, too.
    if (!(one.factor >= 1 && one.factor <= most_exact && one.whole >= 1 && one.whole <= one.factor &&
          one.whole == std::trunc(one.whole)))
      throw InputError(fmt::format(
          "the unrolling of {} is at least 1, with a whole part that is not above it; found {} and {}", name,
          one.factor, one.whole));
    product[index(one.dim)] *= one.factor;
    units *= one.factor;
    for (std::size_t o = 0; o < operand_count; ++o)
      if (one.level[o] > model.depth[o])
        throw InputError(fmt::format("the unrolling of {} stands at fan-out {} of {}, which has {} memories",
                                     name, one.level[o], operand_names[o], model.depth[o]));
  }
  for (std::size_t d = 0; d < zigzag_dim_count; ++d)
    if (product[d] > model.layer.size[d] * (1 + 1e-9))
      throw InputError(fmt::format("{} is unrolled by {}, more than its size of {}", zigzag_dim_names[d],
                                   product[d], model.layer.size[d]));
  if (units > model.multipliers * (1 + 1e-9))
    throw InputError(
        fmt::format("loops are unrolled over {} multipliers; the array has {}", units, model.multipliers));
}

void add_ports(const ZigzagAccelerator& accelerator, ZigzagModel& model,
               const std::array<std::array<std::uint8_t, zigzag_most_memories>, operand_count>& level_of) {
  for (std::size_t m = 0; m < accelerator.memories.size(); ++m) {
    const ZigzagMemory& memory = accelerator.memories[m];
    for (const ZigzagPort& port : memory.ports) {
      const std::size_t p = model.port_count++;
      model.port_width[p] = port.most;
      model.port_name[p] = memory.name;
      bool weights = false, inputs = false;
      for (const auto& [operand, move] : port.moves) {
        weights = weights || operand == Operand::W;
        inputs = inputs || operand == Operand::I;
      }
      for (const auto& [operand, move] : port.moves) {
        const std::size_t o = index(operand), l = level_of[o][m];
        ZigzagModel::Level& level = model.level[o][l];
        model.moves[p][model.move_count[p]++] = {static_cast<std::uint8_t>(o), static_cast<std::uint8_t>(l),
                                                 static_cast<std::uint8_t>(index(move))};
        level.least[index(move)] = port.least;
        level.most[index(move)] = port.most;
        if (move == ZigzagMove::rd_out_to_low) level.loads_shared_low = weights && inputs;
        if (move == ZigzagMove::wr_in_by_high) level.loads_shared_high = weights && inputs;
      }
    }
  }
}

void add_memories(const ZigzagAccelerator& accelerator, ZigzagModel& model) {
  std::array<std::array<std::uint8_t, zigzag_most_memories>, operand_count> level_of = {};
  model.memory_count = accelerator.memories.size();
  for (std::size_t o = 0; o < operand_count; ++o) {
    const auto path = accelerator.path(static_cast<Operand>(o));
    model.depth[o] = static_cast<std::uint8_t>(path.size());
    for (std::size_t l = 0; l < path.size(); ++l) {
      const ZigzagMemory& memory = accelerator.memories[path[l]];
      ZigzagModel::Level& level = model.level[o][l];
      level_of[o][path[l]] = static_cast<std::uint8_t>(l);
      level.memory = static_cast<std::uint8_t>(path[l]);
      level.size = memory.size;
      level.read_energy = memory.read_energy;
      level.write_energy = memory.write_energy;
    }
  }
  for (std::size_t m = 0; m < accelerator.memories.size(); ++m) {
    const ZigzagMemory& memory = accelerator.memories[m];
    model.memory_size[m] = memory.size;
    for (const Operand operand : memory.operands)
      model.held[m][model.held_count[m]++] = {static_cast<std::uint8_t>(index(operand)),
                                              level_of[index(operand)][m]};
  }
  add_ports(accelerator, model, level_of);
}

// What the unrolling means for one operand: which data differ between instances, and how many there are.
void add_fanouts(ZigzagModel& model, std::size_t o, std::size_t variant) {
  const auto factor_of = [&](const ZigzagUnrolling& one) { return variant == 0 ? one.factor : one.whole; };
  zigzag::Window window = {1, 1, 1, 1};
  double relevant = 1, windows = 1;
  for (std::size_t l = 0; l < model.depth[o]; ++l) {
    ZigzagModel::Level& level = model.level[o][l];
    double here = 1, above = 1;
    level.window[variant] = {1, 1, 1, 1};
    level.reduced_above[variant] = false;
    for (std::size_t i = 0; i < model.unrolling_count; ++i) {
      const ZigzagUnrolling& one = model.unrollings[i];
      const ZigzagBearing bears = zigzag::bearings[o][index(one.dim)];
      const double factor = factor_of(one);
      if (one.level[o] > l) {
        above *= factor;
        level.reduced_above[variant] =
            level.reduced_above[variant] || (o == O && bears == ZigzagBearing::ir && factor > 1);
      } else if (one.level[o] == l && bears == ZigzagBearing::r) {
        here *= factor;
      } else if (one.level[o] == l && bears == ZigzagBearing::pr) {
        level.window[variant][zigzag::window_index(one.dim)] *= factor;
      }
    }
    for (std::size_t k = 0; k < window.size(); ++k) window[k] *= level.window[variant][k];
    const double windows_here = o == I ? zigzag::window_elements(model.layer, window) : 1;
    relevant *= here;
    level.relevant[variant] = relevant;
    level.boost[variant] = std::nearbyint(here * (windows_here / windows));
    windows = windows_here;
    if (variant == 0) level.instances = std::nearbyint(std::nearbyint(above * 1000) / 1000);
  }
}

// Words of a tensor that any multiplication uses, counted without ZigZag's rule for windows.
double words_reached(const ZigzagLayer& layer, Operand operand) {
  double words = 1;
  for (std::size_t d = 0; d < zigzag_dim_count; ++d)
    if (zigzag::bearings[index(operand)][d] == ZigzagBearing::r) words *= layer.size[d];
  for (std::size_t axis = 0; axis < 2 && operand == Operand::I; ++axis) {
    const double steps = layer.size[index(ZigzagDim::OX) + axis],
                 taps = layer.size[index(ZigzagDim::FX) + axis];
    const double span = (steps - 1) * layer.stride[axis] + (taps - 1) * layer.dilation[axis] + 1;
    // With padding, the outermost positions may find fewer words: at least one for each stride is sure.
    const double sure = layer.dilation[axis] == 1 && taps >= layer.stride[axis] ? span : steps;
    words *= std::min<double>(sure, layer.input_extent[axis]);
  }
  return words;
}

std::string name_of(std::size_t o, std::size_t l) {
  return fmt::format("memory {} of {}", l, operand_names[o]);
}

std::string check_loops(const ZigzagModel& model, const ZigzagLoops& loops) {
  if (loops.count > zigzag_most_loops)
    return fmt::format("{} temporal loops; at most {} are supported", loops.count, zigzag_most_loops);
  std::array<double, zigzag_dim_count> product;
  product.fill(1);
  for (std::size_t i = 0; i < loops.count; ++i) {
    const double size = loops.size[i];
    if (!(size >= 1 && size <= most_exact && size == std::trunc(size)))
      return fmt::format("a loop runs a whole number of times, at least once; {} runs {}",
                         zigzag_dim_names[index(loops.dim[i])], size);
    product[index(loops.dim[i])] *= size;
  }
  for (std::size_t i = 0; i < model.unrolling_count; ++i)
    product[index(model.unrollings[i].dim)] *= model.unrollings[i].factor;
  for (std::size_t d = 0; d < zigzag_dim_count; ++d)
    if (!(std::abs(product[d] - model.layer.size[d]) <= 1e-6 * model.layer.size[d]))
      return fmt::format("temporal and unrolled loops of {} multiply up to {}; the layer has {}",
                         zigzag_dim_names[d], product[d], model.layer.size[d]);
  return {};
}

// Every input and weight leaves the outermost memory once, every output enters it once: no schedule ends
// before the busiest port there has moved them. The second is cycles.
std::pair<std::string, double> outermost_bound(const ZigzagModel& model) {
  std::array<double, zigzag_most_ports> cycles = {};
  for (std::size_t p = 0; p < model.port_count; ++p)
    for (std::size_t i = 0; i < model.move_count[p]; ++i) {
      const auto [o, l, m] = model.moves[p][i];
      const auto wanted = o == O ? ZigzagMove::wr_in_by_low : ZigzagMove::rd_out_to_low;
      if (l + 1 == model.depth[o] && m == index(wanted))
        cycles[p] +=
            model.reached[o] * (o == O ? model.layer.final_bits : model.layer.bits[o]) / model.port_width[p];
    }
  const auto most = std::max_element(cycles.begin(), cycles.end());
  return {model.port_name[static_cast<std::size_t>(most - cycles.begin())], *most};
}

}  // namespace

ZigzagBearing bearing(Operand operand, ZigzagDim dim) {
  return zigzag::bearings[index(operand)][index(dim)];
}

double ZigzagLayer::macs() const {
  double product = 1;
  for (const std::uint32_t extent : size) product *= extent;
  return product;
}

double ZigzagLayer::elements(Operand operand) const {
  double product = 1;
  for (std::size_t d = 0; d < zigzag_dim_count; ++d)
    if (zigzag::bearings[index(operand)][d] == ZigzagBearing::r) product *= size[d];
  if (operand != Operand::I) return product;
  const auto s = [this](ZigzagDim dim) { return static_cast<double>((*this)[dim]); };
  return product * zigzag::window_elements(
                       *this, {s(ZigzagDim::OX), s(ZigzagDim::OY), s(ZigzagDim::FX), s(ZigzagDim::FY)});
}

std::vector<ZigzagUnrolling> unroll(const ZigzagAccelerator& accelerator, const ZigzagLayer& layer,
                                    const std::vector<ZigzagAxisLoop>& loops) {
  std::vector<ZigzagUnrolling> unrollings;
  std::vector<double> used(accelerator.axes.size(), 1);
  std::array<double, zigzag_dim_count> left;
  std::copy(layer.size.begin(), layer.size.end(), left.begin());
  for (const ZigzagAxisLoop& loop : loops) {
    const auto axis = std::find_if(accelerator.axes.begin(), accelerator.axes.end(),
                                   [&](const auto& one) { return one.first == loop.axis; });
    if (axis == accelerator.axes.end())
      throw InputError(fmt::format("'{}' is no axis of the array of '{}'", loop.axis, accelerator.name));
    const auto a = static_cast<std::size_t>(axis - accelerator.axes.begin());
    double& size = left[index(loop.dim)];
    const double whole = std::min<double>(std::max<std::uint32_t>(loop.factor, 1), size);
    used[a] *= whole;
    if (used[a] > axis->second)
      throw InputError(
          fmt::format("the axis {} has {} multipliers; its loops need {}", loop.axis, axis->second, used[a]));
    const double rounds = std::ceil(size / whole);
    if (whole == 1) continue;
    ZigzagUnrolling one = {loop.dim, size / rounds, std::trunc(size / rounds), {}};
    size = rounds;
    for (std::size_t o = 0; o < operand_count; ++o) {
      const auto path = accelerator.path(static_cast<Operand>(o));
      while (one.level[o] < path.size() && (accelerator.memories[path[one.level[o]]].serves & (1U << a)) == 0)
        ++one.level[o];
    }
    unrollings.push_back(one);
  }
  return unrollings;
}

ZigzagModel compile_zigzag(const ZigzagAccelerator& accelerator, const ZigzagLayer& layer,
                           const std::vector<ZigzagUnrolling>& unrollings) {
  check_layer(layer);
  ZigzagModel model;
  model.layer = layer;
  model.macs = layer.macs();
  model.multipliers = accelerator.multipliers();
  model.mac_energy = accelerator.mac_energy * model.macs;
  add_memories(accelerator, model);
  check_unrollings(model, unrollings);
  std::copy(unrollings.begin(), unrollings.end(), model.unrollings.begin());
  model.unrolling_count = unrollings.size();
  for (const ZigzagUnrolling& one : unrollings)
    model.fractional = model.fractional || one.whole != one.factor;
  for (std::size_t o = 0; o < operand_count; ++o) {
    model.elements[o] = layer.elements(static_cast<Operand>(o));
    model.reached[o] = words_reached(layer, static_cast<Operand>(o));
    for (std::size_t variant = 0; variant < 2; ++variant) add_fanouts(model, o, variant);
  }
  return model;
}

ZigzagLoops temporal_loops(const ZigzagModel& model) {
  ZigzagLoops loops;
  const auto add = [&](ZigzagDim dim) {
    double left = model.layer[dim];
    for (std::size_t i = 0; i < model.unrolling_count; ++i)
      if (model.unrollings[i].dim == dim) left = std::ceil(left / model.unrollings[i].factor - 1e-9);
    if (left <= 1) return;
    loops.dim[loops.count] = dim;
    loops.size[loops.count++] = left;
  };
  if (model.layer.names.empty())
    for (std::size_t d = 0; d < zigzag_dim_count; ++d) add(static_cast<ZigzagDim>(d));
  for (const auto& [name, dim] : model.layer.names) add(dim);
  return loops;
}

std::string check(const ZigzagModel& model, const ZigzagMapping& mapping) {
  const std::string reason = check_loops(model, mapping.loops);
  if (!reason.empty()) return reason;
  for (std::size_t o = 0; o < operand_count; ++o) {
    std::size_t before = 0;
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      if (mapping.end[o][l] < before || mapping.end[o][l] > mapping.loops.count)
        return fmt::format("{} ends at loop {}; expected {} to {}", name_of(o, l), mapping.end[o][l], before,
                           mapping.loops.count);
      before = mapping.end[o][l];
    }
    if (before != mapping.loops.count)
      return fmt::format("the outermost memory of {} must take all loops left; it leaves {}",
                         operand_names[o], mapping.loops.count - before);
  }
  ZigzagCosts costs;
  evaluate(model, mapping, costs);
  for (std::size_t o = 0; o < operand_count; ++o)
    for (std::size_t l = 0; l < model.depth[o]; ++l)
      if (costs.shared[o][l] > 1 + 1e-9)
        return fmt::format("{} is filled to {:.4g} times its size of {:.0f} bit", name_of(o, l),
                           costs.shared[o][l], model.level[o][l].size);
  return {};
}

std::vector<std::string> doubts(const ZigzagModel& model, const ZigzagCosts& costs) {
  std::vector<std::string> found;
  for (const auto& [name, cycles] : {std::pair{"onloading", costs.onload}, {"offloading", costs.offload}})
    if (cycles < 0)
      found.push_back(
          fmt::format("{} takes {} cycles: more was overlapped with work than there is", name, cycles));
  const auto [port, cycles] = outermost_bound(model);
  if (costs.latency[2] < cycles * (1 - 1e-9))
    found.push_back(fmt::format(
        "{} cycles are fewer than the {} that every word's first move through one port of '{}' takes",
        costs.latency[2], cycles, port));
  for (std::size_t o = 0; o < operand_count; ++o) {
    const std::size_t top = model.depth[o] - 1U;
    const std::size_t move = index(o == O ? ZigzagMove::wr_in_by_low : ZigzagMove::rd_out_to_low);
    const double moved = costs.accesses[o][top][move] * model.level[o][top].most[move];
    const double needed = model.reached[o] * (o == O ? model.layer.final_bits : model.layer.bits[o]);
    if (moved < needed * (1 - 1e-6) - model.level[o][top].most[move])
      found.push_back(fmt::format("the outermost memory moves {} bit of {}, which has {}", moved,
                                  operand_names[o], needed));
  }
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const double taps = model.layer.size[index(ZigzagDim::FX) + axis];
    const double counted = zigzag::window_size(1, taps, model.layer.stride[axis], model.layer.dilation[axis],
                                               std::numeric_limits<double>::infinity());
    if (counted > taps)
      found.push_back(
          fmt::format("dilation: {} taps at one position are counted as {} words", taps, counted));
  }
  return found;
}

ByLevel<ByMove> element_moves(const ZigzagModel& model, const ZigzagMapping& mapping) {
  ByLevel<ByMove> moves = {};
  const ByLevel<std::uint8_t> end = stationary_ends(model, mapping);
  const Walk walk(mapping.loops);
  for (std::size_t o = 0; o < operand_count; ++o) {
    zigzag::Window window = {1, 1, 1, 1};
    double unrolled = 1;  // fan-outs so far
    // How often each word is used by what lies below.
    const auto reuse = [&](std::size_t loops, double relevant) {
      const double words =
          relevant * walk.relevant[o][loops] * (o == I ? zigzag::window_elements(model.layer, window) : 1.0);
      return walk.all[loops] * unrolled / words;
    };
    for (std::size_t l = 0; l < model.depth[o]; ++l) {
      const ZigzagModel::Level& level = model.level[o][l];
      const std::size_t begin = l == 0 ? 0 : end[o][l - 1];
      for (std::size_t i = 0; i < model.unrolling_count; ++i)
        if (model.unrollings[i].level[o] == l) unrolled *= model.unrollings[i].factor;
      for (std::size_t k = 0; k < window.size(); ++k) window[k] *= level.window[0][k];
      double low = std::nearbyint(model.macs / reuse(begin, level.relevant[0]));
      for (std::size_t i = begin; i < end[o][l]; ++i)
        if (is_window(mapping.loops.dim[i]))
          window[zigzag::window_index(mapping.loops.dim[i])] *= mapping.loops.size[i];
      const bool top = l + 1 == model.depth[o];
      const double high = top ? 0 : std::nearbyint(model.macs / reuse(end[o][l], level.relevant[0]));
      if (o != O) {
        if (l == 0) low = std::trunc(low / walk.all[walk.next[o][0]]);
        moves[o][l] = {low, 0, 0, high};
        continue;
      }
      // Sums come back once for each time they are added to, but the first.
      const auto added_from = [&](std::size_t loop, std::size_t fanout) {
        double times = 1;
        for (std::size_t i = loop; i < mapping.loops.count; ++i)
          if (zigzag::bearings[O][index(mapping.loops.dim[i])] == ZigzagBearing::ir)
            times *= mapping.loops.size[i];
        for (std::size_t i = 0; i < model.unrolling_count; ++i)
          if (model.unrollings[i].level[O] >= fanout &&
              zigzag::bearings[O][index(model.unrollings[i].dim)] == ZigzagBearing::ir)
            times *= model.unrollings[i].factor;
        return std::trunc(model.elements[O] * (times - 1));
      };
      moves[o][l] = {added_from(begin, l + 1), low, high, top ? 0 : added_from(end[o][l], l + 2)};
    }
  }
  return moves;
}

}  // namespace atl
