#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "atoll/base/error.hpp"
#include "atoll/base/json_text.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/simulator/datacentric.hpp"

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

// Fields of a CSV text: quoted ones may hold commas, line feeds and doubled quotes.
std::vector<std::vector<std::string>> read_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string field;
  bool quoted = false, any = false;
  const auto end_field = [&] {
    row.push_back(std::move(field));
    field.clear();
  };
  const auto end_row = [&] {
    end_field();
    if (any) rows.push_back(std::move(row));
    row.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c != '"')
        field += c;
      else if (i + 1 < text.size() && text[i + 1] == '"')
        field += text[++i];
      else
        quoted = false;
      continue;
    }
    if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      any = any || (c != ' ' && c != '\t');
      if (c == '"')
        quoted = true;
      else if (c == ',')
        end_field();
      else
        field += c;
    }
  }
  if (quoted) throw InputError("a quoted field is never closed");
  end_row();
  return rows;
}

// The header, and the one row that is read.
class Columns {
 public:
  explicit Columns(const std::vector<std::string>& header) : width_(header.size()) {
    for (std::size_t c = 0; c < width_; ++c) {
      const std::string name(trimmed(header[c]));
      if (!index_.emplace(name, c).second) throw InputError(fmt::format("column '{}' stands twice", name));
    }
  }

  void require(const std::vector<std::string>& names, const std::string& file) const {
    std::vector<std::string> missing;
    for (const std::string& name : names)
      if (!index_.contains(name)) missing.push_back(name);
    if (!missing.empty())
      throw InputError(fmt::format("{}:1: rows of maestro need the columns {}; missing: {}", file,
                                   join(names, ", "), join(missing, ", ")));
  }
  void take(const std::vector<std::string>& row) {
    if (row.size() != width_)
      throw InputError(fmt::format("expected {} fields as in the header, found {}", width_, row.size()));
    row_ = &row;
  }
  std::optional<std::string> text(const std::string& name) const {
    const auto found = index_.find(name);
    if (found == index_.end()) return std::nullopt;
    const std::string value(trimmed((*row_)[found->second]));
    return value.empty() ? std::nullopt : std::optional(value);
  }
  std::int64_t integer(const std::string& name, std::int64_t low, std::int64_t high,
                       std::optional<std::int64_t> otherwise = {}) const {
    const auto value = text(name);
    if (!value) {
      if (otherwise) return *otherwise;
      throw InputError(fmt::format("{} is empty", name));
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), number);
    if (error != std::errc() || end != value->data() + value->size() || number < low || number > high)
      throw InputError(
          fmt::format("{} must be a whole number from {} to {}, found '{}'", name, low, high, *value));
    return number;
  }

 private:
  std::size_t width_;
  std::map<std::string, std::size_t> index_;
  const std::vector<std::string>* row_ = nullptr;
};

constexpr std::int64_t most_size = 1 << 24;
constexpr std::int64_t most_int = 2147483647;

std::uint8_t dimension(const Json& value) {
  if (value.is_string()) {
    const auto& name = value.get_ref<const std::string&>();
    const std::size_t d = name.size() == 1 ? data_dim_letters.find(name[0]) : std::string_view::npos;
    if (d != std::string_view::npos) return static_cast<std::uint8_t>(d);
  }
  throw InputError(
      fmt::format("mapping_json: a dimension is one of K, C, Y, X, R, S, found {}", value.dump()));
}

std::int32_t count(const Json& value, const char* what) {
  if (!value.is_number_integer() || value.get<double>() < 1 || value.get<double>() > most_size)
    throw InputError(
        fmt::format("mapping_json: {} is a whole number from 1 to 2^24, found {}", what, value.dump()));
  return value.get<std::int32_t>();
}

DatacentricLevel read_level(const Json& json, std::size_t l, bool depthwise) {
  if (!json.is_object() || !json.contains("sp") || !json.contains("order") || !json["order"].is_array())
    throw InputError(fmt::format(
        "mapping_json: a level is an object with 'sp', 'cluster' and a list 'order', found {}", json.dump()));
  DatacentricLevel level;
  level.spatial = dimension(json["sp"]);
  const bool clustered = json.contains("cluster") && !json["cluster"].is_null();
  if (clustered != (l > 0))
    throw InputError(fmt::format("mapping_json: level {} must have {}", l,
                                 l > 0 ? "a 'cluster' of 1 or more" : "no 'cluster': it takes what is left"));
  if (clustered) level.units = count(json["cluster"], "a cluster");
  unsigned seen = 0;
  std::size_t place = 0;
  for (const Json& entry : json["order"]) {
    if (!entry.is_array() || entry.size() != 2)
      throw InputError(fmt::format("mapping_json: a directive is [dimension, tile], found {}", entry.dump()));
    const std::uint8_t d = dimension(entry[0]);
    if (((seen >> d) & 1U) != 0)
      throw InputError(fmt::format("mapping_json: level {} names {} twice", l, data_dim_letters[d]));
    seen |= 1U << d;
    level.order[place++] = d;
    level.tile[d] = count(entry[1], "a tile");
  }
  if (depthwise && (seen & 1U) == 0) {  // K does not exist there
    level.order[place++] = 0;
    seen |= 1U;
  }
  if (depthwise) level.tile[0] = 1;
  for (std::size_t d = 0; d < data_dim_count; ++d)
    if (((seen >> d) & 1U) == 0)
      throw InputError(fmt::format("mapping_json: level {} has no directive for {}; write all of them", l,
                                   data_dim_letters[d]));
  return level;
}

DatacentricMapping read_mapping(const std::string& text, bool depthwise) {
  if (nests_too_deep(text))
    throw InputError(fmt::format("mapping_json: brackets nest deeper than {}", most_json_nesting));
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array() || json.empty() || json.size() > max_data_levels)
    throw InputError(fmt::format("mapping_json must be a list of 1 to {} levels", max_data_levels));
  DatacentricMapping mapping;
  for (const Json& level : json) {
    mapping.level[mapping.levels] = read_level(level, mapping.levels, depthwise);
    ++mapping.levels;
  }
  return mapping;
}

DatacentricLayer read_layer(const Columns& row) {
  DatacentricLayer layer;
  const std::string type = row.text("type").value_or("");
  if (type != "CONV" && type != "DSCONV" && type != "FC")
    throw InputError(fmt::format("type must be CONV, DSCONV or FC, found '{}'", type));
  layer.depthwise = type == "DSCONV";
  for (std::size_t d = 0; d < data_dim_count; ++d)
    layer.size[d] = static_cast<std::int32_t>(row.integer(std::string(1, data_dim_letters[d]), 1, most_size));
  const std::int64_t stride = row.integer("stride", 1, most_size, 1);
  if (stride != 1)
    throw InputError(fmt::format(
        "stride must be 1, found {}: MAESTRO models other strides in part only and counts too many MACs",
        stride));
  for (std::size_t d = 2; type == "FC" && d < data_dim_count; ++d)
    if (layer.size[d] != 1)
      throw InputError(fmt::format("an FC layer has Y = X = R = S = 1, found {} = {}", data_dim_letters[d],
                                   layer.size[d]));
  return layer;
}

// What the row says stands above what its platform says.
void read_hardware(const Columns& row, DatacentricHardware& hardware) {
  const auto take = [&](const char* name, std::int32_t& value, std::int64_t low, std::int64_t high) {
    value = static_cast<std::int32_t>(row.integer(name, low, high, value));
  };
  take("pes", hardware.pes, 1, most_datacentric_pes);
  take("noc_bw", hardware.noc_bandwidth, 1, most_int);
  take("noc_lat", hardware.noc_latency, 0, 1 << 20);
  take("offchip_bw", hardware.offchip_bandwidth, 1, most_int);
  hardware.l1_bytes = row.integer("l1_bytes", 0, most_int, hardware.l1_bytes);
  hardware.l2_bytes = row.integer("l2_bytes", 0, most_int, hardware.l2_bytes);
}

// JSON has no infinities; MAESTRO's tables have.
Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  return value;
}

double ratio(std::int64_t a, std::int64_t b) {
  return static_cast<double>(a) / static_cast<double>(b);
}

// MAESTRO prints these in long double; 17 digits of it need not be the nearest double.
Json printed(long double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.17Lg", value);
  return number(std::strtod(text.data(), nullptr));
}

Json flag(bool value) {
  return value ? 1 : 0;
}

void put_verdict(Json& out, const DatacentricLayer& layer, const DatacentricCost& cost) {
  out["status"] = "ok";
  out["expected_macs"] = layer.macs();
  out["macs_exact"] = flag(cost.macs_exact);
  out["beats_roofline"] = flag(cost.beats_roofline);
  out["util_ok"] =
      flag(static_cast<double>(cost.runtime) * cost.average_pes >= 0.999 * static_cast<double>(layer.macs()));
  out["sub_ok"] = flag(cost.sub_tiles_ok);
  out["trusted"] = flag(cost.trusted());
  out["fits_l1"] = flag(cost.fits_l1);
  out["fits_l2"] = flag(cost.fits_l2);
}

void put_summary(Json& out, const DatacentricLayer& layer, const DatacentricHardware& hardware,
                 const DatacentricCost& cost) {
  const DatacentricArea area = datacentric_area(hardware, cost.l1_bytes, cost.l2_bytes);
  const auto macs = static_cast<long double>(cost.macs);
  out["runtime_cycles"] = cost.runtime;
  out["energy_reported_nJ"] = cost.energy_reported;
  out["throughput_macs_per_cycle"] = number(ratio(cost.macs, cost.runtime));
  out["throughput_per_energy"] = printed(macs / static_cast<long double>(cost.runtime) /
                                         static_cast<long double>(cost.energy_reported) * 1e9L);
  out["area_um2"] = area.area;
  out["power_mW"] = area.power;
  out["noc_bw_req"] = cost.peak_bandwidth;
  out["avg_bw_req"] = number(cost.average_bandwidth);
  out["peak_bw_req"] = cost.peak_bandwidth;
  out["vector_width"] = hardware.simd_lanes;
  out["offchip_bw_req"] = cost.offchip_bandwidth;
  out["l2_req_bytes"] = cost.l2_bytes;
  out["l1_req_bytes"] = cost.l1_bytes;
  out["multicast_weight"] = number(ratio(cost.l1_write[1], cost.l2_read[1]));
  out["multicast_input"] = number(ratio(cost.l1_write[0], cost.l2_read[0]));
  out["num_input_pixels"] = layer.elements(DataOperand::input);
  out["num_weight_pixels"] = layer.elements(DataOperand::filter);
  out["ops_per_joule"] = number(static_cast<double>(cost.macs) / cost.energy_reported * 1000000000);
  out["num_macs"] = cost.macs;
  out["pe_power"] = area.pe_power;
  out["l1_power"] = area.l1_power;
  out["l2_power"] = area.l2_power;
  out["noc_power"] = area.noc_power;
}

void put_details(Json& out, const DatacentricCost& cost) {
  for (std::size_t o = 0; o < data_operand_count; ++o) {
    const std::string name(data_operand_names[o]);
    out[name + "_l1_read"] = cost.l1_read[o];
    out[name + "_l1_write"] = cost.l1_write[o];
    out[name + "_l2_read"] = cost.l2_read[o];
    out[name + "_l2_write"] = cost.l2_write[o];
    out[name + "_reuse"] =
        printed(static_cast<long double>(cost.l1_read[o]) / static_cast<long double>(cost.l1_write[o]));
  }
  const auto delays = [&](const std::string& name, const std::array<std::int64_t, 3>& delay) {
    out[name + "_min"] = delay[0];
    out[name + "_max"] = delay[1];
    out[name + "_avg"] = delay[2];
  };
  delays("ingress", cost.ingress);
  delays("egress", cost.egress);
  delays("compute", cost.compute);
  out["avg_utilized_pes"] = cost.average_pes;
  out["arithmetic_intensity"] = number(cost.arithmetic_intensity);
  for (std::size_t o = 0; o < data_operand_count; ++o) {
    const std::string name(data_operand_names[o]);
    out["l2_req_" + name] = cost.l2_need[o];
    out["l1_req_" + name] = cost.l1_need[o];
  }
  out["energy_l2_nJ"] = cost.energy_l2;
  out["energy_l1_nJ"] = cost.energy_l1;
  out["energy_mac_nJ"] = cost.energy_mac;
  out["energy_total_nJ"] = cost.energy_l2 + cost.energy_l1 + cost.energy_mac;
}

// Ours; MAESTRO has no such columns.
void put_own(Json& out, const DatacentricCost& cost) {
  out["atoll_dram_read_elements"] = cost.dram_reads;
  out["atoll_dram_write_elements"] = cost.dram_writes;
  out["atoll_dram_energy_nJ"] = cost.dram_energy;
  out["atoll_noc_energy_nJ"] = cost.noc_energy;
  out["atoll_energy_nJ"] = cost.full_energy();
}

Json id_of(const Columns& row, std::size_t row_number) {
  const auto id = row.text("id");
  if (!id) return row_number;
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(id->data(), id->data() + id->size(), whole);
  if (error == std::errc() && end == id->data() + id->size()) return whole;
  return *id;
}

class Reader {
 public:
  Reader(const RowOptions& options, Columns columns) : options_(options), columns_(std::move(columns)) {}

  Json answer(const std::vector<std::string>& fields, std::size_t row_number) {
    Json out;
    out["id"] = row_number;
    try {
      columns_.take(fields);
      out["id"] = id_of(columns_, row_number);
      evaluate(out);
    } catch (const InputError& error) {
      out = {{"id", out["id"]}, {"refused", error.what()}};
    }
    return out;
  }

 private:
  void evaluate(Json& out) {
    DatacentricHardware hardware = platform();
    read_hardware(columns_, hardware);
    const DatacentricLayer layer = read_layer(columns_);
    const DatacentricMapping mapping =
        read_mapping(columns_.text("mapping_json").value_or(""), layer.depthwise);
    const std::int64_t levels = columns_.integer("n_levels", 1, max_data_levels, mapping.levels);
    if (levels != mapping.levels)
      throw InputError(fmt::format("n_levels is {}, but mapping_json has {}", levels, mapping.levels));
    if (const std::string wrong = datacentric_check(mapping, layer, hardware); !wrong.empty())
      throw InputError(wrong);
    if (options_.explain && options_.explain_to)
      options_.explain_to(
          fmt::format("{}\n{}", out["id"].dump(), datacentric_text(mapping, layer, hardware)));
    DatacentricCost cost;
    datacentric_evaluate(mapping, layer, hardware, cost);
    const std::string refusal = datacentric_refusal(mapping, layer, hardware, cost);
    if (cost.stop != DatacentricStop::none || (options_.strict && !refusal.empty()))
      throw InputError(refusal);
    put_verdict(out, layer, cost);
    put_summary(out, layer, hardware, cost);
    put_details(out, cost);
    put_own(out, cost);
  }

  const DatacentricHardware& platform() {
    const std::string name = columns_.text("platform").value_or("");
    const auto known = platforms_.find(name);
    if (known != platforms_.end()) return known->second;
    if (name.empty() && options_.accelerator.empty()) throw InputError("platform is empty");
    return platforms_
        .emplace(name, read_datacentric_hardware(find_reference_accelerator(options_, "maestro", name)))
        .first->second;
  }

  const RowOptions& options_;
  Columns columns_;
  std::map<std::string, DatacentricHardware> platforms_;
};

}  // namespace

RowCount evaluate_maestro_rows(const std::string& text, const std::string& file, const RowOptions& options,
                               const TakeLine& take) {
  const auto at_line = [&](int line, auto&& read) {
    try {
      return read();
    } catch (const InputError& error) {
      throw InputError(SourcePlace{file, line, 0}, error.what());
    }
  };
  const auto rows = at_line(0, [&] { return read_csv(text); });
  if (rows.size() < 2)
    throw InputError(
        fmt::format("{}: expected a header and one row a mapping; found {} lines", file, rows.size()));
  Columns columns = at_line(1, [&] { return Columns(rows.front()); });
  std::vector<std::string> needed = {"type", "K", "C", "Y", "X", "R", "S", "mapping_json"};
  if (options.accelerator.empty()) needed.emplace_back("platform");
  columns.require(needed, file);
  Reader reader(options, std::move(columns));
  RowCount count;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    const Json line = reader.answer(rows[r], r);
    ++count.rows;
    count.refused += line.contains("refused") ? 1 : 0;
    take(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return count;
}

}  // namespace atl
