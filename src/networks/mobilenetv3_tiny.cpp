#include <array>

#include "networks/builder.h"

namespace octet {
namespace {

// The blocks of MobileNetV3-Small (A. Howard et al., 2019, table 2), fewer and narrower: made for
// images of 28 to 64 pixels.
struct Block {
  int64_t kernel;
  int64_t expanded;
  int64_t out;
  bool squeeze;
  const char* act;
  int64_t stride;
};
constexpr std::array kBlocks{
    Block{3, 16, 16, true, "Relu", 1},       Block{3, 64, 24, false, "Relu", 2},
    Block{3, 72, 24, false, "Relu", 1},      Block{5, 96, 40, true, "HardSwish", 1},
    Block{5, 120, 40, true, "HardSwish", 1}, Block{5, 120, 48, true, "HardSwish", 1},
    Block{5, 144, 48, true, "HardSwish", 1},
};

ValueId add_block(NetworkBuilder& net, const std::string& name, ValueId x, const Block& block) {
  const int64_t expanded = net.scaled(block.expanded);
  const int64_t out = net.scaled(block.out);
  ValueId y = x;
  if (expanded != net.channels(x)) {
    y = net.conv_block(name + ".expand", y, expanded, 1, 1, 1, block.act);
  }
  y = net.conv_block(name + ".depthwise", y, expanded, block.kernel, block.stride, expanded,
                     block.act);
  if (block.squeeze) y = net.squeeze_excite(name + ".se", y, std::max<int64_t>(8, expanded / 4));
  y = net.conv_block(name + ".project", y, out, 1, 1, 1, "");
  return block.stride == 1 && out == net.channels(x) ? net.binary("Add", name + ".add", y, x) : y;
}

}  // namespace

Graph mobilenetv3_tiny(const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x = net.conv_block("stem", net.input(), net.scaled(16), 3, 2, 1, "HardSwish");
  for (size_t i = 0; i < kBlocks.size(); ++i) {
    x = add_block(net, "block" + std::to_string(i + 1), x, kBlocks[i]);
  }
  x = net.conv_block("head", x, net.scaled(288), 1, 1, 1, "HardSwish");
  x = net.flatten("flatten", net.global_pool("pool", x));
  x = net.activation("HardSwish", "features.act", net.linear("features", x, net.scaled(256)));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace octet
