#include "atoll/island/migration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "atoll/base/error.hpp"
#include "atoll/evolution/merit.hpp"
#include "atoll/island/bytes.hpp"

namespace atl {

Departures::Departures(const Population& population, Leave rule) : population_(population), rule_(rule) {
  if (rule_ == Leave::random) {
    order_.resize(population.size());
    std::iota(order_.begin(), order_.end(), 0U);
  } else {
    population.rank(order_);
  }
}

std::vector<std::uint32_t> Departures::choose(std::size_t count, Random& random) const {
  count = std::min(count, order_.size());
  if (rule_ == Leave::best) return {order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(count)};
  std::vector<std::uint32_t> left = order_;
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const auto n = static_cast<std::uint32_t>(left.size());
    std::uint32_t at = random.below(n);
    if (rule_ == Leave::tournament) at = std::min(at, random.below(n));  // `left` runs from best to worst
    chosen.push_back(left[at]);
    left.erase(left.begin() + at);
  }
  return chosen;
}

namespace {

/// Format of a message between islands; raised when it changes.
constexpr std::uint32_t message_version = 1;

/// The violation that the space found, without what the sender's constraints added.
double violation_of_space(const Population& population, std::size_t row, const Objective& sender) {
  const double all = population.violation[row];
  if (!std::isfinite(all)) return all;
  const double own = sender.violation(population.costs(row));
  return all > own ? all - own : 0.0;
}

void pack_row(ByteWriter& out, const Population& population, std::uint32_t row, const Objective& sender) {
  out.items(population.integers(row));
  out.items(population.reals(row));
  out.items(population.costs(row));
  out.value(violation_of_space(population, row, sender));
  out.value(population.id[row]);
  out.value(population.parent_a[row]);
  out.value(population.parent_b[row]);
  for (const ExtraColumn& column : population.extra) {
    out.items(std::span<const double>(column.values).subspan(row * column.width, column.width));
  }
}

void unpack_row(ByteReader& in, Population& migrants, std::uint32_t row, const Objective& receiver) {
  in.items(migrants.integers(row));
  in.items(migrants.reals(row));
  in.items(migrants.costs(row));
  migrants.fitness[row] = receiver.fitness(migrants.costs(row));
  migrants.violation[row] = in.value<double>() + receiver.violation(migrants.costs(row));
  migrants.id[row] = in.value<IndividualId>();
  migrants.parent_a[row] = in.value<IndividualId>();
  migrants.parent_b[row] = in.value<IndividualId>();
  migrants.origin[row] = Origin::migrant;
  for (ExtraColumn& column : migrants.extra) {
    in.items(std::span<double>(column.values).subspan(row * column.width, column.width));
  }
}

void check_header(ByteReader& in, const MigrationStamp& expected, const Population& migrants) {
  const auto version = in.value<std::uint32_t>();
  const auto stamp = in.value<MigrationStamp>();
  if (version != message_version || stamp != expected) {
    throw InternalError(
        fmt::format("island {} expected the migrants of island {} after generation {} of task {}, but the "
                    "message says {} -> "
                    "{}, generation {}, task {}, version {}",
                    expected.to, expected.from, expected.generation, expected.task, stamp.from, stamp.to,
                    stamp.generation, stamp.task, version));
  }
  const auto integers = in.value<std::uint64_t>();
  const auto reals = in.value<std::uint64_t>();
  const auto costs = in.value<std::uint64_t>();
  if (integers == migrants.integer_width() && reals == migrants.real_width() &&
      costs == migrants.cost_width()) {
    return;
  }
  throw InternalError(fmt::format(
      "migrants of island {} have {} integers, {} reals and {} costs; island {} has {}, {} and {}",
      stamp.from, integers, reals, costs, stamp.to, migrants.integer_width(), migrants.real_width(),
      migrants.cost_width()));
}

}  // namespace

std::vector<std::uint8_t> pack_migrants(const MigrationStamp& stamp, const Population& population,
                                        std::span<const std::uint32_t> rows, const Objective& sender) {
  ByteWriter out;
  out.value(message_version);
  out.value(stamp);
  out.value(static_cast<std::uint64_t>(population.integer_width()));
  out.value(static_cast<std::uint64_t>(population.real_width()));
  out.value(static_cast<std::uint64_t>(population.cost_width()));
  out.value(static_cast<std::uint32_t>(population.extra.size()));
  for (const ExtraColumn& column : population.extra) {
    out.text(column.name);
    out.value(static_cast<std::uint64_t>(column.width));
  }
  out.value(static_cast<std::uint32_t>(rows.size()));
  for (const std::uint32_t row : rows) pack_row(out, population, row, sender);
  return out.take();
}

void unpack_migrants(std::span<const std::uint8_t> message, const MigrationStamp& expected,
                     const Objective& receiver, Population& migrants) {
  ByteReader in(message);
  check_header(in, expected, migrants);
  migrants.resize(0);
  migrants.extra.clear();
  const auto columns = in.value<std::uint32_t>();
  for (std::uint32_t c = 0; c < columns; ++c) {
    const std::string name = in.text();
    migrants.add_column(name, in.value<std::uint64_t>());
  }
  const auto rows = in.value<std::uint32_t>();
  migrants.resize(rows);
  for (std::uint32_t row = 0; row < rows; ++row) unpack_row(in, migrants, row, receiver);
  if (!in.at_end()) throw InternalError("a message between islands is longer than its header says");
}

Arrivals::Arrivals(Population& population, Enter rule) : population_(population), rule_(rule) {
  population.rank(natives_);
}

Arrivals::Count Arrivals::admit(const Population& migrants, Random& random) {
  const bool only_if_better =
      rule_ == Enter::replace_worst_if_better || rule_ == Enter::replace_random_if_better;
  Count count;
  for (std::size_t row = 0; row < migrants.size(); ++row) {
    ++count.rejected;
    if (natives_.empty() || present(migrants.id[row])) continue;
    const std::size_t place = pick(random);
    const std::uint32_t native = natives_[place];
    if (only_if_better && !better(migrants, row, native)) continue;
    population_.copy_row(native, migrants, row);
    natives_.erase(natives_.begin() + static_cast<std::ptrdiff_t>(place));
    --count.rejected;
    ++count.accepted;
  }
  return count;
}

bool Arrivals::present(IndividualId id) const {
  return std::find(population_.id.begin(), population_.id.end(), id) != population_.id.end();
}

bool Arrivals::better(const Population& migrants, std::size_t row, std::uint32_t native) const {
  const Merit of_migrant = Merit::of(migrants.violation[row], migrants.fitness[row], migrants.id[row]);
  const Merit of_native =
      Merit::of(population_.violation[native], population_.fitness[native], population_.id[native]);
  return of_migrant.surpasses(of_native);
}

std::size_t Arrivals::pick(Random& random) const {
  const bool at_random = rule_ == Enter::replace_random || rule_ == Enter::replace_random_if_better;
  return at_random ? random.below(static_cast<std::uint32_t>(natives_.size())) : natives_.size() - 1;
}

}  // namespace atl
