// ONNX Runtime on x86 processors without VNNI: QLinearConv, QGemm and QLinearMatMul of an int8
// weight add the products of each two neighbours in 16 bits, with saturation. All else is exact.

#include "dialects/onnxruntime_pairs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>

#include <limits>
#include <vector>

#include "dialects/onnxruntime.h"
#include "ops/weight.h"
#include "ops/window_view.h"

namespace octet {

PairOrder pair_order(const Node& node, const Shape& weight) {
  if (node.op == "Conv" && weight.size() > 2) {
    const bool one_each = weight[1] == 1 && weight[0] == node.integer("group", 1);
    return one_each ? PairOrder::None : PairOrder::ChannelsLast;
  }
  if (node.op == "Gemm") return node.integer("transB", 0) ? PairOrder::Rows : PairOrder::Columns;
  return node.op == "MatMul" && weight.size() == 2 ? PairOrder::Columns : PairOrder::None;
}

at::Tensor weight_pairs(PairOrder order, const at::Tensor& weight) {
  at::Tensor rows = weight;  // [out, in]
  if (order == PairOrder::ChannelsLast) rows = weight.movedim(1, -1).flatten(1);
  if (order == PairOrder::Columns) rows = weight.t();
  if (rows.size(1) % 2 != 0) rows = at::constant_pad_nd(rows, {0, 1});
  return rows.reshape({rows.size(0), rows.size(1) / 2, 2});
}

namespace onnxruntime {
namespace {

/// Adds to `sums` [..., out] what saturation does to the products of `x` [..., in] (stored
/// integers) and the weights `pairs` [out, in / 2, 2].
void saturate(at::Tensor x, const at::Tensor& pairs, at::Tensor sums) {
  using Limits = std::numeric_limits<int16_t>;
  const at::Tensor can = pairs.sum(-1).abs() > kLargestPair;
  const at::Tensor channels = can.any(-1).nonzero().flatten();
  if (channels.numel() > 0 && x.size(-1) % 2 != 0) x = at::constant_pad_nd(x, {0, 1});
  for (int64_t i = 0; i < channels.numel(); ++i) {
    const auto c = channels[i].item<int64_t>();
    const at::Tensor at = can[c].nonzero().flatten();
    const at::Tensor weights = pairs[c].index_select(0, at);
    const at::Tensor products = x.index_select(-1, at * 2) * weights.select(-1, 0) +
                                x.index_select(-1, at * 2 + 1) * weights.select(-1, 1);
    sums.select(-1, c).add_(
        (products.clamp(Limits::min(), Limits::max()) - products).sum(-1).to(at::kInt));
  }
}

/// The weight in pairs; undefined where the kernel widens first.
at::Tensor pairs_of(const IntegerCall& call) {
  // uint8 times uint8 has a kernel that widens.
  const bool int8 = call.grids[1]->low != -128 || is_weight(call.graph, call.node.inputs[1]);
  const at::Tensor& weight = call.in(1);
  const PairOrder order = pair_order(call.node, weight.sizes().vec());
  return int8 && order != PairOrder::None ? weight_pairs(order, weight) : at::Tensor();
}

/// The inputs of the windows of one image and group, [out..., in x taps] in the kernel's order.
at::Tensor columns_of(const at::Tensor& image, const SpatialWindow& window) {
  const at::Tensor elements = window_elements(image, window);  // [1, in, out..., taps]
  return elements[0].movedim(0, -1).flatten(-2);
}

at::Tensor product_in_pairs(const IntegerCall& call) {
  at::Tensor sums = sums_of_products(call.node, centred(call, 0), centred(call, 1));
  const at::Tensor pairs = pairs_of(call);
  if (pairs.defined()) saturate(call.in(0) + stored_input(call, 0).moved, pairs, sums);
  return sums;
}

}  // namespace

at::Tensor conv_in_pairs(const IntegerCall& call) {
  at::Tensor sums = sums_of_products(call.node, centred(call, 0), centred(call, 1));
  const at::Tensor pairs = pairs_of(call);
  if (!pairs.defined()) return rescaled_conv(call, sums);
  const StoredGrid grid = stored_input(call, 0);
  const SpatialWindow window =
      spatial_window_of(call.node, spatial_extents(call.in(1)), spatial_extents(call.in(0)));
  const at::Tensor x = padded_exactly(call.in(0) + grid.moved, window, grid.zero_point);
  const int64_t groups = call.node.integer("group", 1);
  const int64_t in = call.in(1).size(1);
  const int64_t out = call.in(1).size(0) / groups;
  for (int64_t image = 0; image < x.size(0); ++image) {
    for (int64_t group = 0; group < groups; ++group) {
      const at::Tensor part = x.narrow(0, image, 1).narrow(1, group * in, in);
      saturate(columns_of(part, window), pairs.narrow(0, group * out, out),
               sums[image].narrow(0, group * out, out).movedim(0, -1));
    }
  }
  return rescaled_conv(call, sums);
}

at::Tensor gemm_in_pairs(const IntegerCall& call) {
  return rescaled_gemm(call, product_in_pairs(call));
}

at::Tensor matmul_in_pairs(const IntegerCall& call) {
  return rescaled_matmul(call, product_in_pairs(call));
}

}  // namespace onnxruntime
}  // namespace octet
