// The onnx library infers through a Reshape only if its target is a constant. Exporters compute targets from
// shapes (Shape, Gather, Concat, ...) as soon as the batch is symbolic; once the batch is settled these are
// constants too, and this file finds them. Only short lists of integers are looked at.
#include <onnx/defs/tensor_proto_util.h>

#include <algorithm>
#include <exception>

#include "onnx_graph.hpp"

namespace atl {
namespace {

using Integers = std::vector<std::int64_t>;
using Values = std::map<std::string, Integers>;

constexpr std::size_t longest = 64;

std::optional<Integers> integers(const onnx::TensorProto& tensor) {
  const bool wide = tensor.data_type() == onnx::TensorProto::INT64;
  if (!wide && tensor.data_type() != onnx::TensorProto::INT32) return std::nullopt;
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) return std::nullopt;
  if (tensor.dims_size() > 1 || (tensor.dims_size() == 1 && tensor.dims(0) > std::int64_t{longest}))
    return std::nullopt;
  try {
    if (wide) return onnx::ParseData<std::int64_t>(&tensor);
    const auto narrow = onnx::ParseData<std::int32_t>(&tensor);
    return Integers(narrow.begin(), narrow.end());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<Integers> constant(const onnx::NodeProto& node) {
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.name() == "value") return integers(attribute.t());
    if (attribute.name() == "value_int") return Integers{attribute.i()};
    if (attribute.name() == "value_ints") return Integers(attribute.ints().begin(), attribute.ints().end());
  }
  return std::nullopt;
}

/// The part [start, end) of a list, counted from the back where negative.
Integers part(const Integers& list, std::int64_t start, std::int64_t end) {
  const auto size = static_cast<std::int64_t>(list.size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
  };
  if (place(start) >= place(end)) return {};
  return {list.begin() + place(start), list.begin() + place(end)};
}

std::optional<Integers> gather(const Integers& list, const Integers& places) {
  Integers picked;
  const auto size = static_cast<std::int64_t>(list.size());
  for (const std::int64_t place : places) {
    if (place < -size || place >= size) return std::nullopt;
    picked.push_back(list[static_cast<std::size_t>(place < 0 ? place + size : place)]);
  }
  return picked;
}

std::optional<Integers> arithmetic(const std::string& op, const Integers& a, const Integers& b) {
  if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return std::nullopt;
  Integers result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t left = a[a.size() == 1 ? 0 : i];
    const std::int64_t right = b[b.size() == 1 ? 0 : i];
    constexpr std::int64_t limit = std::int64_t{1} << 31;
    if (left > limit || left < -limit || right > limit || right < -limit) return std::nullopt;
    if (op == "Div" && right == 0) return std::nullopt;
    result[i] = op == "Add"   ? left + right
                : op == "Sub" ? left - right
                : op == "Mul" ? left * right
                              : left / right;
  }
  return result;
}

std::optional<Integers> slice(const std::vector<Integers>& inputs) {
  const bool simple = inputs.size() >= 3 && inputs[1].size() == 1 && inputs[2].size() == 1 &&
                      (inputs.size() < 5 || inputs[4] == Integers{1});
  if (!simple) return std::nullopt;
  return part(inputs[0], inputs[1][0], inputs[2][0]);
}

/// What a node puts out, if its inputs are known lists.
std::optional<Integers> evaluate(const onnx::NodeProto& node, const Values& values) {
  const std::string& op = node.op_type();
  if (op == "Constant") return constant(node);
  std::vector<Integers> inputs;
  for (const std::string& name : node.input()) {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    inputs.push_back(found->second);
  }
  if (inputs.empty()) return std::nullopt;
  if (op == "Unsqueeze" || op == "Squeeze" || op == "Identity" || op == "Cast") return inputs[0];
  if (op == "Gather" && inputs.size() == 2) return gather(inputs[0], inputs[1]);
  if (op == "Slice") return slice(inputs);
  const bool calculates = op == "Add" || op == "Sub" || op == "Mul" || op == "Div";
  if (calculates && inputs.size() == 2) return arithmetic(op, inputs[0], inputs[1]);
  if (op != "Concat") return std::nullopt;
  Integers joined;
  for (const Integers& input : inputs) joined.insert(joined.end(), input.begin(), input.end());
  return joined.size() > longest ? std::nullopt : std::optional(joined);
}

/// Which input of an operator states its output's shape; -1: none.
int target_place(const onnx::NodeProto& node) {
  if (node.op_type() == "Reshape" || node.op_type() == "Expand") return 1;
  return node.op_type() == "ConstantOfShape" ? 0 : -1;
}

}  // namespace

bool fold_targets(onnx::GraphProto& graph, const std::map<std::string, std::vector<std::int64_t>>& shapes) {
  Values values;
  std::set<std::string> stored;
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    stored.insert(tensor.name());
    if (auto list = integers(tensor)) values[tensor.name()] = std::move(*list);
  }
  bool changed = false;
  for (onnx::NodeProto& node : *graph.mutable_node()) {
    const int place = target_place(node);
    if (place >= 0 && place < node.input_size() && stored.count(node.input(place)) == 0) {
      const auto target = values.find(node.input(place));
      if (target != values.end()) {
        onnx::TensorProto& tensor = *graph.add_initializer();
        tensor.set_name(node.input(place) + "/folded/" + std::to_string(graph.initializer_size()));
        tensor.set_data_type(onnx::TensorProto::INT64);
        tensor.add_dims(static_cast<std::int64_t>(target->second.size()));
        for (const std::int64_t value : target->second) tensor.add_int64_data(value);
        node.set_input(place, tensor.name());
        changed = true;
      }
    }
    if (node.output_size() != 1) continue;
    if (node.op_type() == "Shape" && node.input_size() == 1) {
      const auto known = shapes.find(node.input(0));
      const bool whole =
          known != shapes.end() && std::all_of(known->second.begin(), known->second.end(),
                                               [](std::int64_t extent) { return extent >= 0; });
      if (whole)
        values[node.output(0)] = part(known->second, onnx_int(node, "start", 0),
                                      onnx_int(node, "end", static_cast<std::int64_t>(known->second.size())));
    } else if (auto list = evaluate(node, values)) {
      values[node.output(0)] = std::move(*list);
    }
  }
  return changed;
}

}  // namespace atl
