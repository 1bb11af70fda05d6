// A network as the rest of atoll needs it: its layers in execution order, each with a name, and the
// distinct shapes among them with how often they occur. Read from our YAML or from ONNX.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "atoll/network/layer.hpp"

namespace atl {

struct NamedLayer {
  std::string name;
  Layer layer;
  /// The layers whose outputs this one reads, in the order of its operands (elementwise: I, W; a
  /// concatenating copy: its parts); network_input for the network's own input. Empty: not known.
  std::vector<std::int32_t> from = {};
};

inline constexpr std::int32_t network_input = -1;

/// One shape that occurs `multiplicity` times; `first` indexes Network::layers.
struct DistinctLayer {
  std::size_t first = 0;
  std::uint32_t multiplicity = 0;
};

struct Network {
  std::string name;
  std::string source;  // where the shapes come from, for reports
  std::vector<NamedLayer> layers;
  std::uint32_t batch = 1;  // samples the layers work on at once; already part of every layer's N (or G)

  std::uint64_t macs() const;
  std::uint64_t weights() const;  // parameters of conv and fc layers, biases not counted
  /// Distinct shapes in order of first occurrence. `multiplying_only` leaves out pool and elementwise.
  std::vector<DistinctLayer> distinct(bool multiplying_only) const;
};

/// Settings that a file may need from outside.
struct NetworkOptions {
  std::uint32_t batch = 0;  // 0: as the file says; a symbolic batch dimension needs a value (1 if 0)
};

/// Reads .yaml/.yml or .onnx by extension. Warnings (operators that cannot be costed, with their count)
/// go to the logger, one line. InputError on everything that is wrong.
Network read_network(const std::string& path, const NetworkOptions& options = {});
Network read_network_yaml(const std::string& path, const NetworkOptions& options = {});
Network read_network_onnx(const std::string& path, const NetworkOptions& options = {});

/// Writes what read_network reads. write_network_onnx makes a graph without weights' values (they are
/// ConstantOfShape), accepted by the onnx checker; ONNX has no place for operands' traits, which are lost.
/// A layer whose sources are not known, or whose shape they do not fit, gets a graph input of its own.
void write_network_yaml(const Network& network, const std::string& path);
void write_network_onnx(const Network& network, const std::string& path);

}  // namespace atl
