// The one order of individuals: feasible before infeasible, then smaller violation, then smaller fitness,
// then smaller id. It is total, so that every machine and every order of calls agrees on who is better.
#pragma once

#include <cstdint>
#include <limits>

namespace atl {

/// What decides between two individuals, copied out of a population
/// so that parents and offspring can be sorted together.
struct Merit {
  double violation = 0;
  double fitness = 0;
  std::uint64_t id = 0;

  /// NaN in either figure counts as infeasible with infinite violation.
  static Merit of(double violation, double fitness, std::uint64_t id) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (violation != violation || fitness != fitness) return {infinity, infinity, id};
    return {violation > 0 ? violation : 0.0, fitness, id};
  }
  bool feasible() const { return violation == 0; }
  /// Better, leaving ids out: equal quality is no success.
  bool surpasses(const Merit& other) const {
    return violation != other.violation ? violation < other.violation : fitness < other.fitness;
  }
  friend bool operator<(const Merit& a, const Merit& b) {
    if (a.violation != b.violation) return a.violation < b.violation;
    if (a.fitness != b.fitness) return a.fitness < b.fitness;
    return a.id < b.id;
  }
};

}  // namespace atl
