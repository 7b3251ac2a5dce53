#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "passes/match.h"
#include "passes/pattern.h"

namespace octet {

/// "What to match, what to put": both texts are patterns (pattern.h). The replacement may read what
/// the pattern binds and what the condition sets.
struct Rule {
  std::string match;
  std::string put;
  Condition condition = nullptr;
};

/// Rules that are applied together until none finds a place. They must not undo one another.
class Rewriter {
 public:
  /// Throws Code::Usage where a text is not a pattern.
  explicit Rewriter(const std::vector<Rule>& rules);

  /// Rewrites the graph, which must be sorted, and removes what nobody reads any more. The last
  /// node of a replacement makes the value that the match made, under its name. Where a
  /// replacement is one of the variables, the readers of the match read it; a graph output that
  /// cannot take another value keeps its match. Returns how many places changed. Throws Code::Usage
  /// when the rules would never end.
  size_t operator()(Graph& graph) const;

 private:
  struct Compiled {
    Pattern match;
    Pattern put;
    std::vector<std::string> kept;  ///< variables that the replacement reads
    Condition condition;
  };
  size_t sweep(Graph& graph) const;
  bool rewrite_at(Graph& graph, Links& links, NodeId id) const;

  std::vector<Compiled> rules_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_root_;
};

}  // namespace octet
