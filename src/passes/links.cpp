#include "passes/links.h"

#include <algorithm>

namespace octet {

Links::Links(const Graph& graph) : graph_(graph) {
  for (const NodeId id : graph.order()) add(id);
}

void Links::reserve() {
  if (makers_.size() >= graph_.value_count()) return;
  makers_.resize(graph_.value_count(), kNoNode);
  readers_.resize(graph_.value_count());
}

NodeId Links::producer(ValueId value) const {
  const auto at = static_cast<size_t>(value);
  return value == kAbsent || at >= makers_.size() ? kNoNode : makers_[at];
}

std::span<const NodeId> Links::readers(ValueId value) const {
  const auto at = static_cast<size_t>(value);
  if (value == kAbsent || at >= readers_.size()) return {};
  return readers_[at];
}

bool Links::alive(NodeId node) const {
  const auto at = static_cast<size_t>(node);
  return at < alive_.size() && alive_[at];
}

void Links::add(NodeId node) {
  reserve();
  const auto at = static_cast<size_t>(node);
  if (at >= alive_.size()) alive_.resize(at + 1, false);
  alive_[at] = true;
  for (const ValueId out : graph_.node(node).outputs) {
    if (out != kAbsent) makers_[static_cast<size_t>(out)] = node;
  }
  for (const ValueId in : graph_.node(node).inputs) {
    if (in == kAbsent) continue;
    auto& known = readers_[static_cast<size_t>(in)];
    if (!std::ranges::contains(known, node)) known.push_back(node);
  }
}

void Links::drop(NodeId node) {
  alive_[static_cast<size_t>(node)] = false;
  for (const ValueId out : graph_.node(node).outputs) {
    // Its successor may make the value already.
    if (producer(out) == node) makers_[static_cast<size_t>(out)] = kNoNode;
  }
  for (const ValueId in : graph_.node(node).inputs) {
    if (in != kAbsent) std::erase(readers_[static_cast<size_t>(in)], node);
  }
}

void Links::remove_unread(Graph& graph, NodeId node) {
  if (!alive(node)) return;
  for (const ValueId out : graph.node(node).outputs) {
    if (out != kAbsent && (!readers(out).empty() || graph.is_output(out))) return;
  }
  drop(node);
  graph.remove(node);
  for (const ValueId in : graph.node(node).inputs) {
    if (const NodeId maker = producer(in); maker != kNoNode) remove_unread(graph, maker);
  }
}

}  // namespace octet
