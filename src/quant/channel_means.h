#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// The mean of each channel of a value, over images and places. Sums of parts of the data add up to
/// those of the whole, but for how doubles round.
struct ChannelMean {
  std::vector<double> sums;  ///< one for each channel
  int64_t count = 0;         ///< numbers in each

  /// The channels are the second dimension: of images, and of the rows that a Gemm reads.
  void add(const at::Tensor& tensor);
  /// Of the same number of channels, or of none yet.
  void merge(const ChannelMean& other);
  at::Tensor mean() const;  ///< doubles; `count` above 0

  bool operator==(const ChannelMean&) const = default;
};
using ChannelMeans = std::map<ValueId, ChannelMean>;

/// The values that operators with a constant weight read which take a bias: what the mean of their
/// results follows from.
std::set<ValueId> read_by_products(const Graph& graph);

}  // namespace octet
