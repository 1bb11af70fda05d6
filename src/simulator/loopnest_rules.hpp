// The rules of the closed form, each a small pure function. The model is a template over this struct, so that
// tests can replace one rule by a wrong one and prove that the comparison with the executed reference
// notices. Everything is inlined: a rule costs nothing.
#pragma once

#include <algorithm>
#include <cstdint>

#include "atoll/simulator/simulator.hpp"

namespace atl::loopnest {

using Words = std::int64_t;  // exact: no count of a legal layer exceeds 2^53
using DimSet = std::uint32_t;
constexpr DimSet dim_bit(Dim d) {
  return 1U << index(d);
}
constexpr DimSet dim_bit(std::size_t d) {
  return 1U << d;
}

struct Rules {
  // -- which words a loop reaches ------------------------------------------------------------------
  /// Dimensions that give other words of an operand each; P, Q, R, S of an input are sliding instead.
  static constexpr DimSet output_dims() {
    return dim_bit(Dim::N) | dim_bit(Dim::G) | dim_bit(Dim::K) | dim_bit(Dim::P) | dim_bit(Dim::Q);
  }
  static constexpr DimSet weight_dims(LayerOp op) {
    if (op == LayerOp::pool) return 0;
    if (op == LayerOp::elementwise) return output_dims();
    return dim_bit(Dim::G) | dim_bit(Dim::K) | dim_bit(Dim::C) | dim_bit(Dim::R) | dim_bit(Dim::S);
  }
  static constexpr DimSet input_dims() { return dim_bit(Dim::N) | dim_bit(Dim::G) | dim_bit(Dim::C); }
  static constexpr Words row_step(const Layer& layer, std::size_t axis) { return layer.stride[axis]; }
  static constexpr Words tap_step(const Layer& layer, std::size_t axis) { return layer.dilation[axis]; }
  static constexpr Words first_row(const Layer& layer, std::size_t axis) {
    return -static_cast<Words>(layer.padding_before[axis]);
  }
  static constexpr Words stored_rows(const Layer& layer, std::size_t axis) {
    return layer.input_extent[axis];
  }

  // -- the nest ------------------------------------------------------------------------------------
  static constexpr std::size_t loop_dim(const LevelMapping& level, std::size_t place) {
    return level.order[place];
  }
  /// A level takes part in the chain of levels that hold an operand.
  static constexpr bool holds(const LevelMapping& level, std::size_t l, Operand operand) {
    return l == 0 || contains(level.keep, operand);
  }

  // -- residencies: how often a tile is replaced -----------------------------------------------------
  /// Loops inside the innermost one that gives other words leave the tile alone.
  static constexpr bool leaves_tile(DimSet relevant, std::size_t dim) { return (relevant >> dim & 1) == 0; }

  // -- children that share a transfer ------------------------------------------------------------------
  static constexpr bool joins_reads(const Fanout& fanout) { return fanout.multicast; }
  static constexpr bool joins_updates(const Fanout& fanout) { return fanout.reduction; }
  /// Transfers that one loop in space multiplies: all its turns, or one if all want the same words and join.
  static constexpr Words transfers(Words bound, bool relevant, bool joins) {
    return relevant || !joins ? bound : 1;
  }
  /// Children along P and R whose windows start at the same row want the same words.
  static constexpr bool diagonals_join() { return true; }

  // -- sliding windows -----------------------------------------------------------------------------
  /// Turns of a loop that follow another turn of it.
  static constexpr Words transitions(Words bound) { return bound - 1; }
  /// How far a tile moves when loops inside go back from their last turn to their first.
  static constexpr Words fall_back(Words bound, Words step) { return -(bound - 1) * step; }
  static constexpr Words advance(Words step) { return step; }
  /// Beyond this loop two tiles in a row have no word in common.
  static constexpr bool ends_overlap(DimSet apart, std::size_t dim) { return (apart >> dim & 1) != 0; }

  // -- outputs -------------------------------------------------------------------------------------
  /// Partial sums that go in again: every residency of a group but those that find nothing started.
  static constexpr Words returned(Words groups, Words parent_words, Words parent_fills) {
    return groups - parent_words + parent_fills;
  }
  /// Updates beyond the first of a group are added to what is there: one read each.
  static constexpr Words rewrites(Words updates, Words groups) { return updates - groups; }
  /// Words that leave a level are read there.
  static constexpr Words drain_reads(Words drained) { return drained; }

  // -- energy and time -----------------------------------------------------------------------------
  static constexpr bool crosses(std::size_t fanout, std::size_t parent, std::size_t child) {
    return parent <= fanout && fanout < child;
  }
  static constexpr double used_instances(double used, double /*built*/) { return used; }
  static constexpr double leaking_instances(double /*used*/, double built) { return built; }
  static constexpr double written(double fills, double updates) { return fills + updates; }
  static constexpr double read_port(double read_bits, double written_bits, bool shared) {
    return shared ? read_bits + written_bits : read_bits;
  }
  static constexpr double write_port(double written_bits, bool shared) { return shared ? 0 : written_bits; }
  static constexpr bool binds_more(double cycles, double so_far) { return cycles > so_far; }
  static constexpr double load_time(double writing, double reading) { return std::max(writing, reading); }
  /// What cannot overlap comes on top of compute; a port that is never idle may still be slower.
  static constexpr double total_time(double compute, double alone, double steady) {
    return std::max(steady, compute + alone);
  }
  static constexpr double stall_words(double fills, double first_fills) { return fills - first_fills; }
  static constexpr bool stalls(Buffering buffering) { return buffering == Buffering::single; }
};

}  // namespace atl::loopnest
