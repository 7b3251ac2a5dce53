#include "networks/builder.h"

namespace octet {

// K. He et al., "Deep Residual Learning for Image Recognition", 2016, section 4.2, n = 3, with
// projections (1x1 convolutions) where the shape changes.
Graph resnet20(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x = net.conv_block("stem", net.input(), net.scaled(16), 3, 1, 1, "Relu");
  for (int stage = 0; stage < 3; ++stage) {
    const int64_t out = net.scaled(int64_t{16} << stage);
    for (int block = 0; block < 3; ++block) {
      const std::string name = "stage" + std::to_string(stage + 1) + "." + std::to_string(block);
      const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      ValueId y = net.conv_block(name + ".first", x, out, 3, stride, 1, "Relu");
      y = net.conv_block(name + ".second", y, out, 3, 1, 1, "");
      const bool same = stride == 1 && out == net.channels(x);
      const ValueId shortcut =
          same ? x : net.conv_block(name + ".shortcut", x, out, 1, stride, 1, "");
      x = net.activation("Relu", name + ".act", net.binary("Add", name + ".add", y, shortcut));
    }
  }
  x = net.flatten("flatten", net.global_pool("pool", x));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
