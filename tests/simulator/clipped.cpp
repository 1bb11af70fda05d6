// Tiles that do not divide: the closed form against the executed reference, on random cases of every kind.
// Run with ATOLL_CASES=100000 for the long comparison; it prints how often each pair of features occurred.
#include "../../src/simulator/clipped.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <iostream>
#include <set>

#include "allocation_count.hpp"
#include "atoll/network/network.hpp"
#include "random_cases.hpp"

namespace atl::test {
namespace {

constexpr std::uint64_t most_operations = 200;

std::uint32_t wanted_cases() {
  const char* text = std::getenv("ATOLL_CASES");
  return text != nullptr ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : 12000;
}

struct Feature {
  std::string name;
  std::function<bool(const Case&, const std::vector<double>&)> present;
};

bool any_level(const Case& one, const std::function<bool(const StorageLevel&, const LevelMapping&)>& is) {
  for (std::size_t l = 1; l < one.accelerator.levels.size(); ++l)
    if (is(one.accelerator.levels[l], one.mapping.level[l])) return true;
  return false;
}

// A fan-out below which loops in space over all of `dims` turn.
bool any_fanout(const Case& one, std::initializer_list<Dim> dims,
                const std::function<bool(const Fanout&)>& is) {
  for (const Fanout& fanout : one.accelerator.fanouts) {
    const LevelMapping& level = one.mapping.level[fanout.above];
    const bool turn = std::all_of(dims.begin(), dims.end(),
                                  [&](Dim d) { return level.temporal[index(d)] != level.x[index(d)]; });
    if (turn && is(fanout)) return true;
  }
  return false;
}

bool clips(const Case& one, const std::vector<Dim>& dims, bool in_space) {
  for (std::size_t l = 0; l < one.mapping.levels; ++l)
    for (const Dim d : dims) {
      const LevelMapping& level = one.mapping.level[l];
      const std::size_t i = index(d);
      const bool time = one.mapping.entering(l, one.layer)[i] % level.temporal[i] != 0;
      const bool space = level.temporal[i] % level.y[i] != 0 || level.y[i] % level.x[i] != 0;
      if (in_space ? space : time) return true;
    }
  return false;
}

bool axis_has(const std::function<bool(std::size_t)>& is) {
  return is(0) || is(1);
}

std::vector<Feature> features() {
  const std::vector<Dim> all = {Dim::N, Dim::G, Dim::K, Dim::C, Dim::P, Dim::Q, Dim::R, Dim::S};
  std::vector<Feature> list;
  const auto add = [&](const std::string& name, const std::function<bool(const Case&)>& is) {
    list.push_back({name, [is](const Case& one, const std::vector<double>&) { return is(one); }});
  };
  for (const LayerOp op : {LayerOp::conv, LayerOp::fc, LayerOp::matmul, LayerOp::pool, LayerOp::elementwise})
    add(std::string(name(op)), [op](const Case& one) { return one.layer.op == op; });
  const auto add_axis = [&](const std::string& name,
                            const std::function<bool(const Layer&, std::size_t)>& is) {
    add(name, [is](const Case& one) { return axis_has([&](std::size_t a) { return is(one.layer, a); }); });
  };
  add_axis("stride", [](const Layer& layer, std::size_t a) { return layer.stride[a] > 1; });
  add_axis("dilation", [](const Layer& layer, std::size_t a) { return layer.dilation[a] > 1; });
  add_axis("padding before", [](const Layer& layer, std::size_t a) { return layer.padding_before[a] > 0; });
  add_axis("padding after", [](const Layer& layer, std::size_t a) { return layer.padding_after[a] > 0; });
  add("batch", [](const Case& one) { return one.layer[Dim::N] > 1; });
  add("groups", [](const Case& one) { return one.layer[Dim::G] > 1; });
  add("depthwise", [](const Case& one) {
    return one.layer.op == LayerOp::conv && one.layer[Dim::G] > 1 &&
           one.layer[Dim::K] * one.layer[Dim::C] == 1;
  });
  add("2 levels", [](const Case& one) { return one.mapping.levels == 2; });
  add("3 or 4 levels", [](const Case& one) { return one.mapping.levels == 3 || one.mapping.levels == 4; });
  add("5 to 8 levels", [](const Case& one) { return one.mapping.levels >= 5; });
  add("two fan-outs or more", [](const Case& one) { return one.accelerator.fanouts.size() >= 2; });
  const auto add_fanout = [&](const std::string& name, std::initializer_list<Dim> dims,
                              const std::function<bool(const Fanout&)>& is) {
    const std::vector<Dim> copy = dims;
    add(name, [copy, is](const Case& one) {
      return std::any_of(copy.begin(), copy.end(), [&](Dim d) { return any_fanout(one, {d}, is); });
    });
  };
  add_fanout("multicast in space", {Dim::K, Dim::P}, [](const Fanout& f) { return f.multicast; });
  add_fanout("no multicast in space", {Dim::K, Dim::P}, [](const Fanout& f) { return !f.multicast; });
  add_fanout("reduction in space", {Dim::C, Dim::R}, [](const Fanout& f) { return f.reduction; });
  add_fanout("collisions in space", {Dim::C, Dim::R}, [](const Fanout& f) { return !f.reduction; });
  add("diagonal", [](const Case& one) {
    const auto joins = [](const Fanout& f) { return f.multicast; };
    return any_fanout(one, {Dim::P, Dim::R}, joins) || any_fanout(one, {Dim::Q, Dim::S}, joins);
  });
  add("clipped in time", [all](const Case& one) { return clips(one, all, false); });
  add("clipped in space", [all](const Case& one) { return clips(one, all, true); });
  add("clipped rows", [](const Case& one) {
    return clips(one, {Dim::P, Dim::Q}, false) || clips(one, {Dim::P, Dim::Q}, true);
  });
  add("clipped taps", [](const Case& one) {
    return clips(one, {Dim::R, Dim::S}, false) || clips(one, {Dim::R, Dim::S}, true);
  });
  for (const auto& [name, kind] :
       {std::pair{"single", Buffering::single}, std::pair{"double", Buffering::double_},
        std::pair{"rolling", Buffering::rolling}})
    add(name, [kind](const Case& one) {
      return any_level(one, [&](const StorageLevel& level, const LevelMapping& at) {
        return level.buffering == kind && at.keep != 0;
      });
    });
  add("shared port", [](const Case& one) {
    return any_level(one, [](const StorageLevel& level, const LevelMapping&) { return level.shared_port; });
  });
  add("separate ports", [](const Case& one) {
    return any_level(one, [](const StorageLevel& level, const LevelMapping&) { return !level.shared_port; });
  });
  add("bypass", [](const Case& one) {
    return any_level(one,
                     [&](const StorageLevel&, const LevelMapping& at) { return at.keep != all_operands; });
  });
  add("leakage", [](const Case& one) {
    return any_level(one, [](const StorageLevel& level, const LevelMapping&) { return level.leakage > 0; });
  });
  add("first visits read", [](const Case& one) { return !one.accelerator.zero_read_elision; });
  add("hops", [](const Case& one) {
    return std::any_of(one.accelerator.fanouts.begin(), one.accelerator.fanouts.end(),
                       [](const Fanout& fanout) { return fanout.hop_energy > 0; });
  });
  list.push_back({"compute binds", [](const Case&, const auto& costs) { return costs[cost::binds] == 0; }});
  list.push_back({"a port binds", [](const Case&, const auto& costs) { return costs[cost::binds] > 0; }});
  return list;
}

// Pairs that exclude each other.
bool impossible(const std::string& a, const std::string& b) {
  const auto both = [&](const std::set<std::string>& some, const std::set<std::string>& others) {
    return (some.contains(a) && others.contains(b)) || (some.contains(b) && others.contains(a));
  };
  const std::set<std::string> kinds = {"conv", "fc", "matmul", "pool", "elementwise"};
  const std::set<std::string> plain = {"fc", "matmul", "elementwise"};
  const std::set<std::string> windows = {"stride",        "dilation", "padding before",
                                         "padding after", "diagonal", "clipped taps"};
  const std::set<std::string> levels = {"2 levels", "3 or 4 levels", "5 to 8 levels"};
  return (kinds.contains(a) && kinds.contains(b)) || (levels.contains(a) && levels.contains(b)) ||
         both(plain, windows) || both({"fc"}, {"clipped rows"}) ||
         both({"depthwise"}, {"fc", "matmul", "pool", "elementwise"}) ||
         both({"elementwise"}, {"reduction in space", "collisions in space"}) ||
         both({"compute binds"}, {"a port binds"});
}

class Hits {
 public:
  Hits() : features_(features()), together_(features_.size(), std::vector<int>(features_.size(), 0)) {}
  void note(const Case& one, const std::vector<double>& costs) {
    std::vector<std::size_t> present;
    for (std::size_t f = 0; f < features_.size(); ++f)
      if (features_[f].present(one, costs)) present.push_back(f);
    for (const std::size_t a : present)
      for (const std::size_t b : present) ++together_[a][b];
  }
  void require_all(bool print) const {
    int pairs = 0, least = std::numeric_limits<int>::max();
    std::string rarest;
    for (std::size_t a = 0; a < features_.size(); ++a)
      for (std::size_t b = 0; b <= a; ++b) {
        const std::string pair = features_[a].name + " with " + features_[b].name;
        if (a != b && impossible(features_[a].name, features_[b].name)) {
          EXPECT_EQ(together_[a][b], 0) << pair << " is taken for impossible";
          continue;
        }
        ++pairs;
        EXPECT_GT(together_[a][b], 0) << pair << " never occurred";
        if (print) std::cout << together_[a][b] << '\t' << pair << '\n';
        if (together_[a][b] >= least) continue;
        least = together_[a][b];
        rarest = pair;
      }
    std::cout << pairs << " pairs of features; the rarest, " << rarest << ", occurred " << least
              << " times\n";
  }

 private:
  std::vector<Feature> features_;
  std::vector<std::vector<int>> together_;
};

TEST(Clipped, EqualsTheReferenceInEveryColumnOnRandomCases) {
  Hits hits;
  const std::uint32_t cases = wanted_cases();
  for (std::uint32_t i = 0; i < cases; ++i) {
    const Case one = random_clipped_case(i, most_operations);
    ASSERT_EQ(check(one.mapping, one.layer, one.accelerator, false), "");
    const auto closed = make_simulator("loopnest", one.accelerator);
    const std::vector<double> slow = evaluate(*make_simulator("reference", one.accelerator), one);
    ASSERT_EQ(difference(closed->schema(), evaluate(*closed, one), slow), "")
        << "case " << i << "\n"
        << mapping_to_json(one.mapping, one.layer, one.accelerator) << "\n"
        << loop_nest(one.mapping, one.layer, one.accelerator);
    hits.note(one, slow);
  }
  hits.require_all(std::getenv("ATOLL_CASES") != nullptr);
}

// The two closed forms share most rules, but no formula.
TEST(Clipped, EqualsTheOtherClosedFormWhereTilesDivide) {
  for (std::uint32_t i = 0; i < 4000; ++i) {
    const Case one = random_case(300000 + i, 5000);
    const auto closed = make_simulator("loopnest", one.accelerator);
    std::vector<double> expected = evaluate(*closed, one);
    expected[cost::bound_cycles] = expected[cost::bound_energy] = 0;  // not the model's
    std::vector<double> costs(expected.size());
    ClippedModel(one.accelerator).evaluate(one.layer, hardware_row(one.accelerator), one.mapping, costs);
    ASSERT_EQ(difference(closed->schema(), costs, expected), "")
        << "case " << i << "\n"
        << loop_nest(one.mapping, one.layer, one.accelerator);
  }
}

TEST(Clipped, EqualsTheOtherClosedFormOnLayersOfRealSize) {
  const std::string folder = std::string(ATOLL_SOURCE_DIR);
  std::uint32_t number = 0;
  for (const char* file : {"eyeriss.yaml", "simba.yaml", "edge.yaml"}) {
    const Accelerator accelerator = read_accelerator(folder + "/accelerators/" + file);
    const auto closed = make_simulator("loopnest", accelerator);
    ClippedModel model(accelerator);
    for (const char* network_file : {"resnet18.yaml", "mobilenet_v2.yaml"}) {
      const Network network = read_network(folder + "/configs/networks/" + network_file);
      for (const auto& [first, times] : network.distinct(true)) {
        Random random = stream(number++, 10);
        const Layer& layer = network.layers[first].layer;
        const Case one{accelerator, layer, random_fitting_mapping(random, layer, accelerator)};
        std::vector<double> expected = evaluate(*closed, one);
        expected[cost::bound_cycles] = expected[cost::bound_energy] = 0;
        std::vector<double> costs(expected.size());
        model.evaluate(layer, hardware_row(accelerator), one.mapping, costs);
        ASSERT_EQ(difference(closed->schema(), costs, expected), "")
            << file << "\n"
            << mapping_to_json(one.mapping, layer, accelerator);
      }
    }
  }
  EXPECT_GT(number, 60U);
}

TEST(Clipped, ASecondPassAllocatesNothing) {
  const Accelerator accelerator =
      read_accelerator(std::string(ATOLL_SOURCE_DIR) + "/accelerators/eyeriss.yaml");
  const HardwareRow hardware = hardware_row(accelerator);
  Layer layer;
  layer.size = {1, 1, 64, 64, 56, 56, 3, 3};
  layer.padding_before = layer.padding_after = {1, 1};
  layer.input_extent = {56, 56};
  Random random = stream(0, 12);
  std::vector<Mapping> mappings;
  for (int i = 0; i < 300; ++i)
    mappings.push_back(random_clipped_fitting_mapping(random, layer, accelerator));
  ClippedModel model(accelerator);
  std::vector<double> costs(loopnest_schema(accelerator).width());
  const auto pass = [&] {
    const std::uint64_t before = allocation_count();
    for (const Mapping& mapping : mappings) model.evaluate(layer, hardware, mapping, costs);
    return allocation_count() - before;
  };
  EXPECT_GT(pass(), 0U);  // the first one sizes what the model works in
  EXPECT_EQ(pass(), 0U);
}

// Numbers of loopnest are checked against bounds that know nothing of mappings: none is beaten.
TEST(Clipped, NoMappingOfARealLayerBeatsItsBound) {
  const std::string folder = std::string(ATOLL_SOURCE_DIR);
  const Network network = read_network(folder + "/configs/networks/resnet18.yaml");
  std::uint32_t number = 0, clipped = 0;
  for (const char* file : {"eyeriss.yaml", "simba.yaml", "edge.yaml"}) {
    const Accelerator accelerator = read_accelerator(folder + "/accelerators/" + file);
    const auto closed = make_simulator("loopnest", accelerator);
    for (const auto& [first, times] : network.distinct(true)) {
      Random random = stream(number++, 11);
      const Layer& layer = network.layers[first].layer;
      const Mapping mapping = random_clipped_fitting_mapping(random, layer, accelerator);
      clipped += check(mapping, layer, accelerator, true).empty() ? 0 : 1;
      const std::vector<double> costs = evaluate(*closed, {accelerator, layer, mapping});
      EXPECT_GE(costs[cost::cycles_steady], costs[cost::bound_cycles]);
      EXPECT_GE(costs[cost::energy] * (1 + 1e-9), costs[cost::bound_energy]);
      EXPECT_LE(costs[cost::utilisation], 1);
    }
  }
  EXPECT_GT(clipped, 30U);
}

}  // namespace
}  // namespace atl::test
