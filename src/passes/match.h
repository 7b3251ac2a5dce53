#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "passes/links.h"
#include "passes/pattern.h"

namespace octet {

using Attributes = std::map<std::string, Attribute>;

/// A place where a pattern was found. A rule's condition reads what the variables bind, and adds
/// what the replacement needs beyond it. Names that nothing binds throw Code::Usage.
class Match {
 public:
  Match(const Graph& graph, NodeId root) : graph_(graph), root_(root) {}

  const Graph& graph() const { return graph_; }
  NodeId root_id() const { return root_; }
  const Node& root() const { return graph_.node(root_); }

  /// Whether the alternative that was found binds the variable.
  bool has(std::string_view name) const;
  /// kAbsent for an optional operand that is not given.
  ValueId value(std::string_view name) const;
  /// The constant, made or found; nullptr when it is absent or computed.
  const Tensor* constant(std::string_view name) const;
  std::span<const float> floats(std::string_view name) const;
  float number(std::string_view name) const;
  std::vector<int64_t> integers(std::string_view name) const;
  /// nullptr while the shape is not known. Dimensions below zero depend on the batch.
  const Shape* shape(std::string_view name) const;
  /// Of the value that the match makes.
  const Shape* result_shape() const;
  const Attribute& attribute(std::string_view name) const;
  /// All attributes of the node that `**name` stands for; to be changed as the replacement wants.
  Attributes& attributes(std::string_view name);

  /// Puts a constant or an attribute into a variable of the replacement.
  void set(std::string_view name, Tensor constant);
  void set(std::string_view name, Attribute attribute);

 private:
  friend class Matcher;
  friend class Builder;
  template <class T>
  using Bindings = std::vector<std::pair<std::string_view, T>>;

  const Graph& graph_;
  NodeId root_;
  std::vector<NodeId> nodes_;  ///< that the pattern covers
  std::vector<NodeId> owned_;  ///< of them, those that nothing else may read
  Bindings<ValueId> values_;
  Bindings<Attribute> attributes_;
  Bindings<Attributes> all_attributes_;
  Bindings<Tensor> made_;
  Bindings<Attribute> made_attributes_;
};

/// The condition of a rule; false: not here.
using Condition = bool (*)(Match&);

/// Looks for one pattern.
class Matcher {
 public:
  /// `kept`: variables that the replacement reads; the nodes that they bind may have other readers.
  Matcher(const Graph& graph, const Links& links, const std::vector<std::string>& kept,
          Condition condition)
      : graph_(graph), links_(links), kept_(kept), condition_(condition) {}

  /// Whether the pattern ends at the node; then `match` holds what it binds.
  bool find(const Pattern& pattern, NodeId root, Match& match) const;

 private:
  struct Goal;
  bool solve(const Goal* goals, Match& match) const;
  bool solve_operator(const Goal& goal, Match& match) const;
  bool solve_operands(const Goal& goal, const Node& node, Match& match) const;
  bool bind(const Pattern& pattern, ValueId value, Match& match) const;
  bool bind_attributes(const Pattern& pattern, const Node& node, Match& match) const;
  bool is_number(const Goal& goal) const;
  bool accept(Match& match) const;

  const Graph& graph_;
  const Links& links_;
  const std::vector<std::string>& kept_;
  Condition condition_;
};

}  // namespace octet
