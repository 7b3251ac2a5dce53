#include <array>

#include "networks/blocks.h"
#include "networks/linear_attention.h"

namespace octet {
namespace {

// H. Cai et al., "EfficientViT: Multi-Scale Linear Attention for High-Resolution Dense Prediction",
// 2023, and the authors' https://github.com/mit-han-lab/efficientvit (B series).
struct Variant {
  std::array<int64_t, 5> widths;
  std::array<int64_t, 5> depths;
  std::array<int64_t, 2> head;
};
constexpr Variant kB0{{8, 16, 32, 64, 128}, {1, 2, 2, 2, 2}, {1024, 1280}};
constexpr Variant kB1{{16, 32, 64, 128, 256}, {1, 2, 3, 3, 4}, {1536, 1600}};

constexpr const char* kAct = "HardSwish";
constexpr int64_t kHeadChannels = 16;

ValueId local_block(NetworkBuilder& net, const std::string& name, ValueId x, int64_t out,
                    int64_t stride, bool only_last_is_normed) {
  return inverted_residual(net, name, x,
                           {.kernel = 3,
                            .expanded = 4 * net.channels(x),
                            .out = out,
                            .stride = stride,
                            .act = kAct,
                            .only_last_is_normed = only_last_is_normed});
}

ValueId stem(NetworkBuilder& net, const Variant& variant) {
  const int64_t width = net.scaled(variant.widths[0]);
  ValueId x = net.conv_block("stem", net.input(), width, {.kernel = 3, .stride = 2}, kAct);
  for (int64_t i = 0; i < variant.depths[0]; ++i) {
    x = inverted_residual(net, "stem." + std::to_string(i), x,
                          {.kernel = 3, .expanded = width, .out = width, .stride = 1, .act = kAct});
  }
  return x;
}

/// A block that halves the image, then blocks of attention and convolution.
ValueId attention_stage(NetworkBuilder& net, const std::string& name, ValueId x, int64_t width,
                        int64_t depth) {
  x = local_block(net, name + ".0", x, width, 2, true);
  for (int64_t i = 1; i <= depth; ++i) {
    const std::string block = name + "." + std::to_string(i);
    const ValueId seen = linear_attention(net, block + ".attention", x, kHeadChannels);
    x = net.binary("Add", block + ".add", seen, x);
    x = local_block(net, block + ".local", x, width, 1, true);
  }
  return x;
}

Graph efficientvit(const Variant& variant, const NetworkSize& size, uint64_t seed) {
  NetworkBuilder net(size, seed);
  ValueId x = stem(net, variant);
  for (size_t stage = 1; stage < variant.widths.size(); ++stage) {
    const std::string name = "stage" + std::to_string(stage);
    const int64_t width = net.scaled(variant.widths[stage]);
    const int64_t depth = variant.depths[stage];
    if (stage > 2) {
      x = attention_stage(net, name, x, width, depth);
      continue;
    }
    for (int64_t i = 0; i < depth; ++i) {
      x = local_block(net, name + "." + std::to_string(i), x, width, i == 0 ? 2 : 1, false);
    }
  }
  x = net.conv_block("head", x, net.scaled(variant.head[0]), {}, kAct);
  x = net.flatten("flatten", net.global_pool("pool", x));
  x = net.linear("features", x, net.scaled(variant.head[1]), false);
  x = net.activation(kAct, "features.act", net.layer_norm("features.norm", x, 1e-5F));
  return net.finish(net.linear("classifier", x, size.classes));
}

}  // namespace

Graph efficientvit_b0(const NetworkSize& size, uint64_t seed) {
  return efficientvit(kB0, size, seed);
}

Graph efficientvit_b1(const NetworkSize& size, uint64_t seed) {
  return efficientvit(kB1, size, seed);
}

}  // namespace octet
