#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/app/command.hpp"
#include "atoll/app/problem.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/json_text.hpp"
#include "atoll/base/text.hpp"
#include "atoll/exchange/rows.hpp"
#include "atoll/simulator/explain.hpp"
#include "atoll/simulator/mapping.hpp"
#include "atoll/simulator/simulator.hpp"
#include "run_options.hpp"

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

struct EvaluateOptions {
  std::string mappings, accelerator, simulator, out, format = "atoll", semantics = "native";
  bool explain = false, no_strict = false;
};

struct Evaluator {
  Accelerator accelerator;
  std::unique_ptr<Simulator> simulator;
  HardwareRow hardware;
};

Json id_of(const std::string& line, std::size_t number) {
  if (nests_too_deep(line)) return number;
  const Json parsed = Json::parse(line, nullptr, false);
  if (parsed.is_object() && parsed.contains("id")) return parsed["id"];
  return number;
}

std::vector<double> costs_of(const Evaluator& evaluator, const LayerMapping& entry) {
  std::vector<double> costs(evaluator.simulator->schema().width());
  evaluator.simulator->evaluate({{&entry.layer, 1}, {&evaluator.hardware, 1}, {&entry.mapping, 1}}, costs);
  return costs;
}

Json costs_json(const Evaluator& evaluator, const std::vector<double>& costs) {
  Json json = Json::object();
  for (std::size_t c = 0; c < costs.size(); ++c)
    json[evaluator.simulator->schema().columns[c].name] = costs[c];
  return json;
}

// One line in, one line out. A mapping that is malformed or not legal is refused, not an error of the
// program.
Json evaluate_line(const Evaluator& evaluator, const std::string& line, const std::string& place,
                   std::size_t number, bool explain) {
  Json result = {{"id", id_of(line, number)}};
  try {
    const LayerMapping entry = mapping_from_json(line, evaluator.accelerator, place);
    entry.layer.validate(place);
    const std::string reason = check(entry.mapping, entry.layer, evaluator.accelerator, false);
    if (reason.empty()) {
      const std::vector<double> costs = costs_of(evaluator, entry);
      result.update(costs_json(evaluator, costs));
      if (explain)
        fmt::print(stderr, "{}: {}\n", place,
                   atl::explain(entry.mapping, entry.layer, evaluator.accelerator,
                                evaluator.simulator->schema(), costs));
    } else {
      result["refused"] = reason;
    }
  } catch (const InputError& error) {
    result["refused"] = error.what();
  }
  if (explain && result.contains("refused"))
    fmt::print(stderr, "{}: refused: {}\n", place, result["refused"].get<std::string>());
  return result;
}

RowCount evaluate_own_rows(const EvaluateOptions& options, const std::string& text, const TakeLine& take) {
  Evaluator evaluator;
  evaluator.accelerator = read_accelerator(options.accelerator);
  evaluator.simulator =
      make_simulator(options.simulator.empty() ? "loopnest" : options.simulator, evaluator.accelerator);
  evaluator.hardware = hardware_row(evaluator.accelerator);
  RowCount count;
  std::size_t number = 0;
  for (const std::string& line : split(text, '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    const Json result = evaluate_line(evaluator, line, fmt::format("{}:{}", options.mappings, number), number,
                                      options.explain);
    ++count.rows;
    count.refused += result.contains("refused") ? 1 : 0;
    take(result.dump(-1, ' ', false, Json::error_handler_t::replace));  // names of files may be any bytes
  }
  return count;
}

// Every tool's rows have a model of their own.
struct Format {
  const char* name;
  const char* simulator;
  RowCount (*evaluate)(const std::string&, const std::string&, const RowOptions&, const TakeLine&);
};
constexpr std::array<Format, 3> formats = {{{"timeloop", "loopnest", evaluate_timeloop_rows},
                                            {"zigzag", "zigzag", evaluate_zigzag_rows},
                                            {"maestro", "datacentric", evaluate_maestro_rows}}};

// An option that would change nothing is a mistake of the user, not a wish to be passed over.
void refuse_what_has_no_meaning(const EvaluateOptions& options) {
  const bool by_timeloop = options.semantics == "timeloop";
  if (options.format == "atoll" && options.accelerator.empty())
    throw InputError("evaluate: --accelerator is required; only rows of other tools name their own");
  if (by_timeloop && options.format != "atoll" && options.format != "timeloop")
    throw InputError(
        fmt::format("evaluate: --semantics timeloop counts loop nests, not rows of {}", options.format));
  if (by_timeloop && options.format == "atoll" && !options.simulator.empty() &&
      options.simulator != "loopnest")
    throw InputError(
        fmt::format("evaluate: --semantics timeloop has a model of its own; leave out --simulator {}",
                    options.simulator));
  if (options.no_strict && options.format != "maestro")
    throw InputError("evaluate: --no-strict is for rows of MAESTRO (--format maestro)");
}

RowCount evaluate_rows(const EvaluateOptions& options, const std::string& text, const TakeLine& take) {
  refuse_what_has_no_meaning(options);
  if (options.format == "atoll" && options.semantics == "native")
    return evaluate_own_rows(options, text, take);
  const RowOptions row_options = {
      .data_folders = data_folders(),
      .accelerator = options.accelerator,
      .timeloop_semantics = options.semantics == "timeloop",
      .strict = !options.no_strict,
      .explain = options.explain,
      .explain_to = [](const std::string& line) { fmt::print(stderr, "{}\n", line); }};
  if (options.format == "atoll")
    return evaluate_own_rows_by_timeloop(text, options.mappings, row_options, take);
  const auto format = std::find_if(formats.begin(), formats.end(),
                                   [&](const Format& one) { return one.name == options.format; });
  if (!options.simulator.empty() && options.simulator != format->simulator)
    throw InputError(fmt::format("evaluate: rows of {} are evaluated by the simulator {}, not by {}",
                                 format->name, format->simulator, options.simulator));
  return format->evaluate(text, options.mappings, row_options, take);
}

ExitCode evaluate(const EvaluateOptions& options) {
  std::string output;
  const RowCount count = evaluate_rows(options, read_text_file(options.mappings),
                                       [&](const std::string& line) { output += line + "\n"; });
  if (count.rows == 0)
    throw InputError(
        fmt::format("{}: expected one mapping a line, as JSON; found no line", options.mappings));
  if (options.out.empty()) {
    fmt::print("{}", output);
  } else {
    write_text_file_atomically(options.out, output);
  }
  fmt::print(stderr, "{} mappings evaluated, {} refused\n", count.rows - count.refused, count.refused);
  return ExitCode::done;
}

}  // namespace

Action declare_evaluate(CommandLine& line) {
  const auto options = std::make_shared<EvaluateOptions>();
  line.required("--mappings", options->mappings,
                "file with one mapping a line, as JSON, or rows of another tool; may be packed with gzip");
  line.optional("--accelerator", options->accelerator, "the hardware's .yaml file; rows of a tool name one");
  line.optional("--simulator", options->simulator,
                "loopnest (default) or reference; a tool's rows have their own");
  line.choice("--format", options->format, {"atoll", "timeloop", "zigzag", "maestro"},
              "whose rows these are");
  line.choice("--semantics", options->semantics, {"native", "timeloop"}, "whose rules count a loop nest");
  line.flag("--no-strict", options->no_strict,
            "rows of MAESTRO: also give results that no hardware could reach");
  line.optional("--out", options->out, "file for the results; default standard output");
  line.flag("--explain", options->explain,
            "explain each mapping on standard error: loops, tiles, reuse, traffic, what limits it");
  return [options](ProgramArguments&) { return evaluate(*options); };
}

}  // namespace atl
