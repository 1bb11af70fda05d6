#include "atoll/island/island.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <sstream>
#include <utility>

#include "atoll/base/error.hpp"
#include "atoll/island/bytes.hpp"
#include "atoll/island/mailbox.hpp"
#include "atoll/island/recorder.hpp"

namespace atl {

// The life of an island. Everything else in this file is one of these lines written out.
void Island::generation() {
  let_immigrants_enter();                  // those that neighbours sent after the last generation
  policy_->ask(generation_, offspring_);   // rows to try; the first time a random population
  name_offspring();                        // ids from (task, generation, island, slot)
  evaluate();                              // the space repairs, decodes and costs the whole batch
  judge();                                 // costs -> fitness and violation, by this island's objective
  policy_->tell(generation_, offspring_);  // survival
  remember_the_best();
  record();  // every individual of every generation goes to the store
  ++generation_;
  send_emigrants();
}

namespace {

std::size_t column_of(const SearchSpace& space, const std::string& name) {
  const auto& columns = space.cost_columns();
  const auto found =
      std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
  return static_cast<std::size_t>(found - columns.begin());
}

}  // namespace

Island::Island(std::uint32_t id, Surroundings surroundings)
    : id_(id),
      around_(surroundings),
      cycles_column_(column_of(surroundings.space, "cycles")),
      bound_column_(column_of(surroundings.space, "bound_cycles")) {
  for (const std::uint32_t edge : around_.mailbox.edges_into(id_)) {
    traffic_.push_back({.from = around_.mailbox.edges()[edge].from, .to = id_});
  }
}

void Island::begin(std::uint32_t task) {
  task_ = task;
  generation_ = 0;
  best_fitness_ = std::numeric_limits<double>::infinity();
  best_ratio_ = 0;
  const GenomeSchema& schema = around_.space.schema(task);
  const std::size_t costs = around_.space.cost_columns().size();
  policy_ = around_.settings.policies[id_].make({.schema = &schema,
                                                 .cost_width = costs,
                                                 .size = around_.settings.size,
                                                 .generations = around_.settings.generations,
                                                 .seed = around_.settings.seed,
                                                 .task = task,
                                                 .island = id_});
  if (policy_->largest_batch() > 65536) {
    throw InputError(
        fmt::format("islands.size: a generation may have at most 65536 individuals, policy '{}' wants {}",
                    around_.settings.policies[id_].name(), policy_->largest_batch()));
  }
  offspring_ = Population(schema.integer_width(), schema.real_width(), costs);
  immigrants_ = Population(schema.integer_width(), schema.real_width(), costs);
}

bool Island::migration_due() const {
  const std::uint32_t every = around_.settings.migration.every;
  return every > 0 && generation_ > 0 && generation_ % every == 0 &&
         generation_ < around_.settings.generations;
}

void Island::let_immigrants_enter() {
  migrations_.clear();
  const auto edges = around_.mailbox.edges_into(id_);
  if (!migration_due() || edges.empty()) return;
  Arrivals arrivals(policy_->population(), around_.settings.migration.enter);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const std::uint32_t from = traffic_[i].from;
    const auto letter = around_.mailbox.take(edges[i]);
    unpack_migrants(letter, {task_, generation_, from, id_}, around_.settings.objective, immigrants_);
    Random random({around_.settings.seed, Purpose::immigration, task_, id_, generation_, from});
    const auto [accepted, rejected] = arrivals.admit(immigrants_, random);
    migrations_.push_back({task_, generation_, from, id_, accepted + rejected, accepted, rejected});
    traffic_[i].sent += accepted + rejected;
    traffic_[i].accepted += accepted;
    traffic_[i].rejected += rejected;
  }
}

void Island::send_emigrants() {
  const auto edges = around_.mailbox.edges_out_of(id_);
  if (!migration_due() || edges.empty()) return;
  const Population& population = policy_->population();
  const Departures departures(population, around_.settings.migration.leave);
  for (const std::uint32_t edge : edges) {
    const std::uint32_t to = around_.mailbox.edges()[edge].to;
    Random random({around_.settings.seed, Purpose::emigration, task_, id_, generation_, to});
    const auto rows = departures.choose(around_.settings.migration.elites, random);
    around_.mailbox.post(
        edge, pack_migrants({task_, generation_, id_, to}, population, rows, around_.settings.objective));
  }
}

void Island::name_offspring() {
  for (std::size_t slot = 0; slot < offspring_.size(); ++slot) {
    offspring_.id[slot] = individual_id(task_, generation_, id_, slot);
  }
}

void Island::evaluate() {
  detail_.layers.clear();
  detail_.mappings.clear();
  const auto start = std::chrono::steady_clock::now();
  around_.space.evaluate(task_, offspring_, &detail_);
  seconds_evaluating_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Island::judge() {
  const Objective& objective = around_.settings.objective;
  for (std::size_t row = 0; row < offspring_.size(); ++row) {
    offspring_.fitness[row] = objective.fitness(offspring_.costs(row));
    offspring_.violation[row] += objective.violation(offspring_.costs(row));
  }
}

void Island::remember_the_best() {
  if (offspring_.size() == 0) return;
  const std::size_t best = offspring_.best();
  const bool feasible = offspring_.violation[best] == 0;
  if (!feasible || !(offspring_.fitness[best] < best_fitness_)) return;
  const auto costs = offspring_.costs(best);
  best_fitness_ = offspring_.fitness[best];
  const bool bounded =
      cycles_column_ < costs.size() && bound_column_ < costs.size() && costs[bound_column_] > 0;
  best_ratio_ = bounded ? costs[cycles_column_] / costs[bound_column_] : 0;
}

void Island::record() {
  layer_costs_.clear();
  for (const LayerCost& layer : detail_.layers) {
    layer_costs_.push_back({.slot = layer.row,
                            .multiplicity = layer.multiplicity,
                            .layer_key = layer.layer_key,
                            .mapping_key = layer.mapping_key,
                            .cycles = layer.cycles,
                            .energy = layer.energy});
  }
  mappings_.clear();
  for (NamedMapping& mapping : detail_.mappings) mappings_.push_back({mapping.key, std::move(mapping.json)});
  const auto rows = static_cast<std::uint32_t>(offspring_.size());
  const StoreBatch batch{
      .task = task_,
      .generation = generation_,
      .island = id_,
      .rows = rows,
      .integers = offspring_.all_integers(),
      .reals = offspring_.all_reals(),
      .costs = std::as_const(offspring_).all_costs(),
      .fitness = offspring_.fitness,
      .violation = offspring_.violation,
      .parent_a = offspring_.parent_a,
      .parent_b = offspring_.parent_b,
      .origin = {reinterpret_cast<const std::uint8_t*>(offspring_.origin.data()), offspring_.origin.size()}};
  around_.recorder.record({task_, generation_, id_, rows, best_fitness_, best_ratio_},
                          pack_batch(around_.settings.layout, batch, migrations_, layer_costs_, mappings_));
}

void Island::wait_for_letters() {
  if (!migration_due()) return;
  for (const std::uint32_t edge : around_.mailbox.edges_into(id_)) around_.mailbox.wait_for(edge);
}

std::string Island::save() {
  ByteWriter out;
  out.value(id_);
  out.value(task_);
  out.value(generation_);
  out.value(best_fitness_);
  out.value(best_ratio_);
  const auto edges = around_.mailbox.edges_into(id_);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    out.value(traffic_[i]);
    if (migration_due()) out.bytes(around_.mailbox.wait_for(edges[i]));
  }
  std::ostringstream policy(std::ios::binary);
  policy_->save(policy);
  out.text(policy.str());
  return out.take_text();
}

void Island::load(std::uint32_t task, std::uint32_t completed, const std::string& bytes) {
  begin(task);
  generation_ = completed;
  ByteReader in(bytes);
  const auto id = in.value<std::uint32_t>();
  const auto saved_task = in.value<std::uint32_t>();
  const auto saved_generation = in.value<std::uint32_t>();
  if (id != id_ || saved_task != task || saved_generation != completed) {
    throw InternalError(fmt::format(
        "the checkpoint of island {} (task {}, generation {}) holds island {} (task {}, generation {})", id_,
        task, completed, id, saved_task, saved_generation));
  }
  best_fitness_ = in.value<double>();
  best_ratio_ = in.value<double>();
  const auto edges = around_.mailbox.edges_into(id_);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    traffic_[i] = in.value<EdgeTraffic>();
    if (migration_due()) around_.mailbox.put_back(edges[i], in.bytes());
  }
  std::istringstream policy(in.text(), std::ios::binary);
  policy_->load(policy);
  if (!in.at_end()) throw InternalError("the checkpoint of an island is longer than it says");
}

}  // namespace atl
