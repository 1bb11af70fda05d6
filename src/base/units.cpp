#include "atoll/base/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "atoll/base/error.hpp"
#include "atoll/base/text.hpp"

namespace atl {

namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 9> sizes = {{{"b", 1},
                                        {"bit", 1},
                                        {"B", 8},
                                        {"KB", 8e3},
                                        {"MB", 8e6},
                                        {"GB", 8e9},
                                        {"KiB", 8.0 * 1024},
                                        {"MiB", 8.0 * 1024 * 1024},
                                        {"GiB", 8.0 * 1024 * 1024 * 1024}}};
constexpr std::array<Unit, 4> frequencies = {{{"Hz", 1}, {"kHz", 1e3}, {"MHz", 1e6}, {"GHz", 1e9}}};
constexpr std::array<Unit, 6> energies = {
    {{"fJ", 1e-3}, {"pJ", 1}, {"nJ", 1e3}, {"uJ", 1e6}, {"mJ", 1e9}, {"J", 1e12}}};
constexpr std::array<Unit, 3> powers = {{{"uW", 1e-3}, {"mW", 1}, {"W", 1e3}}};
constexpr std::array<Unit, 2> areas = {{{"um2", 1}, {"mm2", 1e6}}};
constexpr std::array<Unit, 3> lengths = {{{"nm", 1e-3}, {"um", 1}, {"mm", 1e3}}};
constexpr std::array<Unit, 6> times = {
    {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}}};

// A dimension is a list of units, perhaps over a second unit ("/cycle").
struct Dimension {
  std::string_view name;
  std::span<const Unit> units;
  std::string_view over;
  std::string_view accepts;
};

constexpr std::array<Dimension, 11> dimensions = {{
    {"size", sizes, "", "b, bit, B, KB, MB, GB, KiB, MiB, GiB"},
    {"frequency", frequencies, "", "Hz, kHz, MHz, GHz"},
    {"bandwidth", sizes, "cycle", "b/cycle, B/cycle, KB/cycle, KiB/cycle, ..."},
    {"bit_rate", sizes, "s", "b/s, B/s, KB/s, MB/s, GB/s, ..."},
    {"energy", energies, "", "fJ, pJ, nJ, uJ, mJ, J"},
    {"energy_per_bit", energies, "bit", "fJ/bit, pJ/bit, nJ/bit, pJ/B, ..."},
    {"energy_per_cycle", energies, "cycle", "fJ/cycle, pJ/cycle, nJ/cycle, ..."},
    {"power", powers, "", "uW, mW, W"},
    {"area", areas, "", "um2, mm2"},
    {"length", lengths, "", "nm, um, mm"},
    {"time", times, "", "ns, us, ms, s, min, h"},
}};

const Dimension& dimension_named(std::string_view name) {
  for (const Dimension& dimension : dimensions) {
    if (dimension.name == name) return dimension;
  }
  throw InternalError("there is no dimension '" + std::string(name) + "'");
}

// The factor of what stands below the line ("cycle" in "B/cycle"), or nothing if it is another unit.
std::optional<double> divisor(const Dimension& dimension, std::string_view text) {
  if (text == dimension.over) return 1.0;
  if (dimension.over == "bit" && text == "b") return 1.0;
  if (dimension.over == "bit" && text == "B") return 8.0;
  return std::nullopt;
}

// Three significant digits of a value between 1 and 1000.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  return value >= 9.995 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

std::string with_prefix(double value, double step, std::span<const std::string_view> prefixes) {
  const bool negative = value < 0;
  double size = negative ? -value : value;
  std::size_t i = 0;
  while (size >= step * 0.9995 && i + 1 < prefixes.size()) {
    size /= step;
    ++i;
  }
  const bool whole = size < 1e15 && size == std::floor(size);
  const std::string digits = whole ? fmt::format("{:.0f}", size) : three_digits(size);
  return (negative ? "-" : "") + digits + std::string(prefixes[i]);
}

}  // namespace

std::optional<double> parse_quantity(std::string_view text, std::string_view dimension_name) {
  const Dimension& dimension = dimension_named(dimension_name);
  text = trimmed(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  if (!dimension.over.empty()) {
    const std::size_t line = unit.find('/');
    if (line == std::string_view::npos) return std::nullopt;
    const auto below = divisor(dimension, trimmed(unit.substr(line + 1)));
    if (!below) return std::nullopt;
    value /= *below;
    unit = trimmed(unit.substr(0, line));
  }
  for (const Unit& known : dimension.units) {
    if (known.name != unit) continue;
    value *= known.factor;
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
  }
  return std::nullopt;
}

std::string_view units_of(std::string_view dimension) {
  return dimension_named(dimension).accepts;
}

std::string format_count(double value) {
  static constexpr std::array<std::string_view, 7> prefixes = {"", " k", " M", " G", " T", " P", " E"};
  if (!std::isfinite(value)) return fmt::format("{}", value);
  return with_prefix(value, 1000, prefixes);
}

std::string format_bytes(double bytes) {
  static constexpr std::array<std::string_view, 6> prefixes = {" B", " KiB", " MiB", " GiB", " TiB", " PiB"};
  if (!std::isfinite(bytes)) return bytes > 0 ? "unlimited" : fmt::format("{}", bytes);
  return with_prefix(bytes, 1024, prefixes);
}

std::string format_energy(double picojoule) {
  static constexpr std::array<std::string_view, 6> prefixes = {" fJ", " pJ", " nJ", " uJ", " mJ", " J"};
  if (!std::isfinite(picojoule)) return fmt::format("{} pJ", picojoule);
  if (picojoule == 0) return "0 pJ";
  return with_prefix(picojoule * 1000, 1000, prefixes);
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 1e-6) return fmt::format("{:.3g} ns", seconds * 1e9);
  if (seconds < 1e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.3g} s", seconds);
  const auto whole = static_cast<long long>(seconds + 0.5);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  if (whole < 86400) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {:02} h", whole / 86400, whole / 3600 % 24);
}

}  // namespace atl
