// Faults planted into the closed form, one rule each: the comparison with the executed reference must notice
// every one of them. A fault that survives means that the random cases have a blind spot.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

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
  single_buffers_never_stall,
  rolling_buffers_stall,
  count
};

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

constexpr std::uint32_t cases = 1200;
constexpr std::uint64_t most_operations = 300;

bool near(double a, double b) {
  return a == b || std::abs(a - b) <= 1e-12 * std::max(std::abs(a), std::abs(b));
}

bool equals_reference(const Case& one, const std::vector<double>& expected) {
  const Model<PlantedRules> model(one.accelerator);
  std::vector<double> costs(model.schema().width());
  model.evaluate(layer_facts<PlantedRules>(one.layer), hardware_row(one.accelerator), one.mapping, costs);
  for (std::size_t i = 0; i < costs.size(); ++i) {
    const bool bound = i == cost::bound_cycles || i == cost::bound_energy;  // not the model's
    if (!bound && !near(costs[i], expected[i])) return false;
  }
  return true;
}

TEST(PlantedFaults, EveryOneIsCaught) {
  constexpr auto faults = static_cast<std::size_t>(Fault::count);
  std::array<std::size_t, faults> differing{};
  for (std::uint32_t i = 0; i < cases; ++i) {
    const Case one = random_case(100000 + i, most_operations);
    const std::vector<double> expected = evaluate(*make_simulator("reference", one.accelerator), one);
    for (std::size_t f = 0; f < faults; ++f) {
      PlantedRules::fault = static_cast<Fault>(f);
      differing[f] += equals_reference(one, expected) ? 0 : 1;
    }
  }
  EXPECT_EQ(differing[0], 0U) << "no fault planted";
  EXPECT_GT(faults, 20U);
  for (std::size_t f = 1; f < faults; ++f) EXPECT_GE(differing[f], 3U) << "fault number " << f;
}

}  // namespace
}  // namespace atl::test
