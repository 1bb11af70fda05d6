// What a genome means. A search space lays out the genome of a run, repairs rows into legal ones, and
// evaluates whole batches. It knows nothing of populations' dynamics, islands, MPI or files.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "atoll/evolution/genome.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

struct SpaceCostColumn {
  std::string name;
  std::string unit;
  bool headline = false;  // stored in double precision
  bool derived = false;   // not stored: follows from the others by formulas()
};
/// A derived cost as a sum of terms: factor * product of columns to whole powers.
struct SpaceFormula {
  std::size_t column = 0;
  struct Term {
    double factor = 1;
    std::vector<std::pair<std::size_t, int>> powers;
  };
  std::vector<Term> terms;
};

/// One search problem of the run. Genome layout and cost columns are the same for all tasks of a space;
/// ranges may differ.
struct TaskInfo {
  std::string name;                // "layer1.0.conv1"
  std::uint32_t multiplicity = 1;  // how often the result counts in the network's total
  double macs = 0;
};

/// Cost of one layer inside an individual that is a whole network (table `layer_costs`).
struct LayerCost {
  std::uint32_t row = 0;          // of the evaluated batch
  std::uint64_t layer_key = 0;    // hash of the layer with its traits
  std::uint64_t mapping_key = 0;  // content address of `mapping`
  std::uint32_t multiplicity = 1;
  double cycles = 0, energy = 0;
};
/// A mapping by content (table `mappings`): its key and one line of JSON.
struct NamedMapping {
  std::uint64_t key = 0;
  std::string json;
};
struct EvaluationDetail {
  std::vector<LayerCost> layers;
  /// Those that this space object has not handed out before.
  std::vector<NamedMapping> mappings;
};

class SearchSpace {
 public:
  virtual ~SearchSpace() = default;
  virtual std::size_t task_count() const = 0;
  virtual TaskInfo task(std::size_t t) const = 0;
  virtual const GenomeSchema& schema(std::size_t t) const = 0;
  virtual const std::vector<SpaceCostColumn>& cost_columns() const = 0;

  /// One formula for each derived column, for the individuals of a task.
  virtual std::vector<SpaceFormula> formulas(std::size_t) const { return {}; }

  /// Repairs every row in place into a legal, canonical one (idempotent), then evaluates all rows: fills
  /// costs and sets violation to 0, or to a positive number where no legal reading exists. Pure in (task,
  /// genes): same genes, same bits.
  virtual void evaluate(std::size_t t, Population& rows, EvaluationDetail* detail) = 0;

  /// The decoded individual: one line of JSON / readable text (loop nest, or the list of blocks).
  virtual std::string to_json(std::size_t t, std::span<const std::int32_t> integers,
                              std::span<const double> reals) const = 0;
  virtual std::string to_text(std::size_t t, std::span<const std::int32_t> integers,
                              std::span<const double> reals) const = 0;
  /// Writes the individual as files into `folder` under `stem`:
  /// mapping: .json and .txt; network: .yaml and .onnx.
  virtual void write_individual(std::size_t t, std::span<const std::int32_t> integers,
                                std::span<const double> reals, const std::string& folder,
                                const std::string& stem) const = 0;
};

}  // namespace atl
