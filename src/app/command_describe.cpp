#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/app/command_line.hpp"
#include "atoll/app/problem.hpp"
#include "atoll/base/table.hpp"
#include "atoll/base/text.hpp"
#include "atoll/base/units.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/config/run_file.hpp"
#include "atoll/evolution/policy.hpp"
#include "atoll/simulator/simulator.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* spaces_text =
    "mapping     How the layers of a given network run on an accelerator: tile sizes, loop orders, levels "
    "of\n"
    "            parallelism and what is kept where. One task per distinct layer.\n"
    "sequential  A convolutional network as a list of blocks (operator, kernel, channels, stride, "
    "expansion)\n"
    "            within the bounds of the run file. One task; the cost of a network is the sum over its\n"
    "            layers of a bounded, deterministic mapping search.\n";

constexpr const char* simulators_text =
    "loopnest    The closed form of `reference`, equal in every count. The default.\n"
    "reference   Executes the loop nest and moves explicit sets of addresses. Slow; the judge.\n"
    "Rows of other tools are evaluated by models of those tools: `atoll evaluate --format "
    "timeloop|zigzag|maestro`.\n"
    "Own mappings are counted by Timeloop's rules with `atoll evaluate --semantics timeloop`.\n";

// The descriptions shipped with the program: name and path, by name.
std::map<std::string, std::string> shipped_accelerators() {
  std::map<std::string, std::string> shipped;
  for (const std::string& folder : data_folders()) {
    const fs::path here = fs::path(folder) / "accelerators";
    if (!fs::is_directory(here)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(here)) {
      if (entry.path().extension() != ".yaml") continue;
      shipped.emplace(fs::relative(entry.path(), here).replace_extension().string(), entry.path().string());
    }
  }
  return shipped;
}

// A path, or the name of a shipped accelerator.
std::string find_accelerator(const std::string& given) {
  if (fs::is_regular_file(given)) return given;
  const auto shipped = shipped_accelerators();
  const std::string name = given.ends_with(".yaml") ? given.substr(0, given.size() - 5) : given;
  if (const auto found = shipped.find(name); found != shipped.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [known, path] : shipped) names.push_back(known);
  throw InputError(
      fmt::format("there is no accelerator file '{}'{} (`atoll describe accelerator` lists those that "
                  "come with atoll)",
                  given, suggestion(given, names)));
}

// One line for each of those that stand in accelerators/ itself.
std::string list_accelerators() {
  TextTable table(
      {"name", "node", "clock", "multipliers", "MAC/s", "area", "sourced", "derived", "estimates"});
  table.align_right_from(1);
  const auto shipped = shipped_accelerators();
  if (shipped.empty()) {
    throw InputError(
        "the accelerators that come with atoll were not found in share/atoll/accelerators beside the "
        "program's "
        "folder; install atoll, or name a file: `atoll describe accelerator PATH`");
  }
  for (const auto& [name, path] : shipped) {
    if (name.find('/') != std::string::npos) continue;
    const Accelerator accelerator = read_accelerator(path);
    const SourceCount count = count_sources(accelerator);
    table.add({name,
               accelerator.technology > 0 ? fmt::format("{:.4g} nm", accelerator.technology * 1000) : "-",
               fmt::format("{:.4g} MHz", accelerator.clock / 1e6), fmt::format("{}", accelerator.units()),
               format_count(static_cast<double>(accelerator.units()) * accelerator.clock),
               accelerator.area() > 0 ? fmt::format("{:.3g} mm2", accelerator.area() / 1e6) : "-",
               fmt::format("{}", count.sourced - count.derived), fmt::format("{}", count.derived),
               fmt::format("{}", count.estimated)});
  }
  return table.text() + "\n`atoll describe accelerator NAME` prints every figure of one.\n";
}

ExitCode describe_thing(const std::string& what, const std::string& argument) {
  const std::vector<std::string> things = {"policies", "spaces", "simulators", "accelerator", "config"};
  std::string text;
  if (what == "policies") {
    text = describe_policies();
  } else if (what == "spaces") {
    text = spaces_text;
  } else if (what == "simulators") {
    text = simulators_text;
  } else if (what == "config") {
    text = describe_run_file();
  } else if (what == "accelerator") {
    text = argument.empty() ? list_accelerators() : describe(read_accelerator(find_accelerator(argument)));
  } else {
    throw InputError(fmt::format("describe: expected one of {}, found '{}'{}", join(things, ", "), what,
                                 suggestion(what, things)));
  }
  fmt::print("{}", text);
  return ExitCode::done;
}

}  // namespace

Action declare_describe(CommandLine& line) {
  const auto what = std::make_shared<std::string>();
  const auto argument = std::make_shared<std::string>();
  line.required("WHAT", *what, "policies, spaces, simulators, accelerator A or config");
  line.optional("A", *argument, "path or name of an accelerator; without it: a list");
  return [what, argument](ProgramArguments&) { return describe_thing(*what, *argument); };
}

}  // namespace atl
