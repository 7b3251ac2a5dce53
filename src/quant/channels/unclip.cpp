#include "quant/channels/unclip.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <set>

#include "engine/executor.h"
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

/// Counts what goes into Clips, and what of it is above their bound.
class ClipWatcher final : public Interpretation {
 public:
  ClipWatcher(const Graph& graph, const std::set<NodeId>& clips) {
    for (const NodeId id : clips) {
      bounds_[graph.node(id).inputs[0]] = *clip_from_zero(graph, graph.node(id));
    }
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    const auto bound = bounds_.find(id);
    if (bound == bounds_.end()) return tensor;
    above_[id] += tensor.gt(bound->second).sum().item<int64_t>();
    all_[id] += tensor.numel();
    return tensor;
  }

  double share(ValueId id) const {
    return static_cast<double>(above_.at(id)) / static_cast<double>(all_.at(id));
  }

 private:
  std::map<ValueId, float> bounds_;
  std::map<ValueId, int64_t> above_;
  std::map<ValueId, int64_t> all_;
};

/// How many predictions are others once the first `count` clips are Relu.
int64_t changed_without(const Graph& graph, const std::vector<NodeId>& clips, size_t count,
                        const std::vector<int64_t>& before, const NextImages& next) {
  Graph open = graph;
  for (size_t i = 0; i < count; ++i) replace_clip(open, clips[i]);
  Interpretation plain;
  const std::vector<int64_t> after = predictions(open, next, plain);
  int64_t changed = 0;
  for (size_t i = 0; i < before.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
  return changed;
}

}  // namespace

Unclipping replace_harmless_clips(Graph& graph, const std::function<NextImages()>& images) {
  const std::set<NodeId> between = clips_between(graph);
  Unclipping done{.clips = between.size()};
  if (between.empty()) return done;
  ClipWatcher watcher(graph, between);
  const std::vector<int64_t> before = predictions(graph, images(), watcher);
  done.images = std::ssize(before);
  std::vector<NodeId> clips(between.begin(), between.end());
  std::ranges::stable_sort(clips, {},
                           [&](NodeId id) { return watcher.share(graph.node(id).inputs[0]); });
  // The more Clips leave, the more predictions change; bisection finds how many may.
  size_t most = clips.size();
  for (size_t count = most; done.replaced < most; count = (done.replaced + most + 1) / 2) {
    const int64_t changed = changed_without(graph, clips, count, before, images());
    if (changed * kImagesPerChange <= done.images) {
      done.replaced = count;
      done.changed = changed;
    } else {
      most = count - 1;
    }
  }
  for (size_t i = 0; i < done.replaced; ++i) replace_clip(graph, clips[i]);
  return done;
}

}  // namespace octet
