#include "atoll/app/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "atoll/base/random.hpp"
#include "atoll/base/units.hpp"
#include "atoll/network/network.hpp"
#include "atoll/space/mapping.hpp"
#include "atoll/space/sequential.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

// The numbers of individual_id(): tasks have 10 bits.
constexpr std::size_t most_tasks = 1 << 10;
constexpr std::size_t most_births = 1 << 16;

void make_mapping_space(Problem& problem) {
  const ProblemSettings& settings = problem.run.problem;
  NetworkOptions options;
  options.batch = settings.batch;
  auto space = std::make_unique<MappingSpace>(read_network(settings.network, options), problem.accelerator,
                                              settings.simulator);
  for (std::size_t t = 0; t < space->task_count(); ++t)
    problem.layer_keys.push_back(layer_key(space->layer(t)));
  problem.space = std::move(space);
}

// The space checks its bounds and the search's objective without knowing the run file: the place is added
// here.
void make_sequential_space(Problem& problem) {
  const ProblemSettings& settings = problem.run.problem;
  try {
    problem.space = std::make_unique<SequentialSpace>(settings.bounds, problem.accelerator,
                                                      settings.simulator, settings.search);
  } catch (const InputError& error) {
    problem.run.fail("problem.sequential", error.what());
  }
  problem.layer_keys.emplace_back();
}

std::vector<std::string> column_names(const SearchSpace& space) {
  std::vector<std::string> names;
  for (const SpaceCostColumn& column : space.cost_columns()) names.push_back(column.name);
  return names;
}

std::string kind_name(GeneKind kind) {
  switch (kind) {
    case GeneKind::range:
      return "range";
    case GeneKind::category:
      return "category";
    case GeneKind::order_key:
      return "order_key";
    case GeneKind::bit:
      return "bit";
    case GeneKind::count:
      return "count";
    case GeneKind::innovation:
      break;
  }
  return "innovation";
}

// The objective knows columns, not files: its message gets the key's place here.
void make_objective(Problem& problem) {
  const ProblemSettings& settings = problem.run.problem;
  const std::vector<std::string> names = column_names(*problem.space);
  const auto parse = [&](const std::string& key, const std::vector<std::string>& constraints) {
    try {
      problem.objective = Objective(settings.objective, constraints, names);
    } catch (const InputError& error) {
      problem.run.fail(key, error.what());
    }
  };
  parse("problem.objective", {});
  if (!settings.constraints.empty()) parse("problem.constraints", settings.constraints);
}

PolicyContext largest_context(const Problem& problem) {
  PolicyContext context;
  context.schema = &problem.space->schema(0);
  context.cost_width = problem.space->cost_columns().size();
  context.size = problem.run.islands.size;
  context.generations = problem.run.islands.generations;
  return context;
}

std::uint64_t births_of_all_islands(const Problem& problem, std::size_t* largest) {
  std::uint64_t births = 0;
  for (const PolicyFactory& factory : problem.run.island_policies()) {
    const std::size_t batch = factory.make(largest_context(problem))->largest_batch();
    births += batch;
    *largest = std::max(*largest, batch);
  }
  return births;
}

void check_numbers(const Problem& problem) {
  if (problem.space->task_count() > most_tasks) {
    problem.run.fail("problem.network",
                     fmt::format("{} distinct layers; at most {} can be numbered in one run",
                                 problem.space->task_count(), most_tasks));
  }
  std::size_t largest = 0;
  births_of_all_islands(problem, &largest);
  if (largest > most_births) {
    problem.run.fail("islands.size",
                     fmt::format("a policy makes {} individuals in a generation; at most {} can be numbered",
                                 largest, most_births));
  }
}

Keep keep_of(const SpaceCostColumn& column) {
  if (column.derived) return Keep::derived;
  return column.headline ? Keep::exact : Keep::compact;
}

std::uint64_t hash(std::uint64_t seed, const std::string& text) {
  std::uint64_t state = mix64(seed ^ text.size());
  for (const char c : text) state = mix64(state ^ static_cast<unsigned char>(c));
  return state;
}

}  // namespace

const MappingSpace* Problem::mapping_space() const {
  return dynamic_cast<const MappingSpace*>(space.get());
}

Problem load_problem(RunFile run) {
  Problem problem;
  problem.run = std::move(run);
  problem.accelerator = read_accelerator(problem.run.problem.accelerator);
  if (problem.run.problem.space == SpaceKind::mapping) {
    make_mapping_space(problem);
  } else {
    make_sequential_space(problem);
  }
  make_objective(problem);
  check_numbers(problem);
  return problem;
}

StoreFormula stored_formula(const SpaceFormula& formula) {
  StoreFormula stored{static_cast<std::uint32_t>(formula.column), {}};
  for (const SpaceFormula::Term& term : formula.terms) {
    StoreTerm& copy = stored.terms.emplace_back();
    copy.factor = term.factor;
    for (const auto& [column, power] : term.powers)
      copy.powers.emplace_back(static_cast<std::uint32_t>(column), static_cast<std::int32_t>(power));
  }
  return stored;
}

StoreLayout make_layout(const Problem& problem, const RunTexts& texts) {
  const SearchSpace& space = *problem.space;
  StoreLayout layout;
  layout.run_name = problem.run.name;
  layout.seed = problem.run.seed;
  layout.config = texts.config;
  layout.accelerator = texts.accelerator;
  layout.network = texts.network;
  layout.objective = problem.run.problem.objective;
  layout.space = problem.run.problem.space == SpaceKind::mapping ? "mapping" : "sequential";
  for (const Gene& gene : space.schema(0).integers)
    layout.integer_genes.push_back({gene.name, kind_name(gene.kind)});
  for (const RealGene& gene : space.schema(0).reals) layout.real_genes.push_back({gene.name, "real"});
  for (const SpaceCostColumn& column : space.cost_columns())
    layout.costs.push_back({column.name, column.unit, keep_of(column)});
  for (std::size_t t = 0; t < space.task_count(); ++t) {
    const TaskInfo info = space.task(t);
    StoreTask task{info.name, info.multiplicity, info.macs, problem.layer_keys[t], {}, {}, {}, {}, {}};
    for (const SpaceFormula& formula : space.formulas(t)) task.formulas.push_back(stored_formula(formula));
    for (const Gene& gene : space.schema(t).integers) {
      task.integer_low.push_back(gene.low);
      task.integer_high.push_back(gene.high);
    }
    for (const RealGene& gene : space.schema(t).reals) {
      task.real_low.push_back(gene.low);
      task.real_high.push_back(gene.high);
    }
    layout.tasks.push_back(std::move(task));
  }
  for (const std::string& name : problem.run.island_policy_names()) layout.islands.push_back({name});
  return layout;
}

std::uint64_t run_key(const Problem& problem, const RunTexts& texts) {
  std::uint64_t key = hash(0x61746f6c6cU, to_yaml(deciding_part(problem.run)));
  key = hash(key, texts.accelerator);
  for (std::size_t t = 0; t < problem.space->task_count(); ++t) {
    key = hash(key, problem.layer_keys[t]);
    key = hash(key, std::to_string(problem.space->task(t).multiplicity));
  }
  return key;
}

Prediction predict(const Problem& problem, std::uint32_t ranks) {
  Prediction result;
  const SearchSpace& space = *problem.space;
  result.integer_genes = space.schema(0).integer_width();
  result.real_genes = space.schema(0).real_width();
  result.cost_columns = space.cost_columns().size();
  result.tasks = space.task_count();
  std::size_t largest = 0;
  const std::uint64_t births = births_of_all_islands(problem, &largest);
  // At most: the first population may be smaller than a policy's largest batch.
  result.individuals = result.tasks * births * problem.run.islands.generations;
  result.row_bytes = static_cast<double>(stored_row_bytes(make_layout(problem, {})));
  constexpr double fixed = 1 << 20;  // tables as they stand empty, texts, the index of batches
  result.store_bytes = fixed + result.row_bytes * static_cast<double>(result.individuals);
  const double row_in_memory = 4.0 * static_cast<double>(result.integer_genes) +
                               8.0 * static_cast<double>(result.real_genes + result.cost_columns) + 64;
  const double islands_here =
      std::max(1.0, static_cast<double>((problem.run.islands.count + ranks - 1) / ranks));
  constexpr double process = 64.0 * (1 << 20);  // program, MPI, HDF5 and the record queue
  // Population, offspring and the batch in flight of each island.
  result.memory_bytes_per_rank =
      process + islands_here * 3 * row_in_memory * static_cast<double>(largest + problem.run.islands.size);
  result.files = 5 + 2 * 2 + 2 * result.tasks;  // store, texts and log; two checkpoints; best/
  return result;
}

void check_budget(const Problem& problem, const Prediction& prediction) {
  const double budget = problem.run.store_budget;
  if (budget <= 0 || prediction.store_bytes <= budget) return;
  problem.run.fail(
      "store.budget",
      fmt::format(
          "the store may become {} ({} individuals of up to {:.0f} B), above the budget of {}; raise it, or "
          "lower islands.size, islands.count or islands.generations",
          format_bytes(prediction.store_bytes), prediction.individuals, prediction.row_bytes,
          format_bytes(budget)));
}

std::vector<std::string> data_folders() {
  std::vector<std::string> folders;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const auto add = [&](const fs::path& folder) {
    const bool known = std::find(folders.begin(), folders.end(), folder.string()) != folders.end();
    if (!known && fs::is_directory(folder, error)) folders.push_back(folder.string());
  };
  for (fs::path at = program.parent_path(); !at.empty(); at = at.parent_path()) {
    add(at / "share" / "atoll");
    if (fs::is_directory(at / "configs" / "networks", error)) {
      add(at);
      add(at / "configs");
    }
    if (at == at.root_path()) break;
  }
  // A build folder elsewhere: the tree it was built from, as long as that is there.
  const fs::path source(ATOLL_SOURCE_TREE);
  if (fs::is_directory(source / "configs" / "networks", error)) {
    add(source);
    add(source / "configs");
  }
  return folders;
}

}  // namespace atl
