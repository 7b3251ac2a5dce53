#include "quant/channels/prepared.h"

#include <algorithm>

#include "base/fail.h"
#include "base/text.h"
#include "quant/channels/weights.h"

namespace octet {
namespace {

constexpr std::string_view kRelu = "relu:";
constexpr std::string_view kBias = "bias:";

bool has_bias(const Node& node) { return node.input(2) != kAbsent; }

/// Whether the node could be changed so.
bool apply_change(Graph& graph, NodeId id, bool relu) {
  if (relu) {
    if (graph.node(id).op != "Clip") return false;
    graph.node(id).op = "Relu";
    graph.node(id).inputs.resize(1);
    return true;
  }
  const auto layout = made_layout(graph, graph.node(id));
  if (!layout || graph.node(id).op == "MatMul" || has_bias(graph.node(id))) return false;
  add_to_bias(graph, id, std::vector<float>(static_cast<size_t>(layout->channels), 0));
  return true;
}

}  // namespace

PreparedStructure::PreparedStructure(const Graph& graph) {
  for (const NodeId id : graph.order()) {
    const auto at = static_cast<size_t>(id);
    if (nodes_.size() <= at) nodes_.resize(at + 1);
    nodes_[at] = {graph.node(id).op, has_bias(graph.node(id))};
  }
}

std::string PreparedStructure::changes(const Graph& graph) const {
  std::vector<std::string> all;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const Operator& before = nodes_.at(static_cast<size_t>(id));
    if (before.op == "Clip" && node.op == "Relu") {
      all.push_back(std::string(kRelu) + node.name);
    } else if (before.op == node.op && !before.biased && has_bias(node)) {
      all.push_back(std::string(kBias) + node.name);
    }
  }
  return join(all, "\t");
}

void prepare_structure(Graph& graph, std::string_view changes) {
  if (changes.empty()) return;
  for (const std::string& change : split_text(std::string(changes), '\t')) {
    const bool relu = change.starts_with(kRelu);
    const std::string_view name = std::string_view(change).substr(kRelu.size());
    const auto named =
        std::ranges::find_if(graph.order(), [&](NodeId id) { return graph.node(id).name == name; });
    if ((!relu && !change.starts_with(kBias)) || named == graph.order().end() ||
        !apply_change(graph, *named, relu)) {
      fail(Code::Model, "the network cannot be changed by '{}', as the file says it was", change);
    }
  }
}

}  // namespace octet
