#include "quant/analytic_bias.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "graph/quantize_tensor.h"
#include "quant/refined_net.h"
#include "support/error_of.h"

namespace octet {
namespace {

/// One layer whose channels have different means; 6 channels go in, and 4 come out of it.
struct Layer {
  std::string op;
  Shape input;
  Shape weight;
  std::map<std::string, Attribute> attributes;
};

void PrintTo(const Layer& layer, std::ostream* out) { *out << layer.op << layer.weight.size(); }

/// Images whose channels are of one number each, and differ in the mean: then what convolutions
/// leave out at the border is nothing.
Tensor images_of(const Shape& shape) {
  const Tensor drawn = test::random_tensor({shape[0], shape[1]}, 7, -1, 1);
  Tensor images(DType::Float32, shape);
  const auto numbers = images.as<float>();
  const size_t places = numbers.size() / drawn.as<float>().size();
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t channel = i / places % static_cast<size_t>(shape[1]);
    numbers[i] = drawn.as<float>()[i / places] + static_cast<float>(channel) - 1.5F;
  }
  return images;
}

NextImages once(const Tensor& images) {
  return [&images, given = false](std::vector<float>& batch) mutable -> int64_t {
    if (std::exchange(given, true)) return 0;
    batch.assign(images.as<float>().begin(), images.as<float>().end());
    return images.shape[0];
  };
}

class AnalyticBias : public testing::TestWithParam<Layer> {
 protected:
  void SetUp() override {
    Shape open = GetParam().input;
    open[0] = -1;
    const ValueId x = graph_.add_input("x", DType::Float32, open);
    weight_ = graph_.add_constant("w", test::random_tensor(GetParam().weight, 3, -1, 1));
    graph_.add_output(graph_.add_op(GetParam().op, "layer", {x, weight_}, GetParam().attributes));
    infer_shapes(graph_);
    const std::vector<std::string> names{"tflite"};
    placement_ = place(graph_, TargetSet(names), {.weights = Scheme::Weights::PerTensor});
    seen_ = observe(graph_, placement_, once(images_));
    table_ = solve(graph_, placement_, choose_ranges(placement_, seen_, {.observer = "minmax"}));
  }

  /// By output channel, with the numbers that the integers of weight and bias stand for.
  at::Tensor rounded_means() const {
    Graph rounded = graph_;
    for (const ValueId id : graph_.node(graph_.order()[0]).inputs) {
      if (!graph_.is_constant(id)) continue;
      const QuantParams& grid = table_.at(id, graph_);
      rounded.value(id).constant = dequantize(quantize(*graph_.value(id).constant, grid), grid);
    }
    return means_of(rounded);
  }
  at::Tensor means_of(const Graph& graph) const {
    const at::NoGradGuard no_grad;
    const at::Tensor images = to_torch(images_);
    Interpretation real;
    const at::Tensor out = Executor(graph).run({&images, 1}, real).at(0);
    return out.dim() == 4 ? out.mean({0, 2, 3}) : out.mean(at::IntArrayRef{0});
  }

  Tensor images_ = images_of(GetParam().input);
  Graph graph_;
  ValueId weight_ = kAbsent;
  Placement placement_;
  Calibration seen_;
  QuantTable table_;
};

TEST_P(AnalyticBias, TakesBackWhatRoundedWeightsAdd) {
  const Graph reference = graph_;
  const at::Tensor wanted = means_of(reference);
  const double before = (rounded_means() - wanted).abs().max().item<double>();
  const AnalyticCorrection done =
      correct_biases_by_means(reference, graph_, placement_, table_, seen_.means);
  EXPECT_EQ(done.layers, 1);
  const double after = (rounded_means() - wanted).abs().max().item<double>();
  EXPECT_GT(before, 1e-3) << "there is nothing to take back";
  EXPECT_LT(after, 0.05 * before);
}

INSTANTIATE_TEST_SUITE_P(
    Layers, AnalyticBias,
    testing::Values(Layer{"Conv", {8, 6, 6, 6}, {4, 6, 1, 1}, {}},
                    Layer{"Conv", {8, 6, 5, 5}, {4, 6, 3, 3}, {}},
                    Layer{"Conv", {8, 6, 5, 5}, {4, 3, 3, 3}, {{"group", int64_t{2}}}},
                    Layer{"Conv", {8, 6, 5, 5}, {6, 1, 3, 3}, {{"group", int64_t{6}}}},
                    Layer{"ConvTranspose",
                          {8, 6, 4, 4},
                          {6, 4, 2, 2},
                          {{"strides", std::vector<int64_t>{2, 2}}}},
                    Layer{"Gemm", {32, 6}, {6, 4}, {{"alpha", 0.5F}}},
                    Layer{"Gemm", {32, 6}, {4, 6}, {{"transB", int64_t{1}}, {"beta", 2.0F}}}));

TEST(AnalyticBiasCorrection, TakesABlockNetworkOffItsCalibrationAlone) {
  test::RefinedNet net;
  const Calibration seen = observe(net.graph, net.placement, net.pass());
  net.images_read = 0;
  const QuantTable before = net.table;
  const AnalyticCorrection done =
      correct_biases_by_means(net.reference, net.graph, net.placement, net.table, seen.means);
  EXPECT_EQ(done.layers, 5);
  EXPECT_EQ(done.without, std::vector<std::string>{});
  EXPECT_EQ(net.images_read, 0);
  for (const ValueId id : net.weights()) EXPECT_EQ(*net.table.find(id), *before.find(id));
}

TEST(AnalyticBiasCorrection, NamesAValueWithoutMeans) {
  test::RefinedNet net;
  const ValueId first = net.graph.node(net.graph.order()[0]).inputs[0];
  EXPECT_EQ(
      message_of(
          [&] { correct_biases_by_means(net.reference, net.graph, net.placement, net.table, {}); }),
      std::format("analytic-bias-correction: {}: calibration has no means of '{}' by channel",
                  describe(net.graph.node(net.graph.order()[0])), net.graph.value(first).name));
}

}  // namespace
}  // namespace octet
