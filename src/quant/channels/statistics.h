#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "engine/executor.h"
#include "quant/calibrate.h"
#include "quant/channels/region.h"

namespace octet {

/// What was seen of one channel of a value; of nothing seen, low is above high.
struct ChannelStatistics {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();
  int64_t count = 0;
  double sum = 0;
  double squares = 0;

  double mean() const { return sum / static_cast<double>(count); }
  double deviation() const;
  float magnitude() const { return std::max(std::abs(low), std::abs(high)); }
};

/// Runs the float network over the images, one batch at a time, and keeps these figures of the
/// values' channels: memory does not grow with the number of images. Throws Code::Data when there
/// are no images, Code::Numeric naming a value that is NaN or infinite.
std::map<ValueId, std::vector<ChannelStatistics>> observe_channels(
    const Graph& graph, const std::map<ValueId, ChannelLayout>& values, const NextImages& next);

/// The place of the largest logit of each image, ties at the lowest; of the first output.
std::vector<int64_t> predictions(const Graph& graph, const NextImages& next,
                                 Interpretation& interpretation);

/// All outputs for the first batch of images, one after the other.
std::vector<float> first_outputs(const Graph& graph, const NextImages& next);

}  // namespace octet
