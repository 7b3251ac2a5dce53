#include "networks/blocks.h"

namespace octet {

ValueId squeeze_excite(NetworkBuilder& net, const std::string& name, ValueId x,
                       const SqueezeExcite& shape) {
  ValueId gate = net.global_pool(name + ".pool", x);
  gate = net.conv(name + ".squeeze", gate, shape.squeezed, {.bias = true});
  gate = net.activation(shape.act, name + ".act", gate);
  gate = net.conv(name + ".excite", gate, net.channels(x), {.bias = true});
  gate = net.activation(shape.gate, name + ".gate", gate);
  return net.binary("Mul", name + ".scale", x, gate);
}

ValueId inverted_residual(NetworkBuilder& net, const std::string& name, ValueId x,
                          const InvertedResidual& block) {
  const bool bias = block.only_last_is_normed;
  ValueId y = x;
  if (block.expanded != net.channels(x)) {
    y = net.conv_block(name + ".expand", y, block.expanded, {.bias = bias}, block.act);
  }
  y = net.conv_block(
      name + ".depthwise", y, block.expanded,
      {.kernel = block.kernel, .stride = block.stride, .groups = block.expanded, .bias = bias},
      block.act);
  if (block.excite.squeezed > 0) y = squeeze_excite(net, name + ".se", y, block.excite);
  y = net.conv_block(name + ".project", y, block.out, {}, "");
  const bool same = block.stride == 1 && block.out == net.channels(x);
  return same ? net.binary("Add", name + ".add", y, x) : y;
}

namespace {

/// y + x, with x by a 1x1 convolution where the shape changes.
ValueId residual(NetworkBuilder& net, const std::string& name, ValueId y, ValueId x,
                 int64_t stride) {
  const int64_t out = net.channels(y);
  const bool same = stride == 1 && out == net.channels(x);
  const ValueId shortcut =
      same ? x : net.conv_block(name + ".shortcut", x, out, {.stride = stride}, "");
  return net.activation("Relu", name + ".act", net.binary("Add", name + ".add", y, shortcut));
}

}  // namespace

ValueId basic_block(NetworkBuilder& net, const std::string& name, ValueId x, int64_t out,
                    int64_t stride) {
  ValueId y = net.conv_block(name + ".first", x, out, {.kernel = 3, .stride = stride}, "Relu");
  y = net.conv_block(name + ".second", y, out, {.kernel = 3}, "");
  return residual(net, name, y, x, stride);
}

ValueId bottleneck_block(NetworkBuilder& net, const std::string& name, ValueId x, int64_t squeezed,
                         int64_t stride) {
  ValueId y = net.conv_block(name + ".reduce", x, squeezed, {}, "Relu");
  y = net.conv_block(name + ".middle", y, squeezed, {.kernel = 3, .stride = stride}, "Relu");
  y = net.conv_block(name + ".expand", y, 4 * squeezed, {}, "");
  return residual(net, name, y, x, stride);
}

}  // namespace octet
