#include "atoll/simulator/datacentric.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "allocation_count.hpp"
#include "atoll/base/files.hpp"
#include "datacentric_cases.hpp"
#include "datacentric_naive.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t C = 1, Y = 2, X = 3, R = 4, S = 5;

DatacentricHardware shipped(const std::string& platform) {
  return read_datacentric_hardware(std::string(ATOLL_SOURCE_DIR) + "/accelerators/reference/maestro/" +
                                   platform + ".yaml");
}

Random stream(std::uint32_t number, std::uint32_t kind) {
  return Random({.seed = 31, .task = kind, .individual = number});
}

DatacentricLayer random_layer(Random& random) {
  DatacentricLayer layer;
  layer.depthwise = random.chance(0.2);
  const std::int32_t filter = random.between(1, 4);
  layer.size = {layer.depthwise ? 1 : random.between(1, 20),
                random.between(1, 20),
                random.between(filter, 20),
                random.between(filter, 20),
                filter,
                filter};
  return layer;
}

DatacentricHardware random_hardware(Random& random) {
  DatacentricHardware hardware;
  hardware.pes = random.between(1, 40);
  hardware.simd_lanes = random.chance(0.7) ? 1 : random.between(2, 5);
  hardware.l1_bytes = 512;
  hardware.l2_bytes = random.between(1, 20000);
  hardware.noc_bandwidth = random.chance(0.3) ? 1000000 : random.between(1, 64);
  hardware.noc_latency = random.between(0, 4);
  hardware.offchip_bandwidth = random.chance(0.3) ? 1000000 : random.between(1, 64);
  return hardware;
}

// Tiles above the output, parts of filters, tiles above their parent: whatever MAESTRO accepts.
void spoil(Random& random, DatacentricMapping& mapping) {
  for (std::size_t l = 0; l < mapping.levels; ++l)
    for (std::size_t d = 0; d < data_dim_count; ++d) {
      std::int32_t& tile = mapping.level[l].tile[d];
      if (random.chance(0.15)) tile = random.between(1, tile + 4);
    }
}

struct Hits {
  int compared = 0, divides = 0, gives_up = 0, untrusted = 0, wrapped = 0;
};

void compare(const DatacentricMapping& mapping, const DatacentricLayer& layer,
             const DatacentricHardware& hardware, Hits& hits) {
  const std::string text = datacentric_text(mapping, layer, hardware);
  ASSERT_EQ(datacentric_check(mapping, layer, hardware), "") << text;
  DatacentricCost cost;
  datacentric_evaluate(mapping, layer, hardware, cost);
  const test::NaiveDatacentric::Result naive = test::NaiveDatacentric(mapping, layer, hardware).run();
  ++hits.compared;
  if (naive.gives_up) {
    ++hits.gives_up;
    ASSERT_EQ(cost.stop, DatacentricStop::gives_up) << text;
    return;
  }
  if (naive.divides_by_zero) {
    ++hits.divides;
    ASSERT_EQ(cost.stop, DatacentricStop::divides_by_zero) << text;
    return;
  }
  ASSERT_EQ(cost.stop, DatacentricStop::none) << text;
  ASSERT_EQ(cost.runtime, naive.runtime) << text;
  ASSERT_EQ(cost.macs, naive.macs) << text;
  for (std::size_t o = 0; o < 2; ++o) ASSERT_EQ(cost.l2_read[o], naive.read[o]) << text;
  for (std::size_t o = 0; o < data_operand_count; ++o) ASSERT_EQ(cost.l2_need[o], naive.need[o]) << text;
  ASSERT_EQ(cost.l2_write[2], naive.written) << text;
  ASSERT_EQ(cost.peak_bandwidth, naive.peak) << text;
  ASSERT_EQ(cost.average_bandwidth, static_cast<double>(static_cast<long double>(naive.bandwidth) /
                                                        static_cast<long double>(naive.steps)));
  ASSERT_EQ(cost.average_pes, naive.pes) << text;
  ASSERT_EQ(cost.sub_tiles_ok, naive.sub_tiles_ok) << text;
  if (!cost.trusted()) ++hits.untrusted;
}

TEST(Datacentric, EqualsTheNaiveModelOnRandomMappings) {
  Hits hits;
  for (std::uint32_t n = 0; n < 6000; ++n) {
    Random random = stream(n, 1);
    const DatacentricLayer layer = random_layer(random);
    const DatacentricHardware hardware = random_hardware(random);
    DatacentricMapping mapping = test::random_data_mapping(random, layer, hardware.pes,
                                                           static_cast<std::size_t>(random.between(1, 3)));
    if (n % 3 == 0) spoil(random, mapping);
    ASSERT_NO_FATAL_FAILURE(compare(mapping, layer, hardware, hits)) << "case " << n;
  }
  fmt::print("compared {}, of these divide by zero {}, give up {}, not trusted {}\n", hits.compared,
             hits.divides, hits.gives_up, hits.untrusted);
  EXPECT_GT(hits.divides, 10);
  EXPECT_GT(hits.untrusted, 500);
}

// More than 2^31 steps: MAESTRO multiplies their numbers in 32 bits.
TEST(Datacentric, WrapsNumbersOfStepsAsMaestro) {
  Hits hits;
  for (std::uint32_t n = 0; n < 200; ++n) {
    Random random = stream(n, 2);
    DatacentricLayer layer;
    layer.size = {random.between(1000, 4000),
                  random.between(1000, 4000),
                  random.between(60, 80),
                  random.between(60, 80),
                  3,
                  3};
    DatacentricHardware hardware = random_hardware(random);
    hardware.pes = 16;
    DatacentricMapping mapping = test::random_data_mapping(random, layer, 4, 1 + n % 2);
    for (DatacentricLevel& level : mapping.level)
      for (std::size_t d = 0; d < 4; ++d) level.tile[d] = random.between(1, 2);
    if (n % 2 == 1)  // one tile of everything, stepped through below
      mapping.level[0].tile = test::reach_of(layer);
    ASSERT_NO_FATAL_FAILURE(compare(mapping, layer, hardware, hits)) << "case " << n;
    DatacentricCost cost;
    datacentric_evaluate(mapping, layer, hardware, cost);
    hits.wrapped += cost.runtime < 0 || cost.runtime < layer.macs() / 16 / 8 ? 1 : 0;
  }
  EXPECT_GT(hits.wrapped, 20);
}

TEST(Datacentric, AllocatesNothing) {
  const DatacentricHardware hardware = shipped("edge");
  std::vector<std::pair<DatacentricLayer, DatacentricMapping>> cases;
  for (std::uint32_t n = 0; n < 500; ++n) {
    Random random = stream(n, 3);
    const DatacentricLayer layer = random_layer(random);
    cases.emplace_back(layer, test::random_data_mapping(random, layer, 168, 1 + n % 3));
  }
  DatacentricCost cost;
  std::int64_t sum = 0;
  const std::uint64_t before = test::allocation_count();
  for (const auto& [layer, mapping] : cases) {
    datacentric_evaluate(mapping, layer, hardware, cost);
    sum += cost.runtime;
  }
  EXPECT_EQ(test::allocation_count() - before, 0U);
  EXPECT_GT(sum, 0);
  const auto* one = new DatacentricCost;
  EXPECT_EQ(test::allocation_count() - before, 1U);
  delete one;
}

// Two levels, everything in one piece on one PE unless a test says otherwise.
struct Simple {
  DatacentricLayer layer;
  DatacentricHardware hardware;
  DatacentricMapping mapping;

  explicit Simple(DataSizes size, std::size_t levels = 1) {
    layer.size = size;
    hardware.noc_bandwidth = hardware.offchip_bandwidth = 1 << 30;
    hardware.l1_bytes = hardware.l2_bytes = 1 << 30;
    mapping.levels = static_cast<std::uint8_t>(levels);
    for (DatacentricLevel& level : mapping.level) {
      level.order = {0, 1, 2, 3, 4, 5};
      level.tile = test::reach_of(layer);
    }
  }
  DatacentricCost cost() const {
    EXPECT_EQ(datacentric_check(mapping, layer, hardware), "");
    DatacentricCost result;
    datacentric_evaluate(mapping, layer, hardware, result);
    return result;
  }
  std::string refusal() const { return datacentric_refusal(mapping, layer, hardware, cost()); }
};

TEST(Datacentric, OnePieceOnOnePeTakesOneCycleAMac) {
  Simple simple({4, 3, 6, 5, 3, 2});
  const DatacentricCost cost = simple.cost();
  EXPECT_EQ(simple.layer.macs(), 4 * 3 * 4 * 4 * 3 * 2);
  EXPECT_EQ(cost.macs, simple.layer.macs());
  EXPECT_EQ(cost.runtime, simple.layer.macs() + 1);  // the first load
  EXPECT_EQ(cost.l2_read, (std::array<std::int64_t, 3>{3 * 6 * 5, 4 * 3 * 3 * 2, 4 * 4 * 4}));
  EXPECT_EQ(cost.l2_write, cost.l2_read);
  EXPECT_EQ(cost.l1_need, (std::array<std::int64_t, 3>{2 * 3 * 6 * 5, 2 * 4 * 3 * 3 * 2, 2 * 4 * 6 * 5}));
  EXPECT_TRUE(cost.trusted());
  EXPECT_EQ(simple.refusal(), "");
}

// The quirks of DATACENTRIC.md, each in its smallest example.
TEST(DatacentricQuirks, EnergyOfTwoLevelsIsThatOfL2) {
  Simple one({2, 1, 1, 1, 1, 1}), two({2, 1, 1, 1, 1, 1}, 2);
  EXPECT_DOUBLE_EQ(one.cost().energy_reported, one.cost().energy_l2 + one.cost().energy_l1);
  EXPECT_DOUBLE_EQ(two.cost().energy_reported, two.cost().energy_l2);
  EXPECT_GT(two.cost().energy_l1, 0);
  EXPECT_DOUBLE_EQ(two.cost().energy_mac, 2 * 0.00023);
}

TEST(DatacentricQuirks, TilesAboveTheOutputLoseMacs) {
  Simple simple({1, 1, 4, 1, 3, 1});
  simple.mapping.level[0].tile[Y] = 3;  // the output has 2 rows
  EXPECT_EQ(simple.cost().macs, -3);
  EXPECT_THAT(simple.refusal(),
              HasSubstr("counts -3 MACs, the layer has 6; at level 0 the tile of Y' is 3, above "
                        "the layer's 2"));
  simple.mapping.level[0].tile[Y] = 4;
  EXPECT_FALSE(simple.cost().trusted());
}

TEST(DatacentricQuirks, PartsOfFiltersAreMiscounted) {
  Simple simple({1, 1, 4, 1, 3, 1});
  simple.mapping.level[0].tile[R] = 2;
  EXPECT_FALSE(simple.cost().macs_exact);
  EXPECT_THAT(simple.refusal(), HasSubstr("the tile of R is 2, not the whole 3"));
}

TEST(DatacentricQuirks, APartialUnitOfTheLastRoundIsLost) {
  Simple simple({9, 1, 1, 1, 1, 1});
  simple.hardware.pes = 2;
  simple.mapping.level[0].tile[0] = 2;  // 2 + 2, 2 + 2, and 1 for one unit: counted
  EXPECT_EQ(simple.cost().macs, 9);
  simple.layer.size[0] = 11;  // 2 + 2, 2 + 2, 2 + 1: the third round has a whole unit, which is lost
  EXPECT_EQ(simple.cost().macs, 9);
  EXPECT_FALSE(simple.cost().trusted());
}

TEST(DatacentricQuirks, SubTilesAtAnEdgeBeatTheirRoofline) {
  Simple simple({8, 1, 1, 1, 1, 1}, 2);  // tiles of 5 and 3; the 3 costs as the edge of a 5 in pieces of 4: 1
  simple.mapping.level[0].spatial = simple.mapping.level[1].spatial = C;
  simple.mapping.level[0].tile[0] = 5;
  simple.mapping.level[1].tile[0] = 4;
  const DatacentricCost cost = simple.cost();
  EXPECT_TRUE(cost.macs_exact);
  EXPECT_FALSE(cost.beats_roofline);
  EXPECT_FALSE(cost.sub_tiles_ok);
  EXPECT_THAT(simple.refusal(), HasSubstr("a tile of a lower level finishes faster"));
}

TEST(DatacentricQuirks, TheRowsOfASpreadEdgeAreInputRows) {
  Simple simple({1, 1, 4, 1, 2, 1});  // 3 output rows in pieces of 2 on one PE
  simple.mapping.level[0].spatial = Y;
  simple.mapping.level[0].tile[Y] = 2;
  EXPECT_EQ(simple.cost().macs, 8);  // 6 happen
}

TEST(DatacentricQuirks, ReadingAgainIsCountedOneTileShort) {
  Simple simple({2, 4, 1, 1, 1, 1});  // for K in 2, for C in 4: the input is read again for the second K
  simple.mapping.level[0].tile[0] = simple.mapping.level[0].tile[C] = 1;
  simple.mapping.level[0].spatial = X;
  EXPECT_EQ(simple.cost().l2_read[0], 7);  // 4 + 4 happen
  EXPECT_TRUE(simple.cost().trusted());
}

TEST(DatacentricQuirks, WithIdleUnitsTheLastBusyOneBringsNothingNew) {
  Simple simple({4, 1, 1, 1, 1, 1});
  simple.mapping.level[0].tile[0] = 2;
  simple.hardware.pes = 2;
  EXPECT_EQ(simple.cost().l2_write[2], 4);
  simple.hardware.pes = 3;  // the same two units work
  EXPECT_EQ(simple.cost().l2_write[2], 2);
  EXPECT_TRUE(simple.cost().trusted());
}

TEST(DatacentricQuirks, PartialSumsAreWrittenAtEveryStepAndNeverReadBack) {
  Simple simple({1, 4, 1, 1, 1, 1});
  simple.mapping.level[0].tile[C] = 1;
  const DatacentricCost cost = simple.cost();
  EXPECT_EQ(cost.l2_write[2], 4);
  EXPECT_EQ(cost.l2_read[2], 1);
}

TEST(DatacentricQuirks, TheNetworkCountsLatencyWithoutTraffic) {
  Simple simple({1, 4, 1, 1, 1, 1});
  simple.mapping.level[0].tile[C] = 1;
  simple.hardware.noc_latency = 5;
  EXPECT_EQ(simple.cost().runtime, (1 + 5) + 3 * 5);
  Simple free({2, 1, 1, 1, 1, 1});  // the input stays: no input arrives at the second step
  free.hardware.noc_latency = 5;
  free.mapping.level[0].tile[0] = 1;
  free.mapping.level[0].spatial = C;
  EXPECT_EQ(free.cost().l2_read[0], 1);
  EXPECT_EQ(free.cost().runtime, (1 + 5) + 5);
}

TEST(DatacentricQuirks, L1NeedsForOutputsAreThoseOfTheInputTile) {
  Simple simple({1, 1, 4, 4, 3, 3});
  EXPECT_EQ(simple.cost().l1_need[2], 2 * 4 * 4);  // 2 * 2 * 2 outputs, double-buffered
}

TEST(DatacentricQuirks, OffChipDelayIsAFloorOfEveryStep) {
  Simple simple({4, 1, 1, 1, 1, 1});
  simple.mapping.level[0].tile[0] = 1;
  simple.mapping.level[0].spatial = C;
  simple.hardware.offchip_bandwidth = 1;
  EXPECT_EQ(simple.cost().runtime, 4 * 2);  // 2 elements a step, over 1 element a cycle, whatever was fetched
}

TEST(DatacentricQuirks, DividesByZero) {
  Simple simple({1, 1, 5, 7, 5, 5}, 2);  // a tile of 4 columns where the output has 3
  simple.layer.depthwise = true;
  simple.hardware.pes = 2;
  simple.mapping.level[0].spatial = X;
  simple.mapping.level[1].spatial = C;
  simple.mapping.level[0].tile[X] = simple.mapping.level[1].tile[X] = 4;
  const DatacentricCost cost = simple.cost();
  EXPECT_EQ(cost.stop, DatacentricStop::divides_by_zero);
  EXPECT_FALSE(cost.trusted());
  EXPECT_THAT(simple.refusal(), HasSubstr("MAESTRO divides by zero"));
}

TEST(Datacentric, DramTrafficIsOnceForWhatStaysInL2) {
  Simple simple({4, 4, 1, 1, 1, 1});  // for K, for C, one at a time
  simple.mapping.level[0].tile[0] = simple.mapping.level[0].tile[C] = 1;
  simple.mapping.level[0].spatial = X;
  simple.hardware.dram_energy = 2;
  simple.hardware.noc_energy = 0.5;
  DatacentricCost cost = simple.cost();
  EXPECT_EQ(cost.dram_reads, 4 + 16);
  EXPECT_EQ(cost.dram_writes, 4);
  EXPECT_EQ(cost.dram_energy, 2 * 24);
  EXPECT_EQ(cost.noc_energy, 0.5 * (13 + 16 + 16));
  EXPECT_DOUBLE_EQ(cost.full_energy(),
                   cost.energy_l2 + cost.energy_l1 + cost.energy_mac + cost.dram_energy + cost.noc_energy);
  simple.hardware.l2_bytes = 8;  // room for the tiles and one of input and output: output saves more
  cost = simple.cost();
  EXPECT_EQ(cost.dram_reads, 13 + 16);
  EXPECT_EQ(cost.dram_writes, 4);
  simple.hardware.l2_bytes = 6;  // room for the tiles alone: partial sums go out at every step and come back
  cost = simple.cost();
  EXPECT_EQ(cost.l2_bytes, 6);
  EXPECT_TRUE(cost.fits_l2);
  EXPECT_EQ(cost.dram_reads, 13 + 16 + 12);
  EXPECT_EQ(cost.dram_writes, 16);
  simple.hardware.l2_bytes = 5;
  EXPECT_FALSE(simple.cost().fits_l2);
}

TEST(DatacentricCheck, NamesTheRuleAndTheValue) {
  const auto wrong = [](auto&& change) {
    Simple simple({4, 4, 4, 4, 3, 3}, 2);
    change(simple);
    return datacentric_check(simple.mapping, simple.layer, simple.hardware);
  };
  EXPECT_EQ(wrong([](Simple&) {}), "");
  EXPECT_THAT(wrong([](Simple& s) { s.layer.size[C] = 0; }), HasSubstr("C is 0"));
  EXPECT_THAT(wrong([](Simple& s) { s.layer.size[R] = 5; }), HasSubstr("R is 5 and Y is 4"));
  EXPECT_THAT(wrong([](Simple& s) { s.layer.size = {1 << 20, 1 << 20, 1 << 20, 1, 1, 1}; }),
              HasSubstr("below 2^53"));
  EXPECT_THAT(wrong([](Simple& s) { s.layer.depthwise = true; }), HasSubstr("K = 1; it is 4"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.levels = 0; }), HasSubstr("found 0"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.levels = 5; }), HasSubstr("found 5"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[1].order[0] = 1; }), HasSubstr("level 1: the order"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[1].order[0] = 6; }), HasSubstr("level 1: the order"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[1].tile[S] = 0; }), HasSubstr("that of S is 0"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[0].spatial = 6; }), HasSubstr("spread over the units"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[1].units = 0; }), HasSubstr("found 0"));
  EXPECT_THAT(wrong([](Simple& s) { s.mapping.level[1].units = 2; }),
              HasSubstr("2 units, more than the 1 PEs"));
  EXPECT_THAT(wrong([](Simple& s) { s.hardware.pes = 0; }), HasSubstr("found 0"));
  EXPECT_THAT(wrong([](Simple& s) { s.hardware.noc_bandwidth = 0; }), HasSubstr("noc 0"));
}

}  // namespace
}  // namespace atl
