#include "onnx_graph.hpp"

#include <fmt/format.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <exception>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"

namespace atl {
namespace {

/// Values larger than any that shape inference looks at are dropped: they are weights.
constexpr std::int64_t largest_shape_constant = 1024;

void drop_weights(onnx::GraphProto& graph) {
  for (onnx::TensorProto& tensor : *graph.mutable_initializer()) {
    std::int64_t words = 1;
    for (const std::int64_t extent : tensor.dims())
      words = extent <= 0 || words > largest_shape_constant ? words : words * extent;
    if (words > largest_shape_constant) {
      tensor.clear_raw_data();
      tensor.clear_float_data();
    }
  }
}

bool symbolic(const onnx::TensorShapeProto::Dimension& dim) {
  return !dim.has_dim_value() || dim.dim_value() <= 0;
}

onnx::TensorShapeProto* shape_of(onnx::ValueInfoProto& info) {
  if (!info.has_type() || !info.type().has_tensor_type() || !info.type().tensor_type().has_shape())
    return nullptr;
  return info.mutable_type()->mutable_tensor_type()->mutable_shape();
}

/// Gives every dimension of that name its value.
void set_symbol(onnx::GraphProto& graph, const std::string symbol, std::uint32_t value) {
  if (symbol.empty()) return;
  for (auto* infos : {graph.mutable_input(), graph.mutable_output(), graph.mutable_value_info()})
    for (onnx::ValueInfoProto& info : *infos)
      if (onnx::TensorShapeProto* shape = shape_of(info))
        for (auto& dim : *shape->mutable_dim())
          if (symbolic(dim) && dim.dim_param() == symbol) dim.set_dim_value(value);
}

void forget_shapes(onnx::GraphProto& graph) {
  graph.clear_value_info();
  for (onnx::ValueInfoProto& output : *graph.mutable_output())
    if (output.has_type() && output.type().has_tensor_type())
      output.mutable_type()->mutable_tensor_type()->clear_shape();
}

const onnx::AttributeProto* find_attribute(const onnx::NodeProto& node, std::string_view name) {
  for (const onnx::AttributeProto& attribute : node.attribute())
    if (attribute.name() == name) return &attribute;
  return nullptr;
}

}  // namespace

OnnxGraph::OnnxGraph(const std::string& path, const NetworkOptions& options) : path_(path) {
  parse();
  for (const onnx::TensorProto& tensor : graph().initializer()) constants_.insert(tensor.name());
  for (const onnx::SparseTensorProto& tensor : graph().sparse_initializer())
    constants_.insert(tensor.values().name());
  settle_batch(options);
  find_shapes();
  collect_constants();
}

void OnnxGraph::find_shapes() {
  do {
    infer_shapes();
    collect_shapes();
  } while (fold_targets(*model_.mutable_graph(), shapes_));
}

void OnnxGraph::parse() {
  const std::string bytes = read_text_file(path_);
  if (!model_.ParseFromString(bytes))
    throw InputError(
        fmt::format("{}: no ONNX file: its {} bytes are no protobuf message of type ModelProto; it may be "
                    "cut short or of another format",
                    path_, bytes.size()));
  if (!model_.has_graph() || model_.graph().node_size() == 0)
    throw InputError(fmt::format("{}: no ONNX network: the file holds no graph with nodes", path_));
  if (model_.opset_import_size() == 0)
    throw InputError(fmt::format("{}: malformed ONNX: it names no operator set (opset_import)", path_));
  drop_weights(*model_.mutable_graph());
  // Before version 4 every initializer had to be an input as well; ours need not be.
  if (model_.ir_version() < 4) model_.set_ir_version(4);
}

void OnnxGraph::settle_batch(const NetworkOptions& options) {
  onnx::GraphProto& graph = *model_.mutable_graph();
  const std::uint32_t wanted = options.batch == 0 ? 1 : options.batch;
  std::int64_t stated = 0;  // the first input's own batch, 0 while it is not known
  bool first = true;
  bool changed = false;
  for (onnx::ValueInfoProto& input : *graph.mutable_input()) {
    if (constant(input.name())) continue;
    inputs_.insert(input.name());
    onnx::TensorShapeProto* shape = shape_of(input);
    if (shape == nullptr)
      throw InputError(fmt::format("{}: the graph input '{}' has no tensor shape; state it in the file",
                                   path_, input.name()));
    if (shape->dim_size() == 0) continue;
    auto& dim = *shape->mutable_dim(0);
    if (first && !symbolic(dim)) stated = dim.dim_value();
    if (symbolic(dim)) {
      set_symbol(graph, dim.dim_param(), wanted);
      dim.set_dim_value(wanted);
    } else if (options.batch != 0 && dim.dim_value() == stated && stated != wanted) {
      dim.set_dim_value(wanted);
      changed = true;
    }
    if (first && dim.dim_value() <= 0xFFFFFFFFLL) batch_ = static_cast<std::uint32_t>(dim.dim_value());
    first = false;
  }
  if (changed) forget_shapes(graph);
  for (onnx::ValueInfoProto& input : *graph.mutable_input()) {
    onnx::TensorShapeProto* shape = shape_of(input);
    for (int i = 0; shape != nullptr && i < shape->dim_size(); ++i)
      if (symbolic(shape->dim(i)))
        throw InputError(
            fmt::format("{}: dimension {} ('{}') of the graph input '{}' has no value; only the first one, "
                        "the batch, can be set from outside",
                        path_, i, shape->dim(i).dim_param(), input.name()));
  }
}

// The library's shape inference divides by these without a look.
void OnnxGraph::check_windows() const {
  for (const onnx::NodeProto& node : graph().node()) {
    for (const onnx::AttributeProto& attribute : node.attribute()) {
      const std::string& name = attribute.name();
      if (name != "strides" && name != "dilations" && name != "kernel_shape") continue;
      for (const std::int64_t value : attribute.ints())
        if (value < 1 || value > 0x7fffffff)
          throw InputError(fmt::format("{}: {} '{}': {} must be from 1 to 2147483647, found {}", path_,
                                       node.op_type(), node.name(), name, value));
    }
  }
}

void OnnxGraph::infer_shapes() {
  check_windows();
  try {
    onnx::shape_inference::InferShapes(model_, onnx::OpSchemaRegistry::Instance(),
                                       onnx::ShapeInferenceOptions(false, 0, false));
  } catch (const std::exception& error) {
    throw InputError(
        fmt::format("{}: malformed ONNX: shape inference refuses the graph: {}", path_, error.what()));
  }
}

void OnnxGraph::collect_shapes() {
  const auto take = [&](const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& infos) {
    for (const onnx::ValueInfoProto& info : infos) {
      if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape()) continue;
      std::vector<std::int64_t> dims;
      for (const auto& dim : info.type().tensor_type().shape().dim())
        dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
      shapes_[info.name()] = dims;
    }
  };
  take(graph().value_info());
  take(graph().output());
  take(graph().input());
  for (const onnx::TensorProto& tensor : graph().initializer())
    shapes_[tensor.name()] = {tensor.dims().begin(), tensor.dims().end()};
  for (const onnx::SparseTensorProto& tensor : graph().sparse_initializer())
    shapes_[tensor.values().name()] = {tensor.dims().begin(), tensor.dims().end()};
}

void OnnxGraph::collect_constants() {
  for (const onnx::NodeProto& node : graph().node()) {
    const std::string& op = node.op_type();
    bool known = op == "Shape" || op == "Size";
    if (!known && op != "RandomNormal" && op != "RandomUniform")
      known = std::all_of(node.input().begin(), node.input().end(),
                          [&](const std::string& name) { return name.empty() || constant(name); });
    if (known) constants_.insert(node.output().begin(), node.output().end());
  }
  constants_.erase("");
}

std::optional<TensorShape> OnnxGraph::find_shape(const std::string& tensor) const {
  const auto found = shapes_.find(tensor);
  if (found == shapes_.end()) return std::nullopt;
  TensorShape shape;
  for (const std::int64_t extent : found->second) {
    if (extent < 0 || extent > 0xFFFFFFFFLL) return std::nullopt;
    shape.push_back(static_cast<std::uint32_t>(extent));
  }
  return shape;
}

TensorShape OnnxGraph::shape(const onnx::NodeProto& node, const std::string& tensor) const {
  const auto found = find_shape(tensor);
  if (!found)
    fail(node,
         fmt::format(
             "the shape of '{}' is unknown, and shape inference cannot find it; store the shapes in the "
             "file (value_info), or fix its free dimensions",
             tensor));
  for (const std::uint32_t extent : *found)
    if (extent == 0) fail(node, fmt::format("the tensor '{}' has a dimension of 0", tensor));
  return *found;
}

void OnnxGraph::fail(const onnx::NodeProto& node, const std::string& text) const {
  const std::string& name = node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name();
  throw InputError(fmt::format("{}: operator {} '{}': {}", path_, node.op_type(), name, text));
}

std::int64_t onnx_int(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise) {
  const onnx::AttributeProto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->i();
}

std::vector<std::int64_t> onnx_ints(const onnx::NodeProto& node, std::string_view name) {
  const onnx::AttributeProto* attribute = find_attribute(node, name);
  if (attribute == nullptr) return {};
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::string onnx_text(const onnx::NodeProto& node, std::string_view name, const std::string& otherwise) {
  const onnx::AttributeProto* attribute = find_attribute(node, name);
  return attribute == nullptr ? otherwise : attribute->s();
}

}  // namespace atl
