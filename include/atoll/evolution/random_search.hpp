// Random search: as many random rows a generation as the island holds; the population is the best seen. The
// baseline that every other policy has to beat.
#pragma once

#include "atoll/evolution/policy.hpp"
#include "atoll/evolution/survival.hpp"

namespace atl {

class RandomSearch final : public Policy {
 public:
  explicit RandomSearch(const PolicyContext& context);

  void ask(std::uint32_t generation, Population& offspring) override;
  void tell(std::uint32_t generation, const Population& offspring) override;
  const Population& population() const override { return population_; }
  Population& population() override { return population_; }
  std::size_t largest_batch() const override { return context_.size; }
  void save(std::ostream& out) const override;
  void load(std::istream& in) override;

 private:
  PolicyContext context_;
  Survival survival_;
  Population population_;
};

}  // namespace atl
