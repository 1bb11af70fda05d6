#include "atoll/evolution/policy_catalogue.hpp"

#include <algorithm>

#include "atoll/base/error.hpp"

namespace atl {

namespace {

using Settings = PolicyFactory::Settings;
using Entry = SettingEntry<Settings>;
using ScheduleEntry = SettingEntry<ScheduleSettings>;

constexpr double most_rows = 65535;  // an id has 16 bits for the slot

Entry number(std::string name, double low, double high, double fallback, std::string meaning,
             void (*set)(Settings&, double)) {
  return {
      std::move(name), SettingKind::number, low, high, fallback, std::move(meaning), set, nullptr, {}, ""};
}

Entry integer(std::string name, double low, double high, double fallback, std::string meaning,
              void (*set)(Settings&, double), std::string fallback_text = "") {
  return {std::move(name),
          SettingKind::integer,
          low,
          high,
          fallback,
          std::move(meaning),
          set,
          nullptr,
          {},
          std::move(fallback_text)};
}

Entry boolean(std::string name, bool fallback, std::string meaning, void (*set)(Settings&, double)) {
  return {std::move(name),
          SettingKind::boolean,
          0,
          1,
          fallback ? 1.0 : 0.0,
          std::move(meaning),
          set,
          nullptr,
          {},
          ""};
}

Entry choice(std::string name, std::vector<std::string> choices, std::string meaning,
             void (*set)(Settings&, double)) {
  const auto last = static_cast<double>(choices.size() - 1);
  return {std::move(name), SettingKind::choice, 0, last, 0, std::move(meaning), set,
          nullptr,         std::move(choices),  ""};
}

Entry schedule(std::string name, double low, double high, double fallback, std::string meaning,
               ScheduleSettings& (*target)(Settings&)) {
  return {std::move(name),
          SettingKind::schedule,
          low,
          high,
          fallback,
          std::move(meaning),
          nullptr,
          target,
          {},
          ""};
}

ScheduleEntry figure(std::string name, double low, double high, double fallback, std::string meaning,
                     void (*set)(ScheduleSettings&, double), std::string fallback_text = "") {
  return {
      std::move(name),         SettingKind::number, low, high, fallback, std::move(meaning), set, nullptr, {},
      std::move(fallback_text)};
}

Entry pressure_setting() {
  return number("pressure", 1, 2, 1.7, "children the best expects; 1 is no pressure, 2 the most",
                [](Settings& s, double v) { s.selection.pressure = v; });
}

template <SelectionKind kind>
void select_by(Settings& s) {
  s.selection.kind = kind;
}

OperatorFamily selection_family() {
  OperatorFamily family{"selection", "who becomes a parent", "tournament", {}};
  family.operators = {
      {"tournament",
       "the best of `size` rows drawn at random",
       "Goldberg & Deb 1991, Foundations of Genetic Algorithms 1",
       select_by<SelectionKind::tournament>,
       {integer("size", 1, most_rows, 2, "contestants",
                [](Settings& s, double v) { s.selection.size = static_cast<std::size_t>(v); }),
        boolean("replacement", true, "a row may stand in one tournament more than once",
                [](Settings& s, double v) { s.selection.replacement = v != 0; })}},
      {"roulette",
       "with probability proportional to worst fitness minus own fitness; infeasible rows only if all are",
       "Holland 1975, Adaptation in Natural and Artificial Systems",
       select_by<SelectionKind::roulette>,
       {}},
      {"rank",
       "with probability falling linearly from the best to the worst",
       "Baker 1985, ICGA 1; Whitley 1989, ICGA 3",
       select_by<SelectionKind::rank>,
       {pressure_setting()}},
      {"universal",
       "stochastic universal sampling: one spin with evenly spaced pointers, so that every row gets its "
       "expected "
       "number of children rounded down or up",
       "Baker 1987, ICGA 2",
       select_by<SelectionKind::universal>,
       {choice("on", {"rank", "fitness"}, "weights of linear ranking or of the roulette",
               [](Settings& s, double v) { s.selection.on_fitness = v != 0; }),
        pressure_setting()}},
      {"truncation",
       "evenly among the best share of the population",
       "Muehlenbein & Schlierkamp-Voosen 1993, Evolutionary Computation 1(1)",
       select_by<SelectionKind::truncation>,
       {number("share", 0.0001, 1, 0.5, "share of the population that may breed, rounded up",
               [](Settings& s, double v) { s.selection.share = v; })}},
      {"random", "evenly among all", "no pressure: the baseline", select_by<SelectionKind::random>, {}}};
  return family;
}

Entry crossover_rate() {
  return schedule("rate", 0, 1, 0.6, "probability that a child has two parents",
                  [](Settings& s) -> ScheduleSettings& { return s.crossover.rate; });
}

template <CrossoverKind kind>
void cross_by(Settings& s) {
  s.crossover.kind = kind;
}

OperatorFamily crossover_family() {
  OperatorFamily family{
      "crossover", "how two parents make a child; records are moved as units", "uniform", {}};
  family.operators = {
      {"uniform",
       "every gene or record from either parent",
       "Syswerda 1989, ICGA 3; records by innovation id: Stanley & Miikkulainen 2002, Evolutionary "
       "Computation 10(2)",
       cross_by<CrossoverKind::uniform>,
       {crossover_rate(), number("swap", 0, 1, 0.5, "probability that a unit comes from the second parent",
                                 [](Settings& s, double v) { s.crossover.swap = v; })}},
      {"one_point",
       "the first parent up to a cut, the second after it",
       "Holland 1975",
       cross_by<CrossoverKind::one_point>,
       {crossover_rate()}},
      {"two_point",
       "the second parent between two cuts of the genome read as a ring",
       "De Jong 1975, dissertation, University of Michigan",
       cross_by<CrossoverKind::two_point>,
       {crossover_rate()}},
      {"none", "children have one parent", "evolutionary programming", cross_by<CrossoverKind::none>, {}}};
  return family;
}

template <Change change>
Entry weight(std::string name, double fallback, std::string meaning) {
  return number(std::move(name), 0, 1000, fallback, std::move(meaning),
                [](Settings& s, double v) { s.mutation.weights[static_cast<std::size_t>(change)] = v; });
}

OperatorFamily mutation_family() {
  OperatorFamily family{"mutation", "how a child is changed", "mutation", {}};
  family.operators = {
      {"mutation",
       "one change, and with a fixed probability another after each; the operator of a change is drawn by "
       "weight among "
       "those that apply",
       "a geometric number of changes (ours); near values as in Rudolph 1994, PPSN 3, but even within `step`",
       [](Settings&) {},
       {schedule("rate", 0, 1, 0.6, "probability that a child is changed at all",
                 [](Settings& s) -> ScheduleSettings& { return s.mutation.rate; }),
        schedule("genes", 1, 1000, 2, "expected number of changes of a changed child",
                 [](Settings& s) -> ScheduleSettings& { return s.mutation.genes; }),
        weight<Change::reset>("reset", 1, "weight: another value, evenly"),
        weight<Change::creep>("creep", 1, "weight: a near value (ranges, order keys, reals)"),
        weight<Change::swap>("swap", 1, "weight: exchange values within a group"),
        weight<Change::insert>("insert", 0.3, "weight: a new random record"),
        weight<Change::remove>("remove", 0.5, "weight: one record less"),
        weight<Change::duplicate>("duplicate", 0.2, "weight: a copy of a record next to it, with a new id"),
        integer("step", 1, 1e6, 2, "farthest creep, in places",
                [](Settings& s, double v) { s.mutation.step = static_cast<std::int32_t>(v); }),
        number("sigma", 1e-9, 10, 0.1, "creep of reals: standard deviation as a share of the range",
               [](Settings& s, double v) { s.mutation.sigma = v; })}}};
  return family;
}

template <SurvivalKind kind>
void survive_by(Settings& s) {
  s.survival.kind = kind;
}

Entry elites() {
  return integer("elites", 0, most_rows, 2, "the best of the old population that stay",
                 [](Settings& s, double v) { s.survival.elites = static_cast<std::size_t>(v); });
}

Entry offspring(double low, std::string fallback_text) {
  return integer(
      "offspring", low, most_rows, 0, "births per generation",
      [](Settings& s, double v) { s.survival.offspring = static_cast<std::size_t>(v); },
      std::move(fallback_text));
}

OperatorFamily survival_family() {
  OperatorFamily family{"survival", "who lives on", "generational", {}};
  family.operators = {
      {"generational",
       "newcomers replace all but the elites",
       "De Jong 1975",
       survive_by<SurvivalKind::generational>,
       {elites()}},
      {"elitism",
       "another name of generational",
       "De Jong 1975",
       survive_by<SurvivalKind::generational>,
       {elites()}},
      {"plus",
       "the best of old and new together",
       "Rechenberg 1973; Schwefel 1975",
       survive_by<SurvivalKind::plus>,
       {offspring(1, "island size")}},
      {"comma",
       "the best of the newcomers alone",
       "Schwefel 1975",
       survive_by<SurvivalKind::comma>,
       {offspring(1, "twice the island size")}},
      {"steady_state",
       "newcomers enter one after another, each for the worst, a random or the oldest row; all are bred from "
       "the "
       "population at the start of the generation",
       "Whitley 1989, ICGA 3 (worst); Real et al. 2019, AAAI 33 (oldest)",
       survive_by<SurvivalKind::steady_state>,
       {offspring(1, "island size"),
        choice("replace", {"worst", "random", "oldest"}, "which row makes room",
               [](Settings& s, double v) { s.survival.replace = static_cast<Replace>(static_cast<int>(v)); }),
        boolean("if_better", false, "only if the newcomer is better than that row",
                [](Settings& s, double v) { s.survival.if_better = v != 0; })}},
      {"ageing",
       "the best of old and new together, but nobody lives longer than max_age generations",
       "Schwefel & Rudolph 1995, ECAL 3 (life span kappa); Real et al. 2019, AAAI 33",
       survive_by<SurvivalKind::ageing>,
       {offspring(1, "island size"),
        integer("max_age", 1, 1e6, 10, "generations a row may live",
                [](Settings& s, double v) { s.survival.max_age = static_cast<std::uint32_t>(v); })}}};
  return family;
}

OperatorFamily search_family() {
  OperatorFamily family{
      "random_search", "a policy of its own, without selection and variation", "random_search", {}};
  family.operators = {{"random_search",
                       "random rows every generation; the population is the best seen",
                       "the baseline every policy has to beat; Bergstra & Bengio 2012, JMLR 13",
                       [](Settings& s) { s.random_search = true; },
                       {}}};
  return family;
}

template <ScheduleKind kind>
void vary_by(ScheduleSettings& s) {
  s.kind = kind;
}

ScheduleEntry start_of() {
  return figure(
      "start", 0, 0, 0, "value of the first generation", [](ScheduleSettings& s, double v) { s.start = v; },
      "the standard value");
}

std::vector<ScheduleEntry> limits() {
  return {figure(
              "low", 0, 0, 0, "never below", [](ScheduleSettings& s, double v) { s.low = v; },
              "0.05 for a rate, 1 for genes"),
          figure(
              "high", 0, 0, 0, "never above", [](ScheduleSettings& s, double v) { s.high = v; },
              "1 for a rate, 32 for genes")};
}

std::vector<ScheduleOperator> make_schedules() {
  std::vector<ScheduleOperator> schedules = {
      {"constant",
       "one value; a bare number means this",
       "",
       vary_by<ScheduleKind::constant>,
       {figure(
           "value", 0, 0, 0, "the value", [](ScheduleSettings& s, double v) { s.start = v; },
           "must be given")}},
      {"anneal",
       "from one value to another over the horizon; [from, to] means this",
       "Fogarty 1989, ICGA 3",
       vary_by<ScheduleKind::anneal>,
       {figure(
            "from", 0, 0, 0, "value of generation 0", [](ScheduleSettings& s, double v) { s.start = v; },
            "must be given"),
        figure(
            "to", 0, 0, 0, "value of the last generation", [](ScheduleSettings& s, double v) { s.end = v; },
            "must be given"),
        {"shape",
         SettingKind::choice,
         0,
         1,
         0,
         "equal differences or equal ratios",
         [](ScheduleSettings& s, double v) { s.geometric = v != 0; },
         nullptr,
         {"linear", "geometric"},
         ""}}},
      {"one_fifth",
       "more than a fifth of the changed children better than their first parent: more change, else less",
       "Rechenberg 1973, Evolutionsstrategie; factors after Kern et al. 2004, Natural Computing 3",
       vary_by<ScheduleKind::one_fifth>,
       {start_of(),
        figure("factor", 1.0001, 10, 1.5, "growth after success; failure shrinks by its fourth root",
               [](ScheduleSettings& s, double v) { s.factor = v; }),
        figure("target", 0.001, 0.999, 0.2, "share of successes at which the value rests",
               [](ScheduleSettings& s, double v) { s.target = v; })}},
      {"self_adaptive",
       "every individual inherits its value, times a log-normal factor, and is varied by it",
       "Schwefel 1981; Baeck 1992, PPSN 2",
       vary_by<ScheduleKind::self_adaptive>,
       {start_of(), figure("tau", 0.001, 5, 0.22, "standard deviation of the factor's logarithm",
                           [](ScheduleSettings& s, double v) { s.tau = v; })}}};
  for (std::size_t k = 2; k < 4; ++k)
    for (ScheduleEntry& entry : limits()) schedules[k].settings.push_back(std::move(entry));
  return schedules;
}

}  // namespace

const std::vector<OperatorFamily>& operator_families() {
  static const std::vector<OperatorFamily> families = {selection_family(), crossover_family(),
                                                       mutation_family(), survival_family(), search_family()};
  return families;
}

const std::vector<ScheduleOperator>& schedule_operators() {
  static const std::vector<ScheduleOperator> schedules = make_schedules();
  return schedules;
}

Settings standard_settings() {
  Settings settings;
  for (const OperatorFamily& family : operator_families()) {
    if (family.name == "random_search") continue;
    for (const PolicyOperator& entry : family.operators) {
      if (entry.name != family.standard) continue;
      entry.choose(settings);
      for (const Entry& setting : entry.settings) {
        if (setting.kind == SettingKind::schedule) {
          ScheduleSettings& target = setting.schedule(settings);
          target.start = setting.fallback;
          target.low = setting.low;
          target.high = setting.high;
        } else {
          setting.set(settings, setting.fallback);
        }
      }
    }
  }
  return settings;
}

}  // namespace atl
