#include "atoll/evolution/evolution_policy.hpp"

#include <algorithm>
#include <limits>

#include "atoll/evolution/policy_state.hpp"

namespace atl {

RandomKey policy_key(const PolicyContext& context, Purpose purpose, std::uint32_t generation,
                     std::uint32_t individual) {
  return {context.seed, purpose, context.task, context.island, generation, individual};
}

void lay_out_offspring(const PolicyContext& context, std::size_t rows, Population& offspring) {
  const GenomeSchema& schema = *context.schema;
  if (offspring.integer_width() != schema.integer_width() || offspring.real_width() != schema.real_width() ||
      offspring.cost_width() != context.cost_width)
    offspring = Population(schema.integer_width(), schema.real_width(), context.cost_width);
  offspring.resize(rows);
  std::ranges::fill(offspring.fitness, std::numeric_limits<double>::infinity());
  std::ranges::fill(offspring.violation, 0.0);
  std::ranges::fill(offspring.id, no_individual);
  std::ranges::fill(offspring.parent_a, no_individual);
  std::ranges::fill(offspring.parent_b, no_individual);
}

void fill_random_rows(const PolicyContext& context, std::uint32_t generation, Population& rows) {
  for (std::uint32_t slot = 0; slot < rows.size(); ++slot) {
    Random random(policy_key(context, Purpose::initialise, generation, slot));
    random_row(*context.schema, random, rows.integers(slot), rows.reals(slot));
    rows.origin[slot] = Origin::random;
  }
}

EvolutionPolicy::EvolutionPolicy(const PolicyFactory::Settings& settings, const PolicyContext& context)
    : context_(context),
      crossover_rate_(settings.crossover.rate, context.generations, "crossover_rate"),
      mutation_rate_(settings.mutation.rate, context.generations, "mutation_rate"),
      genes_(settings.mutation.genes, context.generations, "mutation_genes"),
      selection_(settings.selection),
      crosses_(settings.crossover.kind != CrossoverKind::none),
      crossover_(settings.crossover, *context.schema),
      mutation_(settings.mutation, *context.schema),
      survival_(settings.survival, context.size),
      population_(context.schema->integer_width(), context.schema->real_width(), context.cost_width) {
  mutation_rate_.prepare(population_);
  genes_.prepare(population_);
}

std::size_t EvolutionPolicy::largest_batch() const {
  return std::max(context_.size, survival_.births());
}

void EvolutionPolicy::ask(std::uint32_t generation, Population& offspring) {
  const bool first = generation == 0 || population_.size() == 0;
  lay_out_offspring(context_, first ? context_.size : survival_.births(), offspring);
  mutation_rate_.prepare(offspring);
  genes_.prepare(offspring);
  if (first) {
    fill_random_rows(context_, generation, offspring);
    for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
      mutation_rate_.start(offspring, slot);
      genes_.start(offspring, slot);
    }
    return;
  }
  population_.rank(order_, ranking_);
  Random random(policy_key(context_, Purpose::selection, generation, 0));
  selection_.pick(population_, order_, offspring.size(), random, mothers_);
  if (crosses_) selection_.pick(population_, order_, offspring.size(), random, fathers_);
  mother_merits_.resize(offspring.size());
  for (std::size_t slot = 0; slot < offspring.size(); ++slot) {
    mother_merits_[slot] = population_.merit(mothers_[slot]);
    breed(generation, slot, offspring);
  }
}

void EvolutionPolicy::breed(std::uint32_t generation, std::size_t slot, Population& offspring) {
  const std::uint32_t mother = mothers_[slot], father = crosses_ ? fathers_[slot] : mother;
  Random random(policy_key(context_, Purpose::variation, generation, static_cast<std::uint32_t>(slot)));
  const auto integers = offspring.integers(slot);
  const auto reals = offspring.reals(slot);
  const auto value = [&](const Schedule& schedule) {
    return schedule.child_value(generation, population_, mother, random, offspring, slot);
  };
  const double rate = value(mutation_rate_), genes = value(genes_);
  Origin origin = Origin::copy;
  offspring.parent_a[slot] = population_.id[mother];
  if (father != mother && random.chance(value(crossover_rate_))) {
    const GenomeView a{population_.integers(mother), population_.reals(mother)};
    const GenomeView b{population_.integers(father), population_.reals(father)};
    crossover_.cross(a, b, random, integers, reals);
    offspring.parent_b[slot] = population_.id[father];
    origin = Origin::crossover;
  } else {
    std::ranges::copy(population_.integers(mother), integers.begin());
    std::ranges::copy(population_.reals(mother), reals.begin());
  }
  if (random.chance(rate)) {
    mutation_.mutate(genes, random, integers, reals);
    if (origin == Origin::copy) origin = Origin::mutation;
  }
  offspring.origin[slot] = origin;
}

void EvolutionPolicy::learn(const Population& offspring) {
  if (!mutation_rate_.learns() && !genes_.learns()) return;
  std::size_t trials = 0, successes = 0;
  for (std::size_t slot = 0; slot < std::min(offspring.size(), mother_merits_.size()); ++slot) {
    if (offspring.origin[slot] != Origin::crossover && offspring.origin[slot] != Origin::mutation) continue;
    ++trials;
    if (offspring.merit(slot).surpasses(mother_merits_[slot])) ++successes;
  }
  mutation_rate_.adapt(successes, trials);
  genes_.adapt(successes, trials);
}

void EvolutionPolicy::tell(std::uint32_t generation, const Population& offspring) {
  if (generation > 0) learn(offspring);
  Random random(policy_key(context_, Purpose::survival, generation, 0));
  survival_.step(population_, offspring, generation, random);
}

void EvolutionPolicy::save(std::ostream& out) const {
  save_policy_state(out, population_, {mutation_rate_.state(), genes_.state()});
}

void EvolutionPolicy::load(std::istream& in) {
  std::vector<double> numbers(2);
  load_policy_state(in, population_, numbers);
  mutation_rate_.restore(numbers[0]);
  genes_.restore(numbers[1]);
}

}  // namespace atl
