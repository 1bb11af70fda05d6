// Two parents, one child. The genome is read as a line of units: every integer gene outside record blocks,
// every record, every real gene, in the order of the schema. Each unit comes whole from one parent.
//
// Records are aligned by innovation id: records with the same id are one unit; a record that only one parent
// has is a unit of its own, standing after its left neighbour, and enters the child when the turn is its
// parent's. If that makes the count too large, records only the second parent has are left out from the end;
// if too small, records only the first parent has are taken back from the front. So counts stay in bounds and
// no id stands twice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/genome.hpp"
#include "atoll/evolution/policy_settings.hpp"

namespace atl {

struct GenomeView {
  std::span<const std::int32_t> integers;
  std::span<const double> reals;
};

class Crossover {
 public:
  Crossover(const CrossoverSettings& settings, const GenomeSchema& schema);

  /// Fills the child's row from both parents. uniform: each unit from b with probability `swap`. one_point:
  /// a up to a cut, b after it. two_point: the line is a ring, b between two cuts (De Jong 1975). Never
  /// touches the parents.
  void cross(const GenomeView& a, const GenomeView& b, Random& random, std::span<std::int32_t> integers,
             std::span<double> reals);

 private:
  struct Aligned {
    std::int32_t a, b;  // record of each parent or -1
  };
  struct Piece {
    std::size_t begin, end;  // free genes, or one block
    std::int32_t block;      // -1: free genes
  };
  void align(const RecordBlock& block, const GenomeView& a, const GenomeView& b);
  void choose_units(std::size_t units, Random& random);
  void build_block(const RecordBlock& block, std::span<const Aligned> line,
                   std::span<const std::uint32_t> from_b, const GenomeView& a, const GenomeView& b,
                   std::span<std::int32_t> child);

  CrossoverSettings settings_;
  const GenomeSchema* schema_;
  std::vector<Piece> pieces_;
  std::vector<Aligned> aligned_;           // all blocks of the pair, one after another
  std::vector<std::size_t> aligned_ends_;  // one per block
  std::vector<std::uint32_t> from_b_;      // one per unit: all bits set where b gives
  std::vector<std::uint32_t> chosen_;
};

}  // namespace atl
