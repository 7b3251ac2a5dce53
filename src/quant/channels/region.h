#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// How channels lie in a value: element i of an image is of channel i / inner % channels.
struct ChannelLayout {
  int64_t channels = 0;
  int64_t inner = 1;  ///< elements of a channel that stand together

  bool operator==(const ChannelLayout&) const = default;
};

/// An operator with constant weights at an end of a region.
struct ChannelEnd {
  NodeId node;
  ChannelLayout layout;  ///< of the value that it makes or reads

  bool operator==(const ChannelEnd&) const = default;
};

/// Values between operators with constant weights whose channels can be scaled for free: what the
/// makers put out may be divided by any positive number per channel when the readers multiply by
/// it, because f(s x) = s f(x) for all that stands between. The scale of a channel is one of the
/// network's freedoms that rounding alone can tell apart.
struct ChannelRegion {
  std::vector<ChannelEnd> makers;
  std::vector<ChannelEnd> readers;
  std::vector<NodeId> inside;                     ///< Relu, MaxPool, Reshape, ...
  std::vector<std::pair<NodeId, size_t>> shifts;  ///< constants that are added: node, input
  std::vector<ValueId> values;                    ///< all of one number of channels
  std::map<ValueId, ChannelLayout> layouts;       ///< of `values`
  int64_t channels = 0;
};

/// Where channels cannot be scaled.
struct RefusedRegion {
  NodeId maker;  ///< the weighted operator whose output it is
  std::string
      reason;  ///< "HardSwish": the operator in the way, and more where that says too little
};

struct ChannelRegions {
  std::vector<ChannelRegion> found;
  std::vector<RefusedRegion> refused;  ///< not: what the network puts out
};

struct RegionOptions {
  /// Values that an Add joins are of one region, whose makers are then more than one.
  bool joined = false;
  /// Clips from 0 count as Relu (M. Nagel et al., 2019, section 5.1.1, takes ReLU6 for ReLU).
  bool clips = false;
};

/// All regions, in the order of their first makers. Makers and readers are Conv, ConvTranspose,
/// Gemm and MatMul with a constant float weight; a depthwise convolution ends one region and begins
/// the next. Needs shapes.
ChannelRegions find_channel_regions(const Graph& graph, const RegionOptions& options = {});

/// A Clip with the lower bound 0 and an upper bound above it; that bound.
std::optional<float> clip_from_zero(const Graph& graph, const Node& node);

/// The largest magnitude of the makers' weights by channel, and of the readers'.
std::vector<float> largest_made(const Graph& graph, const ChannelRegion& region);
std::vector<float> largest_read(const Graph& graph, const ChannelRegion& region);

/// What the makers put out is divided by `scale`, per channel, and the readers multiply by it. The
/// network computes the same but for rounding of floats. Constants keep their names.
void rescale_channels(Graph& graph, const ChannelRegion& region, std::span<const float> scale);

/// "HardSwish (12), Concat (3)": why regions were refused, most frequent first.
std::string count_refusals(const std::vector<RefusedRegion>& refused);

}  // namespace octet
