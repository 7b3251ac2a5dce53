#include "train/unit_walk.h"

#include <gtest/gtest.h>

#include "quant/refined_net.h"
#include "support/error_of.h"
#include "train/adaround.h"
#include "train/learn_ranges.h"
#include "train/reconstruct.h"

namespace octet {
namespace {

using test::RefinedNet;

WalkSettings few_steps(WalkSettings settings) {
  settings.unit.iterations = 150;
  settings.unit.rate = 0.05;
  settings.unit.range_rate = 0.01;
  settings.unit.batch = 8;
  return settings;
}

std::vector<LearnedUnit> learn(RefinedNet& net, const WalkSettings& settings) {
  return learn_units(net.reference, net.graph, net.placement, net.table, net.pass(), settings, {});
}

struct WalkCase {
  const char* name;
  WalkSettings (*settings)();
  size_t units;
  double left;    ///< share of its error that a unit keeps, if it counts as better
  size_t better;  ///< units, at least
};

class UnitWalk : public ::testing::TestWithParam<WalkCase> {};

TEST_P(UnitWalk, BringsUnitsNearerToFloat) {
  for (const auto weights : {Scheme::Weights::PerChannel, Scheme::Weights::PerTensor}) {
    RefinedNet net({.weights = weights});
    const auto units = learn(net, few_steps(GetParam().settings()));
    EXPECT_EQ(units.size(), GetParam().units);
    size_t better = 0;
    for (const LearnedUnit& unit : units) {
      EXPECT_GT(unit.before, 0) << unit.name;
      EXPECT_LE(unit.after, unit.before) << unit.name;
      better += unit.after < GetParam().left * unit.before ? 1 : 0;
    }
    EXPECT_GE(better, GetParam().better);
  }
}

TEST_P(UnitWalk, WeightsStayOnTheirGridsBesideTheNearest) {
  RefinedNet net;
  const QuantTable before = net.table;
  const WalkSettings settings = few_steps(GetParam().settings());
  learn(net, settings);
  int64_t moved = 0;
  for (const ValueId id : net.weights()) {
    EXPECT_EQ(*net.table.find(id), *before.find(id));
    const Tensor chosen = quantize(*net.graph.value(id).constant, *net.table.find(id));
    const Tensor nearest = quantize(*net.reference.value(id).constant, *net.table.find(id));
    for (size_t i = 0; i < chosen.as<int8_t>().size(); ++i) {
      const int step = std::abs(chosen.as<int8_t>()[i] - nearest.as<int8_t>()[i]);
      ASSERT_LE(step, 1);
      moved += step;
    }
  }
  EXPECT_EQ(moved > 0, settings.unit.rounding);
  QuantTable again = net.table;
  solve_derived(net.graph, net.placement, again);
  EXPECT_TRUE(again.values() == net.table.values()) << "nothing is left to follow";
  for (const auto& [id, params] : net.table.values()) {
    if (net.graph.is_constant(id)) continue;
    EXPECT_EQ(params.zero_point, before.find(id)->zero_point);
    EXPECT_TRUE(settings.unit.ranges || params == *before.find(id));
  }
}

TEST_P(UnitWalk, IsTheSameForTheSameSeed) {
  std::vector<std::vector<std::byte>> weights;
  std::vector<QuantTable> tables;
  for (const uint64_t seed : {1U, 1U, 2U}) {
    RefinedNet net;
    WalkSettings settings = few_steps(GetParam().settings());
    settings.unit.seed = seed;
    learn(net, settings);
    weights.emplace_back();
    for (const ValueId id : net.weights()) {
      weights.back().append_range(net.graph.value(id).constant->bytes);
    }
    tables.push_back(net.table);
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_TRUE(tables[0].values() == tables[1].values());
  EXPECT_FALSE(weights[0] == weights[2] && tables[0].values() == tables[2].values());
}

INSTANTIATE_TEST_SUITE_P(All, UnitWalk,
                         ::testing::Values(WalkCase{"adaround", adaround, 5, 0.95, 2},
                                           WalkCase{"reconstruct", reconstruct, 4, 0.95, 2},
                                           WalkCase{"learn_ranges", learn_ranges, 4, 1, 1}),
                         [](const auto& held) { return held.param.name; });

TEST(UnitWalkCache, BoundsTheImagesThatAreHeld) {
  // The residual block takes and gives 8 x 8 x 8 numbers: 4 KB an image, rounded and in float.
  RefinedNet net({}, 400);
  WalkSettings settings = few_steps(adaround());
  settings.images = 400;
  settings.cache = 1;
  settings.unit.iterations = 1;
  learn(net, settings);
  EXPECT_EQ(net.images_read, 64) << "half a megabyte at 8 KB an image";
}

TEST(UnitWalkErrors, WantsImages) {
  RefinedNet net;
  EXPECT_EQ(message_of([&] {
              learn_units(net.reference, net.graph, net.placement, net.table,
                          [](std::vector<float>&) -> int64_t { return 0; }, adaround(), {});
            }),
            "adaround: there are no images to learn from");
}

}  // namespace
}  // namespace octet
