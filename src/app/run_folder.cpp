#include "atoll/app/run_folder.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "atoll/base/files.hpp"
#include "atoll/network/network.hpp"
#include "atoll/space/mapping.hpp"

namespace atl {

namespace fs = std::filesystem;

void require_new_folder(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    throw InputError(fmt::format("--output: '{}' exists and is no folder; choose another name", path));
  }
  if (fs::is_empty(path, error) && !error) return;
  throw InputError(fmt::format(
      "--output: the folder '{}' exists and is not empty; choose another with --output, or continue "
      "the run in it with `atoll resume {}`",
      path, path));
}

void prepare_run_folder(const RunFolder& folder, const Problem& problem) {
  make_folder(folder.path);
  make_folder(folder.path + "/log");
  make_folder(folder.path + "/checkpoints");
  make_folder(folder.best());
  RunFile used = problem.run;
  write_text_file_atomically(folder.accelerator(), read_text_file(used.problem.accelerator));
  used.problem.accelerator = "accelerator.yaml";
  if (const MappingSpace* space = problem.mapping_space()) {
    write_network_yaml(space->network(), folder.network());
    used.problem.network = "network.yaml";
    used.problem.batch = 0;  // already part of the network that was written
  }
  write_text_file_atomically(folder.config(), to_yaml(used));
}

void require_run_folder(const RunFolder& folder) {
  std::error_code error;
  if (!fs::is_directory(folder.path, error))
    throw InputError(fmt::format("there is no run folder '{}'", folder.path));
  for (const std::string& file : {folder.config(), folder.accelerator()}) {
    if (fs::is_regular_file(file, error)) continue;
    throw InputError(fmt::format("'{}' is not the folder of a run: '{}' is missing", folder.path, file));
  }
}

RunTexts read_run_texts(const RunFolder& folder) {
  RunTexts texts{read_text_file(folder.config()), read_text_file(folder.accelerator()), ""};
  std::error_code error;
  if (fs::exists(folder.network(), error)) texts.network = read_text_file(folder.network());
  return texts;
}

Problem load_run_folder(const RunFolder& folder) {
  RunFile run = read_run_file(folder.config());
  settle_islands(run, 1);
  return load_problem(std::move(run));
}

}  // namespace atl
