#include <array>

#include "networks/blocks.h"

namespace octet {
namespace {

// A. Howard et al., "Searching for MobileNetV3", 2019, table 2.
constexpr std::array kSmallBlocks{
    MobileNetV3Block{3, 16, 16, true, "Relu", 2},
    MobileNetV3Block{3, 72, 24, false, "Relu", 2},
    MobileNetV3Block{3, 88, 24, false, "Relu", 1},
    MobileNetV3Block{5, 96, 40, true, "HardSwish", 2},
    MobileNetV3Block{5, 240, 40, true, "HardSwish", 1},
    MobileNetV3Block{5, 240, 40, true, "HardSwish", 1},
    MobileNetV3Block{5, 120, 48, true, "HardSwish", 1},
    MobileNetV3Block{5, 144, 48, true, "HardSwish", 1},
    MobileNetV3Block{5, 288, 96, true, "HardSwish", 2},
    MobileNetV3Block{5, 576, 96, true, "HardSwish", 1},
    MobileNetV3Block{5, 576, 96, true, "HardSwish", 1},
};

}  // namespace

Graph mobilenetv3_small(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x =
      net.conv_block("stem", net.input(), net.scaled(16), {.kernel = 3, .stride = 2}, "HardSwish");
  int number = 0;
  for (const MobileNetV3Block& block : kSmallBlocks) {
    const int64_t expanded = net.scaled(block.expanded);
    const int64_t squeezed = multiple_of_8(static_cast<double>(expanded) / 4);
    x = inverted_residual(net, "block" + std::to_string(++number), x,
                          {.kernel = block.kernel,
                           .expanded = expanded,
                           .out = net.scaled(block.out),
                           .stride = block.stride,
                           .act = block.act,
                           .excite = {.squeezed = block.squeeze ? squeezed : 0}});
  }
  x = net.conv_block("head", x, 6 * net.channels(x), {}, "HardSwish");
  x = net.flatten("flatten", net.global_pool("pool", x));
  x = net.activation("HardSwish", "features.act", net.linear("features", x, net.scaled(1024)));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
