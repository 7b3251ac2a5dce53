#include "quant/layers.h"

#include <algorithm>
#include <format>
#include <map>
#include <optional>
#include <set>

#include "ops/op_def.h"

namespace octet {
namespace {

bool holds_reals(const Graph& graph, ValueId id) {
  return id != kAbsent && graph.value(id).dtype == DType::Float32;
}

class LayerFinder {
 public:
  LayerFinder(const Graph& graph, const Placement& placement)
      : graph_(graph),
        placement_(placement),
        absorbed_(placement.absorbed.begin(), placement.absorbed.end()) {
    for (const auto& [result, chain] : placement.chains) {
      for (const NodeId id : chain.nodes) chain_of_[id] = result;
    }
  }

  std::vector<Layer> run() {
    for (const ValueId id : graph_.inputs()) {
      if (!holds_reals(graph_, id)) continue;
      layers_.push_back({.name = std::format("input '{}'", graph_.value(id).name),
                         .op = "input",
                         .nodes = {},
                         .results = {}});
      add_result(layers_.back(), id);
    }
    for (const NodeId id : graph_.order()) visit(id);
    return std::move(layers_);
  }

 private:
  void visit(NodeId id) {
    const Node& node = graph_.node(id);
    const auto reals = [&](ValueId out) { return holds_reals(graph_, out); };
    if (std::ranges::none_of(node.outputs, reals)) return;
    const auto before = joined_layer(id);
    if (!before) {
      layers_.push_back({.name = node.name, .op = node.op, .nodes = {}, .results = {}});
    }
    const size_t index = before.value_or(layers_.size() - 1);
    Layer& layer = layers_[index];
    layer.nodes.push_back(id);
    if (const auto chain = chain_of_.find(id); chain != chain_of_.end()) {
      layer_of_chain_[chain->second] = index;
    }
    for (const ValueId out : node.outputs) {
      if (!reals(out)) continue;
      layer_of_[out] = index;
      add_result(layer, out);
    }
    const auto* weighted = std::get_if<Weighted>(&op_of(node).quant.value);
    const ValueId weight = weighted ? node.input(weighted->weight) : kAbsent;
    if (graph_.is_constant(weight)) layer.weight = weight;
  }

  /// The layer whose result the node continues, or whose table it is in, if it does.
  std::optional<size_t> joined_layer(NodeId id) const {
    const Node& node = graph_.node(id);
    if (const auto chain = chain_of_.find(id); chain != chain_of_.end()) {
      const auto layer = layer_of_chain_.find(chain->second);
      if (layer != layer_of_chain_.end()) return layer->second;
    }
    const bool moved = placement_.exact.contains(node.outputs[0]);
    for (const ValueId in : node.inputs) {
      const auto it = layer_of_.find(in);
      if (it == layer_of_.end()) continue;
      if (moved || absorbed_.contains(in) || placement_.clipped_later.contains(in)) {
        return it->second;
      }
    }
    return std::nullopt;
  }

  void add_result(Layer& layer, ValueId id) const {
    if (!placement_.group_of.contains(id) || placement_.exact.contains(id)) return;
    layer.results.push_back(id);
  }

  const Graph& graph_;
  const Placement& placement_;
  std::set<ValueId> absorbed_;
  std::vector<Layer> layers_;
  std::map<ValueId, size_t> layer_of_;
  std::map<NodeId, ValueId> chain_of_;  ///< by its result
  std::map<ValueId, size_t> layer_of_chain_;
};

/// The numbers of nodes (in order) after which one float value alone is still to be read.
std::set<size_t> narrow_places(const Graph& graph) {
  std::map<ValueId, size_t> last_read;
  const std::vector<NodeId>& order = graph.order();
  for (size_t i = 0; i < order.size(); ++i) {
    for (const ValueId in : graph.node(order[i]).inputs) {
      if (holds_reals(graph, in) && !graph.is_constant(in)) last_read[in] = i;
    }
  }
  std::set<ValueId> live(graph.inputs().begin(), graph.inputs().end());
  std::set<size_t> narrow;
  for (size_t i = 0; i < order.size(); ++i) {
    for (const ValueId out : graph.node(order[i]).outputs) {
      if (last_read.contains(out)) live.insert(out);
    }
    std::erase_if(live, [&](ValueId id) { return !last_read.contains(id) || last_read[id] <= i; });
    if (live.size() <= 1) narrow.insert(i);
  }
  return narrow;
}

}  // namespace

std::vector<Layer> layers_of(const Graph& graph, const Placement& placement) {
  return LayerFinder(graph, placement).run();
}

std::vector<std::vector<size_t>> blocks_of(const Graph& graph, std::span<const Layer> layers) {
  const std::set<size_t> narrow = narrow_places(graph);
  std::map<NodeId, size_t> block_of;
  size_t block = 0;
  for (size_t i = 0; i < graph.order().size(); ++i) {
    block_of[graph.order()[i]] = block;
    if (narrow.contains(i)) ++block;
  }
  std::map<size_t, std::vector<size_t>> found;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].nodes.empty()) found[block_of.at(layers[i].nodes[0])].push_back(i);
  }
  std::vector<std::vector<size_t>> blocks;
  for (auto& [unused, members] : found) blocks.push_back(std::move(members));
  return blocks;
}

}  // namespace octet
