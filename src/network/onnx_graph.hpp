// An ONNX file opened for its shapes: parsed, its batch settled, missing shapes inferred by the onnx library.
// Private to the room, so that protobuf stays out of everybody's headers.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "atoll/network/network.hpp"

namespace atl {

using TensorShape = std::vector<std::uint32_t>;

class OnnxGraph {
 public:
  /// InputError: unreadable, not ONNX, a symbolic dimension that is not the batch, contradictory shapes.
  OnnxGraph(const std::string& path, const NetworkOptions& options);

  const onnx::GraphProto& graph() const { return model_.graph(); }
  const onnx::ModelProto& model() const { return model_; }
  /// Samples along the first dimension of the first input, 1 if it has none.
  std::uint32_t batch() const { return batch_; }

  /// Whether a tensor is known before the network runs: a weight, or computed from weights and shapes alone.
  bool constant(const std::string& tensor) const { return constants_.count(tensor) != 0; }
  bool is_input(const std::string& tensor) const { return inputs_.count(tensor) != 0; }
  /// The shape of a tensor; nothing if it is unknown or has dimensions that are.
  std::optional<TensorShape> find_shape(const std::string& tensor) const;
  /// The same, but InputError naming the node that needs it.
  TensorShape shape(const onnx::NodeProto& node, const std::string& tensor) const;
  [[noreturn]] void fail(const onnx::NodeProto& node, const std::string& text) const;

 private:
  void parse();
  void find_shapes();
  void settle_batch(const NetworkOptions& options);
  void check_windows() const;
  void infer_shapes();
  void collect_shapes();
  void collect_constants();

  std::string path_;
  onnx::ModelProto model_;
  std::uint32_t batch_ = 1;
  std::map<std::string, std::vector<std::int64_t>> shapes_;  // -1: unknown dimension
  std::set<std::string> constants_;
  std::set<std::string> inputs_;
};

/// Replaces targets of Reshape and its like that are computed from known shapes by constants; whether there
/// were any. Shapes further on can then be inferred.
bool fold_targets(onnx::GraphProto& graph, const std::map<std::string, std::vector<std::int64_t>>& shapes);

/// Attributes of a node, with the default of the standard.
std::int64_t onnx_int(const onnx::NodeProto& node, std::string_view name, std::int64_t otherwise);
std::vector<std::int64_t> onnx_ints(const onnx::NodeProto& node, std::string_view name);
std::string onnx_text(const onnx::NodeProto& node, std::string_view name, const std::string& otherwise);

}  // namespace atl
