#include "quant/channels/region.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "quant/channels/through.h"
#include "quant/channels/weights.h"

namespace octet {
namespace {

/// Grows one region from the output of a maker, along readers and producers alike, until only
/// weighted operators stand around it or something is in the way.
class RegionGrowth {
 public:
  RegionGrowth(const Graph& graph, const RegionOptions& options)
      : graph_(graph), options_(options) {}

  /// Why not; empty when the region is whole.
  std::string grow(NodeId seed) {
    const ValueId out = graph_.node(seed).outputs[0];
    region_.channels = made_layout(graph_, graph_.node(seed))->channels;
    reach(out, *made_layout(graph_, graph_.node(seed)));
    while (!open_.empty() && reason_.empty()) {
      const ValueId value = open_.back();
      open_.pop_back();
      visit(value);
    }
    if (reason_.empty() && region_.readers.empty()) reason_ = std::string(kNetworkOutput);
    return reason_;
  }
  ChannelRegion take() { return std::move(region_); }
  const std::vector<ValueId>& values() const { return region_.values; }

  static constexpr std::string_view kNetworkOutput = "the network's output";

 private:
  void refuse(std::string reason) {
    if (reason_.empty()) reason_ = std::move(reason);
  }

  void reach(ValueId value, const ChannelLayout& layout) {
    const auto [it, fresh] = region_.layouts.emplace(value, layout);
    if (!fresh) {
      if (it->second != layout) refuse("values that lie differently");
      return;
    }
    region_.values.push_back(value);
    open_.push_back(value);
  }

  void visit(ValueId value) {
    if (graph_.is_output(value)) return refuse(std::string(kNetworkOutput));
    const auto producer = graph_.producer(value);
    if (!producer) return refuse("the network's input");
    come_from(*producer, value);
    for (const NodeId user : graph_.users(value)) go_into(user, value);
  }

  void come_from(NodeId id, ValueId value) {
    const ChannelLayout& layout = region_.layouts.at(value);
    const Node& node = graph_.node(id);
    if (const auto made = made_layout(graph_, node)) {
      if (*made != layout) return refuse(node.op);
      if (!std::ranges::contains(region_.makers, id, &ChannelEnd::node)) {
        region_.makers.push_back({id, layout});
      }
      return;
    }
    pass(id, value);
  }

  void go_into(NodeId id, ValueId value) {
    const ChannelLayout& layout = region_.layouts.at(value);
    const Node& node = graph_.node(id);
    if (is_weighted(graph_, node) && node.inputs[0] == value &&
        std::ranges::count(node.inputs, value) == 1) {
      if (!reads_layout(graph_, node, layout)) return refuse(node.op);
      if (!std::ranges::contains(region_.readers, id, &ChannelEnd::node)) {
        region_.readers.push_back({id, layout});
      }
      return;
    }
    pass(id, value);
  }

  /// Through an operator of which `value` was reached.
  void pass(NodeId id, ValueId value) {
    const Node& node = graph_.node(id);
    if (std::ranges::contains(region_.inside, id)) {
      const bool linked =
          node.outputs[0] == value || std::ranges::contains(linked_, std::pair{id, value});
      return linked ? void() : refuse(node.op);
    }
    if (options_.clips && clip_from_zero(graph_, node)) {
      region_.inside.push_back(id);
      return link(id, {0});
    }
    const std::vector<size_t> operands = scaled_operands(graph_, node);
    if (operands.empty()) return refuse(node.op);
    if (operands.size() > 1 && !options_.joined) return refuse(node.op);
    region_.inside.push_back(id);
    link(id, operands);
    const auto shift = shift_operand(graph_, node);
    if (!shift || !reason_.empty()) return;
    const ValueId out = node.outputs[0];
    if (!channel_axis(graph_.value(out).shape, region_.layouts.at(out))) return refuse(node.op);
    region_.shifts.emplace_back(id, *shift);
  }

  /// Reaches all values of an operator from those that are known.
  void link(NodeId id, const std::vector<size_t>& operands) {
    const Node& node = graph_.node(id);
    const ValueId out = node.outputs[0];
    for (const size_t operand : operands) linked_.emplace(id, node.inputs[operand]);
    for (const ValueId in : node.inputs) {  // a gate of the region's own making
      const bool known = in != kAbsent && region_.layouts.contains(in);
      const auto is = [&](size_t operand) { return node.inputs[operand] == in; };
      if (known && std::ranges::none_of(operands, is)) return refuse(node.op);
    }
    for (const size_t operand : operands) {
      const ValueId in = node.inputs[operand];
      if (!region_.layouts.contains(in) || region_.layouts.contains(out)) continue;
      const auto layout = layout_after(graph_, node, operand, region_.layouts.at(in));
      if (!layout) return refuse(node.op);
      reach(out, *layout);
    }
    if (!region_.layouts.contains(out)) return refuse(node.op);
    for (const size_t operand : operands) {
      const auto layout = layout_before(graph_, node, operand, region_.layouts.at(out));
      if (!layout) return refuse(node.op);
      reach(node.inputs[operand], *layout);
    }
  }

  const Graph& graph_;
  const RegionOptions& options_;
  ChannelRegion region_;
  std::vector<ValueId> open_;
  std::set<std::pair<NodeId, ValueId>> linked_;  ///< operators inside, with what is scaled of them
  std::string reason_;
};

}  // namespace

ChannelRegions find_channel_regions(const Graph& graph, const RegionOptions& options) {
  ChannelRegions all;
  std::set<ValueId> seen;
  for (const NodeId id : graph.order()) {
    if (!made_layout(graph, graph.node(id)) || seen.contains(graph.node(id).outputs[0])) continue;
    RegionGrowth growth(graph, options);
    const std::string reason = growth.grow(id);
    if (reason.empty()) {
      seen.insert(growth.values().begin(), growth.values().end());
      all.found.push_back(growth.take());
    } else if (reason != RegionGrowth::kNetworkOutput) {
      all.refused.push_back({id, reason});
    }
  }
  return all;
}

std::optional<float> clip_from_zero(const Graph& graph, const Node& node) {
  if (node.op != "Clip") return std::nullopt;
  const Tensor* low = graph.constant_input(node, 1);
  const Tensor* high = graph.constant_input(node, 2);
  if (!low || !high || low->dtype != DType::Float32 || low->size() != 1 || high->size() != 1) {
    return std::nullopt;
  }
  if (low->as<float>()[0] != 0 || high->as<float>()[0] <= 0) return std::nullopt;
  return high->as<float>()[0];
}

std::vector<float> largest_made(const Graph& graph, const ChannelRegion& region) {
  std::vector<float> largest(static_cast<size_t>(region.channels), 0);
  for (const ChannelEnd& maker : region.makers) include_made(graph, maker, largest);
  return largest;
}

std::vector<float> largest_read(const Graph& graph, const ChannelRegion& region) {
  std::vector<float> largest(static_cast<size_t>(region.channels), 0);
  for (const ChannelEnd& reader : region.readers) include_read(graph, reader, largest);
  return largest;
}

void rescale_channels(Graph& graph, const ChannelRegion& region, std::span<const float> scale) {
  std::vector<float> inverse;
  for (const float s : scale) inverse.push_back(1 / s);
  for (const ChannelEnd& maker : region.makers) scale_made(graph, maker, inverse);
  for (const auto& [node, input] : region.shifts) {
    scale_shift(graph, node, input, region.layouts.at(graph.node(node).outputs[0]), inverse);
  }
  for (const ChannelEnd& reader : region.readers) scale_read(graph, reader, scale);
}

std::string count_refusals(const std::vector<RefusedRegion>& refused) {
  std::map<std::string, size_t> counts;
  for (const RefusedRegion& region : refused) ++counts[region.reason];
  std::vector<std::pair<std::string, size_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, std::greater{}, &std::pair<std::string, size_t>::second);
  std::vector<std::string> parts;
  for (const auto& [reason, count] : sorted) parts.push_back(std::format("{} ({})", reason, count));
  return join(parts, ", ");
}

}  // namespace octet
