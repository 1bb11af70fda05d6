// A policy decides which rows are tried next and which survive. It is asked
// for rows and told their costs; all its state lies in its population and
// in what save() writes, never in a call: N + N generations equal 2N.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "atoll/evolution/objective.hpp"
#include "atoll/evolution/population.hpp"

namespace atl {

class YamlNode;

/// What a policy is made for: one island working on one task.
struct PolicyContext {
  const GenomeSchema* schema = nullptr;
  std::size_t cost_width = 0;
  std::size_t size = 0;           // individuals of the island
  std::uint32_t generations = 0;  // the horizon that schedules use; interruptions do not change it
  std::uint64_t seed = 0;
  std::uint32_t task = 0;
  std::uint32_t island = 0;
};

class Policy {
 public:
  virtual ~Policy() = default;
  /// Fills `offspring` with the rows to be evaluated in `generation` (0: the first population): genes,
  /// parents, origin. Genes lie within the schema; the space repairs them afterwards. The number of rows is
  /// the policy's choice.
  virtual void ask(std::uint32_t generation, Population& offspring) = 0;
  /// The same rows after repair and evaluation (costs,
  /// fitness, violation and ids set): survival happens here.
  virtual void tell(std::uint32_t generation, const Population& offspring) = 0;
  /// The island's population after the last tell (and after migrants were put in by the island).
  virtual const Population& population() const = 0;
  virtual Population& population() = 0;
  /// Largest number of rows that ask() will ever return.
  virtual std::size_t largest_batch() const = 0;
  /// All state as bytes (Boost.Serialization, binary) and back.
  virtual void save(std::ostream& out) const = 0;
  virtual void load(std::istream& in) = 0;
};

/// A policy's settings as read from a run file; made once, then used for every island and task.
class PolicyFactory {
 public:
  /// `node`: the map under policies.<name>. InputError for
  /// unknown operators, settings and values out of range.
  static PolicyFactory read(const std::string& name, const YamlNode& node);
  /// The defaults: tournament 2, uniform crossover, reset/creep/swap mutation, generational with two elites.
  static PolicyFactory standard();
  const std::string& name() const { return name_; }
  /// Rules that need the island's size ("elites < size"): InputError with the place in the run file.
  void check(std::size_t island_size) const;
  std::unique_ptr<Policy> make(const PolicyContext& context) const;

  struct Settings;  // evolution/policy_settings.hpp

 private:
  std::string name_;
  std::shared_ptr<const Settings> settings_;
};

/// Every operator with its settings, defaults and source, as `atoll describe policies` prints it.
std::string describe_policies();

}  // namespace atl
