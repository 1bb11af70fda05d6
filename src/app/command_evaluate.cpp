#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/app/command.hpp"
#include "atoll/base/files.hpp"
#include "atoll/base/text.hpp"
#include "atoll/simulator/mapping.hpp"
#include "atoll/simulator/simulator.hpp"
#include "run_options.hpp"

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

struct EvaluateOptions {
  std::string mappings, accelerator, simulator = "loopnest", out;
  bool explain = false;
};

struct Evaluator {
  Accelerator accelerator;
  std::unique_ptr<Simulator> simulator;
  HardwareRow hardware;
};

Json id_of(const std::string& line, std::size_t number) {
  const Json parsed = Json::parse(line, nullptr, false);
  if (parsed.is_object() && parsed.contains("id")) return parsed["id"];
  return number;
}

Json costs_json(const Evaluator& evaluator, const LayerMapping& entry) {
  std::vector<double> costs(evaluator.simulator->schema().width());
  evaluator.simulator->evaluate({{&entry.layer, 1}, {&evaluator.hardware, 1}, {&entry.mapping, 1}}, costs);
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
    const std::string reason = check(entry.mapping, entry.layer, evaluator.accelerator, true);
    if (reason.empty()) {
      result.update(costs_json(evaluator, entry));
    } else {
      result["refused"] = reason;
    }
    if (explain)
      fmt::print(stderr, "{}\n{}\n", place, loop_nest(entry.mapping, entry.layer, evaluator.accelerator));
  } catch (const InputError& error) {
    result["refused"] = error.what();
  }
  return result;
}

ExitCode evaluate(const EvaluateOptions& options) {
  Evaluator evaluator;
  evaluator.accelerator = read_accelerator(options.accelerator);
  evaluator.simulator = make_simulator(options.simulator, evaluator.accelerator);
  evaluator.hardware = hardware_row(evaluator.accelerator);
  std::string output;
  std::size_t number = 0, rows = 0, refused = 0;
  for (const std::string& line : split(read_text_file(options.mappings), '\n')) {
    ++number;
    if (trimmed(line).empty()) continue;
    const Json result = evaluate_line(evaluator, line, fmt::format("{}:{}", options.mappings, number), number,
                                      options.explain);
    ++rows;
    refused += result.contains("refused") ? 1 : 0;
    output += result.dump() + "\n";
  }
  if (rows == 0)
    throw InputError(
        fmt::format("{}: expected one mapping a line, as JSON; found no line", options.mappings));
  if (options.out.empty()) {
    fmt::print("{}", output);
  } else {
    write_text_file_atomically(options.out, output);
  }
  fmt::print(stderr, "{} mappings evaluated, {} refused\n", rows - refused, refused);
  return ExitCode::done;
}

}  // namespace

Action declare_evaluate(CommandLine& line) {
  const auto options = std::make_shared<EvaluateOptions>();
  line.required("--mappings", options->mappings, "file with one mapping a line, as JSON");
  line.required("--accelerator", options->accelerator, "the hardware's .yaml file");
  line.optional("--simulator", options->simulator, "loopnest or reference");
  line.optional("--out", options->out, "file for the results; default standard output");
  line.flag("--explain", options->explain, "print each mapping's loop nest on standard error");
  return [options](ProgramArguments&) { return evaluate(*options); };
}

}  // namespace atl
