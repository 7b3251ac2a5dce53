#include <algorithm>
#include <array>

#include "formats/tflite/lower.h"
#include "graph/quantize_tensor.h"

// What puts tensors together, cuts them, or repeats them.
namespace octet::lite {
namespace {

void lower_concat(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  std::vector<int> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(to.input(node, i, order));
  tflite::ConcatenationOptionsT options;
  options.axis = static_cast<int32_t>(
      axis_in(order, node.integer("axis", 0), to.shape(node.outputs[0]).size()));
  to.emit(tflite::BuiltinOperator_CONCATENATION, 2, options_of(options), inputs,
          {to.output(node, order)});
}

void lower_split(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const size_t rank = to.shape(node.inputs[0]).size();
  const int64_t axis = axis_in(Order::Onnx, node.integer("axis", 0), rank);
  const std::array<int64_t, 1> in_file{axis_in(order, axis, rank)};
  std::vector<int64_t> sizes;
  for (const ValueId out : node.outputs) {
    sizes.push_back(to.shape(out)[static_cast<size_t>(axis)]);
  }
  const std::vector<int> inputs{to.input(node, 0, order), to.numbers(node.name + "/sizes", sizes),
                                to.numbers(node.name + "/axis", in_file, Shape{})};
  std::vector<int> outputs;
  for (size_t i = 0; i < node.outputs.size(); ++i) outputs.push_back(to.output(node, order, i));
  tflite::SplitVOptionsT options;
  options.num_splits = static_cast<int32_t>(sizes.size());
  to.emit(tflite::BuiltinOperator_SPLIT_V, 2, options_of(options), inputs, outputs);
}

/// One axis of a slice as STRIDED_SLICE takes it.
struct Cut {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = 1;
  bool to_the_front = false;  ///< backwards, the first element included
};

Cut cut_of(int64_t start, int64_t end, int64_t step, int64_t extent) {
  const auto from_front = [&](int64_t bound) { return bound < 0 ? bound + extent : bound; };
  if (step > 0) {
    return {std::clamp<int64_t>(from_front(start), 0, extent),
            std::clamp<int64_t>(from_front(end), 0, extent), step};
  }
  const int64_t last = std::clamp<int64_t>(from_front(end), -1, extent - 1);
  return {std::clamp<int64_t>(from_front(start), 0, extent - 1), std::max<int64_t>(last, 0), step,
          last < 0};
}

void lower_slice(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  const Shape in = to.in_file(input);
  const auto starts = parameter(to, node, 1);
  const auto ends = parameter(to, node, 2);
  const auto axes = parameter(to, node, 3, counting(starts.size()));
  const auto steps = parameter(to, node, 4, std::vector<int64_t>(starts.size(), 1));
  std::vector<int64_t> begin(in.size(), 0);
  std::vector<int64_t> end = in;
  std::vector<int64_t> stride(in.size(), 1);
  tflite::StridedSliceOptionsT options;
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto at = static_cast<size_t>(axis_in(order, axes[i], in.size()));
    const Cut cut = cut_of(starts[i], ends[i], steps[i], in[at]);
    begin[at] = cut.begin;
    end[at] = cut.end;
    stride[at] = cut.step;
    if (cut.to_the_front) options.end_mask |= 1 << at;
  }
  const std::vector<int> inputs{input, to.numbers(node.name + "/begin", begin),
                                to.numbers(node.name + "/end", end),
                                to.numbers(node.name + "/strides", stride)};
  to.emit(tflite::BuiltinOperator_STRIDED_SLICE, in.size() > 4 ? 4 : 2, options_of(options), inputs,
          {to.output(node, order)});
}

/// Pads of a dimension of the input, in the graph's order.
struct Margins {
  std::vector<int64_t> before;
  std::vector<int64_t> after;
};

Margins margins_of(Lowering& to, const Node& node) {
  const size_t rank = to.shape(node.inputs[0]).size();
  const auto pads = parameter(to, node, 1);
  const auto axes = parameter(to, node, 3, counting(pads.size() / 2));
  Margins margins{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axis_in(Order::Onnx, axes[i], rank));
    margins.before[axis] = pads[i];
    margins.after[axis] = pads[i + axes.size()];
  }
  return margins;
}

/// The elements along a padded axis by their numbers (the modes edge, reflect and wrap).
std::vector<int64_t> mirrored(const std::string& mode, int64_t before, int64_t after,
                              int64_t extent) {
  const auto modulo = [](int64_t a, int64_t b) { return (a % b + b) % b; };
  const int64_t last = std::max<int64_t>(extent - 1, 1);  // to and fro between the two ends
  std::vector<int64_t> from;
  for (int64_t i = -before; i < extent + after; ++i) {
    const int64_t place = mode == "wrap"      ? modulo(i, extent)
                          : mode == "reflect" ? last - std::abs(modulo(i, 2 * last) - last)
                                              : i;
    from.push_back(std::clamp<int64_t>(place, 0, extent - 1));
  }
  return from;
}

void pad_with_values(Lowering& to, const Node& node, const Margins& margins) {
  const Order order = to.order(node);
  const std::string mode = node.text("mode", "constant");
  const QuantParams& params = to.grid(node, node.inputs[0]);
  std::vector<size_t> padded;
  for (size_t axis = 0; axis < margins.before.size(); ++axis) {
    if (margins.before[axis] != 0 || margins.after[axis] != 0) padded.push_back(axis);
  }
  int input = to.input(node, 0, order);
  if (padded.empty()) return to.emit_reshape(input, to.output(node, order));
  for (const size_t axis : padded) {
    const auto at =
        static_cast<size_t>(axis_in(order, static_cast<int64_t>(axis), margins.before.size()));
    Shape shape = to.in_file(input);
    const auto from = mirrored(mode, margins.before[axis], margins.after[axis], shape[at]);
    shape[at] = static_cast<int64_t>(from.size());
    const int out = axis == padded.back() ? to.output(node, order)
                                          : to.inner(node.name + "/padded", shape, params);
    to.emit_gather(input, to.numbers(node.name + "/from", from), static_cast<int64_t>(at), out);
    input = out;
  }
}

void lower_pad(Lowering& to, const Node& node) {
  const Margins margins = margins_of(to, node);
  if (node.text("mode", "constant") != "constant") return pad_with_values(to, node, margins);
  const Order order = to.order(node);
  const auto rank = static_cast<int64_t>(margins.before.size());
  std::vector<int64_t> amounts(2 * margins.before.size());
  for (int64_t axis = 0; axis < rank; ++axis) {
    const auto at = static_cast<size_t>(2 * axis_in(order, axis, margins.before.size()));
    amounts[at] = margins.before[static_cast<size_t>(axis)];
    amounts[at + 1] = margins.after[static_cast<size_t>(axis)];
  }
  if (!amounts.empty() && std::ranges::min(amounts) < 0) {
    refuse(node, "negative pads cannot be written");
  }
  std::vector<int> inputs{to.input(node, 0, order),
                          to.numbers(node.name + "/pads", amounts, Shape{rank, 2})};
  const Tensor* fill = to.graph().constant_input(node, 2);
  if (!fill || fill->as<float>()[0] == 0) {
    return to.emit(tflite::BuiltinOperator_PAD, 2, options_of(tflite::PadOptionsT{}), inputs,
                   {to.output(node, order)});
  }
  const QuantParams& params = to.grid(node, node.inputs[0]);
  Tensor integer = quantize(*fill, params);
  integer.shape = {1};
  inputs.push_back(to.constant(node.name + "/fill", std::move(integer), params));
  to.emit(tflite::BuiltinOperator_PADV2, 2, options_of(tflite::PadV2OptionsT{}), inputs,
          {to.output(node, order)});
}

/// To the shape of the output, of which the graph knows all but the batch.
void broadcast(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order, to.shape(node.outputs[0]).size());
  const int out = to.output(node, order);
  const Shape shape = to.in_file(out);
  if (to.in_file(input) == shape) return to.emit_reshape(input, out);
  to.emit(tflite::BuiltinOperator_BROADCAST_TO, 3, options_of(tflite::BroadcastToOptionsT{}),
          {input, to.numbers(node.name + "/shape", shape)}, {out});
}

void lower_tile(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  const Shape in = to.in_file(input);
  const int out = to.output(node, order);
  std::vector<int64_t> times = to.in_file(out);
  for (size_t d = 0; d < in.size(); ++d) times[d] /= std::max<int64_t>(in[d], 1);
  if (to.in_file(out) == in) return to.emit_reshape(input, out);
  to.emit(tflite::BuiltinOperator_TILE, 2, options_of(tflite::TileOptionsT{}),
          {input, to.numbers(node.name + "/repeats", times)}, {out});
}

constexpr std::array kSliceRows{
    Row{"Concat", any, lower_concat}, Row{"Split", any, lower_split},
    Row{"Slice", any, lower_slice},   Row{"Pad", any, lower_pad},
    Row{"Expand", any, broadcast},    Row{"Tile", any, lower_tile},
};

}  // namespace

std::span<const Row> slice_rows() { return kSliceRows; }

}  // namespace octet::lite
