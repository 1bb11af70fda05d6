#include "atoll/evolution/schedule.hpp"

#include <algorithm>
#include <cmath>

#include "atoll/base/error.hpp"
#include "atoll/base/portable_math.hpp"

namespace atl {

namespace {

template <class P>
auto& column_values(P& population, const std::string& name) {
  for (auto& column : population.extra)
    if (column.name == name) return column.values;
  throw InternalError("the population lacks the column '" + name + "' of a self-adaptive rate");
}

}  // namespace

Schedule::Schedule(const ScheduleSettings& settings, std::uint32_t horizon, std::string column)
    : settings_(settings),
      horizon_(horizon),
      column_(std::move(column)),
      current_(settings.start),
      shrink_(1 / std::sqrt(std::sqrt(settings.factor))) {}

void Schedule::prepare(Population& population) const {
  if (settings_.kind == ScheduleKind::self_adaptive) population.add_column(column_, 1);
}

void Schedule::start(Population& population, std::size_t row) const {
  if (settings_.kind == ScheduleKind::self_adaptive)
    column_values(population, column_)[row] = settings_.start;
}

double Schedule::shared_value(std::uint32_t generation) const {
  if (settings_.kind != ScheduleKind::anneal) return current_;
  const double last = horizon_ > 1 ? horizon_ - 1 : 1;
  const double passed = std::min(1.0, generation / last);
  if (!settings_.geometric) return settings_.start + (settings_.end - settings_.start) * passed;
  return std::clamp(settings_.start * portable_pow(settings_.end / settings_.start, passed),
                    std::min(settings_.start, settings_.end), std::max(settings_.start, settings_.end));
}

double Schedule::child_value(std::uint32_t generation, const Population& parents, std::size_t parent,
                             Random& random, Population& children, std::size_t child) const {
  if (settings_.kind != ScheduleKind::self_adaptive) return shared_value(generation);
  double inherited = column_values(parents, column_)[parent];
  if (!(inherited > 0)) inherited = settings_.start;  // a migrant from an island without this column
  const double value = inherited * portable_exp(settings_.tau * random.normal());
  return column_values(children, column_)[child] = std::clamp(value, settings_.low, settings_.high);
}

void Schedule::adapt(std::size_t successes, std::size_t trials) {
  if (!learns() || trials == 0) return;
  const bool often = static_cast<double>(successes) > settings_.target * static_cast<double>(trials);
  current_ = std::clamp(current_ * (often ? settings_.factor : shrink_), settings_.low, settings_.high);
}

}  // namespace atl
