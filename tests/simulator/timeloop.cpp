#include "atoll/simulator/timeloop.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "atoll/base/error.hpp"
#include "random_cases.hpp"

namespace atl {
namespace {

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

// What Timeloop covers: one width of words a level, transfers that overlap, networks that multicast and
// reduce. All else keeps its default.
StorageLevel covered_level(Random& random, std::size_t l) {
  const double infinity = std::numeric_limits<double>::infinity();
  StorageLevel level;
  level.name = "level" + std::to_string(l);
  level.kind = l == 0 ? "dram" : "sram";
  level.keep = l == 0 ? all_operands : test::random_operands(random);
  level.may_keep = static_cast<OperandSet>(test::random_operands(random) & ~level.keep);
  level.size = infinity;
  level.buffering = Buffering::rolling;
  level.read_bandwidth = test::pick(random, {infinity, 1, 4, 13, 64});
  level.write_bandwidth = test::pick(random, {infinity, 1, 4, 17, 64});
  level.word_bits.fill(test::pick(random, {4, 8, 16, 32}));
  level.access_width = level.word_bits[0] * test::pick(random, {1, 2, 4});
  level.read_energy = test::pick(random, {0, 1, 2.5, 100});
  level.write_energy = test::pick(random, {0, 1.5, 2, 120});
  level.leakage = test::pick(random, {0, 0.01, 0.3});
  return level;
}

Accelerator covered_accelerator(Random& random) {
  Accelerator accelerator;
  accelerator.name = "covered";
  accelerator.clock = 1e9;
  const std::size_t levels = 2 + random.below(4);
  for (std::size_t l = 0; l < levels; ++l) accelerator.levels.push_back(covered_level(random, l));
  for (std::size_t l = 0; l < levels && accelerator.fanouts.size() < 2; ++l) {
    if (!random.chance(0.45)) continue;
    Fanout fanout;
    fanout.above = l;
    fanout.x = 1 + random.below(6);
    fanout.y = 1 + random.below(6);
    fanout.hop_energy = test::pick(random, {0, 0.1, 1});
    accelerator.fanouts.push_back(fanout);
  }
  accelerator.compute.energy = test::pick(random, {0.2, 1});
  return accelerator;
}

Layer random_golden_kind(Random& random) {
  while (true) {
    Layer layer = test::random_layer(random, 400);
    if (!layer.multiplies()) continue;
    layer.padding_before = layer.padding_after = {0, 0};
    infer_input_extent(layer);
    return layer;
  }
}

test::Case covered_case(std::uint32_t number) {
  Random random = test::stream(number, 77);
  test::Case result;
  result.accelerator = covered_accelerator(random);
  result.layer = random_golden_kind(random);
  result.mapping = test::random_mapping(random, result.layer, result.accelerator);
  return result;
}

void expect_near(double ours, double theirs, const std::string& what) {
  EXPECT_NEAR(ours, theirs, 1e-9 * std::abs(theirs)) << what;
}

void expect_native(const test::Case& one, const Simulator& reference, const TimeloopResult& result) {
  const std::vector<double> costs = test::evaluate(reference, one);
  const CostSchema& schema = reference.schema();
  for (std::size_t l = 0; l < one.accelerator.levels.size(); ++l) {
    const auto instances = static_cast<double>(result.levels[l].instances);
    for (const Operand o : operands) {
      if (!contains(one.mapping.level[l].keep, o)) continue;
      const TimeloopCounts& counts = result.levels[l].counts[index(o)];
      const std::string where = one.accelerator.levels[l].name + " " + std::string(operand_names[index(o)]);
      const std::size_t column = schema.first_column[l][index(o)];
      expect_near(counts.reads * instances, costs[column], where + " reads");
      expect_near(counts.fills * instances, costs[column + 1], where + " fills");
      expect_near(counts.updates * instances, costs[column + 2], where + " updates");
      expect_near(counts.energy, costs[column + 3], where + " energy");
    }
  }
  double network = 0, leakage = 0;
  for (const auto& networks : result.networks)
    for (const TimeloopNetwork& one_network : networks) network += one_network.energy;
  for (const TimeloopLevelResult& level : result.levels) leakage += level.leakage;
  EXPECT_EQ(result.cycles, costs[cost::cycles]);
  expect_near(network, costs[cost::network_energy], "network energy");
  expect_near(leakage, costs[cost::leakage_energy], "leakage");
  expect_near(result.compute_energy, costs[cost::compute_energy], "compute energy");
  expect_near(result.energy, costs[cost::energy], "energy");
  expect_near(result.edp, costs[cost::edp], "edp");
  expect_near(result.utilisation, costs[cost::utilisation], "utilisation");
}

TEST(Timeloop, without_rules_equals_the_executed_reference) {
  for (std::uint32_t number = 0; number < 3000; ++number) {
    SCOPED_TRACE(number);
    const test::Case one = covered_case(number);
    const TimeloopArchitecture architecture = timeloop_architecture(one.accelerator);
    const TimeloopMapping mapping = timeloop_mapping(one.mapping, one.layer);
    const TimeloopRules rules = timeloop_rules(false);
    ASSERT_EQ(check_timeloop(mapping, one.layer, architecture, rules), "");
    expect_native(one, *make_simulator("reference", one.accelerator),
                  evaluate_timeloop(mapping, one.layer, architecture, rules));
    if (HasFailure()) return;
  }
}

// Every rule changes something, else the comparison above would not see it on.
TEST(Timeloop, each_rule_alone_changes_some_result) {
  std::map<std::string_view, int> changed;
  for (std::uint32_t number = 0; number < 3000; ++number) {
    const test::Case one = covered_case(number);
    TimeloopArchitecture architecture = timeloop_architecture(one.accelerator);
    architecture.levels[0].update_energy += 0.5;
    const TimeloopMapping mapping = timeloop_mapping(one.mapping, one.layer);
    const TimeloopResult native = evaluate_timeloop(mapping, one.layer, architecture, timeloop_rules(false));
    for (const TimeloopRule& rule : timeloop_rule_list()) {
      TimeloopRules rules = timeloop_rules(false);
      rules.*rule.flag = true;
      if (!same_in_print(native, evaluate_timeloop(mapping, one.layer, architecture, rules)))
        ++changed[rule.name];
    }
  }
  for (const TimeloopRule& rule : timeloop_rule_list()) {
    RecordProperty(std::string(rule.name), changed[rule.name]);
    EXPECT_GT(changed[rule.name], 0) << rule.name;
  }
}

// Loops of one or two turns leave nothing to extrapolate.
TEST(Timeloop, extrapolation_is_exact_for_loops_of_two_turns) {
  int compared = 0;
  for (std::uint32_t number = 0; number < 3000; ++number) {
    const test::Case one = covered_case(number);
    const TimeloopMapping mapping = timeloop_mapping(one.mapping, one.layer);
    bool short_loops = true;
    for (const TimeloopMappingLevel& level : mapping.levels)
      for (const TimeloopLoop& loop : level.temporal) short_loops &= loop.bound <= 2;
    if (!short_loops) continue;
    ++compared;
    const TimeloopArchitecture architecture = timeloop_architecture(one.accelerator);
    TimeloopRules executed = timeloop_rules(true);
    executed.extrapolation = false;
    EXPECT_TRUE(same_in_print(evaluate_timeloop(mapping, one.layer, architecture, timeloop_rules(true)),
                              evaluate_timeloop(mapping, one.layer, architecture, executed)))
        << number;
  }
  EXPECT_GT(compared, 50);
}

// Each child is looked at, and each column of the mesh once, not once for every child.
TEST(Timeloop, wide_meshes_are_evaluated_and_wider_ones_refused) {
  Random random({.seed = 1, .purpose = Purpose::test});
  Accelerator accelerator;
  accelerator.name = "wide";
  accelerator.clock = 1e9;
  accelerator.levels = {covered_level(random, 0)};
  Fanout fanout;
  fanout.x = 1 << 20;
  fanout.y = 2;
  accelerator.fanouts = {fanout};
  const TimeloopArchitecture architecture = timeloop_architecture(accelerator);
  const TimeloopRules rules = timeloop_rules(true);
  Layer layer;
  layer.size[index(Dim::P)] = 1 << 18;
  infer_input_extent(layer);
  TimeloopMapping mapping;
  mapping.levels = {{all_operands, {}, {}, {{Dim::P, 1 << 18}}}};
  ASSERT_EQ(check_timeloop(mapping, layer, architecture, rules), "");
  EXPECT_EQ(evaluate_timeloop(mapping, layer, architecture, rules).units, 1U << 18);
  layer.size[index(Dim::P)] = 1 << 20;
  layer.size[index(Dim::K)] = 2;
  mapping.levels[0].spatial_x[0].bound = 1 << 20;
  mapping.levels[0].spatial_y = {{Dim::K, 2}};
  EXPECT_EQ(
      check_timeloop(mapping, layer, architecture, rules),
      "the loops in space below level 'level0' ask for 2097152 children; at most 1048576 are evaluated");
}

TEST(Timeloop, an_explanation_cannot_lose_a_rule) {
  // Holds with line_energy, and either of two others: none of the two can be named beside the other.
  const auto holds = [](const TimeloopRules& rules) {
    return rules.line_energy && (rules.extrapolation || rules.dram_returns);
  };
  const auto names = explain_by_rules(holds);
  EXPECT_EQ(names, (std::vector<std::string_view>{"line_energy", "dram_returns"}));
  EXPECT_THROW(explain_by_rules([](const TimeloopRules&) { return false; }), InternalError);
}

TEST(Timeloop, an_explanation_is_minimal_where_rules_lean_on_each_other) {
  // Without extrapolation, displacement_reset disturbs; extrapolation is tried first and cannot go until
  // then.
  const auto holds = [](const TimeloopRules& rules) {
    return rules.extrapolation || !rules.displacement_reset;
  };
  EXPECT_TRUE(explain_by_rules(holds).empty());
}

}  // namespace
}  // namespace atl
