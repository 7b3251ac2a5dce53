#include "quant/channels/equalize.h"

#include <algorithm>
#include <cmath>

namespace octet {
namespace {

constexpr int kMostRounds = 100;
constexpr double kSettled = 1e-3;

/// Equalizes one region; how far the scale of any channel moved, as a share of itself.
double equalize_region(Graph& graph, const ChannelRegion& region) {
  const std::vector<float> made = largest_made(graph, region);
  const std::vector<float> read = largest_read(graph, region);
  std::vector<float> scale(made.size(), 1);
  double moved = 0;
  for (size_t c = 0; c < made.size(); ++c) {
    const double s = std::sqrt(static_cast<double>(made[c]) / read[c]);
    if (made[c] == 0 || read[c] == 0 || !std::isnormal(static_cast<float>(s))) continue;
    scale[c] = static_cast<float>(s);
    moved = std::max(moved, std::abs(s - 1));
  }
  rescale_channels(graph, region, scale);
  return moved;
}

}  // namespace

Equalization equalize_channels(Graph& graph, bool joined) {
  ChannelRegions regions = find_channel_regions(graph, {.joined = joined});
  Equalization done{.regions = regions.found.size(), .refused = std::move(regions.refused)};
  double moved = done.regions > 0 ? 1 : 0;
  while (moved > kSettled && done.rounds < kMostRounds) {
    ++done.rounds;
    moved = 0;
    for (const ChannelRegion& region : regions.found) {
      moved = std::max(moved, equalize_region(graph, region));
    }
  }
  return done;
}

}  // namespace octet
