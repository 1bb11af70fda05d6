#include "atoll/store/reader.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <tuple>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/text.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

void expect_row(const StoreRow& row, const FakeBatch& b, std::uint32_t slot, const StoreLayout& layout) {
  const auto part = [slot](const auto& values, std::size_t width) {
    using Vector = std::decay_t<decltype(values)>;
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(slot * width);
    return Vector(first, first + static_cast<std::ptrdiff_t>(width));
  };
  EXPECT_EQ(std::tie(row.task, row.generation, row.island),
            std::tie(b.batch.task, b.batch.generation, b.batch.island));
  EXPECT_EQ(row.slot, slot);
  EXPECT_EQ(row.parent_a, b.parent_a[slot]);
  EXPECT_EQ(row.parent_b, b.parent_b[slot]);
  EXPECT_EQ(row.origin, b.origin[slot]);
  EXPECT_EQ(row.fitness, b.fitness[slot]);
  EXPECT_EQ(row.violation, b.violation[slot]);
  EXPECT_EQ(row.integers, part(b.integers, layout.integer_genes.size()));
  EXPECT_EQ(row.reals, part(b.reals, layout.real_genes.size()));
  auto costs = part(b.costs, layout.costs.size());
  for (std::size_t i = 0; i < costs.size(); ++i)
    if (layout.costs[i].keep == Keep::compact) costs[i] = static_cast<double>(static_cast<float>(costs[i]));
  derive_costs(layout.tasks[b.batch.task], costs);
  EXPECT_EQ(row.costs, costs);
}

class Shapes : public ::testing::TestWithParam<FakeSpace> {};

TEST_P(Shapes, EveryRowComesBackAsItWasWritten) {
  const FakeSpace space = GetParam();
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, space, 15, 3);
  const auto reader = StoreReader::open(path);
  const StoreLayout& layout = reader->summary().layout;
  EXPECT_TRUE(reader->summary().sealed);
  EXPECT_EQ(reader->summary().batches, 90U);
  EXPECT_EQ(reader->summary().synced_batches, 90U);
  std::uint64_t rows = 0;
  for (const StoreBatchInfo& info : reader->batches()) {
    EXPECT_EQ(info.first_row, rows);
    const FakeBatch b = fake_batch(layout, space, {info.task, info.generation, info.island});
    ASSERT_EQ(info.rows, b.batch.rows);
    for (std::uint32_t slot = 0; slot < info.rows; slot += 7)
      expect_row(reader->row(rows + slot), b, slot, layout);
    rows += info.rows;
  }
  EXPECT_EQ(rows, reader->summary().rows);
  EXPECT_THROW(reader->row(rows), InputError);
}

INSTANTIATE_TEST_SUITE_P(
    Store, Shapes,
    ::testing::Values(FakeSpace{}, FakeSpace{1, 0, 1, 0, 5, false}, FakeSpace{0, 4, 2, 3, 1, true},
                      FakeSpace{9, 3, 0, 4, 70000, true}, FakeSpace{61, 0, 13, 40, 512, false},
                      FakeSpace{1200, 0, 1, 1, 300, false, 0}));  // too many for one type

TEST(StoreReader, IndexAndBestRowsAgreeWithABruteForceSearch) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, FakeSpace{}, 20, 9);
  const auto reader = StoreReader::open(path);
  const auto index = reader->index();
  std::map<std::uint32_t, std::uint64_t> best;
  const auto key = [&index](std::uint64_t r) {
    return std::make_tuple(index.fitness[r], index.generation[r], index.island[r], index.slot[r]);
  };
  for (std::uint64_t r = 0; r < index.task.size(); ++r) {
    if (index.violation[r] > 0) continue;
    if (!best.contains(index.task[r]) || key(r) < key(best[index.task[r]])) best[index.task[r]] = r;
  }
  EXPECT_EQ(reader->best_rows(), (std::vector<std::uint64_t>{best[0], best[1]}));
}

TEST(StoreReader, BestRowIsTheNumberOfRowsWhereNothingIsFeasible) {
  const Folder folder;
  const StoreLayout layout = fake_layout(FakeSpace{});
  const auto writer = StoreWriter::create(folder.file("results.h5"), layout);
  FakeBatch b = fake_batch(layout, FakeSpace{}, {1, 0, 0});
  for (double& violation : b.violation) violation = 2;
  writer->append(pack_batch(layout, b.batch, {}, {}, {}));
  writer->commit();
  const auto reader = StoreReader::open(folder.file("results.h5"));
  EXPECT_EQ(reader->best_rows(), (std::vector<std::uint64_t>{b.batch.rows, b.batch.rows}));
}

TEST(StoreReader, LayerCostsMappingsAndMigrationsComeBack) {
  const FakeSpace space{4, 0, 2, 2, 9, true};
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, space, 10);
  const auto reader = StoreReader::open(path);
  std::size_t migrations = 0, layers = 0;
  for (const StoreBatchInfo& info : reader->batches()) {
    const FakeBatch b =
        fake_batch(reader->summary().layout, space, {info.task, info.generation, info.island});
    migrations += b.migrations.size();
    for (const StoreLayerCost& cost : b.layer_costs) {
      const auto stored = reader->layer_costs(info.first_row + cost.slot);
      const auto same = [&cost](const StoreLayerCost& s) {
        return s.layer_key == cost.layer_key && s.mapping_key == cost.mapping_key &&
               s.multiplicity == cost.multiplicity && s.cycles == cost.cycles && s.energy == cost.energy &&
               s.slot == cost.slot;
      };
      ASSERT_EQ(std::count_if(stored.begin(), stored.end(), same), 1);
      if (++layers % 50 == 0) {
        EXPECT_EQ(reader->mapping(cost.mapping_key),
                  "{\"mapping\": " + std::to_string(cost.mapping_key) + "}");
      }
    }
  }
  EXPECT_EQ(reader->migrations().size(), migrations);
  EXPECT_EQ(reader->summary().layer_costs, layers);
  EXPECT_EQ(reader->mapping(12345), "");
}

TEST(StoreReader, ProvenanceAndLayoutComeBack) {
  const Folder folder;
  const FakeSpace space{3, 2, 1, 1, 9, false};
  StoreLayout layout = fake_layout(space);
  layout.network = std::string(100000, 'n');
  layout.config = "";
  const auto writer = StoreWriter::create(folder.file("results.h5"), layout);
  writer->note("host", "a\nb");
  writer->note("version", "1");
  writer->seal();
  const auto summary = StoreReader::open(folder.file("results.h5"))->summary();
  EXPECT_EQ(summary.provenance, (std::vector<std::string>{"host: a b", "version: 1"}));
  EXPECT_EQ(summary.layout.network, layout.network);
  EXPECT_EQ(summary.layout.config, "");
  EXPECT_EQ(summary.layout.accelerator, layout.accelerator);
  EXPECT_EQ(summary.layout.seed, 11U);
  EXPECT_EQ(summary.layout.tasks[1].real_high, layout.tasks[1].real_high);
  EXPECT_EQ(summary.layout.islands[1].policy, "explorer");
  EXPECT_EQ(summary.schema_version, "2.0");
}

TEST(StoreReader, SaysWhatIsWrongWithAFile) {
  const Folder folder;
  const auto says = [&folder](const std::string& name, const std::string& part) {
    const auto text = message_of<InputError>([&] { StoreReader::open(folder.file(name)); });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says("missing.h5", "does not exist");
  std::ofstream(folder.file("empty.h5")).flush();
  says("empty.h5", "is an empty file");
  std::ofstream(folder.file("text.h5")) << "task,generation,island\n0,0,0\n";
  says("text.h5", "is not an HDF5 file");
  std::filesystem::create_directory(folder.file("folder.h5"));
  says("folder.h5", "is a folder");
  write_run(folder.file("good.h5"), FakeSpace{}, 1);
  std::filesystem::copy(folder.file("good.h5"), folder.file("cut.h5"));
  std::filesystem::resize_file(folder.file("cut.h5"), 30);
  says("cut.h5", "ends after 30 bytes");
}

TEST(StoreReader, KnowsWhichRowsAreSound) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, FakeSpace{}, 5);
  const std::uint64_t rows = StoreReader::open(path)->summary().rows;
  std::string bytes = read_text_file(path);
  const double fitness = StoreReader::open(path)->row(20).fitness;
  const std::string value(reinterpret_cast<const char*>(&fitness), sizeof fitness);
  const std::size_t at = bytes.find(value);
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  write_text_file_atomically(path, bytes);
  const auto reader = StoreReader::open(path);
  for (const StoreBatchInfo& batch : reader->batches())
    for (std::uint64_t r = batch.first_row; r < batch.first_row + batch.rows; r += 13)
      EXPECT_EQ(reader->sound(r), 20 < batch.first_row || 20 >= batch.first_row + batch.rows) << r;
  EXPECT_FALSE(reader->sound(rows));
}

// tests/data/store/README.md: what schema 1.0 held is read as its own atoll exported it.
TEST(StoreReader, ReadsSchema1) {
  const Folder folder;
  const std::string path = folder.file("old.h5"), data = ATOLL_TEST_DATA "/store/schema-1.0";
  write_text_file_atomically(path, read_text_file(data + ".h5.gz"));
  EXPECT_EQ(store_digest(path), "43041450d4efa9bcb34f3540d7acf1e4");
  EXPECT_EQ(verify_store(path), std::vector<std::string>{});
  const auto reader = StoreReader::open(path);
  const std::vector<std::string> lines = split(read_text_file(data + ".csv.gz"), '\n');
  ASSERT_EQ(lines.size(), reader->summary().rows + 2);
  for (std::uint64_t r = 0; r < reader->summary().rows; ++r) {
    const StoreRow row = reader->row(r);
    std::vector<double> values(row.integers.begin(), row.integers.end());
    values.insert(values.end(), row.reals.begin(), row.reals.end());
    values.insert(values.end(), row.costs.begin(), row.costs.end());
    const std::vector<std::string> cells = split(lines[r + 1], ',');
    ASSERT_GT(cells.size(), values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(std::stod(cells[cells.size() - values.size() + i]), values[i]) << r << ' ' << i;
  }
  // It is not written on: its batches have another form.
  StoreLayout layout = reader->summary().layout;
  EXPECT_NE(message_of<InputError>([&] { StoreWriter::reopen(path, layout); }).find("schema version 1.0"),
            std::string::npos);
}

}  // namespace
}  // namespace atl::testing
