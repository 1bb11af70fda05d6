#include "atoll/evolution/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "atoll/base/text.hpp"
#include "atoll/base/yaml.hpp"
#include "atoll/evolution/evolution_policy.hpp"
#include "atoll/evolution/policy_catalogue.hpp"
#include "atoll/evolution/random_search.hpp"

namespace atl {

namespace {

using Settings = PolicyFactory::Settings;

template <class Entry>
std::vector<std::string> names_of(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries) names.push_back(entry.name);
  return names;
}

/// "name" or {name: settings}: the operator and its settings, if there are any.
template <class Entry>
std::pair<const Entry*, std::optional<YamlNode>> find_operator(const YamlNode& node, const std::string& what,
                                                               const std::vector<Entry>& known) {
  const std::vector<std::string> names = names_of(known);
  if (node.is_scalar()) return {&known[node.choice(names)], std::nullopt};
  if (!node.is_map() || node.entries().size() != 1)
    node.fail(fmt::format("expected one {}, as in {{{}: {{}}}}; known: {}", what, names.front(),
                          join(names, ", ")));
  node.expect_keys(names);
  const auto [name, settings] = node.entries().front();
  const auto entry = std::ranges::find(known, name, &Entry::name);
  if (settings.is_null()) return {&*entry, std::nullopt};
  return {&*entry, settings};
}

template <class Target>
void read_setting(const YamlNode& node, const SettingEntry<Target>& entry, double low, double high,
                  Target& target) {
  switch (entry.kind) {
    case SettingKind::integer:
      entry.set(target, static_cast<double>(
                            node.integer(static_cast<std::int64_t>(low), static_cast<std::int64_t>(high))));
      break;
    case SettingKind::number:
      entry.set(target, node.number(low, high));
      break;
    case SettingKind::boolean:
      entry.set(target, node.boolean() ? 1.0 : 0.0);
      break;
    case SettingKind::choice:
      entry.set(target, static_cast<double>(node.choice(entry.choices)));
      break;
    case SettingKind::schedule:
      break;
  }
}

bool looks_like_number(const YamlNode& node) {
  return node.is_scalar() && node.text().find_first_of("0123456789") == node.text().find_first_not_of("+-.");
}

/// Figures in the unit of the scheduled value are bound by its range, the others (tau, factor) by their own.
bool in_units_of_value(const SettingEntry<ScheduleSettings>& entry) {
  return entry.kind == SettingKind::number && entry.low == entry.high;
}

void read_schedule_settings(const YamlNode& node, const ScheduleOperator& schedule,
                            ScheduleSettings& target) {
  if (schedule.name == "anneal" && node.is_sequence()) {
    const std::vector<YamlNode> ends = node.elements();
    if (ends.size() != 2) node.fail("annealing takes two values, [from, to]");
    target.start = ends[0].number(target.low, target.high);
    target.end = ends[1].number(target.low, target.high);
    return;
  }
  node.expect_keys(names_of(schedule.settings));
  const double low = target.low, high = target.high;
  for (const auto& entry : schedule.settings) {
    const auto value = node.find(entry.name);
    const bool bound = in_units_of_value(entry);
    if (value) read_setting(*value, entry, bound ? low : entry.low, bound ? high : entry.high, target);
  }
  if (schedule.name == "anneal" && !(node.find("from") && node.find("to")))
    node.fail("annealing needs both ends: {from: 0.8, to: 0.05}, or in short [0.8, 0.05]");
  if (schedule.name == "constant" && !node.find("value")) node.fail("a constant needs a value");
}

void check_schedule(const YamlNode& node, const ScheduleSettings& target) {
  if (target.kind == ScheduleKind::anneal && target.geometric && !(target.start > 0 && target.end > 0))
    node.fail("geometric annealing needs both ends above 0; use the linear shape to reach 0");
  if (target.kind != ScheduleKind::one_fifth && target.kind != ScheduleKind::self_adaptive) return;
  if (!(target.low > 0 && target.low <= target.start && target.start <= target.high))
    node.fail(fmt::format("expected 0 < low <= start <= high, found low {}, start {}, high {}", target.low,
                          target.start, target.high));
}

void read_schedule(const YamlNode& node, const SettingEntry<Settings>& entry, bool learning_allowed,
                   ScheduleSettings& target) {
  if (looks_like_number(node)) {
    target.start = node.number(entry.low, entry.high);
    return;
  }
  const auto [schedule, settings] = find_operator(node, "number or schedule", schedule_operators());
  schedule->choose(target);
  const bool learns = target.kind == ScheduleKind::one_fifth || target.kind == ScheduleKind::self_adaptive;
  if (learns && !learning_allowed)
    node.fail(
        fmt::format("'{}' learns from changed children and serves mutation only; use a number or anneal here",
                    schedule->name));
  for (const auto& setting : schedule->settings)
    if (!in_units_of_value(setting)) setting.set(target, setting.fallback);
  if (learns) {
    target.low = entry.low > 0 ? entry.low : 0.05;
    target.high = std::min(entry.high, 32.0);
  }
  if (!settings && !learns) node.fail(fmt::format("'{}' needs its values", schedule->name));
  if (settings) {
    ScheduleSettings limits = target;
    limits.low = entry.low;
    limits.high = entry.high;
    read_schedule_settings(*settings, *schedule, limits);
    if (!learns || !settings->is_map() || !settings->find("low")) limits.low = target.low;
    if (!learns || !settings->is_map() || !settings->find("high")) limits.high = target.high;
    target = limits;
  }
  check_schedule(node, target);
}

void read_operator_settings(const YamlNode& node, const std::string& family, const PolicyOperator& chosen,
                            Settings& settings) {
  node.expect_keys(names_of(chosen.settings));
  for (const auto& entry : chosen.settings) {
    const auto value = node.find(entry.name);
    if (!value) continue;
    settings.places.emplace_back(family + "." + entry.name, value->place());
    if (entry.kind == SettingKind::schedule)
      read_schedule(*value, entry, family == "mutation", entry.schedule(settings));
    else
      read_setting(*value, entry, entry.low, entry.high, settings);
  }
}

void read_family(const YamlNode& node, const OperatorFamily& family, Settings& settings) {
  settings.places.emplace_back(family.name, node.place());
  if (family.operators.size() == 1) {
    if (!node.is_null()) read_operator_settings(node, family.name, family.operators.front(), settings);
    return;
  }
  const auto [chosen, values] = find_operator(node, family.name + " operator", family.operators);
  chosen->choose(settings);
  for (const auto& entry : chosen->settings)
    if (entry.kind != SettingKind::schedule) entry.set(settings, entry.fallback);
  if (values) read_operator_settings(*values, family.name, *chosen, settings);
}

Settings read_settings(const YamlNode& node) {
  Settings settings = standard_settings();
  if (node.is_null()) return settings;
  if (node.is_scalar()) {
    const std::vector<std::string> known = {"random_search", "standard"};
    settings.random_search = node.choice(known) == 0;
    return settings;
  }
  node.expect_keys(names_of(operator_families()));
  if (const auto search = node.find("random_search")) {
    if (node.entries().size() != 1)
      search->fail(
          "random search has no selection, crossover, mutation or survival; give it a policy of its own");
    if (!search->is_null()) search->expect_keys({});
    settings.random_search = true;
    return settings;
  }
  for (const OperatorFamily& family : operator_families())
    if (const auto part = node.find(family.name)) read_family(*part, family, settings);
  return settings;
}

[[noreturn]] void refuse(const Settings& settings, const std::string& policy, const std::string& key,
                         const std::string& rule) {
  SourcePlace place;
  const std::string family = key.substr(0, key.find('.'));
  for (const auto& [name, where] : settings.places)
    if (name == family || name == key) place = where;
  throw InputError(place, fmt::format("policies.{}.{}: {}", policy, key, rule));
}

}  // namespace

PolicyFactory PolicyFactory::read(const std::string& name, const YamlNode& node) {
  PolicyFactory factory;
  factory.name_ = name;
  factory.settings_ = std::make_shared<const Settings>(read_settings(node));
  return factory;
}

PolicyFactory PolicyFactory::standard() {
  PolicyFactory factory;
  factory.name_ = "standard";
  factory.settings_ = std::make_shared<const Settings>(standard_settings());
  return factory;
}

void PolicyFactory::check(std::size_t island_size) const {
  const Settings& s = *settings_;
  constexpr std::size_t most_rows = 65535;
  if (island_size < 1 || island_size > most_rows)
    throw InputError(
        fmt::format("islands.size: an island holds 1 to {} individuals, found {}", most_rows, island_size));
  if (s.random_search) return;
  if (s.selection.kind == SelectionKind::tournament && s.selection.size > island_size)
    refuse(s, name_, "selection.size",
           fmt::format("a tournament of {} needs as many individuals, the island has {}; lower size or raise "
                       "islands.size",
                       s.selection.size, island_size));
  if (s.survival.kind == SurvivalKind::generational && s.survival.elites >= island_size)
    refuse(s, name_, "survival.elites",
           fmt::format(
               "elites must be fewer than the island's individuals, found {} of {}; lower elites or raise "
               "islands.size",
               s.survival.elites, island_size));
  if (s.survival.kind != SurvivalKind::comma) return;
  const std::size_t births = s.survival.offspring != 0 ? s.survival.offspring : 2 * island_size;
  if (births < island_size || births > most_rows)
    refuse(
        s, name_, "survival.offspring",
        fmt::format("comma survival fills the island from the offspring alone: expected {} to {}, found {}",
                    island_size, most_rows, births));
}

std::unique_ptr<Policy> PolicyFactory::make(const PolicyContext& context) const {
  if (settings_->random_search) return std::make_unique<RandomSearch>(context);
  return std::make_unique<EvolutionPolicy>(*settings_, context);
}

}  // namespace atl
