// The commands of the program, as a table. Errors become one message and one exit code here; commands that
// run under MPI settle their own (with_world).
#include <fmt/format.h>

#include <exception>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "atoll/app/command_line.hpp"

namespace {

using namespace atl;

const std::vector<Command> commands = {
    Command{"run", "evolve what a run file asks for", declare_run},
    Command{"resume", "continue a run that was stopped or killed", declare_resume},
    Command{"check", "check a run file and predict size, memory and files", declare_check},
    Command{"evaluate", "give mappings their costs", declare_evaluate},
    Command{"best", "the best individuals of a store", declare_best},
    Command{"inspect", "what a store holds", declare_inspect},
    Command{"export", "write a store's content as CSV, JSON or loop nests, or for another tool",
            declare_export},
    Command{"import", "turn another tool's hardware files into an accelerator", declare_import},
    Command{"fsck", "examine a store, and repair what can be repaired", declare_fsck},
    Command{"digest", "the hash of a store's content: equal for equal runs", declare_digest},
    Command{"describe", "policies, spaces, simulators, an accelerator, the run file's keys",
            declare_describe},
};

}  // namespace

int main(int argc, char** argv) {
  ExitCode code = ExitCode::internal;
  try {
    code = run_command(
        commands, "atoll evolves how networks run on accelerators, and the networks themselves.", argc, argv);
  } catch (const Error& error) {
    print_error(error.what());
    code = error.code();
  } catch (const std::bad_alloc&) {
    print_error("the machine has not enough memory for this; give it more, or ask for less");
    code = ExitCode::machine;
  } catch (const std::exception& error) {
    print_error(fmt::format("internal error: {}; please report this", error.what()));
  }
  return static_cast<int>(code);
}
