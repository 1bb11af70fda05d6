// One process without mpirun: everything a communicator offers must work alone. What needs several ranks
// stands in communicator_mpi.cpp.
#include "atoll/transport/communicator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(Communicator, WorksAloneWithoutMpirun) {
  int argc = 0;
  char** argv = nullptr;
  auto world = Communicator::start(argc, argv);
  ASSERT_EQ(world->rank(), 0);
  ASSERT_EQ(world->size(), 1);
  EXPECT_FALSE(world->host().empty());
  EXPECT_THAT(world->allowed_processors(), ::testing::MatchesRegex("[0-9]+([-,][0-9]+)*"));
  EXPECT_THAT(mpi_version(), ::testing::HasSubstr("MPI"));

  EXPECT_FALSE(world->poll(Channel::record).has_value());
  for (std::uint8_t i = 0; i < 3; ++i) world->send(0, Channel::record, {i});
  world->send(0, Channel::credit, {9});
  const auto first = world->poll(Channel::record);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->bytes, std::vector<std::uint8_t>{0});
  EXPECT_EQ(world->receive(0, Channel::credit).bytes, std::vector<std::uint8_t>{9});
  EXPECT_EQ(world->receive(0, Channel::record).bytes, std::vector<std::uint8_t>{1});
  EXPECT_EQ(world->receive(0, Channel::record).bytes, std::vector<std::uint8_t>{2});
  EXPECT_FALSE(world->poll(Channel::record).has_value());

  int turns = 0;
  const auto late = world->receive(0, Channel::migration, [&] {
    if (++turns == 5) world->send(0, Channel::migration, {7});
  });
  EXPECT_EQ(late.bytes, std::vector<std::uint8_t>{7});
  EXPECT_EQ(turns, 5);

  const std::vector<std::int64_t> values{-4, 5};
  EXPECT_EQ(world->agree_max(values), values);
  EXPECT_EQ(world->broadcast({1, 2}), (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(world->gather({3}), (std::vector<std::vector<std::uint8_t>>{{3}}));
  world->barrier();
  EXPECT_EQ(world->pending_sends(), 0U);
  world->finish();
}

}  // namespace
}  // namespace atl
