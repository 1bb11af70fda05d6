// What an island minimises: a named cost column, or a product of powers of columns ("energy*cycles^2"), under
// optional constraints ("parameters >= 100000"). A receiver of migrants judges by its own objective.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace atl {

class Objective {
 public:
  Objective() = default;
  /// Parses `text` against the names of the cost columns ("latency" is an alias of "cycles"). Factors are
  /// joined by '*', each a column with an optional '^' and a number. Constraints: "column >= value" or
  /// "column <= value". InputError names the unknown column and the nearest right one.
  Objective(const std::string& text, const std::vector<std::string>& constraints,
            const std::vector<std::string>& column_names);

  const std::string& text() const { return text_; }
  double fitness(std::span<const double> costs) const;
  /// Sum of relative constraint violations; 0 if all hold.
  double violation(std::span<const double> costs) const;

 private:
  struct Factor {
    std::size_t column;
    double power;
  };
  struct Constraint {
    std::size_t column;
    double limit;
    bool at_least;
  };
  std::string text_;
  std::vector<Factor> factors_;
  std::vector<Constraint> constraints_;
};

}  // namespace atl
