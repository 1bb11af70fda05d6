#include "atoll/network/network.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>

#include "atoll/base/error.hpp"

namespace atl {

std::uint64_t Network::macs() const {
  std::uint64_t sum = 0;
  for (const NamedLayer& named : layers) sum += named.layer.macs();
  return sum;
}

std::uint64_t Network::weights() const {
  std::uint64_t sum = 0;
  for (const NamedLayer& named : layers)
    if (named.layer.op == LayerOp::conv || named.layer.op == LayerOp::fc)
      sum += named.layer.elements(Operand::W);
  return sum;
}

std::vector<DistinctLayer> Network::distinct(bool multiplying_only) const {
  std::vector<DistinctLayer> shapes;
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i].layer;
    if (multiplying_only && !layer.multiplies()) continue;
    const auto [place, fresh] = seen.emplace(layer_key(layer), shapes.size());
    if (fresh) shapes.push_back({i, 0});
    ++shapes[place->second].multiplicity;
  }
  return shapes;
}

Network read_network(const std::string& path, const NetworkOptions& options) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".yaml" || extension == ".yml") return read_network_yaml(path, options);
  if (extension == ".onnx") return read_network_onnx(path, options);
  throw InputError("network file '" + path + "': the ending '" + extension +
                   "' names no known format; expected .yaml, .yml or .onnx");
}

}  // namespace atl
