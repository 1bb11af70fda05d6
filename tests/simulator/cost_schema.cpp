#include "atoll/simulator/cost_schema.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "random_cases.hpp"

namespace atl::test {
namespace {

double value_of(const CostFormula& formula, const std::vector<double>& costs) {
  double sum = 0;
  for (const CostTerm& term : formula.terms) {
    double product = term.factor;
    for (const auto& [column, power] : term.powers) product *= std::pow(costs[column], power);
    sum += product;
  }
  return sum;
}

// What a store leaves out must be what the simulator reports, whatever the hardware.
TEST(CostSchema, EveryDerivedColumnFollowsFromTheOthers) {
  for (std::uint32_t number = 0; number < 800; ++number) {
    const Case one = random_case(number, 400);
    const auto simulator = make_simulator("loopnest", one.accelerator);
    const HardwareRow hardware = hardware_row(one.accelerator);
    const std::vector<CostColumn>& columns = simulator->schema().columns;
    std::vector<double> costs(columns.size());
    simulator->evaluate({{&one.layer, 1}, {&hardware, 1}, {&one.mapping, 1}}, costs);
    std::vector<bool> given(columns.size(), false);
    for (const CostFormula& formula : simulator->formulas(hardware, one.layer)) {
      ASSERT_TRUE(columns[formula.column].derived) << columns[formula.column].name;
      for (const CostTerm& term : formula.terms)
        for (const auto& [column, power] : term.powers) ASSERT_FALSE(columns[column].derived);
      const double expected = costs[formula.column], value = value_of(formula, costs);
      ASSERT_LE(std::abs(value - expected), 1e-12 * std::abs(expected)) << columns[formula.column].name;
      given[formula.column] = true;
    }
    for (std::size_t c = 0; c < columns.size(); ++c)
      ASSERT_EQ(given[c], columns[c].derived) << columns[c].name;
  }
}

}  // namespace
}  // namespace atl::test
