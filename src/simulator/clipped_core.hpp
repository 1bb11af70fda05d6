// The closed form of the executed reference for tiles that do not divide: the same counts as
// loopnest_core.hpp, for any tiles, at some cost in time. Everything is a product over dimensions of sums
// over trees of tiles (clipped_chain.hpp), rows and columns of sliding windows excepted (clipped_window.hpp).
// A template over its rules (clipped_rules.hpp).
//
// A tile fetches what the one before did not hold, so that the words that move are
//
//   sum over steps of |tile| - sum over loops in time of |tile and the one before, where that loop turns|
//
// Where a loop of a dimension that the operand does not depend on turns, an instance keeps its tile if the
// loops further in of all other dimensions have a single turn for it.
#pragma once

#include <bit>
#include <memory>
#include <span>

#include "atoll/simulator/bounds.hpp"
#include "clipped_diagonal.hpp"

namespace atl::clipped {

inline constexpr DimSet all_dims = (1U << dim_count) - 1;
inline constexpr std::size_t most_modes = 3;

/// What an accelerator's structure fixes once and for all.
struct Structure {
  explicit Structure(const Accelerator& accelerator) : schema(loopnest_schema(accelerator)) {
    levels = accelerator.levels.size();
    units = static_cast<double>(accelerator.units());
    elides = accelerator.zero_read_elision;
    for (std::size_t l = 0; l < levels; ++l) {
      buffering[l] = accelerator.levels[l].buffering;
      shared_port[l] = accelerator.levels[l].shared_port;
      built[l] = static_cast<double>(accelerator.instances(l));
    }
    for (const Fanout& one : accelerator.fanouts) {
      has_fanout[one.above] = true;
      fanout[one.above] = one;
    }
  }

  CostSchema schema;
  std::size_t levels = 0;
  std::array<bool, max_levels> has_fanout{};
  std::array<Fanout, max_levels> fanout{};
  std::array<Buffering, max_levels> buffering{};
  std::array<bool, max_levels> shared_port{};
  std::array<double, max_levels> built{};  // instances
  double units = 0;
  bool elides = true;  // first visits of outputs read nothing
};

/// What a layer fixes.
struct LayerFacts {
  Layer layer;
  std::array<DimSet, operand_count> apart{};  // dimensions of which each turn gives other words
  std::array<bool, operand_count> has{};
  std::array<WindowAxis, 2> axis{};
  DimSet sliding = 0;  // dimensions along axes that are not plain
  Words outputs = 0;
  double macs = 0, operations = 0;
  CompulsoryWords compulsory;
};

inline Words all_held(const WindowAxis& axis, Words rows) {
  Words words = 0;
  for (Words tap = 0; tap < axis.taps; ++tap) {
    const Words start = axis.first + tap * axis.tap_step;
    const Words low = start >= 0 ? 0 : (axis.row_step - 1 - start) / axis.row_step;
    const Words high = start >= axis.extent ? 0 : (axis.extent - 1 - start) / axis.row_step + 1;
    words += std::max<Words>(0, std::min(high, rows) - low);
  }
  return words;
}

template <typename R>
WindowAxis window_axis(const Layer& layer, std::size_t a) {
  WindowAxis axis;
  axis.row_dim = index(a == 0 ? Dim::P : Dim::Q);
  axis.tap_dim = index(a == 0 ? Dim::R : Dim::S);
  axis.row_step = R::row_step(layer, a);
  axis.tap_step = R::tap_step(layer, a);
  axis.first = R::first_row(layer, a);
  axis.extent = R::stored_rows(layer, a);
  axis.common = std::gcd(axis.row_step, axis.tap_step);
  axis.row_period = axis.tap_step / axis.common;
  axis.tap_period = axis.row_step / axis.common;
  axis.dense = axis.row_step == 1 && axis.tap_step == 1;
  axis.taps = layer.size[axis.tap_dim];
  const Words rows = layer.size[axis.row_dim];
  axis.plain = axis.taps == 1 && axis.first >= 0 && axis.first + (rows - 1) * axis.row_step < axis.extent;
  axis.all_held = all_held(axis, rows);
  return axis;
}

template <typename R>
LayerFacts layer_facts(const Layer& layer) {
  LayerFacts facts;
  facts.layer = layer;
  facts.apart = {R::weight_dims(layer.op), R::input_dims(), R::output_dims()};
  for (std::size_t o = 0; o < operand_count; ++o) facts.has[o] = layer.has(static_cast<Operand>(o));
  for (std::size_t a = 0; a < 2; ++a) {
    facts.axis[a] = window_axis<R>(layer, a);
    const auto [row, tap] = std::pair{facts.axis[a].row_dim, facts.axis[a].tap_dim};
    if (facts.axis[a].plain)
      facts.apart[index(Operand::I)] |= loopnest::dim_bit(row);
    else
      facts.sliding |= loopnest::dim_bit(row) | loopnest::dim_bit(tap);
  }
  facts.outputs = static_cast<Words>(layer.elements(Operand::O));
  facts.macs = static_cast<double>(layer.macs());
  facts.operations = static_cast<double>(layer.operations());
  facts.compulsory = compulsory_words(layer);
  return facts;
}

/// Uses each dimension of a set.
template <typename Use>
void for_each_dim(DimSet dims, Use use) {
  for (; dims != 0; dims &= dims - 1) use(static_cast<std::size_t>(std::countr_zero(dims)));
}

/// One link of the chain of levels that hold an operand; child == levels stands for the multipliers.
struct Edge {
  std::size_t parent, child;
};

/// Words that cross an edge, by mode: which children of a group count. A mode is the set of levels whose
/// loops in space are taken at their lowest coordinate, in dimensions that the operand does not depend on.
struct Modes {
  std::array<LevelSet, most_modes> lowest{};
  std::size_t count = 1;
  bool diagonals = false;  // in mode 1, equal windows join as well
  LevelSet around = 0;     // levels whose tiles end those of the child when they change
};
using ByMode = std::array<Words, most_modes>;

/// The nest of a mapping, and what is counted of it.
template <typename R>
class Nest {
 public:
  void build(const Structure& structure, const LayerFacts& facts, const Mapping& mapping) {
    structure_ = &structure;
    facts_ = &facts;
    list_loops(mapping);
    active_ = 0;
    steps_ = 1;
    instances_.fill(1);
    for (std::size_t d = 0; d < dim_count; ++d)
      if (chain_[d].size > 0) build(d);
    for (std::size_t a = 0; a < 2; ++a) {
      const WindowAxis& axis = facts.axis[a];
      if (axis.plain) continue;
      slide_[a].begin(axis, chain_[axis.row_dim], chain_[axis.tap_dim]);
      diagonal_[a].begin(axis, chain_[axis.row_dim], chain_[axis.tap_dim], slide_[a].interior_rows());
    }
  }

  Words steps() const { return steps_; }
  /// Instances of a level that have something to do in the first step.
  Words instances(std::size_t level) const { return instances_[level]; }

  /// Words of the largest tile, padding included.
  Words tile_words(std::size_t level, DimSet apart, bool windowed) const {
    Words words = 1;
    for_each_dim(apart & active_, [&](std::size_t d) { words *= entering(d, level); });
    if (!windowed) return words;
    for (const WindowAxis& axis : facts_->axis)
      if (!axis.plain)
        words *= window_count(axis, {entering(axis.row_dim, level), entering(axis.tap_dim, level)});
    return words;
  }

  /// Words of the first tiles of all instances, padding left out.
  Words first_words(std::size_t level, DimSet apart, bool windowed) {
    const DimSet sliding = windowed ? facts_->sliding : 0;
    Words words = 1;
    for_each_dim(apart & active_, [&](std::size_t d) { words *= first_extents(d, 0, level); });
    for_each_dim(active_ & ~apart & ~sliding, [&](std::size_t d) {
      if (chain_[d].spreads(0, level)) words *= first_tiles(d, 0, level, 0).count();
    });
    for (std::size_t a = 0; a < 2 && windowed; ++a) {
      if (facts_->axis[a].plain) continue;
      slide_[a].look_at(level);
      words *= slide_[a].at_first();
    }
    return words;
  }

  /// Words that the first parent sends to (or takes from) its children at the largest step, padding included.
  Words load_words(Edge edge, DimSet apart, bool windowed, LevelSet joined) {
    const DimSet sliding = windowed ? facts_->sliding : 0;
    Words words = 1;
    for_each_dim(apart & active_, [&](std::size_t d) { words *= first_extents(d, edge.parent, edge.child); });
    for_each_dim(active_ & ~apart & ~sliding, [&](std::size_t d) {
      if (chain_[d].spreads(edge.parent, edge.child))
        words *= first_tiles(d, edge.parent, edge.child, joined).count();
    });
    for (std::size_t a = 0; a < 2 && windowed; ++a)
      if (!facts_->axis[a].plain) words *= load_along(edge, a, joined);
    return words;
  }

  /// Levels of loops in space between two levels.
  LevelSet space_levels(Edge edge, DimSet dims) const {
    LevelSet levels = 0;
    for_each_dim(dims & active_, [&](std::size_t d) { levels |= chain_[d].space; });
    return levels & level_range(edge.parent, edge.child);
  }

  /// Rows and taps along an axis both lie along fan-outs that join.
  bool is_diagonal(Edge edge, std::size_t a, LevelSet joined) const {
    const WindowAxis& axis = facts_->axis[a];
    return R::diagonals_join() && !axis.plain &&
           (space_levels(edge, loopnest::dim_bit(axis.row_dim)) & joined) != 0 &&
           (space_levels(edge, loopnest::dim_bit(axis.tap_dim)) & joined) != 0;
  }

  /// Words that cross an edge while the whole layer runs.
  ByMode moved(Edge edge, DimSet apart, bool windowed, const Modes& modes) {
    Count& count = count_;
    begin(count, edge, apart, windowed, modes);
    ByMode words = visits(count);
    if (edge.child < structure_->levels)  // multipliers keep nothing
      for (std::size_t t = times_before_[edge.child]; t-- > 0;)
        if (!turn(count, time_[t], words)) break;
    for (std::size_t m = 1; m < modes.count; ++m)
      if (count.same_as[m] != m) words[m] = words[count.same_as[m]];
    return words;
  }

 private:
  struct TimeLoop {
    std::uint8_t dim, place;  // in the chain of its dimension
  };

  // The state of a walk over the loops in time, from inside to outside.
  struct Count {
    Edge edge{};
    DimSet apart = 0, sliding = 0;
    Modes modes;
    std::array<bool, 2> diagonal{};
    std::array<LevelSet, most_modes> lowest{};                      // of the modes, as far as it matters
    std::array<std::size_t, most_modes> same_as{};                  // the first mode that counts the same
    std::array<Words, dim_count> kept{};                            // by dimension that tells words apart
    std::array<std::array<Words, dim_count>, most_modes> fibres{};  // by dimension that does not
    std::array<std::array<std::size_t, 2>, 2> inside{};  // by axis: loops of rows and taps further out
  };

  void build(std::size_t d) {
    const Chain& chain = chain_[d];
    active_ |= loopnest::dim_bit(d);
    tiles_[d][0] = Sizes::one(chain.extent[0]);
    tile_count_[d][0] = 1;
    for (std::size_t j = 0; j < chain.size; ++j) {
      all_turns<R>(tiles_[d][j], chain.extent[j + 1], tiles_[d][j + 1]);
      tile_count_[d][j + 1] = tiles_[d][j + 1].count();
      later_count_[d][j] = -1;
    }
    if (chain.space == 0) {
      steps_ *= chain.extent[0];
      return;
    }
    const LevelSet lowest = R::lowest_takes_longest() ? ~LevelSet{0} : 0;
    Sizes alone = Sizes::one(chain.extent[0]);
    to_tiles<R>(chain, alone, 0, chain.size, lowest);
    steps_ *= alone.count();
    Sizes first = Sizes::one(chain.extent[0]);
    for (std::size_t l = 1; l <= structure_->levels; ++l) {
      to_fibres<R>(chain, first, chain.depth[l - 1], chain.depth[l], 0);
      instances_[l] *= first.count();
    }
  }

  void list_loops(const Mapping& mapping) {
    times_ = 0;
    for (std::size_t d = 0; d < dim_count; ++d) chain_[d].clear(facts_->layer.size[d]);
    for (std::size_t l = 0; l < structure_->levels; ++l) {
      const LevelMapping& level = mapping.level[l];
      times_before_[l] = times_;
      for (Chain& chain : chain_) chain.depth[l] = static_cast<std::uint8_t>(chain.size);
      const Extents& entering = mapping.entering(l, facts_->layer);
      const DimSet turning = unlike(entering, level.temporal);
      for (std::size_t i = 0; turning != 0 && i < dim_count; ++i) {
        const std::size_t d = R::loop_dim(level, i);
        if ((turning >> d & 1) == 0) continue;
        time_[times_++] = {static_cast<std::uint8_t>(d), static_cast<std::uint8_t>(chain_[d].size)};
        chain_[d].push(l, false, level.temporal[d]);
      }
      for_each_dim(unlike(level.temporal, level.x), [&](std::size_t d) {
        if (level.y[d] != level.temporal[d]) chain_[d].push(l, true, level.y[d]);
        if (level.x[d] != level.y[d]) chain_[d].push(l, true, level.x[d]);
      });
    }
    times_before_[structure_->levels] = times_;
    for (Chain& chain : chain_) chain.depth[structure_->levels] = static_cast<std::uint8_t>(chain.size);
  }
  static DimSet unlike(const Extents& a, const Extents& b) {
    DimSet dims = 0;
    for (std::size_t d = 0; d < dim_count; ++d) dims |= static_cast<DimSet>(a[d] != b[d]) << d;
    return dims;
  }
  Size entering(std::size_t d, std::size_t level) const { return chain_[d].extent[chain_[d].depth[level]]; }

  // Tiles of a child at the first step, below one tile of the parent.
  Sizes first_tiles(std::size_t d, std::size_t parent, std::size_t child, LevelSet lowest) const {
    const Chain& chain = chain_[d];
    Sizes sizes = Sizes::one(entering(d, chain.spreads(parent, child) ? parent : child));
    if (chain.spreads(parent, child))
      to_fibres<R>(chain, sizes, chain.depth[parent], chain.depth[child], R::lowest_counts() ? lowest : 0);
    return sizes;
  }

  // Indices of these tiles.
  Words first_extents(std::size_t d, std::size_t parent, std::size_t child) const {
    if (!chain_[d].spreads(parent, child)) return entering(d, child);
    return first_tiles(d, parent, child, 0).words();
  }

  // Whether a mode takes some of the tiles at depth j only.
  bool picks(const Count& count, std::size_t d, std::size_t j, LevelSet lowest) const {
    return (lowest & chain_[d].space) != 0 && j > chain_[d].depth[count.edge.parent];
  }
  // All tiles at depth j; below the parent, at the lowest coordinates only where the mode says so.
  const Sizes& tiles_at(const Count& count, std::size_t d, std::size_t j, LevelSet lowest) {
    if (!picks(count, d, j, lowest)) return tiles_[d][j];
    const std::size_t parent = chain_[d].depth[count.edge.parent];
    scratch_ = tiles_[d][parent];
    to_tiles<R>(chain_[d], scratch_, parent, j, lowest);
    return scratch_;
  }

  Words load_along(Edge edge, std::size_t a, LevelSet joined) {
    if (is_diagonal(edge, a, joined)) {
      diagonal_[a].look_at(edge.parent, edge.child, joined);
      return diagonal_[a].at_first();
    }
    const WindowAxis& axis = facts_->axis[a];
    const Sizes rows = first_tiles(axis.row_dim, edge.parent, edge.child, 0);
    const Sizes taps = first_tiles(axis.tap_dim, edge.parent, edge.child, 0);
    Words words = 0;
    for (std::size_t i = 0; i < rows.n; ++i)
      for (std::size_t k = 0; k < taps.n; ++k)
        words += rows.of[i].count * taps.of[k].count * window_count(axis, {rows.of[i].size, taps.of[k].size});
    return words;
  }

  void begin(Count& count, Edge edge, DimSet apart, bool windowed, const Modes& modes) {
    count.edge = edge;
    count.apart = apart & active_;
    count.sliding = windowed ? facts_->sliding : 0;
    count.modes = modes;
    count.diagonal = {};
    for (std::size_t a = 0; a < 2; ++a) {
      const WindowAxis& axis = facts_->axis[a];
      if (count.sliding == 0 || axis.plain) continue;
      slide_[a].look_at(count.edge.child);
      count.diagonal[a] = count.modes.diagonals && is_diagonal(count.edge, a, count.modes.lowest[1]);
      if (count.diagonal[a]) diagonal_[a].look_at(count.edge.parent, count.edge.child, count.modes.lowest[1]);
      count.inside[a] = {chain_[axis.row_dim].depth[count.edge.child],
                         chain_[axis.tap_dim].depth[count.edge.child]};
    }
    for_each_dim(count.apart, [&](std::size_t d) { count.kept[d] = facts_->layer.size[d]; });
    const LevelSet space = space_levels(count.edge, others(count));
    for (std::size_t m = 0; m < count.modes.count; ++m) {
      count.lowest[m] = R::lowest_counts() ? count.modes.lowest[m] & space : 0;
      count.same_as[m] = m;
      const bool diagonal = m == 1 && (count.diagonal[0] || count.diagonal[1]);
      for (std::size_t k = m; k-- > 0 && !diagonal;)
        if (count.lowest[k] == count.lowest[m] && !(k == 1 && (count.diagonal[0] || count.diagonal[1])))
          count.same_as[m] = k;
    }
  }

  DimSet others(const Count& count) const { return active_ & ~count.apart & ~count.sliding; }
  bool slides(const Count& count, std::size_t a) const {
    return count.sliding != 0 && !facts_->axis[a].plain;
  }

  // Words of all tiles.
  ByMode visits(Count& count) {
    ByMode words{};
    for (std::size_t m = 0; m < count.modes.count; ++m) {
      if (count.same_as[m] != m) continue;
      words[m] = 1;
      for_each_dim(count.apart, [&](std::size_t d) { words[m] *= count.kept[d]; });
      for_each_dim(others(count), [&](std::size_t d) {
        const std::size_t end = chain_[d].depth[count.edge.child];
        count.fibres[m][d] = picks(count, d, end, count.lowest[m])
                                 ? tiles_at(count, d, end, count.lowest[m]).count()
                                 : tile_count_[d][end];
        words[m] *= count.fibres[m][d];
      });
      for (std::size_t a = 0; a < 2; ++a)
        if (slides(count, a))
          words[m] *= m == 1 && count.diagonal[a] ? diagonal_[a].held() : slide_[a].held();
    }
    return words;
  }
  std::uint32_t barriers(const Count& count, std::size_t d) const {
    std::uint32_t depths = 0;
    for (std::size_t l = 0; l <= count.edge.parent; ++l)
      if ((count.modes.around >> l & 1) != 0) depths |= 1U << chain_[d].depth[l];
    return depths;
  }

  // Takes away what is kept where a loop turns. False if nothing is kept where loops further out turn.
  bool turn(Count& count, TimeLoop loop, ByMode& words) {
    const std::size_t d = loop.dim, j = loop.place;
    if ((count.apart >> d & 1) != 0) {
      if (R::ends_overlap(count.apart, d))
        count.kept[d] =
            single_words_(chain_[d], tiles_[d][j], j, chain_[d].depth[count.edge.child], barriers(count, d));
      return count.kept[d] > 0;
    }
    Words apart = 1;
    for_each_dim(count.apart, [&](std::size_t r) { apart *= count.kept[r]; });
    if ((count.sliding >> d & 1) != 0) {
      turn_window(count, d, j, apart, words);
      return true;
    }
    for (std::size_t m = 0; m < count.modes.count; ++m)
      if (count.same_as[m] == m) turn_other(count, d, j, apart, m, words[m]);
    return true;
  }

  void turn_other(Count& count, std::size_t d, std::size_t j, Words apart, std::size_t m, Words& words) {
    const Chain& chain = chain_[d];
    const std::size_t end = chain.depth[count.edge.child];
    const LevelSet lowest = count.lowest[m];
    const bool spreads = chain.spreads(chain.level[j], count.edge.child);
    const bool all = !spreads && !picks(count, d, j, lowest);
    const Sizes& around = tiles_at(count, d, j, lowest);
    Sizes later;
    if (!all || later_count_[d][j] < 0) {
      later_turns<R>(around, chain.extent[j + 1], later);
      if (spreads) to_fibres<R>(chain, later, j + 1, end, lowest);
    }
    if (all && later_count_[d][j] < 0) later_count_[d][j] = later.count();
    Words kept = apart * (all ? later_count_[d][j] : later.count());
    for_each_dim(others(count) & ~loopnest::dim_bit(d), [&](std::size_t o) { kept *= count.fibres[m][o]; });
    for (std::size_t a = 0; a < 2 && kept != 0; ++a)
      if (slides(count, a)) kept *= kept_around(count, a, m);
    words -= kept;
    if (spreads) {
      later = around;
      to_fibres<R>(chain, later, j, end, lowest);
    }
    count.fibres[m][d] = all ? tile_count_[d][j] : (spreads ? later : around).count();
  }

  Words kept_around(const Count& count, std::size_t a, std::size_t m) {
    return m == 1 && count.diagonal[a] ? diagonal_[a].kept(count.inside[a], {}) : slide_[a].kept();
  }

  void turn_window(Count& count, std::size_t d, std::size_t j, Words apart, ByMode& words) {
    const std::size_t a = d == facts_->axis[0].row_dim || d == facts_->axis[0].tap_dim ? 0 : 1;
    const bool tap = d == facts_->axis[a].tap_dim;
    Words here = -1;  // not known yet
    for (std::size_t m = 0; m < count.modes.count; ++m) {
      if (count.same_as[m] != m) continue;
      Words kept = apart;
      if (slides(count, 1 - a)) kept *= kept_around(count, 1 - a, m);
      if (kept == 0) continue;
      if (m == 1 && count.diagonal[a]) {
        kept *= diagonal_[a].kept(count.inside[a], {true, tap, j});
      } else {
        if (here < 0) here = slide_[a].kept_in_turn(tap, j);
        kept *= here;
      }
      for_each_dim(others(count), [&](std::size_t o) { kept *= count.fibres[m][o]; });
      words[m] -= kept;
    }
    slide_[a].go_in(tap, j);
    count.inside[a][tap ? 1 : 0] = j;
  }

  const Structure* structure_ = nullptr;
  const LayerFacts* facts_ = nullptr;
  std::array<Chain, dim_count> chain_;
  std::array<TimeLoop, dim_count * max_levels> time_;
  std::array<std::size_t, max_levels + 1> times_before_{};  // loops in time further out than a level
  std::size_t times_ = 0;
  DimSet active_ = 0;  // dimensions of more than one index
  Words steps_ = 1;
  std::array<Words, max_levels + 1> instances_{};
  Sizes scratch_;
  Count count_;
  std::array<std::array<Sizes, most_loops + 1>, dim_count> tiles_;                     // all, by depth
  std::array<std::array<Words, most_loops + 1>, dim_count> tile_count_, later_count_;  // -1: not known yet
  std::array<Slide<R>, 2> slide_;
  std::array<Diagonal<R>, 2> diagonal_;
  SingleWords<R> single_words_;
};

constexpr double as_double(Words words) {
  return static_cast<double>(words);
}

/// Rounds up to whole cycles. Times are far below 2^63; what is not finite stays as it is.
inline double whole_cycles(double time) {
  if (!(time < 0x1.0p62)) return time;
  const double whole = static_cast<double>(static_cast<std::int64_t>(time));
  return whole < time ? whole + 1 : whole;
}

template <typename R>
class Model {
 public:
  explicit Model(const Accelerator& accelerator)
      : structure_(accelerator), nest_(std::make_unique<Nest<R>>()) {}
  const CostSchema& schema() const { return structure_.schema; }
  const Structure& structure() const { return structure_; }

  /// One row of costs; the columns of the bounds stay 0. `facts` come from layer_facts<R>().
  void evaluate(const LayerFacts& facts, const HardwareRow& hardware, const Mapping& mapping,
                std::span<double> costs) {
    nest_->build(structure_, facts, mapping);
    Tally tally{};
    for (const Operand operand : {Operand::W, Operand::I, Operand::O})
      if (facts.has[index(operand)]) follow(facts, hardware, mapping, operand, tally);
    report(facts, hardware, tally, costs);
  }

 private:
  template <typename T>
  using PerPair = std::array<std::array<T, operand_count>, max_levels>;

  struct Tally {
    PerPair<Words> reads, fills, updates, first;
    PerPair<bool> kept;
    double network_energy;
    double fill_time;                                           // first load and last store, cycles
    std::array<double, max_levels> load_writing, load_reading;  // cycles, before rounding
  };

  // Walks the chain of levels that hold the operand, from the outermost to the multipliers.
  void follow(const LayerFacts& facts, const HardwareRow& hardware, const Mapping& mapping, Operand operand,
              Tally& tally) {
    Edge edge{0, 0};
    tally.kept[0][index(operand)] = true;
    Words parent_words = facts.outputs;
    for (edge.child = 1; edge.child <= structure_.levels; ++edge.child) {
      const bool bottom = edge.child == structure_.levels;
      if (!bottom && !R::holds(mapping.level[edge.child], edge.child, operand)) continue;
      if (!bottom) tally.kept[edge.child][index(operand)] = true;
      if (operand == Operand::O)
        parent_words = move_outputs(facts, hardware, edge, parent_words, tally);
      else
        move_inputs(facts, hardware, edge, operand, tally);
      edge.parent = edge.child;
    }
  }

  template <typename Joins>
  LevelSet joined(Edge edge, Joins joins) const {
    LevelSet levels = 0;
    for (std::size_t l = edge.parent; l < edge.child; ++l)
      if (structure_.has_fanout[l] && joins(structure_.fanout[l])) levels |= LevelSet{1} << l;
    return levels;
  }

  void move_inputs(const LayerFacts& facts, const HardwareRow& hardware, Edge edge, Operand operand,
                   Tally& tally) {
    const std::size_t o = index(operand);
    const DimSet apart = facts.apart[o];
    const bool windowed = operand == Operand::I && facts.sliding != 0;
    const LevelSet join = joined(edge, [](const Fanout& fanout) { return R::joins_reads(fanout); });
    const ByMode words = nest_->moved(edge, apart, windowed, {{0, join}, 2, true, 0});
    tally.reads[edge.parent][o] += words[1];
    cross(hardware, edge, o, as_double(words[0]), tally);
    if (edge.child == structure_.levels) return;
    tally.fills[edge.child][o] = words[0];
    if (R::stalls(structure_.buffering[edge.child]))
      tally.first[edge.child][o] = nest_->first_words(edge.child, apart, windowed);
    const double tile_bits =
        as_double(nest_->tile_words(edge.child, apart, windowed)) * hardware.word_bits[edge.child][o];
    const double parent_bits =
        as_double(nest_->load_words(edge, apart, windowed, join)) * hardware.word_bits[edge.parent][o];
    tally.load_writing[edge.child] += tile_bits / write_bandwidth(hardware, edge.child);
    tally.load_reading[edge.child] += parent_bits / hardware.read_bandwidth[edge.parent];
  }

  // Returns the words of the child's tiles, summed over residencies and children.
  Words move_outputs(const LayerFacts& facts, const HardwareRow& hardware, Edge edge, Words parent_words,
                     Tally& tally) {
    constexpr std::size_t o = index(Operand::O);
    const DimSet apart = facts.apart[o];
    const LevelSet join = joined(edge, [](const Fanout& fanout) { return R::joins_updates(fanout); });
    const LevelSet group = joined(edge, [](const Fanout&) { return true; });
    LevelSet around = 0;
    for (std::size_t l = 1; l <= edge.parent; ++l)
      if (tally.kept[l][o]) around |= LevelSet{1} << l;
    const auto [drained, updates, groups] =
        nest_->moved(edge, apart, false, {{0, join, group}, 3, false, around});
    const Words returned =
        structure_.elides ? R::returned(groups, parent_words, tally.fills[edge.parent][o]) : groups;
    tally.updates[edge.parent][o] += updates;
    tally.reads[edge.parent][o] += returned + R::rewrites(updates, groups);
    cross(hardware, edge, o, as_double(returned + drained), tally);
    if (edge.child == structure_.levels) return drained;
    tally.fills[edge.child][o] = returned;
    tally.reads[edge.child][o] += R::drain_reads(drained);
    const double tile_bits =
        as_double(nest_->tile_words(edge.child, apart, false)) * hardware.word_bits[edge.child][o];
    const double parent_bits =
        as_double(nest_->load_words(edge, apart, false, join)) * hardware.word_bits[edge.parent][o];
    tally.fill_time += whole_cycles(R::load_time(parent_bits / write_bandwidth(hardware, edge.parent),
                                                 tile_bits / hardware.read_bandwidth[edge.child]));
    return drained;
  }

  void cross(const HardwareRow& hardware, Edge edge, std::size_t o, double words, Tally& tally) const {
    for (std::size_t f = 0; f < structure_.levels; ++f)
      if (structure_.has_fanout[f] && R::crosses(f, edge.parent, edge.child))
        tally.network_energy += hardware.hop_energy[f] * hardware.word_bits[edge.parent][o] * words;
  }

  double write_bandwidth(const HardwareRow& hardware, std::size_t l) const {
    return structure_.shared_port[l] ? hardware.read_bandwidth[l] : hardware.write_bandwidth[l];
  }

  void report(const LayerFacts& facts, const HardwareRow& hardware, Tally& tally, std::span<double> costs) {
    std::fill(costs.begin(), costs.end(), 0.0);
    double energy = facts.macs * hardware.compute_energy + tally.network_energy;
    double leakage = 0;  // pJ per cycle
    double steady = as_double(nest_->steps());
    double binds = 0;
    for (std::size_t l = 0; l < structure_.levels; ++l) {
      const double instances = as_double(nest_->instances(l));
      const double used = R::used_instances(instances, structure_.built[l]);
      const PortBits bits = report_level(hardware, l, tally, costs, energy);
      leakage += hardware.leakage[l] * R::leaking_instances(instances, structure_.built[l]);
      const bool shared = structure_.shared_port[l];
      const double reading =
          R::read_port(bits.read, bits.written, shared) / (used * hardware.read_bandwidth[l]);
      const double writing = R::write_port(bits.written, shared) / (used * write_bandwidth(hardware, l));
      take_slower(whole_cycles(reading), 1 + 2 * static_cast<double>(l), steady, binds);
      take_slower(whole_cycles(writing), 2 + 2 * static_cast<double>(l), steady, binds);
      if (l == 0) continue;
      tally.fill_time += whole_cycles(R::load_time(tally.load_writing[l], tally.load_reading[l]));
      if (R::stalls(structure_.buffering[l]))
        tally.fill_time += whole_cycles(bits.stalled / (used * write_bandwidth(hardware, l)));
    }
    report_headlines(facts, hardware, tally, energy, leakage, steady, costs);
    costs[cost::binds] = binds;
  }

  void report_headlines(const LayerFacts& facts, const HardwareRow& hardware, const Tally& tally,
                        double energy, double leakage, double steady, std::span<double> costs) const {
    const double cycles = R::total_time(as_double(nest_->steps()), tally.fill_time, steady);
    costs[cost::leakage_energy] = leakage * cycles;
    costs[cost::energy] = energy + costs[cost::leakage_energy];
    costs[cost::cycles] = cycles;
    costs[cost::cycles_steady] = steady;
    costs[cost::edp] = costs[cost::energy] * cycles;
    costs[cost::area] = hardware.area;
    costs[cost::power] = costs[cost::energy] * 1e-9 * hardware.clock / cycles;
    costs[cost::utilisation] = facts.operations / (structure_.units * cycles);
    costs[cost::compute_energy] = facts.macs * hardware.compute_energy;
    costs[cost::network_energy] = tally.network_energy;
  }

  struct PortBits {
    double read = 0, written = 0, stalled = 0;
  };

  PortBits report_level(const HardwareRow& hardware, std::size_t l, const Tally& tally,
                        std::span<double> costs, double& energy) const {
    PortBits bits;
    for (std::size_t o = 0; o < operand_count; ++o) {
      if (!tally.kept[l][o]) continue;
      const double width = hardware.word_bits[l][o];
      const double fills = as_double(tally.fills[l][o]);
      const double read = as_double(tally.reads[l][o]) * width;
      const double written = R::written(fills, as_double(tally.updates[l][o])) * width;
      const double spent = read * hardware.read_energy[l] + written * hardware.write_energy[l];
      bits.read += read;
      bits.written += written;
      bits.stalled += R::stall_words(fills, as_double(tally.first[l][o])) * width;
      energy += spent;
      const std::size_t column = structure_.schema.first_column[l][o];
      if (column == CostSchema::npos) continue;
      costs[column] = as_double(tally.reads[l][o]);
      costs[column + 1] = fills;
      costs[column + 2] = as_double(tally.updates[l][o]);
      costs[column + 3] = spent;
    }
    return bits;
  }

  static void take_slower(double cycles, double port, double& steady, double& binds) {
    if (!R::binds_more(cycles, steady)) return;
    steady = cycles;
    binds = port;
  }

  Structure structure_;
  std::unique_ptr<Nest<R>> nest_;
};

}  // namespace atl::clipped
