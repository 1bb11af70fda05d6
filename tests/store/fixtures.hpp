// Made-up runs for the tests of the store: every batch is a pure function of its name, so that an interrupted
// run can be repeated.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/store/layout.hpp"

namespace atl::testing {

struct FakeSpace {
  std::size_t integers = 7, reals = 0, headline = 3, breakdown = 5;
  std::int32_t high = 100;
  bool layers = false;  // layer costs and mappings
  std::size_t derived = 4;
};

StoreLayout fake_layout(const FakeSpace& space, std::uint32_t tasks = 2, std::uint32_t islands = 3);

/// One generation of one island, kept with the arrays it points to.
struct FakeBatch {
  StoreBatch batch;
  std::vector<std::int32_t> integers;
  std::vector<double> reals, costs, fitness, violation;
  std::vector<std::uint64_t> parent_a, parent_b;
  std::vector<std::uint8_t> origin;
  std::vector<StoreMigration> migrations;
  std::vector<StoreLayerCost> layer_costs;
  std::vector<StoreMapping> mappings;
  FakeBatch() = default;
  FakeBatch(const FakeBatch&) = delete;
  FakeBatch(FakeBatch&&) = default;
};

struct BatchName {
  std::uint32_t task, generation, island;
  bool operator==(const BatchName&) const = default;
};

FakeBatch fake_batch(const StoreLayout& layout, const FakeSpace& space, BatchName name,
                     std::uint64_t seed = 1);
std::vector<std::uint8_t> fake_packed(const StoreLayout& layout, const FakeSpace& space, BatchName name,
                                      std::uint64_t seed = 1);
/// All batches of a run in order: task, generation, island.
std::vector<BatchName> all_names(std::uint32_t tasks, std::uint32_t generations, std::uint32_t islands);
/// Writes and seals a whole run; `shuffle` != 0 interleaves the batches in another order.
void write_run(const std::string& path, const FakeSpace& space, std::uint32_t generations,
               std::uint64_t shuffle = 0);

/// A folder of its own, gone at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The text of the exception `action` throws, "" if it throws none of type E.
template <class E, class F>
std::string message_of(F&& action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  return {};
}

}  // namespace atl::testing
