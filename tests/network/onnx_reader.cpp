#include <gmock/gmock.h>

#include <algorithm>
#include <functional>

#include "atoll/base/files.hpp"
#include "network_files.hpp"
#include "onnx_models.hpp"

namespace atl {
namespace {

using test::Dims;
using test::draw;
using test::Folder;
using test::OnnxModel;
using test::set_int;
using test::set_ints;
using test::set_text;
using ::testing::HasSubstr;

const std::string data = ATOLL_TEST_DATA "/onnx/";

class OnnxReader : public testing::Test {
 protected:
  Network read(const OnnxModel& model, const NetworkOptions& options = {}) const {
    return read_network(folder_.write("net.onnx", model.bytes()), options);
  }
  std::string message(const OnnxModel& model, const NetworkOptions& options = {}) const {
    return test::refusal(folder_.write("net.onnx", model.bytes()), options);
  }
  Folder folder_;
};

Dims output_of(const Layer& layer) {
  return {layer[Dim::N], std::int64_t{layer[Dim::G]} * layer[Dim::K], layer[Dim::P], layer[Dim::Q]};
}

TEST_F(OnnxReader, ReadsTheFilesOfTheField) {
  const Network resnet = read_network(data + "resnet18.onnx");
  const Network ours = read_network(ATOLL_SOURCE_DIR "/configs/networks/resnet18.yaml");
  EXPECT_EQ(test::keys(resnet), test::keys(ours));
  for (std::size_t i = 0; i < ours.layers.size(); ++i) {
    auto wires = resnet.layers[i].from;
    auto wanted = ours.layers[i].from;
    std::sort(wires.begin(), wires.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(wires, wanted) << ours.layers[i].name;
  }
  const Network mobilenet = read_network(data + "mobilenetv2.onnx");
  EXPECT_EQ(test::keys(mobilenet),
            test::keys(read_network(ATOLL_SOURCE_DIR "/configs/networks/mobilenet_v2.yaml")));
  // The zoo's AlexNet takes 224 x 224 without padding, so its maps are smaller than the paper's; the weights
  // agree.
  const Network alexnet = read_network(data + "alexnet.onnx");
  EXPECT_EQ(alexnet.weights(), 60954656U);
  EXPECT_EQ(alexnet.macs(), 654560384U);
  EXPECT_EQ(alexnet.layers[3].layer[Dim::G], 2U);
}

/// Whether the window of a Conv over "x" with weights "w" fits at least once, written out by hand.
bool fits(const onnx::NodeProto& node, OnnxModel& model) {
  Dims dilations = {1, 1};
  Dims pads = {0, 0, 0, 0};
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "dilations") dilations = {attribute.ints(0), attribute.ints(1)};
    if (attribute.name() == "pads") pads = {attribute.ints().begin(), attribute.ints().end()};
    if (attribute.s().rfind("SAME", 0) == 0) return true;
  }
  const auto& in = model.graph().input(0).type().tensor_type().shape();
  const auto& weight = model.graph().initializer(0);
  for (int axis = 0; axis < 2; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    if (dilations[i] * (weight.dims(2 + axis) - 1) >= in.dim(2 + axis).dim_value() + pads[i] + pads[i + 2])
      return false;
  }
  return true;
}

TEST_F(OnnxReader, ConvolutionsHaveTheShapesTheLibraryInfers) {
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 300; ++trial) {
    Random random({.seed = 21, .individual = trial});
    const std::int64_t groups = draw(random, 1, 4);
    const std::int64_t channels = groups * draw(random, 1, 3);
    const std::int64_t outputs = groups * draw(random, 1, 3);
    const Dims kernel = {draw(random, 1, 5), draw(random, 1, 5)};
    OnnxModel model;
    model.input("x", {draw(random, 1, 3), channels, draw(random, 1, 24), draw(random, 1, 24)});
    model.weight("w", {outputs, channels / groups, kernel[0], kernel[1]});
    model.output("y");
    auto& node = model.node("Conv", {"x", "w"}, {"y"});
    if (groups > 1) set_int(node, "group", groups);
    if (random.chance(0.5)) set_ints(node, "kernel_shape", kernel);
    if (random.chance(0.6)) set_ints(node, "strides", {draw(random, 1, 3), draw(random, 1, 3)});
    if (random.chance(0.5)) set_ints(node, "dilations", {draw(random, 1, 3), draw(random, 1, 3)});
    const char* automatic[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    const std::uint32_t mode = random.below(4);
    if (mode > 0 || random.chance(0.5)) set_text(node, "auto_pad", automatic[mode]);
    if (mode == 0 && random.chance(0.7))
      set_ints(node, "pads", {random.below(3), random.below(3), random.below(3), random.below(3)});
    const std::string verdict = message(model);
    if (verdict.find("padded words") != std::string::npos) {
      // The library lets windows pass that fit nowhere (its division rounds towards zero).
      EXPECT_FALSE(fits(node, model)) << trial << verdict;
      continue;
    }
    const Dims wanted = model.inferred("y");
    ASSERT_EQ(verdict, "accepted") << trial;
    ++accepted;
    const Layer layer = read(model).layers.at(0).layer;
    EXPECT_EQ(output_of(layer), wanted) << trial;
    EXPECT_EQ(layer.elements(Operand::W),
              static_cast<std::uint64_t>(outputs * channels / groups * kernel[0] * kernel[1]));
  }
  EXPECT_GT(accepted, 150);
}

TEST_F(OnnxReader, SamePaddingPutsTheOddWordWhereItSays) {
  for (const bool upper : {true, false}) {
    OnnxModel model;
    model.input("x", {1, 3, 7, 8});
    model.weight("w", {4, 3, 3, 3});
    model.output("y");
    auto& node = model.node("Conv", {"x", "w"}, {"y"});
    set_ints(node, "strides", {2, 2});
    set_text(node, "auto_pad", upper ? "SAME_UPPER" : "SAME_LOWER");
    const Layer layer = read(model).layers.at(0).layer;
    EXPECT_EQ(layer.padding_before, (std::array<std::uint32_t, 2>{1, upper ? 0U : 1U}));
    EXPECT_EQ(layer.padding_after, (std::array<std::uint32_t, 2>{1, upper ? 1U : 0U}));
    EXPECT_EQ(layer[Dim::P], 4U);
    EXPECT_EQ(layer[Dim::Q], 4U);
  }
}

TEST_F(OnnxReader, PoolsHaveTheShapesTheLibraryInfers) {
  int rounded_up = 0;
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    Random random({.seed = 22, .individual = trial});
    OnnxModel model;
    model.input("x", {draw(random, 1, 3), draw(random, 1, 9), draw(random, 6, 24), draw(random, 6, 24)});
    model.output("y");
    const bool max = random.chance(0.5);
    auto& node = model.node(max ? "MaxPool" : "AveragePool", {"x"}, {"y"});
    set_ints(node, "kernel_shape", {draw(random, 1, 3), draw(random, 1, 3)});
    set_ints(node, "strides", {draw(random, 1, 3), draw(random, 1, 3)});
    if (max && random.chance(0.4)) set_ints(node, "dilations", {draw(random, 1, 2), draw(random, 1, 2)});
    if (random.chance(0.5))
      set_ints(node, "pads", {random.below(2), random.below(2), random.below(2), random.below(2)});
    const bool up = random.chance(0.5);
    if (up) set_int(node, "ceil_mode", 1);
    const Layer layer = read(model).layers.at(0).layer;
    EXPECT_EQ(output_of(layer), model.inferred("y")) << trial;
    EXPECT_EQ(layer.op, LayerOp::pool);
    rounded_up += up;
  }
  EXPECT_GT(rounded_up, 50);
}

TEST_F(OnnxReader, ProductsHaveAllTheirMacs) {
  for (std::uint32_t trial = 0; trial < 200; ++trial) {
    Random random({.seed = 23, .individual = trial});
    const std::int64_t inner = draw(random, 1, 9);
    Dims batches;
    for (std::uint32_t i = random.below(3); i > 0; --i) batches.push_back(draw(random, 1, 4));
    Dims a = batches;
    Dims b = batches;
    for (std::int64_t& extent : b)
      if (random.chance(0.4)) extent = 1;
    if (random.chance(0.3)) b.clear();
    a.insert(a.end(), {draw(random, 1, 9), inner});
    b.insert(b.end(), {inner, draw(random, 1, 9)});
    const std::uint32_t fixed = random.below(3);  // neither, second, first
    OnnxModel model;
    const bool swapped = fixed == 2;
    if (swapped) b = {inner, draw(random, 1, 9)};
    if (swapped) a = {draw(random, 1, 9), inner};
    swapped ? model.weight("a", a) : model.input("a", a);
    fixed == 1 ? model.weight("b", b) : model.input("b", b);
    model.output("y");
    model.node("MatMul", {"a", "b"}, {"y"});
    const Dims out = model.inferred("y");
    std::uint64_t macs = static_cast<std::uint64_t>(inner);
    for (const std::int64_t extent : out) macs *= static_cast<std::uint64_t>(extent);
    const Network network = read(model);
    EXPECT_EQ(network.macs(), macs) << trial;
    const Layer& layer = network.layers.at(0).layer;
    EXPECT_EQ(layer.op, fixed == 0 ? LayerOp::matmul : LayerOp::fc);
    const auto words = [](const Dims& dims) {
      std::uint64_t product = 1;
      for (const std::int64_t extent : dims) product *= static_cast<std::uint64_t>(extent);
      return product;
    };
    EXPECT_EQ(network.weights(), fixed == 0 ? 0 : words(swapped ? a : b)) << trial;
    EXPECT_EQ(layer.elements(Operand::O), words(out)) << trial;
  }
}

TEST_F(OnnxReader, GemmTransposes) {
  for (const int flags : {0, 1, 2, 3}) {
    OnnxModel model;
    model.input("a", (flags & 1) != 0 ? Dims{5, 2} : Dims{2, 5});
    model.weight("b", (flags & 2) != 0 ? Dims{7, 5} : Dims{5, 7});
    model.weight("c", {7});
    model.output("y");
    auto& node = model.node("Gemm", {"a", "b", "c"}, {"y"});
    set_int(node, "transA", flags & 1);
    set_int(node, "transB", (flags & 2) / 2);
    EXPECT_EQ(layer_key(read(model).layers.at(0).layer),
              "fc N2 G1 K7 C5 P1 Q1 R1 S1 s1,1 d1,1 p0,0,0,0 i1,1 W8 I8 O8");
  }
}

/// x -> Conv -> Relu -> GlobalAveragePool -> Flatten -> Gemm, no shapes stored but the input's.
OnnxModel small_network(std::int64_t batch) {
  OnnxModel model;
  model.input("x", {batch, 3, 16, 16});
  model.weight("w", {8, 3, 3, 3});
  model.weight("f", {10, 8});
  model.output("y");
  model.node("Conv", {"x", "w"}, {"c"});
  model.node("Relu", {"c"}, {"r"});
  model.node("GlobalAveragePool", {"r"}, {"g"});
  model.node("Flatten", {"g"}, {"v"});
  set_int(model.node("Gemm", {"v", "f"}, {"y"}), "transB", 1);
  return model;
}

TEST_F(OnnxReader, ActivationsAndViewsAreFreeAndKeepTheWires) {
  const Network network = read(small_network(1));
  ASSERT_EQ(network.layers.size(), 3U);
  EXPECT_EQ(network.macs(), 8U * 27 * 14 * 14 + 80);
  EXPECT_EQ(network.layers[1].from, std::vector<std::int32_t>{0});
  EXPECT_EQ(network.layers[2].from, std::vector<std::int32_t>{1});
}

TEST_F(OnnxReader, BatchIsSetFromOutside) {
  const std::uint64_t one = read(small_network(1)).macs();
  EXPECT_EQ(read(small_network(-1)).macs(), one);
  EXPECT_EQ(read(small_network(-1), {.batch = 16}).macs(), 16 * one);
  EXPECT_EQ(read(small_network(-1), {.batch = 16}).batch, 16U);
  EXPECT_EQ(read(small_network(4)).macs(), 4 * one);
  EXPECT_EQ(read(small_network(4), {.batch = 6}).macs(), 6 * one);
  EXPECT_EQ(read_network(data + "resnet18.onnx", {.batch = 3}).macs(), 3 * 1814073344ULL);
}

// As exporters write x.view(x.size(0), -1) and the heads of attention when the batch is symbolic.
TEST_F(OnnxReader, ReshapesByComputedShapesAreFollowed) {
  OnnxModel model;
  model.input("x", {-1, 4, 6});
  model.integers("zero", {0});
  model.integers("one", {1});
  model.integers("rest", {-1});
  model.integers("six", {6});
  model.weight("w", {24, 5});
  model.output("y");
  model.node("Shape", {"x"}, {"s"});
  model.node("Gather", {"s", "zero"}, {"n"});
  set_int(model.node("Concat", {"n", "rest"}, {"target"}), "axis", 0);
  model.node("Reshape", {"x", "target"}, {"flat"});
  model.node("MatMul", {"flat", "w"}, {"p"});
  model.node("Shape", {"p"}, {"t"});  // needs the first Reshape
  model.node("Slice", {"t", "zero", "one"}, {"m"});
  model.node("Mul", {"m", "six"}, {"m6"});
  model.node("Div", {"m6", "six"}, {"m1"});
  set_int(model.node("Concat", {"m1", "six", "rest"}, {"back"}), "axis", 0);
  model.weight("u", {5, 12});
  model.node("MatMul", {"p", "u"}, {"q"});
  model.node("Reshape", {"q", "back"}, {"folded"});
  model.weight("k", {2, 3});
  model.node("MatMul", {"folded", "k"}, {"y"});
  const Network network = read(model, {.batch = 3});
  ASSERT_EQ(network.layers.size(), 3U);
  EXPECT_EQ(network.layers[0].layer.macs(), 3U * 24 * 5);
  EXPECT_EQ(network.layers[1].layer.macs(), 3U * 5 * 12);
  EXPECT_EQ(network.layers[2].layer.macs(), 3U * 6 * 2 * 3);
}

TEST_F(OnnxReader, DataMovesAreLayersWithoutMacs) {
  OnnxModel model;
  model.input("x", {1, 4, 6, 6});
  model.input("z", {1, 4, 6, 6});
  model.weight("bias", {4, 1, 1});
  model.weight("whole", {1, 4, 6, 6});
  model.output("y");
  model.node("Add", {"x", "bias"}, {"a"});   // free
  model.node("Add", {"a", "whole"}, {"b"});  // reads a tensor
  model.node("Mul", {"b", "z"}, {"c"});
  model.node("Sum", {"a", "b", "c"}, {"d"});  // two layers
  set_int(model.node("Concat", {"a", "d"}, {"e"}), "axis", 1);
  set_int(model.node("Softmax", {"e"}, {"f"}), "axis", 1);
  set_ints(model.node("ReduceMean", {"f"}, {"y"}), "axes", {2, 3});
  const Network network = read(model);
  std::string kinds;
  for (const NamedLayer& named : network.layers) {
    EXPECT_EQ(named.layer.macs(), 0U);
    kinds += std::string(name(named.layer.op)) + " ";
  }
  EXPECT_EQ(kinds, "elementwise elementwise elementwise elementwise pool pool pool ");
  EXPECT_EQ(network.layers[4].from, (std::vector<std::int32_t>{network_input, 3}));
  EXPECT_EQ(network.layers[4].layer.elements(Operand::O), 8U * 36);
  EXPECT_EQ(network.layers[6].layer.elements(Operand::I), 8U * 36);
  EXPECT_EQ(network.layers[6].layer.elements(Operand::O), 8U);
}

TEST_F(OnnxReader, NamesWhatItCannotCostOnce) {
  OnnxModel model = small_network(1);
  model.node("NonZero", {"y"}, {"n1"});
  model.node("NonZero", {"y"}, {"n2"});
  model.node("Strange", {"y"}, {"n3"}).set_domain("com.acme");
  model.model().add_opset_import()->set_domain("com.acme");
  model.model().mutable_opset_import(1)->set_version(1);
  testing::internal::CaptureStderr();
  const Network network = read(model);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(network.layers.size(), 3U);
  EXPECT_THAT(log, HasSubstr("NonZero (2), com.acme.Strange (1)"));
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
}

TEST_F(OnnxReader, SaysWhatIsWrong) {
  EXPECT_THAT(test::refusal(folder_.path("missing.onnx")), HasSubstr("missing.onnx"));
  EXPECT_THAT(test::refusal(folder_.write("a.onnx", "name: resnet\n")), HasSubstr("no ONNX"));
  EXPECT_THAT(test::refusal(folder_.write("b.onnx", "")), HasSubstr("no ONNX network"));
  const auto changed = [&](const std::function<void(OnnxModel&)>& change) {
    OnnxModel model = small_network(1);
    change(model);
    return message(model);
  };
  const auto conv = [](OnnxModel& m) -> onnx::NodeProto& { return *m.graph().mutable_node(0); };
  EXPECT_EQ(changed([](OnnxModel&) {}), "accepted");
  EXPECT_THAT(changed([&](OnnxModel& m) { set_int(conv(m), "group", 2); }), HasSubstr("do not fit"));
  EXPECT_THAT(changed([&](OnnxModel& m) {
                set_ints(conv(m), "pads", {1, 1});
              }),
              HasSubstr("operator Conv 'c'"));
  EXPECT_THAT(changed([&](OnnxModel& m) {
                set_ints(conv(m), "kernel_shape", {3, 5});
              }),
              HasSubstr("kernel_shape"));
  EXPECT_NE(changed([&](OnnxModel& m) { conv(m).set_input(1, "nothing"); }), "accepted");
  EXPECT_THAT(changed([](OnnxModel& m) { m.model().clear_opset_import(); }), HasSubstr("operator set"));
  EXPECT_THAT(changed([](OnnxModel& m) {
                OnnxModel::declare(*m.graph().add_value_info(), "c", {1, 8, 15, 14});
              }),
              HasSubstr("shape inference refuses"));
  OnnxModel free_rows;
  free_rows.input("x", {-1, 3, 16, 16});
  auto& dim = *free_rows.graph()
                   .mutable_input(0)
                   ->mutable_type()
                   ->mutable_tensor_type()
                   ->mutable_shape()
                   ->mutable_dim(2);
  dim.set_dim_param("height");
  free_rows.node("Relu", {"x"}, {"y"});
  EXPECT_THAT(message(free_rows), HasSubstr("'height'"));
  OnnxModel nothing;
  nothing.input("x", {1, 3});
  nothing.node("Relu", {"x"}, {"y"});
  EXPECT_THAT(message(nothing), HasSubstr("none of its 1 operators"));
}

// Any damage ends in layers or in an InputError, nothing else.
TEST_F(OnnxReader, SurvivesDamagedFiles) {
  const std::string whole = read_text_file(data + "resnet18.onnx");
  ASSERT_GT(whole.size(), 10000U);
  int refused = 0;
  for (std::uint32_t trial = 0; trial < 250; ++trial) {
    Random random({.seed = 24, .individual = trial});
    std::string damaged = whole;
    if (trial % 5 == 0) damaged.resize(random.below(static_cast<std::uint32_t>(whole.size())));
    for (std::uint32_t i = 0; trial % 5 != 0 && i < 1 + trial % 4; ++i)
      damaged[random.below(static_cast<std::uint32_t>(whole.size()))] = static_cast<char>(random.below(256));
    testing::internal::CaptureStderr();
    refused += test::refusal(folder_.write("damaged.onnx", damaged)) != "accepted";
    testing::internal::GetCapturedStderr();
  }
  EXPECT_GT(refused, 50);
}

}  // namespace
}  // namespace atl
