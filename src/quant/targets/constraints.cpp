#include "quant/targets/constraints.h"

#include <algorithm>
#include <format>
#include <span>

#include "base/text.h"
#include "ops/op_def.h"

namespace octet::constraints {
namespace {

const Shape& shape_of(const Graph& graph, ValueId id) { return graph.value(id).shape; }

const Shape& out_shape(const Graph& graph, const Node& node) {
  return shape_of(graph, node.outputs[0]);
}

std::vector<ValueId> data_inputs(const Graph& graph, const Node& node) {
  std::vector<ValueId> found;
  for (size_t i = 0; i < node.inputs.size() && i < op_of(node).data_inputs.value; ++i) {
    const ValueId id = node.inputs[i];
    if (id != kAbsent && graph.value(id).dtype == DType::Float32) found.push_back(id);
  }
  return found;
}

std::vector<int64_t> kernel_of(const Graph& graph, const Node& node) {
  if (node.has("kernel_shape")) return node.integers("kernel_shape");
  const ValueId weight = node.input(1);
  if (weight == kAbsent || shape_of(graph, weight).size() < 3) return {};
  const Shape& shape = shape_of(graph, weight);
  return {shape.begin() + 2, shape.end()};
}

/// One image more or less is the same shape.
bool same_shape(const Shape& a, const Shape& b) {
  if (a.size() != b.size()) return false;
  for (size_t d = 0; d < a.size(); ++d) {
    if (a[d] != b[d] && a[d] >= 0 && b[d] >= 0) return false;
  }
  return true;
}

}  // namespace

std::string window_within(const Graph& graph, const Node& node, const WindowLimits& limits) {
  std::vector<int64_t> kernel = kernel_of(graph, node);
  const std::vector<int64_t> dilations =
      node.integers("dilations", std::vector<int64_t>(kernel.size(), 1));
  for (size_t d = 0; d < kernel.size(); ++d) kernel[d] = dilations[d] * (kernel[d] - 1) + 1;
  const auto within = [](std::span<const int64_t> numbers, int64_t limit) {
    return limit == 0 || std::ranges::all_of(numbers, [&](int64_t n) { return n <= limit; });
  };
  const std::vector<int64_t> strides = node.integers("strides");
  if (!within(strides, limits.stride)) {
    return std::format("stride is {}; wanted at most {}", shape_text(strides), limits.stride);
  }
  if (!within(dilations, limits.dilation)) {
    return std::format("dilation is {}; wanted at most {}", shape_text(dilations), limits.dilation);
  }
  if (kernel.empty()) return "";
  if (!within(std::span(kernel).first(1), limits.height)) {
    return std::format("kernel is {} high; wanted at most {}", kernel[0], limits.height);
  }
  const int64_t area = element_count(kernel);
  if (limits.area > 0 && area > limits.area) {
    return std::format("kernel has {} places; wanted at most {}", area, limits.area);
  }
  return "";
}

std::string dense_or_depthwise(const Graph& graph, const Node& node) {
  const int64_t group = node.integer("group", 1);
  if (group == 1 || group == shape_of(graph, node.inputs[0]).at(1)) return "";
  return std::format("{} groups are neither one nor one for each channel", group);
}

std::string constant_weight(const Graph& graph, const Node& node) {
  return graph.is_constant(node.input(1)) ? "" : "second operand is no constant";
}

std::string equal_shapes(const Graph& graph, const Node& node) {
  for (const ValueId id : data_inputs(graph, node)) {
    if (same_shape(shape_of(graph, id), out_shape(graph, node))) continue;
    return std::format("operands are of different shapes, {} and {}",
                       shape_text(shape_of(graph, id)), shape_text(out_shape(graph, node)));
  }
  return "";
}

std::string shape_of_one_operand(const Graph& graph, const Node& node) {
  const bool any = std::ranges::any_of(data_inputs(graph, node), [&](ValueId id) {
    return same_shape(shape_of(graph, id), out_shape(graph, node));
  });
  return any ? "" : "operands are both broadcast";
}

std::string over_image(const Graph& graph, const Node& node) {
  const Tensor* given = graph.constant_input(node, 1);
  std::vector<int64_t> axes;
  if (given) axes.assign(given->as<int64_t>().begin(), given->as<int64_t>().end());
  const auto rank = static_cast<int64_t>(shape_of(graph, node.inputs[0]).size());
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::ranges::sort(axes);
  if (rank == 4 && axes == std::vector<int64_t>{2, 3}) return "";
  return "axes are not the height and width of images";
}

std::string pads_image_only(const Graph& graph, const Node& node) {
  const Tensor* pads = graph.constant_input(node, 1);
  if (!pads) return "pads are computed by the network";
  const auto numbers = pads->as<int64_t>();
  const size_t rank = numbers.size() / 2;
  for (size_t d = 0; d < std::min<size_t>(2, rank); ++d) {
    if (numbers[d] != 0 || numbers[d + rank] != 0) return "pads are not of height and width only";
  }
  return "";
}

std::string unit_steps(const Graph& graph, const Node& node) {
  const Tensor* steps = graph.constant_input(node, 4);
  if (!steps) return "";
  const auto numbers = steps->as<int64_t>();
  const bool unit = std::ranges::all_of(numbers, [](int64_t step) { return step == 1; });
  return unit ? "" : "steps are not 1";
}

std::string usual_clip(const Graph& graph, const Node& node) {
  const auto bounds = std::get<Absorbable>(op_of(node).quant.value).bounds(graph, node);
  using Bounds = std::pair<float, float>;
  constexpr std::array<Bounds, 4> kUsual{Bounds{0.0F, kInfinity}, Bounds{0.0F, 6.0F},
                                         Bounds{-1.0F, 1.0F}, Bounds{0.0F, 1.0F}};
  if (std::ranges::contains(kUsual, bounds)) return "";
  return std::format("bounds are {} and {}; wanted 0 and 1, 0 and 6, -1 and 1, or 0 alone",
                     bounds.first, bounds.second);
}

std::string channels_in(const Graph& graph, const Node& node, int64_t multiple) {
  for (const ValueId id : data_inputs(graph, node)) {
    const Shape& shape = shape_of(graph, id);
    if (shape.size() < 2 || shape[1] % multiple == 0) continue;
    return std::format("input '{}' has {} channels; wanted a multiple of {}", graph.value(id).name,
                       shape[1], multiple);
  }
  return "";
}

std::string elements_in(const Graph& graph, const Node& node, int64_t multiple) {
  Shape shape = out_shape(graph, node);
  if (!shape.empty()) shape[0] = 1;
  const int64_t count = element_count(shape);
  if (count % multiple == 0) return "";
  return std::format("output has {} elements; wanted a multiple of {}", count, multiple);
}

std::string short_rows(const Graph& graph, const Node& node) {
  const Shape& shape = out_shape(graph, node);
  const int64_t count = shape.empty() ? 1 : shape.back();
  if (count % 8 == 0 && count < 2048) return "";
  return std::format("rows have {} elements; wanted a multiple of 8 below 2048", count);
}

std::string grows_by(const Graph& graph, const Node& node, std::span<const int64_t> factors) {
  const Shape& in = shape_of(graph, node.inputs[0]);
  const Shape& out = out_shape(graph, node);
  if (in.size() == 4) {
    for (const int64_t factor : factors) {
      if (in[2] * factor == out[2] && in[3] * factor == out[3]) return "";
    }
  }
  return std::format("images grow from {} to {}; wanted both sides times {}", shape_text(in),
                     shape_text(out), shape_text(factors));
}

std::string dimensions_within(const Graph& graph, const Node& node, size_t rank, int64_t largest) {
  std::vector<ValueId> all = data_inputs(graph, node);
  all.insert(all.end(), node.outputs.begin(), node.outputs.end());
  for (const ValueId id : all) {
    if (id == kAbsent) continue;
    const Value& value = graph.value(id);
    if (value.shape.size() > rank) {
      return std::format("value '{}' has {} dimensions; wanted at most {}", value.name,
                         value.shape.size(), rank);
    }
    if (!value.shape.empty() && std::ranges::max(value.shape) > largest) {
      return std::format("value '{}' is {}; wanted dimensions of at most {}", value.name,
                         shape_text(value.shape), largest);
    }
  }
  return "";
}

}  // namespace octet::constraints
