#include "atoll/accelerator/component.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoll/base/error.hpp"
#include "atoll/base/portable_math.hpp"

namespace atl {

namespace {

// Stillmaker & Baas, Integration 58 (2017), as in accelergy-library-plug-in `scaling.py`: a, b, c of the
// energy at a supply of V, and area over that at 45 nm.
struct Node {
  double um;
  std::array<double, 3> energy;
  double area;
};
constexpr std::array<Node, 10> nodes = {{{0.007, {0.1776, -0.09097, 0.02447}, 0.059},
                                         {0.010, {0.2068, -0.09311, 0.02375}, 0.1},
                                         {0.014, {0.2363, -0.09675, 0.02239}, 0.17},
                                         {0.016, {0.2958, -0.1241, 0.03024}, 0.19},
                                         {0.020, {0.373, -0.1582, 0.04104}, 0.21},
                                         {0.032, {0.9559, -0.7823, 0.471}, 0.46},
                                         {0.045, {1.103, -0.362, 0.2767}, 1},
                                         {0.065, {3.755, -4.398, 1.975}, 1.5},
                                         {0.090, {4.762, -4.781, 2.092}, 2.8},
                                         {0.130, {7.171, -6.709, 2.904}, 6.4}}};
constexpr double supply = 0.8;  // V, the plug-in's default

bool same(double a, double b) {
  return std::abs(a - b) <= 1e-9 * b;
}

double relative_energy(const Node& node) {
  return node.energy[0] * supply * supply + node.energy[1] * supply + node.energy[2];
}
double relative_area(const Node& node) {
  return node.area;
}

std::string node_problem(double um) {
  if (um == 0) return "the node is not known; name it with 'technology: 65 nm'";
  if (um >= nodes.front().um * (1 - 1e-9) && um <= nodes.back().um * (1 + 1e-9)) return "";
  return fmt::format("technology scaling is published from 7 nm to 130 nm, found {:.4g} nm", um * 1000);
}

// A quantity of the table at any node between its ends, on straight lines of logarithms.
double at_node(double um, double (*quantity)(const Node&)) {
  const auto above =
      std::find_if(nodes.begin(), nodes.end(), [&](const Node& n) { return um <= n.um * (1 + 1e-9); });
  if (above == nodes.end() || um < nodes.front().um * (1 - 1e-9)) throw InputError(node_problem(um));
  if (same(um, above->um)) return quantity(*above);
  const Node& below = *(above - 1);
  const double share = portable_log(um / below.um) / portable_log(above->um / below.um);
  return portable_exp((1 - share) * portable_log(quantity(below)) + share * portable_log(quantity(*above)));
}

constexpr std::array<double ComponentFigures::*, 4> all_figures = {
    &ComponentFigures::read, &ComponentFigures::write, &ComponentFigures::leakage, &ComponentFigures::area};
constexpr std::array<const char*, 4> figure_units = {"pJ", "pJ", "pJ/ns", "um2"};
constexpr std::size_t leakage_figure = 2;
constexpr std::size_t area_figure = 3;

// Exponent of a figure over depth (storage) or bits (mac, adder).
double exponent_of(Component component, std::size_t figure) {
  if (is_dram(component)) return 0;
  if (component == Component::mac) return 2;
  if (component == Component::adder) return 1;
  return figure == leakage_figure || figure == area_figure ? 1 : 1.56 / 2;
}

struct Request {
  Component component;
  double depth;  // or operand bits
  double width;
  double node;
};

Request request(Component component, double bits, double width, double technology) {
  if (is_dram(component)) return {component, 1, width, 0};
  if (is_storage(component)) return {component, bits / width, width, technology};
  return {component, bits, bits, technology};
}

double width_factor(const Request& wanted, const ComponentAnchor& anchor) {
  return is_storage(wanted.component) ? wanted.width / anchor.width : 1;
}

double node_factor(const Request& wanted, const ComponentAnchor& anchor, std::size_t figure) {
  if (anchor.node == 0 || same(wanted.node, anchor.node)) return 1;
  return figure == area_figure ? area_factor(anchor.node, wanted.node)
                               : energy_factor(anchor.node, wanted.node);
}

double scaled(const Request& wanted, const ComponentAnchor& anchor, std::size_t figure) {
  return anchor.figures.*all_figures[figure] * width_factor(wanted, anchor) *
         node_factor(wanted, anchor, figure);
}

// The anchors a figure rests on: the nearest below and above in depth, one of them missing beyond the ends,
// both the same where an anchor has this depth.
struct Anchors {
  const ComponentAnchor* low = nullptr;
  const ComponentAnchor* high = nullptr;
  bool interpolated() const { return low != nullptr && high != nullptr && low != high; }
  const ComponentAnchor* single() const { return low != nullptr ? low : high; }
};

bool nearer_node(const Request& wanted, const ComponentAnchor& a, const ComponentAnchor& b) {
  if (a.node == 0 || b.node == 0) return false;
  const auto distance = [&](double node) { return std::max(node / wanted.node, wanted.node / node); };
  return distance(a.node) < distance(b.node);
}

Anchors anchors_of(const Request& wanted, std::size_t figure) {
  Anchors found;
  for (const ComponentAnchor& anchor : component_anchors()) {
    if (anchor.component != wanted.component || anchor.figures.*all_figures[figure] == 0) continue;
    if (anchor.depth <= wanted.depth &&
        (found.low == nullptr || anchor.depth > found.low->depth ||
         (anchor.depth == found.low->depth && nearer_node(wanted, anchor, *found.low)))) {
      found.low = &anchor;
    }
    if (anchor.depth >= wanted.depth &&
        (found.high == nullptr || anchor.depth < found.high->depth ||
         (anchor.depth == found.high->depth && nearer_node(wanted, anchor, *found.high)))) {
      found.high = &anchor;
    }
  }
  return found;
}

double figure_value(const Request& wanted, std::size_t figure) {
  const Anchors anchors = anchors_of(wanted, figure);
  if (anchors.single() == nullptr) return 0;
  if (!anchors.interpolated()) {
    const ComponentAnchor& anchor = *anchors.single();
    const double value = scaled(wanted, anchor, figure);
    if (anchor.depth == wanted.depth) return value;
    return value * portable_pow(wanted.depth / anchor.depth, exponent_of(wanted.component, figure));
  }
  const double share = portable_log(wanted.depth / anchors.low->depth) /
                       portable_log(anchors.high->depth / anchors.low->depth);
  return portable_exp((1 - share) * portable_log(scaled(wanted, *anchors.low, figure)) +
                      share * portable_log(scaled(wanted, *anchors.high, figure)));
}

// Bits of an accumulator that the anchors of a mac, whose sums have twice the operands' bits, do not have.
double extra_bits(Component component, double bits, double width) {
  return component == Component::mac ? std::max(0.0, width - 2 * bits) : 0;
}

// Why a figure is no more than an estimate, or empty.
std::string doubt(const Request& wanted, const Anchors& anchors, std::size_t figure) {
  if (is_dram(wanted.component)) return "";
  if (!anchors.interpolated()) {
    const double ratio = wanted.depth / anchors.single()->depth;
    const double reach = wanted.component == Component::mac ? component_reach_bits : component_reach;
    const double beyond = std::max(ratio, 1 / ratio);
    if (beyond > reach * (1 + 1e-9)) {
      return fmt::format("{:.3g} times beyond the anchor in {}", beyond,
                         is_storage(wanted.component) ? "depth" : "bits");
    }
  }
  double width_beyond = std::numeric_limits<double>::infinity();
  double node_distance = 0;
  for (const ComponentAnchor* anchor : {anchors.low, anchors.high}) {
    if (anchor == nullptr) continue;
    const double ratio = width_factor(wanted, *anchor);
    width_beyond = std::min(width_beyond, std::max(ratio, 1 / ratio));
    node_distance = std::max(node_distance, std::abs(node_factor(wanted, *anchor, figure) - 1));
  }
  if (width_beyond > component_reach * (1 + 1e-9)) {
    return fmt::format("{:.3g} times beyond the anchor in width", width_beyond);
  }
  if (figure == leakage_figure && node_distance > 0) return "leakage scaled to another node like energy";
  return "";
}

std::string anchor_text(const Request& wanted, const ComponentAnchor& anchor, std::size_t figure) {
  std::string text;
  if (is_storage(wanted.component) && !is_dram(wanted.component)) {
    text = fmt::format("{:g} x {:g} b, ", anchor.depth, anchor.width);
  } else {
    text = fmt::format("{:g} b, ", is_dram(wanted.component) ? anchor.width : anchor.depth);
  }
  text += fmt::format("{:.6g} {}", anchor.figures.*all_figures[figure], figure_units[figure]);
  if (anchor.node > 0) text += fmt::format(" at {:.4g} nm", anchor.node * 1000);
  text += fmt::format(" ({})", anchor.source);
  const double width = width_factor(wanted, anchor);
  if (width != 1) text += fmt::format(" x {:.4g} ({:.6g} b)", width, wanted.width);
  const double node = node_factor(wanted, anchor, figure);
  if (node != 1) text += fmt::format(" x {:.4g} ({:.4g} nm)", node, wanted.node * 1000);
  return text;
}

std::string figure_text(const Request& wanted, std::size_t figure) {
  const Anchors anchors = anchors_of(wanted, figure);
  if (anchors.single() == nullptr) return "";
  const std::string reason = doubt(wanted, anchors, figure);
  const std::string& name = component_names()[static_cast<std::size_t>(wanted.component)];
  const char* axis = is_storage(wanted.component) ? "depth" : "bits";
  std::string text = reason.empty() ? "derived: " : "estimate, derived, " + reason + ": ";
  if (anchors.interpolated()) {
    return text + fmt::format("{} between {} and {}, at {} {:.6g}", name,
                              anchor_text(wanted, *anchors.low, figure),
                              anchor_text(wanted, *anchors.high, figure), axis, wanted.depth);
  }
  const ComponentAnchor& anchor = *anchors.single();
  text += name + " " + anchor_text(wanted, anchor, figure);
  if (anchor.depth == wanted.depth) return text;
  const double factor = portable_pow(wanted.depth / anchor.depth, exponent_of(wanted.component, figure));
  return text + fmt::format(" x {:.4g} ({} {:.6g})", factor, axis, wanted.depth);
}

void require_possible(Component component, double bits, double width, double technology) {
  const std::string problem = component_problem(component, bits, width, technology);
  if (!problem.empty()) throw InputError(problem);
}

// "estimate" of either part makes an estimate of both.
std::string joined(const std::string& multiplier, const std::string& adder) {
  if (multiplier.empty()) return "";
  const std::size_t at = adder.find(": ");
  const std::string rest = "; plus " + adder.substr(at + 2);
  if (adder.starts_with("estimate") && !multiplier.starts_with("estimate")) {
    return adder.substr(0, at) + multiplier.substr(multiplier.find(": ")) + rest;
  }
  return multiplier + rest;
}

}  // namespace

const std::vector<std::string>& component_names() {
  static const std::vector<std::string> names = {"register_file", "sram",  "edram", "lpddr4", "lpddr",
                                                 "ddr3",          "gddr5", "hbm2",  "mac",    "adder"};
  return names;
}

bool is_storage(Component component) {
  return component != Component::mac && component != Component::adder;
}

bool is_dram(Component component) {
  return is_storage(component) && component >= Component::lpddr4;
}

std::string component_problem(Component component, double bits, double width, double technology) {
  const std::string& name = component_names()[static_cast<std::size_t>(component)];
  const bool storage = is_storage(component);
  if (!(bits > 0)) {
    return fmt::format("component {} needs {} above 0, found {:g}", name, storage ? "a size" : "bits", bits);
  }
  if (storage && !(width > 0)) return fmt::format("component {} needs an access above 0 b, found 0", name);
  if (is_dram(component)) return "";
  if (!std::isfinite(bits)) return fmt::format("component {} needs a size, found none", name);
  if (storage && width > bits) {
    return fmt::format("component {}: an access of {:g} b is wider than the {:g} b it holds", name, width,
                       bits);
  }
  const std::string node = node_problem(technology);
  return node.empty() ? "" : fmt::format("component {}: {}", name, node);
}

ComponentFigures component_figures(Component component, double bits, double width, double technology) {
  require_possible(component, bits, width, technology);
  const Request wanted = request(component, bits, width, technology);
  ComponentFigures figures;
  for (std::size_t f = 0; f < all_figures.size(); ++f) figures.*all_figures[f] = figure_value(wanted, f);
  if (const double extra = extra_bits(component, bits, width); extra > 0) {
    const ComponentFigures adder = component_figures(Component::adder, extra, extra, technology);
    for (const auto figure : all_figures) figures.*figure += adder.*figure;
  }
  return figures;
}

ComponentSources component_sources(Component component, double bits, double width, double technology) {
  require_possible(component, bits, width, technology);
  const Request wanted = request(component, bits, width, technology);
  ComponentSources sources{figure_text(wanted, 0), figure_text(wanted, 1), figure_text(wanted, 2),
                           figure_text(wanted, 3)};
  if (const double extra = extra_bits(component, bits, width); extra > 0) {
    const ComponentSources adder = component_sources(Component::adder, extra, extra, technology);
    sources.read = joined(sources.read, adder.read);
    sources.leakage = joined(sources.leakage, adder.leakage);
    sources.area = joined(sources.area, adder.area);
  }
  return sources;
}

double energy_factor(double from, double to) {
  return at_node(to, relative_energy) / at_node(from, relative_energy);
}

double area_factor(double from, double to) {
  return at_node(to, relative_area) / at_node(from, relative_area);
}

const std::vector<ComponentAnchor>& component_anchors() {
  using enum Component;
  // Accelergy's Aladdin table counts a register's energy once, with the read: no figure for the write.
  static const std::vector<ComponentAnchor> anchors = {
      {register_file, 0.045, 1, 16, {0.144, 0, 0, 95.68}, "Aladdin register, 16 of 1 b"},
      {register_file, 0.032, 12, 16, {0.202442, 0.176713, 0.000101, 70.09}, "Accelergy ERT, eyeriss_like"},
      {register_file, 0.045, 12, 16, {0.310924, 0.271902, 0, 0}, "Accelergy ERT, intmac"},
      {register_file, 0.032, 16, 16, {0.2513, 0.2191, 0.000134, 123.6}, "Accelergy ERT, eyeriss_like"},
      {register_file, 0.045, 16, 16, {0.385026, 0.336188, 0, 0}, "Accelergy ERT, intmac"},
      {register_file, 0.045, 128, 24, {3.091, 2.875, 0.003416, 18948.7}, "Accelergy ERT, simba_like"},
      {register_file, 0.032, 192, 16, {1.976602, 1.881657, 0.001592, 5816.4}, "Accelergy ERT, eyeriss_like"},
      {register_file, 0.045, 192, 16, {3.005554, 2.861554, 0, 0}, "Accelergy ERT, intmac"},
      {register_file, 0.045, 4096, 64, {121.364, 120.788, 0.1045, 1.8586e6}, "Accelergy ERT, simba_like"},
      {register_file, 0.045, 8192, 64, {242.08, 241.50, 0.2075, 3.717e6}, "Accelergy ERT, simba_like"},
      {sram, 0.045, 2048, 256, {51.870888, 66.310888, 0.003241, 199065}, "Accelergy ERT, simba_like"},
      {sram, 0.032, 16384, 64, {18.183829, 14.137929, 0.005652, 217363}, "Accelergy ERT, eyeriss_like"},
      {sram, 0.045, 16384, 64, {28.426775, 23.503475, 0, 0}, "Accelergy ERT, sparseloop/04.2.1"},
      {edram, 0.032, 2048, 256, {20.45, 20.45, 0, 83000}, "ISAAC, accelergy-library-plug-in"},
      {lpddr4, 0, 1, 64, {512, 512, 0, 0}, "8 pJ/bit, accelergy-cacti-plug-in"},
      {lpddr, 0, 1, 64, {2560, 2560, 0, 0}, "40 pJ/bit, Malladi et al., ISCA 2012"},
      {ddr3, 0, 1, 64, {4480, 4480, 0, 0}, "70 pJ/bit, Malladi et al., ISCA 2012"},
      {gddr5, 0, 1, 64, {896, 896, 0, 0}, "14 pJ/bit, Chatterjee et al., MICRO 2017"},
      {hbm2, 0, 1, 64, {249.6, 249.6, 0, 0}, "3.9 pJ/bit, Chatterjee et al., MICRO 2017"},
      {mac, 0.032, 8, 16, {0.207692, 0, 0.002374, 191.82}, "Accelergy ERT, eyeriss_like"},
      {mac, 0.045, 8, 16, {0.315, 0, 0.0036, 417}, "Accelergy ERT, simba_like"},
      {mac, 0.045, 16, 32, {2.20035, 0, 0, 0}, "Accelergy ERT, ISPASS-2020 04_eyeriss_like"},
      {mac, 0.045, 32, 64, {12.89, 0, 0.0823, 6628}, "Aladdin multiplier and adder of 32 b"},
      {adder, 0.040, 32, 32, {0.21, 0, 0.0023, 278}, "Aladdin adder"}};
  return anchors;
}

}  // namespace atl
