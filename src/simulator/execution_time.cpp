#include "atoll/simulator/execution_time.hpp"

#include <algorithm>
#include <cmath>

#include "atoll/simulator/bounds.hpp"

namespace atl {
namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

double ceil_div(double a, double b) {
  return std::ceil(a / b);
}

// A step of the (max, +) recurrence: when the loader, the array, the last block and the one before it are
// done.
struct Step {
  std::array<std::array<double, 4>, 4> m;

  static Step nothing() {
    Step step;
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j) step.m[i][j] = i == j ? 0 : never;
    return step;
  }
  // load >= max(loader, block i - 2) + l; array >= max(array, load) + x; out >= max(out, array) + o.
  static Step block(double l, double x, double o) {
    return {{{{l, never, never, l},
              {l + x, x, never, l + x},
              {l + x + o, x + o, o, l + x + o},
              {never, never, 0, never}}}};
  }
};

Step then(const Step& first, const Step& second) {
  Step both;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j) {
      double best = never;
      for (std::size_t k = 0; k < 4; ++k) best = std::max(best, second.m[i][k] + first.m[k][j]);
      both.m[i][j] = best;
    }
  return both;
}

Step repeated(Step step, std::uint64_t times) {
  Step result = Step::nothing();
  for (; times > 0; times /= 2) {
    if (times % 2 == 1) result = then(result, step);
    if (times > 1) step = then(step, step);
  }
  return result;
}

bool accumulates(Dim d) {
  return d == Dim::C || d == Dim::R || d == Dim::S;
}

struct Loop {
  Dim dim;
  std::uint32_t extent, tile, count;
};

// One layer cut into blocks.
class Blocks {
 public:
  Blocks(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping)
      : how_(*accelerator.execution.blocks), layer_(layer), tile_(mapping.level[0].x) {
    words_ = std::max(1.0, std::floor(how_.line / accelerator.compute.bits));
    for (const std::uint8_t d : mapping.level[0].order) {
      const auto dim = static_cast<Dim>(d);
      const std::uint32_t count = (layer[dim] + tile_[d] - 1) / tile_[d];
      if (count > 1) loops_[depth_++] = {dim, layer[dim], tile_[d], count};
    }
    weight_line_ = line_cycles(Operand::W);
    input_line_ = line_cycles(Operand::I);
  }

  BlockTime closed() const {
    BlockTime time;
    const Step all = nest(0, tile_, true, 1, time);
    time.cycles = *std::max_element(all.m[2].begin(), all.m[2].end());
    return time;
  }

  BlockTime walked() const {
    BlockTime time;
    std::array<double, 4> done{};
    walk(0, tile_, true, done, time);
    time.cycles = done[2];
    return time;
  }

 private:
  double weight_lines(const Extents& e) const {
    return at(e, Dim::G) * at(e, Dim::R) * at(e, Dim::S) * at(e, Dim::C) * ceil_div(at(e, Dim::K), words_);
  }
  double input_lines(const Extents& e) const {
    const double rows = at(e, Dim::P) * layer_.stride[0] + (at(e, Dim::R) - 1) * layer_.dilation[0];
    const double columns = at(e, Dim::Q) * layer_.stride[1] + (at(e, Dim::S) - 1) * layer_.dilation[1];
    return at(e, Dim::N) * at(e, Dim::G) * rows * columns * ceil_div(at(e, Dim::C), words_);
  }
  double output_lines(const Extents& e) const {
    return at(e, Dim::N) * at(e, Dim::G) * at(e, Dim::P) * at(e, Dim::Q) * ceil_div(at(e, Dim::K), words_);
  }
  static double at(const Extents& e, Dim d) { return e[index(d)]; }

  double array_time(const Extents& e) const {
    const StationaryArray& array = how_.array;
    const Dim other = array.run == Dim::P ? Dim::Q : Dim::P;
    const double outputs = at(e, array.run), whole = std::floor(outputs / array.rows);
    const double rest = outputs - whole * array.rows;
    const double longest = std::max<double>(array.rows, array.least);
    const double last = rest > 0 ? std::max(rest, array.least) : longest;
    const double lines = at(e, Dim::N) * at(e, other);
    const double runs = lines * (whole + (rest > 0 ? 1 : 0));
    const double streaming = lines * (whole * longest + (rest > 0 ? last : 0));
    const double block = std::max(streaming - last + std::max(last, array.weight_load),
                                  runs * array.latency / array.in_flight);
    return at(e, Dim::G) * at(e, Dim::R) * at(e, Dim::S) * ceil_div(at(e, Dim::K), array.columns) *
           ceil_div(at(e, Dim::C), array.rows) * block;
  }
  double load_time(const Extents& e) const {
    return std::ceil(weight_lines(e) * weight_line_ + input_lines(e) * input_line_);
  }
  double store_time(const Extents& e) const {
    return at(e, Dim::N) * at(e, Dim::G) * at(e, Dim::P) * at(e, Dim::Q) *
           ceil_div(at(e, Dim::K), how_.array.columns) * how_.store_cycles;
  }

  // Rows a power of two of lines apart share sets of a cache: a tile of few lines of each fills it sooner.
  double crowding(std::uint32_t row_words, std::uint32_t used_words) const {
    const double lines = row_words / words_;
    if (lines < 1 || lines != std::floor(lines)) return 1;
    const auto whole = static_cast<std::uint64_t>(lines);
    return std::max(1.0, static_cast<double>(whole & (~whole + 1)) / ceil_div(used_words, words_));
  }
  double footprint(const Extents& e) const {
    return how_.line * (weight_lines(e) * crowding(layer_[Dim::K], tile_[index(Dim::K)]) +
                        input_lines(e) * crowding(layer_[Dim::C], tile_[index(Dim::C)]) + output_lines(e));
  }

  // Share of an operand's lines that a cache of this size does not hold when they are asked for: a loop that
  // does not change the operand, or that goes on in the same lines, finds them again if what it moves
  // meanwhile fits.
  double missing(Operand operand, double size) const {
    const double whole =
        how_.line * (weight_lines(layer_.size) + input_lines(layer_.size) + output_lines(layer_.size));
    double share = how_.warm ? std::max(0.0, 1 - size / whole) : 1;
    Extents inside = tile_;
    for (std::size_t l = depth_; l-- > 0;) {
      const Loop& loop = loops_[l];
      if (footprint(inside) <= size) {
        if (!depends(layer_.op, operand, loop.dim)) {
          share /= loop.count;
        } else if (operand == Operand::W && loop.dim == Dim::K && loop.tile < words_) {
          const double tiles = words_ / loop.tile;
          if (tiles == std::floor(tiles)) share /= std::min<double>(tiles, loop.count);
        }
      }
      inside[index(loop.dim)] = loop.extent;
    }
    return share;
  }
  double line_cycles(Operand operand) const {
    double cycles = 0, left = 1;
    for (const LineCache& cache : how_.caches) {
      const double missed = std::min(left, missing(operand, cache.size));
      cycles += cache.line_cycles * (left - missed);
      left = missed;
    }
    return cycles + how_.memory_line_cycles * left;
  }

  // Sums are stored with the last block that adds to them.
  Step nest(std::size_t depth, const Extents& e, bool last, double times, BlockTime& time) const {
    if (depth == depth_) {
      const double l = load_time(e), x = array_time(e), o = last ? store_time(e) : 0;
      time.load += times * l;
      time.array += times * x;
      time.store += times * o;
      return Step::block(l, x, o);
    }
    const Loop& loop = loops_[depth];
    const std::uint32_t rest = loop.extent - (loop.count - 1) * loop.tile;
    if (rest == loop.tile && (!accumulates(loop.dim) || !last))
      return repeated(nest(depth + 1, e, last, times * loop.count, time), loop.count);
    const bool before = last && !accumulates(loop.dim);
    const Step first = nest(depth + 1, e, before, times * (loop.count - 1), time);
    Extents border = e;
    border[index(loop.dim)] = rest;
    return then(repeated(first, loop.count - 1), nest(depth + 1, border, last, times, time));
  }

  void walk(std::size_t depth, const Extents& e, bool last, std::array<double, 4>& done,
            BlockTime& time) const {
    if (depth < depth_) {
      const Loop& loop = loops_[depth];
      for (std::uint32_t i = 0; i < loop.count; ++i) {
        Extents inner = e;
        inner[index(loop.dim)] = std::min(loop.tile, loop.extent - i * loop.tile);
        walk(depth + 1, inner, last && (!accumulates(loop.dim) || i + 1 == loop.count), done, time);
      }
      return;
    }
    const double l = load_time(e), x = array_time(e), o = last ? store_time(e) : 0;
    time.load += l;
    time.array += x;
    time.store += o;
    const double loaded = std::max(done[0], done[3]) + l;
    const double used = std::max(done[1], loaded) + x;
    done = {loaded, used, std::max(done[2], used) + o, done[2]};
  }

  const BlockExecution& how_;
  const Layer& layer_;
  const Extents& tile_;
  double words_ = 1;                         // of a line
  std::array<Loop, dim_count> loops_{};      // outermost first
  std::size_t depth_ = 0;                    // how many of them
  double weight_line_ = 0, input_line_ = 0;  // cycles a line
};

std::size_t level_named(const Accelerator& accelerator, const std::string& name) {
  std::size_t l = 0;
  while (l < accelerator.levels.size() && accelerator.levels[l].name != name) ++l;
  return l;
}

// Words that leave one instance of a level on their way out: its tile, as often as it changes.
double drained_words(const Layer& layer, const Mapping& mapping, std::size_t level) {
  std::array<double, dim_count> residencies;
  residencies.fill(1);
  double times = 1, so_far = 1;
  for (std::size_t l = 0; l < level; ++l) {
    const Extents& entering = mapping.entering(l, layer);
    for (const std::uint8_t d : mapping.level[l].order) {
      so_far *= ceil_div(entering[d], mapping.level[l].temporal[d]);
      if (entering[d] > mapping.level[l].temporal[d] && depends(layer.op, Operand::O, static_cast<Dim>(d)))
        times = so_far;
    }
  }
  return times * static_cast<double>(tile_words(layer, Operand::O, mapping.entering(level, layer)));
}

class ExecutionTime final : public Simulator {
 public:
  ExecutionTime(std::unique_ptr<Simulator> inner, const Accelerator& accelerator)
      : inner_(std::move(inner)), accelerator_(accelerator) {}
  const CostSchema& schema() const override { return inner_->schema(); }
  std::vector<CostFormula> formulas(const HardwareRow& hardware, const Layer& layer) const override {
    return inner_->formulas(hardware, layer);
  }

  void evaluate(const SimulatorBatch& batch, std::span<double> costs) const override {
    inner_->evaluate(batch, costs);
    const std::size_t width = schema().width();
    for (std::size_t row = 0; row < batch.mappings.size(); ++row) {
      const Layer& layer = batch.layers[batch.layers.size() == 1 ? 0 : row];
      if (!layer.multiplies()) continue;
      const HardwareRow& hardware = batch.hardware[batch.hardware.size() == 1 ? 0 : row];
      const std::span<double> one = costs.subspan(row * width, width);
      set_time(layer, batch.mappings[row], one);
      follow_time(layer, hardware, one);
      require_above({one[cost::bound_cycles], one[cost::bound_energy]}, one, batch.mappings[row], layer,
                    accelerator_);
    }
  }

 private:
  void set_time(const Layer& layer, const Mapping& mapping, std::span<double> costs) const {
    const double blocked = std::ceil(blocked_cycles(accelerator_, layer, mapping, schema(), costs));
    costs[cost::cycles] += blocked;
    costs[cost::cycles_steady] += blocked;
    if (!accelerator_.execution.blocks) return;
    const BlockTime time = block_time(accelerator_, layer, mapping);
    const std::array<double, 3> units = {time.array, time.load, time.store};
    for (std::size_t unit = 0; unit < units.size(); ++unit) {
      const double slowest = std::ceil(units[unit]) + blocked;
      if (slowest <= costs[cost::cycles_steady]) continue;
      costs[cost::cycles_steady] = slowest;
      costs[cost::binds] = static_cast<double>(unit);  // array: compute, load and store: ports of level 0
    }
    costs[cost::cycles] = std::max(costs[cost::cycles_steady], std::ceil(time.cycles) + blocked);
  }

  void follow_time(const Layer& layer, const HardwareRow& hardware, std::span<double> costs) const {
    double leakage = 0;
    for (std::size_t l = 0; l < accelerator_.levels.size(); ++l)
      leakage += hardware.leakage[l] * static_cast<double>(accelerator_.instances(l));
    const double cycles = costs[cost::cycles];
    costs[cost::energy] += leakage * cycles - costs[cost::leakage_energy];
    costs[cost::leakage_energy] = leakage * cycles;
    costs[cost::edp] = costs[cost::energy] * cycles;
    costs[cost::power] = costs[cost::energy] * 1e-9 * hardware.clock / cycles;
    costs[cost::utilisation] =
        static_cast<double>(layer.operations()) / (static_cast<double>(accelerator_.units()) * cycles);
  }

  std::unique_ptr<Simulator> inner_;
  Accelerator accelerator_;
};

}  // namespace

BlockTime block_time(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping) {
  return Blocks(accelerator, layer, mapping).closed();
}

BlockTime block_time_walked(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping) {
  return Blocks(accelerator, layer, mapping).walked();
}

double blocked_cycles(const Accelerator& accelerator, const Layer& layer, const Mapping& mapping,
                      const CostSchema& schema, std::span<const double> costs) {
  const Execution& execution = accelerator.execution;
  double cycles = 0;
  if (execution.adder_cycles > 0)
    cycles += execution.adder_cycles *
              drained_words(layer, mapping, level_named(accelerator, execution.adder_level));
  if (execution.load_bus > 0) {
    std::size_t parent = level_named(accelerator, execution.load_level) - 1;
    while (parent > 0 && !contains(mapping.level[parent].keep, Operand::W)) --parent;
    const std::size_t reads = schema.first_column[parent][index(Operand::W)];
    cycles += costs[reads] * accelerator.word_bits(parent, Operand::W) / execution.load_bus;
  }
  return cycles;
}

std::unique_ptr<Simulator> with_execution_time(std::unique_ptr<Simulator> inner,
                                               const Accelerator& accelerator) {
  if (!accelerator.execution.given()) return inner;
  return std::make_unique<ExecutionTime>(std::move(inner), accelerator);
}

}  // namespace atl
