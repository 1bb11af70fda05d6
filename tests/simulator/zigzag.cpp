// ZigZag's model by itself: descriptions, refusals, what must hold for any mapping, and examples small enough
// for paper. Its agreement with ZigZag is judged in tests/exchange/zigzag_rows.cpp.
#include "atoll/simulator/zigzag.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "../../src/simulator/zigzag_windows.hpp"
#include "atoll/base/error.hpp"
#include "atoll/simulator/simulator.hpp"
#include "zigzag_cases.hpp"

namespace atl {
namespace {

using testing::HasSubstr;
constexpr std::size_t W = index(Operand::W), I = index(Operand::I), O = index(Operand::O);

// One multiplier, a register for each operand and one memory above, every figure a power of two or a small
// prime.
const std::string plain = R"(
name: plain
array: {X: 2}
mac_energy: 1 pJ
memories:
  - name: w_reg
    size: 16 b
    access: {read: 2 pJ, write: 3 pJ}
    operands: [W]
    serves: []
    ports:
      - {name: r, bandwidth: {least: 8 b/cycle, most: 8 b/cycle}, moves: [W rd_out_to_low]}
      - {name: w, bandwidth: {least: 8 b/cycle, most: 8 b/cycle}, moves: [W wr_in_by_high]}
  - name: o_reg
    size: 16 b
    access: {read: 2 pJ, write: 3 pJ}
    operands: [O]
    serves: []
    ports:
      - {name: r, bandwidth: {least: 16 b/cycle, most: 16 b/cycle}, moves: [O rd_out_to_low, O rd_out_to_high]}
      - {name: w, bandwidth: {least: 16 b/cycle, most: 16 b/cycle}, moves: [O wr_in_by_low, O wr_in_by_high]}
  - name: top
    size: 1 MiB
    access: {read: 5 pJ, write: 7 pJ}
    operands: [I, W, O]
    serves: [X]
    ports:
      - name: rw
        bandwidth: {least: 8 b/cycle, most: 32 b/cycle}
        moves: [W rd_out_to_low, I rd_out_to_low, O rd_out_to_low, O wr_in_by_low]
sources: {array: invented, mac_energy: invented, memories: invented}
)";

std::string changed(const std::string& from, const std::string& to) {
  std::string text = plain;
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  try {
    parse_zigzag_accelerator(text, "plain.yaml");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ZigzagAccelerator, EveryShippedDescriptionIsReadAndNamesItsSources) {
  for (const char* name : {"ascend_like", "edge_tpu_like", "eyeriss_like", "gemm_l1", "gemm_l1_l3",
                           "meta_prototype", "tesla_npu_like", "tpu_like"}) {
    const ZigzagAccelerator accelerator = test::shipped(name);
    EXPECT_EQ(accelerator.name, name);
    EXPECT_EQ(accelerator.sources.size(), 3U);
    for (const auto& source : accelerator.sources) EXPECT_THAT(source.second, HasSubstr("3d12a96e"));
  }
  EXPECT_EQ(test::shipped("tpu_like").multipliers(), 1024);
}

TEST(ZigzagAccelerator, RefusesWhatIsWrongWithItsPlace) {
  EXPECT_EQ(refusal(plain), "");
  EXPECT_THAT(refusal(changed("array: {X: 2}", "array: {X: 0}")), HasSubstr("plain.yaml:3:"));
  EXPECT_THAT(refusal(changed("size: 16 b", "size: 0 b")), HasSubstr("above 0"));
  EXPECT_THAT(refusal(changed("size: 16 b", "size: 16")), HasSubstr("size"));
  EXPECT_THAT(refusal(changed("serves: []", "serves: [Y]")), HasSubstr("'Y' is no axis"));
  EXPECT_THAT(refusal(changed("operands: [W]", "operands: [A]")), HasSubstr("found 'A'"));
  EXPECT_THAT(refusal(changed("operands: [W]", "operands: []")), HasSubstr("holds no operand"));
  EXPECT_THAT(refusal(changed("[W rd_out_to_low]", "[W rd_out]")), HasSubstr("unknown move 'rd_out'"));
  EXPECT_THAT(refusal(changed("[W rd_out_to_low]", "[I rd_out_to_low]")), HasSubstr("holds no I"));
  EXPECT_THAT(refusal(changed("[W rd_out_to_low]", "[]")),
              HasSubstr("no port of the memory 'w_reg' carries W"));
  EXPECT_THAT(refusal(changed("[W wr_in_by_high]", "[W wr_in_by_high, W rd_out_to_low]")),
              HasSubstr("2 ports"));
  EXPECT_THAT(refusal(changed("{least: 8 b/cycle, most: 8", "{least: 9 b/cycle, most: 8")),
              HasSubstr("least (9"));
  EXPECT_THAT(refusal(changed("operands: [I, W, O]", "operands: [W, O]")), HasSubstr("holds no I"));
  EXPECT_THAT(refusal(changed(", memories: invented", "")), HasSubstr("memories"));
  EXPECT_THAT(refusal(changed("serves: []", "serve: []")), HasSubstr("serves"));
}

// O[d, k] += I[d, c] W[c, k] with 2 x 2 x 2, everything 8 bit but partial sums of 16.
ZigzagLayer small_product() {
  ZigzagLayer layer;
  layer.size = {2, 1, 2, 2, 1, 1, 1, 1};  // B, G, K, C
  return layer;
}

ZigzagMapping mapping_of(const std::vector<std::pair<ZigzagDim, double>>& loops,
                         const std::array<std::vector<std::uint8_t>, operand_count>& ends) {
  ZigzagMapping mapping;
  for (const auto& [dim, size] : loops) {
    mapping.loops.dim[mapping.loops.count] = dim;
    mapping.loops.size[mapping.loops.count++] = size;
  }
  for (std::size_t o = 0; o < operand_count; ++o)
    std::copy(ends[o].begin(), ends[o].end(), mapping.end[o].begin());
  return mapping;
}

TEST(Zigzag, AnExampleOnPaper) {
  const ZigzagModel model = compile_zigzag(parse_zigzag_accelerator(plain, "plain"), small_product(), {});
  // for k in 2: for b in 2: for c in 2. W's register keeps the two words of c, O's one sum while c runs; b
  // is irrelevant to W and moves down into its register.
  const ZigzagMapping mapping =
      mapping_of({{ZigzagDim::C, 2}, {ZigzagDim::B, 2}, {ZigzagDim::K, 2}}, {{{1, 3}, {3}, {1, 3}}});
  ASSERT_EQ(check(model, mapping), "");
  ZigzagCosts costs;
  evaluate(model, mapping, costs);
  // 8 multiplications. Sums: the register is read and written at each; 4 finished words leave it, each in one
  // access of 16 bit, and enter the top in steps of 8 of its 32 bit.
  EXPECT_EQ(costs.accesses[O][0], (ByMove{8, 8, 4, 0}));
  EXPECT_EQ(costs.accesses[O][1], (ByMove{0, 1, 0, 0}));
  EXPECT_EQ(costs.energy[O][0], 8 * 2 + 8 * 3 + 4 * 2);
  EXPECT_EQ(costs.energy[O][1], 7);
  // W: 8 reads; two words written twice, for both values of k.
  EXPECT_EQ(costs.accesses[W][0], (ByMove{8, 0, 0, 4}));
  EXPECT_EQ(costs.accesses[W][1], (ByMove{1, 0, 0, 0}));
  // I comes from the top at each multiplication.
  EXPECT_EQ(costs.accesses[I][0], (ByMove{2, 0, 0, 0}));
  EXPECT_EQ(costs.mac_energy, 8);
  EXPECT_EQ(costs.total_energy, 8 + (48 + 7) + (8 * 2 + 4 * 3 + 5) + 2 * 5);
  EXPECT_EQ(costs.temporal_cycles, 8);
  EXPECT_EQ(costs.ideal_cycles, 4);  // of the two multipliers one works
}

TEST(Zigzag, UnrollingMultipliesInstancesAndKeepsRounds) {
  const ZigzagAccelerator accelerator = parse_zigzag_accelerator(plain, "plain");
  ZigzagLayer layer = small_product();
  layer.size[index(ZigzagDim::K)] = 3;
  const auto unrollings = unroll(accelerator, layer, {{"X", ZigzagDim::K, 2}});
  ASSERT_EQ(unrollings.size(), 1U);
  EXPECT_EQ(unrollings[0].factor, 1.5);
  EXPECT_EQ(unrollings[0].whole, 1);
  EXPECT_EQ(unrollings[0].level, (std::array<std::uint8_t, 3>{1, 0, 1}));
  const ZigzagModel model = compile_zigzag(accelerator, layer, unrollings);
  const ZigzagLoops loops = temporal_loops(model);
  ASSERT_EQ(loops.count, 3U);
  EXPECT_EQ(loops.size[1], 2);  // K
}

TEST(Zigzag, RefusesLayersUnrollingsAndMappingsThatCannotBe) {
  const ZigzagAccelerator accelerator = parse_zigzag_accelerator(plain, "plain");
  const auto compiled = [&](ZigzagLayer layer, const std::vector<ZigzagUnrolling>& unrollings) {
    try {
      compile_zigzag(accelerator, layer, unrollings);
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  ZigzagLayer layer = small_product();
  layer.size[0] = 0;
  EXPECT_THAT(compiled(layer, {}), HasSubstr("B is 0"));
  layer.size = {4000000000, 1, 4000000000, 1, 1, 1, 1, 1};
  EXPECT_THAT(compiled(layer, {}), HasSubstr("2^53"));
  layer = small_product();
  layer.bits[I] = 0;
  EXPECT_THAT(compiled(layer, {}), HasSubstr("I has 0"));
  EXPECT_THAT(compiled(small_product(), {{ZigzagDim::K, 3, 3, {}}}), HasSubstr("more than its size"));
  EXPECT_THAT(compiled(small_product(), {{ZigzagDim::K, 2, 2, {}}, {ZigzagDim::C, 2, 2, {}}}),
              HasSubstr("the array has 2"));
  EXPECT_THAT(compiled(small_product(), {{ZigzagDim::K, std::nan(""), 1, {}}}), HasSubstr("at least 1"));
  EXPECT_THAT(compiled(small_product(), {{ZigzagDim::K, 2, 2, {9, 0, 0}}}), HasSubstr("fan-out 9 of W"));
  EXPECT_THROW(unroll(accelerator, small_product(), {{"Y", ZigzagDim::K, 2}}), InputError);
  EXPECT_THROW(unroll(accelerator, small_product(), {{"X", ZigzagDim::K, 2}, {"X", ZigzagDim::C, 2}}),
               InputError);

  const ZigzagModel model = compile_zigzag(accelerator, small_product(), {});
  const std::vector<std::pair<ZigzagDim, double>> loops = {
      {ZigzagDim::C, 2}, {ZigzagDim::B, 2}, {ZigzagDim::K, 2}};
  EXPECT_EQ(check(model, mapping_of(loops, {{{1, 3}, {3}, {1, 3}}})), "");
  EXPECT_THAT(check(model, mapping_of(loops, {{{3, 3}, {3}, {1, 3}}})), HasSubstr("is filled to 2 times"));
  EXPECT_THAT(check(model, mapping_of(loops, {{{2, 1}, {3}, {1, 3}}})), HasSubstr("expected 2 to 3"));
  EXPECT_THAT(check(model, mapping_of(loops, {{{1, 3}, {2}, {1, 3}}})), HasSubstr("it leaves 1"));
  EXPECT_THAT(check(model, mapping_of({{ZigzagDim::C, 2}}, {{{1, 1}, {1}, {1, 1}}})),
              HasSubstr("multiply up to"));
  EXPECT_THAT(check(model, mapping_of({{ZigzagDim::C, 0.5}}, {{{1, 1}, {1}, {1, 1}}})),
              HasSubstr("whole number"));
}

TEST(Zigzag, NoSearchMayRunOnIt) {
  try {
    make_simulator("zigzag", Accelerator{});
    FAIL() << "a simulator was made";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("evaluate --format zigzag"));
  }
}

TEST(Zigzag, DilationCountsWordsTwiceAsZigzagDoes) {
  ZigzagLayer layer;
  layer.size[index(ZigzagDim::FX)] = 3;
  layer.dilation = {2, 1};
  layer.input_extent = {100, 1};
  // One position of three taps touches three words; the rule counts 3 - (3 - 1) (1 - 2) = 5.
  EXPECT_EQ(layer.elements(Operand::I), 5);
  ZigzagCosts costs;
  const ZigzagModel model = compile_zigzag(parse_zigzag_accelerator(plain, "plain"), layer, {});
  evaluate(model, mapping_of({{ZigzagDim::FX, 3}}, {{{0, 1}, {1}, {1, 1}}}), costs);
  ASSERT_EQ(doubts(model, costs).size(), 1U);
  EXPECT_THAT(doubts(model, costs)[0], HasSubstr("counted as 5 words"));
}

// Marks every cycle.
double union_by_marking(const zigzag::Windows& windows, std::size_t count, std::size_t cycles) {
  double covered = 0;
  for (std::size_t t = 0; t < cycles; ++t) {
    bool any = false;
    for (std::size_t j = 0; j < count; ++j)
      any = any ||
            t % static_cast<std::size_t>(windows[j].period) < static_cast<std::size_t>(windows[j].allowed);
    covered += any ? 1 : 0;
  }
  return covered;
}

TEST(Zigzag, TheUnionOfWindowsIsCountedExactly) {
  Random random({.seed = 8, .purpose = Purpose::test});
  std::size_t partly = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t count = 1 + random.below(6);
    zigzag::Windows windows;
    std::uint32_t period = 1 + random.below(4);
    for (std::size_t j = 0; j < count; ++j) {
      if (j > 0) period *= 1 + random.below(4);
      windows[j] = {static_cast<double>(period), static_cast<double>(random.below(period + 1))};
    }
    const std::uint32_t cycles = period * (1 + random.below(3));
    for (std::size_t j = count; j > 1; --j)
      std::swap(windows[j - 1], windows[random.below(static_cast<std::uint32_t>(j))]);
    const double covered = union_by_marking(windows, count, cycles);
    ASSERT_EQ(zigzag::union_of_windows(windows, count, cycles), covered);
    partly += covered > 0 && covered < cycles ? 1 : 0;
  }
  EXPECT_GE(partly, 1000U);
}

struct Costed {
  ZigzagModel model;
  ZigzagMapping mapping;
  ZigzagCosts costs;
};

// A random layer on a shipped accelerator, allocated; false if the order does not fit.
bool draw(Random& random, ZigzagAccelerator& accelerator, Costed& costed, bool energies_doubled = false) {
  const std::vector<std::string> names = {"ascend_like",    "edge_tpu_like",  "eyeriss_like",
                                          "meta_prototype", "tesla_npu_like", "tpu_like"};
  accelerator = test::shipped(names[random.below(static_cast<std::uint32_t>(names.size()))]);
  const ZigzagLayer layer = test::random_zigzag_layer(random);
  const auto unrollings = test::random_unrolling(random, accelerator, layer);
  if (energies_doubled)
    for (ZigzagMemory& memory : accelerator.memories) {
      memory.read_energy *= 2;
      memory.write_energy *= 2;
    }
  costed.model = compile_zigzag(accelerator, layer, unrollings);
  costed.mapping.loops = temporal_loops(costed.model);
  test::shuffle(costed.mapping.loops, random);
  if (!allocate(costed.model, costed.mapping)) return false;
  EXPECT_EQ(check(costed.model, costed.mapping), "");
  evaluate(costed.model, costed.mapping, costed.costs);
  return true;
}

TEST(Zigzag, PartsSumUpAndTimeHoldsTheWork) {
  Random random({.seed = 9, .purpose = Purpose::test});
  std::size_t costed = 0, whole = 0;
  for (int i = 0; i < 400; ++i) {
    ZigzagAccelerator accelerator;
    Costed one;
    if (!draw(random, accelerator, one)) continue;
    ++costed;
    double memory = 0;
    for (std::size_t o = 0; o < operand_count; ++o)
      for (std::size_t l = 0; l < one.model.depth[o]; ++l)
        for (const double energy : one.costs.energy_by_move[o][l]) memory += energy;
    EXPECT_NEAR(one.costs.total_energy, memory + one.costs.mac_energy, 1e-9 * one.costs.total_energy);
    EXPECT_GE(one.costs.temporal_cycles * (1 + 1e-9), one.costs.ideal_cycles);
    EXPECT_GE(one.costs.stall, 0);
    EXPECT_EQ(one.costs.latency[0], one.costs.temporal_cycles + one.costs.stall);
    // Every weight is read from the outermost memory, every output is written there, at least once; but
    // fractions of a word are rounded away.
    if (one.model.fractional) continue;
    ++whole;
    const std::size_t top_w = one.model.depth[W] - 1U, top_o = one.model.depth[O] - 1U;
    const auto bits = [&](std::size_t o, std::size_t l, ZigzagMove move) {
      return one.costs.accesses[o][l][index(move)] * one.model.level[o][l].most[index(move)];
    };
    EXPECT_GE(bits(W, top_w, ZigzagMove::rd_out_to_low) * (1 + 1e-6), one.model.elements[W] * 8);
    EXPECT_GE(bits(O, top_o, ZigzagMove::wr_in_by_low) * (1 + 1e-6), one.model.elements[O] * 8);
  }
  EXPECT_GE(costed, 200U);
  EXPECT_GE(whole, 20U);
}

TEST(Zigzag, EnergiesScaleAndLeaveTimeAlone) {
  for (std::uint64_t seed = 1; seed < 60; ++seed) {
    Random first({.seed = seed, .purpose = Purpose::test}), second = first;
    ZigzagAccelerator accelerator;
    Costed one, doubled;
    if (!draw(first, accelerator, one)) continue;
    ASSERT_TRUE(draw(second, accelerator, doubled, true));
    EXPECT_EQ(doubled.costs.memory_energy, 2 * one.costs.memory_energy);
    EXPECT_EQ(doubled.costs.latency, one.costs.latency);
  }
}

TEST(Zigzag, TwoNeighbouringFactorsAreOneLoop) {
  Random random({.seed = 11, .purpose = Purpose::test});
  std::size_t split = 0;
  for (int i = 0; i < 400; ++i) {
    ZigzagAccelerator accelerator;
    Costed one;
    if (!draw(random, accelerator, one)) continue;
    ZigzagLoops& loops = one.mapping.loops;
    if (loops.count == 0 || one.model.fractional) continue;  // fractions round differently
    const std::size_t at = random.below(static_cast<std::uint32_t>(loops.count));
    std::uint32_t factor = 2;
    while (std::fmod(loops.size[at], factor) != 0 && factor < loops.size[at]) ++factor;
    if (factor >= loops.size[at]) continue;
    ++split;
    for (std::size_t l = loops.count++; l > at; --l) {
      loops.dim[l] = loops.dim[l - 1];
      loops.size[l] = loops.size[l - 1];
    }
    loops.size[at] = factor;
    loops.size[at + 1] /= factor;
    for (std::size_t o = 0; o < operand_count; ++o)
      for (std::size_t l = 0; l < one.model.depth[o]; ++l)
        if (one.mapping.end[o][l] > at) ++one.mapping.end[o][l];
    ZigzagCosts again;
    evaluate(one.model, one.mapping, again);
    EXPECT_EQ(again.total_energy, one.costs.total_energy);
    EXPECT_EQ(again.latency, one.costs.latency);
  }
  EXPECT_GE(split, 30U);
}

}  // namespace
}  // namespace atl
