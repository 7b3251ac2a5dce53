#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "networks/builder.h"

namespace octet {
namespace {

// A. Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021, in the size of H. Touvron et al.,
// "Training data-efficient image transformers & distillation through attention", 2021, table 1
// (DeiT-Ti, without the token of distillation).
constexpr int64_t kPatch = 16;
constexpr int64_t kDepth = 12;
constexpr int64_t kHeads = 3;
constexpr double kWidth = 192;
constexpr float kNormEpsilon = 1e-6F;

/// Heads have a multiple of 8 channels.
int64_t embedding_width(double factor) {
  const double unit = 8 * kHeads;
  return static_cast<int64_t>(unit) * std::max<int64_t>(1, std::lround(kWidth * factor / unit));
}

/// Tokens times a matrix; exporters write MatMul and Add, too.
ValueId tokens_linear(NetworkBuilder& net, const std::string& name, ValueId x, int64_t out) {
  Shape shape = net.shape(x);
  const ValueId weight = net.truncated_normal(name + ".weight", {shape.back(), out});
  shape.back() = out;
  const ValueId product = net.op("MatMul", name, {x, weight}, {}, std::move(shape));
  return net.binary("Add", name + ".add", product, net.filled(name + ".bias", {out}, 0));
}

/// One token per patch, and the class token before them. A constant cannot be joined to a batch of
/// open size; so the class token is a row of zeros (a Pad) and its numbers are part of the first
/// position's embedding, to which the paper adds them anyway.
ValueId embed(NetworkBuilder& net, int64_t width) {
  const Shape image = net.shape(net.input());
  const int64_t rows = image[2] / kPatch;
  const int64_t columns = image[3] / kPatch;
  ValueId x = net.op(
      "Conv", "patches",
      {net.input(), net.truncated_normal("patches.weight", {width, image[1], kPatch, kPatch}),
       net.filled("patches.bias", {width}, 0)},
      {{"kernel_shape", std::vector{kPatch, kPatch}}, {"strides", std::vector{kPatch, kPatch}}},
      {-1, width, rows, columns});
  x = net.reshape("patches.flat", x, {-1, width, rows * columns});
  x = net.transpose("patches.tokens", x, {0, 2, 1});
  const int64_t tokens = rows * columns + 1;
  x = net.op("Pad", "class_token", {x, net.integers("class_token.pads", {0, 1, 0, 0, 0, 0})}, {},
             {-1, tokens, width});
  return net.binary("Add", "positions.add", x,
                    net.truncated_normal("positions", {1, tokens, width}));
}

/// Queries, keys and values have matrices, and so grids, of their own.
ValueId attention(NetworkBuilder& net, const std::string& name, ValueId x) {
  const int64_t tokens = net.shape(x)[1];
  const int64_t width = net.shape(x)[2];
  const int64_t head = width / kHeads;
  const auto heads = [&](const std::string& which, const std::vector<int64_t>& order) {
    ValueId y = tokens_linear(net, name + "." + which, x, width);
    y = net.reshape(name + "." + which + ".heads", y, {-1, tokens, kHeads, head});
    return net.transpose(name + "." + which + ".turned", y, order);
  };
  const ValueId query = heads("query", {0, 2, 1, 3});
  const ValueId key = heads("key", {0, 2, 3, 1});
  const ValueId value = heads("value", {0, 2, 1, 3});
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(head)));
  const ValueId scaled =
      net.binary("Mul", name + ".scale", query, net.scalar(name + ".scale.value", scale));
  const Shape square{-1, kHeads, tokens, tokens};
  ValueId y = net.op("MatMul", name + ".pairs", {scaled, key}, {}, square);
  y = net.op("Softmax", name + ".softmax", {y}, {{"axis", int64_t{-1}}}, square);
  y = net.op("MatMul", name + ".product", {y, value}, {}, {-1, kHeads, tokens, head});
  y = net.transpose(name + ".joined", y, {0, 2, 1, 3});
  y = net.reshape(name + ".tokens", y, {-1, tokens, width});
  return tokens_linear(net, name + ".project", y, width);
}

ValueId block(NetworkBuilder& net, const std::string& name, ValueId x) {
  const int64_t width = net.shape(x)[2];
  ValueId y = net.layer_norm(name + ".attention.norm", x, kNormEpsilon);
  x = net.binary("Add", name + ".attention.add", attention(net, name + ".attention", y), x);
  y = net.layer_norm(name + ".mlp.norm", x, kNormEpsilon);
  y = net.activation("Gelu", name + ".mlp.act",
                     tokens_linear(net, name + ".mlp.first", y, 4 * width));
  return net.binary("Add", name + ".mlp.add", tokens_linear(net, name + ".mlp.second", y, width),
                    x);
}

}  // namespace

Graph vit_tiny(const NetworkSize& size, uint64_t seed) {
  if (size.input[1] % kPatch != 0 || size.input[2] % kPatch != 0) {
    fail(Code::Usage,
         "vit-tiny cuts images into patches of {0}x{0}: its input wants a height and a width that "
         "are multiples of {0}; given {1}x{2}",
         kPatch, size.input[1], size.input[2]);
  }
  NetworkBuilder net(size, seed);
  ValueId x = embed(net, embedding_width(size.width));
  for (int64_t i = 1; i <= kDepth; ++i) x = block(net, "block" + std::to_string(i), x);
  const int64_t width = net.shape(x)[2];
  x = net.reshape("class", net.slice("class.token", x, 1, 0, 1), {-1, width});
  x = net.layer_norm("norm", x, kNormEpsilon);
  return net.finish(net.op("Gemm", "classifier",
                           {x, net.truncated_normal("classifier.weight", {size.classes, width}),
                            net.filled("classifier.bias", {size.classes}, 0)},
                           {{"transB", int64_t{1}}}, {-1, size.classes}));
}

}  // namespace octet
