// Component classes: what a memory, a multiplier or a wire costs, from published figures. A class is a
// table of anchors (one published design each: shape, node, figures, source) and the rules that carry them to
// another shape and another node. So a buffer that grows in the file, or under evolution, costs more, and the
// text beside each figure says which anchor it came from and by which factors.
//
// Rules, with their sources:
//   width  energy, leakage and area in proportion (Accelergy, CACTI plug-in)
//   depth  energy by the ratio to the power 0.78 = 1.56 / 2; leakage and area in proportion (the same)
//   bits   a multiplier by their square, an adder in proportion (Accelergy, Aladdin plug-in); what an
//          accumulator has beyond twice the operands' bits counts as an adder of its own
//   node   energy by f(Y) / f(X), f = a V^2 + b V + c at 0.8 V; area by factors (Stillmaker & Baas,
//          Integration 58, 2017, 74-81); nodes in between on a straight line of logarithms
//   DRAM and wire per bit, whatever the node
// Between two anchors a figure lies on the straight line of logarithms, so that both are met exactly. Of
// anchors with the same shape the one with the nearest node counts.
//
// Limits. A figure is marked "estimate" where it stands more than a factor of component_reach beyond the
// depths, widths or bits of the anchors, and where leakage comes from another node (the published rule is of
// dynamic energy). DRAM has no published area or leakage here: 0.
//
// How far the rules are from other published figures: from 32 to 45 nm 1.5 % in register files, 3.5 % in
// reads and 10 % in writes of SRAM; SRAM of 4 to 512 KB within a factor of 1.55 of DOSA's fit; a MAC of 8 b
// costs 0.27 pJ at 40 nm here, 0.56 and 0.85 pJ in two other publications.
// tests/accelerator/component.cpp holds these.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

enum class Component : std::uint8_t {
  register_file,
  sram,
  edram,
  lpddr4,
  lpddr,
  ddr3,
  gddr5,
  hbm2,
  mac,
  adder
};
inline constexpr std::size_t component_count = 10;

/// "register_file", "sram", ...: the names of the file format, by Component.
const std::vector<std::string>& component_names();
/// Something that stores words (and not mac or adder) / that is off the chip, any size.
bool is_storage(Component component);
bool is_dram(Component component);

/// Beyond the anchors by more than this factor a figure is an estimate; in bits of an operand by
/// more than component_reach_bits.
inline constexpr double component_reach = 8;
inline constexpr double component_reach_bits = 2;

/// Of one instance. A mac or adder has one action: its energy is `read`, and `write` is 0.
struct ComponentFigures {
  double read = 0;     // pJ per access of `width` bits
  double write = 0;    // pJ per access of `width` bits
  double leakage = 0;  // pJ per nanosecond (mW)
  double area = 0;     // um2
};

/// `bits`: capacity of a storage (any for DRAM), operand bits of a mac or adder. `width`: bits moved by one
/// access; accumulator bits of a mac; not used by an adder. `technology`: node in um (65 nm is 0.065), not
/// used by DRAM. Pure: the same bits on every machine. InputError if component_problem() has something to
/// say.
ComponentFigures component_figures(Component component, double bits, double width, double technology);

/// Why there are no such figures, with rule and value; empty if there are: a size or width of 0, an access
/// wider than the storage, a node outside 7 nm to 130 nm or not given.
std::string component_problem(Component component, double bits, double width, double technology);

/// For each figure the anchors, their sources and every factor: "derived: CACTI 16384 x 64 b, 28.43 pJ at 45
/// nm
/// (...), x 1.241 (65 nm)", or "estimate: derived: ..." beyond the limits. Empty for a figure that is 0.
struct ComponentSources {
  std::string read, write, leakage, area;
};
ComponentSources component_sources(Component component, double bits, double width, double technology);

/// pJ per bit and mm of wire: 0.2 transitions of 1.627 fF/um at 1 V (accelergy-aladdin-plug-in).
inline constexpr double wire_energy = 0.2 * 1.627;
inline constexpr std::string_view wire_source =
    "accelergy-aladdin-plug-in, wire: 0.2 x 1.627 fF/um x 1 V^2 = 0.3254 pJ/bit/mm";

/// Factor of dynamic energy / of area from one node to another, both in um. InputError outside 7 nm to 130
/// nm.
double energy_factor(double from, double to);
double area_factor(double from, double to);

/// A published design of a class; 0 where a figure was not published.
struct ComponentAnchor {
  Component component;
  double node;   // um; 0: any
  double depth;  // words of `width` bits; 1 for DRAM; operand bits of a mac or adder
  double width;  // bits of one access; accumulator bits of a mac
  ComponentFigures figures;
  std::string_view source;
};
const std::vector<ComponentAnchor>& component_anchors();

}  // namespace atl
