#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "atoll/app/command_line.hpp"
#include "atoll/app/stored_run.hpp"
#include "atoll/base/units.hpp"
#include "atoll/store/fsck.hpp"

namespace atl {

namespace {

constexpr std::size_t longest_list = 20;

std::string state_text(const StoreHealth& health) {
  switch (health.state) {
    case StoreState::sealed:
      return "finished and sealed";
    case StoreState::unfinished:
      return "not finished, closed in good order";
    case StoreState::left_by_kill:
      return "left by a kill: followers (swmr=True) and `atoll resume` open it, --repair lets every program "
             "do";
    case StoreState::being_written:
      return "being written by " + health.writer;
  }
  return {};
}

std::string health_text(const std::string& path, const StoreHealth& health) {
  std::string text =
      fmt::format("{:<12}{} ({})\n", "store", path, format_bytes(static_cast<double>(health.file_bytes)));
  const auto line = [&](const char* name, const std::string& value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  if (!health.unreadable.empty()) {
    line("unreadable", health.unreadable);
    return text;
  }
  line("state", state_text(health));
  line("whole", fmt::format("{} batches, {} individuals; {} batches are known to be on the disk",
                            health.batches, health.rows, health.synced_batches));
  if (health.rows_beyond > 0)
    line("torn",
         fmt::format("{} rows behind the last commit, which a resumed run writes again", health.rows_beyond));
  for (const std::string& what : health.rebuilt)
    line("damaged", what + "; can be made again, nothing is lost");
  for (const std::string& what : health.lost) line("lost", what);
  if (health.sound()) line("damage", "none");
  return text;
}

// The counts by which a user decides whether to resume or to run again.
std::string repair_text(const StoreRepair& repair) {
  if (!repair.changed) return "nothing to repair; the file was left as it is\n";
  std::string text = fmt::format("repaired: {} batches and {} individuals kept, the old file is {}\n",
                                 repair.kept_batches, repair.kept_rows, repair.damaged_file);
  if (!repair.health.lost.empty())
    text +=
        "what was lost is not computed again by `atoll resume` if it lies before the last checkpoint; run "
        "anew "
        "for a complete store\n";
  return text;
}

ExitCode fsck(const std::string& path, bool repair) {
  if (!repair) {
    const StoreHealth health = examine_store(path);
    fmt::print("{}", health_text(path, health));
    return health.sound() ? ExitCode::done : ExitCode::machine;
  }
  const StoreRepair result = repair_store(path);
  fmt::print("{}{}", health_text(path, result.health), repair_text(result));
  return result.health.lost.empty() ? ExitCode::done : ExitCode::machine;
}

}  // namespace

Action declare_fsck(CommandLine& line) {
  const auto path = std::make_shared<std::string>();
  const auto repair = std::make_shared<bool>(false);
  line.required("STORE", *path, "a store or a run folder");
  line.flag("--repair", *repair,
            "put a store of everything that is whole in its place; the old file is kept");
  return [path, repair](ProgramArguments&) { return fsck(store_path(*path), *repair); };
}

}  // namespace atl
