#include "atoll/space/sequential.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/mapper/content_key.hpp"
#include "atoll/mapper/mapping_space.hpp"

namespace atl {

namespace {

enum Field : std::size_t { op_field, kernel_field, channels_field, stride_field, expansion_field };
constexpr std::uint32_t most_blocks = 64;

void require(bool holds, const std::string& text) {
  if (!holds) throw InputError("space 'sequential': " + text);
}

void check_list(const std::vector<std::uint32_t>& list, const char* name) {
  require(!list.empty(), fmt::format("{} is empty; give at least one number", name));
  require(list.front() >= 1, fmt::format("{} holds {}; numbers start at 1", name, list.front()));
  for (std::size_t i = 1; i < list.size(); ++i)
    require(list[i - 1] < list[i],
            fmt::format("{} must ascend, but {} follows {}", name, list[i], list[i - 1]));
}

SequentialSettings checked(const SequentialSettings& s) {
  check_list(s.kernels, "kernels");
  check_list(s.channels, "channels");
  check_list(s.strides, "strides");
  check_list(s.expansions, "expansions");
  require(!s.operators.empty(), "operators is empty; name at least one");
  require(s.strides.front() == 1, fmt::format("strides must hold 1, but start at {}", s.strides.front()));
  require(std::min({s.batch, s.input_channels, s.input_rows, s.input_columns, s.classes, s.stem_stride}) >= 1,
          "batch, input, classes and stem stride must be at least 1");
  require(s.min_blocks <= s.max_blocks && s.max_blocks >= 1 && s.max_blocks <= most_blocks,
          fmt::format("blocks from {} to {} are asked for; 0 <= min <= max and 1 <= max <= {} hold",
                      s.min_blocks, s.max_blocks, most_blocks));
  const bool pools = std::find(s.operators.begin(), s.operators.end(), BlockKind::pool) != s.operators.end();
  require(!pools || s.kernels.back() > 1, "the operator pool needs a kernel above 1");
  return s;
}

std::int32_t last_of(std::size_t size) {
  return static_cast<std::int32_t>(size) - 1;
}

GenomeSchema make_schema(const SequentialSettings& s) {
  GenomeSchema schema;
  schema.add_block("block",
                   {Gene{"operator", GeneKind::category, 0, last_of(s.operators.size()), 0},
                    Gene{"kernel", GeneKind::range, 0, last_of(s.kernels.size()), 0},
                    Gene{"channels", GeneKind::range, 0, last_of(s.channels.size()), 0},
                    Gene{"stride", GeneKind::range, 0, last_of(s.strides.size()), 0},
                    Gene{"expansion", GeneKind::range, 0, last_of(s.expansions.size()), 0}},
                   s.min_blocks, s.max_blocks);
  return schema;
}

std::vector<SpaceCostColumn> make_columns() {
  return {{"cycles", "cycle", true}, {"energy", "pJ", true},          {"edp", "pJ*cycle", true},
          {"macs", "1", true},       {"parameters", "1", true},       {"peak_activation_bits", "bit", true},
          {"layers", "1", true},     {"bound_cycles", "cycle", true}, {"bound_energy", "pJ", true}};
}

std::uint32_t steps(std::uint32_t extent, std::uint32_t stride) {
  return (extent - 1) / stride + 1;
}

/// The largest entry of an ascending list, from `first`
/// to `wish`, that is not above `limit`; `first` if none.
std::int32_t lowered(const std::vector<std::uint32_t>& list, std::int32_t first, std::int32_t wish,
                     std::uint32_t limit) {
  std::int32_t i = std::clamp(wish, first, last_of(list.size()));
  while (i > first && list[static_cast<std::size_t>(i)] > limit) --i;
  return i;
}

/// Appends layers one after another and knows the shape that flows between them.
class Builder {
 public:
  explicit Builder(const SequentialSettings& s)
      : batch_(s.batch), map_{network_input, s.input_channels, s.input_rows, s.input_columns} {
    network_.name = "sequential";
    network_.source = "found by evolution";
    network_.batch = s.batch;
    network_.layers.reserve(4 * most_blocks);
  }

  struct Map {
    std::int32_t from = network_input;
    std::uint32_t channels = 1, rows = 1, columns = 1;
    bool same_shape(const Map& other) const {
      return channels == other.channels && rows == other.rows && columns == other.columns;
    }
  };

  const Map& map() const { return map_; }
  void go_back(const Map& map) { map_ = map; }

  void conv(const std::string& name, std::uint32_t kernel, std::uint32_t stride, std::uint32_t channels) {
    Layer layer = windowed(LayerOp::conv, kernel, stride);
    layer.size[index(Dim::K)] = channels;
    layer.size[index(Dim::C)] = map_.channels;
    append(name, layer, channels);
  }
  void depthwise(const std::string& name, std::uint32_t kernel, std::uint32_t stride) {
    Layer layer = windowed(LayerOp::conv, kernel, stride);
    layer.size[index(Dim::G)] = map_.channels;
    append(name, layer, map_.channels);
  }
  void pool(const std::string& name, std::uint32_t kernel, std::uint32_t stride) {
    Layer layer = windowed(LayerOp::pool, kernel, stride);
    layer.size[index(Dim::G)] = map_.channels;
    append(name, layer, map_.channels);
  }
  void average(const std::string& name) {
    Layer layer;
    layer.op = LayerOp::pool;
    layer.size = {batch_, map_.channels, 1, 1, 1, 1, map_.rows, map_.columns};
    layer.input_extent = {map_.rows, map_.columns};
    append(name, layer, map_.channels);
  }
  void classify(const std::string& name, std::uint32_t classes) {
    Layer layer;
    layer.op = LayerOp::fc;
    layer.size = {batch_, 1, classes, map_.channels, 1, 1, 1, 1};
    append(name, layer, classes);
  }
  void add(const std::string& name, const Map& other) {
    Layer layer;
    layer.op = LayerOp::elementwise;
    layer.size = {batch_, map_.channels, 1, 1, map_.rows, map_.columns, 1, 1};
    layer.input_extent = {map_.rows, map_.columns};
    append(name, layer, map_.channels);
    network_.layers.back().from.push_back(other.from);
  }

  Network take() { return std::move(network_); }

 private:
  Layer windowed(LayerOp op, std::uint32_t kernel, std::uint32_t stride) const {
    Layer layer;
    layer.op = op;
    layer.size = {batch_, 1, 1, 1, steps(map_.rows, stride), steps(map_.columns, stride), kernel, kernel};
    layer.stride = {stride, stride};
    layer.padding_before = {(kernel - 1) / 2, (kernel - 1) / 2};
    layer.padding_after = {kernel / 2, kernel / 2};
    layer.input_extent = {map_.rows, map_.columns};
    return layer;
  }

  void append(const std::string& name, const Layer& layer, std::uint32_t channels) {
    network_.layers.push_back({name, layer, {map_.from}});
    map_ = {static_cast<std::int32_t>(network_.layers.size()) - 1, channels, layer[Dim::P], layer[Dim::Q]};
  }

  Network network_;
  std::uint32_t batch_;
  Map map_;
};

void build_mbconv(Builder& builder, const SequentialBlock& block, const std::string& name) {
  const Builder::Map input = builder.map();
  if (block.expansion > 1) builder.conv(name + ".expand", 1, 1, input.channels * block.expansion);
  builder.depthwise(name + ".depthwise", block.kernel, block.stride);
  builder.conv(name + ".project", 1, 1, block.channels);
  if (builder.map().same_shape(input)) builder.add(name + ".add", input);
}

void build_basic(Builder& builder, const SequentialBlock& block, const std::string& name) {
  const Builder::Map input = builder.map();
  builder.conv(name + ".conv1", block.kernel, block.stride, block.channels);
  builder.conv(name + ".conv2", block.kernel, 1, block.channels);
  const Builder::Map main = builder.map();
  if (main.same_shape(input)) return builder.add(name + ".add", input);
  builder.go_back(input);
  builder.conv(name + ".shortcut", 1, block.stride, block.channels);
  const Builder::Map shortcut = builder.map();
  builder.go_back(main);
  builder.add(name + ".add", shortcut);
}

void build(Builder& builder, const SequentialBlock& block, const std::string& name) {
  switch (block.kind) {
    case BlockKind::conv:
      return builder.conv(name + ".conv", block.kernel, block.stride, block.channels);
    case BlockKind::separable:
      builder.depthwise(name + ".depthwise", block.kernel, block.stride);
      return builder.conv(name + ".pointwise", 1, 1, block.channels);
    case BlockKind::mbconv:
      return build_mbconv(builder, block, name);
    case BlockKind::basic:
      return build_basic(builder, block, name);
    case BlockKind::pool:
      return builder.pool(name + ".pool", block.kernel, block.stride);
  }
}

}  // namespace

SequentialSpace::SequentialSpace(const SequentialSettings& settings, const Accelerator& accelerator,
                                 const std::string& simulator, const BoundedSearchSettings& search)
    : settings_(checked(settings)),
      schema_(make_schema(settings_)),
      columns_(make_columns()),
      search_(accelerator, simulator, search) {}

SequentialBlock SequentialSpace::block(std::span<const std::int32_t> integers, std::size_t record) const {
  const RecordBlock& at = schema_.blocks.front();
  const auto entry = [&](const auto& list, Field field) {
    return list[static_cast<std::size_t>(integers[at.field(record, field)])];
  };
  return {entry(settings_.operators, op_field), entry(settings_.kernels, kernel_field),
          entry(settings_.channels, channels_field), entry(settings_.strides, stride_field),
          entry(settings_.expansions, expansion_field)};
}

void SequentialSpace::repair(std::span<std::int32_t> integers) const {
  clamp_row(schema_, integers, {});
  const RecordBlock& at = schema_.blocks.front();
  std::uint32_t rows = settings_.input_rows, columns = settings_.input_columns;
  const auto shrink = [&](std::uint32_t stride) {
    rows = steps(rows, stride);
    columns = steps(columns, stride);
  };
  if (settings_.stem_channels > 0) shrink(settings_.stem_stride);
  for (std::size_t r = 0; r < static_cast<std::size_t>(integers[at.first]); ++r) {
    const BlockKind kind = block(integers, r).kind;
    const std::uint32_t side = std::min(rows, columns);
    std::int32_t& kernel = integers[at.field(r, kernel_field)];
    const bool skip_one = kind == BlockKind::pool && settings_.kernels.front() == 1;
    kernel = lowered(settings_.kernels, skip_one ? 1 : 0, kernel, side);
    std::int32_t& stride = integers[at.field(r, stride_field)];
    stride = lowered(settings_.strides, 0, stride, side);
    if (kind == BlockKind::pool) integers[at.field(r, channels_field)] = 0;
    if (kind != BlockKind::mbconv) integers[at.field(r, expansion_field)] = 0;
    shrink(block(integers, r).stride);
  }
}

std::vector<SequentialBlock> SequentialSpace::blocks(std::span<const std::int32_t> integers) const {
  std::vector<std::int32_t> genes(integers.begin(), integers.end());
  repair(genes);
  std::vector<SequentialBlock> list;
  const auto count = static_cast<std::size_t>(genes[schema_.blocks.front().first]);
  for (std::size_t r = 0; r < count; ++r) list.push_back(block(genes, r));
  return list;
}

Network SequentialSpace::network(std::span<const std::int32_t> integers) const {
  return sequential_network(settings_, blocks(integers));
}

Network sequential_network(const SequentialSettings& settings, const std::vector<SequentialBlock>& blocks) {
  Builder builder(settings);
  if (settings.stem_channels > 0) builder.conv("stem", 3, settings.stem_stride, settings.stem_channels);
  for (std::size_t i = 0; i < blocks.size(); ++i) build(builder, blocks[i], fmt::format("block{}", i));
  builder.average("average");
  builder.classify("classifier", settings.classes);
  return builder.take();
}

double most_activation_bits(const Network& network) {
  const std::size_t count = network.layers.size();
  std::vector<std::size_t> last_use(count, 0);
  std::size_t last_input_use = 0;
  for (std::size_t i = 0; i < count; ++i)
    for (const std::int32_t from : network.layers[i].from)
      (from == network_input ? last_input_use : last_use[static_cast<std::size_t>(from)]) = i;
  const auto bits = [&](std::size_t i, Operand operand) {
    const Layer& layer = network.layers[i].layer;
    return static_cast<double>(layer.elements(operand)) * layer.traits[index(operand)].bits;
  };
  double peak = 0;
  for (std::size_t i = 0; i < count; ++i) {
    double alive = bits(i, Operand::O);
    if (i <= last_input_use) alive += bits(0, Operand::I);
    for (std::size_t j = 0; j < i; ++j)
      if (last_use[j] >= i) alive += bits(j, Operand::O);
    peak = std::max(peak, alive);
  }
  return peak;
}

double SequentialSpace::missing_room(const Network& network) const {
  double lacking = 0;
  for (const NamedLayer& named : network.layers)
    if (named.layer.multiplies())
      lacking = std::max(lacking, lacking_bits(named.layer, search_.accelerator()));
  return lacking > 0 ? lacking / search_.accelerator().levels.front().size : 0;
}

void SequentialSpace::evaluate(std::size_t, Population& rows, EvaluationDetail* detail) {
  using namespace sequential_cost;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    repair(rows.integers(row));
    const Network found = network(rows.integers(row));
    const std::span<double> costs = rows.costs(row);
    std::fill(costs.begin(), costs.end(), 0.0);
    rows.violation[row] = missing_room(found);
    if (rows.violation[row] > 0)
      costs[cycles] = costs[energy] = costs[edp] = std::numeric_limits<double>::infinity();
    else
      add_layer_costs(static_cast<std::uint32_t>(row), found, costs, detail);
    costs[macs] = static_cast<double>(found.macs());
    costs[parameters] = static_cast<double>(found.weights());
    costs[peak_activation_bits] = most_activation_bits(found);
  }
}

void SequentialSpace::add_layer_costs(std::uint32_t row, const Network& network, std::span<double> costs,
                                      EvaluationDetail* detail) {
  using namespace sequential_cost;
  std::vector<double> streamed(search_.simulator().schema().width());
  for (const DistinctLayer& distinct : network.distinct(false)) {
    const Layer& layer = network.layers[distinct.first].layer;
    LayerCost cost{row, content_key(layer_key(layer)), 0, distinct.multiplicity, 0, 0};
    std::span<const double> found = streamed;
    std::shared_ptr<const FoundMapping> mapping;
    if (layer.multiplies()) {
      mapping = search_.find(layer);
      found = mapping->costs;
      cost.mapping_key = mapping->key;
      costs[layers] += distinct.multiplicity;
      if (detail != nullptr && handed_out_.insert(mapping->key).second)
        detail->mappings.push_back({mapping->key, mapping->json});
    } else {
      streaming_cost(layer, search_.accelerator(), streamed);
    }
    cost.cycles = found[cost::cycles];
    cost.energy = found[cost::energy];
    costs[cycles] += distinct.multiplicity * cost.cycles;
    costs[energy] += distinct.multiplicity * cost.energy;
    costs[bound_cycles] += distinct.multiplicity * found[cost::bound_cycles];
    costs[bound_energy] += distinct.multiplicity * found[cost::bound_energy];
    if (detail != nullptr) detail->layers.push_back(cost);
  }
  costs[edp] = costs[energy] * costs[cycles];
}

std::string SequentialSpace::to_json(std::size_t, std::span<const std::int32_t> integers,
                                     std::span<const double>) const {
  const Network found = network(integers);
  std::vector<std::string> texts;
  for (const SequentialBlock& b : blocks(integers))
    texts.push_back(fmt::format(R"({{"operator":"{}","kernel":{},"channels":{},"stride":{},"expansion":{}}})",
                                block_kind_names[static_cast<std::size_t>(b.kind)], b.kernel, b.channels,
                                b.stride, b.expansion));
  return fmt::format(
      R"({{"batch":{},"input":[{},{},{}],"stem":{{"channels":{},"stride":{}}},"classes":{},"macs":{},"parameters":{},"blocks":[{}]}})",
      settings_.batch, settings_.input_channels, settings_.input_rows, settings_.input_columns,
      settings_.stem_channels, settings_.stem_channels > 0 ? settings_.stem_stride : 1, settings_.classes,
      found.macs(), found.weights(), fmt::join(texts, ","));
}

std::string SequentialSpace::to_text(std::size_t, std::span<const std::int32_t> integers,
                                     std::span<const double>) const {
  const Network found = network(integers);
  std::string text = fmt::format("input {} x {} x {}, {} classes, {} MACs, {} parameters\n",
                                 settings_.input_channels, settings_.input_rows, settings_.input_columns,
                                 settings_.classes, found.macs(), found.weights());
  std::size_t i = 0;
  for (const SequentialBlock& b : blocks(integers)) {
    text += fmt::format("block{:<3} {:<10} kernel {} stride {}", i++,
                        block_kind_names[static_cast<std::size_t>(b.kind)], b.kernel, b.stride);
    if (b.kind != BlockKind::pool) text += fmt::format(" channels {}", b.channels);
    if (b.kind == BlockKind::mbconv) text += fmt::format(" expansion {}", b.expansion);
    text += '\n';
  }
  for (const NamedLayer& named : found.layers)
    text += fmt::format("  {:<20} {}\n", named.name, layer_key(named.layer));
  return text;
}

void SequentialSpace::write_individual(std::size_t t, std::span<const std::int32_t> integers,
                                       std::span<const double> reals, const std::string& folder,
                                       const std::string& stem) const {
  make_folder(folder);
  Network found = network(integers);
  found.name = stem;
  write_network_yaml(found, folder + "/" + stem + ".yaml");
  write_network_onnx(found, folder + "/" + stem + ".onnx");
  write_text_file_atomically(folder + "/" + stem + ".json", to_json(t, integers, reals) + "\n");
  write_text_file_atomically(folder + "/" + stem + ".txt", to_text(t, integers, reals));
}

}  // namespace atl
