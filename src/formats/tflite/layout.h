#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace octet::lite {

/// How a value of four dimensions lies in a file: as in the graph (NCHW for images), or with the
/// second dimension moved to the end (NHWC). Values of other ranks always lie as in the graph.
enum class Order : uint8_t { Onnx, ChannelsLast };

/// What a node asks of its rank-4 values.
enum class Need : uint8_t {
  Image,  ///< channels last, input and output
  Onnx,   ///< the graph's order, input and output
  Any,    ///< any, but data inputs and output alike
};

inline constexpr std::array<int64_t, 4> kToChannelsLast{0, 2, 3, 1};
inline constexpr std::array<int64_t, 4> kToOnnx{0, 3, 1, 2};

/// result[i] = shape[permutation[i]].
Shape permuted(std::span<const int64_t> shape, std::span<const int64_t> permutation);
/// The tensor with its dimensions in another order.
Tensor permuted(const Tensor& tensor, std::span<const int64_t> permutation);

/// Where dimension `axis` of a graph's value (below zero: from the end) lies in a file.
int64_t axis_in(Order order, int64_t axis, size_t rank);

/// The axes (of four, counted in the graph's order) leave the others in the graph's order also when
/// they are taken out of a channels-last shape.
bool keeps_order(std::span<const int64_t> axes);

/// Shapes of all values for one image: the graph's, with the batch (dimensions below zero)
/// resolved. Throws Code::Unsupported naming a value whose shape is not known.
std::vector<Shape> shapes_for_one(const Graph& graph);

/// Decides the order of every rank-4 value, once for a network: values that nodes of `Any` order
/// tie together lie alike, channels last as soon as one of them is an image.
class Layouts {
 public:
  using NeedFn = std::function<Need(NodeId)>;
  Layouts(const Graph& graph, const NeedFn& need);
  Order of(ValueId id) const;

 private:
  ValueId root(ValueId id);
  void join(const Graph& graph, const Node& node);
  void mark(ValueId id);

  std::vector<bool> rank4_;  ///< computed image-like tensors of float values
  std::vector<ValueId> parent_;
  std::vector<bool> image_;  ///< by root
  std::vector<bool> last_;   ///< the answer
};

}  // namespace octet::lite
