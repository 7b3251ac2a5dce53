#include "quant/calibrate.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "engine/executor.h"
#include "quant/observer.h"
#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

TEST(Solve, MakesZeroExactInAnyRange) {
  struct Case {
    Range range;
    float scale;
    int32_t zero_point;
  };
  const std::vector<Case> cases{
      {{0, 6, false}, 6.0F / 255, -128}, {{-1, 3, false}, 4.0F / 255, -64},  // -128 + 63.75
      {{2, 5, false}, 5.0F / 255, -128}, {{-5, -2, false}, 5.0F / 255, 127},
      {{0, 0, false}, 1.0F / 255, -128}, {{}, 1.0F / 255, -128},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::format("[{}, {}]", c.range.low, c.range.high));
    const QuantParams params = activation_params(c.range);
    EXPECT_FLOAT_EQ(params.scale[0], c.scale);
    EXPECT_EQ(params.zero_point[0], c.zero_point);
    EXPECT_EQ(dequantize(quantize(0, grid_of(params)), grid_of(params)), 0);
  }
}

TEST(Solve, CentresSymmetricGridsOnZero) {
  struct Case {
    Range range;
    float scale;
  };
  const std::vector<Case> cases{{{0, 6, false}, 6.0F / 127},
                                {{-1, 3, false}, 3.0F / 127},
                                {{-4, 1, false}, 4.0F / 128},
                                {{0, 0, false}, 1.0F / 127}};
  for (const Case& c : cases) {
    SCOPED_TRACE(std::format("[{}, {}]", c.range.low, c.range.high));
    const QuantParams params = activation_params(c.range, Scheme::Activations::Symmetric);
    EXPECT_FLOAT_EQ(params.scale[0], c.scale);
    EXPECT_EQ(params.zero_point[0], 0);
  }
}

RC_GTEST_PROP(Solve, TakesTheLeastPowerOfTwoThatHoldsTheRange, ()) {
  const auto tenth = [] { return static_cast<float>(*rc::gen::inRange(0, 100000)) / 1000; };
  const Range range{-tenth(), tenth(), false};
  for (const auto activations : {Scheme::Activations::Asymmetric, Scheme::Activations::Symmetric}) {
    const Scheme scheme{.activations = activations, .scales = Scheme::Scales::PowerOfTwo};
    const QuantParams free = activation_params(range, activations);
    const QuantParams params = activation_params(range, scheme);
    int exponent = 0;
    RC_ASSERT(std::frexp(params.scale[0], &exponent) == 0.5F);
    RC_ASSERT(params.scale[0] >= free.scale[0] && params.scale[0] < 2 * free.scale[0]);
    const double step = params.scale[0];
    const double zero = params.zero_point[0];
    RC_ASSERT((-128 - zero) * step <= range.low + step / 2 + 1e-6);
    RC_ASSERT((127 - zero) * step >= range.high - step / 2 - 1e-6);
    RC_ASSERT(activations == Scheme::Activations::Asymmetric || zero == 0);
  }
}

/// conv(x) of one channel, on both targets.
struct OneConv {
  Graph graph;
  Placement placement;
  OneConv(float weight, float bias) {
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 2, 2});
    const ValueId w =
        graph.add_constant("w", Tensor::of<float>({1, 1, 1, 1}, std::span(&weight, 1)));
    const ValueId b = graph.add_constant("b", Tensor::of<float>({1}, std::span(&bias, 1)));
    graph.add_output(graph.add_op("Conv", "conv", {x, w, b}));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    placement = place(graph, TargetSet(names));
  }
};

NextImages images(std::vector<std::vector<float>> batches) {
  auto at = std::make_shared<size_t>(0);
  auto held = std::make_shared<std::vector<std::vector<float>>>(std::move(batches));
  return [at, held](std::vector<float>& out) -> int64_t {
    if (*at == held->size()) return 0;
    out = (*held)[(*at)++];
    return static_cast<int64_t>(out.size() / 4);
  };
}

TEST(Solve, ABiasNeverOverflowsItsAccumulator) {
  // A dead channel: BatchNorm folding leaves such next to a large bias.
  const OneConv net(1e-20F, 3.0F);
  const Ranges ranges =
      calibrate(net.graph, net.placement, images({{0, 1, 2, 3}}), {.observer = "minmax"});
  const QuantTable table = solve(net.graph, net.placement, ranges);
  const ValueId bias = *net.graph.find("b");
  const QuantParams& params = *table.find(bias);
  const Tensor integers = quantize(*net.graph.value(bias).constant, params);
  EXPECT_LE(std::abs(static_cast<double>(integers.as<int32_t>()[0])), kLargestBias * 1.001);
  EXPECT_NEAR(dequantize(integers, params).as<float>()[0], 3.0F, 1e-5F);
}

TEST(Calibrate, SeesEveryBatch) {
  const OneConv net(2.0F, 1.0F);
  const Ranges ranges =
      calibrate(net.graph, net.placement, images({{0, 1, 2, 3}, {-4, 0, 0, 0}, {0, 0, 0, 9}}),
                {.observer = "minmax"});
  const Range& x = ranges.at(net.placement.group_of.at(*net.graph.find("x")));
  const Range& y = ranges.at(net.placement.group_of.at(*net.graph.find("conv")));
  EXPECT_EQ(std::pair(x.low, x.high), std::pair(-4.0F, 9.0F));
  EXPECT_EQ(std::pair(y.low, y.high), std::pair(-7.0F, 19.0F));
}

/// Three convolutions on images of 8x8, one of them pointwise and one depthwise.
struct SmallNet {
  Graph graph;
  Placement placement;
  SmallNet() {
    ValueId x = graph.add_input("x", DType::Float32, {-1, 3, 8, 8});
    const auto convolve = [&](const std::string& name, const Shape& weight, int64_t group) {
      const ValueId w = graph.add_constant(name + ".w", test::random_tensor(weight, 1));
      x = graph.add_op("Conv", name, {x, w}, {{"group", group}});
    };
    convolve("a", {16, 3, 3, 3}, 1);
    x = graph.add_op("Relu", "r", {x});
    convolve("b", {16, 1, 3, 3}, 16);
    convolve("c", {24, 16, 1, 1}, 1);
    graph.add_output(x);
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    placement = place(graph, TargetSet(names));
  }
};

TEST(Calibrate, SeesTheSameInAnyBatchesOnAnyThreads) {
  constexpr int64_t kImages = 37;
  const SmallNet net;
  const Tensor all = test::random_tensor({kImages, 3, 8, 8}, 2);
  const auto look = [&](int64_t batch, int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    int64_t at = 0;
    const NextImages next = [&](std::vector<float>& out) {
      const int64_t count = std::min(batch, kImages - at);
      const auto part =
          all.as<float>().subspan(static_cast<size_t>(at) * 192, static_cast<size_t>(count) * 192);
      out.assign(part.begin(), part.end());
      at += count;
      return count;
    };
    const Calibration seen = observe(net.graph, net.placement, next);
    at::set_num_threads(before);
    return seen;
  };
  const Calibration whole = look(kImages, 1);
  EXPECT_EQ(whole.images, kImages);
  for (const auto& [batch, threads] :
       std::vector<std::pair<int64_t, int>>{{1, 1}, {5, 1}, {16, 2}, {20, 3}, {kImages, 2}}) {
    SCOPED_TRACE(std::format("batches of {}, {} threads", batch, threads));
    const Calibration seen = look(batch, threads);
    ASSERT_EQ(seen.sketches.size(), whole.sketches.size());
    for (const auto& [group, sketch] : seen.sketches) {
      EXPECT_TRUE(sketch.histogram == whole.sketches.at(group).histogram) << group;
      if (batch != kImages) continue;
      EXPECT_TRUE(sketch == whole.sketches.at(group)) << group;
    }
  }
}

TEST(Calibrate, NamesWhereNanAppears) {
  const OneConv net(std::nanf(""), 1.0F);
  const std::vector<float> two{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(message_of([&] {
              calibrate(net.graph, net.placement, images({two}), {.observer = "minmax"});
            }),
            "calibrate: node \"conv\" (Conv): the value 'conv' cannot be calibrated: element 0 of "
            "4 is nan");
  EXPECT_EQ(
      message_of([&] { calibrate(net.graph, net.placement, images({}), {.observer = "minmax"}); }),
      "calibrate: there are no calibration images");
}

}  // namespace
}  // namespace octet
