#pragma once

#include <cmath>

#include "ops/example.h"

namespace octet::test {

/// Sums over `values` of which the last `row` numbers belong together, as a mean of squares.
inline double mean_of_squares(std::span<const double> row) {
  double sum = 0;
  for (const double value : row) sum += value * value;
  return sum / static_cast<double>(row.size());
}

/// RMSNormalization is newer than opset 21: x / sqrt(mean of squares + epsilon) * scale, where the
/// scale has as many numbers as are normalized together.
inline std::vector<Tensor> rms_twin(const OpExample& example) {
  const Tensor& image = example.inputs[0].tensor;
  const std::vector<double> scale = numbers_of(example.inputs[1].tensor);
  const auto given = example.attributes.find("epsilon");
  const double epsilon = given == example.attributes.end() ? 1e-5 : std::get<float>(given->second);
  std::vector<double> values = numbers_of(image);
  for (size_t start = 0; start < values.size(); start += scale.size()) {
    const std::span row(values.data() + start, scale.size());
    const double root = std::sqrt(mean_of_squares(row) + epsilon);
    for (size_t i = 0; i < row.size(); ++i) row[i] *= scale[i] / root;
  }
  return {floats(image.shape, values)};
}

/// BatchNormalization of a matrix by its batch, which ONNX Runtime only does in builds for
/// training, and the running statistics after it.
inline std::vector<Tensor> batch_twin(const OpExample& example) {
  const Shape shape = example.inputs[0].tensor.shape;
  std::array<std::vector<double>, 5> in;
  for (size_t i = 0; i < in.size(); ++i) in[i] = numbers_of(example.inputs[i].tensor);
  auto& [values, scale, bias, mean, variance] = in;
  const double kept = std::get<float>(example.attributes.at("momentum"));
  const auto rows = static_cast<size_t>(shape[0]);
  const auto columns = static_cast<size_t>(shape[1]);
  for (size_t column = 0; column < columns; ++column) {
    std::vector<double> numbers;
    for (size_t row = 0; row < rows; ++row) numbers.push_back(values[row * columns + column]);
    double average = 0;
    for (const double number : numbers) average += number / static_cast<double>(rows);
    for (double& number : numbers) number -= average;
    const double spread = mean_of_squares(numbers);
    for (size_t row = 0; row < rows; ++row) {
      values[row * columns + column] =
          numbers[row] / std::sqrt(spread + 1e-5) * scale[column] + bias[column];
    }
    mean[column] = mean[column] * kept + average * (1 - kept);
    variance[column] = variance[column] * kept + spread * (1 - kept);
  }
  return {floats(shape, values), floats({shape[1]}, mean), floats({shape[1]}, variance)};
}

/// GroupNormalization with a scale per group, as before opset 21, by the definition.
inline std::vector<Tensor> group_twin(const OpExample& example) {
  const Tensor& image = example.inputs[0].tensor;
  const std::vector<double> scale = numbers_of(example.inputs[1].tensor);
  const std::vector<double> bias = numbers_of(example.inputs[2].tensor);
  std::vector<double> values = numbers_of(image);
  const size_t size = values.size() / static_cast<size_t>(image.shape[0]) / scale.size();
  for (size_t start = 0; start < values.size(); start += size) {
    const std::span row(values.data() + start, size);
    double average = 0;
    for (const double value : row) average += value / static_cast<double>(size);
    for (double& value : row) value -= average;
    const double root = std::sqrt(mean_of_squares(row) + 1e-5);
    const size_t group = start / size % scale.size();
    for (double& value : row) value = value / root * scale[group] + bias[group];
  }
  return {floats(image.shape, values)};
}

/// LRN of an even size, which ONNX Runtime refuses: channels c - (size - 1) / 2 to c + size / 2.
inline std::vector<Tensor> lrn_twin(const OpExample& example) {
  const Tensor& image = example.inputs[0].tensor;
  const auto size = std::get<int64_t>(example.attributes.at("size"));
  const double alpha = std::get<float>(example.attributes.at("alpha"));
  const std::vector<double> values = numbers_of(image);
  const int64_t channels = image.shape[1];
  const int64_t inner = image.shape[2] * image.shape[3];
  std::vector<double> results;
  for (int64_t i = 0; i < image.size(); ++i) {
    const int64_t channel = i / inner % channels;
    double sum = 0;
    for (int64_t other = std::max<int64_t>(0, channel - (size - 1) / 2);
         other <= std::min(channels - 1, channel + size / 2); ++other) {
      const double value = values[static_cast<size_t>(i + (other - channel) * inner)];
      sum += value * value;
    }
    results.push_back(values[static_cast<size_t>(i)] /
                      std::pow(1 + alpha / static_cast<double>(size) * sum, 0.75));
  }
  return {floats(image.shape, results)};
}

inline std::vector<OpExample> batch_norm_examples() {
  const auto norm = [](std::string_view what, Shape shape,
                       std::map<std::string, Attribute> attributes) {
    const Shape row{shape[1]};
    return OpExample{"BatchNormalization",
                     what,
                     {x(std::move(shape)), c(row, -2, 2), c(row), c(row), c(row, 0.5F, 2)},
                     std::move(attributes)};
  };
  OpExample training = norm("by the batch", {8, 3}, {{"momentum", 0.7F}, {"training_mode", 1}});
  training.outputs = 3;
  training.reference = batch_twin;
  return {
      norm("image", {2, 3, 4, 5}, {}),
      norm("matrix", {4, 6}, {{"momentum", 0.8F}}),
      norm("epsilon", {2, 3, 4, 5}, {{"epsilon", 0.1F}, {"training_mode", 0}}),
      norm("sequence", {2, 3, 7}, {}),
      norm("volume", {2, 3, 4, 2, 3}, {}),
      training,
  };
}

inline std::vector<OpExample> layer_norm_examples() {
  const auto layer = [](std::string_view what, Shape shape, Shape row,
                        std::map<std::string, Attribute> attributes, int outputs = 1) {
    return OpExample{"LayerNormalization",
                     what,
                     {x(std::move(shape)), c(row, -2, 2), c(row)},
                     std::move(attributes),
                     outputs};
  };
  const auto rms = [](std::string_view what, Shape shape, Shape row,
                      std::map<std::string, Attribute> attributes) {
    return OpExample{"RMSNormalization",    what, {x(std::move(shape)), c(std::move(row), -2, 2)},
                     std::move(attributes), 1,    rms_twin};
  };
  return {
      layer("tokens", {2, 5, 8}, {8}, {}),
      layer("two axes", {2, 3, 4, 5}, {4, 5}, {{"axis", 2}, {"epsilon", 0.1F}}),
      layer("everything", {2, 3, 4}, {2, 3, 4}, {{"axis", 0}}),
      layer("negative axis", {2, 3, 4}, {3, 4}, {{"axis", -2}, {"stash_type", 1}}),
      layer("a scale to broadcast", {2, 3, 8}, {2, 1, 8}, {{"axis", 2}}),
      layer("statistics", {2, 5, 8}, {8}, {}, 3),
      layer("the mean", {2, 3, 4, 5}, {4, 5}, {{"axis", -2}}, 2),
      {"LayerNormalization", "no bias", {x({2, 5, 8}), c({8})}},
      {"LayerNormalization",
       "float16",
       {f16(x({2, 5, 8})), f16(c({8})), f16(c({8}))},
       {{"epsilon", 1e-3F}}},
      rms("tokens", {2, 5, 8}, {8}, {}),
      rms("two axes", {2, 3, 4, 5}, {4, 5}, {{"axis", 2}, {"epsilon", 0.1F}}),
      rms("negative axis", {2, 3, 4}, {3, 4}, {{"axis", -2}, {"stash_type", 1}}),
  };
}

inline std::vector<OpExample> channel_norm_examples() {
  const auto channels = [](std::string_view op, std::string_view what, Shape shape, int64_t numbers,
                           std::map<std::string, Attribute> attributes) {
    return OpExample{
        op, what, {x(std::move(shape)), c({numbers}, -2, 2), c({numbers})}, std::move(attributes)};
  };
  OpExample per_group =
      channels("GroupNormalization", "a scale per group", {2, 6, 4, 5}, 3, {{"num_groups", 3}});
  per_group.reference = group_twin;
  return {
      channels("InstanceNormalization", "image", {2, 3, 4, 5}, 3, {}),
      channels("InstanceNormalization", "epsilon", {2, 3, 4, 5}, 3, {{"epsilon", 0.1F}}),
      channels("InstanceNormalization", "sequence", {2, 3, 7}, 3, {}),
      channels("GroupNormalization", "image", {2, 6, 4, 5}, 6, {{"num_groups", 3}}),
      channels("GroupNormalization", "sequence", {2, 6, 7}, 6,
               {{"num_groups", 2}, {"epsilon", 0.1F}, {"stash_type", 1}}),
      channels("GroupNormalization", "one group", {2, 6, 4}, 6, {{"num_groups", 1}}),
      per_group,
  };
}

inline std::vector<OpExample> norm_examples() {
  std::vector<OpExample> all{
      {"LpNormalization", "last axis", {x({3, 7})}},
      {"LpNormalization", "magnitudes", {x({2, 3, 4, 5})}, {{"axis", 1}, {"p", 1}}},
      {"MeanVarianceNormalization", "image", {x({2, 3, 4, 5})}},
      {"MeanVarianceNormalization", "axes", {x({2, 3, 4, 5})}, {{"axes", L{2, 3}}}},
      {"LRN", "odd", {x({2, 7, 4, 5})}, {{"size", 3}}},
      {"LRN",
       "coefficients",
       {x({2, 7, 4, 5})},
       {{"size", 5}, {"alpha", 0.5F}, {"beta", 0.6F}, {"bias", 2.0F}}},
      {"LRN", "even", {x({2, 7, 4, 5})}, {{"size", 4}, {"alpha", 0.5F}}, 1, lrn_twin},
  };
  for (auto more : {batch_norm_examples, layer_norm_examples, channel_norm_examples}) {
    std::ranges::move(more(), std::back_inserter(all));
  }
  return all;
}

}  // namespace octet::test
