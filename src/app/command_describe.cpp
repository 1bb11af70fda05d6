#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/app/command_line.hpp"
#include "atoll/app/problem.hpp"
#include "atoll/base/text.hpp"
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
    "reference   Executes the loop nest and moves explicit sets of addresses. Slow; the judge.\n";

// A path, or the name of a shipped accelerator.
std::string find_accelerator(const std::string& given) {
  if (fs::is_regular_file(given)) return given;
  std::vector<std::string> names;
  for (const std::string& folder : data_folders()) {
    const fs::path shipped = fs::path(folder) / "accelerators";
    if (!fs::is_directory(shipped)) continue;
    for (const auto& entry : fs::directory_iterator(shipped)) {
      if (entry.path().extension() != ".yaml") continue;
      if (entry.path().filename() == given || entry.path().stem() == given) return entry.path().string();
      names.push_back(entry.path().stem().string());
    }
  }
  throw InputError(fmt::format("there is no accelerator file '{}'{}", given, suggestion(given, names)));
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
    if (argument.empty())
      throw InputError("describe accelerator: name one, as `atoll describe accelerator eyeriss`");
    text = describe(read_accelerator(find_accelerator(argument)));
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
  line.optional("A", *argument, "path or name of an accelerator");
  return [what, argument](ProgramArguments&) { return describe_thing(*what, *argument); };
}

}  // namespace atl
