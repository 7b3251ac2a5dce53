#include "api/assignment.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <set>

namespace octet {
namespace {

/// Accuracy is 100 less the noise of what is on 8 bits, and of what 16 bits do not help; a layer
/// costs 1 on 8 bits, 2 on 16, 4 in float.
class Pretended final : public Laboratory {
 public:
  std::vector<RankedLayer> layers;
  std::map<std::string, double> observers{{"minmax", 0}};  ///< what each loses on top
  std::map<std::string, double> methods;                   ///< what each wins
  double wide_wins = 0;
  std::set<std::string> bad_weights;  ///< layers that 16 bits do not help
  std::vector<Assignment> measured;
  int ranked = 0;

  SearchTrial measure(const Assignment& assignment) override {
    measured.push_back(assignment);
    SearchTrial trial{.observer = assignment.observer,
                      .methods = assignment.methods,
                      .on_16_bits = assignment.on_16_bits,
                      .in_float = assignment.in_float};
    const std::set<std::string> wide(assignment.on_16_bits.begin(), assignment.on_16_bits.end());
    const std::set<std::string> in_float(assignment.in_float.begin(), assignment.in_float.end());
    double loss = observers.at(assignment.observer);
    for (const RankedLayer& layer : layers) {
      const bool helped = wide.contains(layer.name) && !bad_weights.contains(layer.name);
      if (!in_float.contains(layer.name) && !helped) loss += layer.noise;
    }
    for (const std::string& method : assignment.methods) loss -= methods.at(method);
    if (assignment.activation_bits == 16) loss -= wide_wins;
    trial.top1 = 100 - loss;
    trial.size_bytes = std::ssize(layers) + std::ssize(assignment.on_16_bits) +
                       3 * std::ssize(assignment.in_float);
    return trial;
  }
  std::vector<RankedLayer> rank(const Assignment& /*assignment*/) override {
    ++ranked;
    return layers;
  }

  SearchSpace space(double drop) const {
    SearchSpace space{.observers = {}, .methods = {}, .layers_in_float = true};
    for (const auto& [name, unused] : observers) space.observers.push_back(name);
    for (const auto& [name, unused] : methods) space.methods.push_back(name);
    space.keeps = [=](const SearchTrial& trial) { return trial.top1 >= 100 - drop; };
    space.cost = [](const SearchTrial& trial) { return static_cast<double>(trial.size_bytes); };
    return space;
  }

  /// The cheapest that keeps the accuracy.
  std::optional<SearchTrial> best(const SearchSpace& space) {
    std::optional<SearchTrial> found;
    for (const Assignment& assignment : std::vector(measured)) {
      const SearchTrial trial = measure(assignment);
      if (space.keeps(trial) && (!found || space.cost(trial) < space.cost(*found))) found = trial;
    }
    return found;
  }
};

TEST(AssignmentSearch, AllInIntegersIsTriedFirstAndIsEnough) {
  Pretended laboratory;
  laboratory.layers = {{"a", 0.1, 0}, {"b", 0.1, 1}};
  search_assignments(laboratory, laboratory.space(0.5));
  EXPECT_EQ(laboratory.measured.size(), 1u);
  EXPECT_EQ(laboratory.measured[0].in_float, std::vector<std::string>{});
  EXPECT_EQ(laboratory.ranked, 0);
}

TEST(AssignmentSearch, TheBestObserverTakesMethodsOnTop) {
  Pretended laboratory;
  laboratory.layers = {{"a", 2, 0}};
  laboratory.observers = {{"entropy", 1}, {"minmax", 3}, {"mse", 0.5}};
  laboratory.methods = {{"adaround", 0.6}, {"bias-correction", -1}, {"equalization", 1.5}};
  search_assignments(laboratory, laboratory.space(0.5));
  const Assignment& last = laboratory.measured.back();
  EXPECT_EQ(last.observer, "mse");
  EXPECT_EQ(last.methods, (std::vector<std::string>{"adaround", "equalization"}));
  EXPECT_EQ(laboratory.measured.size(), 6u) << "three observers, three methods";
}

TEST(AssignmentSearch, TheOneLayerThatHurtsStaysAloneInFloat) {
  for (size_t bad = 0; bad < 20; ++bad) {
    Pretended laboratory;
    for (size_t i = 0; i < 20; ++i) {
      laboratory.layers.push_back({std::format("layer{}", i), i == bad ? 30 : 0.01, i / 4});
    }
    const SearchSpace space = laboratory.space(0.5);
    search_assignments(laboratory, space);
    EXPECT_EQ(laboratory.best(space)->in_float, std::vector{std::format("layer{}", bad)});
    EXPECT_LT(laboratory.measured.size(), 8u);
  }
}

TEST(AssignmentSearch, TargetsWithoutFloatTrySixteenBitsAtMost) {
  Pretended laboratory;
  laboratory.layers = {{"a", 30, 0}, {"b", 0, 1}};
  laboratory.wide_wins = 30;
  SearchSpace space = laboratory.space(0.5);
  space.layers_in_float = false;
  search_assignments(laboratory, space);
  EXPECT_EQ(laboratory.measured.size(), 1u);
  space.wide = true;
  search_assignments(laboratory, space);
  EXPECT_EQ(laboratory.measured.back().activation_bits, 16);
  EXPECT_EQ(laboratory.best(space)->top1, 100);
  EXPECT_EQ(laboratory.ranked, 0);
}

TEST(AssignmentSearch, SixteenBitsAreTriedBeforeFloatAndWhereTheyAreCheaper) {
  Pretended laboratory;
  for (size_t i = 0; i < 12; ++i) {
    laboratory.layers.push_back({std::format("layer{}", i), i == 3 || i == 7 ? 30 : 0.01, i / 2});
  }
  SearchSpace space = laboratory.space(0.5);
  space.layers_on_16_bits = true;
  search_assignments(laboratory, space);
  EXPECT_EQ(laboratory.best(space)->on_16_bits, (std::vector<std::string>{"layer3", "layer7"}));
  EXPECT_EQ(laboratory.best(space)->in_float, std::vector<std::string>{});
  const auto first = std::ranges::find_if(
      laboratory.measured, [](const Assignment& tried) { return !tried.in_float.empty(); });
  EXPECT_TRUE(std::any_of(laboratory.measured.begin(), first,
                          [](const Assignment& tried) { return !tried.on_16_bits.empty(); }));
  // What 16 bits do not help stays in float, beside what they do.
  laboratory.measured.clear();
  laboratory.bad_weights = {"layer7"};
  search_assignments(laboratory, space);
  EXPECT_EQ(laboratory.best(space)->on_16_bits, std::vector<std::string>{"layer3"});
  EXPECT_EQ(laboratory.best(space)->in_float, std::vector<std::string>{"layer7"});
}

TEST(AssignmentSearch, LayersOn16BitsTakeTheirReadersAlong) {
  Pretended laboratory;
  laboratory.layers = {{"a", 0, 0, {1}}, {"b", 30, 0, {3}}, {"c", 0, 0}, {"d", 0, 0}};
  SearchSpace space = laboratory.space(0.5);
  space.layers_on_16_bits = true;
  space.layers_in_float = false;
  search_assignments(laboratory, space);
  EXPECT_TRUE(std::ranges::any_of(laboratory.measured, [](const Assignment& tried) {
    return tried.on_16_bits == std::vector<std::string>{"b", "d"};
  }));
}

TEST(AssignmentSearch, GapsAreFilledWhereLatencyCounts) {
  Pretended laboratory;
  laboratory.layers = {{"a", 5, 0}, {"b", 0, 1}, {"c", 5, 2}, {"d", 0, 3}, {"e", 0, 4}};
  SearchSpace space = laboratory.space(0.5);
  space.latency = true;
  space.cost = [](const SearchTrial& trial) {  // each change between float and integers costs 5
    return static_cast<double>(trial.size_bytes) + (trial.in_float.size() == 2 ? 10 : 0);
  };
  search_assignments(laboratory, space);
  EXPECT_EQ(laboratory.best(space)->in_float, (std::vector<std::string>{"a", "b", "c"}));
}

RC_GTEST_PROP(AssignmentSearch, KeepsTheAccuracyAndNoMoreInFloatThanItTakes, ()) {
  Pretended laboratory;
  const auto noises = *rc::gen::nonEmpty<std::vector<int>>();
  RC_PRE(noises.size() > 1);
  for (size_t i = 0; i < noises.size(); ++i) {
    const double noise = std::abs(noises[i] % 100) / 10.0;
    laboratory.layers.push_back({std::format("l{}", i), noise, i / 3});
  }
  const SearchSpace space = laboratory.space(0.5);
  search_assignments(laboratory, space);
  const auto best = laboratory.best(space);
  // Without the smallest layer: what is possible at all short of everything in float.
  const auto least = std::ranges::min(laboratory.layers, {}, &RankedLayer::noise);
  if (least.noise > 0.5) {
    RC_ASSERT(!best.has_value());
    return;
  }
  RC_ASSERT(best.has_value());
  for (const std::string& name : best->in_float) {
    const auto layer = std::ranges::find(laboratory.layers, name, &RankedLayer::name);
    RC_ASSERT(best->top1 - layer->noise < 99.5 + 1e-9);  // every one of them is needed
  }
}

}  // namespace
}  // namespace octet
