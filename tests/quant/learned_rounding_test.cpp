#include "quant/learned_rounding.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "quant/learned_range.h"
#include "quant/refined_net.h"
#include "quant/saturation.h"

namespace octet {
namespace {

using test::RefinedNet;

constexpr float kEndless = std::numeric_limits<float>::infinity();

LearnedRounding rounding_of(const RefinedNet& net, ValueId weight) {
  const Group& group = net.placement.groups[net.placement.group_of.at(weight)];
  return {to_torch(*net.reference.value(weight).constant), *net.table.find(weight),
          std::get<WeightGrid>(group.rule).pairs};
}

/// Every weight decides at random.
void decide(const LearnedRounding& rounding, unsigned seed) {
  const at::NoGradGuard no_grad;
  at::Tensor variable = rounding.variable();
  variable.copy_(to_torch(test::random_tensor(variable.sizes().vec(), seed, -3, 3)));
}

TEST(LearnedRounding, StartsAtTheFloatWeights) {
  const RefinedNet net;
  for (const ValueId id : net.weights()) {
    const LearnedRounding rounding = rounding_of(net, id);
    const at::Tensor real = to_torch(*net.reference.value(id).constant);
    const double step = std::ranges::max(net.table.find(id)->scale);
    // Only weights that are kept to the nearest integer differ.
    const at::Tensor difference = (rounding.soft() - real).abs();
    EXPECT_LE(difference.max().item<double>(), 0.501 * step);
    EXPECT_LT((difference > 1e-4 * step).sum().item<int64_t>(), difference.numel() / 2);
    EXPECT_EQ(rounding.hard().sub(real).abs().max().item<double>(), 0) << "nearest: as it was";
  }
}

struct Drawn {
  const char* what;
  Scheme scheme;
};

/// Draws a rounding for every weight, and solves anew.
void check_drawn(const RefinedNet& start, unsigned seed) {
  RefinedNet net = start;
  int64_t moved = 0;
  for (const ValueId id : net.weights()) {
    const LearnedRounding rounding = rounding_of(net, id);
    decide(rounding, seed + static_cast<unsigned>(id));
    net.graph.value(id).constant = from_torch(rounding.hard());
  }
  solve_constants(net.graph, net.placement, net.table);
  for (const ValueId id : net.weights()) {
    RC_ASSERT(*net.table.find(id) == *start.table.find(id));
    const Tensor chosen = quantize(*net.graph.value(id).constant, *net.table.find(id));
    const Tensor nearest = quantize(*net.reference.value(id).constant, *net.table.find(id));
    for (size_t i = 0; i < chosen.as<int8_t>().size(); ++i) {
      const int step = std::abs(chosen.as<int8_t>()[i] - nearest.as<int8_t>()[i]);
      RC_ASSERT(step <= 1);
      moved += step;
    }
  }
  RC_ASSERT(moved > 100);
  if (net.placement.scheme.saturation != Scheme::Saturation::Avoid) return;
  for (const PairMargin& margin : pair_margins(net.graph, net.table)) {
    RC_ASSERT(margin.saturating == 0);
  }
}

class DrawnRounding : public ::testing::TestWithParam<Drawn> {};

TEST_P(DrawnRounding, KeepsScalesAndStaysBesideTheNearest) {
  const RefinedNet start(GetParam().scheme);
  EXPECT_TRUE(rc::check([&](uint16_t seed) { check_drawn(start, seed); }));
}

constexpr auto kAvoid = Scheme::Saturation::Avoid;
constexpr auto kReport = Scheme::Saturation::Report;
constexpr auto kPerTensor = Scheme::Weights::PerTensor;
INSTANTIATE_TEST_SUITE_P(
    All, DrawnRounding,
    ::testing::Values(Drawn{"Avoid", {.saturation = kAvoid}},
                      Drawn{"Report", {.saturation = kReport}},
                      Drawn{"AvoidPerTensor", {.weights = kPerTensor, .saturation = kAvoid}},
                      Drawn{"ReportPerTensor", {.weights = kPerTensor, .saturation = kReport}}),
    [](const auto& held) { return held.param.what; });

TEST(LearnedRounding, CountsWhatIsUndecided) {
  const RefinedNet net;
  const LearnedRounding rounding = rounding_of(net, net.weights()[0]);
  {
    const at::NoGradGuard no_grad;
    at::Tensor(rounding.variable()).fill_(0);
    EXPECT_NEAR(rounding.undecided(2).item<double>(), 1, 1e-6);
    at::Tensor(rounding.variable()).fill_(9);
    EXPECT_NEAR(rounding.undecided(2).item<double>(), 0, 1e-6);
  }
}

TEST(LearnedRange, HasTheGradientOfItsStep) {
  const QuantParams grid{.scale = {0.02F}, .zero_point = {-28}};
  const LearnedRange range(grid, {-kEndless, kEndless});
  const at::Tensor x = to_torch(test::random_tensor({400}, 3, -3, 4));
  const at::Tensor pull = to_torch(test::random_tensor({400}, 4));
  // Within a step of an end, how floats are rounded decides on which side a value is.
  for (int i = 0; i < 400; ++i) {
    const double v = x[i].item<double>() / 0.02;
    if (std::abs(v + 100) < 1 || std::abs(v - 155) < 1) pull[i] = 0;
  }
  (range.round(x) * pull).sum().backward();
  // LSQ: inside, round(v) - v; outside, the end of the grid; times the step for its logarithm.
  double wanted = 0;
  for (int i = 0; i < 400; ++i) {
    const double v = x[i].item<double>() / 0.02F;
    const double q = std::clamp(std::nearbyint(v), -100.0, 155.0);
    wanted += pull[i].item<double>() * 0.02F * (q != std::nearbyint(v) ? q : q - v);
  }
  EXPECT_NEAR(range.variable().grad().item<double>(), wanted, 0.01);
}

TEST(LearnedRange, NeverPassesItsBounds) {
  struct Case {
    const char* what;
    QuantParams grid;
    FromData bounds;
    double pull;
    double factor;  ///< of the step afterwards
  };
  const QuantParams clipped{.scale = {6.0F / 255}, .zero_point = {-128}};
  const std::vector<Case> cases{
      {"Relu grows", clipped, {0, kEndless}, 5, 2},
      {"Relu6 does not grow", clipped, {0, 6}, 5, 1},
      {"Relu6 shrinks", clipped, {0, 6}, -5, 0.5},
      {"Clip(-1, 1)", {.scale = {1.0F / 200}, .zero_point = {0}}, {-1, 1}, 5, 200 / 128.0},
      {"as it is", clipped, {0, kEndless}, 0, 1},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.what);
    const LearnedRange range(row.grid, row.bounds);
    {
      const at::NoGradGuard no_grad;
      at::Tensor(range.variable()).fill_(row.pull);
    }
    const QuantParams learned = range.params();
    EXPECT_NEAR(learned.scale[0] / row.grid.scale[0], row.factor, 1e-5);
    EXPECT_EQ(learned.zero_point, row.grid.zero_point);
  }
}

}  // namespace
}  // namespace octet
