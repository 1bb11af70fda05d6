// One command of the program: declares its options and returns what to do once they are parsed. Each lives in
// a source of its own, src/app/command_<name>.cpp; src/app/main.cpp is the table of them.
#pragma once

#include <functional>
#include <string>

#include "atoll/base/error.hpp"

namespace atl {

class CommandLine;
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
  Action (*declare)(CommandLine& line);
};

Action declare_run(CommandLine& line);
Action declare_resume(CommandLine& line);
Action declare_check(CommandLine& line);
Action declare_evaluate(CommandLine& line);
Action declare_best(CommandLine& line);
Action declare_inspect(CommandLine& line);
Action declare_export(CommandLine& line);
Action declare_import(CommandLine& line);
Action declare_digest(CommandLine& line);
Action declare_fsck(CommandLine& line);
Action declare_describe(CommandLine& line);

/// What `atoll --version` prints: program, commit, compiler, libraries.
std::string version_text();
/// Prints "atoll: <message>" on standard error.
void print_error(const std::string& text);

/// Starts MPI, runs `body` on every rank and ends in order: an AgreedError is printed once; any other
/// exception of one rank ends the whole job at once, so that nobody waits for it.
ExitCode with_world(ProgramArguments& arguments, const std::function<ExitCode(Communicator&)>& body);

}  // namespace atl
