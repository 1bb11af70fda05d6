#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/timeloop.hpp"
#include "timeloop_names.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t most_instances = std::uint64_t{1} << 32;

// "mac[1..168]" is 168 instances of mac.
struct RangedName {
  std::string name;
  std::uint64_t count = 1;
};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

RangedName ranged_name(const YamlNode& node) {
  const std::string text = node.text();
  const std::size_t open = text.find('[');
  if (open == std::string::npos) return {text, 1};
  const std::size_t dots = text.find("..", open);
  if (dots == std::string::npos || text.back() != ']')
    node.fail(fmt::format("expected a name like 'mac[1..168]', found '{}'", text));
  const auto first = whole_number(std::string_view(text).substr(open + 1, dots - open - 1));
  const auto last = whole_number(std::string_view(text).substr(dots + 2, text.size() - dots - 3));
  if (!first || !last || *last < *first)
    node.fail(fmt::format("expected a name like 'mac[1..168]', found '{}'", text));
  return {text.substr(0, open), *last - *first + 1};
}

// "system.PE[0..15].mac[1..4]" -> "mac".
std::string last_name(const std::string& path) {
  std::string plain;
  int depth = 0;
  for (const char c : path) {
    depth += c == '[' ? 1 : 0;
    if (depth == 0) plain += c;
    depth -= c == ']' ? 1 : 0;
  }
  const std::size_t dot = plain.rfind('.');
  return dot == std::string::npos ? plain : plain.substr(dot + 1);
}

// Attributes of one component: its own before those of the trees around it. Old files write '-' for '_'.
class Attributes {
 public:
  void enter(const YamlNode& node) {
    for (const auto& [key, value] : node.entries()) {
      std::string name = key;
      std::replace(name.begin(), name.end(), '-', '_');
      values_.insert_or_assign(std::move(name), value);
    }
  }
  std::optional<YamlNode> find(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<YamlNode> first_of(const std::vector<std::string>& keys) const {
    for (const std::string& key : keys)
      if (const auto node = find(key)) return node;
    return std::nullopt;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [key, value] : values_) all.push_back(key);
    return all;
  }

 private:
  std::map<std::string, YamlNode> values_;
};

struct Component {
  std::string name, kind;
  std::uint64_t instances = 1;
  Attributes attributes;
  YamlNode node;
};

// The tree, outermost first.
class Tree {
 public:
  std::vector<Component> components;
  std::string system;

  void walk(const YamlNode& node, std::uint64_t around, const Attributes& inherited) {
    for (const YamlNode& element : node.elements()) {
      const RangedName name = ranged_name(element.at("name"));
      if (system.empty()) system = name.name;
      Attributes attributes = inherited;
      if (const auto own = element.find("attributes")) attributes.enter(*own);
      const std::uint64_t instances = times(element, around, name.count);
      if (const auto local = element.find("local"))
        for (const YamlNode& one : local->elements()) add(one, instances, attributes);
      if (const auto subtree = element.find("subtree")) walk(*subtree, instances, attributes);
    }
  }

 private:
  static std::uint64_t times(const YamlNode& node, std::uint64_t a, std::uint64_t b) {
    if (b > most_instances || a > most_instances / b)
      node.fail(fmt::format("{} x {} instances are too many", a, b));
    return a * b;
  }

  void add(const YamlNode& node, std::uint64_t around, const Attributes& inherited) {
    const RangedName name = ranged_name(node.at("name"));
    Component component{name.name, node.at("class").text(), times(node, around, name.count), inherited, node};
    if (const auto sub = node.find("subclass")) component.kind += "/" + sub->text();
    if (const auto own = node.find("attributes")) component.attributes.enter(*own);
    components.push_back(std::move(component));
  }
};

bool has_word(const std::string& text, std::string_view word) {
  std::string lower = text;
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower.find(word) != std::string::npos;
}

bool is_storage(const std::string& kind) {
  for (const char* word : {"dram", "sram", "reg", "buffer", "storage", "rf"})
    if (has_word(kind, word)) return true;
  return false;
}

double figure(const YamlNode& node) {
  return node.number(0, 1e18);
}

// Figures of one energy or area table, by component and action.
struct Tables {
  struct Entry {
    double value = 0;
    YamlNode node;
    bool several = false;
  };
  std::map<std::pair<std::string, std::string>, Entry> energy;
  std::map<std::string, Entry> area;

  void read_energy(const YamlNode& root) {
    for (const YamlNode& table : root.at("tables").elements()) {
      const std::string name = last_name(table.at("name").text());
      for (const YamlNode& action : table.at("actions").elements()) {
        const YamlNode value = action.at("energy");
        const auto [place, fresh] =
            energy.try_emplace({name, action.at("name").text()}, Entry{figure(value), value, false});
        if (fresh) continue;
        place->second.several = true;
        if (figure(value) > place->second.value) place->second = {figure(value), value, true};
      }
    }
  }
  void read_area(const YamlNode& root) {
    for (const YamlNode& table : root.at("tables").elements())
      area.insert_or_assign(last_name(table.at("name").text()),
                            Entry{figure(table.at("area")), table.at("area"), false});
  }
  const Entry* find(const std::string& component, const std::vector<std::string>& actions) const {
    for (const std::string& action : actions) {
      const auto found = energy.find({component, action});
      if (found != energy.end()) return &found->second;
    }
    return nullptr;
  }
};

struct Mesh {
  std::uint64_t x = 1, y = 1;
};

class ArchitectureReader {
 public:
  Imported read(std::span<const ForeignFile> files, const std::string& name) {
    std::optional<YamlNode> architecture;
    for (const ForeignFile& file : files) read_file(file, architecture);
    if (!architecture)
      throw InputError(
          fmt::format("{}: no file holds the key 'architecture'; Timeloop's architecture is needed",
                      files.empty() ? std::string("import") : files.front().path));
    tree_.walk(subtree(*architecture), 1, {});
    draft_.result.accelerator.name = plain_name(name.empty() ? tree_.system : name);
    add_clock();
    add_components(*architecture);
    return draft_.finish(files.front().path);
  }

 private:
  void read_file(const ForeignFile& file, std::optional<YamlNode>& architecture) {
    const YamlNode root = YamlNode::parse(file.text, file.path);
    for (const auto& [key, value] : root.entries()) {
      if (key == "architecture") {
        if (architecture) value.fail("a second architecture; give one");
        architecture = value;
      } else if (key == "ERT") {
        tables_.read_energy(value);
      } else if (key == "ART") {
        tables_.read_area(value);
      } else if (key == "architecture_constraints" || key == "mapspace_constraints" || key == "mapspace") {
        read_constraints(value);
      } else {
        draft_.note(fmt::format("{}: key '{}' is not part of an accelerator; ignored", file.path, key));
      }
    }
  }

  void read_constraints(const YamlNode& node) {
    const std::optional<YamlNode> targets = node.is_map() ? node.find("targets") : node;
    if (!targets || targets->is_null()) return;
    for (const YamlNode& entry : targets->elements()) {
      const std::string type = entry.at("type").text();
      const std::string target = plain_name(entry.at("target").text());
      if (!timeloop_bypass(type)) {
        draft_.note(fmt::format("{}: {} constraints of '{}' limit mappings, not hardware; ignored",
                                entry.place().file, type, target));
        continue;
      }
      if (const auto keep = entry.find("keep")) keep_[target] |= timeloop_operands(*keep);
      if (const auto bypass = entry.find("bypass")) bypass_[target] |= timeloop_operands(*bypass);
    }
  }

  static YamlNode subtree(const YamlNode& architecture) {
    if (architecture.find("nodes"))
      architecture.at("nodes").fail(
          "this is the form with !Container and !Component; give the tree of subtree and local lists that "
          "Timeloop writes as parsed-processed-input.yaml");
    return architecture.at("subtree");
  }

  void add_clock() {
    Accelerator& accelerator = draft_.result.accelerator;
    accelerator.clock = 1e9;
    draft_.source("clock", "estimate: Timeloop counts cycles; its summary takes 1 GHz");
    draft_.note("the clock is not in Timeloop's files: 1 GHz is written; change it for times and powers");
    if (tree_.components.empty()) return;
    const auto node = tree_.components.front().attributes.find("technology");
    if (!node) return;
    std::string text = node->text();
    std::erase(text, '"');
    const auto value =
        text.ends_with("nm") ? whole_number(trimmed(text.substr(0, text.size() - 2))) : whole_number(text);
    if (!value || *value == 0) {
      draft_.note(fmt::format("{}:{}: technology '{}' is no number of nm; left out", node->place().file,
                              node->place().line, text));
      return;
    }
    accelerator.technology = static_cast<double>(*value) * 1e-3;
    draft_.source("technology", *node, "technology");
  }

  void add_components(const YamlNode& architecture) {
    if (tree_.components.size() < 2)
      architecture.fail("expected storage levels and, innermost, the multipliers");
    Mesh mesh;
    for (std::size_t i = 0; i < tree_.components.size(); ++i) {
      const Component& component = tree_.components[i];
      const bool last = i + 1 == tree_.components.size();
      if (last && is_storage(component.kind))
        component.node.fail(fmt::format("the innermost component '{}' of class '{}' must be the multipliers",
                                        component.name, component.kind));
      if (!last && !is_storage(component.kind)) {
        draft_.note(fmt::format("{}: component '{}' of class '{}' is no storage; left out",
                                component.node.place().file, component.name, component.kind));
        continue;
      }
      const Mesh own = mesh_of(component, mesh);
      // Its fan-outs, above and below, are one.
      if (const auto bypassed = bypass_.find(plain_name(component.name));
          !last && bypassed != bypass_.end() && bypassed->second == all_operands) {
        draft_.note(fmt::format("'{}' holds nothing; left out", component.name));
        continue;
      }
      if (!draft_.result.accelerator.levels.empty() || own.x * own.y > 1) add_fanout(component, mesh, own);
      mesh = own;
      last ? add_compute(component) : add_level(component);
    }
  }

  // meshX and meshY count instances along both sides of the whole chip; the rest follows from the name.
  static Mesh mesh_of(const Component& component, const Mesh& outer) {
    const auto node_x = component.attributes.find("meshX");
    const auto node_y = component.attributes.find("meshY");
    const auto side = [](const YamlNode& node) {
      return static_cast<std::uint64_t>(node.integer(1, 1LL << 32));
    };
    Mesh mesh;
    if (node_x && node_y) {
      mesh = {side(*node_x), side(*node_y)};
    } else if (node_x) {
      mesh.x = side(*node_x);
      if (component.instances % mesh.x != 0)
        node_x->fail(fmt::format("meshX {} does not divide the {} instances of '{}'", mesh.x,
                                 component.instances, component.name));
      mesh.y = component.instances / mesh.x;
    } else {
      mesh = {component.instances / outer.y, outer.y};
    }
    // Old files inherit meshX from a tree around them while the name says how many there are.
    if (mesh.x > most_instances / mesh.y || mesh.x * mesh.y != component.instances)
      component.node.fail(fmt::format("'{}' has {} instances by its name and a mesh of {} x {}",
                                      component.name, component.instances, mesh.x, mesh.y));
    return mesh;
  }

  void add_fanout(const Component& component, const Mesh& outer, const Mesh& own) {
    if (own.x == outer.x && own.y == outer.y) return;
    if (draft_.result.accelerator.levels.empty())
      component.node.fail(fmt::format("the outermost component '{}' must have one instance", component.name));
    if (own.x % outer.x != 0 || own.y % outer.y != 0)
      component.node.fail(fmt::format("the mesh {} x {} of '{}' is no multiple of the {} x {} further out",
                                      own.x, own.y, component.name, outer.x, outer.y));
    if (own.x / outer.x > (1U << 20) || own.y / outer.y > (1U << 20))
      component.node.fail(fmt::format("a fan-out of {} x {} is too large; at most 2^20 along a side",
                                      own.x / outer.x, own.y / outer.y));
    const SourcePlace place = component.node.place();
    draft_.add_fanout(static_cast<std::uint32_t>(own.x / outer.x),
                      static_cast<std::uint32_t>(own.y / outer.y),
                      fmt::format("{}:{}: mesh of {}", place.file, place.line, component.name));
    add_hops();
  }

  // The energy of a hop belongs to the level above the fan-out that was just added.
  void add_hops() {
    Accelerator& accelerator = draft_.result.accelerator;
    const StorageLevel& above = accelerator.levels.back();
    if (hop_per_word_ <= 0 || !hop_node_) return;
    accelerator.fanouts.back().hop_energy = hop_per_word_ / above.word_bits[0];
    draft_.source("levels." + above.name + ".fanout.hop_energy", *hop_node_,
                  fmt::format("energy_per_hop {} pJ by word_bits {}", hop_per_word_, above.word_bits[0]));
    draft_.note(fmt::format(
        "a hop below '{}' costs by the word and its distance in the mesh in Timeloop, by the bit and "
        "word that arrives in atoll",
        above.name));
  }

  std::string storage_kind(const Component& component) const {
    if (has_word(component.kind, "dram")) {
      const auto type = component.attributes.find("type");
      for (const char* kind : {"lpddr4", "lpddr", "ddr3", "gddr5", "hbm2"})
        if (type && has_word(type->text(), kind)) return kind;
      return "dram";
    }
    if (has_word(component.kind, "sram")) return "sram";
    return has_word(component.kind, "rf") || has_word(component.kind, "reg") ? "register_file" : "sram";
  }

  void add_level(const Component& component) {
    Accelerator& accelerator = draft_.result.accelerator;
    StorageLevel level;
    level.name = draft_.level_name(component.name);
    const std::string path = "levels." + level.name + ".";
    level.kind = storage_kind(component);
    const bool outermost = accelerator.levels.empty();
    const std::string plain = plain_name(component.name);
    const OperandSet kept = outermost ? all_operands : keep_[plain];
    level.keep = kept;
    level.may_keep = static_cast<OperandSet>(all_operands & ~(kept | bypass_[plain]));
    const auto word = component.attributes.first_of({"word_bits", "datawidth"});
    const double bits = word ? static_cast<double>(word->integer(1, 64)) : 16;
    level.word_bits.fill(bits);
    word ? draft_.source(path + "word_bits", *word, "word_bits")
         : draft_.source(path + "word_bits", "estimate: no word_bits given; 16 as Timeloop takes");
    add_block(component, bits, path, level);
    add_size(component, bits, outermost, path, level);
    add_ports(component, bits, path, level);
    add_energies(component, path, level);
    const auto hop = component.attributes.first_of({"energy_per_hop", "wire_energy"});
    hop_per_word_ = hop ? figure(*hop) : 0;
    hop_node_ = hop;
    note_unused(component);
    accelerator.levels.push_back(std::move(level));
  }

  void add_block(const Component& component, double bits, const std::string& path, StorageLevel& level) {
    const auto block = component.attributes.find("block_size");
    const auto width = component.attributes.first_of({"width", "memory_width"});
    const auto cluster = component.attributes.find("cluster_size");
    if (cluster && cluster->integer(1, 1 << 20) > 1)
      draft_.note(fmt::format("{}: cluster_size of '{}' is ignored: an access is one block",
                              cluster->place().file, component.name));
    if (block) {
      level.access_width = bits * static_cast<double>(block->integer(1, 1 << 20));
      draft_.source(path + "access.width", *block, "block_size times word_bits");
    } else if (width) {
      level.access_width = static_cast<double>(width->integer(1, 1 << 20));
      draft_.source(path + "access.width", *width, "width");
    } else {
      level.access_width = bits;
      draft_.source(path + "access.width", "estimate: no block_size given; one word");
    }
  }

  void add_size(const Component& component, double bits, bool outermost, const std::string& path,
                StorageLevel& level) {
    level.size = infinity;
    level.buffering = Buffering::rolling;
    const auto entries = component.attributes.find("entries");
    const auto depth = component.attributes.first_of({"depth", "memory_depth"});
    if (entries) {
      level.size = figure(*entries) * bits;
      draft_.source(path + "size", *entries, "entries times word_bits");
    } else if (depth) {
      level.size = figure(*depth) * level.access_width;
      draft_.source(path + "size", *depth, "depth times width");
    } else if (!outermost) {
      component.node.fail(
          fmt::format("'{}' has neither entries nor depth; only the outermost level may be "
                      "unlimited",
                      component.name));
    }
    const auto buffers = component.attributes.find("multiple_buffering");
    if (!buffers) return;
    const double count = buffers->number(1, 64);
    if (count == 2) {
      level.buffering = Buffering::double_;
    } else if (count != 1) {
      level.size /= count;
      draft_.note(fmt::format("{}: '{}' holds {} tiles; its size is divided by that", buffers->place().file,
                              component.name, count));
    }
  }

  void add_ports(const Component& component, double bits, const std::string& path, StorageLevel& level) {
    level.read_bandwidth = level.write_bandwidth = infinity;
    const auto port = [&](const char* key, const char* figure_name, double& bandwidth) {
      const auto node = component.attributes.find(key);
      if (!node) return false;
      bandwidth = figure(*node) * bits;
      if (bandwidth <= 0) node->fail("a bandwidth must be above 0");
      draft_.source(path + figure_name, *node, fmt::format("{} times word_bits", key));
      return true;
    };
    if (port("shared_bandwidth", "read_bandwidth", level.read_bandwidth)) {
      level.shared_port = true;
      level.write_bandwidth = level.read_bandwidth;
      return;
    }
    port("read_bandwidth", "read_bandwidth", level.read_bandwidth);
    port("write_bandwidth", "write_bandwidth", level.write_bandwidth);
  }

  // Returns the energy and notes its source under `name`.
  double energy(const Component& component, const std::vector<std::string>& actions,
                const std::string& name) {
    const Tables::Entry* entry = tables_.find(component.name, actions);
    if (entry == nullptr) {
      draft_.source(name,
                    fmt::format("estimate: no table gives '{}' of {}", actions.front(), component.name));
      draft_.note(fmt::format("no ERT gives the energy of '{}' of {}: 0 pJ is written", actions.front(),
                              component.name));
      return 0;
    }
    draft_.source(name, entry->node,
                  fmt::format("ERT, {} of {}{}", actions.front(), component.name,
                              entry->several ? ", the largest of several" : ""));
    return entry->value;
  }

  void add_energies(const Component& component, const std::string& path, StorageLevel& level) {
    level.read_energy = energy(component, {"read", "random_read"}, path + "access.read");
    level.write_energy = energy(component, {"write", "random_fill", "fill"}, path + "access.write");
    const Tables::Entry* update = tables_.find(component.name, {"update", "random_update"});
    if (update != nullptr && update->value != level.write_energy)
      draft_.note(
          fmt::format("an update of '{}' costs {} pJ and a write {} pJ; atoll has one figure, the write's",
                      component.name, update->value, level.write_energy));
    if (const Tables::Entry* leak = tables_.find(component.name, {"leak", "idle"}); leak && leak->value > 0) {
      level.leakage = leak->value;
      draft_.source(path + "leakage", leak->node, fmt::format("ERT, leak of {}", component.name));
      draft_.note("leakage: Timeloop charges the instances that work, atoll all of them");
    }
    const auto area = tables_.area.find(component.name);
    if (area == tables_.area.end() || area->second.value <= 0) return;
    level.area = area->second.value;
    draft_.source(path + "area", area->second.node, fmt::format("ART, area of {}", component.name));
  }

  void add_compute(const Component& component) {
    Compute& compute = draft_.result.accelerator.compute;
    const auto width = component.attributes.first_of({"datawidth", "multiplier_width", "word_bits"});
    if (width) {
      compute.bits = static_cast<std::uint32_t>(width->integer(1, 64));
      draft_.source("compute.bits", *width, "datawidth");
    } else {
      compute.bits = 16;
      draft_.source("compute.bits", "estimate: no datawidth given");
    }
    compute.accumulator_bits = compute.bits;
    draft_.source("compute.accumulator_bits",
                  "estimate: as wide as the operands; every level has widths of its own");
    compute.energy = energy(component, {"compute", "mac_random", "mac", "multiply"}, "compute.energy");
    const auto area = tables_.area.find(component.name);
    if (area == tables_.area.end() || area->second.value <= 0) return;
    compute.area = area->second.value;
    draft_.source("compute.area", area->second.node, fmt::format("ART, area of {}", component.name));
  }

  void note_unused(const Component& component) {
    static const std::vector<std::string> unused = {"n_banks",
                                                    "n_ports",
                                                    "nports",
                                                    "num_ports",
                                                    "n_rdwr_ports",
                                                    "min_utilization",
                                                    "allow_overbooking",
                                                    "power_gated_at",
                                                    "network_fill_latency",
                                                    "network_drain_latency",
                                                    "reduction_supported",
                                                    "per_dataspace_bandwidth_consumption_scale"};
    for (const std::string& name : component.attributes.names())
      if (std::find(unused.begin(), unused.end(), name) != unused.end())
        draft_.note(fmt::format("attribute '{}' of '{}' has no place in atoll", name, component.name));
  }

  AcceleratorDraft draft_;
  Tree tree_;
  Tables tables_;
  std::map<std::string, OperandSet> keep_, bypass_;
  double hop_per_word_ = 0;
  std::optional<YamlNode> hop_node_;
};

}  // namespace

Imported import_timeloop(std::span<const ForeignFile> files, const std::string& name) {
  return ArchitectureReader().read(files, name);
}

}  // namespace atl
