#include "networks/blocks.h"

namespace octet {

// K. He et al., "Deep Residual Learning for Image Recognition", 2016, section 4.2, n = 3, with
// projections (1x1 convolutions) where the shape changes.
Graph resnet20(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x = net.conv_block("stem", net.input(), net.scaled(16), {.kernel = 3}, "Relu");
  for (int stage = 0; stage < 3; ++stage) {
    for (int block = 0; block < 3; ++block) {
      const std::string name = "stage" + std::to_string(stage + 1) + "." + std::to_string(block);
      x = basic_block(net, name, x, net.scaled(int64_t{16} << stage),
                      stage > 0 && block == 0 ? 2 : 1);
    }
  }
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
