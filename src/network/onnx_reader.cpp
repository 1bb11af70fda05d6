// From ONNX operators to layers. Every operator is one of four kinds: it multiplies, it moves data (a
// layer without MACs), it is free (activations, folded batch norm, views of the same words), or we cannot
// cost it, and then one warning names it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/log.hpp"
#include "atoll/network/network.hpp"
#include "onnx_graph.hpp"

namespace atl {
namespace {

class OnnxReader {
 public:
  OnnxReader(const std::string& path, const NetworkOptions& options) : path_(path), graph_(path, options) {}
  Network read();

 private:
  using Node = onnx::NodeProto;
  using Handler = void (OnnxReader::*)(const Node&);
  static const std::map<std::string, Handler>& handlers();

  void convolution(const Node& node);
  void quantised_convolution(const Node& node) { convolution(node, 0, 3); }
  void convolution(const Node& node, int x, int w);
  void gemm(const Node& node);
  void matmul(const Node& node) { matmul(node, 0, 1); }
  void quantised_matmul(const Node& node) { matmul(node, 0, 3); }
  void matmul(const Node& node, int a, int b);
  void fully_connected(const Node& node, const std::string& data, const TensorShape& in,
                       const TensorShape& weight, bool transposed);
  void pool(const Node& node);
  void global_pool(const Node& node);
  void elementwise(const Node& node);
  void move(const Node& node);
  void reduce(const Node& node);
  void free(const Node& node) { pass_on(node); }

  const std::string& input(const Node& node, int place) const;
  TensorShape input_shape(const Node& node, int place) const {
    return graph_.shape(node, input(node, place));
  }
  void read_window(const Node& node, const TensorShape& in, const std::vector<std::uint32_t>& kernel,
                   bool dilates, Layer& layer) const;
  void check_output(const Node& node, const TensorShape& expected) const;
  std::string unique_name(const std::string& wish);
  void add(const Node& node, const Layer& layer, const std::vector<std::string>& sources);
  void pass_on(const Node& node);
  void warn() const;

  std::string path_;
  OnnxGraph graph_;
  Network network_;
  std::map<std::string, std::int32_t> producers_;  // tensor -> layer; missing: not known
  std::set<std::string> names_ = {"input"};
  std::map<std::string, int> uncosted_;
};

std::uint64_t words(const TensorShape& shape) {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : shape)
    product = product > (1ULL << 53) / std::max<std::uint64_t>(extent, 1) ? 1ULL << 54 : product * extent;
  return product;
}

std::string text(const TensorShape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

const std::string& OnnxReader::input(const Node& node, int place) const {
  if (place >= node.input_size() || node.input(place).empty())
    graph_.fail(node, fmt::format("input {} is missing", place));
  return node.input(place);
}

std::uint32_t checked(std::uint64_t extent) {
  return extent > 0xFFFFFFFFULL ? 0U : static_cast<std::uint32_t>(extent);  // 0 is refused by validate
}

/// N, G, P, Q of a tensor taken as a batch of channels of rows and columns.
void set_image(Layer& layer, const TensorShape& shape) {
  const std::size_t rank = shape.size();
  std::array<std::uint64_t, 4> image = {1, 1, 1, 1};
  if (rank == 1) image[1] = shape[0];
  for (std::size_t i = 0; rank > 1 && i < rank; ++i) image[std::min<std::size_t>(i, 3)] *= shape[i];
  layer.size[index(Dim::N)] = checked(image[0]);
  layer.size[index(Dim::G)] = checked(image[1]);
  layer.size[index(Dim::P)] = layer.input_extent[0] = checked(image[2]);
  layer.size[index(Dim::Q)] = layer.input_extent[1] = checked(image[3]);
}

/// Window, stride, dilation, padding and steps, for one or two spatial axes.
void OnnxReader::read_window(const Node& node, const TensorShape& in,
                             const std::vector<std::uint32_t>& kernel, bool dilates, Layer& layer) const {
  const std::size_t axes = in.size() - 2;
  const auto numbers = [&](std::string_view name, std::size_t count, std::int64_t otherwise,
                           std::int64_t low) {
    std::vector<std::int64_t> values = onnx_ints(node, name);
    if (values.empty()) values.assign(count, otherwise);
    if (values.size() != count)
      graph_.fail(node, fmt::format("attribute {} has {} numbers, not {}", name, values.size(), count));
    for (const std::int64_t value : values)
      if (value < low || value > 0xFFFFFFFFLL)
        graph_.fail(node, fmt::format("attribute {} holds {}; at least {} is possible", name, value, low));
    return values;
  };
  const auto strides = numbers("strides", axes, 1, 1);
  const auto dilations = dilates ? numbers("dilations", axes, 1, 1) : std::vector<std::int64_t>(axes, 1);
  const std::string automatic = onnx_text(node, "auto_pad", "NOTSET");
  const auto pads = numbers("pads", 2 * axes, 0, 0);
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (!same && automatic != "NOTSET" && automatic != "VALID")
    graph_.fail(node,
                fmt::format("auto_pad is '{}'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", automatic));
  for (std::size_t axis = 0; axis < axes; ++axis) {
    const std::int64_t extent = in[2 + axis];
    const std::int64_t covered = static_cast<std::int64_t>(kernel[axis] - 1) * dilations[axis] + 1;
    std::int64_t before = automatic == "NOTSET" ? pads[axis] : 0;
    std::int64_t after = automatic == "NOTSET" ? pads[axes + axis] : 0;
    if (same) {
      const std::int64_t steps = (extent + strides[axis] - 1) / strides[axis];
      const std::int64_t total = std::max<std::int64_t>(0, (steps - 1) * strides[axis] + covered - extent);
      before = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      after = total - before;
    }
    layer.input_extent[axis] = in[2 + axis];
    layer.stride[axis] = static_cast<std::uint32_t>(strides[axis]);
    layer.dilation[axis] = static_cast<std::uint32_t>(dilations[axis]);
    layer.padding_before[axis] = static_cast<std::uint32_t>(before);
    layer.padding_after[axis] = static_cast<std::uint32_t>(after);
    layer.size[index(axis == 0 ? Dim::R : Dim::S)] = kernel[axis];
    const std::uint32_t steps = window_steps(layer, axis);
    if (steps == 0)
      graph_.fail(node,
                  fmt::format("its window covers {} of {} padded words", covered, extent + before + after));
    layer.size[index(axis == 0 ? Dim::P : Dim::Q)] = steps;
  }
}

/// Our arithmetic must agree with the shape the file states or the onnx library infers.
void OnnxReader::check_output(const Node& node, const TensorShape& expected) const {
  const auto stated = node.output_size() > 0 ? graph_.find_shape(node.output(0)) : std::nullopt;
  if (stated && *stated != expected)
    graph_.fail(node, fmt::format("its output has the shape {}, but its inputs and attributes give {}",
                                  text(*stated), text(expected)));
}

void OnnxReader::convolution(const Node& node) {
  convolution(node, 0, 1);
}

void OnnxReader::convolution(const Node& node, int x, int w) {
  const TensorShape in = input_shape(node, x);
  const TensorShape weight = input_shape(node, w);
  if (in.size() < 3 || in.size() > 4) {
    ++uncosted_[fmt::format("{} of rank {}", node.op_type(), in.size())];
    return;
  }
  if (weight.size() != in.size())
    graph_.fail(node, fmt::format("weights {} do not fit an input {}", text(weight), text(in)));
  const std::int64_t groups = onnx_int(node, "group", 1);
  if (groups < 1 || in[1] != weight[1] * static_cast<std::uint64_t>(groups) || weight[0] % groups != 0)
    graph_.fail(
        node, fmt::format("weights {} in {} groups do not fit an input {}", text(weight), groups, text(in)));
  const std::vector<std::uint32_t> kernel(weight.begin() + 2, weight.end());
  const auto stated = onnx_ints(node, "kernel_shape");
  if (!stated.empty() && !std::equal(stated.begin(), stated.end(), kernel.begin(), kernel.end(),
                                     [](std::int64_t a, std::uint32_t b) { return a == b; }))
    graph_.fail(node, fmt::format("kernel_shape is [{}], but the weights are {}", fmt::join(stated, ", "),
                                  text(weight)));
  Layer layer;
  layer.size[index(Dim::N)] = in[0];
  layer.size[index(Dim::G)] = static_cast<std::uint32_t>(groups);
  layer.size[index(Dim::K)] = weight[0] / static_cast<std::uint32_t>(groups);
  layer.size[index(Dim::C)] = weight[1];
  read_window(node, in, kernel, true, layer);
  TensorShape out = {in[0], weight[0], layer[Dim::P]};
  if (in.size() == 4) out.push_back(layer[Dim::Q]);
  check_output(node, out);
  add(node, layer, {input(node, x)});
}

void OnnxReader::gemm(const Node& node) {
  TensorShape a = input_shape(node, 0);
  TensorShape b = input_shape(node, 1);
  if (a.size() != 2 || b.size() != 2)
    graph_.fail(node, fmt::format("inputs {} and {} are no matrices", text(a), text(b)));
  if (onnx_int(node, "transA", 0) != 0) std::swap(a[0], a[1]);
  if (onnx_int(node, "transB", 0) != 0) std::swap(b[0], b[1]);
  if (a[1] != b[0]) graph_.fail(node, fmt::format("a product of {} and {} does not exist", text(a), text(b)));
  check_output(node, {a[0], b[1]});
  if (graph_.constant(node.input(1))) return fully_connected(node, node.input(0), a, b, false);
  if (graph_.constant(node.input(0))) return fully_connected(node, node.input(1), b, a, true);
  Layer layer;
  layer.op = LayerOp::matmul;
  layer.size = {1, 1, b[1], a[1], a[0], 1, 1, 1};
  layer.input_extent = {a[0], 1};
  add(node, layer, {node.input(0), node.input(1)});
}

/// One factor is weights, [inner, columns] in its last dimensions: a fully connected layer over all rows of
/// the other. A constant first factor is the same product `transposed`: [rows, inner], columns of data.
void OnnxReader::fully_connected(const Node& node, const std::string& data, const TensorShape& in,
                                 const TensorShape& weight, bool transposed) {
  const std::size_t last = in.size() - 1;
  const std::size_t end = weight.size() - 1;
  const std::uint64_t batches = words(weight) / (std::uint64_t{weight[end]} * weight[end - 1]);
  const std::uint64_t others = words(in) / (std::uint64_t{in[last]} * in[last - 1]);
  const std::uint64_t rows = transposed ? in[last] : in[last - 1];
  Layer layer;
  layer.op = LayerOp::fc;
  layer.size[index(Dim::C)] = transposed ? weight[end] : weight[end - 1];
  layer.size[index(Dim::K)] = transposed ? weight[end - 1] : weight[end];
  layer.size[index(Dim::G)] = checked(batches);
  layer.size[index(Dim::N)] = checked(rows * std::max<std::uint64_t>(1, others / batches));
  add(node, layer, {data});
}

void OnnxReader::matmul(const Node& node, int place_a, int place_b) {
  TensorShape a = input_shape(node, place_a);
  TensorShape b = input_shape(node, place_b);
  if (a.empty() || b.empty()) graph_.fail(node, "a factor is a single number");
  if (a.size() == 1) a.insert(a.begin(), 1);
  if (b.size() == 1) b.push_back(1);
  if (a.back() != b[b.size() - 2])
    graph_.fail(node, fmt::format("a product of {} and {} does not exist", text(a), text(b)));
  const std::size_t rank = std::max(a.size(), b.size());
  a.insert(a.begin(), rank - a.size(), 1);
  b.insert(b.begin(), rank - b.size(), 1);
  for (std::size_t i = 0; i + 2 < rank; ++i)
    if (a[i] != b[i] && a[i] != 1 && b[i] != 1)
      graph_.fail(node, fmt::format("{} and {} have different batches", text(a), text(b)));
  if (graph_.constant(node.input(place_b))) return fully_connected(node, node.input(place_a), a, b, false);
  if (graph_.constant(node.input(place_a))) return fully_connected(node, node.input(place_b), b, a, true);
  // Leading batches that the second factor does not have share it: they are N. The others are groups.
  std::uint64_t shared = 1;
  std::uint64_t groups = 1;
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (groups == 1 && b[i] == 1)
      shared *= a[i];
    else
      groups *= std::max(a[i], b[i]);
  }
  Layer layer;
  layer.op = LayerOp::matmul;
  layer.size = {checked(shared), checked(groups), b.back(), a.back(), a[rank - 2], 1, 1, 1};
  layer.input_extent = {a[rank - 2], 1};
  add(node, layer, {node.input(place_a), node.input(place_b)});
}

void OnnxReader::pool(const Node& node) {
  const TensorShape in = input_shape(node, 0);
  const auto kernel = onnx_ints(node, "kernel_shape");
  if (in.size() < 3 || in.size() > 4) {
    ++uncosted_[fmt::format("{} of rank {}", node.op_type(), in.size())];
    return;
  }
  std::vector<std::uint32_t> window;
  for (const std::int64_t extent : kernel)
    if (extent >= 1 && extent <= 0xFFFFFFFFLL) window.push_back(static_cast<std::uint32_t>(extent));
  if (window.size() != in.size() - 2 || window.size() != kernel.size())
    graph_.fail(node,
                fmt::format("kernel_shape [{}] does not fit an input {}", fmt::join(kernel, ", "), text(in)));
  Layer layer;
  layer.op = LayerOp::pool;
  layer.size[index(Dim::N)] = in[0];
  layer.size[index(Dim::G)] = in[1];
  read_window(node, in, window, node.op_type() == "MaxPool", layer);
  const auto stated = node.output_size() > 0 ? graph_.find_shape(node.output(0)) : std::nullopt;
  TensorShape out = {in[0], in[1]};
  for (std::size_t axis = 0; axis < window.size(); ++axis) {
    std::uint32_t& steps = layer.size[index(axis == 0 ? Dim::P : Dim::Q)];
    const bool rounds_up = onnx_int(node, "ceil_mode", 0) != 0 && stated && stated->size() == in.size() &&
                           (*stated)[2 + axis] == steps + 1;
    if (rounds_up) {
      const std::uint64_t covered = std::uint64_t{window[axis] - 1} * layer.dilation[axis] + 1;
      const std::uint64_t reach = std::uint64_t{layer.input_extent[axis]} + layer.padding_before[axis];
      layer.padding_after[axis] = checked(std::uint64_t{steps} * layer.stride[axis] + covered - reach);
      ++steps;
    }
    out.push_back(steps);
  }
  check_output(node, out);
  add(node, layer, {node.input(0)});
}

void OnnxReader::global_pool(const Node& node) {
  const TensorShape in = input_shape(node, 0);
  if (in.size() < 3) graph_.fail(node, fmt::format("an input {} has no rows and columns", text(in)));
  Layer layer;
  layer.op = LayerOp::pool;
  set_image(layer, in);
  std::swap(layer.size[index(Dim::R)], layer.size[index(Dim::P)]);
  std::swap(layer.size[index(Dim::S)], layer.size[index(Dim::Q)]);
  add(node, layer, {node.input(0)});
}

/// One layer for every activation after the first. Constants that are smaller than the output (a bias, a
/// scale) are free, like folded batch norm; one of its size has to be read, like an activation.
void OnnxReader::elementwise(const Node& node) {
  if (node.output_size() == 0) return;
  const TensorShape out = graph_.shape(node, node.output(0));
  std::vector<std::string> operands;
  for (int i = 0; i < node.input_size(); ++i) {
    const std::string& name = node.input(i);
    const bool small = !name.empty() && graph_.constant(name) && words(input_shape(node, i)) < words(out);
    if (!name.empty() && !small) operands.push_back(name);
  }
  if (operands.size() < 2) return pass_on(node);
  Layer layer;
  layer.op = LayerOp::elementwise;
  set_image(layer, out);
  std::string left = operands[0];
  for (std::size_t i = 1; i < operands.size(); ++i) {
    add(node, layer, {left, operands[i]});
    left = node.output(0);
  }
}

/// Every output is written once and as many words are read.
void OnnxReader::move(const Node& node) {
  for (const std::string& output : node.output()) {
    if (output.empty()) continue;
    Layer layer;
    layer.op = LayerOp::pool;
    set_image(layer, graph_.shape(node, output));
    std::vector<std::string> sources;
    for (const std::string& name : node.input())
      if (!name.empty() && !graph_.constant(name)) sources.push_back(name);
    add(node, layer, sources);
    if (!network_.layers.empty()) producers_[output] = static_cast<std::int32_t>(network_.layers.size()) - 1;
  }
}

/// Reads all words of the input and writes those of the output.
void OnnxReader::reduce(const Node& node) {
  const TensorShape in = input_shape(node, 0);
  const TensorShape out = graph_.shape(node, node.output(0));
  const std::uint64_t share = words(in) / words(out);
  Layer layer;
  layer.op = LayerOp::pool;
  set_image(layer, in);
  const bool spatial = out.size() >= 2 && in.size() >= 3 && out[0] == in[0] && out[1] == in[1] &&
                       words(out) == std::uint64_t{in[0]} * in[1];
  if (spatial) {
    std::swap(layer.size[index(Dim::R)], layer.size[index(Dim::P)]);
    std::swap(layer.size[index(Dim::S)], layer.size[index(Dim::Q)]);
  } else {
    layer.size = {1, 1, 1, 1, checked(words(out)), 1, checked(share), 1};
    layer.stride = {checked(share), 1};
    layer.input_extent = {checked(words(in)), 1};
  }
  add(node, layer, {node.input(0)});
}

std::string OnnxReader::unique_name(const std::string& wish) {
  std::string name = wish.empty() ? "layer" : wish;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wish, i);
  return name;
}

void OnnxReader::add(const Node& node, const Layer& layer, const std::vector<std::string>& sources) {
  NamedLayer named;
  named.name = unique_name(!node.name().empty()     ? node.name()
                           : node.output_size() > 0 ? node.output(0)
                                                    : node.op_type());
  named.layer = layer;
  try {
    layer.validate(named.name);
  } catch (const InputError& error) {
    graph_.fail(node, error.what());
  }
  for (const std::string& source : sources) {
    const auto producer = producers_.find(source);
    if (producer == producers_.end()) {
      named.from.clear();
      break;
    }
    named.from.push_back(producer->second);
  }
  for (const std::string& output : node.output())
    producers_[output] = static_cast<std::int32_t>(network_.layers.size());
  network_.layers.push_back(std::move(named));
}

/// The words of a free operator's output are those of its first input that is no constant.
void OnnxReader::pass_on(const Node& node) {
  for (const std::string& source : node.input()) {
    const auto producer = producers_.find(source);
    if (producer == producers_.end()) continue;
    const std::int32_t layer = producer->second;
    for (const std::string& output : node.output()) producers_[output] = layer;
    return;
  }
}

const std::map<std::string, OnnxReader::Handler>& OnnxReader::handlers() {
  static const std::map<std::string, Handler> table = [] {
    std::map<std::string, Handler> map;
    const auto set = [&](std::initializer_list<const char*> names, Handler handler) {
      for (const char* name : names) map[name] = handler;
    };
    set({"Conv", "ConvInteger"}, &OnnxReader::convolution);
    set({"QLinearConv"}, &OnnxReader::quantised_convolution);
    set({"Gemm"}, &OnnxReader::gemm);
    set({"MatMul", "MatMulInteger"}, &OnnxReader::matmul);
    set({"QLinearMatMul"}, &OnnxReader::quantised_matmul);
    set({"MaxPool", "AveragePool", "LpPool"}, &OnnxReader::pool);
    set({"GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool"}, &OnnxReader::global_pool);
    set({"Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min", "Pow", "Mod", "And", "Or", "Xor", "Equal",
         "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Where"},
        &OnnxReader::elementwise);
    set({"Concat",
         "Softmax",
         "LogSoftmax",
         "Hardmax",
         "LRN",
         "InstanceNormalization",
         "LayerNormalization",
         "MeanVarianceNormalization",
         "LpNormalization",
         "Transpose",
         "Slice",
         "Split",
         "Pad",
         "Gather",
         "Resize",
         "Upsample",
         "Expand",
         "Tile",
         "DepthToSpace",
         "SpaceToDepth",
         "CumSum"},
        &OnnxReader::move);
    set({"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
         "ReduceSumSquare", "ReduceLogSumExp", "ReduceLogSum", "ArgMax", "ArgMin"},
        &OnnxReader::reduce);
    set({"Relu",
         "LeakyRelu",
         "PRelu",
         "Elu",
         "Celu",
         "Selu",
         "ThresholdedRelu",
         "Sigmoid",
         "HardSigmoid",
         "HardSwish",
         "Tanh",
         "Clip",
         "Softplus",
         "Softsign",
         "Erf",
         "Exp",
         "Log",
         "Sqrt",
         "Reciprocal",
         "Abs",
         "Neg",
         "Sign",
         "Floor",
         "Ceil",
         "Round",
         "Not",
         "Sin",
         "Cos",
         "BatchNormalization",
         "Identity",
         "Dropout",
         "Flatten",
         "Reshape",
         "Squeeze",
         "Unsqueeze",
         "Cast",
         "QuantizeLinear",
         "DequantizeLinear",
         "DynamicQuantizeLinear"},
        &OnnxReader::free);
    return map;
  }();
  return table;
}

void OnnxReader::warn() const {
  if (uncosted_.empty()) return;
  std::string list;
  for (const auto& [operation, count] : uncosted_)
    list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", operation, count);
  log_warning(fmt::format("{}: operators without a cost model, left out of every total: {}", path_, list));
}

Network OnnxReader::read() {
  const std::filesystem::path file(path_);
  network_.name = graph_.graph().name().empty() ? file.stem().string() : graph_.graph().name();
  network_.source =
      fmt::format("ONNX file {}{}{}", file.filename().string(),
                  graph_.model().producer_name().empty() ? "" : ", made by ", graph_.model().producer_name());
  network_.batch = std::max(1U, graph_.batch());
  for (const onnx::ValueInfoProto& info : graph_.graph().input())
    if (graph_.is_input(info.name())) producers_[info.name()] = network_input;
  for (const Node& node : graph_.graph().node()) {
    const bool fixed =
        std::all_of(node.output().begin(), node.output().end(),
                    [&](const std::string& output) { return output.empty() || graph_.constant(output); });
    if (fixed) continue;
    const bool standard = node.domain().empty() || node.domain() == "ai.onnx";
    const auto handler = handlers().find(node.op_type());
    if (standard && handler != handlers().end())
      (this->*handler->second)(node);
    else
      ++uncosted_[standard ? node.op_type() : node.domain() + "." + node.op_type()];
  }
  warn();
  if (network_.layers.empty())
    throw InputError(
        fmt::format("{}: none of its {} operators can be costed", path_, graph_.graph().node_size()));
  return std::move(network_);
}

}  // namespace

Network read_network_onnx(const std::string& path, const NetworkOptions& options) {
  return OnnxReader(path, options).read();
}

}  // namespace atl
