// ONNX models made node by node, and what the onnx library says of their shapes.
#pragma once

#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <string>
#include <vector>

namespace atl::test {

using Dims = std::vector<std::int64_t>;

class OnnxModel {
 public:
  OnnxModel() {
    model_.set_ir_version(7);
    auto& set = *model_.add_opset_import();
    set.set_domain("");
    set.set_version(13);
    graph().set_name("made");
  }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }
  onnx::ModelProto& model() { return model_; }
  std::string bytes() const { return model_.SerializeAsString(); }

  /// A negative extent is symbolic, named "batch".
  void input(const std::string& name, const Dims& dims) { declare(*graph().add_input(), name, dims); }
  void output(const std::string& name) { graph().add_output()->set_name(name); }
  /// A weight whose values are not in the file.
  void weight(const std::string& name, const Dims& dims) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    for (const std::int64_t extent : dims) tensor.add_dims(extent);
  }
  void integers(const std::string& name, const Dims& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor.add_int64_data(value);
  }
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs) {
    onnx::NodeProto& made = *graph().add_node();
    made.set_op_type(op);
    for (const std::string& name : inputs) made.add_input(name);
    for (const std::string& name : outputs) made.add_output(name);
    return made;
  }
  static void declare(onnx::ValueInfoProto& info, const std::string& name, const Dims& dims) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : dims) {
      auto& dim = *tensor.mutable_shape()->add_dim();
      if (extent < 0)
        dim.set_dim_param("batch");
      else
        dim.set_dim_value(extent);
    }
  }

  /// The oracle: the shape of `tensor` by the onnx library's inference; empty if it finds none.
  Dims inferred(const std::string& tensor) const {
    onnx::ModelProto copy = model_;
    onnx::shape_inference::InferShapes(copy);
    Dims dims;
    for (const auto* infos : {&copy.graph().value_info(), &copy.graph().output()})
      for (const onnx::ValueInfoProto& info : *infos)
        if (info.name() == tensor && dims.empty())
          for (const auto& dim : info.type().tensor_type().shape().dim()) dims.push_back(dim.dim_value());
    return dims;
  }

 private:
  onnx::ModelProto model_;
};

inline void set_ints(onnx::NodeProto& node, const std::string& name, const Dims& values) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}
inline void set_int(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}
inline void set_text(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

}  // namespace atl::test
