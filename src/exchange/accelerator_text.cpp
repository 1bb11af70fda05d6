#include "atoll/exchange/accelerator_text.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct WrittenUnit {
  std::string_view name;
  double factor;
};

// The shortest of the units that reads back as the same number; the last one always does.
template <std::size_t n>
std::string quantity(double value, std::string_view dimension, const std::array<WrittenUnit, n>& units) {
  std::string best;
  for (const WrittenUnit& unit : units) {
    const std::string text = fmt::format("{} {}", value / unit.factor, unit.name);
    const auto back = parse_quantity(text, dimension);
    if (back && *back == value && (best.empty() || text.size() < best.size())) best = text;
  }
  if (best.empty()) throw InternalError(fmt::format("no unit of {} writes {} exactly", dimension, value));
  return best;
}

constexpr std::array<WrittenUnit, 4> sizes = {
    {{"MiB", 8.0 * 1024 * 1024}, {"KiB", 8.0 * 1024}, {"B", 8}, {"b", 1}}};
constexpr std::array<WrittenUnit, 2> bandwidths = {{{"B/cycle", 8}, {"b/cycle", 1}}};
constexpr std::array<WrittenUnit, 4> frequencies = {{{"GHz", 1e9}, {"MHz", 1e6}, {"kHz", 1e3}, {"Hz", 1}}};
constexpr std::array<WrittenUnit, 2> lengths = {{{"nm", 1e-3}, {"um", 1}}};
constexpr std::array<WrittenUnit, 1> energies = {{{"pJ", 1}}};
constexpr std::array<WrittenUnit, 1> energies_per_bit = {{{"pJ/bit", 1}}};
constexpr std::array<WrittenUnit, 1> energies_per_cycle = {{{"pJ/cycle", 1}}};
constexpr std::array<WrittenUnit, 1> areas = {{{"um2", 1}}};

// Control characters and what is not ASCII would need escapes that nobody reads.
std::string plain_text(std::string text) {
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : plain_text(text)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string operand_list(OperandSet set) {
  std::vector<std::string> names;
  for (std::size_t o = 0; o < operand_count; ++o)
    if (contains(set, static_cast<Operand>(o))) names.emplace_back(operand_names[o]);
  return "[" + join(names, ", ") + "]";
}

std::string_view buffering_name(Buffering buffering) {
  switch (buffering) {
    case Buffering::single:
      return "single";
    case Buffering::rolling:
      return "rolling";
    case Buffering::double_:
      break;
  }
  return "double";
}

// Collects the lines of one part of the file; each figure brings its source along.
class Part {
 public:
  Part(const std::map<std::string, std::string>& sources, std::string path, std::size_t indent)
      : sources_(sources), path_(std::move(path)), indent_(indent) {}

  void line(const std::string& text) { text_ += std::string(indent_, ' ') + text + "\n"; }
  void figure(const std::string& key, const std::string& value) {
    line(key + ": " + value);
    source(key);
  }
  bool has_source(const std::string& key) const { return sources_.contains(path_ + "." + key); }
  /// A figure that stands inside another line.
  void source(const std::string& key) {
    const auto found = sources_.find(path_.empty() ? key : path_ + "." + key);
    const std::string text = found == sources_.end() ? "estimate: no source was given" : found->second;
    for (auto& [keys, given] : grouped_) {
      if (given != text) continue;
      keys += ", " + key;
      return;
    }
    grouped_.emplace_back(key, text);
  }
  std::string finish() {
    if (!grouped_.empty()) line("sources:");
    for (const auto& [keys, text] : grouped_) line("  " + keys + ": " + quoted(text));
    return text_;
  }

 private:
  const std::map<std::string, std::string>& sources_;
  std::string path_;
  std::size_t indent_;
  std::string text_;
  std::vector<std::pair<std::string, std::string>> grouped_;  // keys, text
};

void add_ports(Part& part, const StorageLevel& level) {
  if (level.read_bandwidth < infinity)
    part.figure("read_bandwidth", quantity(level.read_bandwidth, "bandwidth", bandwidths));
  if (level.shared_port) {
    part.line("shared_port: true");
  } else if (level.write_bandwidth < infinity) {
    part.figure("write_bandwidth", quantity(level.write_bandwidth, "bandwidth", bandwidths));
  }
}

void add_word_bits(Part& part, const StorageLevel& level) {
  const auto& bits = level.word_bits;
  if (bits[0] > 0 && bits[0] == bits[1] && bits[0] == bits[2] && part.has_source("word_bits")) {
    part.figure("word_bits", fmt::format("{}", bits[0]));
    return;
  }
  std::vector<std::string> entries;
  for (std::size_t o = 0; o < operand_count; ++o) {
    if (bits[o] <= 0) continue;
    entries.push_back(fmt::format("{}: {}", operand_names[o], bits[o]));
    part.source("word_bits." + std::string(operand_names[o]));
  }
  if (!entries.empty()) part.line("word_bits: {" + join(entries, ", ") + "}");
}

std::string level_text(const StorageLevel& level, bool outermost,
                       const std::map<std::string, std::string>& sources) {
  Part part(sources, "levels." + level.name, 4);
  part.line("kind: " + level.kind);
  if (level.keep != 0) part.line("keep: " + operand_list(level.keep));
  if (level.may_keep != 0) part.line("may_keep: " + operand_list(level.may_keep));
  if (!outermost || level.size < infinity) part.figure("size", quantity(level.size, "size", sizes));
  part.line(fmt::format("buffering: {}", buffering_name(level.buffering)));
  add_ports(part, level);
  part.line(fmt::format(
      "access: {{width: {}, read: {}, write: {}}}", quantity(level.access_width, "size", sizes),
      quantity(level.read_energy, "energy", energies), quantity(level.write_energy, "energy", energies)));
  for (const char* key : {"access.width", "access.read", "access.write"}) part.source(key);
  if (level.leakage > 0)
    part.figure("leakage", quantity(level.leakage, "energy_per_cycle", energies_per_cycle));
  if (level.area > 0) part.figure("area", quantity(level.area, "area", areas));
  add_word_bits(part, level);
  return fmt::format("  - name: {}\n{}", level.name, part.finish());
}

std::string fanout_text(const Fanout& fanout, const std::string& level,
                        const std::map<std::string, std::string>& sources) {
  Part part(sources, "levels." + level + ".fanout", 6);
  part.figure("x", fmt::format("{}", fanout.x));
  if (fanout.y > 1 || sources.contains("levels." + level + ".fanout.y"))
    part.figure("y", fmt::format("{}", fanout.y));
  part.line(fmt::format("multicast: {}", fanout.multicast));
  part.line(fmt::format("reduction: {}", fanout.reduction));
  if (fanout.hop_energy > 0)
    part.figure("hop_energy", quantity(fanout.hop_energy, "energy_per_bit", energies_per_bit));
  return "  - fanout:\n" + part.finish();
}

std::string compute_text(const Compute& compute, const std::map<std::string, std::string>& sources) {
  Part part(sources, "compute", 2);
  part.line("kind: " + compute.kind);
  part.figure("bits", fmt::format("{}", compute.bits));
  part.figure("accumulator_bits", fmt::format("{}", compute.accumulator_bits));
  part.figure("energy", quantity(compute.energy, "energy", energies));
  if (compute.area > 0) part.figure("area", quantity(compute.area, "area", areas));
  return "compute:\n" + part.finish();
}

std::string head_text(const Accelerator& accelerator, const std::map<std::string, std::string>& sources) {
  Part part(sources, "", 0);
  part.line("name: " + accelerator.name);
  part.figure("clock", quantity(accelerator.clock, "frequency", frequencies));
  if (accelerator.technology > 0)
    part.figure("technology", quantity(accelerator.technology, "length", lengths));
  if (!accelerator.zero_read_elision) part.line("zero_read_elision: false");
  return part.finish();
}

}  // namespace

std::string accelerator_text(const Accelerator& accelerator, const std::vector<std::string>& comments) {
  const std::map<std::string, std::string> sources(accelerator.sources.begin(), accelerator.sources.end());
  std::string text;
  for (const std::string& comment : comments)
    text += comment.empty() ? "#\n" : "# " + plain_text(comment) + "\n";
  text += head_text(accelerator, sources) + "levels:\n";
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) {
    text += level_text(accelerator.levels[l], l == 0, sources);
    if (const Fanout* fanout = accelerator.fanout_below(l))
      text += fanout_text(*fanout, accelerator.levels[l].name, sources);
  }
  return text + compute_text(accelerator.compute, sources);
}

}  // namespace atl
