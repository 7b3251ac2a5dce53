#include <algorithm>
#include <array>
#include <numeric>

#include "formats/tflite/lower.h"

// What reorders values, or only names their shape.
namespace octet::lite {
namespace {

void lower_reshape(Lowering& to, const Node& node) {
  const int input = to.input(node, 0, Order::Onnx);
  to.emit_reshape(input, to.output(node, Order::Onnx));
}

/// The same values in the same order: the shapes are equal, and the operator leaves the file.
void lower_identity(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  to.emit_reshape(input, to.output(node, order));
}

void lower_transpose(Lowering& to, const Node& node) {
  std::vector<int64_t> permutation = node.integers("perm");
  if (permutation.empty()) {
    permutation.resize(to.shape(node.inputs[0]).size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  const int input = to.input(node, 0, Order::Onnx);
  to.emit_transpose(input, to.output(node, Order::Onnx), permutation);
}

/// Blocks whose channels stand depth first (ONNX's CRD): TFLite knows the other order only.
void depth_first(Lowering& to, const Node& node, int input, int64_t block) {
  const QuantParams& params = to.grid(node, node.inputs[0]);
  const Shape in = to.in_file(input);
  const Shape split{in[0] * in[1], in[2], in[3] / (block * block), block, block};
  constexpr std::array<int64_t, 5> kPermutation{0, 3, 1, 4, 2};
  const int blocks = to.inner(node.name + "/blocks", split, params);
  const int turned = to.inner(node.name + "/turned", permuted(split, kPermutation), params);
  to.emit_reshape(input, blocks);
  to.emit_transpose(blocks, turned, kPermutation);
  to.emit_reshape(turned, to.output(node, Order::ChannelsLast));
}

/// Blocks of 16 bits, of which TFLite has no kernel: rows of a block trade places with the columns
/// between `before` (as the input is cut) and the output.
void turned_blocks(Lowering& to, const Node& node, int input, const Shape& before) {
  const QuantParams& params = to.grid(node, node.inputs[0]);
  constexpr std::array<int64_t, 4> kPermutation{0, 2, 1, 3};
  const int blocks = to.inner(node.name + "/blocks", before, params);
  const int turned = to.inner(node.name + "/turned", permuted(before, kPermutation), params);
  to.emit_reshape(input, blocks);
  to.emit_transpose(blocks, turned, kPermutation);
  to.emit_reshape(turned, to.output(node, Order::ChannelsLast));
}

bool is_wide(const Lowering& to, const Node& node) {
  return to.grid(node, node.inputs[0]).type == DType::Int16;
}

void lower_depth_to_space(Lowering& to, const Node& node) {
  const int64_t block = node.integer("blocksize", 1);
  const int input = to.input(node, 0, Order::ChannelsLast);
  if (node.text("mode", "DCR") == "CRD") return depth_first(to, node, input, block);
  if (is_wide(to, node)) {
    const Shape in = to.in_file(input);
    return turned_blocks(to, node, input, {in[0] * in[1], in[2], block, in[3] / block});
  }
  tflite::DepthToSpaceOptionsT options;
  options.block_size = static_cast<int32_t>(block);
  to.emit(tflite::BuiltinOperator_DEPTH_TO_SPACE, 1, options_of(options), {input},
          {to.output(node, Order::ChannelsLast)});
}

void lower_space_to_depth(Lowering& to, const Node& node) {
  const int64_t block = node.integer("blocksize", 1);
  const int input = to.input(node, 0, Order::ChannelsLast);
  if (is_wide(to, node)) {
    const Shape in = to.in_file(input);
    return turned_blocks(to, node, input,
                         {in[0] * in[1] / block, block, in[2] / block, block * in[3]});
  }
  tflite::SpaceToDepthOptionsT options;
  options.block_size = static_cast<int32_t>(block);
  to.emit(tflite::BuiltinOperator_SPACE_TO_DEPTH, 2, options_of(options), {input},
          {to.output(node, Order::ChannelsLast)});
}

constexpr std::array kLayoutRows{
    Row{"Reshape", onnx, lower_reshape},
    Row{"Flatten", onnx, lower_reshape},
    Row{"Squeeze", onnx, lower_reshape},
    Row{"Unsqueeze", onnx, lower_reshape},
    Row{"Identity", any, lower_identity},
    Row{"Transpose", onnx, lower_transpose},
    Row{"DepthToSpace", image, lower_depth_to_space},
    Row{"SpaceToDepth", image, lower_space_to_depth},
};

}  // namespace

std::span<const Row> layout_rows() { return kLayoutRows; }

}  // namespace octet::lite
