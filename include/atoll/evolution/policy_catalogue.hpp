// Every operator a run file can name, with its settings, their ranges and defaults, and where it comes
// from. One table drives both the reading of run files and `atoll describe policies`, so that the two
// cannot drift apart.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "atoll/evolution/policy_settings.hpp"

namespace atl {

enum class SettingKind : std::uint8_t { integer, number, boolean, choice, schedule };

/// One setting of an operator; `Target` is what it is written into.
template <class Target>
struct SettingEntry {
  std::string name;
  SettingKind kind;
  /// Of a choice: 0 and the last index; of a schedule: the range of its values; both 0: a number within the
  /// range of the value that is scheduled.
  double low, high;
  double fallback;  // the default; of a schedule: the constant
  std::string meaning;
  void (*set)(Target&, double);            // null for a schedule
  ScheduleSettings& (*schedule)(Target&);  // null for all others
  std::vector<std::string> choices;
  std::string fallback_text;  // where the figure alone would mislead ("island size")
};

template <class Target>
struct OperatorEntry {
  std::string name;
  std::string summary;
  std::string source;
  void (*choose)(Target&);
  std::vector<SettingEntry<Target>> settings;
};

using PolicyOperator = OperatorEntry<PolicyFactory::Settings>;
using ScheduleOperator = OperatorEntry<ScheduleSettings>;

/// A part of a policy; exactly one of its operators is chosen. Mutation has only one, whose settings stand in
/// the run file directly.
struct OperatorFamily {
  std::string name;
  std::string summary;
  std::string standard;  // the operator used where the run file names none
  std::vector<PolicyOperator> operators;
};

const std::vector<OperatorFamily>& operator_families();
const std::vector<ScheduleOperator>& schedule_operators();

/// Settings with every default of the standard policy.
PolicyFactory::Settings standard_settings();

}  // namespace atl
