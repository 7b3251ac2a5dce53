// What methods that refine leave behind, in both files: against the simulation and against the
// exact dialects.
#include "pipeline/parity.h"
#include "quant/bias_correction.h"
#include "train/adaround.h"
#include "train/learn_ranges.h"
#include "train/reconstruct.h"

namespace octet {
namespace {

using namespace test;

constexpr int64_t kRefineImages = 8;

/// HardSwish, whose product with 1/6 follows the step of its source, between convolutions, and a
/// table (Sigmoid).
Graph refined_network() {
  SmallNet net;
  const ValueId wide = net.op("HardSwish", {net.op("Conv", {net.x, net.c({8, 3, 3, 3})})});
  const ValueId gate = net.op("Sigmoid", {net.mixed(net.x, 5)});
  const ValueId pooled = net.op("GlobalAveragePool", {net.op("Conv", {gate, net.c({8, 5, 1, 1})})});
  const ValueId sum = net.op("Relu", {net.op("Add", {wide, pooled})});
  net.graph.add_output(net.op("Flatten", {net.op("Conv", {sum, net.c({4, 8, 1, 1}), net.c({4})})}));
  return std::move(net.graph);
}

NextImages all_at_once(std::span<const float> images) {
  return [images, given = false](std::vector<float>& batch) mutable -> int64_t {
    if (std::exchange(given, true)) return 0;
    batch.assign(images.begin(), images.end());
    return kRefineImages;
  };
}

struct RefineCase {
  const char* name;
  WalkSettings (*settings)();  ///< nullptr: the correction of biases
};

class Refined : public ::testing::TestWithParam<std::tuple<RefineCase, Scheme::Weights>> {};

TEST_P(Refined, FilesComputeWhatIsSimulated) {
  const auto& [held, weights] = GetParam();
  const std::vector<std::string> targets{"onnxruntime-cpu", "tflite"};
  const Tensor data = random_tensor({kRefineImages, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const Graph original = refined_network();
  Quantized net(original, targets, images, kRefineImages, {.weights = weights});
  const Graph reference = net.graph;
  const QuantTable before = net.table;
  if (held.settings) {
    WalkSettings settings = held.settings();
    settings.unit.iterations = 40;
    settings.unit.rate = 0.05;
    settings.unit.range_rate = 0.01;
    learn_units(reference, net.graph, net.placement, net.table, all_at_once(images), settings, {});
  } else {
    correct_biases(reference, net.graph, net.placement, net.table,
                   [&] { return all_at_once(images); }, {});
  }
  EXPECT_FALSE(write_onnx(net.graph, net.table) == write_onnx(reference, before))
      << "it did something";
  check_file(net, "onnxruntime-cpu", images, images, kRefineImages, 1);
  const auto laid = moved_last(images, 3, 36);
  check_file(net, "tflite", laid, images, kRefineImages, 2);
  const TwinFiles files(net.graph, net.table, targets);
  files.check_equal();
  files.check_adopted(original, {.weights = weights});
}

INSTANTIATE_TEST_SUITE_P(
    All, Refined,
    ::testing::Combine(::testing::Values(RefineCase{"BiasCorrection", nullptr},
                                         RefineCase{"AdaRound", adaround},
                                         RefineCase{"Reconstruct", reconstruct},
                                         RefineCase{"LearnRanges", learn_ranges}),
                       ::testing::Values(Scheme::Weights::PerChannel, Scheme::Weights::PerTensor)),
    [](const auto& held) {
      const bool tensor = std::get<1>(held.param) == Scheme::Weights::PerTensor;
      return std::get<0>(held.param).name + std::string(tensor ? "PerTensor" : "PerChannel");
    });

}  // namespace
}  // namespace octet
