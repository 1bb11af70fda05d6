// A population is flat arrays: genome rows, cost rows and a few columns. One layout serves selection,
// migration messages, the store and checkpoints; no individual is an object.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "atoll/evolution/genome.hpp"
#include "atoll/evolution/merit.hpp"

namespace atl {

/// How an individual came to be; stored with it.
enum class Origin : std::uint8_t {
  random = 0,
  seeded = 1,
  crossover = 2,
  mutation = 3,
  copy = 4,
  migrant = 5
};

/// Ids are derived from where an individual was born, so that they need no counter and no agreement:
/// task (10 bits) | generation (22) | island (16) | slot (16).
using IndividualId = std::uint64_t;
inline constexpr IndividualId no_individual = ~std::uint64_t{0};
constexpr IndividualId individual_id(std::uint64_t task, std::uint64_t generation, std::uint64_t island,
                                     std::uint64_t slot) {
  return task << 54 | generation << 32 | island << 16 | slot;
}

/// A column that a policy adds for itself (age, step size, velocity); saved and moved with the rows.
struct ExtraColumn {
  std::string name;
  std::size_t width = 1;
  std::vector<double> values;  // size() * width
};

class Population {
 public:
  Population() = default;
  Population(std::size_t integer_width, std::size_t real_width, std::size_t cost_width)
      : integer_width_(integer_width), real_width_(real_width), cost_width_(cost_width) {}

  std::size_t size() const { return size_; }
  std::size_t integer_width() const { return integer_width_; }
  std::size_t real_width() const { return real_width_; }
  std::size_t cost_width() const { return cost_width_; }
  /// Rows beyond the old size are zero with no parents and
  /// fitness +infinity. Keeps capacity: no allocation once warm.
  void resize(std::size_t size);
  void add_column(const std::string& name, std::size_t width);

  std::span<std::int32_t> integers(std::size_t row) {
    return {integers_.data() + row * integer_width_, integer_width_};
  }
  std::span<const std::int32_t> integers(std::size_t row) const {
    return {integers_.data() + row * integer_width_, integer_width_};
  }
  std::span<double> reals(std::size_t row) { return {reals_.data() + row * real_width_, real_width_}; }
  std::span<const double> reals(std::size_t row) const {
    return {reals_.data() + row * real_width_, real_width_};
  }
  std::span<double> costs(std::size_t row) { return {costs_.data() + row * cost_width_, cost_width_}; }
  std::span<const double> costs(std::size_t row) const {
    return {costs_.data() + row * cost_width_, cost_width_};
  }
  /// All rows at once, for batch evaluation and the store.
  std::span<double> all_costs() { return costs_; }
  std::span<const double> all_costs() const { return costs_; }
  std::span<const std::int32_t> all_integers() const { return integers_; }
  std::span<const double> all_reals() const { return reals_; }

  /// Copies row `from` of `source` (same widths) over row `to`, all columns and extra columns of the same
  /// name and width; extra columns that `source` lacks become 0: nothing of the old row stays.
  void copy_row(std::size_t to, const Population& source, std::size_t from);
  void append_row(const Population& source, std::size_t from);
  /// Keeps the named rows in the given order (indices may not repeat); used by survival.
  void keep(std::span<const std::uint32_t> rows);
  /// Row a is better than row b: feasible before infeasible, then smaller violation, then smaller fitness,
  /// then smaller id, so that the order is total and the same everywhere. NaN counts as infeasible with
  /// infinite violation.
  bool better(std::size_t a, std::size_t b) const;
  Merit merit(std::size_t row) const { return Merit::of(violation[row], fitness[row], id[row]); }
  /// Row indices from best to worst; rows that are equal in everything, ids too, in the order they stand.
  void rank(std::vector<std::uint32_t>& order) const;
  /// The same without allocation, for those who rank every generation and keep the room.
  struct RankedRow {
    Merit merit;
    std::uint32_t row;
  };
  void rank(std::vector<std::uint32_t>& order, std::vector<RankedRow>& room) const;
  std::size_t best() const;  // size() > 0

  // One entry per row.
  std::vector<double> fitness;    // smaller is better; the objective's value
  std::vector<double> violation;  // 0: feasible; larger is worse
  std::vector<IndividualId> id, parent_a, parent_b;
  std::vector<Origin> origin;
  std::vector<ExtraColumn> extra;

  /// Boost.Serialization; saves everything but capacity. Defined in evolution/population_archive.hpp.
  template <class Archive>
  void serialize(Archive& archive, unsigned version);

 private:
  std::size_t size_ = 0, integer_width_ = 0, real_width_ = 0, cost_width_ = 0;
  std::vector<std::int32_t> integers_;
  std::vector<double> reals_;
  std::vector<double> costs_;
};

}  // namespace atl
