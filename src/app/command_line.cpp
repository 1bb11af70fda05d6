#include "atoll/app/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"

namespace atl {

namespace {

std::string refuse_unless_positive(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size() && value > 0;
  return good ? "" : "expected a number above 0, found '" + text + "'";
}

// CLI11 says of a misspelt command only that one is missing.
void require_known_command(const std::vector<Command>& commands, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  const std::string given = argv[1];
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  if (std::find(names.begin(), names.end(), given) != names.end()) return;
  throw InputError(
      fmt::format("unknown command '{}'{}; known: {}", given, suggestion(given, names), join(names, ", ")));
}

}  // namespace

void CommandLine::required(const std::string& name, std::string& value, const std::string& help) {
  parser_.add_option(name, value, help)->required();
}

void CommandLine::optional(const std::string& name, std::string& value, const std::string& help) {
  parser_.add_option(name, value, help);
}

void CommandLine::choice(const std::string& name, std::string& value, const std::vector<std::string>& names,
                         const std::string& help) {
  parser_.add_option(name, value, help)->check(CLI::IsMember(names));
}

void CommandLine::repeated(const std::string& name, std::vector<std::string>& values,
                           const std::string& help) {
  parser_.add_option(name, values, help)->expected(1)->take_all()->allow_extra_args(false);
}

void CommandLine::several(const std::string& name, std::vector<std::string>& values,
                          const std::string& help) {
  parser_.add_option(name, values, help)->required()->expected(1, -1);
}

void CommandLine::positive(const std::string& name, std::uint32_t& value, std::uint32_t high,
                           const std::string& help) {
  parser_.add_option(name, value, help)
      ->check(refuse_unless_positive)
      ->check(CLI::Range(std::uint32_t{1}, high));
}

void CommandLine::positive(const std::string& name, double& value, const std::string& help) {
  parser_.add_option(name, value, help)->check(refuse_unless_positive);
}

void CommandLine::flag(const std::string& name, bool& value, const std::string& help) {
  parser_.add_flag(name, value, help);
}

void CommandLine::flag(const std::string& name, std::function<void()> given, const std::string& help) {
  parser_.add_flag_callback(name, std::move(given), help);
}

void CommandLine::exclusive(const std::string& one, const std::string& other) {
  parser_.get_option(one)->excludes(parser_.get_option(other));
}

ExitCode run_command(const std::vector<Command>& commands, const std::string& purpose, int argc,
                     char** argv) {
  require_known_command(commands, argc, argv);
  CLI::App program{purpose, "atoll"};
  program.set_version_flag("--version", version_text);
  program.require_subcommand(1);
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("atoll: {}; --help lists what is known\n", error.what());
  });
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command& command : commands) {
    CLI::App* sub = program.add_subcommand(command.name, command.summary);
    CommandLine line(*sub);
    actions.emplace_back(sub, command.declare(line));
  }
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? ExitCode::done : ExitCode::input;
  }
  ProgramArguments arguments{argc, argv};
  for (const auto& [sub, action] : actions) {
    if (sub->parsed()) return action(arguments);
  }
  return ExitCode::input;
}

}  // namespace atl
