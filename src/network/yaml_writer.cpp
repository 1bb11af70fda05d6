#include <fmt/format.h>

#include "atoll/base/files.hpp"
#include "atoll/network/network.hpp"

namespace atl {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (code < 0x20 || code == 0x7F)
      out += fmt::format("\\x{:02x}", code);
    else
      out += c;
  }
  return out + "\"";
}

std::string pair_text(std::string_view key, const std::array<std::uint32_t, 2>& value) {
  if (value[0] == value[1]) return value[0] == 1 ? "" : fmt::format(", {}: {}", key, value[0]);
  return fmt::format(", {}: [{}, {}]", key, value[0], value[1]);
}

std::string window_text(const Layer& layer) {
  std::string text = layer[Dim::R] == layer[Dim::S]
                         ? fmt::format(", kernel: {}", layer[Dim::R])
                         : fmt::format(", kernel: [{}, {}]", layer[Dim::R], layer[Dim::S]);
  if (layer.op == LayerOp::pool)
    text += fmt::format(", stride: [{}, {}]", layer.stride[0], layer.stride[1]);
  else
    text += pair_text("stride", layer.stride);
  const auto& before = layer.padding_before;
  const auto& after = layer.padding_after;
  if (before != after)
    text += fmt::format(", padding: [{}, {}, {}, {}]", before[0], before[1], after[0], after[1]);
  else if (before[0] != before[1])
    text += fmt::format(", padding: [{}, {}]", before[0], before[1]);
  else if (before[0] != 0)
    text += fmt::format(", padding: {}", before[0]);
  return text + pair_text("dilation", layer.dilation);
}

std::string traits_text(const Layer& layer) {
  std::string text;
  for (std::size_t o = 0; o < operand_count; ++o) {
    const OperandTraits& t = layer.traits[o];
    if (t == OperandTraits{}) continue;
    text += fmt::format("{}{}: {{bits: {}, density: {}, distinct_values: {}, multiplier: {}}}",
                        text.empty() ? "" : ", ", operand_names[o], t.bits, t.density, t.distinct_values,
                        t.multiplier);
  }
  return text.empty() ? "" : fmt::format(", traits: {{{}}}", text);
}

/// Everything but name, samples and traits.
std::string shape_text(const Layer& layer, std::uint32_t batch) {
  const auto in = [&](std::uint64_t channels) {
    return fmt::format("in: [{}, {}, {}]", channels, layer.input_extent[0], layer.input_extent[1]);
  };
  const std::uint64_t groups = layer[Dim::G];
  switch (layer.op) {
    case LayerOp::conv:
      if (groups > 1 && layer[Dim::K] == 1 && layer[Dim::C] == 1)
        return "op: depthwise, " + in(groups) + window_text(layer);
      return fmt::format("op: conv, {}, out: {}", in(groups * layer[Dim::C]), groups * layer[Dim::K]) +
             window_text(layer) + (groups > 1 ? fmt::format(", groups: {}", groups) : "");
    case LayerOp::fc: {
      const std::uint32_t rows = layer[Dim::N] / batch;
      return fmt::format("op: fc, in: {}, out: {}", groups * layer[Dim::C], groups * layer[Dim::K]) +
             (rows > 1 ? fmt::format(", rows: {}", rows) : "") +
             (groups > 1 ? fmt::format(", groups: {}", groups) : "");
    }
    case LayerOp::matmul:
      return fmt::format("op: matmul, batch: {}, rows: {}, inner: {}, columns: {}", groups / batch,
                         layer[Dim::P], layer[Dim::C], layer[Dim::K]);
    case LayerOp::elementwise:
      return "op: add, " + in(groups);
    case LayerOp::pool:
      break;
  }
  const bool copies = layer[Dim::R] == 1 && layer[Dim::S] == 1 && layer.stride == std::array{1U, 1U} &&
                      layer[Dim::P] == layer.input_extent[0] && layer[Dim::Q] == layer.input_extent[1] &&
                      layer.dilation == std::array{1U, 1U};
  return copies ? "op: copy, " + in(groups) : "op: pool, " + in(groups) + window_text(layer);
}

std::array<std::uint64_t, 3> output_shape(const Layer& layer) {
  return {std::uint64_t{layer[Dim::G]} * layer[Dim::K], layer[Dim::P], layer[Dim::Q]};
}

std::array<std::uint64_t, 3> input_shape(const Layer& layer) {
  return {std::uint64_t{layer[Dim::G]} * layer[Dim::C], layer.input_extent[0], layer.input_extent[1]};
}

/// Whether the reader will find that layer `at` can work on the output of `source`.
bool fits(const Network& network, std::size_t at, std::int32_t source) {
  if (source == network_input) return true;
  if (source < 0 || static_cast<std::size_t>(source) >= at) return false;
  const Layer& layer = network.layers[at].layer;
  const Layer& before = network.layers[static_cast<std::size_t>(source)].layer;
  const bool free_output =
      before.op == LayerOp::matmul || (before.op == LayerOp::fc && before[Dim::N] != layer[Dim::N]);
  if (layer.op == LayerOp::matmul || free_output) return layer.op == LayerOp::matmul;
  const auto out = output_shape(before);
  if (layer.op == LayerOp::fc) return out[0] * out[1] * out[2] == input_shape(layer)[0];
  return out == input_shape(layer);
}

/// A copy of several sources, if their channels add up to its own; otherwise nothing.
std::string concat_text(const Network& network, std::size_t at) {
  const NamedLayer& named = network.layers[at];
  if (named.from.size() < 2 || named.layer.op != LayerOp::pool) return "";
  std::uint64_t channels = 0;
  std::string text;
  const auto whole = input_shape(named.layer);
  for (const std::int32_t source : named.from) {
    if (source < 0 || static_cast<std::size_t>(source) >= at) return "";
    const Layer& before = network.layers[static_cast<std::size_t>(source)].layer;
    const auto part = output_shape(before);
    if (before.op == LayerOp::matmul || part[1] != whole[1] || part[2] != whole[2]) return "";
    channels += part[0];
    text += fmt::format("{}[{}, {}, {}]", text.empty() ? "" : ", ", part[0], part[1], part[2]);
  }
  return channels == whole[0] ? fmt::format("op: concat, in: [{}]", text) : "";
}

/// The sources by name. A wire whose ends have different shapes (something between them was free) would
/// be refused by the reader and is left out.
std::string from_text(const Network& network, std::size_t at, bool concatenates) {
  const NamedLayer& named = network.layers[at];
  if (named.layer.op == LayerOp::pool && named.from.size() > 1 && !concatenates) return "";
  std::string text;
  for (const std::int32_t source : named.from) {
    if (!concatenates && !fits(network, at, source)) return "";
    text += fmt::format(
        "{}{}", text.empty() ? "" : ", ",
        source == network_input ? "input" : quoted(network.layers[static_cast<std::size_t>(source)].name));
  }
  return text.empty() ? "" : fmt::format(", from: [{}]", text);
}

bool divides(std::uint32_t batch, const Layer& layer) {
  return layer[layer.op == LayerOp::matmul ? Dim::G : Dim::N] % batch == 0;
}

}  // namespace

void write_network_yaml(const Network& network, const std::string& path) {
  std::uint32_t batch = network.batch;
  for (const NamedLayer& named : network.layers)
    if (batch == 0 || !divides(batch, named.layer)) batch = 1;
  std::string text = fmt::format("name: {}\nsource: {}\nbatch: {}\nlayers:\n", quoted(network.name),
                                 quoted(network.source), batch);
  for (std::size_t at = 0; at < network.layers.size(); ++at) {
    const auto& [name, layer, from] = network.layers[at];
    layer.validate(name);
    const std::string concat = concat_text(network, at);
    text +=
        fmt::format("  - {{name: {}, {}", quoted(name), concat.empty() ? shape_text(layer, batch) : concat);
    const std::uint32_t images = layer[Dim::N] / (layer.op == LayerOp::matmul ? 1 : batch);
    if (images > 1 && layer.op != LayerOp::fc) text += fmt::format(", images: {}", images);
    text += from_text(network, at, !concat.empty()) + traits_text(layer) + "}\n";
  }
  write_text_file_atomically(path, text);
}

}  // namespace atl
