#include "atoll/evolution/objective.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using testing::HasSubstr;
const std::vector<std::string> columns = {"cycles", "energy", "edp", "parameters"};

std::string message(const std::string& objective, const std::vector<std::string>& constraints = {}) {
  try {
    Objective(objective, constraints, columns);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Objective, NamesAColumnOrAProductOfPowers) {
  const std::vector<double> costs = {8, 3, 24, 1e6};
  EXPECT_EQ(Objective("edp", {}, columns).fitness(costs), 24);
  EXPECT_EQ(Objective("latency", {}, columns).fitness(costs), 8);
  EXPECT_EQ(Objective("energy*cycles^2", {}, columns).fitness(costs), 192);
  EXPECT_EQ(Objective(" energy * parameters ^ -1 ", {}, columns).fitness(costs), 3e-6);
  EXPECT_NEAR(Objective("cycles^0.5*energy^1.25", {}, columns).fitness(costs),
              std::sqrt(8) * std::pow(3, 1.25), 1e-12);
  EXPECT_EQ(Objective("cycles^-0.5", {}, columns).fitness(std::vector<double>{0, 0, 0, 0}),
            std::numeric_limits<double>::infinity());
}

TEST(Objective, WholePowersAreExactProducts) {
  const std::vector<double> costs = {1.1, 3, 24, 1e6};
  EXPECT_EQ(Objective("cycles^3", {}, columns).fitness(costs), 1.1 * (1.1 * 1.1));
}

TEST(Objective, ViolationsAreRelativeAndAddUp) {
  const Objective objective("edp", {"parameters >= 1000", "energy<=2"}, columns);
  EXPECT_EQ(objective.violation(std::vector<double>{0, 2, 0, 1000}), 0);
  EXPECT_EQ(objective.violation(std::vector<double>{0, 3, 0, 250}), 0.5 + 0.75);
  EXPECT_EQ(objective.violation(std::vector<double>{0, 1, 0, std::nan("")}),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(Objective("edp", {"energy <= 0"}, columns).violation(std::vector<double>{0, 3, 0, 0}), 3);
}

TEST(Objective, BadTextIsNamedWithTheNearestColumn) {
  EXPECT_THAT(message("enrgy"), HasSubstr("'energy'"));
  EXPECT_THAT(message("energy*"), HasSubstr("factor is missing"));
  EXPECT_THAT(message(""), HasSubstr("factor is missing"));
  EXPECT_THAT(message("energy^two"), HasSubstr("'two' is no power"));
  EXPECT_THAT(message("energy^99"), HasSubstr("'99' is no power"));
  EXPECT_THAT(message("cycles^0"),
              HasSubstr("'0' is no power"));  // every mapping would be as good as another
  EXPECT_THAT(message("energy+cycles"), HasSubstr("unknown cost column 'energy+cycles'"));
  EXPECT_THAT(message("edp", {"energy > 3"}), HasSubstr("\"column >= value\""));
  EXPECT_THAT(message("edp", {"energy >= lots"}), HasSubstr("'lots' is no number"));
  EXPECT_THAT(message("edp", {"energi >= 1"}), HasSubstr("'energy'"));
}

}  // namespace
}  // namespace atl
