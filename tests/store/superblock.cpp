#include "atoll/store/superblock.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "atoll/base/error.hpp"
#include "atoll/store/reader.hpp"
#include "atoll/store/writer.hpp"
#include "fixtures.hpp"

namespace atl::testing {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Superblock, Lookup3GivesTheAuthorsValues) {
  // Known answers from driver5() of Bob Jenkins' lookup3.c (public domain), initial value 0.
  EXPECT_EQ(lookup3({}), 0xdeadbeefU);
  EXPECT_EQ(lookup3(bytes_of("Four score and seven years ago")), 0x17770551U);
}

TEST(Superblock, AgreesWithHdf5OnASealedFile) {
  const Folder folder;
  write_run(folder.file("a.h5"), FakeSpace{}, 3);
  const Superblock block = read_superblock(folder.file("a.h5"));
  EXPECT_TRUE(block.checksum_fits);
  EXPECT_FALSE(block.marked());
  EXPECT_EQ(block.end_of_file, block.file_size);
  EXPECT_FALSE(mend_superblock(folder.file("a.h5")));
}

/// A copy of the file of a live writer is what a kill leaves behind.
TEST(Superblock, MendsWhatAKillLeavesAndDoesSoOnce) {
  const Folder folder;
  const std::string live = folder.file("live.h5"), left = folder.file("left.h5");
  const StoreLayout layout = fake_layout(FakeSpace{});
  const auto writer = StoreWriter::create(live, layout);
  for (const BatchName& name : all_names(2, 30, 3)) writer->append(fake_packed(layout, FakeSpace{}, name));
  writer->commit();
  std::filesystem::copy(live, left);
  const Superblock before = read_superblock(left);
  EXPECT_TRUE(before.open_for_writing && before.swmr && before.checksum_fits);
  EXPECT_LT(before.end_of_file, before.file_size);
  EXPECT_TRUE(mend_superblock(left));
  EXPECT_FALSE(mend_superblock(left));
  const Superblock after = read_superblock(left);
  EXPECT_TRUE(!after.marked() && after.checksum_fits);
  EXPECT_EQ(after.end_of_file, before.file_size);
  EXPECT_EQ(StoreReader::open(left)->summary().batches, 180U);
  EXPECT_EQ(verify_store(left), std::vector<std::string>{});
}

TEST(Superblock, DoesNotTouchADamagedOne) {
  const Folder folder;
  const std::string path = folder.file("a.h5");
  write_run(path, FakeSpace{}, 3);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(11);
  file.put(5);
  file.close();
  EXPECT_FALSE(read_superblock(path).checksum_fits);
  EXPECT_NE(message_of<StoreError>([&] { mend_superblock(path); }).find("checksum does not fit"),
            std::string::npos);
}

}  // namespace
}  // namespace atl::testing
