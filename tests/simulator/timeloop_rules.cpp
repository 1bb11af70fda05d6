// The examples of TIMELOOP.md: each rule on the smallest nest where it makes a difference, alone.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "atoll/simulator/timeloop.hpp"

namespace atl {
namespace {

constexpr OperandSet none = 0;
constexpr double unlimited = std::numeric_limits<double>::infinity();

// A DRAM and a number of buffers below it, one below another, without limits.
TimeloopArchitecture buffers(std::size_t count) {
  TimeloopArchitecture architecture;
  for (std::size_t l = 0; l <= count; ++l) {
    TimeloopLevel level;
    level.name = l == 0 ? "dram" : "buffer" + std::to_string(l);
    level.may_keep = all_operands;
    level.entries = level.read_bandwidth = level.write_bandwidth = unlimited;
    level.word_bits = 1;
    architecture.levels.push_back(level);
  }
  return architecture;
}

void add_mesh(TimeloopArchitecture& architecture, std::size_t above, std::uint32_t x, std::uint32_t y) {
  architecture.levels[above].mesh_x = x;
  architecture.levels[above].mesh_y = y;
  architecture.levels[above].fanout = true;
  architecture.levels[above].hop_energy_per_bit = 1;
  for (std::size_t l = above + 1; l < architecture.levels.size(); ++l)
    architecture.levels[l].instances *= x * y;
  architecture.units *= x * y;
}

struct Example {
  TimeloopArchitecture architecture = buffers(1);
  Layer layer;
  TimeloopMapping mapping;

  explicit Example(std::size_t count = 1) : architecture(buffers(count)) {
    mapping.levels.resize(count + 1);
    for (TimeloopMappingLevel& level : mapping.levels) level.keep = all_operands;
  }
  Example& time(std::size_t l, Dim d, std::uint32_t bound) {
    return add(mapping.levels[l].temporal, d, bound);
  }
  Example& along_x(std::size_t l, Dim d, std::uint32_t bound) {
    return add(mapping.levels[l].spatial_x, d, bound);
  }
  Example& along_y(std::size_t l, Dim d, std::uint32_t bound) {
    return add(mapping.levels[l].spatial_y, d, bound);
  }

  TimeloopResult run(const TimeloopRules& rules) {
    infer_input_extent(layer);
    EXPECT_EQ(check_timeloop(mapping, layer, architecture, rules), "");
    return evaluate_timeloop(mapping, layer, architecture, rules);
  }

 private:
  Example& add(std::vector<TimeloopLoop>& loops, Dim d, std::uint32_t bound) {
    loops.push_back({d, bound});
    layer.size[index(d)] *= bound;
    return *this;
  }
};

using Figure = std::function<double(const TimeloopResult&)>;

void expect(Example& example, bool TimeloopRules::*rule, const Figure& figure, double native, double theirs) {
  TimeloopRules rules;
  EXPECT_EQ(figure(example.run(rules)), native);
  rules.*rule = true;
  EXPECT_EQ(figure(example.run(rules)), theirs);
}

Figure of(std::size_t level, Operand o, double TimeloopCounts::*figure) {
  return [=](const TimeloopResult& result) { return result.levels[level].counts[index(o)].*figure; };
}
Figure of(std::size_t level, Operand o, double TimeloopNetwork::*figure) {
  return [=](const TimeloopResult& result) { return result.networks[level][index(o)].*figure; };
}

// Windows of three rows that slide, twice.
Example sliding_twice() {
  return Example().time(0, Dim::K, 2).time(0, Dim::P, 3).time(1, Dim::R, 3);
}

TEST(TimeloopRule, extrapolation) {
  Example example = sliding_twice();
  expect(example, &TimeloopRules::extrapolation, of(0, Operand::I, &TimeloopCounts::reads), 9, 8);
}

TEST(TimeloopRule, displacement_reset) {
  Example example = sliding_twice();
  expect(example, &TimeloopRules::displacement_reset, of(0, Operand::I, &TimeloopCounts::reads), 9, 10);
}

TEST(TimeloopRule, bounding_boxes) {
  Example example = Example().time(1, Dim::P, 2);
  example.layer.stride = {2, 1};
  expect(example, &TimeloopRules::bounding_boxes, of(1, Operand::I, &TimeloopCounts::tile), 2, 3);
}

// Two buffers of two multipliers each; windows overlap.
Example bypassed() {
  Example example = Example().along_x(0, Dim::P, 2).along_x(1, Dim::R, 2);
  add_mesh(example.architecture, 0, 2, 1);
  add_mesh(example.architecture, 1, 2, 1);
  example.mapping.levels[1].keep = none;
  return example;
}

TEST(TimeloopRule, bypass_scaling) {
  Example example = bypassed();
  expect(example, &TimeloopRules::bypass_scaling, of(0, Operand::I, &TimeloopCounts::reads), 3, 4);
}

TEST(TimeloopRule, link_transfers) {
  Example example = Example().time(0, Dim::R, 2).along_x(0, Dim::P, 2);
  add_mesh(example.architecture, 0, 2, 1);
  expect(example, &TimeloopRules::link_transfers, of(0, Operand::I, &TimeloopCounts::reads), 4, 3);
  expect(example, &TimeloopRules::link_transfers, of(0, Operand::I, &TimeloopNetwork::link_transfers), 0, 1);
}

// Two buffers share every output; partial sums come back once.
Example shared_outputs(std::uint32_t outputs) {
  Example example = Example().time(0, Dim::C, 2).time(0, Dim::K, outputs).along_x(0, Dim::C, 2);
  add_mesh(example.architecture, 0, 2, 1);
  return example;
}

TEST(TimeloopRule, return_to_all) {
  Example example = shared_outputs(2);
  expect(example, &TimeloopRules::return_to_all, of(1, Operand::O, &TimeloopCounts::fills), 1, 2);
}

TEST(TimeloopRule, no_drain_reads) {
  Example example = Example().time(1, Dim::C, 2);
  expect(example, &TimeloopRules::no_drain_reads, of(1, Operand::O, &TimeloopCounts::reads), 2, 1);
}

TEST(TimeloopRule, partition_by_division) {
  Example example = Example().time(0, Dim::P, 2).along_x(0, Dim::P, 2).time(1, Dim::R, 3);
  add_mesh(example.architecture, 0, 2, 1);
  expect(example, &TimeloopRules::partition_by_division, of(1, Operand::I, &TimeloopCounts::partition), 5, 4);
}

TEST(TimeloopRule, per_instance_rounding) {
  Example example = shared_outputs(3);
  expect(example, &TimeloopRules::per_instance_rounding, of(1, Operand::O, &TimeloopCounts::fills), 1.5, 2);
}

TEST(TimeloopRule, line_energy) {
  Example example = Example().time(1, Dim::K, 5);
  example.architecture.levels[0].block = 4;
  example.architecture.levels[0].read_energy = 8;
  expect(example, &TimeloopRules::line_energy, of(0, Operand::W, &TimeloopCounts::energy), 10, 16);
}

TEST(TimeloopRule, update_energy) {
  Example example = Example().time(1, Dim::K, 5);
  example.architecture.levels[1].write_energy = 2;
  example.architecture.levels[1].update_energy = 3;
  expect(example, &TimeloopRules::update_energy, of(1, Operand::O, &TimeloopCounts::energy), 10, 15);
}

TEST(TimeloopRule, power_gated_leakage) {
  Example example = Example().time(1, Dim::K, 5);
  add_mesh(example.architecture, 0, 4, 1);
  example.architecture.levels[1].leakage = 1;
  expect(
      example, &TimeloopRules::power_gated_leakage,
      [](const TimeloopResult& result) { return result.levels[1].leakage; }, 20, 5);
}

TEST(TimeloopRule, perfect_overlap) {
  Example example = Example().time(1, Dim::K, 5);
  example.architecture.levels[0].read_bandwidth = 2;   // W 5 and I 1 come in
  example.architecture.levels[0].write_bandwidth = 2;  // O 5 go out
  expect(
      example, &TimeloopRules::perfect_overlap, [](const TimeloopResult& result) { return result.cycles; },
      5 + 3 + 3, 5);
}

TEST(TimeloopRule, hop_distances) {
  Example example = Example().along_x(1, Dim::K, 4);
  add_mesh(example.architecture, 1, 4, 1);
  // One word to four children in a row: four deliveries, or three hops to the last.
  expect(example, &TimeloopRules::hop_distances, of(1, Operand::I, &TimeloopNetwork::hops), 4, 3);
  // Four words to one child each: one delivery, or 0, 1, 2 and 3 hops.
  expect(example, &TimeloopRules::hop_distances, of(1, Operand::W, &TimeloopNetwork::hops), 1, 1.5);
}

TEST(TimeloopRule, hops_before_bypass) {
  // The bypassed buffer would hold one weight for three steps; the multiplier asks for it three times.
  Example example = Example().along_x(0, Dim::K, 2).time(1, Dim::P, 3);
  add_mesh(example.architecture, 0, 2, 1);
  example.mapping.levels[1].keep = none;
  expect(example, &TimeloopRules::hops_before_bypass, of(0, Operand::W, &TimeloopNetwork::energy), 6, 2);
}

TEST(TimeloopRule, free_returns) {
  // Two outputs, each visited twice: four words come up, two go down again.
  Example example = Example().time(0, Dim::C, 2).time(0, Dim::K, 2);
  add_mesh(example.architecture, 0, 1, 1);
  expect(example, &TimeloopRules::free_returns, of(0, Operand::O, &TimeloopNetwork::energy), 6, 4);
}

TEST(TimeloopRule, dram_returns) {
  Example example = Example().time(0, Dim::C, 2).time(0, Dim::K, 2);
  example.architecture.levels[0].dram = true;
  expect(example, &TimeloopRules::dram_returns, of(0, Operand::O, &TimeloopNetwork::ingresses), 4, 6);
}

TEST(TimeloopRule, slowdown_factor) {
  // 48 weights and one input through a port of one word a cycle, for one step: 1 / (1 / 49.0) is above 49.
  Example example = Example().along_x(1, Dim::K, 48);
  add_mesh(example.architecture, 1, 48, 1);
  example.architecture.levels[0].read_bandwidth = 1;
  expect(
      example, &TimeloopRules::slowdown_factor,
      [](const TimeloopResult& result) { return result.levels[0].cycles; }, 49, 50);
}

}  // namespace
}  // namespace atl
