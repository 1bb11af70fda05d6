// A torture test at 1 to 8 ranks: thousands of messages of 0 bytes to 1 MB with random pauses must all
// arrive, whole and in order per (source, channel), while agreement, gather and broadcast go on between them.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>

#include "atoll/base/random.hpp"
#include "atoll/transport/communicator.hpp"

namespace atl {
namespace {

int failures = 0;

void expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  fmt::print(stderr, "FAILED: {}\n", what);
}

constexpr std::array channels{Channel::migration, Channel::record, Channel::credit};
constexpr std::uint32_t rounds = 4;

std::uint32_t key_of(int from, int to, Channel channel) {
  return static_cast<std::uint32_t>(from * 1000 + to * 10) + static_cast<std::uint32_t>(channel) % 10;
}

std::uint32_t messages_in(std::uint32_t round, int from, int to, Channel channel, int ranks) {
  Random random({.seed = 5, .task = round, .island = key_of(from, to, channel)});
  return 20 + random.below(800U / static_cast<std::uint32_t>(ranks));
}

/// The n-th message of a lane is a pure function of its name, so that the receiver knows every byte.
std::vector<std::uint8_t> message(std::uint32_t round, int from, int to, Channel channel, std::uint32_t n) {
  Random random({.seed = 6, .task = round, .island = key_of(from, to, channel), .individual = n});
  const std::uint32_t kind = random.below(100);
  const std::uint32_t limit = kind < 60 ? 64 : kind < 98 ? 10'000 : 1'000'001;
  std::vector<std::uint8_t> bytes(random.below(limit));
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 16)
    bytes[i] = static_cast<std::uint8_t>(random.next32());
  return bytes;
}

void pause(Random& random) {
  if (!random.chance(0.02)) return;
  const timespec nap{0, static_cast<long>(random.below(300'000))};
  nanosleep(&nap, nullptr);
}

struct Lanes {
  Communicator& world;
  std::uint32_t round;
  std::map<std::pair<int, Channel>, std::uint32_t> arrived;

  void file(Channel channel, const Message& got) {
    auto& n = arrived[{got.source, channel}];
    expect(got.bytes == message(round, got.source, world.rank(), channel, n),
           fmt::format("round {}: message {} of channel {} from {} at {}", round, n,
                       static_cast<int>(channel), got.source, world.rank()));
    ++n;
  }
  void poll_all() {
    for (const Channel channel : channels) {
      while (auto got = world.poll(channel)) file(channel, *got);
    }
  }
};

void torture(Communicator& world, std::uint32_t round) {
  const int ranks = world.size();
  Random random({.seed = 7, .island = static_cast<std::uint32_t>(world.rank()), .generation = round});
  Lanes lanes{world, round, {}};
  std::vector<std::pair<int, Channel>> to_send;
  for (int to = 0; to < ranks; ++to) {
    for (const Channel channel : channels) {
      to_send.insert(to_send.end(), messages_in(round, world.rank(), to, channel, ranks), {to, channel});
    }
  }
  for (std::size_t i = to_send.size(); i > 1; --i) {
    std::swap(to_send[i - 1], to_send[random.below(static_cast<std::uint32_t>(i))]);
  }
  std::map<std::pair<int, Channel>, std::uint32_t> sent;
  for (const auto& lane : to_send) {
    world.send(lane.first, lane.second, message(round, world.rank(), lane.first, lane.second, sent[lane]++));
    pause(random);
    if (random.chance(0.3)) lanes.poll_all();
  }
  // What is left is asked for lane by lane, and everything else is taken meanwhile only by its own receive.
  for (int from = 0; from < ranks; ++from) {
    for (const Channel channel : channels) {
      const std::uint32_t due = messages_in(round, from, world.rank(), channel, ranks);
      while (lanes.arrived[{from, channel}] < due) lanes.file(channel, world.receive(from, channel));
    }
  }
  expect(lanes.arrived.size() == channels.size() * static_cast<std::size_t>(ranks), "every lane was used");
  world.barrier();  // the next round uses the same lanes
}

void agreement(Communicator& world, std::uint32_t round) {
  const std::int64_t rank = world.rank();
  const std::int64_t last = world.size() - 1;
  const std::int64_t low = std::numeric_limits<std::int64_t>::min();
  int turns = 0;
  const auto agreed =
      world.agree_max(std::array<std::int64_t, 4>{rank, -rank, low, rank == last ? std::int64_t{round} : -1},
                      [&] { ++turns; });
  expect(agreed == std::vector<std::int64_t>{last, 0, low, round}, "the maximum of every element");
}

void collect_and_share(Communicator& world, std::uint32_t round) {
  const auto mine = message(round, world.rank(), 0, Channel::snapshot, 1);
  const auto all = world.gather(mine);
  expect(all.size() == (world.rank() == 0 ? static_cast<std::size_t>(world.size()) : 0U), "gather's parts");
  for (std::size_t from = 0; from < all.size(); ++from) {
    expect(all[from] == message(round, static_cast<int>(from), 0, Channel::snapshot, 1), "a gathered part");
  }
  auto shared = message(round, 0, 0, Channel::result, 2);
  shared.resize(round == 0 ? 0 : 3'000'000, 9);
  const auto got = world.broadcast(world.rank() == 0 ? shared : std::vector<std::uint8_t>{1, 2, 3});
  expect(got == shared, "what rank 0 shared");
}

/// Nobody may need the receiver to answer before the sender goes on: all ranks send megabytes first.
void everybody_sends_first(Communicator& world) {
  for (int to = 0; to < world.size(); ++to) {
    world.send(to, Channel::snapshot,
               std::vector<std::uint8_t>(1'000'000, static_cast<std::uint8_t>(world.rank())));
  }
  for (int from = world.size() - 1; from >= 0; --from) {
    const auto got = world.receive(from, Channel::snapshot);
    expect(got.source == from && got.bytes.size() == 1'000'000 && got.bytes[77] == from,
           "a megabyte of everybody");
  }
}

}  // namespace
}  // namespace atl

int main(int argc, char** argv) {
  using namespace atl;
  const auto world = Communicator::start(argc, argv);
  for (std::uint32_t round = 0; round < rounds; ++round) {
    torture(*world, round);
    agreement(*world, round);
    collect_and_share(*world, round);
    everybody_sends_first(*world);
  }
  const std::int64_t mine = failures;
  const std::int64_t worst = world->agree_max({&mine, 1})[0];
  world->finish();
  return worst == 0 ? 0 : 1;
}
