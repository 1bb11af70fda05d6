// One command of the program: declares its options and returns what to do once they are parsed. Each lives in
// a source of its own, src/app/command_<name>.cpp; src/app/main.cpp is the table of them.
#pragma once

#include <functional>
#include <string>

#include "atoll/base/error.hpp"

namespace CLI {
class App;
}

namespace atl {

class Communicator;

/// The program's arguments, which MPI may want to see.
struct ProgramArguments {
  int count = 0;
  char** values = nullptr;
};

using Action = std::function<ExitCode(ProgramArguments&)>;

struct Command {
  const char* name;
  const char* summary;
  Action (*declare)(CLI::App& app);
};

Action declare_run(CLI::App& app);
Action declare_resume(CLI::App& app);
Action declare_check(CLI::App& app);
Action declare_evaluate(CLI::App& app);
Action declare_best(CLI::App& app);
Action declare_inspect(CLI::App& app);
Action declare_export(CLI::App& app);
Action declare_digest(CLI::App& app);
Action declare_describe(CLI::App& app);

/// What `atoll --version` prints: program, commit, compiler, libraries.
std::string version_text();
/// Prints "atoll: <message>" on standard error.
void print_error(const std::string& text);

/// Starts MPI, runs `body` on every rank and ends in order: an AgreedError is printed once; any other
/// exception of one rank ends the whole job at once, so that nobody waits for it.
ExitCode with_world(ProgramArguments& arguments, const std::function<ExitCode(Communicator&)>& body);

}  // namespace atl
