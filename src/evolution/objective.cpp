#include "atoll/evolution/objective.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "atoll/base/error.hpp"
#include "atoll/base/portable_math.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value - value == 0)) return std::nullopt;
  return value;
}

// Whole powers by squaring, so that the common objectives need no logarithm.
double power_of(double base, double power) {
  if (power < 0) return 1 / power_of(base, -power);
  const auto whole = static_cast<unsigned>(power);
  if (static_cast<double>(whole) != power) return portable_pow(base, power);
  double result = 1;
  for (unsigned bits = whole; bits != 0; bits >>= 1, base *= base)
    if ((bits & 1U) != 0) result *= base;
  return result;
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

std::size_t column_index(std::string_view name, const std::vector<std::string>& columns,
                         const std::string& where) {
  const auto place = [&](std::string_view wanted) { return std::ranges::find(columns, wanted); };
  auto found = place(name);
  if (found == columns.end() && name == "latency") found = place("cycles");
  if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  std::string known;
  for (const std::string& column : columns) {
    if (known.size() > 300) {
      known += ", ...";
      break;
    }
    known += (known.empty() ? "" : ", ") + column;
  }
  throw InputError(where + ": unknown cost column " + quoted(name) + suggestion(std::string(name), columns) +
                   "; the columns are: " + known);
}

}  // namespace

Objective::Objective(const std::string& text, const std::vector<std::string>& constraints,
                     const std::vector<std::string>& column_names)
    : text_(text) {
  const std::string where = "objective " + quoted(text);
  for (std::string_view rest = text;;) {
    const std::size_t star = rest.find('*');
    const std::string_view factor = trim(rest.substr(0, star));
    const std::size_t caret = factor.find('^');
    const std::string_view name = trim(factor.substr(0, caret));
    if (name.empty())
      throw InputError(where + ": a factor is missing; write columns joined by '*', each with an optional " +
                       "power, as in \"energy*cycles^2\"");
    double power = 1;
    if (caret != std::string_view::npos) {
      const auto number = parse_number(trim(factor.substr(caret + 1)));
      if (!number || *number < -16 || *number > 16 || *number == 0)
        throw InputError(where + ": " + quoted(trim(factor.substr(caret + 1))) +
                         " is no power; write a number from -16 to 16, but not 0, after '^'");
      power = *number;
    }
    factors_.push_back({column_index(name, column_names, where), power});
    if (star == std::string_view::npos) break;
    rest.remove_prefix(star + 1);
  }
  for (const std::string& constraint : constraints) {
    const std::string which = "constraint " + quoted(constraint);
    const std::size_t sign = constraint.find_first_of("<>");
    if (sign == std::string::npos || sign + 1 >= constraint.size() || constraint[sign + 1] != '=')
      throw InputError(which + ": write \"column >= value\" or \"column <= value\"");
    const std::string_view value = trim(std::string_view(constraint).substr(sign + 2));
    const auto limit = parse_number(value);
    if (!limit) throw InputError(which + ": " + quoted(value) + " is no number");
    const std::string_view name = trim(std::string_view(constraint).substr(0, sign));
    constraints_.push_back({column_index(name, column_names, which), *limit, constraint[sign] == '>'});
  }
}

double Objective::fitness(std::span<const double> costs) const {
  double product = 1;
  for (const Factor& factor : factors_) product *= power_of(costs[factor.column], factor.power);
  return product;
}

double Objective::violation(std::span<const double> costs) const {
  double sum = 0;
  for (const Constraint& constraint : constraints_) {
    const double value = costs[constraint.column];
    if (value != value) return std::numeric_limits<double>::infinity();
    const double excess = constraint.at_least ? constraint.limit - value : value - constraint.limit;
    const double scale = constraint.limit < 0 ? -constraint.limit : constraint.limit;
    if (excess > 0) sum += scale > 0 ? excess / scale : excess;
  }
  return sum;
}

}  // namespace atl
