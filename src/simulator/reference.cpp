// The judge: executes a mapping step by step and moves explicit sets of
// words. Slow and obvious on purpose, and independent of the closed form:
// the two share nothing but the types. simulator/MODEL.md states the rules.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/simulator/bounds.hpp"
#include "models.hpp"

namespace atl {
namespace {

using Position = std::array<std::int64_t, dim_count>;
using Word = std::array<std::int64_t, 5>;
using Tile = std::vector<Word>;  // sorted, each word once

// One loop of the nest, with one or more turns.
struct Turned {
  std::size_t dim, level;
  std::int64_t bound, step;
};

// A used instance of a level (or a multiplier): where its tile starts within that of the whole level, and its
// coordinates below each fan-out further out.
struct Instance {
  Position offset{};
  std::vector<std::int64_t> coordinates;  // by level
};

// What holds an operand: a level, or the multipliers (level == number of levels).
struct Holder {
  std::size_t level = 0;
  std::vector<Instance> instances;
  std::vector<Tile> tile;                          // by instance, as it lies, padding included
  std::vector<std::map<Word, bool>> partial_sums;  // outputs only: is there one to continue?
};

struct Totals {
  double reads = 0, fills = 0, updates = 0, first_fills = 0;
  double tile_words = 0;  // largest tile, padding included
  double apart = 0;       // transfers that serve (or drain) all children of one parent at one step
};

class Execution {
 public:
  Execution(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping)
      : accelerator_(accelerator), layer_(layer), mapping_(mapping), levels_(accelerator.levels.size()) {
    list_loops();
    for (const Operand operand : {Operand::W, Operand::I, Operand::O}) build_chain(operand);
  }

  void run() {
    std::vector<std::int64_t> turn(time_loops_.size(), 0);
    std::size_t changed = 0;  // levels further in than this one see a new step
    bool first = true;
    do {
      step(turn, first ? 0 : changed, first);
      first = false;
    } while (next(turn, changed));
    auto& outputs = chain_[index(Operand::O)];
    for (std::size_t c = outputs.size() - 1; c-- > 1;) drain(outputs[c - 1], outputs[c]);
    const double performed = steps_ * static_cast<double>(outputs.back().instances.size());
    if (performed != static_cast<double>(layer_.operations()))
      throw InternalError(
          fmt::format("{} operations were performed, the layer has {}", performed, layer_.operations()));
  }

  double steps() const { return steps_; }
  bool holds(std::size_t level, Operand o) const { return layer_.has(o) && kept(level, o); }
  const Totals& totals(std::size_t level, Operand o) const { return totals_[level][index(o)]; }
  std::size_t parent(std::size_t level, Operand o) const {
    while (!kept(--level, o)) continue;
    return level;
  }
  double used(std::size_t level) const { return static_cast<double>(instances_of(level).size()); }
  double crossed(std::size_t fanout, std::size_t parent, Operand o) const {
    const auto found = crossed_.find({fanout, parent, index(o)});
    return found == crossed_.end() ? 0 : found->second;
  }

 private:
  void list_loops() {
    for (std::size_t l = 0; l < levels_; ++l) {
      const LevelMapping& level = mapping_.level[l];
      const Extents& entering = mapping_.entering(l, layer_);
      for (const std::uint8_t d : level.order)
        time_loops_.push_back({d, l, entering[d] / level.temporal[d], level.temporal[d]});
      for (std::size_t d = 0; d < dim_count; ++d)
        space_loops_.push_back({d, l, level.temporal[d] / level.y[d], level.y[d]});
      for (std::size_t d = 0; d < dim_count; ++d)
        space_loops_.push_back({d, l, level.y[d] / level.x[d], level.x[d]});
    }
  }

  bool kept(std::size_t level, Operand o) const {
    return level == 0 || level == levels_ || contains(mapping_.level[level].keep, o);
  }

  std::vector<Instance> instances_of(std::size_t level) const {
    std::vector<Instance> result(1);
    result[0].coordinates.assign(levels_, 0);
    for (const Turned& loop : space_loops_) {
      if (loop.level >= level) break;
      std::vector<Instance> spread;
      for (const Instance& instance : result)
        for (std::int64_t k = 0; k < loop.bound; ++k) {
          Instance copy = instance;
          copy.offset[loop.dim] += k * loop.step;
          copy.coordinates[loop.level] = copy.coordinates[loop.level] * loop.bound + k;
          spread.push_back(copy);
        }
      result = spread;
    }
    return result;
  }

  void build_chain(Operand operand) {
    if (!layer_.has(operand)) return;
    for (std::size_t l = 0; l <= levels_; ++l) {
      if (!kept(l, operand)) continue;
      Holder holder;
      holder.level = l;
      holder.instances = instances_of(l);
      holder.tile.resize(holder.instances.size());
      holder.partial_sums.resize(holder.instances.size());
      chain_[index(operand)].push_back(holder);
    }
  }

  // Advances the innermost loop in time that has a turn left; false after the last step.
  bool next(std::vector<std::int64_t>& turn, std::size_t& changed) const {
    for (std::size_t i = turn.size(); i-- > 0;) {
      changed = time_loops_[i].level;
      if (++turn[i] < time_loops_[i].bound) return true;
      turn[i] = 0;
    }
    return false;
  }

  void step(const std::vector<std::int64_t>& turn, std::size_t changed, bool first) {
    ++steps_;
    for (const Operand operand : {Operand::W, Operand::I}) {
      auto& chain = chain_[index(operand)];
      for (std::size_t c = 1; c < chain.size(); ++c)
        if (chain[c].level > changed) fetch(operand, chain[c - 1], chain[c], turn, first);
    }
    auto& outputs = chain_[index(Operand::O)];
    for (std::size_t c = outputs.size() - 1; c-- > 1;)
      if (!first && outputs[c].level > changed && moves(outputs[c], turn)) drain(outputs[c - 1], outputs[c]);
    for (std::size_t c = 1; c < outputs.size(); ++c)
      if (first || (outputs[c].level > changed && moves(outputs[c], turn)) || outputs[c].level == levels_)
        load(outputs[c - 1], outputs[c], turn);
    drain(outputs[outputs.size() - 2], outputs.back());
  }

  // -- tiles ---------------------------------------------------------------------------------------
  Position start(const Holder& holder, std::size_t i, const std::vector<std::int64_t>& turn) const {
    Position position = holder.instances[i].offset;
    for (std::size_t t = 0; t < turn.size(); ++t)
      if (time_loops_[t].level < holder.level) position[time_loops_[t].dim] += turn[t] * time_loops_[t].step;
    return position;
  }

  Word word(Operand operand, const Position& at) const {
    const auto [n, g, k, c, p, q, r, s] = at;
    const auto& st = layer_.stride;
    const auto& di = layer_.dilation;
    const auto& pad = layer_.padding_before;
    if (operand == Operand::I)
      return {n, g, c, p * st[0] + r * di[0] - static_cast<std::int64_t>(pad[0]),
              q * st[1] + s * di[1] - static_cast<std::int64_t>(pad[1])};
    if (operand == Operand::W && layer_.multiplies()) return {g, k, c, r, s};
    return {n, g, k, p, q};
  }

  Tile tile(Operand operand, const Holder& holder, std::size_t i,
            const std::vector<std::int64_t>& turn) const {
    const Position low = start(holder, i, turn);
    const Extents one = {1, 1, 1, 1, 1, 1, 1, 1};
    const Extents& extents = holder.level == levels_ ? one : mapping_.entering(holder.level, layer_);
    std::set<Word> words;
    Position at = low;
    for (std::size_t d = 0; d < dim_count;) {
      words.insert(word(operand, at));
      for (d = 0; d < dim_count && ++at[d] == low[d] + extents[d]; ++d) at[d] = low[d];
    }
    return {words.begin(), words.end()};
  }

  // Padding is neither stored nor moved.
  bool is_stored(Operand operand, const Word& w) const {
    if (operand != Operand::I) return true;
    return w[3] >= 0 && w[3] < layer_.input_extent[0] && w[4] >= 0 && w[4] < layer_.input_extent[1];
  }

  bool moves(const Holder& holder, const std::vector<std::int64_t>& turn) const {
    return tile(Operand::O, holder, 0, turn) != holder.tile[0];
  }

  // -- who shares with whom ------------------------------------------------------------------------
  static std::size_t parent_of(const Holder& parent, const Instance& child) {
    for (std::size_t i = 0; i < parent.instances.size(); ++i)
      if (std::equal(child.coordinates.begin(),
                     child.coordinates.begin() + static_cast<std::ptrdiff_t>(parent.level),
                     parent.instances[i].coordinates.begin()))
        return i;
    throw InternalError("an instance without a parent");
  }

  // Coordinates below the fan-outs between the two whose children do not join.
  std::vector<std::int64_t> lane(const Holder& parent, const Holder& child, std::size_t i,
                                 bool Fanout::*joins) const {
    std::vector<std::int64_t> result;
    for (std::size_t l = parent.level; l < child.level; ++l) {
      const Fanout* fanout = accelerator_.fanout_below(l);
      if (fanout != nullptr && !(fanout->*joins)) result.push_back(child.instances[i].coordinates[l]);
    }
    return result;
  }

  void cross(const Holder& parent, const Holder& child, Operand operand, double words) {
    for (std::size_t l = parent.level; l < child.level; ++l)
      if (accelerator_.fanout_below(l) != nullptr) crossed_[{l, parent.level, index(operand)}] += words;
  }

  // -- inputs: what the tile before did not hold comes from the parent ---------------------------------
  void fetch(Operand operand, const Holder& parent, Holder& child, const std::vector<std::int64_t>& turn,
             bool first) {
    const bool latch = child.level != levels_;
    std::map<std::tuple<std::size_t, std::vector<std::int64_t>, Tile>, Tile> sent;
    Totals& from = totals_[parent.level][index(operand)];
    for (std::size_t i = 0; i < child.instances.size(); ++i) {
      const Tile wanted = tile(operand, child, i, turn);
      Tile missing = wanted;
      std::erase_if(missing, [&](const Word& w) {
        return !is_stored(operand, w) ||
               (latch && std::binary_search(child.tile[i].begin(), child.tile[i].end(), w));
      });
      const std::size_t p = parent_of(parent, child.instances[i]);
      require_held(parent, p, missing);
      const auto [entry, fresh] =
          sent.insert({{p, lane(parent, child, i, &Fanout::multicast), wanted}, missing});
      if (fresh) from.reads += static_cast<double>(missing.size());
      if (entry->second != missing) throw InternalError("children that join miss different words");
      cross(parent, child, operand, static_cast<double>(missing.size()));
      if (latch) take_in(totals_[child.level][index(operand)], wanted, missing, first);
      child.tile[i] = wanted;
    }
    if (first && latch)
      totals_[child.level][index(operand)].apart = static_cast<double>(
          std::count_if(sent.begin(), sent.end(), [](const auto& e) { return std::get<0>(e.first) == 0; }));
  }

  static void require_held(const Holder& parent, std::size_t p, const Tile& words) {
    if (parent.level != 0 &&
        !std::includes(parent.tile[p].begin(), parent.tile[p].end(), words.begin(), words.end()))
      throw InternalError("a child asks its parent for words that are not there");
  }

  static void take_in(Totals& at, const Tile& wanted, const Tile& missing, bool first) {
    at.fills += static_cast<double>(missing.size());
    if (!first) return;
    at.first_fills += static_cast<double>(missing.size());
    at.tile_words = static_cast<double>(wanted.size());
  }

  // -- outputs: partial sums go in where there are any, and come back ----------------------------------
  void load(Holder& parent, Holder& child, const std::vector<std::int64_t>& turn) {
    std::set<std::pair<std::size_t, Tile>> served;
    for (std::size_t i = 0; i < child.instances.size(); ++i) {
      child.tile[i] = tile(Operand::O, child, i, turn);
      child.partial_sums[i].clear();
      const std::size_t p = parent_of(parent, child.instances[i]);
      const bool takes = served.insert({p, child.tile[i]}).second;
      double words = 0;
      for (const Word& w : child.tile[i]) {
        const bool continues = takes && parent.partial_sums[p][w];
        child.partial_sums[i][w] = continues;
        words += continues ? 1 : 0;
      }
      totals_[parent.level][index(Operand::O)].reads += words;
      if (child.level != levels_) totals_[child.level][index(Operand::O)].fills += words;
      cross(parent, child, Operand::O, words);
    }
  }

  void drain(Holder& parent, Holder& child) {
    std::set<std::tuple<std::size_t, std::vector<std::int64_t>, Tile>> updated;
    std::set<std::pair<std::size_t, Tile>> written;
    Totals& to = totals_[parent.level][index(Operand::O)];
    for (std::size_t i = 0; i < child.instances.size(); ++i) {
      const auto words = static_cast<double>(child.tile[i].size());
      const std::size_t p = parent_of(parent, child.instances[i]);
      if (child.level != levels_) totals_[child.level][index(Operand::O)].reads += words;
      cross(parent, child, Operand::O, words);
      if (!updated.insert({p, lane(parent, child, i, &Fanout::reduction), child.tile[i]}).second) continue;
      to.updates += words;
      if (!written.insert({p, child.tile[i]}).second) to.reads += words;
      for (const Word& w : child.tile[i]) parent.partial_sums[p][w] = true;
    }
    if (child.level == levels_) return;
    Totals& at = totals_[child.level][index(Operand::O)];
    at.tile_words = static_cast<double>(child.tile[0].size());
    at.apart = static_cast<double>(
        std::count_if(updated.begin(), updated.end(), [](const auto& e) { return std::get<0>(e) == 0; }));
  }

  const Accelerator& accelerator_;
  const Layer& layer_;
  const Mapping& mapping_;
  std::size_t levels_;
  std::vector<Turned> time_loops_, space_loops_;
  std::array<std::vector<Holder>, operand_count> chain_;
  std::array<std::array<Totals, operand_count>, max_levels + 1> totals_{};
  std::map<std::tuple<std::size_t, std::size_t, std::size_t>, double> crossed_;
  double steps_ = 0;
};

constexpr std::array<Operand, operand_count> operands = {Operand::W, Operand::I, Operand::O};

// Energy and time of an execution.
class Bill {
 public:
  Bill(const Accelerator& accelerator, const HardwareRow& hardware, const Execution& run)
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

  // First load, last store and the stalls of single buffers, level by level.
  double transfers_alone() const {
    double cycles = 0;
    for (std::size_t l = 1; l < accelerator_.levels.size(); ++l) {
      double writing = 0, reading = 0, stalled = 0;
      for (const Operand o : operands) {
        if (!run_.holds(l, o)) continue;
        const Totals& t = run_.totals(l, o);
        stalled += bits(l, o, t.fills - t.first_fills);
        if (o == Operand::O) continue;
        writing += bits(l, o, t.tile_words) / write_bandwidth(l);
        const std::size_t p = run_.parent(l, o);
        reading += bits(p, o, t.tile_words * t.apart) / hardware_.read_bandwidth[p];
      }
      cycles += std::ceil(std::max(writing, reading));
      if (accelerator_.levels[l].buffering == Buffering::single)
        cycles += std::ceil(stalled / (run_.used(l) * write_bandwidth(l)));
      if (run_.holds(l, Operand::O)) cycles += last_store(l);
    }
    return cycles;
  }

 private:
  double last_store(std::size_t l) const {
    const Totals& t = run_.totals(l, Operand::O);
    const std::size_t p = run_.parent(l, Operand::O);
    return std::ceil(std::max(bits(p, Operand::O, t.tile_words * t.apart) / write_bandwidth(p),
                              bits(l, Operand::O, t.tile_words) / hardware_.read_bandwidth[l]));
  }

  const Accelerator& accelerator_;
  const HardwareRow& hardware_;
  const Execution& run_;
};

class Reference final : public Simulator {
 public:
  explicit Reference(const Accelerator& accelerator)
      : accelerator_(accelerator), schema_(loopnest_schema(accelerator)) {}
  const CostSchema& schema() const override { return schema_; }

  void evaluate(const SimulatorBatch& batch, std::span<double> costs) const override {
    for (std::size_t row = 0; row < batch.mappings.size(); ++row)
      evaluate_row(batch.layers[batch.layers.size() == 1 ? 0 : row],
                   batch.hardware[batch.hardware.size() == 1 ? 0 : row], batch.mappings[row],
                   costs.subspan(row * schema_.width(), schema_.width()));
  }

 private:
  void evaluate_row(const Layer& layer, const HardwareRow& hardware, const Mapping& mapping,
                    std::span<double> costs) const {
    Execution run(accelerator_, layer, mapping);
    run.run();
    const Bill bill(accelerator_, hardware, run);
    std::fill(costs.begin(), costs.end(), 0.0);
    const auto units = static_cast<double>(accelerator_.units());
    const double compute = static_cast<double>(layer.macs()) * hardware.compute_energy;
    const double spent = report_pairs(layer, run, bill, costs);
    std::tie(costs[cost::cycles_steady], costs[cost::binds]) = bill.steady();
    const double cycles = costs[cost::cycles_steady] + bill.transfers_alone();
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
  double report_pairs(const Layer& layer, const Execution& run, const Bill& bill,
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

std::unique_ptr<Simulator> make_reference(const Accelerator& accelerator) {
  return std::make_unique<Reference>(accelerator);
}

}  // namespace atl
