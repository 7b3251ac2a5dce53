#include "quant/sensitivity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <set>

#include "quant/regroup.h"
#include "quant/simulate.h"
#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/one_bad_layer.h"

namespace octet {
namespace {

/// Batches of 4 images.
NextImages images(int64_t count, int64_t pixels, unsigned seed = 21, float high = 1) {
  const Tensor data = test::random_tensor({count, pixels}, seed, 0, high);
  return [=, at = int64_t{0}](std::vector<float>& out) mutable -> int64_t {
    const int64_t taken = std::min<int64_t>(4, count - at);
    const auto from = data.as<float>().subspan(static_cast<size_t>(at * pixels),
                                               static_cast<size_t>(taken * pixels));
    out.assign(from.begin(), from.end());
    at += taken;
    return taken;
  };
}

struct Measured {
  Graph graph = test::one_bad_layer();
  Placement placement;
  QuantTable table;
  std::vector<Layer> layers;
  NetworkNoise noise;

  explicit Measured(Scheme::Weights weights) {
    const std::vector<std::string> names{"onnxruntime-cpu"};
    const Scheme scheme{.weights = weights};
    placement = place(graph, TargetSet(names), scheme);
    table = solve(graph, placement,
                  calibrate(graph, placement, images(16, 64, 21, 1.5), {.observer = "minmax"}));
    layers = layers_of(graph, placement);
    noise = measure_noise(graph, placement, table, layers, images(10, 64, 22));
  }

  const LayerNoise& of(const std::string& name) const {
    const auto it = std::ranges::find(layers, name, &Layer::name);
    return noise.layers.at(static_cast<size_t>(it - layers.begin()));
  }
};

TEST(Sensitivity, NamesTheLayerThatBreaks) {
  const Measured found(Scheme::Weights::PerTensor);
  EXPECT_EQ(found.noise.images, 10);
  const LayerNoise& bad = found.of("outlier");
  for (const char* other : {"input 'x'", "first", "hidden", "last"}) {
    EXPECT_GT(bad.logits.noise, 50 * found.of(other).logits.noise) << other;
    EXPECT_GT(bad.divergence, 10 * found.of(other).divergence) << other;
  }
  EXPECT_LT(bad.weight.sqnr(), 3) << "its weights are at fault";
  EXPECT_GT(bad.result.sqnr(), 30) << "its result is not";
}

TEST(Sensitivity, FindsNothingWrongWithAScalePerChannel) {
  const Measured found(Scheme::Weights::PerChannel);
  for (const char* name : {"first", "hidden", "last"}) {
    EXPECT_GT(found.of(name).logits.sqnr(), 25) << name;
  }
  EXPECT_EQ(found.of("input 'x'").weight.signal, 0) << "the input has no weights";
}

/// Everything but one layer in float.
class Alone final : public Interpretation {
 public:
  Alone(Simulation& all, const Graph& graph, const Layer& layer)
      : all_(all), own_(layer.results.begin(), layer.results.end()) {
    for (const NodeId id : layer.nodes) {
      for (const ValueId in : graph.node(id).inputs) {
        if (graph.is_constant(in)) own_.insert(in);
      }
    }
  }
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override {
    return own_.contains(id) ? all_.constant(id, tensor) : tensor;
  }
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    return own_.contains(id) ? all_.activation(id, tensor) : tensor;
  }

 private:
  Simulation& all_;
  std::set<ValueId> own_;
};

/// What is computed again from kept values is what a whole run with that layer alone gives.
TEST(Sensitivity, IsThatOfAWholeRun) {
  const Measured found(Scheme::Weights::PerTensor);
  Simulation all(found.graph, found.placement, found.table);
  Executor executor(found.graph);
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < found.layers.size(); ++i) {
    Alone alone(all, found.graph, found.layers[i]);
    Interpretation real;
    double noise = 0;
    const NextImages next = images(10, 64, 22);
    std::vector<float> batch;
    while (const int64_t count = next(batch)) {
      const at::Tensor in = at::from_blob(batch.data(), {count, 1, 8, 8}, at::kFloat);
      const at::Tensor error = executor.run({&in, 1}, alone)[0] - executor.run({&in, 1}, real)[0];
      noise += error.to(at::kDouble).pow(2).sum().item<double>();
    }
    EXPECT_NEAR(found.noise.layers[i].logits.noise, noise, 1e-5 * noise + 1e-12)
        << found.layers[i].name;
  }
}

/// 1 / (x + eps), where x is rounded to 0: integers end where the grid of the quotient ends.
TEST(Sensitivity, OfADivisorThatIsLostIsFinite) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  const ValueId small =
      graph.add_op("Mul", "small", {x, graph.add_constant("c", Tensor::scalar(1.0F))});
  const ValueId inverse = graph.add_op("Reciprocal", "inverse", {small});
  graph.add_output(inverse);
  infer_shapes(graph);
  QuantTable table;
  table.set(small, test::activation_grid(0, 1000));  // a step of 4: all is rounded to 0
  table.set(inverse, test::activation_grid(0, 10));
  const Layer layer{
      .name = "small", .op = "Mul", .nodes = {*graph.producer(small)}, .results = {small}};
  bool given = false;
  const NetworkNoise found =
      measure_noise(graph, {}, table, {&layer, 1}, [&](std::vector<float>& out) -> int64_t {
        out = {0.5, 0.25, 1, 0.125};
        return std::exchange(given, true) ? 0 : 1;
      });
  // Float: 2, 4, 1, 8; with the divisor lost: 10 each.
  EXPECT_NEAR(found.layers[0].logits.noise, 64 + 36 + 81 + 4, 1e-3);
}

TEST(Sensitivity, WantsImages) {
  const Graph graph = test::one_bad_layer();
  EXPECT_EQ(message_of([&] {
              measure_noise(graph, {}, {}, {}, [](std::vector<float>&) { return int64_t{0}; });
            }),
            "sensitivity: there are no images");
}

/// Sketches of single values make those of any placement.
TEST(Regroup, IsWhatOneLookWouldHaveLeft) {
  const Graph graph = test::one_bad_layer();
  const std::vector<std::string> names{"onnxruntime-cpu"};
  const Placement placement = place(graph, TargetSet(names));
  const Placement alone = each_alone(graph, placement);
  const Calibration seen = observe(graph, alone, images(12, 64));
  const Calibration wanted = observe(graph, placement, images(12, 64));
  const Calibration found = regroup(graph, placement, alone, seen);
  EXPECT_EQ(found.images, 12);
  ASSERT_EQ(found.sketches.size(), wanted.sketches.size());
  for (const auto& [group, sketch] : wanted.sketches) {
    EXPECT_TRUE(found.sketches.at(group) == sketch) << group;
  }
  const Placement nothing;
  EXPECT_EQ(message_of([&] { regroup(graph, placement, nothing, seen); }),
            "the value 'x' would have to be rounded, and was not observed");
}

}  // namespace
}  // namespace octet
