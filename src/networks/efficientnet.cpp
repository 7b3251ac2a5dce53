#include <algorithm>
#include <array>

#include "networks/blocks.h"

namespace octet {
namespace {

// M. Tan, Q. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks", 2019,
// table 1.
struct Stage {
  int64_t expansion;
  int64_t kernel;
  int64_t out;
  int64_t blocks;
  int64_t stride;  ///< of the first block
};
constexpr std::array kStages{
    Stage{1, 3, 16, 1, 1},  Stage{6, 3, 24, 2, 2},  Stage{6, 5, 40, 2, 2},  Stage{6, 3, 80, 3, 2},
    Stage{6, 5, 112, 3, 1}, Stage{6, 5, 192, 4, 2}, Stage{6, 3, 320, 1, 1},
};

/// The seven stages; `squeeze` puts a gate of a quarter of each block's input into it.
ValueId stages(NetworkBuilder& net, ValueId x, const char* act, bool squeeze) {
  int number = 0;
  for (const Stage& stage : kStages) {
    for (int64_t i = 0; i < stage.blocks; ++i) {
      const int64_t quarter = std::max<int64_t>(1, net.channels(x) / 4);
      x = inverted_residual(
          net, "block" + std::to_string(++number), x,
          {.kernel = stage.kernel,
           .expanded = stage.expansion * net.channels(x),
           .out = net.scaled(stage.out),
           .stride = i == 0 ? stage.stride : 1,
           .act = act,
           .excite = {.squeezed = squeeze ? quarter : 0, .act = "Silu", .gate = "Sigmoid"}});
    }
  }
  return x;
}

}  // namespace

Graph efficientnet_b0(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x =
      net.conv_block("stem", net.input(), net.scaled(32), {.kernel = 3, .stride = 2}, "Silu");
  x = stages(net, x, "Silu", true);
  x = net.conv_block("head", x, net.scaled(1280), {}, "Silu");
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

// R. Liu, "Higher accuracy on vision models with EfficientNet-Lite", 2020: no gates, ReLU6 for
// SiLU, and neither stem nor head are scaled.
Graph efficientnet_lite0(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x = net.conv_block("stem", net.input(), 32, {.kernel = 3, .stride = 2}, "Relu6");
  x = stages(net, x, "Relu6", false);
  x = net.conv_block("head", x, 1280, {}, "Relu6");
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
