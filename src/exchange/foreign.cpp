#include "atoll/exchange/foreign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "atoll/base/error.hpp"
#include "atoll/exchange/accelerator_text.hpp"

namespace atl {

namespace {

constexpr std::size_t longest_name = 40;

std::string divisor_reason(const OutgoingMapping& named, const Accelerator& accelerator) {
  const std::string reason = check(named.mapping, named.layer, accelerator, true);
  return reason.empty() ? "" : reason + "; this format has no place for tiles that do not divide";
}

}  // namespace

std::string plain_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    name += upper ? static_cast<char>(c - 'A' + 'a') : fits ? c : '_';
    if (name.size() == longest_name) break;
  }
  return name.empty() ? "unnamed" : name;
}

std::string number_text(double value) {
  // Whole numbers without an exponent: some readers take 1e+10 for text.
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

LoopBounds bounds_between(const Extents& outer, const Extents& inner) {
  LoopBounds bounds{};
  for (std::size_t d = 0; d < dim_count; ++d) bounds[d] = (outer[d] - 1) / inner[d] + 1;
  return bounds;
}

std::string why_not_exported(const OutgoingMapping& named, const Accelerator& accelerator,
                             bool divisors_only) {
  if (!named.layer.multiplies())
    return fmt::format("a layer of kind '{}' does not multiply; only conv, fc and matmul are written",
                       name(named.layer.op));
  const std::string reason = check(named.mapping, named.layer, accelerator, false);
  if (!reason.empty() || !divisors_only) return reason;
  return divisor_reason(named, accelerator);
}

void note(std::vector<std::string>& notes, const std::string& text) {
  if (std::find(notes.begin(), notes.end(), text) == notes.end()) notes.push_back(text);
}

void AcceleratorDraft::source(const std::string& figure, const YamlNode& node, const std::string& what) {
  const SourcePlace place = node.place();
  source(figure, fmt::format("{}:{}: {}", place.file, place.line, what));
}

void AcceleratorDraft::source(const std::string& figure, const std::string& text) {
  result.accelerator.sources.emplace_back(figure, text);
}

std::string AcceleratorDraft::level_name(std::string_view text) const {
  const std::string base = plain_name(text);
  const auto taken = [&](const std::string& candidate) {
    return std::any_of(result.accelerator.levels.begin(), result.accelerator.levels.end(),
                       [&](const StorageLevel& level) { return level.name == candidate; });
  };
  if (!taken(base)) return base;
  for (int number = 2;; ++number) {
    const std::string suffix = fmt::format("_{}", number);
    const std::string candidate = base.substr(0, longest_name - suffix.size()) + suffix;
    if (!taken(candidate)) return candidate;
  }
}

void AcceleratorDraft::add_fanout(std::uint32_t x, std::uint32_t y, const std::string& source_text) {
  if (x == 1 && y == 1) return;
  Fanout fanout;
  fanout.above = result.accelerator.levels.size() - 1;
  fanout.x = x;
  fanout.y = y;
  result.accelerator.fanouts.push_back(fanout);
  const std::string path = "levels." + result.accelerator.levels.back().name + ".fanout.";
  source(path + "x", source_text);
  source(path + "y", source_text);
}

Imported AcceleratorDraft::finish(const std::string& file) {
  result.accelerator.file = file;
  try {
    Accelerator read = parse_accelerator(accelerator_text(result.accelerator, {}), file);
    read.file = file;
    result.accelerator = std::move(read);
  } catch (const InputError& error) {
    // Lines of the text that was written mean nothing to the reader of this message.
    std::string text = error.what();
    while (text.starts_with(file + ":")) text = text.substr(text.find(": ") + 2);
    throw InputError(fmt::format("{}: does not become an accelerator: {}", file, text));
  }
  return std::move(result);
}

}  // namespace atl
