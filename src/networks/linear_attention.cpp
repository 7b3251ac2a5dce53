#include "networks/linear_attention.h"

#include <algorithm>

namespace octet {
namespace {

/// batch x heads x channels of a head x pixels
struct Projections {
  ValueId query;
  ValueId key;
  ValueId value;
};

constexpr float kEpsilon = 1e-15F;

Projections split(NetworkBuilder& net, const std::string& name, ValueId qkv, int64_t head) {
  const Shape image = net.shape(qkv);
  const ValueId heads =
      net.reshape(name + ".heads", qkv, {-1, image[1] / (3 * head), 3 * head, image[2] * image[3]});
  const auto part = [&](const std::string& which, int64_t index) {
    return net.slice(name + "." + which, heads, 2, index * head, (index + 1) * head);
  };
  return {.query = net.activation("Relu", name + ".query.act", part("query", 0)),
          .key = net.activation("Relu", name + ".key.act", part("key", 1)),
          .value = part("value", 2)};
}

ValueId multiply(NetworkBuilder& net, const std::string& name, ValueId a, ValueId b) {
  Shape shape = net.shape(a);
  shape.back() = net.shape(b).back();
  return net.op("MatMul", name, {a, b}, {}, std::move(shape));
}

ValueId divide(NetworkBuilder& net, const std::string& name, ValueId sums, ValueId by) {
  by = net.binary("Add", name + ".epsilon", by, net.scalar(name + ".epsilon.value", kEpsilon));
  return net.binary("Div", name + ".divide", sums, by);
}

/// (value key^T) query: a row of ones below the values makes the sums of the weights.
ValueId attend_linearly(NetworkBuilder& net, const std::string& name, const Projections& of) {
  const int64_t head = net.shape(of.value)[2];
  Shape padded = net.shape(of.value);
  ++padded[2];
  const ValueId value =
      net.op("Pad", name + ".ones",
             {of.value, net.integers(name + ".ones.pads", {0, 0, 0, 0, 0, 0, 1, 0}),
              net.scalar(name + ".ones.value", 1)},
             {}, std::move(padded));
  const ValueId key = net.transpose(name + ".key.turned", of.key, {0, 1, 3, 2});
  const ValueId context = multiply(net, name + ".context", value, key);
  const ValueId all = multiply(net, name + ".product", context, of.query);
  const ValueId sums = net.slice(name + ".sums", all, 2, 0, head);
  return divide(net, name, sums, net.slice(name + ".weights", all, 2, head, head + 1));
}

/// value (key^T query), for images of few pixels.
ValueId attend_pairwise(NetworkBuilder& net, const std::string& name, const Projections& of) {
  const ValueId key = net.transpose(name + ".key.turned", of.key, {0, 1, 3, 2});
  const ValueId pairs = multiply(net, name + ".pairs", key, of.query);
  Shape sums = net.shape(pairs);
  sums[2] = 1;
  const ValueId weights =
      net.op("ReduceSum", name + ".weights", {pairs, net.integers(name + ".weights.axis", {2})},
             {{"keepdims", int64_t{1}}}, std::move(sums));
  return multiply(net, name + ".product", of.value, divide(net, name, pairs, weights));
}

}  // namespace

ValueId linear_attention(NetworkBuilder& net, const std::string& name, ValueId x, int64_t head) {
  const Shape image = net.shape(x);
  const int64_t heads = std::max<int64_t>(1, image[1] / head);
  const int64_t wide = 3 * heads * head;
  const ValueId qkv = net.conv(name + ".qkv", x, wide, {});
  ValueId around =
      net.conv(name + ".aggregate.depthwise", qkv, wide, {.kernel = 5, .groups = wide});
  around = net.conv(name + ".aggregate.pointwise", around, wide, {.groups = 3 * heads});
  const ValueId scales = net.op("Concat", name + ".scales", {qkv, around}, {{"axis", int64_t{1}}},
                                {-1, 2 * wide, image[2], image[3]});
  const Projections projections = split(net, name, scales, head);
  ValueId y = image[2] * image[3] > head ? attend_linearly(net, name, projections)
                                         : attend_pairwise(net, name, projections);
  y = net.reshape(name + ".image", y, {-1, 2 * heads * head, image[2], image[3]});
  return net.conv_block(name + ".project", y, image[1], {}, "");
}

}  // namespace octet
