#pragma once

#include <cmath>

#include "ops/example.h"

namespace octet::test {

/// Swish is newer than opset 21: x / (1 + exp(-alpha x)).
inline std::vector<Tensor> swish_twin(const OpExample& example) {
  const Tensor& image = example.inputs[0].tensor;
  const auto given = example.attributes.find("alpha");
  const double alpha = given == example.attributes.end() ? 1 : std::get<float>(given->second);
  std::vector<double> values = numbers_of(image);
  for (double& value : values) value /= 1 + std::exp(-alpha * value);
  return {floats(image.shape, values)};
}

/// Shrink of integers below -lambd and above lambd, towards zero by bias.
inline std::vector<Tensor> shrink_twin(const OpExample& example) {
  const double edge = std::get<float>(example.attributes.at("lambd"));
  const double bias = std::get<float>(example.attributes.at("bias"));
  const Tensor& given = example.inputs[0].tensor;
  std::vector<double> values = numbers_of(given);
  for (double& value : values) {
    value = value < -edge ? value + bias : value > edge ? value - bias : 0;
  }
  return {as(given.dtype, {Operand::Kind::Input, floats(given.shape, values)}).tensor};
}

/// Clip of whole numbers, of which ONNX Runtime has only some types.
inline std::vector<Tensor> clip_twin(const OpExample& example) {
  const Tensor& given = example.inputs[0].tensor;
  const double low = numbers_of(example.inputs[1].tensor)[0];
  const double high = numbers_of(example.inputs[2].tensor)[0];
  std::vector<double> values = numbers_of(given);
  for (double& value : values) value = std::min(high, std::max(low, value));
  return {as(given.dtype, {Operand::Kind::Input, floats(given.shape, values)}).tensor};
}

/// PRelu of whole numbers: x, times the slope where it is negative.
inline std::vector<Tensor> prelu_twin(const OpExample& example) {
  const Tensor& given = example.inputs[0].tensor;
  const std::vector<double> slopes = numbers_of(example.inputs[1].tensor);  // one per column
  std::vector<double> values = numbers_of(given);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0) values[i] *= slopes[i % slopes.size()];
  }
  return {as(given.dtype, {Operand::Kind::Input, floats(given.shape, values)}).tensor};
}

inline std::vector<OpExample> rectifier_examples() {
  return {
      {"Relu", "image", {x({2, 3, 5, 4})}},
      {"Relu", "matrix", {x({3, 7})}},
      {"Relu", "float64", {f64(x({3, 7}))}},
      {"Relu", "int32", {as(DType::Int32, x({3, 7}, -9, 9))}},
      {"Relu", "int8", {as(DType::Int8, x({3, 7}, -9, 9))}},
      {"Clip", "both bounds", {x({2, 3, 5, 4}), scalar(0), scalar(2)}},
      {"Clip", "low alone", {x({3, 7}), scalar(-1)}},
      {"Clip", "high alone", {x({3, 7}), absent(), scalar(1)}},
      {"Clip", "no bounds", {x({3, 7})}},
      {"Clip", "low above high", {x({3, 7}), scalar(2), scalar(-2)}},
      {"Clip", "bounds that flow", {x({3, 7}), x({}, -2, -1), x({}, 1, 2)}},
      {"Clip",
       "int64",
       {as(DType::Int64, x({3, 7}, -9, 9)), as(DType::Int64, scalar(-3)),
        as(DType::Int64, scalar(4))}},
      {"Clip",
       "uint8",
       {as(DType::UInt8, x({3, 7}, 0, 99)), as(DType::UInt8, scalar(10)),
        as(DType::UInt8, scalar(40))}},
      {"Clip",
       "uint16",
       {as(DType::UInt16, x({3, 7}, 0, 99)), as(DType::UInt16, scalar(10)),
        as(DType::UInt16, scalar(40))},
       {},
       1,
       clip_twin},
      {"Clip", "float64", {f64(x({3, 7})), f64(scalar(-1)), f64(scalar(1))}},
      {"LeakyRelu", "the usual slope", {x({2, 3, 4, 4})}},
      {"LeakyRelu", "alpha", {x({2, 3, 4, 4})}, {{"alpha", 0.3F}}},
      {"PRelu", "a slope per channel", {x({2, 3, 4, 5}), c({3, 1, 1})}},
      {"PRelu", "one slope", {x({2, 3, 4, 5}), c({1})}},
      {"PRelu", "a slope per element", {x({3, 7}), c({3, 7})}},
      {"PRelu", "a slope that flows", {x({3, 7}), x({7})}},
      {"PRelu",
       "int32",
       {as(DType::Int32, x({3, 7}, -9, 9)), as(DType::Int32, c({7}, -4, 4))},
       {},
       1,
       prelu_twin},
      {"ThresholdedRelu", "from one", {x({3, 7})}},
      {"ThresholdedRelu", "alpha", {x({2, 3, 4, 5})}, {{"alpha", 2.5F}}},
      {"Shrink", "the usual gap", {x({3, 7}, -1, 1)}},
      {"Shrink", "bias and lambd", {x({2, 3, 4, 5})}, {{"bias", 0.5F}, {"lambd", 1.5F}}},
      {"Shrink",
       "int32",
       {as(DType::Int32, x({3, 7}, -9, 9))},
       {{"bias", 2.0F}, {"lambd", 3.5F}},
       1,
       shrink_twin},
  };
}

inline std::vector<OpExample> smooth_examples() {
  return {
      {"Elu", "image", {x({2, 3, 4, 4})}},
      {"Elu", "alpha", {x({3, 7})}, {{"alpha", 2.5F}}},
      {"Celu", "image", {x({2, 3, 4, 4})}},
      {"Celu", "alpha", {x({3, 7})}, {{"alpha", 2.5F}}},
      {"Selu", "image", {x({2, 3, 4, 4})}},
      {"Selu", "alpha and gamma", {x({3, 7})}, {{"alpha", 2.0F}, {"gamma", 3.0F}}},
      {"Gelu", "exact", {x({2, 3, 4, 4})}},
      {"Gelu", "exact by name", {x({3, 7})}, {{"approximate", "none"}}},
      {"Gelu", "by tanh", {x({3, 7})}, {{"approximate", "tanh"}}},
      {"Mish", "image", {x({2, 3, 4, 4})}},
      {"Swish", "image", {x({2, 3, 4, 4})}, {}, 1, swish_twin},
      {"Swish", "alpha", {x({3, 7})}, {{"alpha", 1.5F}}, 1, swish_twin},
      {"Softplus", "image", {x({2, 3, 4, 4})}},
      {"Softplus", "far from zero", {x({3, 7}, -100, 100)}},
      {"Softsign", "image", {x({2, 3, 4, 4})}},
      {"Erf", "image", {x({2, 3, 4, 4})}},
      {"Sigmoid", "image", {x({2, 3, 4, 4})}},
      {"Sigmoid", "float64", {f64(x({3, 7}))}},
      {"Tanh", "image", {x({2, 3, 4, 4})}},
      {"Tanh", "float64", {f64(x({3, 7}))}},
      {"HardSigmoid", "the usual slope", {x({2, 3, 4, 4})}},
      {"HardSigmoid", "alpha and beta", {x({3, 7})}, {{"alpha", 0.4F}, {"beta", 0.3F}}},
      {"HardSwish", "image", {x({2, 3, 4, 4})}},
  };
}

inline std::vector<OpExample> softmax_examples() {
  std::vector<OpExample> examples{
      {"Softmax", "float64", {f64(x({3, 7}))}},
      {"LogSoftmax", "large numbers", {x({3, 7}, -1000, 1000)}},
      {"Hardmax",
       "equal numbers",
       {{Operand::Kind::Input, floats({2, 4}, {1, 3, 3, 2, 0, 0, 0, 0})}},
       {},
       1,
       nullptr,
       false},
  };
  for (const std::string_view op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    examples.push_back({op, "last axis", {x({3, 7})}});
    examples.push_back({op, "axis 1 of an image", {x({2, 3, 4, 4})}, {{"axis", 1}}});
    examples.push_back({op, "negative axis", {x({2, 3, 4, 4})}, {{"axis", -2}}});
    examples.push_back({op, "a sequence", {x({2, 3, 5})}, {{"axis", 0}}});
  }
  return examples;
}

inline std::vector<OpExample> activation_examples() {
  std::vector<OpExample> all = rectifier_examples();
  std::ranges::move(smooth_examples(), std::back_inserter(all));
  std::ranges::move(softmax_examples(), std::back_inserter(all));
  return all;
}

}  // namespace octet::test
