// The options of one command, as its source declares them. A thin layer over the packaged parser, which is
// slow to compile: it stands in one source, src/app/command_line.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "atoll/app/command.hpp"

namespace CLI {
class App;
}

namespace atl {

class CommandLine {
 public:
  explicit CommandLine(CLI::App& parser) : parser_(parser) {}

  /// Each declaration binds a variable that outlives the parsing and holds the default before it.
  void required(const std::string& name, std::string& value, const std::string& help);
  void optional(const std::string& name, std::string& value, const std::string& help);
  /// One of the given names.
  void choice(const std::string& name, std::string& value, const std::vector<std::string>& names,
              const std::string& help);
  /// May be given again and again, with one value each.
  void repeated(const std::string& name, std::vector<std::string>& values, const std::string& help);
  /// One or more values that follow each other, at least one.
  void several(const std::string& name, std::vector<std::string>& values, const std::string& help);
  /// A whole number from 1 to `high`; a number above 0.
  void positive(const std::string& name, std::uint32_t& value, std::uint32_t high, const std::string& help);
  void positive(const std::string& name, double& value, const std::string& help);
  void flag(const std::string& name, bool& value, const std::string& help);
  /// A flag that calls `given` when it is there.
  void flag(const std::string& name, std::function<void()> given, const std::string& help);
  /// Two flags of which only one may be given.
  void exclusive(const std::string& one, const std::string& other);

 private:
  CLI::App& parser_;
};

/// Parses the program's arguments against the table and runs the command that they name. A line that cannot
/// be parsed gives one message and ExitCode::input.
ExitCode run_command(const std::vector<Command>& commands, const std::string& purpose, int argc, char** argv);

}  // namespace atl
