// Faults planted into the closed forms, one rule each: the comparison with the executed reference must notice
// every one of them. A fault that survives means that the random cases have a blind spot.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

#include "../../src/simulator/clipped_core.hpp"
#include "../../src/simulator/loopnest_core.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

using namespace loopnest;

enum class Fault : std::uint8_t {
  none,
  weights_ignore_groups,
  second_input_is_a_weight,
  inputs_ignore_batch,
  outputs_ignore_columns,
  stride_forgotten,
  dilation_forgotten,
  top_padding_stored,
  paddings_swapped,
  bottom_padding_stored,
  order_reversed,
  bypass_ignored,
  every_step_replaces,
  channels_leave_tiles,
  multicast_always,
  multicast_never,
  reduction_always,
  reduction_never,
  reduction_is_multicast,
  different_words_join,
  diagonals_apart,
  transitions_count_the_first,
  fall_back_forgotten,
  fall_back_one_too_far,
  advance_forgotten,
  overlap_survives_channels,
  overlap_ends_at_output_channels,
  overlap_ends_at_rows,
  first_partial_sums_return,
  parents_start_fresh,
  rewrites_free,
  drains_free,
  only_the_first_fanout_is_crossed,
  idle_instances_move,
  idle_instances_do_not_leak,
  fills_write_nothing,
  shared_port_reads_only,
  shared_port_writes_twice,
  ties_bind_later,
  loads_wait_for_reading_only,
  loads_read_then_write,
  first_load_stalls_too,
  ends_wait_for_ports,
  ends_overlap,
  single_buffers_never_stall,
  rolling_buffers_stall,
  // Of tiles that do not divide:
  rests_forgotten,
  rests_are_whole,
  first_turns_are_whole,
  second_turns_forgotten,
  later_turns_count_the_first,
  idle_instances_drop,
  outputs_outlive_their_parents,
  last_turns_never_missed,
  every_coordinate_counts,
  steps_count_every_unit,
  unlike_windows_apart,
  one_keeps_for_all,
  count
};
constexpr auto faults = static_cast<std::size_t>(Fault::count);
constexpr Fault first_clipped = Fault::rests_forgotten;
// Rules that the model of clipped tiles has no use for.
constexpr std::array only_dividing = {Fault::every_step_replaces,  Fault::channels_leave_tiles,
                                      Fault::different_words_join, Fault::transitions_count_the_first,
                                      Fault::fall_back_forgotten,  Fault::fall_back_one_too_far,
                                      Fault::advance_forgotten,    Fault::overlap_ends_at_output_channels,
                                      Fault::overlap_ends_at_rows};

// The rules with at most one of them broken.
struct PlantedRules : Rules {
  static inline Fault fault = Fault::none;
  static bool is(Fault one) { return fault == one; }

  static DimSet weight_dims(LayerOp op) {
    if (is(Fault::weights_ignore_groups)) return Rules::weight_dims(op) & ~dim_bit(Dim::G);
    if (is(Fault::second_input_is_a_weight))
      return op == LayerOp::elementwise ? dim_bit(Dim::G) : Rules::weight_dims(op);
    return Rules::weight_dims(op);
  }
  static DimSet input_dims() {
    if (is(Fault::inputs_ignore_batch)) return dim_bit(Dim::G) | dim_bit(Dim::C);
    return Rules::input_dims();
  }
  static DimSet output_dims() {
    if (is(Fault::outputs_ignore_columns)) return Rules::output_dims() & ~dim_bit(Dim::Q);
    return Rules::output_dims();
  }
  static Words row_step(const Layer& layer, std::size_t axis) {
    if (is(Fault::stride_forgotten)) return 1;
    return Rules::row_step(layer, axis);
  }
  static Words tap_step(const Layer& layer, std::size_t axis) {
    if (is(Fault::dilation_forgotten)) return 1;
    return Rules::tap_step(layer, axis);
  }
  static Words first_row(const Layer& layer, std::size_t axis) {
    if (is(Fault::top_padding_stored)) return 0;
    if (is(Fault::paddings_swapped)) return Rules::first_row(layer, 1 - axis);
    return Rules::first_row(layer, axis);
  }
  static Words stored_rows(const Layer& layer, std::size_t axis) {
    if (is(Fault::bottom_padding_stored)) return Rules::stored_rows(layer, axis) + layer.padding_after[axis];
    return Rules::stored_rows(layer, axis);
  }
  static std::size_t loop_dim(const LevelMapping& level, std::size_t place) {
    if (is(Fault::order_reversed)) return level.order[dim_count - 1 - place];
    return Rules::loop_dim(level, place);
  }
  static bool holds(const LevelMapping& level, std::size_t l, Operand operand) {
    if (is(Fault::bypass_ignored)) return true;
    return Rules::holds(level, l, operand);
  }
  static bool leaves_tile(DimSet relevant, std::size_t dim) {
    if (is(Fault::every_step_replaces)) return false;
    if (is(Fault::channels_leave_tiles)) return Rules::leaves_tile(relevant, dim) || dim == index(Dim::C);
    return Rules::leaves_tile(relevant, dim);
  }
  static bool joins_reads(const Fanout& fanout) {
    if (is(Fault::multicast_always)) return true;
    if (is(Fault::multicast_never)) return false;
    return Rules::joins_reads(fanout);
  }
  static bool joins_updates(const Fanout& fanout) {
    if (is(Fault::reduction_always)) return true;
    if (is(Fault::reduction_never)) return false;
    if (is(Fault::reduction_is_multicast)) return fanout.multicast;
    return Rules::joins_updates(fanout);
  }
  static Words transfers(Words bound, bool relevant, bool joins) {
    if (is(Fault::different_words_join)) return joins ? 1 : bound;
    return Rules::transfers(bound, relevant, joins);
  }
  static bool diagonals_join() {
    if (is(Fault::diagonals_apart)) return false;
    return Rules::diagonals_join();
  }
  static Words transitions(Words bound) {
    if (is(Fault::transitions_count_the_first)) return bound;
    return Rules::transitions(bound);
  }
  static Words fall_back(Words bound, Words step) {
    if (is(Fault::fall_back_forgotten)) return 0;
    if (is(Fault::fall_back_one_too_far)) return -bound * step;
    return Rules::fall_back(bound, step);
  }
  static Words advance(Words step) {
    if (is(Fault::advance_forgotten)) return 0;
    return Rules::advance(step);
  }
  static bool ends_overlap(DimSet apart, std::size_t dim) {
    if (is(Fault::overlap_survives_channels)) return false;
    if (is(Fault::overlap_ends_at_output_channels))
      return Rules::ends_overlap(apart, dim) || dim == index(Dim::K);
    if (is(Fault::overlap_ends_at_rows)) return Rules::ends_overlap(apart, dim) || dim == index(Dim::P);
    return Rules::ends_overlap(apart, dim);
  }
  static Words returned(Words groups, Words parent_words, Words parent_fills) {
    if (is(Fault::first_partial_sums_return)) return groups + parent_fills;
    if (is(Fault::parents_start_fresh)) return groups - parent_words;
    return Rules::returned(groups, parent_words, parent_fills);
  }
  static Words rewrites(Words updates, Words groups) {
    if (is(Fault::rewrites_free)) return 0;
    return Rules::rewrites(updates, groups);
  }
  static Words drain_reads(Words drained) {
    if (is(Fault::drains_free)) return 0;
    return Rules::drain_reads(drained);
  }
  static bool crosses(std::size_t fanout, std::size_t parent, std::size_t child) {
    if (is(Fault::only_the_first_fanout_is_crossed)) return fanout == parent;
    return Rules::crosses(fanout, parent, child);
  }
  static double used_instances(double used, double built) {
    if (is(Fault::idle_instances_move)) return built;
    return Rules::used_instances(used, built);
  }
  static double leaking_instances(double used, double built) {
    if (is(Fault::idle_instances_do_not_leak)) return used;
    return Rules::leaking_instances(used, built);
  }
  static double written(double fills, double updates) {
    if (is(Fault::fills_write_nothing)) return updates;
    return Rules::written(fills, updates);
  }
  static double read_port(double read_bits, double written_bits, bool shared) {
    if (is(Fault::shared_port_reads_only)) return read_bits;
    return Rules::read_port(read_bits, written_bits, shared);
  }
  static double write_port(double written_bits, bool shared) {
    if (is(Fault::shared_port_writes_twice)) return 2 * written_bits;
    return Rules::write_port(written_bits, shared);
  }
  static bool binds_more(double cycles, double so_far) {
    if (is(Fault::ties_bind_later)) return cycles >= so_far;
    return Rules::binds_more(cycles, so_far);
  }
  static double load_time(double writing, double reading) {
    if (is(Fault::loads_wait_for_reading_only)) return reading;
    if (is(Fault::loads_read_then_write)) return writing + reading;
    return Rules::load_time(writing, reading);
  }
  static double total_time(double compute, double alone, double steady) {
    if (is(Fault::ends_wait_for_ports)) return steady + alone;
    if (is(Fault::ends_overlap)) return std::max(steady, std::max(compute, alone));
    return Rules::total_time(compute, alone, steady);
  }
  static double stall_words(double fills, double first_fills) {
    if (is(Fault::first_load_stalls_too)) return fills;
    return Rules::stall_words(fills, first_fills);
  }
  static bool stalls(Buffering buffering) {
    if (is(Fault::single_buffers_never_stall)) return false;
    if (is(Fault::rolling_buffers_stall)) return buffering != Buffering::double_;
    return Rules::stalls(buffering);
  }
};

// The same, and the rules of tiles that do not divide.
struct PlantedClippedRules : PlantedRules {
  using Clipped = clipped::Rules;
  using Size = clipped::Size;

  static Size whole_turns(Size size, Size extent) { return Clipped::whole_turns(size, extent); }
  static Size rest(Size size, Size extent) {
    const Size rest = Clipped::rest(size, extent);
    if (is(Fault::rests_forgotten)) return 0;
    if (is(Fault::rests_are_whole)) return rest > 0 ? extent : 0;
    return rest;
  }
  static Size first_turn(Size size, Size extent) {
    if (is(Fault::first_turns_are_whole)) return size > 0 ? extent : 0;
    return Clipped::first_turn(size, extent);
  }
  static Size second_turn(Size size, Size extent) {
    if (is(Fault::second_turns_forgotten)) return 0;
    return Clipped::second_turn(size, extent);
  }
  static Size later_turns(Size whole) {
    if (is(Fault::later_turns_count_the_first)) return whole;
    return Clipped::later_turns(whole);
  }
  static Size reached(Size so_far, Size second) {
    if (is(Fault::idle_instances_drop)) return second > 0 ? std::numeric_limits<Size>::max() : so_far;
    return Clipped::reached(so_far, second);
  }
  static bool gives_up(Size reached) {
    if (is(Fault::outputs_outlive_their_parents)) return false;
    return Clipped::gives_up(reached);
  }
  static bool may_miss_last_turn() {
    if (is(Fault::last_turns_never_missed)) return false;
    return Clipped::may_miss_last_turn();
  }
  static bool lowest_counts() {
    if (is(Fault::every_coordinate_counts)) return false;
    return Clipped::lowest_counts();
  }
  static bool lowest_takes_longest() {
    if (is(Fault::steps_count_every_unit)) return false;
    return Clipped::lowest_takes_longest();
  }
  static bool unlike_windows_join() {
    if (is(Fault::unlike_windows_apart)) return false;
    return Clipped::unlike_windows_join();
  }
  static bool all_must_keep() {
    if (is(Fault::one_keeps_for_all)) return false;
    return Clipped::all_must_keep();
  }
};

constexpr std::uint64_t most_operations = 300;

bool near(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

bool near(const std::vector<double>& costs, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const bool bound = i == cost::bound_cycles || i == cost::bound_energy;  // not the model's
    if (!bound && !near(costs[i], expected[i])) return false;
  }
  return true;
}

// How many cases notice each fault.
using Noticed = std::array<std::size_t, faults>;

void expect_noticed(const Noticed& noticed, Fault from, Fault end) {
  for (auto f = static_cast<std::size_t>(from); f < static_cast<std::size_t>(end); ++f)
    EXPECT_GE(noticed[f], 3U) << "fault number " << f;
}

TEST(PlantedFaults, EveryOneIsCaughtWhereTilesDivide) {
  Noticed noticed{};
  for (std::uint32_t i = 0; i < 1200; ++i) {
    const Case one = random_case(100000 + i, most_operations);
    const std::vector<double> expected = evaluate(*make_simulator("reference", one.accelerator), one);
    const Model<PlantedRules> model(one.accelerator);
    std::vector<double> costs(expected.size());
    for (std::size_t f = 0; f < static_cast<std::size_t>(first_clipped); ++f) {
      PlantedRules::fault = static_cast<Fault>(f);
      model.evaluate(layer_facts<PlantedRules>(one.layer), hardware_row(one.accelerator), one.mapping, costs);
      noticed[f] += near(costs, expected) ? 0 : 1;
    }
  }
  EXPECT_EQ(noticed[0], 0U) << "no fault planted";
  EXPECT_GE(faults, 50U);
  expect_noticed(noticed, Fault::weights_ignore_groups, first_clipped);
}

TEST(PlantedFaults, EveryOneIsCaughtWhereTilesDoNotDivide) {
  Noticed noticed{};
  for (std::uint32_t i = 0; i < 6000; ++i) {
    const Case one = random_clipped_case(400000 + i, most_operations);
    const std::vector<double> expected = evaluate(*make_simulator("reference", one.accelerator), one);
    clipped::Model<PlantedClippedRules> model(one.accelerator);
    std::vector<double> costs(expected.size());
    for (std::size_t f = 0; f < faults; ++f) {
      if (noticed[f] >= 3) continue;
      PlantedRules::fault = static_cast<Fault>(f);
      model.evaluate(clipped::layer_facts<PlantedClippedRules>(one.layer), hardware_row(one.accelerator),
                     one.mapping, costs);
      noticed[f] += near(costs, expected) ? 0 : 1;
    }
  }
  EXPECT_EQ(noticed[0], 0U) << "no fault planted";
  for (const Fault fault : only_dividing) noticed[static_cast<std::size_t>(fault)] = 3;
  expect_noticed(noticed, Fault::weights_ignore_groups, Fault::count);
}

}  // namespace
}  // namespace atl::test
