#include <fmt/format.h>

#include "atoll/base/text.hpp"
#include "atoll/evolution/policy.hpp"
#include "atoll/evolution/policy_catalogue.hpp"

namespace atl {

namespace {

template <class Target>
std::string range_of(const SettingEntry<Target>& entry) {
  if (entry.kind == SettingKind::boolean) return "true, false";
  if (entry.kind == SettingKind::choice) return join(entry.choices, ", ");
  if (entry.low == entry.high) return "as the rate itself";
  const std::string range = fmt::format("{:g} to {:g}", entry.low, entry.high);
  return entry.kind == SettingKind::schedule ? range + ", or a schedule" : range;
}

template <class Target>
std::string default_of(const SettingEntry<Target>& entry) {
  if (entry.fallback_text == "must be given") return entry.fallback_text;
  std::string value = fmt::format("{:g}", entry.fallback);
  if (!entry.fallback_text.empty()) value = entry.fallback_text;
  if (entry.kind == SettingKind::boolean) value = entry.fallback != 0 ? "true" : "false";
  if (entry.kind == SettingKind::choice) value = entry.choices[static_cast<std::size_t>(entry.fallback)];
  return "default " + value;
}

template <class Target>
void describe_operator(const OperatorEntry<Target>& entry, bool standard, std::string& text) {
  text.append(fmt::format("  {}{}: {}\n", entry.name, standard ? " (default)" : "", entry.summary));
  if (!entry.source.empty()) text.append(fmt::format("      source: {}\n", entry.source));
  for (const auto& setting : entry.settings)
    text.append(fmt::format("      {:<12} {} [{}; {}]\n", setting.name, setting.meaning, range_of(setting),
                            default_of(setting)));
}

}  // namespace

std::string describe_policies() {
  std::string text =
      "A policy is a map with any of selection, crossover, mutation and survival, or random_search alone.\n"
      "An operator is written {name: {setting: value}}, or just its name; mutation takes its settings "
      "directly.\n";
  for (const OperatorFamily& family : operator_families()) {
    text.append(fmt::format("\n{}: {}\n", family.name, family.summary));
    for (const PolicyOperator& entry : family.operators)
      describe_operator(entry, family.operators.size() > 1 && entry.name == family.standard, text);
  }
  text.append("\nschedules: how a rate changes while a run goes on (crossover: constant and anneal only)\n");
  for (const ScheduleOperator& entry : schedule_operators()) describe_operator(entry, false, text);
  return text;
}

}  // namespace atl
