#include "atoll/mapper/loma.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

constexpr std::size_t most_kinds = zigzag_most_loops;

// The factors of one dimension, smallest first, each with how often it stands.
struct Factors {
  ZigzagDim dim = ZigzagDim::B;
  std::vector<std::pair<std::uint64_t, std::size_t>> factors;
  std::size_t count = 0;

  void add(std::uint64_t factor) {
    const auto at = std::lower_bound(factors.begin(), factors.end(), std::pair{factor, std::size_t{0}});
    if (at != factors.end() && at->first == factor) {
      ++at->second;
    } else {
      factors.insert(at, {factor, 1});
    }
    ++count;
  }
  std::uint64_t take_smallest() {
    const std::uint64_t factor = factors.front().first;
    if (--factors.front().second == 0) factors.erase(factors.begin());
    --count;
    return factor;
  }
};

Factors prime_factors(ZigzagDim dim, double size) {
  Factors factors;
  factors.dim = dim;
  auto left = static_cast<std::uint64_t>(size);
  for (std::uint64_t p = 2; p * p <= left; ++p)
    for (; left % p == 0; left /= p) factors.add(p);
  if (left > 1) factors.add(left);
  return factors;
}

std::string name_of(const ZigzagLayer& layer, ZigzagDim dim) {
  for (const auto& [name, one] : layer.names)
    if (one == dim) return name;
  return std::string(zigzag_dim_names[index(dim)]);
}

// Distinct loops, in the order of ZigZag's comparison of (name, size), as ranks of a multiset.
struct Multiset {
  std::array<ZigzagDim, most_kinds> dim = {};
  std::array<double, most_kinds> size = {};
  std::array<std::uint8_t, zigzag_most_loops> ranks = {};  // smallest first
  std::size_t count = 0;
};

Multiset multiset_of(const ZigzagLayer& layer, const ZigzagLoops& loops) {
  std::vector<std::tuple<std::string, double, ZigzagDim>> sorted;
  for (std::size_t i = 0; i < loops.count; ++i)
    sorted.emplace_back(name_of(layer, loops.dim[i]), loops.size[i], loops.dim[i]);
  std::sort(sorted.begin(), sorted.end());
  Multiset set;
  std::size_t kinds = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i == 0 || sorted[i] != sorted[i - 1]) {
      set.size[kinds] = std::get<1>(sorted[i]);
      set.dim[kinds++] = std::get<2>(sorted[i]);
    }
    set.ranks[set.count++] = static_cast<std::uint8_t>(kinds - 1);
  }
  return set;
}

// Visits the distinct orders of a multiset by prefix shifts (Williams, SODA 2009), which is the order that
// decides among equal mappings. Lists are linked by index; `none` ends them.
class Orders {
 public:
  explicit Orders(const Multiset& set) : set_(set) {
    // Largest first.
    for (std::size_t i = 0; i < set.count; ++i) {
      rank_[i] = set.ranks[set.count - 1 - i];
      next_[i] = i + 1 < set.count ? i + 1 : none;
    }
    if (set.count >= 2) {
      i_ = set.count - 2;
      j_ = set.count - 1;
    }
  }

  bool advance() {
    if (set_.count < 2 || (next_[j_] == none && rank_[j_] >= rank_[head_])) return false;
    const std::size_t s = next_[j_] != none && rank_[i_] >= rank_[next_[j_]] ? j_ : i_;
    const std::size_t t = next_[s];
    next_[s] = next_[t];
    next_[t] = head_;
    if (rank_[t] < rank_[head_]) i_ = t;
    j_ = next_[i_];
    head_ = t;
    return true;
  }

  // Innermost loop first.
  void write(ZigzagLoops& loops) const {
    loops.count = 0;
    for (std::size_t at = head_; loops.count < set_.count; at = next_[at]) {
      loops.dim[loops.count] = set_.dim[rank_[at]];
      loops.size[loops.count++] = set_.size[rank_[at]];
    }
  }

 private:
  static constexpr std::size_t none = ~std::size_t{0};
  const Multiset& set_;
  std::array<std::uint8_t, zigzag_most_loops> rank_ = {};
  std::array<std::size_t, zigzag_most_loops> next_ = {};
  std::size_t head_ = 0, i_ = 0, j_ = 0;
};

bool better(const ZigzagCosts& a, const ZigzagCosts& b, LomaGoal goal) {
  const double latency = a.latency[2], other = b.latency[2];
  switch (goal) {
    case LomaGoal::latency:
      return latency < other || (latency == other && a.total_energy < b.total_energy);
    case LomaGoal::energy:
      return a.total_energy < b.total_energy || (a.total_energy == b.total_energy && latency < other);
    case LomaGoal::edp:
      return latency * a.total_energy < other * b.total_energy;
  }
  return false;
}

}  // namespace

LomaGoal loma_goal(const std::string& name) {
  if (name == "latency") return LomaGoal::latency;
  if (name == "energy") return LomaGoal::energy;
  if (name == "EDP" || name == "edp") return LomaGoal::edp;
  throw InputError(fmt::format("unknown goal '{}' of LOMA; expected latency, energy or EDP", name));
}

ZigzagLoops loma_factors(const ZigzagModel& model, std::size_t most_loops) {
  const ZigzagLoops loops = temporal_loops(model);
  std::vector<Factors> dims;
  std::size_t count = 0;
  for (std::size_t i = 0; i < loops.count; ++i) {
    dims.push_back(prime_factors(loops.dim[i], loops.size[i]));
    count += dims.back().count;
  }
  for (most_loops = std::max(most_loops, dims.size()); count > most_loops; --count) {
    Factors& most = *std::max_element(dims.begin(), dims.end(),
                                      [](const Factors& a, const Factors& b) { return a.count < b.count; });
    const std::uint64_t first = most.take_smallest();
    most.add(first * most.take_smallest());
  }
  ZigzagLoops factors;
  for (const Factors& one : dims)
    for (const auto& [factor, times] : one.factors)
      for (std::size_t i = 0; i < times; ++i) {
        factors.dim[factors.count] = one.dim;
        factors.size[factors.count++] = static_cast<double>(factor);
      }
  return factors;
}

LomaResult loma(const ZigzagModel& model, const LomaOptions& options) {
  if (options.most_loops == 0 || options.most_loops > loma_most_loops)
    throw InputError(
        fmt::format("LOMA splits a layer into 1 to {} loops; found {}", loma_most_loops, options.most_loops));
  const Multiset set = multiset_of(model.layer, loma_factors(model, options.most_loops));
  LomaResult result;
  ZigzagMapping mapping;
  ZigzagCosts costs;
  Orders orders(set);
  do {
    ++result.orders;
    orders.write(mapping.loops);
    if (!allocate(model, mapping)) continue;
    evaluate(model, mapping, costs);
    if (result.evaluated++ > 0 && !better(costs, result.costs, options.goal)) continue;
    result.mapping = mapping;
    result.costs = costs;
  } while (orders.advance());
  if (result.evaluated == 0)
    throw InputError(
        fmt::format("none of {} orders of the temporal loops fits the memories; a memory is too small for "
                    "what the unrolled "
                    "loops need below it, or the outermost one for the layer",
                    result.orders));
  return result;
}

}  // namespace atl
