#include "atoll/accelerator/component.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <sstream>

#include "atoll/base/error.hpp"

namespace atl {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::array<double, 13> some_nodes = {0.007, 0.010, 0.012, 0.014, 0.016, 0.020, 0.028,
                                           0.032, 0.040, 0.045, 0.065, 0.090, 0.130};
constexpr std::array<Component, 3> on_chip = {Component::register_file, Component::sram, Component::edram};

double ratio_of(double a, double b) {
  return std::max(a / b, b / a);
}

ComponentFigures figures_at(const ComponentAnchor& anchor, double node) {
  const double bits = is_storage(anchor.component) ? anchor.depth * anchor.width : anchor.depth;
  return component_figures(anchor.component, bits, anchor.width, node);
}

TEST(ComponentTest, MeetsEveryAnchorExactly) {
  for (const ComponentAnchor& anchor : component_anchors()) {
    const ComponentFigures figures = figures_at(anchor, anchor.node);
    const std::string where = std::string(anchor.source) + " " + std::to_string(anchor.depth);
    EXPECT_EQ(figures.read, anchor.figures.read) << where;
    if (anchor.figures.write > 0) {
      EXPECT_EQ(figures.write, anchor.figures.write) << where;
    }
    if (anchor.figures.leakage > 0) {
      EXPECT_EQ(figures.leakage, anchor.figures.leakage) << where;
    }
    if (anchor.figures.area > 0) {
      EXPECT_EQ(figures.area, anchor.figures.area) << where;
    }
    EXPECT_FALSE(anchor.source.empty());
  }
}

TEST(ComponentTest, ALargerStorageCostsMore) {
  for (const Component component : on_chip) {
    for (const double node : some_nodes) {
      for (const double width : {8.0, 24.0, 64.0, 512.0}) {
        ComponentFigures smaller;
        for (double bits = width; bits < 1e9; bits *= 1.07) {
          const ComponentFigures figures = component_figures(component, bits, width, node);
          ASSERT_GT(figures.read, smaller.read) << bits << " " << node;
          ASSERT_GT(figures.write, smaller.write) << bits << " " << node;
          ASSERT_GT(figures.area, smaller.area) << bits << " " << node;
          if (component != Component::edram) {
            ASSERT_GT(figures.leakage, smaller.leakage) << bits << " " << node;
          }
          smaller = figures;
        }
      }
    }
  }
}

TEST(ComponentTest, AWiderMultiplierCostsMore) {
  for (const double node : some_nodes) {
    ComponentFigures smaller;
    for (double bits = 1; bits <= 64; ++bits) {
      const ComponentFigures figures = component_figures(Component::mac, bits, 2 * bits, node);
      ASSERT_GT(figures.read, smaller.read) << bits << " " << node;
      ASSERT_GT(figures.area, smaller.area) << bits << " " << node;
      EXPECT_EQ(figures.write, 0);
      // A wider accumulator is an adder more.
      const ComponentFigures wider = component_figures(Component::mac, bits, 2 * bits + 8, node);
      const ComponentFigures adder = component_figures(Component::adder, 8, 8, node);
      EXPECT_DOUBLE_EQ(wider.read, figures.read + adder.read);
      EXPECT_DOUBLE_EQ(wider.area, figures.area + adder.area);
      smaller = figures;
    }
  }
}

TEST(ComponentTest, FollowsThePublishedRulesBeyondTheTable) {
  const double last = 16384.0 * 64;
  const ComponentFigures anchor = component_figures(Component::sram, last, 64, 0.032);
  const ComponentFigures deeper = component_figures(Component::sram, 4 * last, 64, 0.032);
  EXPECT_NEAR(deeper.read / anchor.read, std::pow(4, 0.78), 1e-12);
  EXPECT_NEAR(deeper.write / anchor.write, std::pow(4, 0.78), 1e-12);
  EXPECT_DOUBLE_EQ(deeper.leakage, 4 * anchor.leakage);
  EXPECT_DOUBLE_EQ(deeper.area, 4 * anchor.area);
  const ComponentFigures wider = component_figures(Component::sram, 2 * last, 128, 0.032);
  EXPECT_DOUBLE_EQ(wider.read, 2 * anchor.read);
  EXPECT_DOUBLE_EQ(wider.area, 2 * anchor.area);
  const double narrow = component_figures(Component::mac, 4, 8, 0.045).read;
  EXPECT_NEAR(narrow, 0.315 / 4, 1e-12);
  EXPECT_DOUBLE_EQ(component_figures(Component::adder, 8, 8, 0.040).read, 0.21 / 4);
}

TEST(ComponentTest, DramCostsPerBitWhateverTheNode) {
  const double none = std::numeric_limits<double>::infinity();
  const std::array<std::pair<Component, double>, 5> published = {{{Component::lpddr4, 8},
                                                                  {Component::lpddr, 40},
                                                                  {Component::ddr3, 70},
                                                                  {Component::gddr5, 14},
                                                                  {Component::hbm2, 3.9}}};
  for (const auto& [component, per_bit] : published) {
    for (const double width : {8.0, 64.0, 512.0}) {
      const ComponentFigures figures = component_figures(component, none, width, 0);
      EXPECT_NEAR(figures.read, per_bit * width, 1e-9);
      EXPECT_EQ(figures.read, figures.write);
      EXPECT_EQ(figures.area, 0);
      EXPECT_EQ(figures.leakage, 0);
    }
  }
  EXPECT_NEAR(wire_energy, 0.3254, 1e-12);
}

// Factors that people know from the tables.
TEST(ComponentTest, ScalesNodesAsPublished) {
  EXPECT_NEAR(energy_factor(0.045, 0.065), 1.2407, 5e-5);
  EXPECT_NEAR(energy_factor(0.045, 0.016), 0.17355, 5e-6);
  EXPECT_NEAR(energy_factor(0.032, 0.065), 1.8817, 5e-5);
  EXPECT_DOUBLE_EQ(area_factor(0.045, 0.016), 0.19);
  EXPECT_DOUBLE_EQ(area_factor(0.032, 0.065), 1.5 / 0.46);
  for (const double from : some_nodes) {
    EXPECT_EQ(energy_factor(from, from), 1);
    EXPECT_EQ(area_factor(from, from), 1);
    double smaller_energy = 0;
    double smaller_area = 0;
    for (double to = 0.007; to <= 0.130; to += 0.0005) {
      ASSERT_GT(energy_factor(from, to), smaller_energy) << to;
      ASSERT_GT(area_factor(from, to), smaller_area) << to;
      smaller_energy = energy_factor(from, to);
      smaller_area = area_factor(from, to);
    }
  }
}

// How far the rules are from a second published figure of the same thing; component.hpp states these.
TEST(ComponentTest, TwoPublishedNodesAgreeWithTheRule) {
  std::size_t pairs = 0;
  for (const ComponentAnchor& at32 : component_anchors()) {
    for (const ComponentAnchor& at45 : component_anchors()) {
      if (at32.component != at45.component || at32.depth != at45.depth || at32.node != 0.032 ||
          at45.node != 0.045) {
        continue;
      }
      const double factor = energy_factor(0.032, 0.045);
      const bool sram = at32.component == Component::sram;
      EXPECT_LT(ratio_of(at45.figures.read, at32.figures.read * factor), sram ? 1.035 : 1.015) << at32.depth;
      ++pairs;
      if (at45.figures.write == 0) continue;
      EXPECT_LT(ratio_of(at45.figures.write, at32.figures.write * factor), sram ? 1.10 : 1.015) << at32.depth;
    }
  }
  EXPECT_EQ(pairs, 5U);
}

// The fit of DOSA's energy model (ucb-bar/dosa, dataset/dse/energy_model.py): a scratchpad at 40 nm costs
// 0.49 + 0.02513 x KB pJ for a word of 8 b.
TEST(ComponentTest, SramLiesNearAnIndependentFit) {
  for (double kilobytes = 4; kilobytes <= 512; kilobytes *= 1.5) {
    const double fit = (0.49 + 0.02513 * kilobytes) * 8;
    const ComponentFigures figures = component_figures(Component::sram, kilobytes * 8192, 64, 0.040);
    EXPECT_LT(ratio_of(figures.read, fit), 1.55) << kilobytes;
  }
}

// Published multiplications of 8 b at 40 nm: 0.5608 pJ (DOSA, a whole MAC of Gemmini), 0.845 pJ (Accelergy
// ERT, ISPASS-2020): the class follows the lowest published figure.
TEST(ComponentTest, MultiplierLiesWithinTheSpreadOfThePublishedFigures) {
  const double read = component_figures(Component::mac, 8, 16, 0.040).read;
  EXPECT_LT(0.5608 / read, 2.2);
  EXPECT_LT(0.845 / read, 3.2);
  EXPECT_GT(0.5608 / read, 1);
}

TEST(ComponentTest, MarksWhatLiesBeyondTheAnchors) {
  const auto sram = [](double depth, double width, double node) {
    return component_sources(Component::sram, depth * width, width, node);
  };
  EXPECT_THAT(sram(2048.0 / 8, 64, 0.045).read, StartsWith("derived: sram 2048 x 256 b"));
  EXPECT_THAT(sram(2048.0 / 8 - 1, 64, 0.045).read, StartsWith("estimate, derived, 8.03 times beyond"));
  EXPECT_THAT(sram(16384.0 * 8, 64, 0.045).area, StartsWith("derived: sram 16384 x 64 b"));
  EXPECT_THAT(sram(16384.0 * 8 + 1, 64, 0.045).area, StartsWith("estimate, derived, "));
  EXPECT_THAT(sram(16384, 512, 0.045).read, StartsWith("derived: "));
  EXPECT_THAT(sram(16384, 513, 0.045).read, HasSubstr("8.02 times beyond the anchor in width"));
  EXPECT_THAT(sram(16384, 64, 0.032).leakage, StartsWith("derived: "));
  EXPECT_THAT(sram(16384, 64, 0.028).leakage, StartsWith("estimate, derived, leakage scaled"));
  EXPECT_THAT(component_sources(Component::mac, 4, 8, 0.045).read, StartsWith("derived: "));
  EXPECT_THAT(component_sources(Component::mac, 3, 8, 0.045).read, StartsWith("estimate, derived, 2.67"));
  EXPECT_THAT(component_sources(Component::mac, 8, 32, 0.045).read,
              AllOf(StartsWith("derived: mac 8 b, 0.315 pJ at 45 nm"), HasSubstr("; plus adder 32 b")));
  EXPECT_THAT(component_sources(Component::mac, 8, 18, 0.045).read,
              StartsWith("estimate, derived, 16 times"));
  EXPECT_THAT(
      component_sources(Component::register_file, 16 * 100, 16, 0.045).read,
      AllOf(HasSubstr(" between 16 x 16 b, "), HasSubstr(" and 128 x 24 b, "), HasSubstr("at depth 100")));
  EXPECT_EQ(component_sources(Component::lpddr4, 1, 64, 0).area, "");
  EXPECT_EQ(component_sources(Component::edram, 1e6, 256, 0.032).leakage, "");
}

// What the text says multiplies up to the figure.
double figure_of_text(const std::string& text) {
  static const std::regex anchor(" b, ([0-9.e+-]+) (pJ|um2)");
  static const std::regex factor(" x ([0-9.e+-]+) \\([^x]");
  std::smatch found;
  if (!std::regex_search(text, found, anchor)) return 0;
  double product = std::stod(found[1]);
  for (auto it = std::sregex_iterator(text.begin(), text.end(), factor); it != std::sregex_iterator(); ++it) {
    product *= std::stod((*it)[1]);
  }
  return product;
}

TEST(ComponentTest, TheTextMultipliesUpToTheFigure) {
  std::size_t checked = 0;
  for (const double node : some_nodes) {
    for (const Component component : {Component::register_file, Component::sram, Component::edram}) {
      for (const double depth : {4.0, 300.0, 16384.0, 50000.0}) {
        for (const double width : {16.0, 128.0}) {
          const auto figures = component_figures(component, depth * width, width, node);
          const auto sources = component_sources(component, depth * width, width, node);
          if (sources.read.find(" between ") != std::string::npos) continue;
          EXPECT_NEAR(figure_of_text(sources.read), figures.read, 1e-3 * figures.read) << sources.read;
          EXPECT_NEAR(figure_of_text(sources.area), figures.area, 1e-3 * figures.area) << sources.area;
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 150U);
}

std::string error_of(Component component, double bits, double width, double node) {
  EXPECT_FALSE(component_problem(component, bits, width, node).empty());
  try {
    component_figures(component, bits, width, node);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ComponentTest, RefusesWhatHasNoFigure) {
  const double none = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(error_of(Component::sram, 0, 64, 0.045), "component sram needs a size above 0, found 0");
  EXPECT_THAT(error_of(Component::sram, nan, 64, 0.045), HasSubstr("needs a size above 0"));
  EXPECT_THAT(error_of(Component::mac, 0, 16, 0.045), HasSubstr("needs bits above 0"));
  EXPECT_THAT(error_of(Component::sram, none, 64, 0.045), HasSubstr("needs a size, found none"));
  EXPECT_THAT(error_of(Component::sram, 512, 0, 0.045), HasSubstr("an access above 0 b"));
  EXPECT_THAT(error_of(Component::sram, 512, 513, 0.045), HasSubstr("513 b is wider than the 512 b"));
  EXPECT_THAT(error_of(Component::sram, 512, 64, 0), HasSubstr("'technology: 65 nm'"));
  EXPECT_THAT(error_of(Component::mac, 8, 16, 0.180),
              HasSubstr("published from 7 nm to 130 nm, found 180 nm"));
  EXPECT_THAT(error_of(Component::mac, 8, 16, 0.005), HasSubstr("found 5 nm"));
  EXPECT_THROW(energy_factor(0.045, 0.2), InputError);
  EXPECT_THROW(area_factor(0.001, 0.045), InputError);
  EXPECT_THAT(component_problem(Component::hbm2, none, 64, 0), "");
}

}  // namespace
}  // namespace atl
