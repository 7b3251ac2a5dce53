#include "quant/channels/migrate.h"

#include <algorithm>
#include <cmath>

#include "quant/channels/statistics.h"

namespace octet {
namespace {

/// The largest magnitude of each channel among what the readers read.
std::vector<float> largest_values(const Graph& graph, const ChannelRegion& region,
                                  const std::map<ValueId, std::vector<ChannelStatistics>>& seen) {
  std::vector<float> largest(static_cast<size_t>(region.channels), 0);
  for (const ChannelEnd& reader : region.readers) {
    const auto& channels = seen.at(graph.node(reader.node).inputs[0]);
    for (size_t c = 0; c < largest.size(); ++c) {
      largest[c] = std::max(largest[c], channels[c].magnitude());
    }
  }
  return largest;
}

/// The largest over the median of those that are not 0.
double spread_of(std::vector<float> numbers) {
  std::erase(numbers, 0.0F);
  if (numbers.empty()) return 1;
  std::ranges::sort(numbers);
  return static_cast<double>(numbers.back()) / numbers[numbers.size() / 2];
}

std::vector<float> scales_of(const std::vector<float>& values, const std::vector<float>& weights,
                             double alpha) {
  std::vector<double> logs(values.size(), 0);
  double sum = 0;
  size_t count = 0;
  for (size_t c = 0; c < values.size(); ++c) {
    if (values[c] == 0 || weights[c] == 0) continue;
    logs[c] = alpha * std::log(values[c]) - (1 - alpha) * std::log(weights[c]);
    sum += logs[c];
    ++count;
  }
  // A scale that all channels have in common changes nothing; without it numbers stay what they
  // are.
  const double mean = count > 0 ? sum / static_cast<double>(count) : 0;
  std::vector<float> scales(values.size(), 1);
  for (size_t c = 0; c < values.size(); ++c) {
    const auto scale = static_cast<float>(std::exp(logs[c] - mean));
    if (values[c] > 0 && weights[c] > 0 && std::isnormal(scale)) scales[c] = scale;
  }
  return scales;
}

}  // namespace

Migration migrate_channels(Graph& graph, const NextImages& next, double alpha) {
  ChannelRegions regions = find_channel_regions(graph);
  Migration done{.regions = regions.found.size(), .refused = std::move(regions.refused)};
  if (regions.found.empty()) return done;
  std::map<ValueId, ChannelLayout> watched;
  for (const ChannelRegion& region : regions.found) {
    for (const ChannelEnd& reader : region.readers) {
      watched[graph.node(reader.node).inputs[0]] = reader.layout;
    }
  }
  const auto seen = observe_channels(graph, watched, next);
  for (const ChannelRegion& region : regions.found) {
    std::vector<float> values = largest_values(graph, region, seen);
    const std::vector<float> scales = scales_of(values, largest_read(graph, region), alpha);
    const double before = spread_of(values);
    for (size_t c = 0; c < values.size(); ++c) values[c] /= scales[c];
    if (before > done.spread) {
      done.spread = before;
      done.evened = spread_of(values);
    }
    rescale_channels(graph, region, scales);
  }
  return done;
}

}  // namespace octet
