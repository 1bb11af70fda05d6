#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "timeloop_names.hpp"

namespace atl {

namespace {

constexpr std::int64_t largest_extent = 0x7fffffff;

std::vector<std::string> dim_list() {
  return {timeloop::dims.begin(), timeloop::dims.end()};
}

std::optional<std::size_t> dim_of(std::string_view name) {
  const auto found = std::find(timeloop::dims.begin(), timeloop::dims.end(), name);
  if (found == timeloop::dims.end()) return std::nullopt;
  return static_cast<std::size_t>(found - timeloop::dims.begin());
}

std::size_t dim_or_fail(const YamlNode& node, std::string_view name) {
  if (const auto d = dim_of(name)) return *d;
  node.fail(fmt::format("unknown dimension '{}'; known are {}", name, join(dim_list(), ", ")));
}

// -- problem -------------------------------------------------------------------------------------------

// Names of the coefficients by which rows, taps, columns, ... are multiplied; those of Timeloop's own
// convolutions unless the shape says otherwise.
struct Coefficients {
  std::string p = "Wstride", r = "Wdilation", q = "Hstride", s = "Hdilation";
};

void read_term(const YamlNode& term, Coefficients& names) {
  const std::vector<YamlNode> parts = term.elements(true);
  if (parts.empty()) term.fail("an empty term in a projection");
  const std::string name = parts.size() > 1 ? parts[1].text() : "";
  const std::string dim = parts[0].text();
  if (dim == "P") names.p = name;
  if (dim == "R") names.r = name;
  if (dim == "Q") names.q = name;
  if (dim == "S") names.s = name;
}

Coefficients coefficients(const YamlNode& problem) {
  Coefficients names;
  const auto shape = problem.find("shape");
  if (!shape || !shape->is_map()) return names;
  auto spaces = shape->find("data_spaces");
  if (!spaces) spaces = shape->find("data-spaces");
  if (!spaces) return names;
  for (const YamlNode& space : spaces->elements()) {
    if (space.at("name").text() != "Inputs") continue;
    for (const YamlNode& axis : space.at("projection").elements())
      for (const YamlNode& term : axis.elements(true)) read_term(term, names);
  }
  return names;
}

Layer read_problem(const YamlNode& problem) {
  const auto instance = problem.find("instance");
  const YamlNode& values = instance ? *instance : problem;
  const Coefficients names = coefficients(problem);
  const auto coefficient = [&](const std::string& name) {
    if (name.empty()) return std::uint32_t{1};
    const auto node = values.find(name);
    return node ? static_cast<std::uint32_t>(node->integer(1, largest_extent)) : std::uint32_t{1};
  };
  Layer layer;
  for (const auto& [key, value] : values.entries())
    if (const auto d = dim_of(key))
      layer.size[*d] = static_cast<std::uint32_t>(value.integer(1, largest_extent));
  layer.stride = {coefficient(names.p), coefficient(names.q)};
  layer.dilation = {coefficient(names.r), coefficient(names.s)};
  const bool window = layer[Dim::P] * std::uint64_t{layer[Dim::Q]} * layer[Dim::R] > 1 || layer[Dim::S] > 1;
  layer.op = window ? LayerOp::conv : LayerOp::fc;
  infer_input_extent(layer);
  try {
    layer.validate("problem");
  } catch (const InputError& error) {
    problem.fail(error.what());
  }
  return layer;
}

// -- mapping -------------------------------------------------------------------------------------------

struct LevelLoops {
  LoopBounds temporal{}, x{}, y{};
  std::vector<std::uint8_t> order;  // outermost first, those that were named
  std::optional<OperandSet> keep;
  bool has_temporal = false, has_spatial = false;
};

// "N=1 G=1 M=64", "N1 G1 M64", or the same as a list.
class Factors {
 public:
  explicit Factors(const YamlNode& node) : node_(node) { bounds_.fill(1); }

  LoopBounds read() {
    for (const YamlNode& part : node_.elements(true)) {
      text_ = part.text();
      at_ = 0;
      while (skip_separators()) one();
    }
    return bounds_;
  }

 private:
  bool skip_separators() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == ',')) ++at_;
    return at_ < text_.size();
  }
  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static bool letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }

  void one() {
    const std::size_t start = at_;
    while (at_ < text_.size() && letter(text_[at_])) ++at_;
    const std::size_t d = dim_or_fail(node_, std::string_view(text_).substr(start, at_ - start));
    if (at_ < text_.size() && text_[at_] == '=') ++at_;
    bounds_[d] = number();
    if (at_ + 1 < text_.size() && text_[at_] == ',' && digit(text_[at_ + 1]))
      node_.fail(fmt::format("dimension {} has a residual factor; only factors that divide are read",
                             timeloop::dims[d]));
  }

  std::uint32_t number() {
    std::int64_t value = 0;
    const std::size_t start = at_;
    for (; at_ < text_.size() && digit(text_[at_]) && value <= largest_extent; ++at_)
      value = value * 10 + (text_[at_] - '0');
    if (start == at_ || value < 1 || value > largest_extent)
      node_.fail(
          fmt::format("expected factors like 'M=64', each from 1 to {}, found '{}'", largest_extent, text_));
    return static_cast<std::uint32_t>(value);
  }

  const YamlNode& node_;
  std::string text_;
  std::size_t at_ = 0;
  LoopBounds bounds_{};
};

// Inner to outer in the file; outermost first in the result.
std::vector<std::uint8_t> read_permutation(const YamlNode& node) {
  std::vector<std::uint8_t> inner_first;
  for (const YamlNode& part : node.elements(true)) {
    for (const char c : part.text()) {
      if (c == ' ' || c == ',') continue;
      const auto d = static_cast<std::uint8_t>(dim_or_fail(node, std::string_view(&c, 1)));
      if (std::find(inner_first.begin(), inner_first.end(), d) != inner_first.end())
        node.fail(fmt::format("dimension {} stands twice", timeloop::dims[d]));
      inner_first.push_back(d);
    }
  }
  return {inner_first.rbegin(), inner_first.rend()};
}

void read_temporal(const YamlNode& directive, LevelLoops& loops) {
  if (loops.has_temporal) directive.fail("a second temporal directive for this level");
  loops.has_temporal = true;
  loops.temporal = Factors(directive.at("factors")).read();
  if (const auto permutation = directive.find("permutation")) loops.order = read_permutation(*permutation);
}

// The innermost `split` loops run along x.
void read_spatial(const YamlNode& directive, LevelLoops& loops) {
  if (loops.has_spatial) directive.fail("a second spatial directive for this level");
  loops.has_spatial = true;
  const LoopBounds both = Factors(directive.at("factors")).read();
  std::vector<std::uint8_t> order;
  if (const auto permutation = directive.find("permutation")) order = read_permutation(*permutation);
  for (std::uint8_t d = 0; d < dim_count; ++d)
    if (std::find(order.begin(), order.end(), d) == order.end()) order.insert(order.begin(), d);
  const auto split = directive.find("split");
  const std::int64_t along_x = split ? split->integer(0, static_cast<std::int64_t>(dim_count)) : dim_count;
  for (std::size_t i = 0; i < dim_count; ++i) {
    const std::uint8_t d = order[dim_count - 1 - i];
    (static_cast<std::int64_t>(i) < along_x ? loops.x : loops.y)[d] *= both[d];
  }
}

void read_bypass(const YamlNode& directive, OperandSet otherwise, LevelLoops& loops) {
  OperandSet keep = loops.keep.value_or(otherwise);
  if (const auto node = directive.find("keep"))
    keep = static_cast<OperandSet>(keep | timeloop_operands(*node));
  if (const auto node = directive.find("bypass"))
    keep = static_cast<OperandSet>(keep & ~timeloop_operands(*node));
  loops.keep = keep;
}

// A level that an export put between the rows and the columns of a fan-out: its loops in space are those
// along x.
bool read_rows(const YamlNode& directive, const Accelerator& accelerator, std::vector<LevelLoops>& levels) {
  const std::string target = plain_name(directive.at("target").text());
  for (std::size_t l = 0; l < levels.size(); ++l) {
    if (accelerator.levels[l].name == target) return false;
    if (timeloop::rows_of(accelerator.levels[l].name) != target) continue;
    const std::string type = directive.at("type").text();
    LevelLoops rows;
    rows.x.fill(1);
    rows.y.fill(1);
    rows.temporal.fill(1);
    if (type == "temporal") read_temporal(directive, rows);
    if (type == "spatial") read_spatial(directive, rows);
    for (std::size_t d = 0; d < dim_count; ++d) {
      if (rows.temporal[d] > 1)
        directive.fail(fmt::format("loops in time at '{}', which holds nothing in accelerator '{}'", target,
                                   accelerator.name));
      // A product that is too large cannot divide the layer either; build() says so.
      levels[l].x[d] = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(std::uint64_t{levels[l].x[d]} * rows.x[d] * rows.y[d], 0xffffffff));
    }
    return true;
  }
  return false;
}

std::size_t level_of(const YamlNode& target, const Accelerator& accelerator) {
  std::vector<std::string> names;
  for (const StorageLevel& level : accelerator.levels) names.push_back(level.name);
  const std::string name = plain_name(target.text());
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    target.fail(fmt::format("unknown level '{}'{}; accelerator '{}' has {}", target.text(),
                            suggestion(name, names), accelerator.name, join(names, ", ")));
  return static_cast<std::size_t>(found - names.begin());
}

std::vector<LevelLoops> read_directives(const YamlNode& mapping, const Accelerator& accelerator) {
  std::vector<LevelLoops> levels(accelerator.levels.size());
  for (LevelLoops& level : levels) {
    level.temporal.fill(1);
    level.x.fill(1);
    level.y.fill(1);
  }
  for (const YamlNode& directive : mapping.elements()) {
    if (read_rows(directive, accelerator, levels)) continue;
    const std::size_t l = level_of(directive.at("target"), accelerator);
    const StorageLevel& level = accelerator.levels[l];
    const std::string type = directive.at("type").text();
    if (type == "temporal") {
      read_temporal(directive, levels[l]);
    } else if (type == "spatial") {
      read_spatial(directive, levels[l]);
    } else if (timeloop_bypass(type)) {
      read_bypass(directive, static_cast<OperandSet>(level.keep | level.may_keep), levels[l]);
    } else {
      directive.at("type").fail(fmt::format("expected temporal, spatial or bypass, found '{}'", type));
    }
  }
  return levels;
}

void divide(const YamlNode& mapping, const Extents& outer, const LoopBounds& bounds, Extents& inner) {
  for (std::size_t d = 0; d < dim_count; ++d) {
    if (outer[d] % bounds[d] != 0)
      mapping.fail(fmt::format("the factors of {} do not multiply to its size: {} is left for a loop of {}",
                               timeloop::dims[d], outer[d], bounds[d]));
    inner[d] = outer[d] / bounds[d];
  }
}

Mapping build(const YamlNode& node, const Layer& layer, const std::vector<LevelLoops>& loops,
              const Accelerator& accelerator) {
  Mapping mapping;
  mapping.levels = static_cast<std::uint8_t>(loops.size());
  for (std::size_t l = 0; l < loops.size(); ++l) {
    LevelMapping& level = mapping.level[l];
    divide(node, mapping.entering(l, layer), loops[l].temporal, level.temporal);
    divide(node, level.temporal, loops[l].y, level.y);
    divide(node, level.y, loops[l].x, level.x);
    std::vector<std::uint8_t> order = loops[l].order;
    for (std::uint8_t d = 0; d < dim_count; ++d)
      if (std::find(order.begin(), order.end(), d) == order.end()) order.push_back(d);
    std::copy(order.begin(), order.end(), level.order.begin());
    const StorageLevel& hardware = accelerator.levels[l];
    level.keep = loops[l].keep.value_or(static_cast<OperandSet>(hardware.keep | hardware.may_keep));
  }
  for (std::size_t d = 0; d < dim_count; ++d)
    if (mapping.level[loops.size() - 1].x[d] != 1)
      node.fail(fmt::format("the factors of {} do not multiply to its size {}: {} is left", timeloop::dims[d],
                            layer.size[d], mapping.level[loops.size() - 1].x[d]));
  return mapping;
}

}  // namespace

LayerMapping import_timeloop_mapping(std::span<const ForeignFile> files, const Accelerator& accelerator) {
  std::optional<YamlNode> problem, mapping;
  for (const ForeignFile& file : files) {
    const YamlNode root = YamlNode::parse(file.text, file.path);
    if (const auto found = root.find("problem")) problem = found;
    if (const auto found = root.find("mapping")) mapping = found;
  }
  if (!problem || !mapping)
    throw InputError(fmt::format("{}: a mapping needs the keys 'problem' and 'mapping'; '{}' is missing",
                                 files.empty() ? std::string("import") : files.front().path,
                                 problem ? "mapping" : "problem"));
  LayerMapping result;
  result.layer = read_problem(*problem);
  result.mapping = build(*mapping, result.layer, read_directives(*mapping, accelerator), accelerator);
  return result;
}

}  // namespace atl
