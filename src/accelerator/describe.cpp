#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

constexpr std::size_t page_width = 120;

std::string operands_text(OperandSet set) {
  std::string text;
  for (std::size_t o = 0; o < operand_count; ++o) {
    if (!contains(set, static_cast<Operand>(o))) continue;
    if (!text.empty()) text += ' ';
    text += operand_names[o];
  }
  return text;
}

std::string bits_text(double bits) {
  if (std::isinf(bits)) return "unlimited";
  const bool bytes = std::fmod(bits, 8) == 0;
  return bytes ? format_bytes(bits / 8) : fmt::format("{:.6g} b", bits);
}

std::string bandwidth_text(double bits) {
  return std::isinf(bits) ? "unlimited" : fmt::format("{:.6g} b/cycle", bits);
}

std::string area_text(double um2) {
  if (um2 == 0) return "not modelled";
  return um2 >= 1e5 ? fmt::format("{:.6g} mm2", um2 / 1e6) : fmt::format("{:.6g} um2", um2);
}

const char* buffering_text(Buffering buffering) {
  if (buffering == Buffering::single) return "single buffer";
  return buffering == Buffering::double_ ? "double buffer" : "rolling buffer";
}

// What a figure rests on, in one word, and its source without that word.
struct Basis {
  std::string word;
  std::string source;
};

Basis basis_of(const std::string& source) {
  for (const std::string word : {"estimate", "derived"}) {
    if (!source.starts_with(word)) continue;
    const std::size_t rest = source.find_first_not_of(":, ", word.size());
    return {word, rest == std::string::npos ? "" : source.substr(rest)};
  }
  return {"source", source};
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Words of a text; a number keeps its unit, and "x" its factor.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (const std::string& word : split(text, ' ')) {
    const bool unit = !words.empty() && words.back().back() >= '0' && words.back().back() <= '9' &&
                      !word.empty() && is_letter(word.front()) && word != "x";
    if (!words.empty() && (unit || words.back() == "x")) {
      words.back() += " " + word;
    } else if (!word.empty()) {
      words.push_back(word);
    }
  }
  return words;
}

// In lines of at most `width` characters; a longer word stands alone.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines = {""};
  for (const std::string& word : words_of(text)) {
    std::string& line = lines.back();
    if (line.empty()) {
      line = word;
    } else if (line.size() + 1 + word.size() <= width) {
      line += " " + word;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

// Sections of figures in one layout: the figure, its value and unit, what it rests on, and the source,
// wrapped.
class Sheet {
 public:
  explicit Sheet(const Accelerator& accelerator) : accelerator_(accelerator) {}

  void section(const std::string& title, const std::string& path) {
    rows_.push_back({title, "", "", {}, true});
    path_ = path;
  }
  /// `value` with its unit, a space between them.
  void figure(const std::string& key, const std::string& value) {
    const std::size_t space = value.find(' ');
    Row row{key, value.substr(0, space), "", {}, false};
    if (space != std::string::npos) row.unit = value.substr(space + 1);
    if (const std::string* source = source_of(path_.empty() ? key : path_ + "." + key)) {
      row.basis = basis_of(*source);
    }
    rows_.push_back(row);
  }
  /// A figure that may be left out.
  void modelled(const std::string& key, double number, const std::string& value) {
    if (number > 0 || source_of(path_ + "." + key) != nullptr) figure(key, value);
  }
  const std::string* source_of(const std::string& path) const {
    for (const auto& [known, source] : accelerator_.sources) {
      if (known == path) return &source;
    }
    return nullptr;
  }

  std::string text() const {
    std::array<std::size_t, 4> width{};
    for (const Row& row : rows_) {
      if (row.title) continue;
      width[0] = std::max(width[0], row.key.size() + 2);
      width[1] = std::max(width[1], row.value.size());
      width[2] = std::max(width[2], row.unit.size());
      width[3] = std::max(width[3], row.basis.word.size());
    }
    const std::size_t before = width[0] + width[1] + width[2] + width[3] + 7;
    std::string text;
    for (const Row& row : rows_) {
      if (row.title) {
        text += "\n" + row.key + "\n";
        continue;
      }
      const auto lines = wrapped(row.basis.source, page_width - before);
      std::string line = fmt::format("{:{}}  {:>{}} {:{}}  {:{}}  {}", "  " + row.key, width[0], row.value,
                                     width[1], row.unit, width[2], row.basis.word, width[3], lines[0]);
      line.erase(line.find_last_not_of(' ') + 1);
      text += line + "\n";
      for (std::size_t i = 1; i < lines.size(); ++i) text += std::string(before, ' ') + lines[i] + "\n";
    }
    return text;
  }

 private:
  struct Row {
    std::string key, value, unit;
    Basis basis;
    bool title = false;
  };
  const Accelerator& accelerator_;
  std::string path_;
  std::vector<Row> rows_;
};

std::string level_title(const Accelerator& accelerator, std::size_t l) {
  const StorageLevel& level = accelerator.levels[l];
  const std::uint64_t instances = accelerator.instances(l);
  std::string text = fmt::format("{}: {}, {} {}", level.name, level.kind, instances,
                                 instances == 1 ? "instance" : "instances");
  if (level.keep != 0) text += ", keeps " + operands_text(level.keep);
  if (level.may_keep != 0) text += ", may keep " + operands_text(level.may_keep);
  text += fmt::format(", {}", buffering_text(level.buffering));
  if (level.shared_port) text += ", one port for reads and writes";
  if (!level.component.empty()) text += ", component " + level.component;
  return text;
}

// As the file says it: one figure for all operands or one each.
void add_word_bits(Sheet& sheet, const StorageLevel& level) {
  if (sheet.source_of("levels." + level.name + ".word_bits") != nullptr) {
    sheet.figure("word_bits", fmt::format("{:.6g} b", level.word_bits[0]));
    return;
  }
  for (std::size_t o = 0; o < operand_count; ++o) {
    if (level.word_bits[o] == 0) continue;
    sheet.figure(fmt::format("word_bits.{}", operand_names[o]), fmt::format("{:.6g} b", level.word_bits[o]));
  }
}

void add_level(Sheet& sheet, const Accelerator& accelerator, std::size_t l) {
  const StorageLevel& level = accelerator.levels[l];
  sheet.section(level_title(accelerator, l), "levels." + level.name);
  sheet.figure("size", bits_text(level.size));
  if (level.banks > 1) sheet.figure("banks", fmt::format("{}", level.banks));
  sheet.figure("read_bandwidth", bandwidth_text(level.read_bandwidth));
  if (!level.shared_port) sheet.figure("write_bandwidth", bandwidth_text(level.write_bandwidth));
  sheet.figure("access.width", fmt::format("{:.6g} b", level.access_width));
  sheet.figure("access.read", fmt::format("{:.6g} pJ", level.read_energy));
  sheet.figure("access.write", fmt::format("{:.6g} pJ", level.write_energy));
  sheet.modelled("leakage", level.leakage, fmt::format("{:.4g} pJ/cycle", level.leakage));
  sheet.modelled("area", level.area, area_text(level.area));
  add_word_bits(sheet, level);
}

void add_fanout(Sheet& sheet, const Accelerator& accelerator, const Fanout& fanout) {
  const std::string& name = accelerator.levels[fanout.above].name;
  sheet.section(fmt::format("fan-out below {}: {} multicast, {} reduction", name,
                            fanout.multicast ? "with" : "no", fanout.reduction ? "with" : "no"),
                "levels." + name + ".fanout");
  sheet.figure("x", fmt::format("{}", fanout.x));
  if (fanout.y > 1 || sheet.source_of("levels." + name + ".fanout.y") != nullptr) {
    sheet.figure("y", fmt::format("{}", fanout.y));
  }
  sheet.modelled("wire", fanout.wire, fmt::format("{:.4g} mm", fanout.wire));
  sheet.modelled("hop_energy", fanout.hop_energy, fmt::format("{:.4g} pJ/bit", fanout.hop_energy));
}

void add_compute(Sheet& sheet, const Accelerator& accelerator) {
  const Compute& compute = accelerator.compute;
  const std::string component = compute.component.empty() ? "" : ", component " + compute.component;
  sheet.section(fmt::format("compute: {}, {} instances{}", compute.kind, accelerator.units(), component),
                "compute");
  sheet.figure("bits", fmt::format("{} b", compute.bits));
  sheet.figure("accumulator_bits", fmt::format("{} b", compute.accumulator_bits));
  sheet.figure("energy", fmt::format("{:.6g} pJ", compute.energy));
  sheet.modelled("area", compute.area, area_text(compute.area));
}

void add_blocks(Sheet& sheet, const BlockExecution& blocks) {
  const auto cycles = [&](const std::string& key, double number) {
    sheet.figure("blocks." + key, fmt::format("{:.6g} cycle", number));
  };
  sheet.figure("blocks.array.rows", fmt::format("{}", blocks.array.rows));
  sheet.figure("blocks.array.columns", fmt::format("{}", blocks.array.columns));
  cycles("array.weight_load", blocks.array.weight_load);
  cycles("array.least", blocks.array.least);
  cycles("array.latency", blocks.array.latency);
  sheet.figure("blocks.array.in_flight", fmt::format("{:.6g}", blocks.array.in_flight));
  sheet.figure("blocks.line", bits_text(blocks.line));
  for (std::size_t c = 0; c < blocks.caches.size(); ++c) {
    const std::string cache = fmt::format("cache{}.", c + 1);
    sheet.figure("blocks." + cache + "size", bits_text(blocks.caches[c].size));
    cycles(cache + "line_cycles", blocks.caches[c].line_cycles);
  }
  cycles("memory_line_cycles", blocks.memory_line_cycles);
  cycles("store_cycles", blocks.store_cycles);
}

void add_execution(Sheet& sheet, const Execution& execution) {
  if (!execution.given()) return;
  std::string title = "execution: beyond perfect overlap";
  if (execution.blocks) {
    title += fmt::format(", runs along {}, {} caches", dim_names[index(execution.blocks->array.run)],
                         execution.blocks->warm ? "warm" : "cold");
  }
  sheet.section(title, "execution");
  if (execution.blocks) add_blocks(sheet, *execution.blocks);
  if (execution.adder_cycles > 0)
    sheet.figure("adder.cycles",
                 fmt::format("{:.6g} cycle at {}", execution.adder_cycles, execution.adder_level));
  if (execution.load_bus > 0)
    sheet.figure("load.bus", fmt::format("{:.6g} b/cycle to {}", execution.load_bus, execution.load_level));
}

std::string area_table(const Accelerator& accelerator) {
  const double all = accelerator.area();
  TextTable table({"area", "instances", "each", "together", "share"});
  table.align_right_from(1);
  const auto add = [&](const std::string& name, std::uint64_t instances, double area) {
    const double together = static_cast<double>(instances) * area;
    if (area == 0) {
      table.add({name, fmt::format("{}", instances), area_text(area), "", ""});
      return;
    }
    table.add({name, fmt::format("{}", instances), area_text(area), area_text(together),
               fmt::format("{:.1f} %", 100 * together / all)});
  };
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    add(accelerator.levels[l].name, accelerator.instances(l), accelerator.levels[l].area);
  }
  add("compute", accelerator.units(), accelerator.compute.area);
  table.add_rule();
  table.add({"all", "", "", area_text(all), ""});
  return table.text();
}

}  // namespace

SourceCount count_sources(const Accelerator& accelerator) {
  SourceCount count;
  for (const auto& source : accelerator.sources) {
    if (source.second.starts_with("estimate")) {
      ++count.estimated;
    } else {
      ++count.sourced;
      count.derived += source.second.starts_with("derived") ? 1 : 0;
    }
  }
  return count;
}

std::string describe(const Accelerator& accelerator) {
  const SourceCount count = count_sources(accelerator);
  const double units = static_cast<double>(accelerator.units());
  std::string text = fmt::format(
      "{}: {} levels, {} multipliers, {}MAC/s at most, area {}\n"
      "{} figures: {} with a source, {} derived from component classes, {} estimates\n",
      accelerator.name, accelerator.levels.size(), accelerator.units(),
      format_count(units * accelerator.clock), area_text(accelerator.area()), count.sourced + count.estimated,
      count.sourced - count.derived, count.derived, count.estimated);
  Sheet sheet(accelerator);
  sheet.section("all", "");
  sheet.figure("clock", fmt::format("{:.6g} MHz", accelerator.clock / 1e6));
  if (accelerator.technology > 0) {
    sheet.figure("technology", fmt::format("{:.4g} nm", accelerator.technology * 1000));
  }
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    add_level(sheet, accelerator, l);
    if (const Fanout* fanout = accelerator.fanout_below(l)) add_fanout(sheet, accelerator, *fanout);
  }
  add_compute(sheet, accelerator);
  add_execution(sheet, accelerator.execution);
  return text + sheet.text() + "\n" + area_table(accelerator);
}

}  // namespace atl
