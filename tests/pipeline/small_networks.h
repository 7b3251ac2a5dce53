#pragma once

#include "data/dataset.h"
#include "pipeline/parity.h"

namespace octet::test {

/// A convolution, a lowered HardSwish (a rescaled value, a clip), a sum, a pool and a product: what
/// both files hold in their own ways.
inline ValueId activated(SmallNet& n) {
  const ValueId a = n.op("HardSwish", {n.mixed(n.x, 4)});
  const ValueId b =
      n.op("Relu", {n.op("Conv", {a, n.c({4, 4, 3, 3}), n.c({4})}, {{"pads", L{1, 1, 1, 1}}})});
  const ValueId pooled = n.op("GlobalAveragePool", {n.op("Add", {a, b})});
  return n.op("Gemm", {n.op("Flatten", {pooled}), n.c({3, 4}), n.c({3})}, {{"transB", int64_t{1}}});
}

/// Tokens with a normalization (tables), and attention (products of two values, a softmax).
inline ValueId attentive(SmallNet& n) {
  const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
  const ValueId tokens = n.op("Transpose", {rows}, {{"perm", L{0, 2, 1}}});
  const ValueId wide = n.op("MatMul", {tokens, n.c({3, 8})});
  const ValueId normal = n.op("LayerNormalization", {wide, n.c({8}), n.c({8})});
  const ValueId turned = n.op("Transpose", {normal}, {{"perm", L{0, 2, 1}}});
  const ValueId scores = n.op("Softmax", {n.op("MatMul", {normal, turned})});
  return n.op("MatMul", {scores, wide});
}

/// Sizes and channels that do not tell an image's layout.
inline ValueId cubic(SmallNet& n) {
  const ValueId a =
      n.op("Relu", {n.op("Conv", {n.x, n.c({6, 3, 3, 3})}, {{"pads", L{1, 1, 1, 1}}})});
  const ValueId b = n.op("MaxPool", {a}, {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 1, 1}}});
  return n.op("Sigmoid", {n.op("Concat", {b, a}, {{"axis", int64_t{1}}})});
}

struct NamedNetwork {
  const char* name;
  ValueId (*build)(SmallNet& net);
};
inline constexpr NamedNetwork kSmallNetworks[] = {
    {"activated", activated}, {"attentive", attentive}, {"cubic", cubic}};

/// For both targets, ranges from 8 images.
inline Quantized quantized(ValueId (*build)(SmallNet& net)) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {build(small)}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  return {std::move(small.graph), {"onnxruntime-cpu", "tflite"}, data.as<float>(), 8};
}

/// Images of 3x6x6 that are drawn; some lie beyond the ranges of `quantized`.
struct DrawnImages : Dataset {
  int64_t size() const override { return 10; }
  int64_t label(int64_t /*index*/) const override { return 0; }
  Shape shape() const override { return {3, 6, 6}; }
  float black(int64_t /*channel*/) const override { return 0; }
  void image(int64_t index, std::span<float> out) const override {
    const Tensor drawn = random_tensor({3, 6, 6}, static_cast<unsigned>(100 + index), -4, 4);
    std::ranges::copy(drawn.as<float>(), out.begin());
  }
};

}  // namespace octet::test
