#include "atoll/mapper/bounded_search.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "atoll/base/error.hpp"
#include "atoll/base/random.hpp"
#include "atoll/mapper/content_key.hpp"
#include "atoll/mapper/mapping_space.hpp"

namespace atl {

namespace {

using Genes = std::vector<std::int32_t>;

constexpr std::size_t parents = 8, children = 16, best_choices = 8;

/// Which dimensions stand innermost, from the outermost: the operand that does not depend on them stays.
constexpr std::array<std::array<Dim, dim_count>, 3> stationary = {{
    {Dim::N, Dim::G, Dim::K, Dim::P, Dim::Q, Dim::C, Dim::R, Dim::S},  // output
    {Dim::G, Dim::K, Dim::C, Dim::R, Dim::S, Dim::N, Dim::P, Dim::Q},  // weight
    {Dim::N, Dim::G, Dim::C, Dim::P, Dim::Q, Dim::R, Dim::S, Dim::K},  // input
}};

/// The structured starts of one layer.
class Starts {
 public:
  Starts(const LayerMappingSpace& space) : space_(space), layout_(space.layout()) {
    for (const ParallelSlot& slot : layout_.slots()) choices_.push_back(ranked_choices(slot));
    for (const auto& choice : choices_) spatial_ *= choice.size();
  }

  std::size_t count() const { return spatial_ * stationary.size(); }

  Genes make(std::size_t number) const {
    Genes genes(space_.schema().integer_width());
    const auto& order = stationary[number % stationary.size()];
    for (std::size_t l = 0; l + 1 < layout_.levels(); ++l)
      for (std::size_t i = 0; i < layout_.dims().size(); ++i) {
        genes[layout_.tile(l, i)] = space_.schema().integers[layout_.tile(l, i)].high;
        const auto place = std::find(order.begin(), order.end(), layout_.dims()[i]) - order.begin();
        genes[layout_.order(l, i)] = static_cast<std::int32_t>(place);
      }
    for (std::size_t i = 0; i < layout_.keeps().size(); ++i) genes[layout_.keep(i)] = 1;
    if (!layout_.slots().empty()) parallelise(genes, number / stationary.size());
    return genes;
  }

 private:
  /// One or two loops along an axis.
  struct Choice {
    std::uint32_t units = 1;  // that are busy
    std::array<std::size_t, 2> dim{};
    std::array<std::uint32_t, 2> factor = {1, 1};
  };

  std::uint32_t extent(std::size_t dim) const { return space_.layer()[layout_.dims()[dim]]; }

  static std::uint32_t largest_divisor(std::uint32_t number, std::uint32_t limit) {
    std::uint32_t divisor = std::min(number, limit);
    while (number % divisor != 0) --divisor;
    return divisor;
  }

  /// The loops of two dimensions (or of one, if they are equal) that keep most of an axis busy.
  Choice best_pair(std::size_t a, std::size_t b, std::uint32_t capacity) const {
    Choice best;
    const std::uint32_t all = largest_divisor(extent(a), capacity);
    if (a == b) return {all, {a, a}, {all, 1}};
    for (std::uint32_t first = all; first > 1; --first) {
      if (extent(a) % first != 0) continue;
      const std::uint32_t second = largest_divisor(extent(b), capacity / first);
      if (second > 1 && first * second > best.units) best = {first * second, {a, b}, {first, second}};
    }
    return best;
  }

  /// What fills an axis best, best first; single loops and dimensions that stand further out before others.
  std::vector<Choice> ranked_choices(const ParallelSlot& slot) const {
    std::vector<Choice> choices;
    const std::size_t dims = layout_.dims().size();
    for (std::size_t apart = 0; apart < dims; ++apart)
      for (std::size_t i = 0; i + apart < dims; ++i)
        if (const Choice choice = best_pair(i, i + apart, slot.capacity); choice.units > 1)
          choices.push_back(choice);
    std::stable_sort(choices.begin(), choices.end(),
                     [](const Choice& a, const Choice& b) { return a.units > b.units; });
    if (choices.size() > best_choices) choices.resize(best_choices);
    if (choices.empty()) choices.emplace_back();
    return choices;
  }

  /// First the chosen loops of every axis, then whatever still fits; repair drops what does not.
  void parallelise(Genes& genes, std::size_t number) const {
    std::size_t record = 0;
    const auto add = [&](std::size_t slot, std::size_t dim, std::uint32_t factor) {
      if (factor == 1 || record == space_.schema().blocks.front().max_count) return;
      write_record(genes, record++, slot, dim, space_.divisors(dim).find(factor));
    };
    for (std::size_t s = 0; s < choices_.size(); number /= choices_[s].size(), ++s) {
      const Choice& choice = choices_[s][number % choices_[s].size()];
      for (std::size_t i = 0; i < 2; ++i) add(s, choice.dim[i], choice.factor[i]);
    }
    for (std::size_t s = 0; s < choices_.size(); ++s)
      for (std::size_t i = 0; i < layout_.dims().size(); ++i)
        add(s, i, largest_divisor(extent(i), layout_.slots()[s].capacity));
  }

  void write_record(Genes& genes, std::size_t record, std::size_t slot, std::size_t dim,
                    DivisorIndex factor) const {
    const RecordBlock& block = space_.schema().blocks.front();
    genes[block.first] = static_cast<std::int32_t>(record + 1);
    genes[block.innovation(record)] = static_cast<std::int32_t>(record + 1);
    genes[block.field(record, 0)] = static_cast<std::int32_t>(slot);
    genes[block.field(record, 1)] = static_cast<std::int32_t>(dim);
    genes[block.field(record, 2)] = factor;
  }

  const LayerMappingSpace& space_;
  const MappingLayout& layout_;
  std::vector<std::vector<Choice>> choices_;  // by slot
  std::size_t spatial_ = 1;
};

/// Small changes of a row; what becomes illegal is repaired afterwards.
class Changes {
 public:
  explicit Changes(const LayerMappingSpace& space) : space_(space), layout_(space.layout()) {
    for (std::size_t i = 0; i < layout_.dims().size(); ++i)
      if (space.layer()[layout_.dims()[i]] > 1) varying_.push_back(i);
  }

  void apply(Genes& genes, Random& random) const {
    const std::uint32_t changes = 1 + random.below(3);
    for (std::uint32_t i = 0; i < changes; ++i) {
      const std::uint32_t kind = random.below(20);
      if (kind < 8)
        change_tile(genes, random);
      else if (kind < 12)
        swap_order(genes, random);
      else if (kind < 18)
        change_parallel(genes, random);
      else
        flip_keep(genes, random);
    }
  }

 private:
  std::size_t some_dim(Random& random) const {
    return varying_[random.below(static_cast<std::uint32_t>(varying_.size()))];
  }
  std::size_t some_level(Random& random) const {
    return random.below(static_cast<std::uint32_t>(layout_.levels() - 1));
  }

  void change_tile(Genes& genes, Random& random) const {
    if (layout_.levels() < 2 || varying_.empty()) return;
    const std::size_t level = some_level(random), dim = some_dim(random);
    const std::size_t place = layout_.tile(level, dim);
    const Gene& gene = space_.schema().integers[place];
    const std::int32_t step = random.between(1, 2);
    const std::int32_t wish = random.chance(0.25) ? random.between(gene.low, gene.high)
                                                  : genes[place] + (random.chance(0.5) ? step : -step);
    genes[place] = std::clamp(wish, gene.low, gene.high);
  }

  void swap_order(Genes& genes, Random& random) const {
    if (layout_.levels() < 2 || varying_.size() < 2) return;
    const std::size_t level = some_level(random);
    std::swap(genes[layout_.order(level, some_dim(random))], genes[layout_.order(level, some_dim(random))]);
  }

  void change_parallel(Genes& genes, Random& random) const {
    if (layout_.max_records() == 0 || varying_.empty()) return;
    const RecordBlock& block = space_.schema().blocks.front();
    const auto count = static_cast<std::uint32_t>(genes[block.first]);
    const bool full = count == block.max_count;
    if (count == 0 || (!full && random.chance(0.3))) return draw_record(genes, count, random);
    const std::uint32_t record = random.below(count);
    if (random.chance(0.3)) return remove_record(genes, record);
    if (random.chance(0.5)) return draw_record(genes, record, random);
    std::int32_t& factor = genes[block.field(record, 2)];
    factor = std::max(1, factor + (random.chance(0.5) ? 1 : -1));
  }

  /// Overwrites a record, or adds one at the end.
  void draw_record(Genes& genes, std::uint32_t record, Random& random) const {
    const RecordBlock& block = space_.schema().blocks.front();
    genes[block.first] = std::max(genes[block.first], static_cast<std::int32_t>(record + 1));
    genes[block.field(record, 0)] =
        static_cast<std::int32_t>(random.below(static_cast<std::uint32_t>(layout_.slots().size())));
    genes[block.field(record, 1)] = static_cast<std::int32_t>(some_dim(random));
    genes[block.field(record, 2)] = random.between(1, space_.schema().integers[block.field(record, 2)].high);
  }

  void remove_record(Genes& genes, std::uint32_t record) const {
    const RecordBlock& block = space_.schema().blocks.front();
    const auto from = genes.begin() + static_cast<std::ptrdiff_t>(block.innovation(record));
    std::copy(from + static_cast<std::ptrdiff_t>(block.stride()),
              genes.begin() + static_cast<std::ptrdiff_t>(block.end()), from);
    --genes[block.first];
  }

  void flip_keep(Genes& genes, Random& random) const {
    if (layout_.keeps().empty()) return;
    std::int32_t& bit = genes[layout_.keep(random.below(static_cast<std::uint32_t>(layout_.keeps().size())))];
    bit = 1 - bit;
  }

  const LayerMappingSpace& space_;
  const MappingLayout& layout_;
  std::vector<std::size_t> varying_;
};

struct Candidate {
  Genes genes;
  double fitness = 0;
};

/// One search: rows are repaired and evaluated in batches, the best few stay as parents.
class Run {
 public:
  Run(const LayerMappingSpace& space, const Simulator& simulator, const HardwareRow& hardware,
      const Objective& objective)
      : space_(space), simulator_(simulator), hardware_(hardware), objective_(objective) {}

  bool knows(const Genes& genes) const {
    const auto same = [&](const Candidate& c) { return c.genes == genes; };
    return std::any_of(pool_.begin(), pool_.end(), same);
  }
  const Candidate& parent(Random& random) const {
    const auto size = static_cast<std::uint32_t>(std::min(pool_.size(), parents));
    return pool_[std::min(random.below(size), random.below(size))];
  }
  std::uint32_t evaluations() const { return evaluations_; }

  /// Adds a row to the next batch, unless an equal one waits there or is a parent.
  bool propose(Genes genes) {
    Mapping mapping;
    space_.repair(genes, mapping);
    if (knows(genes)) return false;
    pool_.push_back({std::move(genes), 0});
    mappings_.push_back(mapping);
    return true;
  }

  void evaluate() {
    const std::size_t width = simulator_.schema().width(), first = pool_.size() - mappings_.size();
    costs_.resize(mappings_.size() * width);
    simulator_.evaluate({std::span(&space_.layer(), 1), std::span(&hardware_, 1), mappings_}, costs_);
    for (std::size_t i = 0; i < mappings_.size(); ++i) {
      const std::span<const double> row(costs_.data() + i * width, width);
      Candidate& candidate = pool_[first + i];
      candidate.fitness = objective_.fitness(row);
      if (best_.costs.empty() || candidate.fitness < best_.fitness)
        best_ = {mappings_[i], {row.begin(), row.end()}, candidate.fitness, 0, {}, 0};
    }
    evaluations_ += static_cast<std::uint32_t>(mappings_.size());
    mappings_.clear();
    std::stable_sort(pool_.begin(), pool_.end(),
                     [](const Candidate& a, const Candidate& b) { return a.fitness < b.fitness; });
    if (pool_.size() > parents) pool_.resize(parents);
  }

  FoundMapping take() {
    best_.evaluations = evaluations_;
    return std::move(best_);
  }

 private:
  const LayerMappingSpace& space_;
  const Simulator& simulator_;
  const HardwareRow& hardware_;
  const Objective& objective_;
  std::vector<Candidate> pool_;  // parents, best first; then the batch
  std::vector<Mapping> mappings_;
  std::vector<double> costs_;
  FoundMapping best_;
  std::uint32_t evaluations_ = 0;
};

/// At most half of the budget, spread evenly over all starts.
void try_starts(Run& run, const Starts& starts, std::uint32_t budget) {
  const std::size_t tries = std::min<std::size_t>(starts.count(), std::max(1U, budget / 2));
  for (std::size_t i = 0; i < tries; ++i) run.propose(starts.make(i * starts.count() / tries));
  run.evaluate();
}

/// One batch of children; false if no new row could be found.
bool try_children(Run& run, const Changes& changes, std::size_t count, Random& random) {
  std::size_t made = 0;
  for (std::size_t tries = 0; made < count && tries < 8 * count; ++tries) {
    Genes genes = run.parent(random).genes;
    changes.apply(genes, random);
    made += run.propose(std::move(genes)) ? 1 : 0;
  }
  if (made > 0) run.evaluate();
  return made > 0;
}

}  // namespace

BoundedSearch::BoundedSearch(Accelerator accelerator, const std::string& simulator,
                             const BoundedSearchSettings& settings)
    : accelerator_(std::move(accelerator)),
      settings_(settings),
      simulator_(make_simulator(simulator, accelerator_)),
      objective_(settings.objective, {}, simulator_->schema().names()),
      hardware_(hardware_row(accelerator_)) {
  if (settings_.budget == 0)
    throw InputError("the budget of a mapping search is 0 evaluations; it needs at least 1");
}

std::shared_ptr<const FoundMapping> BoundedSearch::find(const Layer& layer) {
  const std::string key = layer_key(layer);
  if (const auto known = cache_.find(key); known != cache_.end()) {
    ++hits_;
    ages_.splice(ages_.begin(), ages_, known->second.age);
    return known->second.found;
  }
  ++searches_;
  std::shared_ptr<const FoundMapping> found = search(layer, key);
  if (settings_.cache == 0) return found;
  if (cache_.size() == settings_.cache) {
    cache_.erase(ages_.back());
    ages_.pop_back();
  }
  ages_.push_front(key);
  cache_.emplace(key, Entry{found, ages_.begin()});
  return found;
}

std::shared_ptr<const FoundMapping> BoundedSearch::search(const Layer& layer, const std::string& key) const {
  const LayerMappingSpace space(MappingLayout(std::span(&layer, 1), accelerator_), layer, accelerator_);
  const Changes changes(space);
  Run run(space, *simulator_, hardware_, objective_);
  try_starts(run, Starts(space), settings_.budget);
  const std::uint64_t hash = content_key(key);
  RandomKey stream{settings_.seed,
                   Purpose::mapping_search,
                   static_cast<std::uint32_t>(hash & 0xfff),
                   static_cast<std::uint32_t>(hash >> 12 & 0xfffff),
                   0,
                   static_cast<std::uint32_t>(hash >> 32)};
  for (; run.evaluations() < settings_.budget; ++stream.generation) {
    Random random(stream);
    const std::size_t left = settings_.budget - run.evaluations();
    if (!try_children(run, changes, std::min(left, children), random)) break;
  }
  FoundMapping found = run.take();
  found.json = mapping_to_json(found.mapping, layer, accelerator_);
  found.key = content_key(found.json);
  return std::make_shared<const FoundMapping>(std::move(found));
}

}  // namespace atl
