#include "quant/channels/absorb_bias.h"

#include <algorithm>
#include <array>

#include "quant/channels/region.h"
#include "quant/channels/statistics.h"
#include "quant/channels/weights.h"

namespace octet {
namespace {

constexpr double kDeviations = 3;

/// op(x + c) = op(x) + c for all x, c being a number per channel.
bool carries_shift(const Node& node) {
  static constexpr std::array<std::string_view, 10> kCarriers{
      "Identity",  "Dropout",           "Reshape",       "Flatten", "Squeeze",
      "Unsqueeze", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "Transpose"};
  return std::ranges::contains(kCarriers, node.op);
}

bool rectifies(const Node& node) {
  return node.op == "Relu" || node.op == "LeakyRelu" || node.op == "PRelu";
}

bool sees_padding(const Node& node) {
  return node.text("auto_pad", "NOTSET").starts_with("SAME") ||
         std::ranges::any_of(node.integers("pads"), [](int64_t pad) { return pad != 0; });
}

enum class Fitness : uint8_t { Fits, Padded, Other };

Fitness fitness(const Graph& graph, const ChannelRegion& region) {
  if (region.makers.size() != 1 || !region.shifts.empty()) return Fitness::Other;
  const Node& maker = graph.node(region.makers[0].node);
  size_t rectifiers = 0;
  for (const NodeId id : region.inside) {
    const Node& node = graph.node(id);
    if (rectifies(node) && node.inputs[0] == maker.outputs[0]) {
      ++rectifiers;
    } else if (!carries_shift(node)) {
      return Fitness::Other;
    }
  }
  if (rectifiers != 1 || graph.users(maker.outputs[0]).size() != 1 || maker.op == "MatMul") {
    return Fitness::Other;
  }
  bool padded = false;
  for (const ChannelEnd& reader : region.readers) {
    const std::string& op = graph.node(reader.node).op;
    if (op != "Conv" && op != "Gemm") return Fitness::Other;
    padded = padded || sees_padding(graph.node(reader.node));
  }
  return padded ? Fitness::Padded : Fitness::Fits;
}

/// How many channels moved.
size_t absorb(Graph& graph, const ChannelRegion& region,
              const std::vector<ChannelStatistics>& channels) {
  std::vector<float> heights;
  for (const ChannelStatistics& seen : channels) {
    const double height = std::max(0.0, seen.mean() - kDeviations * seen.deviation());
    heights.push_back(static_cast<float>(height));
  }
  const auto moved = std::ranges::count_if(heights, [](float height) { return height > 0; });
  if (moved == 0) return 0;
  for (const ChannelEnd& reader : region.readers) {
    add_to_bias(graph, reader.node, product_with(graph, reader, heights));
  }
  for (float& height : heights) height = -height;
  add_to_bias(graph, region.makers[0].node, heights);
  return static_cast<size_t>(moved);
}

}  // namespace

Absorption absorb_biases(Graph& graph, const NextImages& next) {
  Absorption done;
  std::vector<ChannelRegion> fitting;
  std::map<ValueId, ChannelLayout> watched;
  for (ChannelRegion& region : find_channel_regions(graph).found) {
    const Fitness fit = fitness(graph, region);
    if (fit == Fitness::Padded) ++done.padded;
    if (fit != Fitness::Fits) continue;
    const ValueId made = graph.node(region.makers[0].node).outputs[0];
    watched[made] = region.layouts.at(made);
    fitting.push_back(std::move(region));
  }
  done.places = fitting.size();
  if (fitting.empty()) return done;
  const auto seen = observe_channels(graph, watched, next);
  for (const ChannelRegion& region : fitting) {
    const size_t moved =
        absorb(graph, region, seen.at(graph.node(region.makers[0].node).outputs[0]));
    done.channels += moved;
    if (moved > 0) ++done.moved_places;
  }
  return done;
}

}  // namespace octet
