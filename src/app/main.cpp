// The commands of the program, as a table. Errors become one message and one exit code here; commands that
// run under MPI settle their own (with_world).
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <exception>
#include <vector>

#include "atoll/app/command.hpp"
#include "atoll/base/yaml.hpp"

namespace {

using namespace atl;

constexpr std::array commands = {
    Command{"run", "evolve what a run file asks for", declare_run},
    Command{"resume", "continue a run that was stopped or killed", declare_resume},
    Command{"check", "check a run file and predict size, memory and files", declare_check},
    Command{"evaluate", "give mappings their costs", declare_evaluate},
    Command{"best", "the best individuals of a store", declare_best},
    Command{"inspect", "what a store holds", declare_inspect},
    Command{"export", "write a store's content as CSV, JSON or loop nests", declare_export},
    Command{"digest", "the hash of a store's content: equal for equal runs", declare_digest},
    Command{"describe", "policies, spaces, simulators, an accelerator, the run file's keys",
            declare_describe},
};

ExitCode perform(int argc, char** argv) {
  CLI::App app{"atoll evolves how networks run on accelerators, and the networks themselves.", "atoll"};
  app.set_version_flag("--version", version_text);
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::simple);
  std::vector<std::pair<CLI::App*, Action>> actions;
  for (const Command& command : commands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    actions.emplace_back(sub, command.declare(*sub));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::done : ExitCode::input;
  }
  ProgramArguments arguments{argc, argv};
  for (const auto& [sub, action] : actions) {
    if (sub->parsed()) return action(arguments);
  }
  return ExitCode::input;
}

}  // namespace

int main(int argc, char** argv) {
  ExitCode code = ExitCode::internal;
  try {
    code = perform(argc, argv);
  } catch (const Error& error) {
    print_error(error.what());
    code = error.code();
  } catch (const std::exception& error) {
    print_error(fmt::format("internal error: {}; please report this", error.what()));
  }
  return static_cast<int>(code);
}
