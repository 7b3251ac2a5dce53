#include <algorithm>
#include <array>

#include "networks/blocks.h"

namespace octet {
namespace {

// M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2.
struct Bottleneck {
  int64_t expansion;
  int64_t out;
  int64_t blocks;
  int64_t stride;  ///< of the first block
};
constexpr std::array kBottlenecks{
    Bottleneck{1, 16, 1, 1},  Bottleneck{6, 24, 2, 2}, Bottleneck{6, 32, 3, 2},
    Bottleneck{6, 64, 4, 2},  Bottleneck{6, 96, 3, 1}, Bottleneck{6, 160, 3, 2},
    Bottleneck{6, 320, 1, 1},
};

}  // namespace

Graph mobilenetv2(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x =
      net.conv_block("stem", net.input(), net.scaled(32), {.kernel = 3, .stride = 2}, "Relu6");
  int number = 0;
  for (const Bottleneck& stage : kBottlenecks) {
    for (int64_t i = 0; i < stage.blocks; ++i) {
      x = inverted_residual(net, "block" + std::to_string(++number), x,
                            {.kernel = 3,
                             .expanded = stage.expansion * net.channels(x),
                             .out = net.scaled(stage.out),
                             .stride = i == 0 ? stage.stride : 1,
                             .act = "Relu6"});
    }
  }
  // Section 5: the last convolution grows with the network but does not shrink with it.
  x = net.conv_block("head", x, std::max<int64_t>(1280, net.scaled(1280)), {}, "Relu6");
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
