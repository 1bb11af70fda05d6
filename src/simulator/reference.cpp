// The judge: executes a mapping step by step and moves explicit sets of
// words. Slow and obvious on purpose, and independent of the closed form:
// the two share nothing but the types. simulator/MODEL.md states the rules.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"
#include "models.hpp"
#include "reference_steps.hpp"

namespace atl {
namespace {

using Word = std::array<std::int64_t, 5>;  // rows far apart pass 2^31
using Tile = std::vector<Word>;            // sorted, each word once

// What an instance works on: from `low` up to, but not with, `high`.
struct Box {
  std::array<std::int64_t, dim_count> low{}, high{};
};

// One loop of the nest; its turns are counted in time or, for an instance, in space.
struct Turned {
  std::size_t dim, level;
  std::int64_t bound, step;
  bool in_space;
  std::size_t counter;  // which of the turns in time, or of an instance's coordinates
};

// What holds an operand: a level, or the multipliers (level == number of levels).
struct Holder {
  std::size_t level = 0;
  std::vector<std::size_t> parent;              // by instance: which instance of the holder further out
  std::vector<std::vector<std::int64_t>> lane;  // by instance: coordinates below fan-outs that do not join
  std::vector<Tile> tile;                       // by instance, as it lies, padding included
  std::vector<std::set<Word>> sums;             // outputs only: partial sums to continue
  // Outputs only: residencies that go on, by parent and tile: the instances that have worked in them.
  std::map<std::pair<std::size_t, Tile>, std::set<std::size_t>> open;
};

struct Totals {
  double reads = 0, fills = 0, updates = 0, first_fills = 0;
  double tile_words = 0;  // largest tile, padding included
  double load_words = 0;  // what one parent sends to (or gets from) all its children at the largest step
};

class ExecutedMapping {
 public:
  ExecutedMapping(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping)
      : accelerator_(accelerator), layer_(layer), mapping_(mapping), levels_(accelerator.levels.size()) {
    list_loops();
    for (std::size_t l = 0; l <= levels_; ++l) instances_.push_back(instances_of(l));
    boxes_.resize(levels_ + 1);
    for (const Operand operand : {Operand::W, Operand::I, Operand::O}) build_chain(operand);
  }

  void run() {
    std::vector<std::int64_t> turn(times_, 0);
    std::size_t turned = 0, changed = 0;  // levels further in than this one see something new
    double performed = 0;
    do {
      changed = std::min(changed, turned);
      for (std::size_t l = changed; l <= levels_; ++l) place(l, turn);
      const auto& units = boxes_[levels_];
      const auto working = std::count_if(units.begin(), units.end(), [](const auto& box) { return !!box; });
      if (working == 0) continue;
      performed += static_cast<double>(working);
      moved_.step.emplace_back();
      step(changed);
      changed = levels_;
    } while (next(turn, turned));
    moved_.step.emplace_back();
    auto& outputs = chain_[index(Operand::O)];
    for (std::size_t c = 1; c + 1 < outputs.size(); ++c)
      while (!outputs[c].open.empty()) close(c, outputs[c].open.begin());
    if (performed != static_cast<double>(layer_.operations()))
      throw InternalError(
          fmt::format("{} operations were performed, the layer has {}", performed, layer_.operations()));
  }

  ReferenceSteps moved() const {
    ReferenceSteps result = moved_;
    for (std::size_t l = 0; l <= levels_; ++l) result.used[l] = used(l);
    for (const auto& chain : chain_)
      for (std::size_t c = 1; c < chain.size(); ++c)
        result.parent[chain[c].level][static_cast<std::size_t>(&chain - chain_.data())] = chain[c - 1].level;
    return result;
  }
  double steps() const { return steps_; }
  bool holds(std::size_t level, Operand o) const { return layer_.has(o) && kept(level, o); }
  const Totals& totals(std::size_t level, Operand o) const { return totals_[level][index(o)]; }
  std::size_t parent(std::size_t level, Operand o) const {
    while (!kept(--level, o)) continue;
    return level;
  }
  double used(std::size_t level) const { return static_cast<double>(instances_[level].size()); }
  double crossed(std::size_t fanout, std::size_t parent, Operand o) const {
    const auto found = crossed_.find({fanout, parent, index(o)});
    return found == crossed_.end() ? 0 : found->second;
  }

 private:
  using Coordinates = std::vector<std::int64_t>;  // turns of the loops in space, outermost first

  void list_loops() {
    const auto push = [&](std::size_t d, std::size_t l, std::uint32_t outer, std::uint32_t inner,
                          bool in_space) {
      loops_.push_back({d, l, (outer + inner - 1) / inner, inner, in_space, in_space ? spaces_++ : times_++});
    };
    for (std::size_t l = 0; l < levels_; ++l) {
      const LevelMapping& level = mapping_.level[l];
      for (const std::uint8_t d : level.order)
        push(d, l, mapping_.entering(l, layer_)[d], level.temporal[d], false);
      for (std::size_t d = 0; d < dim_count; ++d) push(d, l, level.temporal[d], level.y[d], true);
      for (std::size_t d = 0; d < dim_count; ++d) push(d, l, level.y[d], level.x[d], true);
    }
  }

  bool kept(std::size_t level, Operand o) const {
    return level == 0 || level == levels_ || contains(mapping_.level[level].keep, o);
  }

  // Those that have something to do in the first step, which is the largest.
  std::vector<Coordinates> instances_of(std::size_t level) const {
    std::vector<Coordinates> all(1);
    for (const Turned& loop : loops_) {
      if (loop.level >= level || !loop.in_space) continue;
      std::vector<Coordinates> spread;
      for (const Coordinates& outer : all)
        for (std::int64_t k = 0; k < loop.bound; ++k) {
          spread.push_back(outer);
          spread.back().push_back(k);
        }
      all = spread;
    }
    const std::vector<std::int64_t> first(times_, 0);
    std::erase_if(all, [&](const Coordinates& one) { return !box(level, one, first); });
    return all;
  }

  void build_chain(Operand operand) {
    if (!layer_.has(operand)) return;
    auto& chain = chain_[index(operand)];
    for (std::size_t l = 0; l <= levels_; ++l) {
      if (!kept(l, operand)) continue;
      Holder holder;
      holder.level = l;
      holder.tile.resize(instances_[l].size());
      holder.sums.resize(instances_[l].size());
      for (const Coordinates& one : instances_[l]) {
        const std::size_t outer = chain.empty() ? 0 : chain.back().level;
        holder.parent.push_back(ancestor(outer, one));
        holder.lane.push_back(lane(outer, l, one, operand));
      }
      chain.push_back(holder);
    }
  }

  // Which instance of a level further out an instance hangs below.
  std::size_t ancestor(std::size_t level, const Coordinates& one) const {
    for (std::size_t i = 0; i < instances_[level].size(); ++i)
      if (std::equal(instances_[level][i].begin(), instances_[level][i].end(), one.begin())) return i;
    throw InternalError("an instance without a parent");
  }

  Coordinates lane(std::size_t parent, std::size_t child, const Coordinates& one, Operand operand) const {
    Coordinates result;
    for (const Turned& loop : loops_) {
      const Fanout* fanout = accelerator_.fanout_below(loop.level);
      if (!loop.in_space || loop.level < parent || loop.level >= child || fanout == nullptr) continue;
      if (!(operand == Operand::O ? fanout->reduction : fanout->multicast))
        result.push_back(one[loop.counter]);
    }
    return result;
  }

  // Advances the innermost loop in time that has a turn left; false after the last one.
  bool next(std::vector<std::int64_t>& turn, std::size_t& turned) const {
    for (std::size_t i = loops_.size(); i-- > 0;) {
      if (loops_[i].in_space) continue;
      turned = loops_[i].level;
      if (++turn[loops_[i].counter] < loops_[i].bound) return true;
      turn[loops_[i].counter] = 0;
    }
    return false;
  }

  // Every loop hands on a piece that ends where the piece around it ends. None: idle.
  std::optional<Box> box(std::size_t level, const Coordinates& one,
                         const std::vector<std::int64_t>& turn) const {
    Box box;
    for (std::size_t d = 0; d < dim_count; ++d) box.high[d] = layer_.size[d];
    for (const Turned& loop : loops_) {
      if (loop.level >= level) break;
      auto& low = box.low[loop.dim];
      auto& high = box.high[loop.dim];
      low += (loop.in_space ? one : turn)[loop.counter] * loop.step;
      high = std::min(high, low + loop.step);
      if (low >= high) return {};
    }
    return box;
  }

  void place(std::size_t level, const std::vector<std::int64_t>& turn) {
    boxes_[level].clear();
    for (const Coordinates& one : instances_[level]) boxes_[level].push_back(box(level, one, turn));
  }

  void step(std::size_t changed) {
    ++steps_;
    for (const Operand operand : {Operand::W, Operand::I}) {
      auto& chain = chain_[index(operand)];
      for (std::size_t c = 1; c < chain.size(); ++c)
        if (chain[c].level > changed) fetch(operand, chain[c - 1], chain[c]);
    }
    auto& outputs = chain_[index(Operand::O)];
    for (std::size_t c = outputs.size() - 1; c-- > 1;)
      if (outputs[c].level > changed) close_moved(c);
    for (std::size_t c = 1; c < outputs.size(); ++c)
      if (outputs[c].level > changed || outputs[c].level == levels_) open(c);
    while (!outputs.back().open.empty()) close(outputs.size() - 1, outputs.back().open.begin());
  }

  // -- tiles ---------------------------------------------------------------------------------------
  using Values = std::vector<std::int64_t>;

  static Values range(const Box& box, Dim d) {
    Values values;
    for (std::int64_t at = box.low[index(d)]; at < box.high[index(d)]; ++at) values.push_back(at);
    return values;
  }
  Values window(const Box& box, std::size_t axis, Dim rows, Dim taps) const {
    std::set<std::int64_t> values;
    for (const std::int64_t row : range(box, rows))
      for (const std::int64_t tap : range(box, taps))
        values.insert(row * std::int64_t{layer_.stride[axis]} + tap * std::int64_t{layer_.dilation[axis]} -
                      std::int64_t{layer_.padding_before[axis]});
    return {values.begin(), values.end()};
  }

  Tile tile(Operand operand, const Box& box) const {
    std::array<Values, 5> along;
    if (operand == Operand::I)
      along = {range(box, Dim::N), range(box, Dim::G), range(box, Dim::C), window(box, 0, Dim::P, Dim::R),
               window(box, 1, Dim::Q, Dim::S)};
    else if (operand == Operand::W && layer_.multiplies())
      along = {range(box, Dim::G), range(box, Dim::K), range(box, Dim::C), range(box, Dim::R),
               range(box, Dim::S)};
    else
      along = {range(box, Dim::N), range(box, Dim::G), range(box, Dim::K), range(box, Dim::P),
               range(box, Dim::Q)};
    Tile words;
    for (const auto a : along[0])
      for (const auto b : along[1])
        for (const auto c : along[2])
          for (const auto d : along[3])
            for (const auto e : along[4]) words.push_back({a, b, c, d, e});
    return words;
  }

  // Padding is neither stored nor moved.
  bool is_stored(Operand operand, const Word& w) const {
    if (operand != Operand::I) return true;
    return w[3] >= 0 && w[3] < std::int64_t{layer_.input_extent[0]} && w[4] >= 0 &&
           w[4] < std::int64_t{layer_.input_extent[1]};
  }

  void cross(const Holder& parent, const Holder& child, Operand operand, std::size_t words) {
    for (std::size_t l = parent.level; l < child.level; ++l)
      if (accelerator_.fanout_below(l) != nullptr)
        crossed_[{l, parent.level, index(operand)}] += static_cast<double>(words);
  }

  StepTransfer& now(const Holder& child, Operand operand) {
    return moved_.step.back().transfer[child.level][index(operand)];
  }

  // -- inputs: what the tile before did not hold comes from the parent ---------------------------------
  void fetch(Operand operand, const Holder& parent, Holder& child) {
    const bool latch = child.level != levels_;
    Totals& from = totals_[parent.level][index(operand)];
    Totals& at = totals_[child.level][index(operand)];
    std::map<std::tuple<std::size_t, Coordinates, Tile>, std::set<Word>> sent;
    for (std::size_t i = 0; i < child.tile.size(); ++i) {
      if (!boxes_[child.level][i]) continue;
      const Tile wanted = tile(operand, *boxes_[child.level][i]);
      Tile missing = wanted;
      std::erase_if(missing, [&](const Word& w) {
        return !is_stored(operand, w) ||
               (latch && std::binary_search(child.tile[i].begin(), child.tile[i].end(), w));
      });
      require_held(parent, child.parent[i], missing);
      sent[{child.parent[i], child.lane[i], wanted}].insert(missing.begin(), missing.end());
      cross(parent, child, operand, missing.size());
      if (latch) at.fills += static_cast<double>(missing.size());
      now(child, operand).filled += static_cast<double>(missing.size());
      if (latch && steps_ == 1) at.first_fills += static_cast<double>(missing.size());
      child.tile[i] = wanted;
    }
    for (const auto& [who, words] : sent) {
      from.reads += static_cast<double>(words.size());
      now(child, operand).sent += static_cast<double>(words.size());
    }
    if (steps_ != 1) return;
    at.tile_words = static_cast<double>(child.tile[0].size());
    for (const auto& [who, words] : sent)
      if (std::get<0>(who) == 0) at.load_words += static_cast<double>(std::get<Tile>(who).size());
  }

  static void require_held(const Holder& parent, std::size_t p, const Tile& words) {
    if (parent.level != 0 &&
        !std::includes(parent.tile[p].begin(), parent.tile[p].end(), words.begin(), words.end()))
      throw InternalError("a child asks its parent for words that are not there");
  }

  // -- outputs: partial sums go in where there are any, and come back ----------------------------------
  // Instances that work join the residency of their tile, or open it: then the lowest one takes the sums.
  void open(std::size_t c) {
    Holder& child = chain_[index(Operand::O)][c];
    std::set<std::tuple<Coordinates, Tile>> served;  // by the first parent
    for (std::size_t i = 0; i < child.tile.size(); ++i) {
      if (!boxes_[child.level][i]) continue;
      child.tile[i] = tile(Operand::O, *boxes_[child.level][i]);
      const auto [residency, opened] = child.open.insert({{child.parent[i], child.tile[i]}, {}});
      if (residency->second.insert(i).second) child.sums[i].clear();
      if (opened) load(c, i);
      if (child.parent[i] == 0) served.insert({child.lane[i], child.tile[i]});
    }
    if (steps_ != 1) return;
    Totals& at = totals_[child.level][index(Operand::O)];
    at.tile_words = static_cast<double>(child.tile[0].size());
    for (const auto& [lane, tile] : served) at.load_words += static_cast<double>(tile.size());
  }

  void load(std::size_t c, std::size_t i) {
    Holder& child = chain_[index(Operand::O)][c];
    const Holder& parent = chain_[index(Operand::O)][c - 1];
    const std::set<Word>& there = parent.sums[child.parent[i]];
    for (const Word& w : child.tile[i])
      if (there.contains(w) || !accelerator_.zero_read_elision) child.sums[i].insert(w);
    const std::size_t words = child.sums[i].size();
    totals_[parent.level][index(Operand::O)].reads += static_cast<double>(words);
    if (child.level != levels_) totals_[child.level][index(Operand::O)].fills += static_cast<double>(words);
    cross(parent, child, Operand::O, words);
    now(child, Operand::O).sent += static_cast<double>(words);
    now(child, Operand::O).filled += static_cast<double>(words);
  }

  void close_moved(std::size_t c) {
    Holder& child = chain_[index(Operand::O)][c];
    for (auto residency = child.open.begin(); residency != child.open.end();) {
      const auto current = residency++;
      const auto moved = [&](std::size_t i) {
        const auto& box = boxes_[child.level][i];
        return box && tile(Operand::O, *box) != current->first.second;
      };
      if (std::any_of(current->second.begin(), current->second.end(), moved)) close(c, current);
    }
  }

  // Whoever worked in a residency drains its words, after all that hangs below it has.
  void close(std::size_t c, decltype(Holder::open)::iterator residency) {
    auto& outputs = chain_[index(Operand::O)];
    const auto [who, members] = *residency;
    if (c + 1 < outputs.size()) {
      auto& inner = outputs[c + 1].open;
      for (auto below = inner.begin(); below != inner.end();) {
        const auto current = below++;
        if (members.contains(current->first.first)) close(c + 1, current);
      }
    }
    drain(outputs[c - 1], outputs[c], who.first, who.second, members);
    outputs[c].open.erase(residency);
  }

  void drain(Holder& parent, const Holder& child, std::size_t p, const Tile& tile,
             const std::set<std::size_t>& members) {
    const auto words = static_cast<double>(tile.size());
    Totals& to = totals_[parent.level][index(Operand::O)];
    StepTransfer& now = this->now(child, Operand::O);
    std::set<Coordinates> updated;
    for (const std::size_t i : members) {
      now.drained += words;
      if (child.level != levels_) totals_[child.level][index(Operand::O)].reads += words;
      cross(parent, child, Operand::O, tile.size());
      if (!updated.insert(child.lane[i]).second) continue;
      to.updates += words;
      now.updated += words;
      if (updated.size() == 1) continue;
      to.reads += words;  // added to what the first one wrote
      now.sent += words;
    }
    parent.sums[p].insert(tile.begin(), tile.end());
  }

  const Accelerator& accelerator_;
  const Layer& layer_;
  const Mapping& mapping_;
  std::size_t levels_, times_ = 0, spaces_ = 0;
  std::vector<Turned> loops_;                           // the nest, outermost first
  std::vector<std::vector<Coordinates>> instances_;     // by level; the lowest coordinates first
  std::vector<std::vector<std::optional<Box>>> boxes_;  // likewise, at this step
  std::array<std::vector<Holder>, operand_count> chain_;
  std::array<std::array<Totals, operand_count>, max_levels + 1> totals_{};
  std::map<std::tuple<std::size_t, std::size_t, std::size_t>, double> crossed_;
  double steps_ = 0;
  ReferenceSteps moved_;
};

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

// Energy and time of an execution.
class Bill {
 public:
  Bill(const Accelerator& accelerator, const HardwareRow& hardware, const ExecutedMapping& run)
      : accelerator_(accelerator), hardware_(hardware), run_(run) {}

  double bits(std::size_t l, Operand o, double words) const {
    return words * hardware_.word_bits[l][index(o)];
  }
  double write_bandwidth(std::size_t l) const {
    return accelerator_.levels[l].shared_port ? hardware_.read_bandwidth[l] : hardware_.write_bandwidth[l];
  }

  double energy(std::size_t l, Operand o) const {
    const Totals& t = run_.totals(l, o);
    return bits(l, o, t.reads) * hardware_.read_energy[l] +
           bits(l, o, t.fills + t.updates) * hardware_.write_energy[l];
  }

  double network_energy() const {
    double energy = 0;
    for (const Fanout& fanout : accelerator_.fanouts)
      for (std::size_t parent = 0; parent <= fanout.above; ++parent)
        for (const Operand o : operands)
          energy +=
              hardware_.hop_energy[fanout.above] * bits(parent, o, run_.crossed(fanout.above, parent, o));
    return energy;
  }

  // cycles_steady and what binds it.
  std::pair<double, double> steady() const {
    std::pair<double, double> slowest = {run_.steps(), 0};
    for (std::size_t l = 0; l < accelerator_.levels.size(); ++l) {
      double read = 0, written = 0;
      for (const Operand o : operands) {
        const Totals& t = run_.totals(l, o);
        read += bits(l, o, t.reads);
        written += bits(l, o, t.fills + t.updates);
      }
      if (accelerator_.levels[l].shared_port) read += std::exchange(written, 0);
      const double reading = std::ceil(read / (run_.used(l) * hardware_.read_bandwidth[l]));
      const double writing = std::ceil(written / (run_.used(l) * write_bandwidth(l)));
      if (reading > slowest.first) slowest = {reading, 1 + 2 * static_cast<double>(l)};
      if (writing > slowest.first) slowest = {writing, 2 + 2 * static_cast<double>(l)};
    }
    return slowest;
  }

  // First load and last store, level by level.
  double ends() const {
    double cycles = 0;
    for (std::size_t l = 1; l < accelerator_.levels.size(); ++l) {
      double writing = 0, reading = 0;
      for (const Operand o : {Operand::W, Operand::I}) {
        if (!run_.holds(l, o)) continue;
        const Totals& t = run_.totals(l, o);
        writing += bits(l, o, t.tile_words) / write_bandwidth(l);
        const std::size_t p = run_.parent(l, o);
        reading += bits(p, o, t.load_words) / hardware_.read_bandwidth[p];
      }
      cycles += std::ceil(std::max(writing, reading));
      if (run_.holds(l, Operand::O)) cycles += last_store(l);
    }
    return cycles;
  }

  // A single buffer cannot be written while it is used.
  double stalls() const {
    double cycles = 0;
    for (std::size_t l = 1; l < accelerator_.levels.size(); ++l) {
      if (accelerator_.levels[l].buffering != Buffering::single) continue;
      double stalled = 0;
      for (const Operand o : operands)
        if (run_.holds(l, o)) stalled += bits(l, o, run_.totals(l, o).fills - run_.totals(l, o).first_fills);
      cycles += std::ceil(stalled / (run_.used(l) * write_bandwidth(l)));
    }
    return cycles;
  }

 private:
  double last_store(std::size_t l) const {
    const Totals& t = run_.totals(l, Operand::O);
    const std::size_t p = run_.parent(l, Operand::O);
    return std::ceil(std::max(bits(p, Operand::O, t.load_words) / write_bandwidth(p),
                              bits(l, Operand::O, t.tile_words) / hardware_.read_bandwidth[l]));
  }

  const Accelerator& accelerator_;
  const HardwareRow& hardware_;
  const ExecutedMapping& run_;
};

constexpr std::uint64_t most_operations = 1U << 28;

class Reference final : public Simulator {
 public:
  explicit Reference(const Accelerator& accelerator)
      : accelerator_(accelerator), schema_(loopnest_schema(accelerator)) {}
  const CostSchema& schema() const override { return schema_; }
  std::vector<CostFormula> formulas(const HardwareRow& hardware, const Layer& layer) const override {
    return loopnest_formulas(accelerator_, hardware, layer);
  }

  void evaluate(const SimulatorBatch& batch, std::span<double> costs) const override {
    for (std::size_t row = 0; row < batch.mappings.size(); ++row)
      evaluate_row(batch.layers[batch.layers.size() == 1 ? 0 : row],
                   batch.hardware[batch.hardware.size() == 1 ? 0 : row], batch.mappings[row],
                   costs.subspan(row * schema_.width(), schema_.width()));
  }

 private:
  void evaluate_row(const Layer& layer, const HardwareRow& hardware, const Mapping& mapping,
                    std::span<double> costs) const {
    if (layer.operations() > most_operations)
      throw InputError(
          fmt::format("the simulator reference executes every operation: this layer has {}, at most {} are "
                      "done; use loopnest, which "
                      "gives the same counts",
                      layer.operations(), most_operations));
    ExecutedMapping run(accelerator_, layer, mapping);
    run.run();
    const Bill bill(accelerator_, hardware, run);
    std::fill(costs.begin(), costs.end(), 0.0);
    const auto units = static_cast<double>(accelerator_.units());
    const double compute = static_cast<double>(layer.macs()) * hardware.compute_energy;
    const double spent = report_pairs(layer, run, bill, costs);
    std::tie(costs[cost::cycles_steady], costs[cost::binds]) = bill.steady();
    const double cycles = std::max(costs[cost::cycles_steady], run.steps() + bill.ends() + bill.stalls());
    double leakage = 0;
    for (std::size_t l = 0; l < accelerator_.levels.size(); ++l)
      leakage += hardware.leakage[l] * static_cast<double>(accelerator_.instances(l)) * cycles;
    costs[cost::cycles] = cycles;
    costs[cost::compute_energy] = compute;
    costs[cost::network_energy] = bill.network_energy();
    costs[cost::leakage_energy] = leakage;
    costs[cost::energy] = compute + spent + costs[cost::network_energy] + leakage;
    costs[cost::edp] = costs[cost::energy] * cycles;
    costs[cost::area] = hardware.area;
    costs[cost::power] = costs[cost::energy] * 1e-9 / (cycles / hardware.clock);
    costs[cost::utilisation] = static_cast<double>(layer.operations()) / units / cycles;
    const Bounds bound =
        bounds(layer, compulsory_words(layer), hardware, units, accelerator_.levels[0].shared_port);
    costs[cost::bound_cycles] = bound.cycles;
    costs[cost::bound_energy] = bound.energy;
    require_above(bound, costs, mapping, layer, accelerator_);
  }

  // Returns the energy of all levels.
  double report_pairs(const Layer& layer, const ExecutedMapping& run, const Bill& bill,
                      std::span<double> costs) const {
    double energy = 0;
    for (std::size_t l = 0; l < accelerator_.levels.size(); ++l)
      for (const Operand o : operands) {
        if (!run.holds(l, o) || !layer.has(o)) continue;
        const Totals& t = run.totals(l, o);
        const std::size_t column = schema_.first_column[l][index(o)];
        costs[column + static_cast<std::size_t>(Count::reads)] = t.reads;
        costs[column + static_cast<std::size_t>(Count::fills)] = t.fills;
        costs[column + static_cast<std::size_t>(Count::updates)] = t.updates;
        costs[column + static_cast<std::size_t>(Count::energy)] = bill.energy(l, o);
        energy += bill.energy(l, o);
      }
    return energy;
  }

  Accelerator accelerator_;
  CostSchema schema_;
};

}  // namespace

ReferenceSteps reference_steps(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping) {
  ExecutedMapping run(accelerator, layer, mapping);
  run.run();
  ReferenceSteps steps = run.moved();
  steps.ends = Bill(accelerator, hardware_row(accelerator), run).ends();
  return steps;
}

std::unique_ptr<Simulator> make_reference(const Accelerator& accelerator) {
  return std::make_unique<Reference>(accelerator);
}

}  // namespace atl
