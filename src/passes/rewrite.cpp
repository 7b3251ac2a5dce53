#include "passes/rewrite.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {
namespace {

/// The operators that a match can end with.
void collect_roots(const Pattern& pattern, std::vector<std::string>& roots) {
  if (pattern.kind == Pattern::Kind::Operator) {
    if (!std::ranges::contains(roots, pattern.name)) roots.push_back(pattern.name);
  } else {
    for (const Pattern& way : pattern.operands) collect_roots(way, roots);
  }
}

void collect_variables(const Pattern& pattern, std::vector<std::string>& names) {
  if (pattern.kind != Pattern::Kind::Operator && !pattern.name.empty()) {
    names.push_back(pattern.name);
  }
  for (const Pattern& operand : pattern.operands) collect_variables(operand, names);
}

}  // namespace

/// Builds the replacement of a match.
class Builder {
 public:
  Builder(Graph& graph, Links& links, Match& match)
      : graph_(graph), links_(links), match_(match), root_(match.root()) {}

  void replace(const Pattern& put) {
    const size_t count = graph_.order().size();
    Node last{.name = root_.name, .op = put.name, .outputs = root_.outputs};
    fill(last, put);
    const NodeId id = graph_.add_node(std::move(last));
    graph_.splice(match_.root_id(), count);
    links_.add(id);
    retire();
  }

  /// Every reader of the match reads `to` from now on; false where a graph output cannot.
  bool bypass(ValueId to) {
    const ValueId out = root_.outputs[0];
    if (graph_.is_output(out)) {
      // A graph output keeps its name; an input or a constant cannot take it over.
      if (links_.producer(to) == kNoNode || graph_.is_output(to)) return false;
      graph_.swap_names(to, out);
    }
    const std::vector<NodeId> readers(links_.readers(out).begin(), links_.readers(out).end());
    for (const NodeId reader : readers) links_.drop(reader);
    graph_.replace_uses(out, to);
    for (const NodeId reader : readers) links_.add(reader);
    graph_.remove(match_.root_id());
    retire();
    return true;
  }

 private:
  /// The root has left the order; what was made for it alone follows.
  void retire() {
    links_.drop(match_.root_id());
    for (const ValueId in : root_.inputs) {
      if (const NodeId maker = links_.producer(in); maker != kNoNode) {
        links_.remove_unread(graph_, maker);
      }
    }
  }

  void fill(Node& node, const Pattern& put) {
    for (const AttributePattern& attribute : put.attributes) {
      if (attribute.name == "**") {
        node.attributes = match_.attributes(attribute.variable);
      } else {
        node.attributes[attribute.name] =
            attribute.value ? *attribute.value : match_.attribute(attribute.variable);
      }
    }
    for (const Pattern& operand : put.operands) node.inputs.push_back(build(operand));
    while (!node.inputs.empty() && node.inputs.back() == kAbsent) node.inputs.pop_back();
  }

  ValueId build(const Pattern& put) {
    if (put.kind == Pattern::Kind::Absent) return kAbsent;
    if (put.kind == Pattern::Kind::Literal) {
      return graph_.add_constant(root_.name + "/constant", Tensor::scalar(put.literal));
    }
    if (put.kind != Pattern::Kind::Operator) return variable(put.name);
    const ValueId out = graph_.add_value(root_.name + "/" + put.name);
    Node node{.name = graph_.value(out).name, .op = put.name, .outputs = {out}};
    fill(node, put);
    links_.add(graph_.add_node(std::move(node)));
    return out;
  }

  ValueId variable(const std::string& name) {
    const auto made =
        std::ranges::find(match_.made_, name, &std::pair<std::string_view, Tensor>::first);
    if (made == match_.made_.end()) return match_.value(name);
    // A constant that takes the place of another keeps its name.
    const auto old =
        std::ranges::find(match_.values_, name, &std::pair<std::string_view, ValueId>::first);
    const bool named = old != match_.values_.end() && old->second != kAbsent;
    return graph_.add_constant(named ? graph_.value(old->second).name : root_.name + "." + name,
                               made->second);
  }

  Graph& graph_;
  Links& links_;
  Match& match_;
  const Node root_;
};

Rewriter::Rewriter(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    Compiled compiled{parse_match(rule.match), parse_replacement(rule.put), {}, rule.condition};
    collect_variables(compiled.put, compiled.kept);
    std::vector<std::string> roots;
    collect_roots(compiled.match, roots);
    for (const std::string& root : roots) by_root_[root].push_back(rules_.size());
    rules_.push_back(std::move(compiled));
  }
}

bool Rewriter::rewrite_at(Graph& graph, Links& links, NodeId id) const {
  const auto candidates = by_root_.find(graph.node(id).op);
  if (candidates == by_root_.end()) return false;
  for (const size_t index : candidates->second) {
    const Compiled& rule = rules_[index];
    Match match(graph, id);
    if (!Matcher(graph, links, rule.kept, rule.condition).find(rule.match, id, match)) continue;
    Builder builder(graph, links, match);
    if (rule.put.kind == Pattern::Kind::Operator) {
      builder.replace(rule.put);
      return true;
    }
    if (builder.bypass(match.value(rule.put.name))) return true;
  }
  return false;
}

size_t Rewriter::sweep(Graph& graph) const {
  Links links(graph);
  size_t changed = 0;
  for (const NodeId id : std::vector(graph.order())) {
    if (links.alive(id) && rewrite_at(graph, links, id)) ++changed;
  }
  return changed;
}

size_t Rewriter::operator()(Graph& graph) const {
  graph.remove_dead();
  size_t changed = 0;
  const size_t most = 100 + graph.order().size();
  for (size_t sweeps = 0;; ++sweeps) {
    if (sweeps > most) fail(Code::Usage, "rewriting does not end: its rules undo one another");
    const size_t now = sweep(graph);
    if (now == 0) return changed;
    changed += now;
  }
}

}  // namespace octet
