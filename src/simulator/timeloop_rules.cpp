#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "atoll/base/error.hpp"
#include "atoll/simulator/timeloop.hpp"

namespace atl {
namespace {

bool same_decimals(double a, double b) {
  return a == b || printed_decimals(a) == printed_decimals(b);
}

bool same_counts(const TimeloopCounts& a, const TimeloopCounts& b) {
  return a.partition == b.partition && a.tile == b.tile && a.reads == b.reads && a.fills == b.fills &&
         a.updates == b.updates && a.temporal_reductions == b.temporal_reductions &&
         same_decimals(a.energy, b.energy) && same_decimals(a.read_bandwidth, b.read_bandwidth) &&
         same_decimals(a.write_bandwidth, b.write_bandwidth);
}

bool same_level(const TimeloopLevelResult& a, const TimeloopLevelResult& b) {
  return a.instances == b.instances && a.cycles == b.cycles && same_decimals(a.leakage, b.leakage) &&
         same_decimals(a.throttle, b.throttle) &&
         std::equal(a.counts.begin(), a.counts.end(), b.counts.begin(), same_counts);
}

bool same_multicast(const TimeloopMulticast& a, const TimeloopMulticast& b) {
  return a.multicast == b.multicast && a.scatter == b.scatter && same_decimals(a.accesses, b.accesses);
}

bool same_network(const TimeloopNetwork& a, const TimeloopNetwork& b) {
  return a.fanout == b.fanout && a.link_transfers == b.link_transfers &&
         a.spatial_reductions == b.spatial_reductions && same_decimals(a.ingresses, b.ingresses) &&
         same_decimals(a.hops, b.hops) && same_decimals(a.energy, b.energy) &&
         same_decimals(a.link_energy, b.link_energy) &&
         std::equal(a.multicasts.begin(), a.multicasts.end(), b.multicasts.begin(), b.multicasts.end(),
                    same_multicast);
}

}  // namespace

TimeloopRules timeloop_rules(bool on) {
  TimeloopRules rules;
  for (const TimeloopRule& rule : timeloop_rule_list()) rules.*rule.flag = on;
  return rules;
}

const std::vector<TimeloopRule>& timeloop_rule_list() {
  static const std::vector<TimeloopRule> rules = {
      {"extrapolation", &TimeloopRules::extrapolation},
      {"displacement_reset", &TimeloopRules::displacement_reset},
      {"bounding_boxes", &TimeloopRules::bounding_boxes},
      {"bypass_scaling", &TimeloopRules::bypass_scaling},
      {"link_transfers", &TimeloopRules::link_transfers},
      {"return_to_all", &TimeloopRules::return_to_all},
      {"no_drain_reads", &TimeloopRules::no_drain_reads},
      {"partition_by_division", &TimeloopRules::partition_by_division},
      {"per_instance_rounding", &TimeloopRules::per_instance_rounding},
      {"line_energy", &TimeloopRules::line_energy},
      {"update_energy", &TimeloopRules::update_energy},
      {"power_gated_leakage", &TimeloopRules::power_gated_leakage},
      {"perfect_overlap", &TimeloopRules::perfect_overlap},
      {"slowdown_factor", &TimeloopRules::slowdown_factor},
      {"hop_distances", &TimeloopRules::hop_distances},
      {"hops_before_bypass", &TimeloopRules::hops_before_bypass},
      {"free_returns", &TimeloopRules::free_returns},
      {"dram_returns", &TimeloopRules::dram_returns}};
  return rules;
}

double printed_decimals(double value) {
  return std::strtod(fmt::format("{:.2f}", value).c_str(), nullptr);
}
double printed_digits(double value) {
  return std::strtod(fmt::format("{:.2e}", value).c_str(), nullptr);
}

bool same_in_print(const TimeloopResult& a, const TimeloopResult& b) {
  const auto same_networks = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), same_network);
  };
  return a.units == b.units && a.computes == b.computes && a.compute_cycles == b.compute_cycles &&
         a.cycles == b.cycles && same_decimals(a.compute_energy, b.compute_energy) &&
         same_decimals(a.energy * 1e-6, b.energy * 1e-6) &&
         printed_digits(a.edp * 1e-12) == printed_digits(b.edp * 1e-12) &&
         same_decimals(a.utilisation * 100, b.utilisation * 100) &&
         std::equal(a.levels.begin(), a.levels.end(), b.levels.begin(), b.levels.end(), same_level) &&
         std::equal(a.networks.begin(), a.networks.end(), b.networks.begin(), b.networks.end(),
                    same_networks);
}

std::vector<std::string_view> explain_by_rules(const std::function<bool(const TimeloopRules&)>& is_equal) {
  TimeloopRules rules = timeloop_rules(true);
  if (!is_equal(rules))
    throw InternalError("a result that differs under all of Timeloop's rules has no explanation");
  // Rules may lean on each other: repeat until none of those left can go.
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (const TimeloopRule& rule : timeloop_rule_list()) {
      if (!(rules.*rule.flag)) continue;
      rules.*rule.flag = false;
      if (is_equal(rules)) {
        dropped = true;
      } else {
        rules.*rule.flag = true;
      }
    }
  }
  std::vector<std::string_view> names;
  for (const TimeloopRule& rule : timeloop_rule_list())
    if (rules.*rule.flag) names.push_back(rule.name);
  return names;
}

}  // namespace atl
