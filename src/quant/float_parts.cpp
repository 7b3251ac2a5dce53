#include "quant/float_parts.h"

#include <algorithm>
#include <optional>

#include "ops/op_def.h"

namespace octet {
namespace {

bool is_real_type(const Graph& graph, ValueId id) {
  return id != kAbsent && graph.value(id).dtype == DType::Float32;
}

bool makes_reals(const Graph& graph, const Node& node) {
  return std::ranges::any_of(node.outputs, [&](ValueId id) { return is_real_type(graph, id); });
}

/// The operator before an activation that could take it in.
std::optional<NodeId> taken_in_by(const Graph& graph, const Node& node) {
  if (!std::holds_alternative<Absorbable>(op_of(node).quant.value)) return std::nullopt;
  const ValueId in = node.inputs[0];
  const auto producer = graph.producer(in);
  if (!producer || graph.is_output(in) || graph.users(in).size() != 1) return std::nullopt;
  const QuantRule& rule = op_of(graph.node(*producer)).quant.value;
  const bool takes =
      std::holds_alternative<Weighted>(rule) || std::holds_alternative<Rescale>(rule);
  return takes ? producer : std::nullopt;
}

class FloatFinder {
 public:
  FloatFinder(const Graph& graph, const NodeTargets& targets, const std::set<NodeId>& asked, Io io)
      : graph_(graph), targets_(targets), asked_(asked), io_(io) {}

  FloatParts run(const std::map<ValueId, Chain>& chains) {
    std::set<NodeId> in_chain;
    for (const auto& [result, chain] : chains) {
      in_chain.insert(chain.nodes.begin(), chain.nodes.end());
    }
    for (const NodeId id : graph_.order()) {
      if (in_chain.contains(id) || !makes_reals(graph_, graph_.node(id))) continue;
      const std::string reason = asked_.contains(id) ? "it is asked to" : lack(id);
      if (!reason.empty()) parts_.nodes[id] = reason;
    }
    do {
      find_real();
    } while (drop_lone());
    return std::move(parts_);
  }

 private:
  /// Why the node has no integer form; empty where it has one.
  std::string lack(NodeId id) const {
    if (const auto* held = std::get_if<FloatOnly>(&op_of(graph_.node(id)).quant.value)) {
      return std::string(held->reason);
    }
    return targets_.refusal(id);
  }

  void find_real() {
    parts_.real.clear();
    for (const ValueId id : graph_.inputs()) {
      if (is_real(id)) parts_.real.insert(id);
    }
    for (const NodeId id : graph_.order()) {
      for (const ValueId out : graph_.node(id).outputs) {
        if (is_real_type(graph_, out) && is_real(out)) parts_.real.insert(out);
      }
    }
  }

  bool is_real(ValueId id) const {
    const auto producer = graph_.producer(id);
    const std::vector<NodeId> users = graph_.users(id);
    const bool end = !producer || graph_.is_output(id);
    if (end && io_ != Io::Float) return false;
    const auto in_float = [&](NodeId node) { return parts_.nodes.contains(node); };
    const auto asked = [&](NodeId node) { return in_float(node) && asked_.contains(node); };
    if ((producer && !in_float(*producer)) || !std::ranges::all_of(users, in_float)) return false;
    return (producer && asked(*producer)) || std::ranges::any_of(users, asked);
  }

  /// Takes back what would be in float for nothing; whether there was any.
  bool drop_lone() {
    std::set<NodeId> lone;
    for (const auto& [id, reason] : parts_.nodes) {
      const Node& node = graph_.node(id);
      if (!asked_.contains(id) || !lack(id).empty()) continue;
      if (const auto before = taken_in_by(graph_, node)) {
        if (!parts_.nodes.contains(*before)) lone.insert(id);
      } else if (is_lone(node)) {
        lone.insert(id);
      }
    }
    for (const NodeId id : lone) parts_.nodes.erase(id);
    return !lone.empty();
  }

  bool is_lone(const Node& node) const {
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    if (rule && graph_.is_constant(node.input(rule->weight))) return false;
    const auto real = [&](ValueId id) { return parts_.real.contains(id); };
    const auto real_result = [&](ValueId id) {
      const std::vector<NodeId> users = graph_.users(id);
      const bool taken = users.size() == 1 && taken_in_by(graph_, graph_.node(users[0]));
      return taken ? std::ranges::any_of(graph_.node(users[0]).outputs, real) : real(id);
    };
    return std::ranges::none_of(node.inputs, real) &&
           std::ranges::none_of(node.outputs, real_result);
  }

  const Graph& graph_;
  const NodeTargets& targets_;
  const std::set<NodeId>& asked_;
  Io io_;
  FloatParts parts_;
};

}  // namespace

std::set<NodeId> asked_for(const Graph& graph, const std::map<NodeId, Override>& chosen,
                           Override::Compute compute) {
  std::set<NodeId> asked;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (!makes_reals(graph, node) || is_copy(node)) continue;
    const auto told = chosen.find(id);
    const auto before = taken_in_by(graph, node);
    const bool wanted =
        before ? asked.contains(*before) : told != chosen.end() && told->second.compute == compute;
    if (wanted) asked.insert(id);
  }
  return asked;
}

FloatParts find_float(const Graph& graph, const NodeTargets& targets,
                      const std::map<ValueId, Chain>& chains, const std::set<NodeId>& asked,
                      Io io) {
  return FloatFinder(graph, targets, asked, io).run(chains);
}

}  // namespace octet
