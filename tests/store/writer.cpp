#include "atoll/store/writer.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

const FakeSpace plain;

TEST(StoreWriter, WhatIsCommittedCanBeReadWhileTheWriterLives) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  const StoreLayout layout = fake_layout(plain);
  const auto writer = StoreWriter::create(path, layout);
  EXPECT_EQ(StoreReader::open(path)->summary().batches, 0U);
  std::uint64_t rows = 0, batches = 0;
  for (const BatchName& name : all_names(2, 40, 3)) {
    writer->append(fake_packed(layout, plain, name));
    EXPECT_EQ(StoreReader::open(path)->summary().rows, rows) << "nothing shows before commit";
    writer->commit();
    rows = writer->rows();
    const auto reader = StoreReader::open(path);
    EXPECT_EQ(reader->summary().rows, rows);
    EXPECT_EQ(reader->summary().batches, ++batches);
    EXPECT_EQ(writer->committed_batches(), batches);
  }
  EXPECT_EQ(verify_store(path), std::vector<std::string>{});
}

TEST(StoreWriter, RefusesAnExistingFileAndASecondWriter) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  std::ofstream(path) << "precious";
  EXPECT_NE(
      message_of<InputError>([&] { StoreWriter::create(path, fake_layout(plain)); }).find("exists already"),
      std::string::npos);
  std::ifstream in(path);
  std::string text;
  in >> text;
  EXPECT_EQ(text, "precious");
  const std::string other = folder.file("other.h5");
  const auto writer = StoreWriter::create(other, fake_layout(plain));
  EXPECT_NE(message_of<InputError>([&] {
              StoreWriter::create(other, fake_layout(plain));
            }).find("being written by process"),
            std::string::npos);
}

TEST(StoreWriter, RefusesAFolderThatIsNotThere) {
  const Folder folder;
  EXPECT_NE(message_of<ResourceError>(
                [&] { StoreWriter::create(folder.file("no/results.h5"), fake_layout(plain)); }),
            "");
}

TEST(StoreWriter, DropsWhatItHasAndRefusesWhatDiffers) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  const StoreLayout layout = fake_layout(plain);
  const auto writer = StoreWriter::create(path, layout);
  const BatchName name{1, 4, 2};
  writer->append(fake_packed(layout, plain, name));
  const std::uint64_t rows = writer->rows();
  writer->append(fake_packed(layout, plain, name));
  EXPECT_EQ(writer->rows(), rows);
  const auto text = message_of<InternalError>([&] { writer->append(fake_packed(layout, plain, name, 2)); });
  EXPECT_NE(text.find("task 1, generation 4, island 2"), std::string::npos) << text;
}

TEST(StoreWriter, ContinuesAnInterruptedRunToTheSameDigest) {
  for (const bool layers : {false, true}) {
    const FakeSpace space{7, 2, 3, 5, 100000, layers};
    const Folder folder;
    write_run(folder.file("whole.h5"), space, 12);
    const StoreLayout layout = fake_layout(space);
    const auto names = all_names(2, 12, 3);
    Random random({5, Purpose::test, 0, 0, 0, 0});
    const std::string path = folder.file("parts.h5");
    auto writer = StoreWriter::create(path, layout);
    for (int part = 0; part < 6; ++part) {
      const std::size_t first = random.below(20), last = 12 * static_cast<std::size_t>(part + 1);
      for (std::size_t i = std::min(first, last); i < std::min(last, names.size()); ++i) {
        writer->append(fake_packed(layout, space, names[i]));
        if (random.chance(0.2)) writer->commit();
      }
      writer.reset();
      writer = StoreWriter::reopen(path, layout);
    }
    for (const BatchName& name : names) writer->append(fake_packed(layout, space, name));
    writer->seal();
    EXPECT_EQ(store_digest(path), store_digest(folder.file("whole.h5")));
    EXPECT_EQ(verify_store(path), std::vector<std::string>{});
  }
}

TEST(StoreWriter, RefusesTheStoreOfAnotherRun) {
  const Folder folder;
  const std::string path = folder.file("results.h5");
  write_run(path, plain, 2);
  StoreLayout other = fake_layout(plain);
  other.seed = 12;
  EXPECT_NE(message_of<InputError>([&] { StoreWriter::reopen(path, other); }).find("seed is 11, not 12"),
            std::string::npos);
  other = fake_layout(plain);
  other.costs[1].name = "renamed";
  EXPECT_NE(message_of<InputError>([&] { StoreWriter::reopen(path, other); }), "");
  other = fake_layout(plain);
  other.config = "a comment more\n";
  EXPECT_NO_THROW(StoreWriter::reopen(path, other));
}

TEST(StoreWriter, RefusesDamagedPackedBytes) {
  const Folder folder;
  const StoreLayout layout = fake_layout(plain);
  const auto writer = StoreWriter::create(folder.file("results.h5"), layout);
  const auto good = fake_packed(layout, plain, {0, 0, 0});
  Random random({7, Purpose::test, 0, 0, 0, 0});
  for (int trial = 0; trial < 2000; ++trial) {
    auto bad = good;
    const std::uint32_t at = random.below(static_cast<std::uint32_t>(bad.size()));
    if (at >= 40 && at < 64) continue;  // reserved bytes of the header
    if (random.chance(0.8))
      bad[at] = static_cast<std::uint8_t>(bad[at] ^ (1U << random.below(8)));
    else
      bad.resize(at);
    EXPECT_THROW(writer->append(bad), InternalError) << at;
  }
  EXPECT_EQ(writer->rows(), 0U);
}

}  // namespace
}  // namespace atl::testing
