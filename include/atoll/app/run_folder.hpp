// The folder of a run: results.h5, checkpoints/, config.yaml as used with its own copies of the network and
// the accelerator, log/ and best/. The copies make a run repeatable when the originals have changed or moved.
// A new run is prepared here and then loaded exactly as `resume` loads it: there is one path, not two.
#pragma once

#include <string>

#include "atoll/app/problem.hpp"

namespace atl {

struct RunFolder {
  std::string path;
  std::string store() const { return path + "/results.h5"; }
  std::string config() const { return path + "/config.yaml"; }
  std::string accelerator() const { return path + "/accelerator.yaml"; }
  std::string network() const { return path + "/network.yaml"; }
  std::string log_file() const { return path + "/log/run.log"; }
  std::string best() const { return path + "/best"; }
};

/// Refuses a path that exists and is not an empty folder (InputError: nothing is ever overwritten).
void require_new_folder(const std::string& path);
/// Makes the folder with its configuration; one process does it. ResourceError if the system refuses.
void prepare_run_folder(const RunFolder& folder, const Problem& problem);
/// InputError if `path` is not the folder of a run.
void require_run_folder(const RunFolder& folder);
/// The texts as they lie in the folder.
RunTexts read_run_texts(const RunFolder& folder);
Problem load_run_folder(const RunFolder& folder);

}  // namespace atl
