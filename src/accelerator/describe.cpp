#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/units.hpp"

namespace atl {

namespace {

std::string operands_text(OperandSet set) {
  std::string text;
  for (std::size_t o = 0; o < operand_count; ++o) {
    if (!contains(set, static_cast<Operand>(o))) continue;
    if (!text.empty()) text += ' ';
    text += operand_names[o];
  }
  return text.empty() ? "none" : text;
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
  return um2 >= 1e5 ? fmt::format("{:.6g} mm2", um2 / 1e6) : fmt::format("{:.6g} um2", um2);
}

// The table, row by row; finds the source of each figure by its path.
class Writer {
 public:
  explicit Writer(const Accelerator& accelerator)
      : accelerator_(accelerator), table_({"figure", "value", "source"}) {}

  void figure(const std::string& path, const std::string& value) {
    for (const auto& [known, source] : accelerator_.sources) {
      if (known == path) {
        table_.add({path, value, source});
        return;
      }
    }
    table_.add({path, value, ""});
  }
  /// A figure that is only there if it is modelled.
  void modelled(const std::string& path, double number, const std::string& value) {
    figure(path, number > 0 ? value : "not modelled");
  }

  void level(std::size_t l) {
    const StorageLevel& level = accelerator_.levels[l];
    const std::string at = "levels." + level.name + ".";
    table_.add_rule();
    table_.add({at + "instances", fmt::format("{}", accelerator_.instances(l)), level.kind});
    table_.add({at + "keep", operands_text(level.keep), ""});
    table_.add({at + "may_keep", operands_text(level.may_keep), ""});
    figure(at + "size", bits_text(level.size));
    table_.add({at + "buffering", buffering_text(level.buffering), ""});
    figure(at + "read_bandwidth", bandwidth_text(level.read_bandwidth));
    if (level.shared_port) {
      table_.add({at + "write_bandwidth", "shared", "one port for reads and writes"});
    } else {
      figure(at + "write_bandwidth", bandwidth_text(level.write_bandwidth));
    }
    figure(at + "access.width", fmt::format("{:.6g} b", level.access_width));
    figure(at + "access.read", fmt::format("{:.6g} pJ", level.read_energy));
    figure(at + "access.write", fmt::format("{:.6g} pJ", level.write_energy));
    modelled(at + "leakage", level.leakage, fmt::format("{:.4g} pJ/cycle", level.leakage));
    modelled(at + "area", level.area, area_text(level.area));
    word_bits(l, at + "word_bits");
    if (const Fanout* fanout = accelerator_.fanout_below(l)) this->fanout(*fanout, at + "fanout.");
  }

  void compute() {
    const Compute& compute = accelerator_.compute;
    table_.add_rule();
    table_.add({"compute.instances", fmt::format("{}", accelerator_.units()), compute.kind});
    figure("compute.bits", fmt::format("{} b", compute.bits));
    figure("compute.accumulator_bits", fmt::format("{} b", compute.accumulator_bits));
    figure("compute.energy", fmt::format("{:.6g} pJ", compute.energy));
    modelled("compute.area", compute.area, area_text(compute.area));
  }

  std::string text() const { return table_.text(); }

 private:
  static std::string buffering_text(Buffering buffering) {
    if (buffering == Buffering::single) return "single";
    return buffering == Buffering::double_ ? "double" : "rolling";
  }

  // As the file says it: one figure for all operands or one each.
  void word_bits(std::size_t l, const std::string& path) {
    const auto& own = accelerator_.levels[l].word_bits;
    const auto is_path = [&](const auto& source) { return source.first == path; };
    if (std::any_of(accelerator_.sources.begin(), accelerator_.sources.end(), is_path)) {
      figure(path, fmt::format("{:.6g} b", own[0]));
      return;
    }
    for (std::size_t o = 0; o < operand_count; ++o) {
      if (own[o] > 0) figure(fmt::format("{}.{}", path, operand_names[o]), fmt::format("{:.6g} b", own[o]));
    }
  }

  void fanout(const Fanout& fanout, const std::string& at) {
    figure(at + "x", fmt::format("{}", fanout.x));
    figure(at + "y", fmt::format("{}", fanout.y));
    table_.add({at + "multicast", fanout.multicast ? "yes" : "no", ""});
    table_.add({at + "reduction", fanout.reduction ? "yes" : "no", ""});
    modelled(at + "hop_energy", fanout.hop_energy, fmt::format("{:.4g} pJ/bit", fanout.hop_energy));
  }

  const Accelerator& accelerator_;
  TextTable table_;
};

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
  Writer writer(accelerator);
  writer.figure("clock", fmt::format("{:.6g} MHz", accelerator.clock / 1e6));
  if (accelerator.technology > 0) {
    writer.figure("technology", fmt::format("{:.4g} nm", accelerator.technology * 1000));
  }
  for (std::size_t l = 0; l < accelerator.levels.size(); ++l) writer.level(l);
  writer.compute();
  const SourceCount count = count_sources(accelerator);
  const double units = static_cast<double>(accelerator.units());
  return fmt::format(
      "{}: {} levels, {} multipliers, {} MAC/s at most, area {}; {} figures with a source, {} "
      "estimates\n\n{}",
      accelerator.name, accelerator.levels.size(), accelerator.units(),
      format_count(units * accelerator.clock), area_text(accelerator.area()), count.sourced, count.estimated,
      writer.text());
}

}  // namespace atl
