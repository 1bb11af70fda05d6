#include "fixtures.hpp"

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "atoll/evolution/population.hpp"
#include "atoll/store/writer.hpp"

namespace atl::testing {

namespace fs = std::filesystem;

// A constant of the task, products and quotients, and one that is always zero.
static std::vector<StoreFormula> fake_formulas(const StoreLayout& layout, std::uint32_t task) {
  std::vector<StoreFormula> formulas;
  const auto stored = static_cast<std::uint32_t>(std::count_if(
      layout.costs.begin(), layout.costs.end(), [](const auto& c) { return c.keep != Keep::derived; }));
  for (std::uint32_t c = stored; c < layout.costs.size(); ++c) {
    StoreFormula formula{c, {}};
    if (c % 3 != 0) formula.terms.push_back({1.5 + task, {{c % stored, 1}, {0, -1}}});
    if (c % 3 == 2) formula.terms.push_back({0.25, {}});
    formulas.push_back(formula);
  }
  return formulas;
}

StoreLayout fake_layout(const FakeSpace& space, std::uint32_t tasks, std::uint32_t islands) {
  StoreLayout layout;
  layout.run_name = "made-up";
  layout.seed = 11;
  layout.config = "run: {name: made-up}\n";
  layout.accelerator = "name: made-up\n";
  layout.objective = "edp";
  layout.space = "mapping";
  for (std::size_t i = 0; i < space.integers; ++i)
    layout.integer_genes.push_back({"g" + std::to_string(i), "range"});
  for (std::size_t i = 0; i < space.reals; ++i)
    layout.real_genes.push_back({"x" + std::to_string(i), "real"});
  for (std::size_t i = 0; i < space.headline; ++i)
    layout.costs.push_back({"h" + std::to_string(i), "pJ", Keep::exact});
  for (std::size_t i = 0; i < space.breakdown; ++i)
    layout.costs.push_back({"b" + std::to_string(i), "word", Keep::compact});
  for (std::size_t i = 0; i < space.derived; ++i)
    layout.costs.push_back({"d" + std::to_string(i), "pJ", Keep::derived});
  for (std::uint32_t t = 0; t < tasks; ++t) {
    StoreTask task{
        "layer" + std::to_string(t), t + 1, 1e6 * (t + 1), "conv K" + std::to_string(t), {}, {}, {}, {}, {}};
    for (std::size_t i = 0; i < space.integers; ++i) {  // of every width
      task.integer_low.push_back(i % 3 == 1 ? 0 : -1);
      task.integer_high.push_back(i % 3 == 1 ? 200 : i % 7 == 6 ? 100'000 : i % 7 == 5 ? 60'000 : space.high);
    }
    task.formulas = fake_formulas(layout, t);
    task.real_low.assign(space.reals, 0);
    task.real_high.assign(space.reals, 1);
    layout.tasks.push_back(task);
  }
  for (std::uint32_t i = 0; i < islands; ++i) layout.islands.push_back({i % 2 == 0 ? "greedy" : "explorer"});
  return layout;
}

FakeBatch fake_batch(const StoreLayout& layout, const FakeSpace& space, BatchName name, std::uint64_t seed) {
  Random random({seed, Purpose::test, name.task, name.island, name.generation, 0});
  FakeBatch b;
  b.batch.task = name.task;
  b.batch.generation = name.generation;
  b.batch.island = name.island;
  const std::uint32_t rows = b.batch.rows = random.below(60) + 1;
  const StoreTask& task = layout.tasks[name.task];
  for (std::size_t i = 0; i < rows * space.integers; ++i) {
    const std::size_t gene = i % space.integers;
    b.integers.push_back(random.between(task.integer_low[gene], task.integer_high[gene]));
  }
  for (std::size_t i = 0; i < rows * space.reals; ++i) b.reals.push_back(random.uniform());
  for (std::size_t i = 0; i < rows * layout.costs.size(); ++i) b.costs.push_back(random.uniform() * 1e9);
  for (std::uint32_t r = 0; r < rows; ++r) {
    b.fitness.push_back(random.uniform() * 1e12);
    b.violation.push_back(random.chance(0.2) ? random.uniform() : 0.0);
    b.parent_a.push_back(individual_id(name.task, name.generation, name.island, random.below(60)));
    b.parent_b.push_back(random.chance(0.5) ? no_individual : b.parent_a.back());
    b.origin.push_back(static_cast<std::uint8_t>(random.below(6)));
  }
  for (std::uint32_t i = 0; i < random.below(3); ++i)
    b.migrations.push_back({name.task, name.generation, i, name.island, 5, random.below(6), 0});
  for (std::uint32_t r = 0; space.layers && r < rows; ++r)
    for (std::uint32_t l = 0; l < random.below(4); ++l) {
      const std::uint64_t key = mix64(random.below(500)), layer = random.below(20);
      b.layer_costs.push_back({r, l + 1, layer, key, random.uniform() * 1e6, random.uniform() * 1e6});
      b.mappings.push_back({key, "{\"mapping\": " + std::to_string(key) + "}"});
    }
  b.batch.integers = b.integers;
  b.batch.reals = b.reals;
  b.batch.costs = b.costs;
  b.batch.fitness = b.fitness;
  b.batch.violation = b.violation;
  b.batch.parent_a = b.parent_a;
  b.batch.parent_b = b.parent_b;
  b.batch.origin = b.origin;
  return b;
}

std::vector<std::uint8_t> fake_packed(const StoreLayout& layout, const FakeSpace& space, BatchName name,
                                      std::uint64_t seed) {
  const FakeBatch b = fake_batch(layout, space, name, seed);
  return pack_batch(layout, b.batch, b.migrations, b.layer_costs, b.mappings);
}

std::vector<BatchName> all_names(std::uint32_t tasks, std::uint32_t generations, std::uint32_t islands) {
  std::vector<BatchName> names;
  for (std::uint32_t t = 0; t < tasks; ++t)
    for (std::uint32_t g = 0; g < generations; ++g)
      for (std::uint32_t i = 0; i < islands; ++i) names.push_back({t, g, i});
  return names;
}

void write_run(const std::string& path, const FakeSpace& space, std::uint32_t generations,
               std::uint64_t shuffle) {
  const StoreLayout layout = fake_layout(space);
  auto names = all_names(2, generations, 3);
  Random random({shuffle, Purpose::test, 0, 0, 0, 0});
  for (std::size_t i = names.size(); shuffle != 0 && i > 1; --i)
    std::swap(names[i - 1], names[random.below(static_cast<std::uint32_t>(i))]);
  const auto writer = StoreWriter::create(path, layout);
  for (const BatchName& name : names) {
    writer->append(fake_packed(layout, space, name));
    if (random.chance(0.1)) writer->commit();
  }
  writer->seal();
}

Folder::Folder() {
  std::string name = (fs::temp_directory_path() / "atoll-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

Folder::~Folder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace atl::testing
