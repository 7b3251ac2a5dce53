#pragma once

#include <span>
#include <string>
#include <string_view>

#include "graph/graph.h"

namespace octet {

struct NetworkSize {
  Shape input;  ///< channels, height, width
  int64_t classes = 0;
  double width = 1.0;  ///< factor on the numbers of channels
};

struct Architecture {
  std::string_view name;
  std::string_view summary;
  Graph (*make)(const NetworkSize& size, uint64_t seed);
};

/// The networks that octet can make; each in a file of its own.
std::span<const Architecture> all_architectures();

/// An untrained network with weights drawn from `seed` (He et al., 2015), one image input "input"
/// (batch open) and one output "logits". Throws Code::Usage for an unknown name, naming the known.
Graph make_network(std::string_view architecture, const NetworkSize& size, uint64_t seed);

Graph mobilenetv3_tiny(const NetworkSize& size, uint64_t seed);
Graph resnet20(const NetworkSize& size, uint64_t seed);

}  // namespace octet
