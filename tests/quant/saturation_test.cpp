#include "quant/saturation.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "dialects/onnxruntime_pairs.h"
#include "engine/executor.h"
#include "graph/quantize_tensor.h"
#include "quant/simulate.h"
#include "quant/solve.h"
#include "quant/training_simulation.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

/// The kernel, one number at a time: what vpmaddubsw, vpmaddwd and vpaddd do for one output.
int32_t sum_in_pairs(const std::vector<uint8_t>& x, const std::vector<int8_t>& w) {
  int32_t sum = 0;
  for (size_t k = 0; k < w.size(); k += 2) {
    int32_t pair = x[k] * w[k];
    if (k + 1 < w.size()) pair += x[k + 1] * w[k + 1];
    sum += std::clamp(pair, -32768, 32767);
  }
  return sum;
}
int32_t sum_exactly(const std::vector<uint8_t>& x, const std::vector<int8_t>& w) {
  int32_t sum = 0;
  for (size_t k = 0; k < w.size(); ++k) sum += x[k] * w[k];
  return sum;
}

/// The input that drives every pair as far as it goes: up, or down.
std::vector<uint8_t> adverse(const std::vector<int8_t>& w, bool up) {
  std::vector<uint8_t> x;
  for (const int8_t q : w) x.push_back((q > 0) == up ? 255 : 0);
  return x;
}

bool saturates(const std::vector<int8_t>& w) {
  return sum_in_pairs(adverse(w, true), w) != sum_exactly(adverse(w, true), w) ||
         sum_in_pairs(adverse(w, false), w) != sum_exactly(adverse(w, false), w);
}

/// One weighted node with its grids.
struct SaturatingLayer {
  Graph graph;
  Placement placement;
  QuantTable table;
  ValueId weight = kAbsent;

  SaturatingLayer(const std::string& op, Tensor values, std::map<std::string, Attribute> attributes,
                  Scheme::Saturation saturation) {
    Shape input = values.shape.size() == 4
                      ? Shape{-1, values.shape[1] * group_of(attributes), 6, 6}
                      : Shape{-1, values.shape[attributes.contains("transB") ? 1 : 0]};
    const ValueId x = graph.add_input("x", DType::Float32, input);
    weight = graph.add_constant("w", std::move(values));
    graph.add_output(graph.add_op(op, "layer", {x, weight}, std::move(attributes)));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu"};
    placement = place(graph, TargetSet(names), {.saturation = saturation});
    Ranges ranges;
    for (size_t i = 0; i < placement.groups.size(); ++i) ranges[i] = {-1, 1, false};
    table = solve(graph, placement, ranges);
  }

  static int64_t group_of(const std::map<std::string, Attribute>& attributes) {
    const auto it = attributes.find("group");
    return it == attributes.end() ? 1 : std::get<int64_t>(it->second);
  }

  /// The integers of output channel `c` in the order in which the kernel sums: from ONNX's
  /// definition of the operators, element by element.
  std::vector<int8_t> channel(int64_t c) const {
    const Tensor integers = quantize(*graph.value(weight).constant, *table.find(weight));
    const auto all = integers.as<int8_t>();
    const Shape& shape = integers.shape;
    std::vector<int8_t> taken;
    if (shape.size() == 2) {
      const bool rows = graph.node(0).has("transB");
      const int64_t in = shape[rows ? 1 : 0];
      for (int64_t k = 0; k < in; ++k) {
        taken.push_back(all[static_cast<size_t>(rows ? c * in + k : k * shape[1] + c)]);
      }
      return taken;
    }
    const int64_t taps = shape[2] * shape[3];
    for (int64_t tap = 0; tap < taps; ++tap) {
      for (int64_t i = 0; i < shape[1]; ++i) {
        taken.push_back(all[static_cast<size_t>((c * shape[1] + i) * taps + tap)]);
      }
    }
    return taken;
  }

  int64_t saturating() const {
    int64_t count = 0;
    for (size_t c = 0; c < table.find(weight)->scale.size(); ++c) {
      count += saturates(channel(static_cast<int64_t>(c))) ? 1 : 0;
    }
    return count;
  }
};

struct LayerCase {
  const char* name;
  const char* op;
  Shape weight;
  std::map<std::string, Attribute> attributes;
  bool depthwise = false;
};

const std::vector<LayerCase>& layers() {
  static const std::vector<LayerCase> all{
      {"Conv", "Conv", {16, 8, 3, 3}, {}},
      {"OddInputs", "Conv", {10, 3, 3, 3}, {}},
      {"Grouped", "Conv", {12, 5, 3, 1}, {{"group", int64_t{2}}}},
      {"Depthwise", "Conv", {12, 1, 3, 3}, {{"group", int64_t{12}}}, true},
      {"Gemm", "Gemm", {33, 10}, {}},
      {"GemmOfRows", "Gemm", {10, 33}, {{"transB", int64_t{1}}}},
      {"MatMul", "MatMul", {16, 10}, {}},
  };
  return all;
}

class SaturationOf : public ::testing::TestWithParam<LayerCase> {
 protected:
  /// Mostly of one sign, so that most channels can saturate; the last one has a single weight.
  static SaturatingLayer layer(Scheme::Saturation saturation) {
    const LayerCase& held = GetParam();
    Tensor values = test::random_tensor(held.weight, 5, -0.3F, 1);
    const bool columns = values.shape.size() == 2 && held.attributes.empty();
    const auto all = values.as<float>();
    const auto channels = static_cast<size_t>(values.shape[columns ? 1 : 0]);
    for (size_t i = 0; i + 1 < all.size(); ++i) {
      const size_t c = columns ? i % channels : i / (all.size() / channels);
      if (c + 1 == channels) all[i] = 0;
    }
    return SaturatingLayer(held.op, std::move(values), held.attributes, saturation);
  }
};

TEST_P(SaturationOf, IsAvoidedWhateverTheInput) {
  const SaturatingLayer plain = layer(Scheme::Saturation::Report);
  const SaturatingLayer cured = layer(Scheme::Saturation::Avoid);
  if (GetParam().depthwise) {
    EXPECT_TRUE(pair_margins(plain.graph, plain.table).empty());
    EXPECT_EQ(plain.table.find(plain.weight)->scale, cured.table.find(cured.weight)->scale);
    return;
  }
  EXPECT_GT(plain.saturating(), 0);
  EXPECT_EQ(cured.saturating(), 0);
  // Found from the weights alone, without a false alarm.
  EXPECT_EQ(pair_margins(plain.graph, plain.table).at(0).saturating, plain.saturating());
  EXPECT_EQ(pair_margins(cured.graph, cured.table).at(0).saturating, 0);
  EXPECT_LE(pair_margins(cured.graph, cured.table).at(0).largest, kLargestPair);
  // Other channels keep their scale, and no more is given up than needed: the worst is at the
  // limit.
  const auto& before = plain.table.find(plain.weight)->scale;
  const auto& after = cured.table.find(cured.weight)->scale;
  for (size_t c = 0; c < before.size(); ++c) {
    if (saturates(plain.channel(static_cast<int64_t>(c)))) {
      EXPECT_GT(after[c], before[c]);
      EXPECT_LT(after[c], before[c] * 2);
    } else {
      EXPECT_EQ(after[c], before[c]);
    }
  }
  EXPECT_GE(pair_margins(cured.graph, cured.table).at(0).largest, kLargestPair - 1);
}

TEST_P(SaturationOf, IsAvoidedInTrainingToo) {
  const SaturatingLayer net = layer(Scheme::Saturation::Avoid);
  Executor executor(net.graph);
  TrainingSimulation training(net.graph, net.placement, net.table, executor);
  Simulation deployed(net.graph, net.placement, net.table);
  const at::Tensor real = executor.constant(net.weight);
  const at::Tensor a = training.constant(net.weight, real).contiguous();
  const at::Tensor b = deployed.constant(net.weight, real).contiguous();
  const float step = std::ranges::max(net.table.find(net.weight)->scale);
  EXPECT_LT((a - b).abs().max().item<float>(), step * 1.01F);
  EXPECT_LT(((a - b).abs() > step * 0.01F).sum().item<int64_t>(), a.numel() / 100 + 1)
      << "they may part where a weight lies between two integers";
}

INSTANTIATE_TEST_SUITE_P(Layers, SaturationOf, ::testing::ValuesIn(layers()),
                         [](const auto& given) { return given.param.name; });

RC_GTEST_PROP(Saturation, NoPairOfAnyWeightsIsTooLarge, ()) {
  const auto count = *rc::gen::inRange<int64_t>(1, 40);
  const auto exponent = *rc::gen::inRange(-60, 60);
  const auto drawn = *rc::gen::container<std::vector<int>>(static_cast<size_t>(count),
                                                           rc::gen::inRange(-1000, 1001));
  std::vector<float> weights;
  for (const int number : drawn)
    weights.push_back(std::ldexp(static_cast<float>(number), exponent));
  const float largest =
      std::abs(std::ranges::max(weights, {}, [](float w) { return std::abs(w); }));
  QuantParams params{.axis = 0,
                     .low = -127,
                     .high = 127,
                     .scale = {std::max(largest / 127, kSmallestScale)},
                     .zero_point = {0}};
  const Tensor weight = Tensor::of<float>({1, count}, weights);
  widen_for_pairs(PairOrder::Rows, weight, params);
  const Tensor integers = quantize(weight, params);
  const auto q = integers.as<int8_t>();
  RC_ASSERT(!saturates({q.begin(), q.end()}));
  RC_ASSERT(params.scale[0] <= std::max(largest / 63.9F, kSmallestScale));
}

TEST(Saturation, WithoutOnnxRuntimeWeightsKeepTheirRange) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 8});
  const ValueId w = graph.add_constant("w", test::random_tensor({8, 4}, 3, 0.5F, 1));
  graph.add_output(graph.add_op("MatMul", "m", {x, w}));
  infer_shapes(graph);
  for (const auto& [target, order] :
       {std::pair{"tflite", PairOrder::None}, std::pair{"onnxruntime-cpu", PairOrder::Columns}}) {
    const std::vector<std::string> names{target};
    const Placement placement = place(graph, TargetSet(names));
    const GroupRule& rule = placement.groups[placement.group_of.at(w)].rule;
    EXPECT_EQ(std::get<WeightGrid>(rule).pairs, order) << target;
  }
}

TEST(Saturation, IsDescribedInOneLine) {
  const std::vector<float> heavy{1, 1, 0.5F, -0.5F};  // channels [1, 0.5], [1, -0.5]
  const SaturatingLayer plain("MatMul", Tensor::of<float>({2, 2}, heavy), {},
                              Scheme::Saturation::Report);
  EXPECT_EQ(describe_margins(plain.graph, pair_margins(plain.graph, plain.table)),
            "x86 without VNNI: 1 of 2 channels can saturate, in 1 of 1 nodes; the worst is node "
            "\"layer\" (MatMul), where two neighbouring weights sum up to 191 (128 cannot "
            "saturate)");
  const SaturatingLayer cured("MatMul", Tensor::of<float>({2, 2}, heavy), {},
                              Scheme::Saturation::Avoid);
  EXPECT_EQ(describe_margins(cured.graph, pair_margins(cured.graph, cured.table)),
            "x86 without VNNI: no input can saturate any of 2 channels in 1 nodes");
}

}  // namespace
}  // namespace octet
