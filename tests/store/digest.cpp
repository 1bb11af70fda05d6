#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

TEST(Digest, DoesNotDependOnTheOrderOfBatchesOrCommits) {
  for (const bool layers : {false, true}) {
    const FakeSpace space{5, 1, 2, 3, 50, layers};
    const Folder folder;
    std::set<std::string> digests;
    for (std::uint64_t order = 0; order < 6; ++order) {
      const std::string path = folder.file(std::to_string(order) + ".h5");
      write_run(path, space, 10, order);
      digests.insert(store_digest(path));
    }
    EXPECT_EQ(digests.size(), 1U);
    EXPECT_EQ(digests.begin()->size(), 32U);
  }
}

/// Each change of one value in one batch must change the digest.
TEST(Digest, SeesEveryValue) {
  const FakeSpace space{5, 2, 2, 3, 50, true, 0};  // derived costs are not stored
  const StoreLayout layout = fake_layout(space);
  const Folder folder;
  int number = 0;
  const auto digest_with = [&](auto change) {
    FakeBatch b = fake_batch(layout, space, {1, 3, 2});
    change(b);
    const std::string path = folder.file(std::to_string(number++) + ".h5");
    const auto writer = StoreWriter::create(path, layout);
    writer->append(fake_packed(layout, space, {0, 0, 0}));
    writer->append(pack_batch(layout, b.batch, b.migrations, b.layer_costs, b.mappings));
    writer->seal();
    return store_digest(path);
  };
  std::set<std::string> digests;
  digests.insert(digest_with([](FakeBatch&) {}));
  digests.insert(digest_with([](FakeBatch& b) { b.integers.back() ^= 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.reals.front() += 0.25; }));
  digests.insert(digest_with([](FakeBatch& b) { b.costs.front() += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.costs.back() *= 2; }));
  digests.insert(digest_with([](FakeBatch& b) { b.fitness.back() += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.violation.back() += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.parent_a.back() += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.parent_b.front() = 5; }));
  digests.insert(digest_with([](FakeBatch& b) { b.origin.back() = 9; }));
  digests.insert(digest_with([](FakeBatch& b) { b.batch.generation = 4; }));
  digests.insert(digest_with([](FakeBatch& b) { b.batch.island = 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.migrations.push_back({1, 3, 7, 2, 5, 5, 0}); }));
  digests.insert(digest_with([](FakeBatch& b) { b.layer_costs.back().cycles += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.layer_costs.back().multiplicity += 1; }));
  digests.insert(digest_with([](FakeBatch& b) { b.layer_costs.pop_back(); }));
  EXPECT_EQ(digests.size(), static_cast<std::size_t>(number));
}

TEST(Digest, MappingsCountByContentAndOnlyIfNamed) {
  const FakeSpace space{2, 0, 1, 0, 5, false};
  const StoreLayout layout = fake_layout(space);
  const Folder folder;
  const std::vector<StoreLayerCost> layers = {{0, 1, 5, 77, 1.0, 2.0}};
  const auto digest_of = [&](const std::string& name, const std::vector<StoreMapping>& mappings, bool twice) {
    const FakeBatch first = fake_batch(layout, space, {0, 0, 0}),
                    second = fake_batch(layout, space, {0, 1, 0});
    const auto writer = StoreWriter::create(folder.file(name), layout);
    writer->append(pack_batch(layout, first.batch, {}, layers, mappings));
    writer->append(
        pack_batch(layout, second.batch, {}, layers, twice ? mappings : std::vector<StoreMapping>{}));
    writer->seal();
    return store_digest(folder.file(name));
  };
  const std::string once = digest_of("a", {{77, "seven"}}, false);
  EXPECT_EQ(once, digest_of("b", {{77, "seven"}}, true));
  EXPECT_EQ(once, digest_of("c", {{78, "nobody names it"}, {77, "seven"}}, false));
  EXPECT_NE(once, digest_of("d", {{77, "eight"}}, false));
}

/// Any damaged byte of the rows is found: the digest never comes out different in silence.
TEST(Digest, ABatchThatClaimsMoreRowsThanThereAreIsDamageAndCostsNoMemory) {
  const FakeSpace space{5, 1, 2, 3, 50, true};
  const Folder folder;
  const std::string path = folder.file("index.h5");
  write_run(path, space, 8);
  const StoreBatchInfo batch = StoreReader::open(path)->batches()[5];
  std::string bytes(std::filesystem::file_size(path), '\0');
  std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  std::string entry(24, '\0');  // the beginning of its row in the index
  std::memcpy(entry.data(), &batch, 16);
  std::memcpy(entry.data() + 16, &batch.first_row, 8);
  const std::size_t at = bytes.find(entry);
  ASSERT_NE(at, std::string::npos);
  bytes[at + 15] = '\x70';  // rows, the highest byte
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THROW(store_digest(path), StoreError);
  EXPECT_EQ(verify_store(path).size(), 1U);
}

TEST(Digest, FindsDamage) {
  const FakeSpace space{5, 1, 2, 3, 50, true};
  const Folder folder;
  const std::string good = folder.file("good.h5"), bad = folder.file("bad.h5");
  write_run(good, space, 8);
  const std::string expected = store_digest(good);
  std::string bytes(std::filesystem::file_size(good), '\0');
  std::ifstream(good, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  Random random({3, Purpose::test, 0, 0, 0, 0});
  int found = 0;
  for (int trial = 0; trial < 400; ++trial) {
    std::string changed = bytes;
    const auto at = random.below(static_cast<std::uint32_t>(bytes.size()));
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
    std::ofstream(bad, std::ios::binary) << changed;
    try {
      EXPECT_EQ(store_digest(bad), expected)
          << "a flipped bit at byte " << at << " changed the digest in silence";
    } catch (const Error&) {
      ++found;
    }
  }
  EXPECT_GT(found, 20);
}

}  // namespace
}  // namespace atl::testing
