#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "passes/constant_rows.h"
#include "passes/parts.h"

namespace octet {
namespace {

/// x * 1/sqrt(mean(x^2) + epsilon) over the last dimension.
ValueId normalize_last(Parts& parts, ValueId x, int64_t count, float epsilon) {
  const ValueId squares = sum_squares_last(parts, "squares", x);
  const ValueId mean =
      parts.op("Mul", "variance", {squares, parts.number("1/n", 1 / static_cast<float>(count))});
  const ValueId moved = parts.op("Add", "moved", {mean, parts.number("epsilon", epsilon)});
  const ValueId root = parts.op("Sqrt", "root", {moved});
  return parts.op("Mul", "normalized", {x, parts.op("Reciprocal", "inverse", {root})});
}

ValueId center_last(Parts& parts, ValueId x, int64_t count) {
  const ValueId mean = sum_last(parts, "negative mean", x, count, -1 / static_cast<float>(count));
  return parts.op("Add", "centered", {x, mean});
}

/// Dimensions from `axis` on as one; -1 where it depends on the batch.
int64_t extent_from(const Shape& shape, int64_t axis) {
  int64_t extent = 1;
  for (auto d = static_cast<size_t>(axis); d < shape.size(); ++d) {
    if (shape[d] < 0) return -1;
    extent *= shape[d];
  }
  return extent;
}

/// The shape with an open batch as -1, as Reshape wants it; other open dimensions stay as given.
std::vector<int64_t> reshape_to(const Shape& shape) { return {shape.begin(), shape.end()}; }

/// What a normalization does to one row of constants.
struct RowNorm {
  float epsilon;
  bool center;
  const Tensor* scale;  ///< nullptr: 1
  const Tensor* shift;  ///< nullptr: 0

  void run(std::span<const float> in, std::span<float> out) const {
    const auto count = static_cast<double>(in.size());
    double mean = 0;
    for (const float x : in) mean += center ? x / count : 0;
    double variance = 0;
    for (const float x : in) variance += (x - mean) * (x - mean) / count;
    const double factor = 1 / std::sqrt(variance + epsilon);
    for (size_t i = 0; i < in.size(); ++i) {
      const double scaled = (in[i] - mean) * factor * (scale ? scale->as<float>()[i] : 1.0F);
      out[i] = static_cast<float>(scaled + (shift ? shift->as<float>()[i] : 0.0F));
    }
  }
};

/// Constant rows are normalized here. A class token may be a hundred times smaller than the patches
/// beside it: on their grids its variance would be 0.
bool lower_around_constants(Graph& graph, NodeId id, bool center) {
  const Node node = graph.node(id);
  const auto constants = constant_rows(graph, node.inputs[0]);
  const auto known = [&](size_t input) {
    return node.input(input) == kAbsent || graph.constant_input(node, input) != nullptr;
  };
  if (!constants || !known(1) || !known(2)) return false;
  const int64_t rows = constants->rows();
  const int64_t width = constants->values.shape[1];
  const RowNorm norm{node.number("epsilon", 1e-5F), center, graph.constant_input(node, 1),
                     graph.constant_input(node, 2)};
  Tensor shift(DType::Float32, {rows, width});
  for (int64_t row = 0; row < rows; ++row) {
    const auto at = [&](auto all) {
      return all.subspan(static_cast<size_t>(row * width), static_cast<size_t>(width));
    };
    const auto out = at(shift.as<float>());
    if (constants->contains(row)) {
      norm.run(at(constants->values.as<float>()), out);
    } else if (norm.shift) {
      std::ranges::copy(norm.shift->as<float>(), out.begin());
    }
  }
  Parts parts(graph, id);
  ValueId x = parts.op("Slice", "varying",
                       {node.inputs[0], parts.list("first", {constants->front}),
                        parts.list("end", {rows - constants->back}), parts.list("axis", {1})});
  if (center) x = center_last(parts, x, width);
  x = normalize_last(parts, x, width, norm.epsilon);
  if (node.input(1) != kAbsent) x = parts.op("Mul", "scaled", {x, node.inputs[1]});
  x = parts.op("Pad", "rows",
               {x, parts.list("pads", {0, constants->front, 0, 0, constants->back, 0})});
  parts.op("Add", "shifted", {x, parts.parameter("shift", std::move(shift))});
  parts.finish();
  return true;
}

bool lower_layer_norm(Graph& graph, NodeId id, bool center) {
  const Node node = graph.node(id);
  const Value& in = graph.value(node.inputs[0]);
  const auto rank = static_cast<int64_t>(in.shape.size());
  if (!in.shape_known || node.outputs.size() > 1) return false;
  int64_t axis = node.integer("axis", -1);
  if (axis < 0) axis += rank;
  const int64_t count = extent_from(in.shape, axis);
  if (count <= 0) return false;
  if (axis == 2 && rank == 3 && lower_around_constants(graph, id, center)) return true;
  const float epsilon = node.number("epsilon", 1e-5F);

  Parts parts(graph, id);
  ValueId x = node.inputs[0];
  Shape flat(in.shape.begin(), in.shape.begin() + axis);
  flat.push_back(count);
  const bool reshaped = axis != rank - 1;
  const Shape whole = in.shape;
  if (reshaped) x = parts.op("Reshape", "flat", {x, parts.list("flat shape", reshape_to(flat))});
  if (center) x = center_last(parts, x, count);
  x = normalize_last(parts, x, count, epsilon);
  if (reshaped) x = parts.op("Reshape", "whole", {x, parts.list("shape", reshape_to(whole))});
  if (node.input(1) != kAbsent) x = parts.op("Mul", "scaled", {x, node.inputs[1]});
  if (node.input(2) != kAbsent) x = parts.op("Add", "shifted", {x, node.inputs[2]});
  parts.finish();
  return true;
}

bool lower_layer(Graph& graph, NodeId id) { return lower_layer_norm(graph, id, true); }
bool lower_rms(Graph& graph, NodeId id) { return lower_layer_norm(graph, id, false); }

/// A constant of one number per channel, to be broadcast over an image of `rank` dimensions.
ValueId per_channel(Graph& graph, Parts& parts, std::string_view part, ValueId constant,
                    size_t rank, int64_t repeat) {
  const Tensor& given = *graph.value(constant).constant;
  std::vector<float> numbers;
  for (const float number : given.as<float>()) {
    numbers.insert(numbers.end(), static_cast<size_t>(repeat), number);
  }
  Shape shape(rank - 1, 1);
  shape[0] = static_cast<int64_t>(numbers.size());
  return parts.parameter(part, Tensor::of<float>(shape, numbers));
}

/// Statistics over every group of channels and all of the image.
bool lower_group_norm(Graph& graph, NodeId id, int64_t groups) {
  const Node node = graph.node(id);
  const Value& in = graph.value(node.inputs[0]);
  const Shape whole = in.shape;
  if (!in.shape_known || whole.size() < 3 || extent_from(whole, 1) <= 0) return false;
  if (!graph.constant_input(node, 1) || !graph.constant_input(node, 2)) return false;
  const int64_t channels = whole[1];
  if (groups == 0) groups = channels;
  const int64_t count = extent_from(whole, 1) / groups;
  Parts parts(graph, id);
  ValueId x = parts.op("Reshape", "grouped",
                       {node.inputs[0], parts.list("groups", {whole[0], groups, count})});
  x = center_last(parts, x, count);
  x = normalize_last(parts, x, count, node.number("epsilon", 1e-5F));
  x = parts.op("Reshape", "whole", {x, parts.list("shape", reshape_to(whole))});
  const int64_t repeat = channels / graph.constant_input(node, 1)->size();
  x = parts.op("Mul", "scaled",
               {x, per_channel(graph, parts, "scale", node.inputs[1], whole.size(), repeat)});
  parts.op("Add", "shifted",
           {x, per_channel(graph, parts, "shift", node.inputs[2], whole.size(), repeat)});
  parts.finish();
  return true;
}

bool lower_group(Graph& graph, NodeId id) {
  return lower_group_norm(graph, id, graph.node(id).integer("num_groups", 1));
}
bool lower_instance(Graph& graph, NodeId id) { return lower_group_norm(graph, id, 0); }

/// A depthwise convolution of one pixel, whose 32-bit sum is rounded once; other ranks as Mul, Add.
bool lower_batch_norm(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (node.integer("training_mode", 0) != 0) return false;
  const Value& in = graph.value(node.inputs[0]);
  std::array<std::span<const float>, 4> statistics;  // gamma, beta, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* tensor = graph.constant_input(node, i + 1);
    if (!tensor || !in.shape_known || in.shape.size() < 2) return false;
    statistics[i] = tensor->as<float>();
  }
  const auto channels = static_cast<int64_t>(statistics[0].size());
  const bool image = in.shape.size() == 4;
  Shape shape = image ? Shape{channels, 1, 1, 1} : Shape(in.shape.size() - 1, 1);
  if (!image) shape[0] = channels;
  Tensor scale(DType::Float32, shape);
  Tensor shift(DType::Float32, image ? Shape{channels} : shape);
  for (size_t c = 0; c < statistics[0].size(); ++c) {
    const double slope = statistics[0][c] / std::sqrt(static_cast<double>(statistics[3][c]) +
                                                      node.number("epsilon", 1e-5F));
    scale.as<float>()[c] = static_cast<float>(slope);
    shift.as<float>()[c] = static_cast<float>(statistics[1][c] - statistics[2][c] * slope);
  }
  Parts parts(graph, id);
  const ValueId slopes = parts.parameter("weight", std::move(scale));
  const ValueId offsets = parts.parameter("bias", std::move(shift));
  if (image) {
    parts.op("Conv", "affine", {node.inputs[0], slopes, offsets},
             {{"group", channels}, {"kernel_shape", std::vector<int64_t>{1, 1}}});
  } else {
    parts.op("Add", "shifted", {parts.op("Mul", "scaled", {node.inputs[0], slopes}), offsets});
  }
  parts.finish();
  return true;
}

constexpr std::array kNormalizationLowerings{
    OperatorLowering{"LayerNormalization", lower_layer},
    OperatorLowering{"RMSNormalization", lower_rms},
    OperatorLowering{"GroupNormalization", lower_group},
    OperatorLowering{"InstanceNormalization", lower_instance},
    OperatorLowering{"BatchNormalization", lower_batch_norm},
};

}  // namespace

std::span<const OperatorLowering> normalization_lowerings() { return kNormalizationLowerings; }

}  // namespace octet
