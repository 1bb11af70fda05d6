// The closed family of errors. Every failure that leaves a room is one of these five, so that main()
// can turn it into one message and one exit code, and tests can tell "your input" from "our fault".
// The text states the rule, the name, the offending value and what to do; never a stack trace.
#pragma once

#include <stdexcept>
#include <string>

namespace atl {

/// What the program returns to the shell; see README, "Exit codes".
enum class ExitCode : int { done = 0, internal = 1, input = 2, machine = 3, resume_me = 75 };

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& text) : std::runtime_error(text), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

/// Where in a user's file something stands; line and column count from 1, 0 means unknown.
struct SourcePlace {
  std::string file;
  int line = 0;
  int column = 0;
  /// "file:line:column: ", shortened when a part is unknown; empty without a file.
  std::string prefix() const;
};

/// The user's input is wrong: a key, a value, a file that does not say what it should.
class InputError : public Error {
 public:
  explicit InputError(const std::string& text) : Error(ExitCode::input, text) {}
  InputError(const SourcePlace& place, const std::string& text)
      : Error(ExitCode::input, place.prefix() + text) {}
};

/// A result store cannot be written or is damaged.
class StoreError : public Error {
 public:
  explicit StoreError(const std::string& text) : Error(ExitCode::machine, text) {}
};

/// A checkpoint cannot be written, or no good one is left to read.
class CheckpointError : public Error {
 public:
  explicit CheckpointError(const std::string& text) : Error(ExitCode::machine, text) {}
};

/// The machine refuses: disk full, folder not writable, memory, MPI.
class ResourceError : public Error {
 public:
  explicit ResourceError(const std::string& text) : Error(ExitCode::machine, text) {}
};

/// A promise of ours is broken (a result below its bound, a replay that differs): report it to us.
class InternalError : public Error {
 public:
  explicit InternalError(const std::string& text) : Error(ExitCode::internal, text) {}
};

}  // namespace atl
