#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/accelerator/component.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double most_units = 4294967296.0;

// A part of the file with figures and the sources beside them. Reading a figure takes its source along;
// close() refuses sources that no figure took.
class Section {
 public:
  Section(const YamlNode& node, std::string path, std::vector<std::string> keys, Accelerator& into)
      : node_(node), path_(std::move(path)), into_(into) {
    keys.emplace_back("sources");
    node.expect_keys(keys);
    if (const auto sources = node.find("sources")) read_sources(*sources);
  }

  const YamlNode& node() const { return node_; }

  double required(const std::string& key, std::string_view dimension) {
    return taken(key, node_.at(key), node_.at(key).quantity(dimension));
  }
  double optional(const std::string& key, std::string_view dimension, double otherwise = 0) {
    return node_.find(key) ? required(key, dimension) : otherwise;
  }
  std::uint32_t integer(const std::string& key, std::int64_t low, std::int64_t high) {
    return static_cast<std::uint32_t>(
        taken(key, node_.at(key), static_cast<double>(node_.at(key).integer(low, high))));
  }

  /// Notes that the figure `key`, standing at `value`, needs its source.
  double taken(const std::string& key, const YamlNode& value, double number) {
    note(key);
    for (Given& given : given_) {
      if (given.key != key && !key.starts_with(given.key + ".")) continue;
      given.used = true;
      into_.sources.emplace_back(path_.empty() ? key : path_ + "." + key, given.text);
      return number;
    }
    value.fail(fmt::format(
        "this figure names no source; add '{}: ...' to 'sources' beside it, with file and row, or "
        "'{}: estimate, ...'",
        key, key));
  }

  /// Notes a figure that stands in no file: its source is written here. Empty: not modelled.
  void derived(const std::string& key, const std::string& source) {
    if (!source.empty()) into_.sources.emplace_back(path_ + "." + key, source);
  }

  void close() const {
    for (const Given& given : given_) {
      if (given.used) continue;
      given.value.fail(fmt::format("a source for '{}', but there is no such figure here{}; figures: {}",
                                   given.key, suggestion(given.key, figures_), join(figures_, ", ")));
    }
  }

 private:
  struct Given {
    std::string key;
    std::string text;
    YamlNode value;
    bool used = false;
  };

  // "access.read" may get its source as "access", too.
  void note(const std::string& key) {
    const std::string group = key.substr(0, key.find('.'));
    if (group != key && std::find(figures_.begin(), figures_.end(), group) == figures_.end()) {
      figures_.push_back(group);
    }
    figures_.push_back(key);
  }

  void read_sources(const YamlNode& sources) {
    for (const auto& [keys, value] : sources.entries()) {
      const std::string text(trimmed(value.text()));
      if (text.empty()) value.fail("a source must name file and row, or say 'estimate'");
      for (const std::string& key : split(keys, ',')) {
        given_.push_back({std::string(trimmed(key)), text, value});
      }
    }
    // "access.read" before "access": the closer one wins.
    std::stable_sort(given_.begin(), given_.end(),
                     [](const Given& a, const Given& b) { return a.key.size() > b.key.size(); });
  }

  YamlNode node_;
  std::string path_;
  Accelerator& into_;
  std::vector<Given> given_;
  std::vector<std::string> figures_;
};

void check_name(const YamlNode& node, const std::string& name) {
  const auto bad = [](char c) { return !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'); };
  if (name.empty() || name.size() > 40 || std::any_of(name.begin(), name.end(), bad)) {
    node.fail(fmt::format("a name has 1 to 40 small letters, digits and '_', found '{}'", name));
  }
}

OperandSet read_operands(const YamlNode& node, const std::string& key) {
  const auto list = node.find(key);
  if (!list) return 0;
  static const std::vector<std::string> names(operand_names.begin(), operand_names.end());
  OperandSet set = 0;
  for (const YamlNode& element : list->elements()) {
    const OperandSet bit = operand_bit(static_cast<Operand>(element.choice(names)));
    if ((set & bit) != 0) element.fail(fmt::format("'{}' is named twice", element.text()));
    set |= bit;
  }
  return set;
}

double read_bandwidth(Section& section, const std::string& key, double clock) {
  const auto node = section.node().find(key);
  if (!node || node->text() == "unlimited") return infinity;
  auto value = parse_quantity(node->text(), "bandwidth");
  if (!value) {
    value = parse_quantity(node->text(), "bit_rate");
    if (value) *value /= clock;
  }
  if (!value || *value <= 0) {
    node->fail(fmt::format("expected a bandwidth above 0 ({}; {}) or 'unlimited', found '{}'",
                           units_of("bandwidth"), units_of("bit_rate"), node->text()));
  }
  return section.taken(key, *node, *value);
}

void read_ports(Section& section, double clock, StorageLevel& level) {
  const auto shared = section.node().find("shared_port");
  level.shared_port = shared && shared->boolean();
  level.read_bandwidth = read_bandwidth(section, "read_bandwidth", clock);
  if (const auto write = section.node().find("write_bandwidth"); write && level.shared_port) {
    write->fail("reads and writes share read_bandwidth here (shared_port: true); remove write_bandwidth");
  }
  level.write_bandwidth =
      level.shared_port ? level.read_bandwidth : read_bandwidth(section, "write_bandwidth", clock);
}

void read_access(Section& section, StorageLevel& level) {
  const YamlNode access = section.node().at("access");
  access.expect_keys({"width", "read", "write"});
  const auto figure = [&](const char* key, std::string_view dimension) {
    return section.taken(std::string("access.") + key, access.at(key), access.at(key).quantity(dimension));
  };
  level.access_width = figure("width", "size");
  if (level.access_width <= 0) access.at("width").fail("an access moves at least one bit, found 0");
  const bool by_hand = level.component.empty();
  if (by_hand || access.find("read")) level.read_energy = figure("read", "energy");
  if (by_hand || access.find("write")) level.write_energy = figure("write", "energy");
}

// The class that figures come from which the file does not give; empty without the key.
std::string read_component(const YamlNode& node, bool storage) {
  const auto given = node.find("component");
  if (!given) return "";
  std::vector<std::string> known;
  for (std::size_t c = 0; c < component_count; ++c) {
    const auto component = static_cast<Component>(c);
    if (storage ? is_storage(component) : component == Component::mac) known.push_back(component_names()[c]);
  }
  return known[given->choice(known)];
}

Component component_named(const std::string& name) {
  const auto& names = component_names();
  return static_cast<Component>(std::find(names.begin(), names.end(), name) - names.begin());
}

void derive_level(Section& section, const Accelerator& into, StorageLevel& level) {
  const Component component = component_named(level.component);
  const YamlNode& node = section.node();
  const double banks = level.banks;
  const double bits = level.size / banks;
  const std::string problem = component_problem(component, bits, level.access_width, into.technology);
  if (!problem.empty()) node.at("component").fail(problem + (banks > 1 ? " in each bank" : ""));
  const auto figures = component_figures(component, bits, level.access_width, into.technology);
  const auto sources = component_sources(component, bits, level.access_width, into.technology);
  const std::string all_banks = banks > 1 ? fmt::format(" x {} (banks)", banks) : "";
  const auto derive = [&](bool given, const char* key, double& figure, double value,
                          const std::string& source) {
    if (given) return;
    figure = value;
    section.derived(key, source);
  };
  const auto with_banks = [&](const std::string& source) { return source.empty() ? "" : source + all_banks; };
  const YamlNode access = node.at("access");
  derive(access.find("read").has_value(), "access.read", level.read_energy, figures.read, sources.read);
  derive(access.find("write").has_value(), "access.write", level.write_energy, figures.write, sources.write);
  derive(node.find("leakage").has_value(), "leakage", level.leakage,
         banks * figures.leakage * 1e9 / into.clock, with_banks(sources.leakage));
  derive(node.find("area").has_value(), "area", level.area, banks * figures.area, with_banks(sources.area));
}

void read_banks(Section& section, StorageLevel& level) {
  const auto banks = section.node().find("banks");
  if (!banks) return;
  if (level.component.empty()) {
    banks->fail("banks change nothing but the figures of a component class; name one with 'component'");
  }
  level.banks = section.integer("banks", 1, 1 << 20);
}

double read_leakage(Section& section, double clock) {
  const auto node = section.node().find("leakage");
  if (!node) return 0;
  if (const auto power = parse_quantity(node->text(), "power")) {
    return section.taken("leakage", *node, *power * 1e9 / clock);  // 1 mW = 1e9 pJ/s
  }
  return section.required("leakage", "energy_per_cycle");
}

void read_word_bits(Section& section, StorageLevel& level) {
  const auto node = section.node().find("word_bits");
  if (!node) return;
  if (!node->is_map()) {
    level.word_bits.fill(section.integer("word_bits", 1, 64));
    return;
  }
  node->expect_keys({operand_names.begin(), operand_names.end()});
  for (const auto& [name, value] : node->entries()) {
    const auto operand = static_cast<std::size_t>(
        std::find(operand_names.begin(), operand_names.end(), name) - operand_names.begin());
    level.word_bits[operand] =
        section.taken("word_bits." + name, value, static_cast<double>(value.integer(1, 64)));
  }
}

void read_size(Section& section, bool outermost, StorageLevel& level) {
  if (const auto size = section.node().find("size")) {
    level.size = section.required("size", "size");
    if (level.size <= 0) size->fail("a level of size 0 holds nothing; remove the level");
  } else if (outermost) {
    level.size = infinity;
  } else {
    section.node().fail(
        fmt::format("level '{}' has no size; only the outermost level may leave it out", level.name));
  }
}

void check_operands(const YamlNode& node, bool outermost, const StorageLevel& level) {
  if (outermost && level.keep != all_operands) {
    node.fail(
        fmt::format("the outermost level '{}' must keep all operands: write keep: [W, I, O]", level.name));
  }
  if ((level.keep & level.may_keep) != 0) {
    node.fail(fmt::format("level '{}' names an operand in both keep and may_keep; choose one", level.name));
  }
  if (level.keep == 0 && level.may_keep == 0) {
    node.fail(
        fmt::format("level '{}' keeps nothing; name operands in keep or may_keep, or remove it", level.name));
  }
}

StorageLevel read_level(const YamlNode& node, Accelerator& into) {
  StorageLevel level;
  level.name = node.at("name").text();
  check_name(node.at("name"), level.name);
  for (const StorageLevel& earlier : into.levels) {
    if (earlier.name == level.name)
      node.at("name").fail(fmt::format("two levels are named '{}'", level.name));
  }
  Section section(
      node, "levels." + level.name,
      {"name", "kind", "component", "banks", "keep", "may_keep", "size", "buffering", "read_bandwidth",
       "write_bandwidth", "shared_port", "access", "leakage", "area", "word_bits"},
      into);
  level.kind = storage_kinds()[node.at("kind").choice(storage_kinds())];
  level.keep = read_operands(node, "keep");
  level.may_keep = read_operands(node, "may_keep");
  check_operands(node, into.levels.empty(), level);
  read_size(section, into.levels.empty(), level);
  if (const auto buffering = node.find("buffering")) {
    level.buffering = static_cast<Buffering>(buffering->choice({"single", "double", "rolling"}));
  }
  read_ports(section, into.clock, level);
  level.component = read_component(node, true);
  read_banks(section, level);
  read_access(section, level);
  level.leakage = read_leakage(section, into.clock);
  level.area = section.optional("area", "area");
  if (!level.component.empty()) derive_level(section, into, level);
  read_word_bits(section, level);
  section.close();
  return level;
}

// The length of a hop gives its energy, if the file does not.
void read_wire(Section& section, Fanout& fanout) {
  const auto wire = section.node().find("wire");
  if (!wire) return;
  fanout.wire = section.required("wire", "length") / 1000;
  if (fanout.wire <= 0) wire->fail("a hop along a wire of 0 mm; remove 'wire'");
  if (section.node().find("hop_energy")) return;
  fanout.hop_energy = wire_energy * fanout.wire;
  section.derived("hop_energy", fmt::format("derived: {} x {:.6g} mm", wire_source, fanout.wire));
}

void read_fanout(const YamlNode& node, Accelerator& into) {
  node.expect_keys({"fanout"});
  const YamlNode map = node.at("fanout");
  if (into.levels.empty()) map.fail("a fan-out hangs below a level; put it after the outermost level");
  const std::size_t above = into.levels.size() - 1;
  if (into.fanout_below(above) != nullptr) {
    map.fail(fmt::format("level '{}' has two fan-outs below it; join them (x and y) or put a level between",
                         into.levels.back().name));
  }
  Section section(map, "levels." + into.levels.back().name + ".fanout",
                  {"x", "y", "multicast", "reduction", "hop_energy", "wire"}, into);
  Fanout fanout;
  fanout.above = above;
  fanout.x = section.integer("x", 1, 1 << 20);
  if (map.find("y")) fanout.y = section.integer("y", 1, 1 << 20);
  if (const auto multicast = map.find("multicast")) fanout.multicast = multicast->boolean();
  if (const auto reduction = map.find("reduction")) fanout.reduction = reduction->boolean();
  fanout.hop_energy = section.optional("hop_energy", "energy_per_bit");
  read_wire(section, fanout);
  section.close();
  const double units = static_cast<double>(into.units()) * fanout.x * fanout.y;
  if (units > most_units)
    map.fail(fmt::format("{:.0f} units in all; at most {:.0f} are possible", units, most_units));
  into.fanouts.push_back(fanout);
}

void derive_compute(Section& section, const Accelerator& into, Compute& compute) {
  const Component component = component_named(compute.component);
  const YamlNode& node = section.node();
  const std::string problem =
      component_problem(component, compute.bits, compute.accumulator_bits, into.technology);
  if (!problem.empty()) node.at("component").fail(problem);
  const auto figures = component_figures(component, compute.bits, compute.accumulator_bits, into.technology);
  const auto sources = component_sources(component, compute.bits, compute.accumulator_bits, into.technology);
  if (!node.find("energy")) {
    compute.energy = figures.read;
    section.derived("energy", sources.read);
  }
  if (!node.find("area")) {
    compute.area = figures.area;
    section.derived("area", sources.area);
  }
}

void read_compute(const YamlNode& node, Accelerator& into) {
  Section section(node, "compute", {"kind", "component", "bits", "accumulator_bits", "energy", "area"}, into);
  if (node.find("kind")) node.at("kind").choice({"mac"});
  into.compute.bits = section.integer("bits", 1, 64);
  into.compute.accumulator_bits = section.integer("accumulator_bits", 1, 64);
  into.compute.component = read_component(node, false);
  if (into.compute.component.empty() || node.find("energy")) {
    into.compute.energy = section.required("energy", "energy");
  }
  into.compute.area = section.optional("area", "area");
  if (!into.compute.component.empty()) derive_compute(section, into, into.compute);
  section.close();
}

// One word of each operand that must be there; of the smallest that may be there if none must.
void check_room(const YamlNode& node, std::size_t l, const Accelerator& accelerator) {
  const StorageLevel& level = accelerator.levels[l];
  double kept = 0;
  double smallest = infinity;
  for (std::size_t o = 0; o < operand_count; ++o) {
    const auto operand = static_cast<Operand>(o);
    const double bits = accelerator.word_bits(l, operand);
    if (contains(level.keep, operand)) kept += bits;
    if (contains(level.may_keep, operand)) smallest = std::min(smallest, bits);
  }
  const bool doubled = level.buffering == Buffering::double_;
  const double needed = (level.keep != 0 ? kept : smallest) * (doubled ? 2 : 1);
  if (needed <= level.size) return;
  node.fail(fmt::format(
      "level '{}' has no room for one word of each operand it keeps{}: it needs {} b and has {} b; "
      "make it larger or let operands bypass it",
      level.name, doubled ? ", twice as it is double-buffered" : "", needed, level.size));
}

Accelerator read(const YamlNode& root, const std::string& file) {
  Accelerator accelerator;
  accelerator.file = file;
  Section section(
      root, "",
      {"name", "clock", "technology", "levels", "compute", "execution", "timeloop", "zero_read_elision"},
      accelerator);
  accelerator.name = root.at("name").text();
  check_name(root.at("name"), accelerator.name);
  accelerator.clock = section.required("clock", "frequency");
  if (accelerator.clock <= 0) root.at("clock").fail("the clock must be above 0 Hz");
  accelerator.technology = section.optional("technology", "length");
  section.close();
  std::vector<YamlNode> nodes;
  for (const YamlNode& element : root.at("levels").elements()) {
    if (element.find("fanout")) {
      read_fanout(element, accelerator);
      continue;
    }
    if (nodes.size() == max_levels) element.fail(fmt::format("at most {} levels are possible", max_levels));
    accelerator.levels.push_back(read_level(element, accelerator));
    nodes.push_back(element);
  }
  if (nodes.empty()) root.at("levels").fail("an accelerator needs at least one level");
  read_compute(root.at("compute"), accelerator);
  if (const auto elides = root.find("zero_read_elision")) accelerator.zero_read_elision = elides->boolean();
  if (const auto execution = root.find("execution")) {
    std::vector<std::string> names;
    for (const StorageLevel& level : accelerator.levels) names.push_back(level.name);
    accelerator.execution = read_execution(*execution, names, accelerator.sources);
  }
  for (std::size_t l = 0; l < nodes.size(); ++l) check_room(nodes[l], l, accelerator);
  return accelerator;
}

}  // namespace

const std::vector<std::string>& storage_kinds() {
  static const std::vector<std::string> kinds = {"dram", "lpddr", "lpddr4", "ddr3",         "gddr5",
                                                 "hbm2", "sram",  "edram",  "register_file"};
  return kinds;
}

Accelerator read_accelerator(const std::string& path) {
  return read(YamlNode::load(path), path);
}

Accelerator parse_accelerator(const std::string& text, const std::string& name) {
  return read(YamlNode::parse(text, name), name);
}

}  // namespace atl
