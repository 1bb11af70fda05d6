// Everything a command needs to know about a run before anything runs: the settings, the hardware, the search
// space, the objective, and what follows from them (the layout of the store, the key of the run, how large it
// will become). Loading checks all input; afterwards only the machine can fail.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "atoll/accelerator/accelerator.hpp"
#include "atoll/config/run_file.hpp"
#include "atoll/evolution/objective.hpp"
#include "atoll/space/search_space.hpp"
#include "atoll/store/layout.hpp"

namespace atl {

class MappingSpace;

struct Problem {
  RunFile run;
  Accelerator accelerator;
  std::unique_ptr<SearchSpace> space;
  Objective objective;
  std::vector<std::string> layer_keys;  // by task; empty texts for whole networks

  /// The space as what it is, or nullptr if it is the other one.
  const MappingSpace* mapping_space() const;
};

/// Builds the space and the objective of settled settings (settle_islands()). InputError with the place in
/// the run file, the network or the accelerator.
Problem load_problem(RunFile run);

/// Files of a run as texts: what makes it repeatable when the originals have changed.
struct RunTexts {
  std::string config, accelerator, network;
};
StoreLayout make_layout(const Problem& problem, const RunTexts& texts);

/// Hash of everything that decides the results: settings (not the name, the store's budget or how often a
/// checkpoint is written), layers and the accelerator's text. Equal keys: the same run.
std::uint64_t run_key(const Problem& problem, const RunTexts& texts);

/// What a run will cost, before it is started. Upper bounds: rows are counted before any compression.
struct Prediction {
  std::uint64_t tasks = 0, individuals = 0;
  double row_bytes = 0, store_bytes = 0;
  double memory_bytes_per_rank = 0;
  std::uint64_t files = 0;
  std::size_t integer_genes = 0, real_genes = 0, cost_columns = 0;
};
Prediction predict(const Problem& problem, std::uint32_t ranks);
/// InputError if the prediction exceeds store.budget.
void check_budget(const Problem& problem, const Prediction& prediction);

/// Folders with shipped networks and accelerators: of the source tree or the installation the program
/// belongs to, found from where the program lies.
std::vector<std::string> data_folders();

}  // namespace atl
