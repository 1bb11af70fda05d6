#include "atoll/network/layer.hpp"

#include <fmt/format.h>

#include <charconv>
#include <initializer_list>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

constexpr std::uint64_t product_limit = 1ULL << 53;

std::uint64_t window_extent(const Layer& layer, std::size_t axis) {
  const std::uint64_t window = axis == 0 ? layer[Dim::R] : layer[Dim::S];
  return (window - 1) * layer.dilation[axis] + 1;
}

[[noreturn]] void refuse(std::string_view layer_name, const std::string& text) {
  throw InputError(fmt::format("layer '{}': {}", layer_name, text));
}

void check_product(std::string_view layer_name, std::string_view what,
                   std::initializer_list<std::uint64_t> factors) {
  std::uint64_t product = 1;
  for (const std::uint64_t factor : factors) {
    if (factor > product_limit / product)
      refuse(layer_name,
             fmt::format("{} exceed 2^53, the largest exact count; check the dimensions, or split the layer",
                         what));
    product *= factor;
  }
}

void check_dimensions(const Layer& layer, std::string_view layer_name) {
  for (std::size_t d = 0; d < dim_count; ++d)
    if (layer.size[d] == 0)
      refuse(layer_name, fmt::format("dimension {} is 0; every dimension must be at least 1", dim_names[d]));
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const char* side = axis == 0 ? "vertical" : "horizontal";
    if (layer.stride[axis] == 0)
      refuse(layer_name, fmt::format("the {} stride is 0; it must be at least 1", side));
    if (layer.dilation[axis] == 0)
      refuse(layer_name, fmt::format("the {} dilation is 0; it must be at least 1", side));
    if (layer.input_extent[axis] == 0)
      refuse(layer_name, fmt::format("the {} input extent is 0; it must be at least 1", side));
  }
}

void check_ones(const Layer& layer, std::string_view layer_name, std::initializer_list<Dim> dims) {
  for (const Dim d : dims)
    if (layer[d] != 1)
      refuse(layer_name, fmt::format("dimension {} is {}, but a layer of kind {} has {} = 1",
                                     dim_names[index(d)], layer[d], name(layer.op), dim_names[index(d)]));
}

void check_kind(const Layer& layer, std::string_view layer_name) {
  switch (layer.op) {
    case LayerOp::conv:
      return;
    case LayerOp::fc:
      return check_ones(layer, layer_name, {Dim::P, Dim::Q, Dim::R, Dim::S});
    case LayerOp::matmul:
      return check_ones(layer, layer_name, {Dim::Q, Dim::R, Dim::S});
    case LayerOp::pool:
      return check_ones(layer, layer_name, {Dim::K, Dim::C});
    case LayerOp::elementwise:
      return check_ones(layer, layer_name, {Dim::K, Dim::C, Dim::R, Dim::S});
  }
  refuse(layer_name, fmt::format("unknown kind of layer, number {}", static_cast<int>(layer.op)));
}

void check_window(const Layer& layer, std::string_view layer_name) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::uint64_t padded =
        std::uint64_t{layer.input_extent[axis]} + layer.padding_before[axis] + layer.padding_after[axis];
    const std::uint64_t window = window_extent(layer, axis);
    const char* side = axis == 0 ? "rows" : "columns";
    if (window > padded)
      refuse(layer_name,
             fmt::format("the window covers {} {}, but the padded input has only {}", window, side, padded));
    const Dim out = axis == 0 ? Dim::P : Dim::Q;
    const std::uint32_t steps = window_steps(layer, axis);
    if (layer[out] != steps)
      refuse(layer_name,
             fmt::format("{} is {}, but {} padded input {}, a window of {}, and stride {} give {}",
                         dim_names[index(out)], layer[out], padded, side, window, layer.stride[axis], steps));
    const bool plain =
        layer.op == LayerOp::fc || layer.op == LayerOp::matmul || layer.op == LayerOp::elementwise;
    if (plain && (layer.stride[axis] != 1 || layer.padding_before[axis] != 0 ||
                  layer.padding_after[axis] != 0 || layer.dilation[axis] != 1))
      refuse(layer_name,
             fmt::format("a layer of kind {} has no stride, dilation or padding", name(layer.op)));
  }
}

void check_traits(const Layer& layer, std::string_view layer_name) {
  for (std::size_t o = 0; o < operand_count; ++o) {
    const OperandTraits& traits = layer.traits[o];
    if (traits.bits < 1 || traits.bits > 64)
      refuse(layer_name,
             fmt::format("operand {} has {} bits; 1 to 64 are possible", operand_names[o], traits.bits));
    if (!(traits.density >= 0.0F && traits.density <= 1.0F))
      refuse(layer_name, fmt::format("operand {} has density {}; it is a share between 0 and 1",
                                     operand_names[o], traits.density));
    if (traits.bits < 32 && traits.distinct_values > (1ULL << traits.bits))
      refuse(layer_name, fmt::format("operand {} has {} distinct values, more than {} bits can tell apart",
                                     operand_names[o], traits.distinct_values, traits.bits));
  }
}

void check_products(const Layer& layer, std::string_view layer_name) {
  const auto n = [&](Dim d) { return std::uint64_t{layer[d]}; };
  check_product(layer_name, "its operations",
                {n(Dim::N), n(Dim::G), n(Dim::K), n(Dim::C), n(Dim::P), n(Dim::Q), n(Dim::R), n(Dim::S)});
  check_product(layer_name, "the words of its input",
                {n(Dim::N), n(Dim::G), n(Dim::C), layer.input_extent[0], layer.input_extent[1]});
}

std::string traits_key(Operand operand, const OperandTraits& traits) {
  std::string key = fmt::format(" {}{}", operand_names[index(operand)], traits.bits);
  if (traits.density != 1.0F) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), traits.density).ptr;
    key +=
        fmt::format(",density{}", std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
  }
  if (traits.distinct_values != 0) key += fmt::format(",distinct{}", traits.distinct_values);
  if (traits.multiplier != 0) key += fmt::format(",multiplier{}", traits.multiplier);
  return key;
}

}  // namespace

std::string_view name(LayerOp op) {
  switch (op) {
    case LayerOp::conv:
      return "conv";
    case LayerOp::fc:
      return "fc";
    case LayerOp::matmul:
      return "matmul";
    case LayerOp::pool:
      return "pool";
    case LayerOp::elementwise:
      return "elementwise";
  }
  return "unknown";
}

std::uint64_t Layer::macs() const {
  return multiplies() ? operations() : 0;
}

std::uint64_t Layer::operations() const {
  std::uint64_t product = 1;
  for (const std::uint32_t extent : size) product *= extent;
  return product;
}

std::uint64_t Layer::elements(Operand operand) const {
  if (!has(operand)) return 0;
  std::uint64_t product = 1;
  for (std::size_t d = 0; d < dim_count; ++d) {
    const Dim dim = static_cast<Dim>(d);
    const bool window = dim == Dim::P || dim == Dim::Q || dim == Dim::R || dim == Dim::S;
    if (operand == Operand::I && window) continue;
    if (depends(op, operand, dim)) product *= size[d];
  }
  if (operand == Operand::I) product *= std::uint64_t{input_extent[0]} * input_extent[1];
  return product;
}

bool Layer::has(Operand operand) const {
  return operand != Operand::W || op != LayerOp::pool;
}

void Layer::validate(std::string_view layer_name) const {
  check_dimensions(*this, layer_name);
  check_kind(*this, layer_name);
  check_window(*this, layer_name);
  check_traits(*this, layer_name);
  check_products(*this, layer_name);
}

bool depends(LayerOp op, Operand operand, Dim d) {
  const bool output = d == Dim::N || d == Dim::G || d == Dim::K || d == Dim::P || d == Dim::Q;
  switch (operand) {
    case Operand::O:
      return output;
    case Operand::I:
      return d != Dim::K;
    case Operand::W:
      break;
  }
  if (op == LayerOp::pool) return false;
  if (op == LayerOp::elementwise) return output;
  return d == Dim::G || d == Dim::K || d == Dim::C || d == Dim::R || d == Dim::S;
}

std::uint32_t window_steps(const Layer& layer, std::size_t axis) {
  const std::uint64_t padded =
      std::uint64_t{layer.input_extent[axis]} + layer.padding_before[axis] + layer.padding_after[axis];
  const std::uint64_t window = window_extent(layer, axis);
  if (window > padded || layer.stride[axis] == 0) return 0;
  const std::uint64_t steps = (padded - window) / layer.stride[axis] + 1;
  return steps > std::numeric_limits<std::uint32_t>::max() ? 0 : static_cast<std::uint32_t>(steps);
}

void extend_to_round_up(Layer& layer, std::size_t axis) {
  const std::uint64_t reach = std::uint64_t{layer.input_extent[axis]} + layer.padding_before[axis];
  const std::uint64_t padded = reach + layer.padding_after[axis];
  const std::uint64_t window = window_extent(layer, axis);
  const std::uint64_t stride = layer.stride[axis];
  if (window > padded || stride == 0) return;
  const std::uint64_t last = (padded - window + stride - 1) / stride * stride;
  if (last >= reach || last + window <= padded) return;
  layer.padding_after[axis] = static_cast<std::uint32_t>(last + window - reach);
}

void infer_input_extent(Layer& layer) {
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::uint64_t steps = axis == 0 ? layer[Dim::P] : layer[Dim::Q];
    const std::uint64_t padded = (steps - 1) * layer.stride[axis] + window_extent(layer, axis);
    const std::uint64_t padding = std::uint64_t{layer.padding_before[axis]} + layer.padding_after[axis];
    const std::uint64_t extent = padded > padding ? padded - padding : 1;
    if (extent > std::numeric_limits<std::uint32_t>::max())
      throw InputError(
          fmt::format("an input of {} rows or columns is needed; at most 2^32 - 1 are possible", extent));
    layer.input_extent[axis] = static_cast<std::uint32_t>(extent);
  }
}

std::string layer_key(const Layer& layer) {
  std::string key(name(layer.op));
  for (std::size_t d = 0; d < dim_count; ++d) key += fmt::format(" {}{}", dim_names[d], layer.size[d]);
  const auto stride = [&](std::size_t axis, Dim d) { return layer[d] == 1 ? 1 : layer.stride[axis]; };
  const auto dilation = [&](std::size_t axis, Dim d) { return layer[d] == 1 ? 1 : layer.dilation[axis]; };
  key += fmt::format(" s{},{} d{},{}", stride(0, Dim::P), stride(1, Dim::Q), dilation(0, Dim::R),
                     dilation(1, Dim::S));
  key += fmt::format(" p{},{},{},{} i{},{}", layer.padding_before[0], layer.padding_before[1],
                     layer.padding_after[0], layer.padding_after[1], layer.input_extent[0],
                     layer.input_extent[1]);
  for (const Operand o : {Operand::W, Operand::I, Operand::O})
    if (layer.has(o)) key += traits_key(o, layer.traits[index(o)]);
  return key;
}

}  // namespace atl
