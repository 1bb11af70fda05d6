// A loop nest counted by named rules. All rules on: the figures of Timeloop (NVlabs/timeloop 4cf6d4c, classic
// nest analysis, default environment), equal on every golden row. All rules off: our own definition
// (MODEL.md), equal to `reference`. Each rule can be switched alone, so that a difference between the two has
// a name. TIMELOOP.md explains every rule with its smallest example.
//
// Covers what Timeloop's default problem shape covers: layers that multiply, without padding, tiles that
// divide.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "atoll/network/layer.hpp"
#include "atoll/simulator/mapping.hpp"
#include "atoll/simulator/timeloop_architecture.hpp"

namespace atl {

struct TimeloopRules {
  bool extrapolation = false;          // a loop runs turns 0 and 1; turn 1 stands for all later ones
  bool displacement_reset = false;     // a tile that moves otherwise than before is fetched as a whole
  bool bounding_boxes = false;         // a tile holds the rows between its windows too
  bool bypass_scaling = false;         // multicast above a bypassed level is that of the tiles it would hold
  bool link_transfers = false;         // a word that a neighbour had one step ago comes from there
  bool return_to_all = false;          // partial sums go back to every child that works on them
  bool no_drain_reads = false;         // reading a finished tile to send it up is not counted
  bool partition_by_division = false;  // words an instance ever holds: from its tile, by integer division
  bool per_instance_rounding = false;  // counts of one instance are whole numbers
  bool line_energy = false;            // whole lines are read and written
  bool update_energy = false;          // an update has an energy of its own
  bool power_gated_leakage = false;    // unused instances do not leak
  bool perfect_overlap = false;        // first load and last store take no time
  bool slowdown_factor = false;        // cycles = compute / slow-down, in floating point
  bool hop_distances = false;          // hops by place in the array; else one a word delivered and fan-out
  bool hops_before_bypass = false;     // hops are paid for the words that the bypassed level would hold
  bool free_returns = false;           // partial sums that go back pay no hops
  bool dram_returns = false;           // words entering DRAM's network include the partial sums going back
};

/// All rules on or off.
TimeloopRules timeloop_rules(bool on);

struct TimeloopRule {
  std::string_view name;
  bool TimeloopRules::*flag;
};
/// Every rule with its name, in the order above.
const std::vector<TimeloopRule>& timeloop_rule_list();

struct TimeloopLoop {
  Dim dim = Dim::N;
  std::uint32_t bound = 1;
};

/// Loops stand outer to inner; loops along y outside those along x. A level has at most one loop a dimension
/// and list.
struct TimeloopMappingLevel {
  OperandSet keep = 0;
  std::vector<TimeloopLoop> temporal, spatial_y, spatial_x;
};
struct TimeloopMapping {
  std::vector<TimeloopMappingLevel> levels;  // outermost first
};

/// The same nest from extents; loops in space of one axis in the order of Dim.
TimeloopMapping timeloop_mapping(const Mapping& mapping, const Layer& layer);

/// Counts below this are exact: a layer has fewer operations.
inline constexpr std::uint64_t most_timeloop_operations = 1'000'000'000'000;

/// Why a mapping is not legal, with rule and value; empty if it is. Checks: kind and size of the layer,
/// number of levels, bounds that multiply up, keep and bypass, meshes, capacity (of bounding boxes if the
/// rule is on).
std::string check_timeloop(const TimeloopMapping& mapping, const Layer& layer,
                           const TimeloopArchitecture& architecture, const TimeloopRules& rules);

/// Figures of one used instance, in words; energy of all instances in pJ.
struct TimeloopCounts {
  double partition = 0;  // words it ever holds
  double tile = 0;       // words it holds at a time
  double reads = 0, fills = 0, updates = 0, temporal_reductions = 0;
  double energy = 0;
  double read_bandwidth = 0, write_bandwidth = 0;  // words per cycle
};

struct TimeloopLevelResult {
  std::uint64_t instances = 1;                         // used
  double leakage = 0;                                  // pJ, all instances
  double cycles = 0;                                   // if this level were the slowest
  double throttle = 1;                                 // slow-down factor, at most 1
  std::array<TimeloopCounts, operand_count> counts{};  // of kept operands
};

/// `accesses` words enter, each for `multicast` children; `scatter` such groups exist.
struct TimeloopMulticast {
  std::uint64_t multicast = 1, scatter = 1;
  double accesses = 0;
};

/// What passes between one used instance of a level and its children; energies of all instances in pJ.
struct TimeloopNetwork {
  std::uint64_t fanout = 1;                   // used children
  std::vector<TimeloopMulticast> multicasts;  // by multicast, then scatter
  double ingresses = 0, link_transfers = 0, spatial_reductions = 0;
  double hops = 0;  // on average, per word that enters
  double energy = 0, link_energy = 0;
};

struct TimeloopResult {
  std::vector<TimeloopLevelResult> levels;  // outermost first
  /// networks[l]: between level l and the next level or the multipliers.
  std::vector<std::array<TimeloopNetwork, operand_count>> networks;
  std::uint64_t units = 1;                  // used multipliers
  double computes = 0, compute_cycles = 0;  // operations, steps
  double compute_energy = 0;                // pJ
  double cycles = 0, energy = 0, edp = 0;   // pJ, pJ * cycles
  double utilisation = 0;                   // of all multipliers, 0 to 1
  bool link_transfers_used = false;
};

/// Needs a legal mapping. InputError if a count would exceed 2^53 (layers with huge stride only).
TimeloopResult evaluate_timeloop(const TimeloopMapping& mapping, const Layer& layer,
                                 const TimeloopArchitecture& architecture, const TimeloopRules& rules);

/// Are two results the same in print? Counts exactly, energies and rates to the decimals that Timeloop
/// prints.
bool same_in_print(const TimeloopResult& a, const TimeloopResult& b);
/// As Timeloop prints: two decimals; three digits (EDP).
double printed_decimals(double value);
double printed_digits(double value);

/// A smallest set of rules under which `is_equal` holds, found by dropping rules from the full set: none of
/// them can be left out. `is_equal` must hold for all rules on.
std::vector<std::string_view> explain_by_rules(const std::function<bool(const TimeloopRules&)>& is_equal);

}  // namespace atl
