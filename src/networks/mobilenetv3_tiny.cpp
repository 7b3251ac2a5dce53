#include <array>

#include "networks/blocks.h"

namespace octet {
namespace {

// The blocks of MobileNetV3-Small (A. Howard et al., 2019, table 2), fewer and narrower: made for
// images of 28 to 64 pixels.
constexpr std::array kTinyBlocks{
    MobileNetV3Block{3, 16, 16, true, "Relu", 1},
    MobileNetV3Block{3, 64, 24, false, "Relu", 2},
    MobileNetV3Block{3, 72, 24, false, "Relu", 1},
    MobileNetV3Block{5, 96, 40, true, "HardSwish", 1},
    MobileNetV3Block{5, 120, 40, true, "HardSwish", 1},
    MobileNetV3Block{5, 120, 48, true, "HardSwish", 1},
    MobileNetV3Block{5, 144, 48, true, "HardSwish", 1},
};

}  // namespace

Graph mobilenetv3_tiny(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x =
      net.conv_block("stem", net.input(), net.scaled(16), {.kernel = 3, .stride = 2}, "HardSwish");
  int number = 0;
  for (const MobileNetV3Block& block : kTinyBlocks) {
    const int64_t expanded = net.scaled(block.expanded);
    x = inverted_residual(
        net, "block" + std::to_string(++number), x,
        {.kernel = block.kernel,
         .expanded = expanded,
         .out = net.scaled(block.out),
         .stride = block.stride,
         .act = block.act,
         .excite = {.squeezed = block.squeeze ? std::max<int64_t>(8, expanded / 4) : 0}});
  }
  x = net.conv_block("head", x, net.scaled(288), {}, "HardSwish");
  x = net.flatten("flatten", net.global_pool("pool", x));
  x = net.activation("HardSwish", "features.act", net.linear("features", x, net.scaled(256)));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
