#include "quant/channels/weights.h"

#include <algorithm>
#include <cmath>

#include "quant/channels/through.h"

namespace octet {
namespace {

/// Which channels each element of a weight connects.
class WeightMap {
 public:
  WeightMap(const Graph& graph, const Node& node, int64_t inner = 1) : inner_(inner) {
    const Shape& shape = graph.constant_input(node, 1)->shape;
    if (node.op == "Conv" || node.op == "ConvTranspose") {
      window_ = element_count(std::span(shape).subspan(2));
      groups_ = node.integer("group", 1);
      turned_ = node.op == "ConvTranspose";
    } else {
      turned_ = node.op == "MatMul" || node.integer("transB", 0) == 0;
    }
    first_ = shape[0];
    second_ = shape[1];
  }

  int64_t made() const { return turned_ ? second_ * groups_ : first_; }
  int64_t read() const { return turned_ ? first_ : second_ * groups_; }
  size_t maker(size_t element) const {
    const auto [first, second] = split(element);
    return static_cast<size_t>(turned_ ? within(first, second) : first);
  }
  size_t reader(size_t element) const {
    const auto [first, second] = split(element);
    return static_cast<size_t>((turned_ ? first : within(first, second)) / inner_);
  }

 private:
  std::pair<int64_t, int64_t> split(size_t element) const {
    const int64_t row = static_cast<int64_t>(element) / window_;
    return {row / second_, row % second_};
  }
  int64_t within(int64_t first, int64_t second) const {
    return first / (first_ / groups_) * second_ + second;
  }
  int64_t first_ = 0;
  int64_t second_ = 0;
  int64_t window_ = 1;
  int64_t groups_ = 1;
  int64_t inner_;        ///< rows of a matrix that read one channel
  bool turned_ = false;  ///< the weight's first dimension is what it reads
};

/// Rows of a matrix that read one channel.
int64_t rows_per_channel(const Node& node, const ChannelLayout& layout) {
  return node.op == "Gemm" || node.op == "MatMul" ? layout.inner : 1;
}

/// The constant behind an input, for this node alone.
Tensor& own(Graph& graph, NodeId node, size_t input) {
  const ValueId id = graph.node(node).inputs[input];
  const auto uses = std::ranges::count(graph.node(node).inputs, id);
  if (graph.users(id).size() > 1 || uses > 1) {
    const ValueId copy = graph.add_constant(graph.value(id).name, *graph.value(id).constant);
    graph.node(node).inputs[input] = copy;
  }
  return *graph.value(graph.node(node).inputs[input]).constant;
}

/// A constant that is broadcast to `shape`, with a number for each channel (dimension `axis`).
void spread_channels(Tensor& tensor, const Shape& shape, size_t axis) {
  const size_t after = shape.size() - 1 - axis;
  while (tensor.shape.size() <= after) tensor.shape.insert(tensor.shape.begin(), 1);
  const size_t at = tensor.shape.size() - 1 - after;
  if (tensor.shape[at] == shape[axis]) return;
  const auto old = tensor.as<float>();
  Shape spread = tensor.shape;
  spread[at] = shape[axis];
  const auto inner = static_cast<size_t>(element_count(std::span(spread).subspan(at + 1)));
  Tensor made(DType::Float32, spread);
  const auto values = made.as<float>();
  const auto channels = static_cast<size_t>(shape[axis]);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = old[i / inner / channels * inner + i % inner];
  }
  tensor = std::move(made);
}

/// The bias with its last dimension as long as there are output channels.
Tensor& wide_bias(Graph& graph, NodeId node, int64_t channels) {
  Tensor& bias = own(graph, node, 2);
  Shape wide{channels};
  if (bias.shape.size() == 2) wide.insert(wide.begin(), bias.shape[0]);
  spread_channels(bias, wide, wide.size() - 1);
  graph.value(graph.node(node).inputs[2]).shape = bias.shape;
  return bias;
}

bool float_constant(const Graph& graph, const Node& node, size_t input) {
  const Tensor* tensor = graph.constant_input(node, input);
  return tensor && tensor->dtype == DType::Float32;
}

}  // namespace

bool is_weighted(const Graph& graph, const Node& node) {
  const bool convolution = node.op == "Conv" || node.op == "ConvTranspose";
  const bool matrix = node.op == "MatMul" || node.op == "Gemm";
  if ((!convolution && !matrix) || node.inputs.size() < 2 || !float_constant(graph, node, 1)) {
    return false;
  }
  if (node.input(2) != kAbsent && !float_constant(graph, node, 2)) return false;
  if (graph.is_constant(node.inputs[0])) return false;
  const size_t rank = graph.constant_input(node, 1)->shape.size();
  return convolution ? rank >= 3
                     : rank == 2 && node.integer("transA", 0) == 0 &&
                           node.number("alpha", 1) == 1 && node.number("beta", 1) == 1;
}

std::optional<ChannelLayout> made_layout(const Graph& graph, const Node& node) {
  if (!is_weighted(graph, node) || !graph.value(node.outputs[0]).shape_known) return std::nullopt;
  const Shape& shape = graph.value(node.outputs[0]).shape;
  const bool matrix = node.op == "MatMul" || node.op == "Gemm";
  if (shape.size() < 2) return std::nullopt;
  return layout_of_axis(shape, matrix ? shape.size() - 1 : 1);
}

bool reads_layout(const Graph& graph, const Node& node, const ChannelLayout& layout) {
  const Shape& shape = graph.value(node.inputs[0]).shape;
  if (node.op == "Conv" || node.op == "ConvTranspose") return channel_axis(shape, layout) == 1;
  return layout.channels * layout.inner == WeightMap(graph, node).read();
}

void include_made(const Graph& graph, const ChannelEnd& maker, std::span<float> largest) {
  const WeightMap map(graph, graph.node(maker.node));
  const auto values = graph.constant_input(graph.node(maker.node), 1)->as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    largest[map.maker(i)] = std::max(largest[map.maker(i)], std::abs(values[i]));
  }
}

void include_read(const Graph& graph, const ChannelEnd& reader, std::span<float> largest) {
  const Node& node = graph.node(reader.node);
  const WeightMap map(graph, node, rows_per_channel(node, reader.layout));
  const auto values = graph.constant_input(node, 1)->as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    largest[map.reader(i)] = std::max(largest[map.reader(i)], std::abs(values[i]));
  }
}

void scale_made(Graph& graph, const ChannelEnd& maker, std::span<const float> factors) {
  const WeightMap map(graph, graph.node(maker.node));
  const auto values = own(graph, maker.node, 1).as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[map.maker(i)];
  if (graph.node(maker.node).input(2) == kAbsent) return;
  const auto bias = wide_bias(graph, maker.node, map.made()).as<float>();
  for (size_t i = 0; i < bias.size(); ++i) bias[i] *= factors[i % factors.size()];
}

void scale_read(Graph& graph, const ChannelEnd& reader, std::span<const float> factors) {
  const Node& node = graph.node(reader.node);
  const WeightMap map(graph, node, rows_per_channel(node, reader.layout));
  const auto values = own(graph, reader.node, 1).as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[map.reader(i)];
}

void scale_shift(Graph& graph, NodeId node, size_t input, const ChannelLayout& layout,
                 std::span<const float> factors) {
  const Shape& shape = graph.value(graph.node(node).outputs[0]).shape;
  const auto axis = channel_axis(shape, layout);
  Tensor& shift = own(graph, node, input);
  spread_channels(shift, shape, *axis);
  graph.value(graph.node(node).inputs[input]).shape = shift.shape;
  const size_t after = shape.size() - 1 - *axis;
  const size_t at = shift.shape.size() - 1 - after;
  const auto inner = static_cast<size_t>(element_count(std::span(shift.shape).subspan(at + 1)));
  const auto values = shift.as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= factors[i / inner % factors.size()];
}

void add_to_bias(Graph& graph, NodeId node, std::span<const float> numbers) {
  if (graph.node(node).input(2) == kAbsent) {
    const ValueId made =
        graph.add_constant(graph.node(node).name + ".bias",
                           Tensor::of<float>({static_cast<int64_t>(numbers.size())}, numbers));
    graph.node(node).inputs.resize(3, kAbsent);
    graph.node(node).inputs[2] = made;
    return;
  }
  const auto bias = wide_bias(graph, node, static_cast<int64_t>(numbers.size())).as<float>();
  for (size_t i = 0; i < bias.size(); ++i) bias[i] += numbers[i % numbers.size()];
}

std::vector<float> product_with(const Graph& graph, const ChannelEnd& reader,
                                std::span<const float> numbers) {
  const Node& node = graph.node(reader.node);
  const WeightMap map(graph, node, rows_per_channel(node, reader.layout));
  const auto values = graph.constant_input(node, 1)->as<float>();
  std::vector<double> sums(static_cast<size_t>(map.made()), 0);
  for (size_t i = 0; i < values.size(); ++i) {
    sums[map.maker(i)] += static_cast<double>(values[i]) * numbers[map.reader(i)];
  }
  return {sums.begin(), sums.end()};
}

}  // namespace octet
