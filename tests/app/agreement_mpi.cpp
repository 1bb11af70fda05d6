// Whoever fails, all ranks leave with the same message and code; who succeeds is not held up.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "atoll/app/agreement.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {
namespace {

Communicator* world = nullptr;  // of this test program; made before the tests run

std::string message_of(const std::function<void()>& step, ExitCode expected) {
  try {
    agree_on(*world, step);
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), expected);
    return error.what();
  }
  return "";
}

TEST(Agreement, PassesWhenNobodyFails) {
  int calls = 0;
  agree_on(*world, [&] { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(Agreement, GivesEveryRankTheMessageOfTheOneThatFailed) {
  for (int failing = 0; failing < world->size(); ++failing) {
    const auto step = [&] {
      if (world->rank() == failing) throw ResourceError("rank " + std::to_string(failing) + " has no disk");
    };
    EXPECT_EQ(message_of(step, ExitCode::machine), "rank " + std::to_string(failing) + " has no disk");
  }
}

TEST(Agreement, TakesTheLowestRankWhenAllFail) {
  const auto step = [] { throw InputError("rank " + std::to_string(world->rank())); };
  EXPECT_EQ(message_of(step, ExitCode::input), "rank 0");
}

TEST(Agreement, GoesOnAfterAFailure) {
  message_of([] { throw InputError("wrong"); }, ExitCode::input);
  EXPECT_NO_THROW(agree_on(*world, [] {}));
}

}  // namespace
}  // namespace atl

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto communicator = atl::Communicator::start(argc, argv);
  atl::world = communicator.get();
  const std::int64_t failed = RUN_ALL_TESTS();
  const std::int64_t any = communicator->agree_max({&failed, 1}).front();
  communicator->finish();
  return any == 0 ? 0 : 1;
}
