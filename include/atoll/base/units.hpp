// Quantities with units as people write them in configuration files: "108 KiB", "200 MHz",
// "8 B/cycle", "18.2 pJ", "30 s". One place knows the units; everything inside uses the base unit.
//
// dimension    base unit     accepts
// size         bit           b, bit, B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024)
// frequency    hertz         Hz, kHz, MHz, GHz
// bandwidth    bit/cycle     <size>/cycle
// bit_rate     bit/second    <size>/s
// energy       picojoule     fJ, pJ, nJ, uJ, mJ, J
// energy_per_bit    pJ/bit     <energy>/bit, <energy>/B
// energy_per_cycle  pJ/cycle   <energy>/cycle
// power        milliwatt     uW, mW, W
// area         square micrometre   um2, mm2
// length       micrometre    nm, um, mm
// time         second        ns, us, ms, s, min, h
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// The value of `text` in the base unit of `dimension`; nothing if it is not such a quantity.
/// A bare number is accepted for no dimension: a forgotten unit is the commonest slip. Quantities are
/// finite and not negative; InternalError for a dimension that does not exist.
std::optional<double> parse_quantity(std::string_view text, std::string_view dimension);
/// The units a dimension accepts, for messages: "b, B, KB, KiB, ...".
std::string_view units_of(std::string_view dimension);

/// Human-readable forms for tables and logs: "1.81 G", "108 KiB", "3.2 uJ", "1 h 02 min".
std::string format_count(double value);
std::string format_bytes(double bytes);
std::string format_energy(double picojoule);
std::string format_duration(double seconds);

}  // namespace atl
