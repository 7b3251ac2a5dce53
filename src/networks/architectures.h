#pragma once

#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace octet {

struct NetworkSize {
  Shape input;  ///< channels, height, width
  int64_t classes = 0;
  double width = 1.0;  ///< factor on the numbers of channels (vit: of the embedding)
};

struct Architecture {
  std::string_view name;
  std::string_view summary;
  Graph (*make)(const NetworkSize& size, uint64_t seed);
};

/// The networks that octet can make; each family in a file of its own.
std::span<const Architecture> all_architectures();

/// An untrained network with weights drawn from `seed` (He et al., 2015; transformers: a truncated
/// normal distribution of deviation 0.02), one image input "input" (batch open) and one output
/// "logits". BatchNormalizations stand in it as operators, with fresh statistics.
/// Throws Code::Usage for an unknown name, naming the known.
Graph make_network(std::string_view architecture, const NetworkSize& size, uint64_t seed);

Graph efficientnet_b0(const NetworkSize& size, uint64_t seed);
Graph efficientnet_lite0(const NetworkSize& size, uint64_t seed);
Graph efficientvit_b0(const NetworkSize& size, uint64_t seed);
Graph efficientvit_b1(const NetworkSize& size, uint64_t seed);
Graph mobilenetv2(const NetworkSize& size, uint64_t seed);
Graph mobilenetv3_small(const NetworkSize& size, uint64_t seed);
Graph mobilenetv3_tiny(const NetworkSize& size, uint64_t seed);
Graph resnet18(const NetworkSize& size, uint64_t seed);
Graph resnet20(const NetworkSize& size, uint64_t seed);
Graph resnet50(const NetworkSize& size, uint64_t seed);
/// Throws Code::Usage for an image that is not a whole number of 16x16 patches.
Graph vit_tiny(const NetworkSize& size, uint64_t seed);

}  // namespace octet
