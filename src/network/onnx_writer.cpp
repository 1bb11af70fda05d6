#include <fmt/format.h>
#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <set>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/network/network.hpp"

namespace atl {
namespace {

using Dims = std::vector<std::int64_t>;

std::int64_t count(const Dims& dims) {
  std::int64_t product = 1;
  for (const std::int64_t extent : dims) product *= extent;
  return product;
}

class OnnxWriter {
 public:
  explicit OnnxWriter(const Network& network) : network_(network), graph_(*model_.mutable_graph()) {}
  onnx::ModelProto write();

 private:
  struct Tensor {
    std::string name;
    Dims dims;
  };

  void write_layer(std::size_t at);
  void write_product(const NamedLayer& named);
  void write_copy(std::size_t at);
  bool concatenates(std::size_t at) const;
  void finish(onnx::NodeProto node, const Dims& dims);
  /// A tensor of that shape for the operand at `place`: its
  /// source if it has as many words, reshaped where needed.
  std::string operand(const NamedLayer& named, std::size_t place, const Dims& dims);
  std::string weight(const std::string& name, const Dims& dims);
  std::string shape_constant(const std::string& name, const Dims& dims);
  std::string graph_input(const std::string& name, const Dims& dims);
  void declare(onnx::ValueInfoProto& info, const std::string& name, const Dims& dims) const;
  std::string unique(const std::string& wish);

  const Network& network_;
  onnx::ModelProto model_;
  onnx::GraphProto& graph_;
  std::vector<Tensor> outputs_;  // by layer
  std::string input_;            // the network's input, once somebody has read it
  Dims input_dims_;
  std::set<std::string> used_;
  std::set<std::string> names_;
};

void set_ints(onnx::NodeProto& node, const std::string& name, const Dims& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

onnx::NodeProto make_node(const std::string& op, const std::string& name,
                          const std::vector<std::string>& inputs) {
  onnx::NodeProto node;
  node.set_op_type(op);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  return node;
}

std::string OnnxWriter::unique(const std::string& wish) {
  std::string name = wish;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", wish, i);
  return name;
}

void OnnxWriter::declare(onnx::ValueInfoProto& info, const std::string& name, const Dims& dims) const {
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : dims) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

std::string OnnxWriter::graph_input(const std::string& name, const Dims& dims) {
  const std::string tensor = unique(name);
  declare(*graph_.add_input(), tensor, dims);
  return tensor;
}

std::string OnnxWriter::shape_constant(const std::string& name, const Dims& dims) {
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(unique(name));
  tensor.set_data_type(onnx::TensorProto::INT64);
  tensor.add_dims(static_cast<std::int64_t>(dims.size()));
  for (const std::int64_t extent : dims) tensor.add_int64_data(extent);
  return tensor.name();
}

std::string OnnxWriter::weight(const std::string& name, const Dims& dims) {
  onnx::NodeProto node = make_node("ConstantOfShape", unique(name + ".weight_node"),
                                   {shape_constant(name + ".weight_shape", dims)});
  node.add_output(unique(name + ".weight"));
  *graph_.add_node() = node;
  return node.output(0);
}

std::string OnnxWriter::operand(const NamedLayer& named, std::size_t place, const Dims& dims) {
  const std::string fallback = fmt::format("{}.input{}", named.name, place);
  if (place >= named.from.size()) return graph_input(fallback, dims);
  const std::int32_t source = named.from[place];
  if (source == network_input && input_.empty()) {
    input_ = graph_input("input", dims);
    input_dims_ = dims;
  }
  const bool is_input = source == network_input;
  if (!is_input && (source < 0 || static_cast<std::size_t>(source) >= outputs_.size()))
    return graph_input(fallback, dims);
  const Tensor tensor = is_input ? Tensor{input_, input_dims_} : outputs_[static_cast<std::size_t>(source)];
  if (count(tensor.dims) != count(dims)) return graph_input(fallback, dims);
  used_.insert(tensor.name);
  if (tensor.dims == dims) return tensor.name;
  onnx::NodeProto node = make_node("Reshape", unique(named.name + ".reshape"),
                                   {tensor.name, shape_constant(named.name + ".shape", dims)});
  node.add_output(unique(named.name + ".reshaped"));
  *graph_.add_node() = node;
  return node.output(0);
}

void OnnxWriter::finish(onnx::NodeProto node, const Dims& dims) {
  outputs_.push_back({unique(node.name() + ".output"), dims});
  node.add_output(outputs_.back().name);
  *graph_.add_node() = std::move(node);
}

void set_window(onnx::NodeProto& node, const Layer& layer) {
  const auto pair = [](const std::array<std::uint32_t, 2>& values) { return Dims{values[0], values[1]}; };
  set_ints(node, "kernel_shape", {layer[Dim::R], layer[Dim::S]});
  set_ints(node, "strides", pair(layer.stride));
  set_ints(node, "dilations", pair(layer.dilation));
  set_ints(
      node, "pads",
      {layer.padding_before[0], layer.padding_before[1], layer.padding_after[0], layer.padding_after[1]});
}

Dims input_dims(const Layer& layer) {
  return {layer[Dim::N], std::int64_t{layer[Dim::G]} * layer[Dim::C], layer.input_extent[0],
          layer.input_extent[1]};
}

Dims output_dims(const Layer& layer) {
  return {layer[Dim::N], std::int64_t{layer[Dim::G]} * layer[Dim::K], layer[Dim::P], layer[Dim::Q]};
}

void OnnxWriter::write_product(const NamedLayer& named) {
  const Layer& layer = named.layer;
  const std::int64_t n = layer[Dim::N];
  const std::int64_t g = layer[Dim::G];
  const std::int64_t k = layer[Dim::K];
  const std::int64_t c = layer[Dim::C];
  const std::int64_t p = layer[Dim::P];
  if (layer.op == LayerOp::matmul) {
    const std::string left = operand(named, 0, {n, g, p, c});
    const std::string right = operand(named, 1, {1, g, c, k});
    return finish(make_node("MatMul", named.name, {left, right}), {n, g, p, k});
  }
  if (g == 1) {
    onnx::NodeProto node =
        make_node("Gemm", named.name, {operand(named, 0, {n, c}), weight(named.name, {k, c})});
    set_int(node, "transB", 1);
    return finish(std::move(node), {n, k});
  }
  // With several rows the groups would have to be transposed to the front, so the source is left open.
  NamedLayer open = named;
  if (n > 1) open.from.clear();
  const std::string in = operand(open, 0, {g, n, c});
  finish(make_node("MatMul", named.name, {in, weight(named.name, {g, c, k})}), {g, n, k});
}

bool OnnxWriter::concatenates(std::size_t at) const {
  const NamedLayer& named = network_.layers[at];
  const Dims whole = output_dims(named.layer);
  std::int64_t channels = 0;
  for (const std::int32_t source : named.from) {
    if (source < 0 || static_cast<std::size_t>(source) >= at) return false;
    const Dims& part = outputs_[static_cast<std::size_t>(source)].dims;
    if (part.size() != 4 || part[0] != whole[0] || part[2] != whole[2] || part[3] != whole[3]) return false;
    channels += part[1];
  }
  return named.from.size() > 1 && channels == whole[1];
}

void OnnxWriter::write_copy(std::size_t at) {
  const NamedLayer& named = network_.layers[at];
  onnx::NodeProto node = make_node("Concat", named.name, {});
  set_int(node, "axis", 1);
  if (concatenates(at)) {
    for (const std::int32_t source : named.from) {
      const std::string& part = outputs_[static_cast<std::size_t>(source)].name;
      used_.insert(part);
      node.add_input(part);
    }
  } else {
    node.add_input(operand(named, 0, input_dims(named.layer)));
  }
  finish(std::move(node), output_dims(named.layer));
}

void OnnxWriter::write_layer(std::size_t at) {
  const NamedLayer& named = network_.layers[at];
  const Layer& layer = named.layer;
  layer.validate(named.name);
  if (layer.op == LayerOp::fc || layer.op == LayerOp::matmul) return write_product(named);
  const bool point = layer[Dim::R] == 1 && layer[Dim::S] == 1;
  if (layer.op == LayerOp::pool && point && input_dims(layer) == output_dims(layer)) return write_copy(at);
  const std::string in = operand(named, 0, input_dims(layer));
  if (layer.op == LayerOp::elementwise) {
    const std::string other = operand(named, 1, input_dims(layer));
    return finish(make_node("Add", named.name, {in, other}), output_dims(layer));
  }
  onnx::NodeProto node = make_node(layer.op == LayerOp::conv ? "Conv" : "MaxPool", named.name, {in});
  if (layer.op == LayerOp::conv) {
    node.add_input(weight(named.name, {std::int64_t{layer[Dim::G]} * layer[Dim::K], layer[Dim::C],
                                       layer[Dim::R], layer[Dim::S]}));
    set_int(node, "group", layer[Dim::G]);
  }
  set_window(node, layer);
  finish(std::move(node), output_dims(layer));
}

onnx::ModelProto OnnxWriter::write() {
  model_.set_ir_version(7);
  model_.set_producer_name("atoll");
  onnx::OperatorSetIdProto& set = *model_.add_opset_import();
  set.set_domain("");
  set.set_version(13);
  graph_.set_name(network_.name.empty() ? "network" : network_.name);
  graph_.set_doc_string(network_.source);
  for (std::size_t at = 0; at < network_.layers.size(); ++at) write_layer(at);
  for (const Tensor& tensor : outputs_)
    if (used_.count(tensor.name) == 0) declare(*graph_.add_output(), tensor.name, tensor.dims);
  return model_;
}

}  // namespace

void write_network_onnx(const Network& network, const std::string& path) {
  if (network.layers.empty())
    throw InputError(fmt::format("network '{}' has no layers; nothing to write to '{}'", network.name, path));
  const onnx::ModelProto model = OnnxWriter(network).write();
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& error) {
    throw InternalError(
        fmt::format("network '{}': the onnx checker refuses our graph: {}", network.name, error.what()));
  }
  write_text_file_atomically(path, model.SerializeAsString());
}

}  // namespace atl
