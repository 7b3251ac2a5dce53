#include "quant/channels/unclip.h"

#include <algorithm>
#include <set>

#include "quant/channels/region.h"
#include "quant/channels/statistics.h"

namespace octet {
namespace {

constexpr int64_t kImagesPerChange = 100;

/// Clips that are inside a region when they count as Relu.
std::set<NodeId> clips_between(const Graph& graph) {
  std::set<NodeId> clips;
  for (const ChannelRegion& region : find_channel_regions(graph, {.clips = true}).found) {
    for (const NodeId id : region.inside) {
      if (clip_from_zero(graph, graph.node(id))) clips.insert(id);
    }
  }
  return clips;
}

void replace_clip(Graph& graph, NodeId id) {
  graph.node(id).op = "Relu";
  graph.node(id).inputs.resize(1);
}

/// Those whose input stays below their bound on all images.
std::set<NodeId> idle_clips(const Graph& graph, const std::set<NodeId>& clips,
                            const NextImages& next) {
  std::map<ValueId, ChannelLayout> watched;
  for (const NodeId id : clips) watched[graph.node(id).inputs[0]] = {.channels = 1};
  const auto seen = observe_channels(graph, watched, next);
  std::set<NodeId> idle;
  for (const NodeId id : clips) {
    const float most = seen.at(graph.node(id).inputs[0])[0].high;
    if (most <= *clip_from_zero(graph, graph.node(id))) idle.insert(id);
  }
  return idle;
}

}  // namespace

Unclipping replace_harmless_clips(Graph& graph, const std::function<NextImages()>& images) {
  std::set<NodeId> clips = clips_between(graph);
  Unclipping done{.clips = clips.size()};
  if (clips.empty()) return done;
  const std::vector<int64_t> before = predictions(graph, images());
  Graph open = graph;
  for (const NodeId id : clips) replace_clip(open, id);
  const std::vector<int64_t> after = predictions(open, images());
  done.images = std::ssize(before);
  for (size_t i = 0; i < before.size(); ++i) done.changed += before[i] != after[i] ? 1 : 0;
  if (done.changed * kImagesPerChange > done.images) clips = idle_clips(graph, clips, images());
  for (const NodeId id : clips) replace_clip(graph, id);
  done.replaced = clips.size();
  return done;
}

}  // namespace octet
