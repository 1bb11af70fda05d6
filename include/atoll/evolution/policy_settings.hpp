// The settings of selection + variation + survival as plain data: what a run file says, checked, with every
// default filled in from the catalogue (policy_catalogue.hpp), where each is explained.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "atoll/base/error.hpp"
#include "atoll/evolution/policy.hpp"

namespace atl {

enum class ScheduleKind : std::uint8_t { constant, anneal, one_fifth, self_adaptive };
enum class SelectionKind : std::uint8_t { tournament, roulette, rank, universal, truncation, random };
enum class CrossoverKind : std::uint8_t { none, uniform, one_point, two_point };
enum class SurvivalKind : std::uint8_t { generational, plus, comma, steady_state, ageing };
enum class Replace : std::uint8_t { worst, random, oldest };
/// The ways to change a child; the order of MutationSettings::weights.
enum class Change : std::uint8_t { reset, creep, swap, insert, remove, duplicate };
inline constexpr std::size_t change_count = 6;

/// A number that may change while a run goes on; always within low..high.
struct ScheduleSettings {
  ScheduleKind kind = ScheduleKind::constant;
  double start = 0;  // constant: the value
  double end = 0;    // anneal
  bool geometric = false;
  double factor = 1;  // one_fifth
  double target = 0.2;
  double tau = 0;  // self_adaptive
  double low = 0;
  double high = 1;
};

struct SelectionSettings {
  SelectionKind kind = SelectionKind::tournament;
  std::size_t size = 2;
  bool replacement = true;
  double pressure = 1.7;
  bool on_fitness = false;
  double share = 0.5;
};

struct CrossoverSettings {
  CrossoverKind kind = CrossoverKind::uniform;
  ScheduleSettings rate;
  double swap = 0.5;
};

struct MutationSettings {
  ScheduleSettings rate;
  ScheduleSettings genes;
  std::array<double, change_count> weights{};
  std::int32_t step = 1;
  double sigma = 0.1;
};

struct SurvivalSettings {
  SurvivalKind kind = SurvivalKind::generational;
  std::size_t elites = 2;
  std::size_t offspring = 0;  // 0: as many as the island holds (comma: twice as many)
  Replace replace = Replace::worst;
  bool if_better = false;
  std::uint32_t max_age = 1;
};

struct PolicyFactory::Settings {
  bool random_search = false;
  SelectionSettings selection;
  CrossoverSettings crossover;
  MutationSettings mutation;
  SurvivalSettings survival;
  /// Where a setting stands in the run file ("survival.elites"), for rules that are checked later.
  std::vector<std::pair<std::string, SourcePlace>> places;
};

}  // namespace atl
