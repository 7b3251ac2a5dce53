#pragma once

#include <array>
#include <string>

#include "graph/graph.h"

/// Predicates of target profiles (`Constraint`): each says why a node does not fit, or nothing.
/// Images are NCHW.
namespace octet::constraints {

/// What a kernel allows of its window; 0: anything.
struct WindowLimits {
  int64_t stride = 0;    ///< largest, in both directions
  int64_t height = 0;    ///< largest, dilated
  int64_t area = 0;      ///< largest height x width, dilated
  int64_t dilation = 0;  ///< largest
};

/// Of Conv, ConvTranspose (their weight's kernel) and pooling (`kernel_shape`).
std::string window_within(const Graph& graph, const Node& node, const WindowLimits& limits);
template <WindowLimits kLimits>
std::string window(const Graph& graph, const Node& node) {
  return window_within(graph, node, kLimits);
}

/// The node is dense or depthwise, not grouped in between.
std::string dense_or_depthwise(const Graph& graph, const Node& node);
/// The second operand is a constant.
std::string constant_weight(const Graph& graph, const Node& node);
/// All operands have the output's shape.
std::string equal_shapes(const Graph& graph, const Node& node);
/// One operand has the output's shape.
std::string shape_of_one_operand(const Graph& graph, const Node& node);
/// The mean or sum over height and width.
std::string over_image(const Graph& graph, const Node& node);
/// Pads rows and columns only.
std::string pads_image_only(const Graph& graph, const Node& node);
/// Every step is 1.
std::string unit_steps(const Graph& graph, const Node& node);
/// The clip is (0, inf), (0, 6), (-1, 1) or (0, 1).
std::string usual_clip(const Graph& graph, const Node& node);

/// Channels of every data input come in multiples.
std::string channels_in(const Graph& graph, const Node& node, int64_t multiple);
template <int64_t kMultiple>
std::string channels(const Graph& graph, const Node& node) {
  return channels_in(graph, node, kMultiple);
}
/// Elements of the output come in multiples.
std::string elements_in(const Graph& graph, const Node& node, int64_t multiple);
template <int64_t kMultiple>
std::string elements(const Graph& graph, const Node& node) {
  return elements_in(graph, node, kMultiple);
}
/// Elements of the last dimension come in multiples of 8 and are fewer than 2048.
std::string short_rows(const Graph& graph, const Node& node);

/// Height and width grow by the same of these factors.
std::string grows_by(const Graph& graph, const Node& node, std::span<const int64_t> factors);
template <int64_t... kFactors>
std::string growth(const Graph& graph, const Node& node) {
  constexpr std::array<int64_t, sizeof...(kFactors)> kAll{kFactors...};
  return grows_by(graph, node, kAll);
}

/// No operand and no output has more dimensions than this, and none is larger than `largest`.
std::string dimensions_within(const Graph& graph, const Node& node, size_t rank, int64_t largest);
template <size_t kRank, int64_t kLargest>
std::string dimensions(const Graph& graph, const Node& node) {
  return dimensions_within(graph, node, kRank, kLargest);
}

/// The first reason of several constraints.
template <auto... kConstraints>
std::string all(const Graph& graph, const Node& node) {
  std::string reason;
  (void)(... || !(reason = kConstraints(graph, node)).empty());
  return reason;
}

}  // namespace octet::constraints
