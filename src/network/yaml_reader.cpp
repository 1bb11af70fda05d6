// Our own network format. A file names itself and its source, then lists its layers in execution order:
//
//   name: tiny
//   source: "invented"
//   batch: 1                  # samples worked on at once; part of every layer
//   input: [3, 32, 32]        # channels, rows, columns; with it, every layer's input is checked
//   traits: {W: {bits: 8}}    # of all layers that state none
//   layers:
//     - {name: a, op: conv, in: [3, 32, 32], out: 16, kernel: 3, padding: 1}
//     - {name: b, op: conv, in: [3, 32, 32], from: input, out: 16, kernel: 1}
//     - {name: sum, op: add, in: [16, 32, 32], from: [a, b]}
//     - {name: head, op: fc, in: 16384, out: 10}
//
// A layer works on the output of the layer before it unless `from` says otherwise.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "atoll/base/error.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/network/network.hpp"

namespace atl {
namespace {

constexpr std::int64_t largest = 0xFFFFFFFFLL;

struct Shape {
  std::uint64_t channels = 0;  // 0: unknown, matches everything
  std::uint64_t rows = 1;
  std::uint64_t columns = 1;
  bool known() const { return channels != 0; }
  std::uint64_t words() const { return channels * rows * columns; }
  std::string text() const { return fmt::format("[{}, {}, {}]", channels, rows, columns); }
  bool operator==(const Shape&) const = default;
};

struct Entry {
  NamedLayer named;
  std::vector<Shape> inputs;
  Shape output;
  bool flattens = false;  // only the number of words of the input counts
};

std::uint32_t positive(const YamlNode& node) {
  return static_cast<std::uint32_t>(node.integer(1, largest));
}

std::uint32_t positive_or(const YamlNode& map, std::string_view key, std::uint32_t otherwise) {
  const auto node = map.find(key);
  return node ? positive(*node) : otherwise;
}

std::uint32_t product(const YamlNode& node, std::uint64_t a, std::uint64_t b) {
  if (a > static_cast<std::uint64_t>(largest) / b)
    node.fail(fmt::format("{} x {} is more than 2^32 - 1, the largest dimension", a, b));
  return static_cast<std::uint32_t>(a * b);
}

/// One number for both axes, or [vertical, horizontal].
std::array<std::uint32_t, 2> read_pair(const YamlNode& map, std::string_view key) {
  const auto node = map.find(key);
  if (!node) return {1, 1};
  const auto parts = node->elements(true);
  if (parts.empty() || parts.size() > 2)
    node->fail(fmt::format("{} numbers; expected one, or two for [vertical, horizontal]", parts.size()));
  return {positive(parts.front()), positive(parts.back())};
}

/// One number, [vertical, horizontal], or [top, left, bottom, right].
void read_padding(const YamlNode& map, Layer& layer) {
  const auto node = map.find("padding");
  if (!node) return;
  std::vector<std::uint32_t> parts;
  for (const YamlNode& part : node->elements(true))
    parts.push_back(static_cast<std::uint32_t>(part.integer(0, largest)));
  const std::size_t count = parts.size();
  if (count != 1 && count != 2 && count != 4)
    node->fail(
        fmt::format("{} numbers; expected one, [vertical, horizontal] or [top, left, bottom, right]", count));
  layer.padding_before = {parts.front(), parts[count == 1 ? 0 : 1]};
  layer.padding_after = layer.padding_before;
  if (count == 4) layer.padding_after = {parts[2], parts[3]};
}

Shape read_shape(const YamlNode& node) {
  const auto parts = node.elements();
  if (parts.size() != 3)
    node.fail(fmt::format("{} numbers; expected [channels, rows, columns]", parts.size()));
  return {positive(parts[0]), positive(parts[1]), positive(parts[2])};
}

void read_trait(const YamlNode& node, OperandTraits& trait) {
  node.expect_keys({"bits", "density", "distinct_values", "multiplier"});
  if (const auto v = node.find("bits")) trait.bits = static_cast<std::uint16_t>(v->integer(1, 64));
  if (const auto v = node.find("density")) trait.density = static_cast<float>(v->number(0.0, 1.0));
  if (const auto v = node.find("distinct_values"))
    trait.distinct_values = static_cast<std::uint32_t>(v->integer(0, largest));
  if (const auto v = node.find("multiplier"))
    trait.multiplier = static_cast<std::uint16_t>(v->integer(0, 65535));
}

using Traits = std::array<OperandTraits, operand_count>;

Traits read_traits(const YamlNode& map, Traits traits) {
  const auto node = map.find("traits");
  if (!node) return traits;
  node->expect_keys({operand_names.begin(), operand_names.end()});
  for (std::size_t o = 0; o < operand_count; ++o)
    if (const auto values = node->find(operand_names[o])) read_trait(*values, traits[o]);
  return traits;
}

/// Takes the input's rows and columns, the window and its steps; sets everything but the channels.
void read_window(const YamlNode& node, const Shape& in, bool round_up, Layer& layer) {
  layer.input_extent = {static_cast<std::uint32_t>(in.rows), static_cast<std::uint32_t>(in.columns)};
  const auto kernel = read_pair(node, "kernel");
  layer.size[index(Dim::R)] = kernel[0];
  layer.size[index(Dim::S)] = kernel[1];
  layer.stride = read_pair(node, "stride");
  layer.dilation = read_pair(node, "dilation");
  read_padding(node, layer);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (round_up) extend_to_round_up(layer, axis);
    const std::uint32_t steps = window_steps(layer, axis);
    if (steps == 0)
      node.fail(fmt::format(
          "the window of {} with dilation {} does not fit the input of {} {} with padding {} + {}",
          kernel[axis], layer.dilation[axis], layer.input_extent[axis], axis == 0 ? "rows" : "columns",
          layer.padding_before[axis], layer.padding_after[axis]));
    layer.size[index(axis == 0 ? Dim::P : Dim::Q)] = steps;
  }
}

void read_conv(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const Shape in = read_shape(node.at("in"));
  const std::uint32_t out = positive(node.at("out"));
  const std::uint32_t groups = positive_or(node, "groups", 1);
  for (const auto& [key, channels] : {std::pair{"in", in.channels}, std::pair{"out", std::uint64_t{out}}})
    if (channels % groups != 0)
      node.at("groups").fail(
          fmt::format("{} groups do not divide the {} channels of '{}'", groups, channels, key));
  layer.size[index(Dim::G)] = groups;
  layer.size[index(Dim::C)] = static_cast<std::uint32_t>(in.channels / groups);
  layer.size[index(Dim::K)] = out / groups;
  node.at("kernel");
  read_window(node, in, false, layer);
  entry.inputs = {in};
  entry.output = {out, layer[Dim::P], layer[Dim::Q]};
}

void read_depthwise(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const Shape in = read_shape(node.at("in"));
  const auto channels = static_cast<std::uint32_t>(in.channels);
  const std::uint32_t out = positive_or(node, "out", channels);
  if (out % channels != 0)
    node.at("out").fail(
        fmt::format("{} output channels are no multiple of the {} input channels", out, channels));
  layer.size[index(Dim::G)] = channels;
  layer.size[index(Dim::K)] = out / channels;
  node.at("kernel");
  read_window(node, in, false, layer);
  entry.inputs = {in};
  entry.output = {out, layer[Dim::P], layer[Dim::Q]};
}

void read_fc(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const YamlNode in_node = node.at("in");
  const Shape in = in_node.is_sequence() ? read_shape(in_node) : Shape{positive(in_node), 1, 1};
  const std::uint32_t words = product(in_node, product(in_node, in.channels, in.rows), in.columns);
  const std::uint32_t out = positive(node.at("out"));
  const std::uint32_t groups = positive_or(node, "groups", 1);
  if (words % groups != 0 || out % groups != 0)
    node.at("groups").fail(
        fmt::format("{} groups do not divide {} inputs and {} outputs", groups, words, out));
  layer.size[index(Dim::N)] = positive_or(node, "rows", 1);
  layer.size[index(Dim::G)] = groups;
  layer.size[index(Dim::C)] = words / groups;
  layer.size[index(Dim::K)] = out / groups;
  entry.inputs = {in};
  entry.flattens = true;
  if (layer[Dim::N] == 1) entry.output = {out, 1, 1};
}

void read_matmul(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  layer.size[index(Dim::G)] = positive_or(node, "batch", 1);
  layer.size[index(Dim::P)] = positive(node.at("rows"));
  layer.size[index(Dim::C)] = positive(node.at("inner"));
  layer.size[index(Dim::K)] = positive(node.at("columns"));
  layer.input_extent = {layer[Dim::P], 1};
}

void read_pool(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const Shape in = read_shape(node.at("in"));
  if (const auto kind = node.find("kind")) kind->choice({"max", "average"});
  const auto round_up = node.find("round_up");
  layer.size[index(Dim::G)] = static_cast<std::uint32_t>(in.channels);
  node.at("kernel");
  node.at("stride");
  read_window(node, in, round_up && round_up->boolean(), layer);
  entry.inputs = {in};
  entry.output = {in.channels, layer[Dim::P], layer[Dim::Q]};
}

void read_global_pool(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const Shape in = read_shape(node.at("in"));
  if (const auto kind = node.find("kind")) kind->choice({"max", "average"});
  layer.size[index(Dim::G)] = static_cast<std::uint32_t>(in.channels);
  layer.input_extent = {static_cast<std::uint32_t>(in.rows), static_cast<std::uint32_t>(in.columns)};
  layer.size[index(Dim::R)] = layer.input_extent[0];
  layer.size[index(Dim::S)] = layer.input_extent[1];
  entry.inputs = {in};
  entry.output = {in.channels, 1, 1};
}

/// Add, and with one input a copy: the output has the input's shape.
void read_same_shape(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const Shape in = read_shape(node.at("in"));
  layer.size[index(Dim::G)] = static_cast<std::uint32_t>(in.channels);
  layer.input_extent = {static_cast<std::uint32_t>(in.rows), static_cast<std::uint32_t>(in.columns)};
  layer.size[index(Dim::P)] = layer.input_extent[0];
  layer.size[index(Dim::Q)] = layer.input_extent[1];
  entry.inputs.assign(layer.op == LayerOp::elementwise ? 2 : 1, in);
  entry.output = in;
}

void read_concat(const YamlNode& node, Entry& entry) {
  Layer& layer = entry.named.layer;
  const YamlNode in_node = node.at("in");
  const auto parts = in_node.elements();
  if (parts.size() < 2) in_node.fail("a concatenation needs at least two shapes [channels, rows, columns]");
  for (const YamlNode& part : parts) {
    const Shape shape = read_shape(part);
    if (entry.output.known() && (shape.rows != entry.output.rows || shape.columns != entry.output.columns))
      part.fail(fmt::format("{} has other rows and columns than the shapes before it ({} x {})", shape.text(),
                            entry.output.rows, entry.output.columns));
    entry.inputs.push_back(shape);
    entry.output = {entry.output.channels + shape.channels, shape.rows, shape.columns};
  }
  layer.size[index(Dim::G)] = product(in_node, entry.output.channels, 1);
  layer.input_extent = {static_cast<std::uint32_t>(entry.output.rows),
                        static_cast<std::uint32_t>(entry.output.columns)};
  layer.size[index(Dim::P)] = layer.input_extent[0];
  layer.size[index(Dim::Q)] = layer.input_extent[1];
}

struct Operation {
  std::string name;
  LayerOp op;
  void (*read)(const YamlNode&, Entry&);
  std::vector<std::string> keys;
};

const std::vector<Operation>& operations() {
  static const std::vector<Operation> table = {
      {"conv",
       LayerOp::conv,
       read_conv,
       {"in", "out", "kernel", "stride", "padding", "dilation", "groups", "images"}},
      {"depthwise",
       LayerOp::conv,
       read_depthwise,
       {"in", "out", "kernel", "stride", "padding", "dilation", "images"}},
      {"fc", LayerOp::fc, read_fc, {"in", "out", "rows", "groups"}},
      {"matmul", LayerOp::matmul, read_matmul, {"batch", "rows", "inner", "columns", "images"}},
      {"pool",
       LayerOp::pool,
       read_pool,
       {"in", "kind", "kernel", "stride", "padding", "dilation", "round_up", "images"}},
      {"global_pool", LayerOp::pool, read_global_pool, {"in", "kind", "images"}},
      {"add", LayerOp::elementwise, read_same_shape, {"in", "images"}},
      {"multiply", LayerOp::elementwise, read_same_shape, {"in", "images"}},
      {"concat", LayerOp::pool, read_concat, {"in", "images"}},
      {"copy", LayerOp::pool, read_same_shape, {"in", "images"}},
  };
  return table;
}

Entry read_layer(const YamlNode& node, const Traits& traits, std::uint32_t batch) {
  std::vector<std::string> names;
  for (const Operation& operation : operations()) names.push_back(operation.name);
  const Operation& operation = operations()[node.at("op").choice(names)];
  std::vector<std::string> keys = {"name", "op", "from", "traits"};
  keys.insert(keys.end(), operation.keys.begin(), operation.keys.end());
  node.expect_keys(keys);
  Entry entry;
  entry.named.name = node.at("name").text();
  if (entry.named.name.empty()) node.at("name").fail("the name is empty");
  Layer& layer = entry.named.layer;
  layer.op = operation.op;
  layer.traits = read_traits(node, traits);
  operation.read(node, entry);
  const std::uint32_t images = positive_or(node, "images", 1);
  layer.size[index(Dim::N)] = product(node, layer[Dim::N], images);
  const Dim samples = layer.op == LayerOp::matmul ? Dim::G : Dim::N;
  layer.size[index(samples)] = product(node, layer[samples], batch);
  try {
    layer.validate(entry.named.name);
  } catch (const InputError& error) {
    node.fail(error.what());
  }
  return entry;
}

/// Follows the wires of a network: every layer's input must be what its source puts out.
class Wiring {
 public:
  explicit Wiring(const YamlNode& root) {
    const auto input = root.find("input");
    follow_ = input.has_value();
    if (input) last_.output = read_shape(*input);
    places_["input"] = last_;
  }

  /// Checks the entry against its sources and notes them in it.
  void add(const YamlNode& node, Entry& entry) {
    if (const auto from = node.find("from"))
      take_named(*from, entry);
    else if (follow_)
      take(node, entry, "the layer before it", last_);
    last_ = {count_++, entry.output};
    if (!places_.emplace(entry.named.name, last_).second)
      node.at("name").fail(
          fmt::format("the name '{}' is taken already; names must differ", entry.named.name));
  }

 private:
  struct Place {
    std::int32_t layer = network_input;
    Shape output;
  };

  void take_named(const YamlNode& from, Entry& entry) const {
    const auto sources = from.elements(true);
    const std::size_t inputs = entry.named.layer.op == LayerOp::matmul ? 2 : entry.inputs.size();
    if (sources.empty() || sources.size() > inputs)
      from.fail(fmt::format("{} sources for a layer with {} inputs", sources.size(), inputs));
    for (const YamlNode& source : sources) {
      const auto found = places_.find(source.text());
      if (found == places_.end()) {
        std::vector<std::string> known;
        for (const auto& [name, place] : places_) known.push_back(name);
        source.fail(fmt::format("no layer '{}' stands before this one{}", source.text(),
                                suggestion(source.text(), known)));
      }
      take(source, entry, fmt::format("'{}'", source.text()), found->second);
    }
  }

  static void take(const YamlNode& node, Entry& entry, const std::string& source, const Place& place) {
    const std::size_t i = entry.named.from.size();
    if (i < entry.inputs.size()) {
      const Shape& in = entry.inputs[i];
      const bool fits = entry.flattens ? in.words() == place.output.words() : in == place.output;
      if (place.output.known() && !fits)
        node.fail(
            fmt::format("layer '{}' states the input {}, but {} puts out {}; mend `in`, or name the right "
                        "source with `from`",
                        entry.named.name, in.text(), source, place.output.text()));
    }
    entry.named.from.push_back(place.layer);
  }

  std::map<std::string, Place> places_;
  Place last_;
  std::int32_t count_ = 0;
  bool follow_ = false;
};

}  // namespace

Network read_network_yaml(const std::string& path, const NetworkOptions& options) {
  const YamlNode root = YamlNode::load(path);
  root.expect_keys({"name", "source", "batch", "input", "traits", "layers"});
  Network network;
  network.name = root.at("name").text();
  network.source = root.at("source").text();
  network.batch = options.batch != 0 ? options.batch : positive_or(root, "batch", 1);
  const Traits traits = read_traits(root, {});
  Wiring wiring(root);
  const YamlNode layers = root.at("layers");
  for (const YamlNode& node : layers.elements()) {
    Entry entry = read_layer(node, traits, network.batch);
    wiring.add(node, entry);
    network.layers.push_back(std::move(entry.named));
  }
  if (network.layers.empty()) layers.fail("the network has no layers");
  return network;
}

}  // namespace atl
