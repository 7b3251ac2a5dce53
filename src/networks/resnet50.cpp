#include "networks/blocks.h"

namespace octet {

// K. He et al., "Deep Residual Learning for Image Recognition", 2016, table 1; the stride stands in
// the 3x3 convolution, as in torchvision ("v1.5"), whose parameters and multiply-adds are
// published.
Graph resnet50(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x =
      net.conv_block("stem", net.input(), net.scaled(64), {.kernel = 7, .stride = 2}, "Relu");
  x = net.max_pool("stem.pool", x, {.kernel = 3, .stride = 2});
  constexpr int kBlocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    for (int block = 0; block < kBlocks[stage]; ++block) {
      const std::string name = "stage" + std::to_string(stage + 1) + "." + std::to_string(block);
      x = bottleneck_block(net, name, x, net.scaled(int64_t{64} << stage),
                           stage > 0 && block == 0 ? 2 : 1);
    }
  }
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
