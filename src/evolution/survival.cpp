#include "atoll/evolution/survival.hpp"

#include <algorithm>
#include <numeric>

namespace atl {

namespace {

std::size_t births_of(const SurvivalSettings& settings, std::size_t size) {
  if (settings.offspring != 0) return settings.offspring;
  return settings.kind == SurvivalKind::comma ? 2 * size : size;
}

}  // namespace

std::uint32_t birth_generation(IndividualId id) {
  return static_cast<std::uint32_t>(id >> 32) & 0x3fffffU;
}

Survival::Survival(const SurvivalSettings& settings, std::size_t size)
    : settings_(settings), size_(size), births_(births_of(settings, size)) {
  candidates_.reserve(size + births_);
  lives_.reserve(size + births_);
  survivors_.reserve(size + births_);
}

bool Survival::precedes(const Candidate& a, const Candidate& b) {
  if (a.overage != b.overage) return a.overage < b.overage;
  if (a.merit < b.merit) return true;
  if (b.merit < a.merit) return false;
  return a.row < b.row;
}

void Survival::collect(const Population& rows, std::uint32_t offset, std::uint32_t generation, bool aged) {
  for (std::uint32_t row = 0; row < rows.size(); ++row) {
    std::uint32_t overage = 0;
    const std::uint32_t birth = birth_generation(rows.id[row]);
    if (aged && birth < generation && generation - birth >= settings_.max_age)
      overage = generation - birth - settings_.max_age + 1;
    candidates_.push_back({rows.merit(row), overage, offset + row});
  }
}

void Survival::keep_best(std::size_t begin, std::size_t count) {
  const auto first = candidates_.begin() + static_cast<std::ptrdiff_t>(begin);
  if (count < candidates_.size() - begin) {
    const auto middle = first + static_cast<std::ptrdiff_t>(count);
    std::nth_element(first, middle, candidates_.end(), precedes);
    candidates_.erase(middle, candidates_.end());
  }
}

void Survival::generational(const Population& population, const Population& newcomers, std::size_t elites) {
  if (elites > 0) collect(population, 0, 0, false);
  keep_best(0, elites);
  const std::size_t kept = candidates_.size();
  collect(newcomers, static_cast<std::uint32_t>(population.size()), 0, false);
  keep_best(kept, size_ - std::min(size_, kept));
}

void Survival::pooled(const Population& population, const Population& newcomers, std::uint32_t generation,
                      bool aged) {
  collect(population, 0, generation, aged);
  collect(newcomers, static_cast<std::uint32_t>(population.size()), generation, aged);
  keep_best(0, size_);
}

void Survival::replace_worst(const Population& population, const Population& newcomers) {
  const auto old_rows = static_cast<std::uint32_t>(population.size());
  collect(population, 0, 0, false);
  keep_best(0, size_);
  std::sort(candidates_.begin(), candidates_.end(), precedes);
  for (std::uint32_t n = 0; n < newcomers.size(); ++n) {
    const Candidate newcomer{newcomers.merit(n), 0, old_rows + n};
    if (candidates_.size() >= size_) {
      if (settings_.if_better && !precedes(newcomer, candidates_.back())) continue;
      candidates_.pop_back();
    }
    candidates_.insert(std::lower_bound(candidates_.begin(), candidates_.end(), newcomer, precedes),
                       newcomer);
  }
}

void Survival::replace_oldest(const Population& population, const Population& newcomers) {
  const auto old_rows = static_cast<std::uint32_t>(population.size());
  collect(population, 0, 0, false);
  keep_best(0, size_);
  std::sort(candidates_.begin(), candidates_.end(), [&](const Candidate& a, const Candidate& b) {
    const std::uint32_t birth_a = birth_generation(a.merit.id), birth_b = birth_generation(b.merit.id);
    return birth_a != birth_b ? birth_a < birth_b : a.row < b.row;
  });
  std::size_t oldest = 0;
  for (std::uint32_t n = 0; n < newcomers.size(); ++n) {
    const Candidate newcomer{newcomers.merit(n), 0, old_rows + n};
    if (candidates_.size() - oldest >= size_) {
      if (settings_.if_better && !precedes(newcomer, candidates_[oldest])) continue;
      ++oldest;
    }
    candidates_.push_back(newcomer);
  }
  candidates_.erase(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(oldest));
}

void Survival::replace_random(const Population& population, const Population& newcomers, Random& random) {
  const auto old_rows = static_cast<std::uint32_t>(population.size());
  collect(population, 0, 0, false);
  keep_best(0, size_);
  for (std::uint32_t n = 0; n < newcomers.size(); ++n) {
    const Candidate newcomer{newcomers.merit(n), 0, old_rows + n};
    if (candidates_.size() < size_) {
      candidates_.push_back(newcomer);
      continue;
    }
    Candidate& place = candidates_[random.below(static_cast<std::uint32_t>(candidates_.size()))];
    if (!settings_.if_better || precedes(newcomer, place)) place = newcomer;
  }
}

void Survival::settle(Population& population, const Population& newcomers) {
  const auto old_rows = static_cast<std::uint32_t>(population.size());
  const auto all_rows = old_rows + static_cast<std::uint32_t>(newcomers.size());
  lives_.assign(all_rows, 0);
  for (const Candidate& candidate : candidates_) lives_[candidate.row] = 1;
  std::uint32_t next = old_rows;
  const auto find_next = [&] {
    while (next < all_rows && lives_[next] == 0) ++next;
    return next < all_rows;
  };
  survivors_.clear();
  for (std::uint32_t row = 0; row < old_rows; ++row) {
    if (lives_[row] == 0) {
      if (!find_next()) continue;
      population.copy_row(row, newcomers, next++ - old_rows);
    }
    survivors_.push_back(row);
  }
  if (survivors_.size() < old_rows) population.keep(survivors_);
  while (find_next()) population.append_row(newcomers, next++ - old_rows);
}

void Survival::step(Population& population, const Population& newcomers, std::uint32_t generation,
                    Random& random) {
  candidates_.clear();
  switch (settings_.kind) {
    case SurvivalKind::generational:
      generational(population, newcomers, std::min(settings_.elites, size_));
      break;
    case SurvivalKind::comma:
      generational(population, newcomers, 0);
      break;
    case SurvivalKind::plus:
      pooled(population, newcomers, generation, false);
      break;
    case SurvivalKind::ageing:
      pooled(population, newcomers, generation, true);
      break;
    case SurvivalKind::steady_state:
      if (settings_.replace == Replace::worst)
        replace_worst(population, newcomers);
      else if (settings_.replace == Replace::oldest)
        replace_oldest(population, newcomers);
      else
        replace_random(population, newcomers, random);
      break;
  }
  settle(population, newcomers);
}

}  // namespace atl
