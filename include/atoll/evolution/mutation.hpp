// Small changes to a child. A mutated child gets one change, and another one with a fixed probability after
// each, so that `genes` is the expected number: mostly one, now and then many.
//
// A change is either one of records (insert, remove, duplicate) or of a gene, by the weights. For a gene one
// is drawn evenly among those that are in use and can vary; then, by weight, one of the operators that apply:
//   reset  any other value of its range (the only operator for categories and bits)
//   creep  1..step places up or down within the range (order keys: at least an eighth of the range; reals:
//          normal with `sigma` of the range)
//   swap   exchanges values with another gene of the same kind and group: loop orders keep their set of keys
// A gene that no weighted operator fits is reset, so that every child called mutated has really been changed.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "atoll/base/random.hpp"
#include "atoll/evolution/genome.hpp"
#include "atoll/evolution/policy_settings.hpp"

namespace atl {

class Mutation {
 public:
  Mutation(const MutationSettings& settings, const GenomeSchema& schema);

  /// Changes a row that lies within the schema; it stays
  /// within it. `genes` >= 1: the expected number of changes.
  void mutate(double genes, Random& random, std::span<std::int32_t> integers, std::span<double> reals) const;

  /// One change each, for tests and for spaces that need a neighbour; false if the row allows none.
  bool reset(std::size_t gene, Random& random, std::span<std::int32_t> integers) const;
  bool creep(std::size_t gene, Random& random, std::span<std::int32_t> integers) const;
  bool swap(std::size_t gene, Random& random, std::span<std::int32_t> integers) const;
  bool insert(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const;
  bool remove(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const;
  bool duplicate(const RecordBlock& block, Random& random, std::span<std::int32_t> integers) const;

 private:
  struct Owner {
    std::int32_t block = -1;  // -1: no record
    std::int32_t record = 0;
  };
  bool active(std::size_t gene, std::span<const std::int32_t> integers) const;
  bool change_records(Random& random, std::span<std::int32_t> integers) const;
  void change_gene(Random& random, std::span<std::int32_t> integers, std::span<double> reals) const;
  void change_integer(std::size_t gene, Random& random, std::span<std::int32_t> integers) const;
  void change_real(std::size_t gene, Random& random, std::span<double> reals) const;
  void open_gap(const RecordBlock& block, std::size_t at, std::span<std::int32_t> integers) const;
  double weight(Change change) const { return settings_.weights[static_cast<std::size_t>(change)]; }

  MutationSettings settings_;
  const GenomeSchema* schema_;
  std::vector<std::uint32_t> free_;                 // genes outside blocks that can vary
  std::vector<std::vector<std::uint32_t>> fields_;  // per block: fields that can vary
  std::vector<std::uint32_t> reals_;
  std::vector<Owner> owner_;              // per integer gene
  std::vector<std::int32_t> swap_class_;  // per integer gene; -1: nobody to swap with
  std::vector<std::vector<std::uint32_t>> classes_;
  std::vector<std::uint32_t> blocks_;  // whose count can vary
  double record_share_ = 0;            // of changes
};

}  // namespace atl
