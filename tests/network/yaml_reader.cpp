#include <gmock/gmock.h>

#include "network_files.hpp"

namespace atl {
namespace {

using test::Folder;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class YamlReader : public testing::Test {
 protected:
  /// A network of the given layer lines, after three lines of head.
  std::string file(const std::string& layers, const std::string& head = "") const {
    return folder_.write("net.yaml", "name: probe\nsource: test\n" + head + "layers:\n" + layers);
  }
  Layer layer(const std::string& line) const {
    return read_network(file("  - {name: a, " + line + "}\n")).layers.front().layer;
  }
  std::string message(const std::string& line) const {
    return test::refusal(file("  - {name: a, " + line + "}\n"));
  }
  Folder folder_;
};

TEST_F(YamlReader, ReadsEveryOperation) {
  EXPECT_EQ(layer_key(layer("op: conv, in: [6, 20, 30], out: 8, kernel: [3, 5], stride: [1, 2], dilation: 2, "
                            "padding: [1, 2, 3, 4], groups: 2")),
            "conv N1 G2 K4 C3 P20 Q14 R3 S5 s1,2 d2,2 p1,2,3,4 i20,30 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: conv, in: [6, 9, 9], out: 8, kernel: 3, padding: [0, 1]")),
            "conv N1 G1 K8 C6 P7 Q9 R3 S3 s1,1 d1,1 p0,1,0,1 i9,9 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: depthwise, in: [6, 9, 9], kernel: 3, padding: 1")),
            "conv N1 G6 K1 C1 P9 Q9 R3 S3 s1,1 d1,1 p1,1,1,1 i9,9 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: depthwise, in: [6, 9, 9], out: 12, kernel: 3")),
            "conv N1 G6 K2 C1 P7 Q7 R3 S3 s1,1 d1,1 p0,0,0,0 i9,9 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: fc, in: [6, 4, 4], out: 10")),
            "fc N1 G1 K10 C96 P1 Q1 R1 S1 s1,1 d1,1 p0,0,0,0 i1,1 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: fc, in: 96, out: 10, rows: 128")),
            "fc N128 G1 K10 C96 P1 Q1 R1 S1 s1,1 d1,1 p0,0,0,0 i1,1 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: matmul, batch: 12, rows: 100, inner: 64, columns: 90")),
            "matmul N1 G12 K90 C64 P100 Q1 R1 S1 s1,1 d1,1 p0,0,0,0 i100,1 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: pool, kind: max, in: [6, 9, 9], kernel: 2, stride: 2")),
            "pool N1 G6 K1 C1 P4 Q4 R2 S2 s2,2 d1,1 p0,0,0,0 i9,9 I8 O8");
  EXPECT_EQ(layer_key(layer("op: pool, in: [6, 9, 9], kernel: 2, stride: 2, round_up: true")),
            "pool N1 G6 K1 C1 P5 Q5 R2 S2 s2,2 d1,1 p0,0,1,1 i9,9 I8 O8");
  EXPECT_EQ(layer_key(layer("op: global_pool, kind: average, in: [6, 7, 9]")),
            "pool N1 G6 K1 C1 P1 Q1 R7 S9 s1,1 d1,1 p0,0,0,0 i7,9 I8 O8");
  EXPECT_EQ(layer_key(layer("op: add, in: [6, 7, 9]")),
            "elementwise N1 G6 K1 C1 P7 Q9 R1 S1 s1,1 d1,1 p0,0,0,0 i7,9 W8 I8 O8");
  EXPECT_EQ(layer_key(layer("op: concat, in: [[6, 7, 9], [4, 7, 9]]")),
            "pool N1 G10 K1 C1 P7 Q9 R1 S1 s1,1 d1,1 p0,0,0,0 i7,9 I8 O8");
}

TEST_F(YamlReader, BatchMultipliesEveryLayer) {
  const std::string lines =
      "  - {name: a, op: conv, in: [3, 8, 8], out: 4, kernel: 3}\n"
      "  - {name: b, op: fc, in: 9, out: 4, rows: 5}\n"
      "  - {name: c, op: matmul, batch: 3, rows: 2, inner: 4, columns: 6}\n";
  const Network four = read_network(file(lines, "batch: 4\n"));
  EXPECT_EQ(four.batch, 4U);
  EXPECT_EQ(four.layers[0].layer[Dim::N], 4U);
  EXPECT_EQ(four.layers[1].layer[Dim::N], 20U);
  EXPECT_EQ(four.layers[2].layer[Dim::G], 12U);
  const Network seven = read_network(file(lines, "batch: 4\n"), {.batch = 7});
  EXPECT_EQ(seven.macs() * 4, four.macs() * 7);
}

TEST_F(YamlReader, TraitsOfTheLayerComeBeforeThoseOfTheNetwork) {
  const Network network =
      read_network(file("  - {name: a, op: fc, in: 9, out: 4, traits: {I: {bits: 4, density: 0.25}}}\n"
                        "  - {name: b, op: fc, in: 9, out: 4, traits: {W: {density: 0.5}}}\n",
                        "traits: {W: {bits: 2, distinct_values: 3, multiplier: 7}}\n"));
  const Layer& a = network.layers[0].layer;
  const Layer& b = network.layers[1].layer;
  EXPECT_EQ(a.traits[index(Operand::W)], (OperandTraits{2, 1.0F, 3, 7}));
  EXPECT_EQ(a.traits[index(Operand::I)], (OperandTraits{4, 0.25F, 0, 0}));
  EXPECT_EQ(b.traits[index(Operand::W)], (OperandTraits{2, 0.5F, 3, 7}));
  EXPECT_EQ(b.traits[index(Operand::O)], OperandTraits{});
}

TEST_F(YamlReader, FollowsTheWires) {
  const Network network =
      read_network(file("  - {name: a, op: conv, in: [3, 8, 8], out: 16, kernel: 3, padding: 1}\n"
                        "  - {name: b, op: conv, in: [3, 8, 8], from: input, out: 16, kernel: 1}\n"
                        "  - {name: sum, op: add, in: [16, 8, 8], from: [b, a]}\n"
                        "  - {name: cat, op: concat, in: [[16, 8, 8], [16, 8, 8]], from: [sum, a]}\n"
                        "  - {name: head, op: fc, in: [32, 8, 8], out: 10}\n",
                        "input: [3, 8, 8]\n"));
  const std::vector<std::vector<std::int32_t>> wanted = {
      {network_input}, {network_input}, {1, 0}, {2, 0}, {3}};
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(network.layers[i].from, wanted[i]);
}

TEST_F(YamlReader, RefusesWiresThatDoNotFit) {
  const auto wired = [&](const std::string& second) {
    return test::refusal(
        file("  - {name: a, op: conv, in: [3, 8, 8], out: 16, kernel: 3}\n  - {name: b, " + second + "}\n",
             "input: [3, 8, 8]\n"));
  };
  EXPECT_EQ(wired("op: conv, in: [16, 6, 6], out: 2, kernel: 1"), "accepted");
  EXPECT_THAT(wired("op: conv, in: [16, 8, 8], out: 2, kernel: 1"),
              HasSubstr("states the input [16, 8, 8], but the layer before it puts out [16, 6, 6]"));
  EXPECT_THAT(wired("op: add, in: [16, 6, 6], from: [a, input]"), HasSubstr("'input' puts out [3, 8, 8]"));
  EXPECT_THAT(wired("op: conv, in: [16, 6, 6], out: 2, kernel: 1, from: aa"), HasSubstr("did you mean 'a'"));
  EXPECT_THAT(wired("op: conv, in: [16, 6, 6], out: 2, kernel: 1, from: [a, a]"), HasSubstr("2 sources"));
  EXPECT_THAT(wired("op: conv, in: [16, 6, 6], out: 2, kernel: 1, from: b"), HasSubstr("no layer 'b'"));
}

TEST_F(YamlReader, MessagesNameThePlaceAndTheRule) {
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 9"), HasSubstr("net.yaml:4:5: "));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 9"), HasSubstr("window of 9"));
  EXPECT_THAT(message("op: konv, in: [3, 8, 8], out: 4, kernel: 3"), HasSubstr("conv"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 3, strid: 2"), HasSubstr("stride"));
  EXPECT_THAT(message("op: fc, in: 8, out: 4, kernel: 3"), HasSubstr("kernel"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 0, kernel: 3"), HasSubstr("net.yaml:4:"));
  EXPECT_THAT(message("op: conv, in: [3, 8], out: 4, kernel: 3"), HasSubstr("[channels, rows, columns]"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4"), HasSubstr("kernel"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: [1, 2, 3]"), HasSubstr("3 numbers"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 3, padding: [1, 2, 3]"),
              HasSubstr("3 numbers"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 3, groups: 2"),
              HasSubstr("2 groups do not divide"));
  EXPECT_THAT(message("op: conv, in: [3, 8, 8], out: 4, kernel: 3.5"), HasSubstr("net.yaml:4:"));
  EXPECT_THAT(message("op: pool, in: [3, 8, 8], kernel: 3"), HasSubstr("stride"));
  EXPECT_THAT(message("op: concat, in: [[3, 8, 8], [3, 8, 9]]"), HasSubstr("other rows and columns"));
  EXPECT_THAT(message("op: fc, in: 4000000000, out: 4000000000"), HasSubstr("2^53"));
  EXPECT_THAT(message("op: fc, in: [4000000000, 2, 1], out: 4"), HasSubstr("2^32"));
  EXPECT_THAT(message("op: fc, in: 8, out: 4, traits: {W: {bits: 65}}"), HasSubstr("net.yaml:4:"));
  EXPECT_THAT(message("op: fc, in: 8, out: 4, traits: {X: {bits: 6}}"), HasSubstr("X"));
}

TEST_F(YamlReader, RefusesIncompleteFiles) {
  EXPECT_THAT(test::refusal(folder_.path("missing.yaml")), HasSubstr("missing.yaml"));
  EXPECT_THAT(test::refusal(folder_.write("a.yaml", "name: a\nlayers: []\n")), HasSubstr("source"));
  EXPECT_THAT(test::refusal(folder_.write("b.yaml", "name: a\nsource: b\nlayers: []\n")),
              HasSubstr("no layers"));
  EXPECT_THAT(test::refusal(folder_.write("c.yaml", "name: [a\n")), StartsWith(folder_.path("c.yaml")));
  EXPECT_THAT(
      test::refusal(file("  - {name: a, op: fc, in: 8, out: 4}\n  - {name: a, op: fc, in: 8, out: 4}\n")),
      HasSubstr("'a' is taken"));
  EXPECT_NE(test::refusal(folder_.write("d.yaml", "")), "accepted");
}

}  // namespace
}  // namespace atl
