// A store together with the problem it answers, rebuilt from the texts inside the store alone: commands that
// read results need neither the run folder nor the original files.
#pragma once

#include <memory>
#include <string>

#include "atoll/app/problem.hpp"
#include "atoll/store/reader.hpp"

namespace atl {

struct StoredRun {
  std::unique_ptr<StoreReader> reader;
  Problem problem;
};

/// `path`: a store, or a run folder with one. InputError if there is none.
StoredRun open_stored_run(const std::string& path);
/// The store that `path` means: itself, or results.h5 inside it.
std::string store_path(const std::string& path);

}  // namespace atl
