// The generational evolutionary algorithm as a policy: selection, variation, survival. Its state is the
// population (with a column for every self-adaptive rate) and one number per learning rate; everything else
// is derived from the settings.
//
// Random numbers: one stream per child (purpose variation, individual = slot), one per generation for
// selection and one for survival, so that a child depends on nothing but its parents and its slot.
#pragma once

#include <vector>

#include "atoll/evolution/crossover.hpp"
#include "atoll/evolution/mutation.hpp"
#include "atoll/evolution/policy_settings.hpp"
#include "atoll/evolution/schedule.hpp"
#include "atoll/evolution/selection.hpp"
#include "atoll/evolution/survival.hpp"

namespace atl {

class EvolutionPolicy final : public Policy {
 public:
  EvolutionPolicy(const PolicyFactory::Settings& settings, const PolicyContext& context);

  void ask(std::uint32_t generation, Population& offspring) override;
  void tell(std::uint32_t generation, const Population& offspring) override;
  const Population& population() const override { return population_; }
  Population& population() override { return population_; }
  std::size_t largest_batch() const override;
  void save(std::ostream& out) const override;
  void load(std::istream& in) override;

 private:
  void breed(std::uint32_t generation, std::size_t slot, Population& offspring);
  void learn(const Population& offspring);

  PolicyContext context_;
  Schedule crossover_rate_, mutation_rate_, genes_;
  Selection selection_;
  bool crosses_;
  Crossover crossover_;
  Mutation mutation_;
  Survival survival_;
  Population population_;

  // Room for one generation, used between ask and tell only.
  std::vector<std::uint32_t> order_, mothers_, fathers_;
  std::vector<Merit> mother_merits_;
  std::vector<Population::RankedRow> ranking_;
};

/// Gives `offspring` the widths of the context and `rows` rows that carry no judgement yet.
void lay_out_offspring(const PolicyContext& context, std::size_t rows, Population& offspring);
/// Fills all rows at random, from a stream of their own each (purpose initialise).
void fill_random_rows(const PolicyContext& context, std::uint32_t generation, Population& rows);
RandomKey policy_key(const PolicyContext& context, Purpose purpose, std::uint32_t generation,
                     std::uint32_t individual);

}  // namespace atl
