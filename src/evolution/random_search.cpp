#include "atoll/evolution/random_search.hpp"

#include "atoll/evolution/evolution_policy.hpp"
#include "atoll/evolution/policy_state.hpp"

namespace atl {

namespace {

SurvivalSettings best_ever() {
  SurvivalSettings settings;
  settings.kind = SurvivalKind::plus;
  return settings;
}

}  // namespace

RandomSearch::RandomSearch(const PolicyContext& context)
    : context_(context),
      survival_(best_ever(), context.size),
      population_(context.schema->integer_width(), context.schema->real_width(), context.cost_width) {}

void RandomSearch::ask(std::uint32_t generation, Population& offspring) {
  lay_out_offspring(context_, context_.size, offspring);
  fill_random_rows(context_, generation, offspring);
}

void RandomSearch::tell(std::uint32_t generation, const Population& offspring) {
  Random random(policy_key(context_, Purpose::survival, generation, 0));
  survival_.step(population_, offspring, generation, random);
}

void RandomSearch::save(std::ostream& out) const {
  save_policy_state(out, population_, {});
}

void RandomSearch::load(std::istream& in) {
  std::vector<double> none;
  load_policy_state(in, population_, none);
}

}  // namespace atl
