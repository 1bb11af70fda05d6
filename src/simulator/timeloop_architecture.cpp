#include "atoll/simulator/timeloop_architecture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "atoll/base/error.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {
namespace {

[[noreturn]] void refuse(const Accelerator& accelerator, const StorageLevel& level, const std::string& why) {
  throw InputError(
      fmt::format("{}: level '{}': {}, under Timeloop's rules", accelerator.file, level.name, why));
}

double width_of_words(const Accelerator& accelerator, std::size_t l) {
  const StorageLevel& level = accelerator.levels[l];
  const auto used = static_cast<OperandSet>(level.keep | level.may_keep);
  double width = 0;
  for (const Operand o : {Operand::W, Operand::I, Operand::O}) {
    if (!contains(used, o)) continue;
    const double bits = accelerator.word_bits(l, o);
    if (width != 0 && bits != width)
      refuse(accelerator, level,
             fmt::format("all operands have words of one width; found {} b and {} b", width, bits));
    width = bits;
  }
  return width;
}

// Technologies that Timeloop calls DRAM.
bool is_dram(const std::string& kind) {
  static const std::vector<std::string> kinds = {"dram", "lpddr", "lpddr4", "ddr3", "gddr5", "hbm2"};
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

void check_covered(const Accelerator& accelerator, const StorageLevel& level, const Fanout* fanout) {
  if (level.shared_port)
    refuse(accelerator, level, "reads and writes have ports of their own; shared_port is true");
  if (level.buffering == Buffering::single)
    refuse(accelerator, level, "transfers overlap with compute; buffering is single");
  if (fanout != nullptr && !(fanout->multicast && fanout->reduction))
    refuse(accelerator, level,
           fmt::format("a fan-out multicasts and reduces; multicast is {}, reduction {}", fanout->multicast,
                       fanout->reduction));
}

TimeloopLevel convert(const Accelerator& accelerator, std::size_t l) {
  const StorageLevel& from = accelerator.levels[l];
  const Fanout* fanout = accelerator.fanout_below(l);
  check_covered(accelerator, from, fanout);
  TimeloopLevel to;
  to.name = from.name;
  to.keep = from.keep;
  to.may_keep = from.may_keep;
  to.word_bits = width_of_words(accelerator, l);
  to.entries = std::floor(from.size / to.word_bits / (from.buffering == Buffering::double_ ? 2 : 1));
  to.block = from.access_width / to.word_bits;
  if (to.block < 1 || to.block != std::floor(to.block))
    refuse(accelerator, from,
           fmt::format("a line is a whole number of words; found {} b for words of {} b", from.access_width,
                       to.word_bits));
  to.read_bandwidth = from.read_bandwidth / to.word_bits;
  to.write_bandwidth = from.write_bandwidth / to.word_bits;
  to.read_energy = from.read_energy;
  to.write_energy = to.update_energy = from.write_energy;
  to.leakage = from.leakage;
  to.dram = is_dram(from.kind);
  to.instances = accelerator.instances(l);
  to.fanout = fanout != nullptr;
  if (fanout != nullptr) {
    to.mesh_x = fanout->x;
    to.mesh_y = fanout->y;
    to.hop_energy_per_bit = fanout->hop_energy;
  }
  return to;
}

void read_updates(const YamlNode& root, TimeloopArchitecture& architecture) {
  const auto section = root.find("timeloop");
  if (!section) return;
  section->expect_keys({"update", "sources"});
  const auto updates = section->find("update");
  if (!updates) return;
  const auto sources = section->find("sources");
  if (!sources || !sources->find("update") || sources->at("update").text().empty())
    updates->fail("these figures name no source; add 'update: ...' to 'sources' beside them");
  std::vector<std::string> names;
  for (const TimeloopLevel& level : architecture.levels) names.push_back(level.name);
  updates->expect_keys(names);
  for (TimeloopLevel& level : architecture.levels)
    if (const auto energy = updates->find(level.name)) level.update_energy = energy->quantity("energy");
}

}  // namespace

TimeloopArchitecture timeloop_architecture(const Accelerator& accelerator) {
  if (accelerator.execution.given())
    throw InputError(fmt::format(
        "{}: Timeloop's rules know no 'execution': transfers overlap with compute; remove that section",
        accelerator.file));
  TimeloopArchitecture result;
  result.name = accelerator.name;
  result.file = accelerator.file;
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l)
    result.levels.push_back(convert(accelerator, l));
  result.compute_energy = accelerator.compute.energy;
  result.units = accelerator.units();
  return result;
}

TimeloopArchitecture parse_timeloop_architecture(const std::string& text, const std::string& name) {
  TimeloopArchitecture result = timeloop_architecture(parse_accelerator(text, name));
  read_updates(YamlNode::parse(text, name), result);
  return result;
}

TimeloopArchitecture read_timeloop_architecture(const std::string& path) {
  return parse_timeloop_architecture(read_text_file(path), path);
}

}  // namespace atl
