#include "atoll/evolution/population.hpp"

#include <algorithm>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {

void Population::resize(std::size_t size) {
  integers_.resize(size * integer_width_, 0);
  reals_.resize(size * real_width_, 0.0);
  costs_.resize(size * cost_width_, 0.0);
  fitness.resize(size, std::numeric_limits<double>::infinity());
  violation.resize(size, 0.0);
  id.resize(size, no_individual);
  parent_a.resize(size, no_individual);
  parent_b.resize(size, no_individual);
  origin.resize(size, Origin::random);
  for (ExtraColumn& column : extra) column.values.resize(size * column.width, 0.0);
  size_ = size;
}

void Population::add_column(const std::string& name, std::size_t width) {
  for (const ExtraColumn& column : extra)
    if (column.name == name) {
      if (column.width != width)
        throw InternalError("population column '" + name + "' exists with another width");
      return;
    }
  extra.push_back({name, width, std::vector<double>(size_ * width, 0.0)});
}

namespace {

const ExtraColumn* find_column(const Population& population, std::size_t guess, const std::string& name) {
  if (guess < population.extra.size() && population.extra[guess].name == name)
    return &population.extra[guess];
  for (const ExtraColumn& column : population.extra)
    if (column.name == name) return &column;
  return nullptr;
}

}  // namespace

void Population::copy_row(std::size_t to, const Population& source, std::size_t from) {
  std::ranges::copy(source.integers(from), integers(to).begin());
  std::ranges::copy(source.reals(from), reals(to).begin());
  std::ranges::copy(source.costs(from), costs(to).begin());
  fitness[to] = source.fitness[from];
  violation[to] = source.violation[from];
  id[to] = source.id[from];
  parent_a[to] = source.parent_a[from];
  parent_b[to] = source.parent_b[from];
  origin[to] = source.origin[from];
  for (std::size_t c = 0; c < extra.size(); ++c) {
    const std::size_t width = extra[c].width;
    const auto place = extra[c].values.begin() + static_cast<std::ptrdiff_t>(to * width);
    const ExtraColumn* column = find_column(source, c, extra[c].name);
    if (column == nullptr || column->width != width)
      std::fill_n(place, width, 0.0);
    else
      std::copy_n(column->values.begin() + static_cast<std::ptrdiff_t>(from * width), width, place);
  }
}

void Population::append_row(const Population& source, std::size_t from) {
  resize(size_ + 1);
  copy_row(size_ - 1, source, from);
}

void Population::keep(std::span<const std::uint32_t> rows) {
  const auto gather = [&](auto& values, std::size_t width) {
    auto old = values;
    for (std::size_t r = 0; r < rows.size(); ++r)
      std::copy_n(old.begin() + static_cast<std::ptrdiff_t>(rows[r] * width), width,
                  values.begin() + static_cast<std::ptrdiff_t>(r * width));
  };
  gather(integers_, integer_width_);
  gather(reals_, real_width_);
  gather(costs_, cost_width_);
  gather(fitness, 1);
  gather(violation, 1);
  gather(id, 1);
  gather(parent_a, 1);
  gather(parent_b, 1);
  gather(origin, 1);
  for (ExtraColumn& column : extra) gather(column.values, column.width);
  resize(rows.size());
}

bool Population::better(std::size_t a, std::size_t b) const {
  return merit(a) < merit(b);
}

void Population::rank(std::vector<std::uint32_t>& order) const {
  std::vector<RankedRow> room;
  rank(order, room);
}

void Population::rank(std::vector<std::uint32_t>& order, std::vector<RankedRow>& room) const {
  room.resize(size_);
  for (std::uint32_t row = 0; row < size_; ++row) room[row] = {merit(row), row};
  std::sort(room.begin(), room.end(), [](const RankedRow& a, const RankedRow& b) {
    if (a.merit < b.merit) return true;
    return !(b.merit < a.merit) && a.row < b.row;
  });
  order.resize(size_);
  for (std::size_t r = 0; r < size_; ++r) order[r] = room[r].row;
}

std::size_t Population::best() const {
  std::size_t winner = 0;
  for (std::size_t row = 1; row < size_; ++row)
    if (better(row, winner)) winner = row;
  return winner;
}

}  // namespace atl
