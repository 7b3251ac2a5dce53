#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// The operators that take the place of one node. They are named after it ("node/part"); the last
/// one makes the node's output.
class Parts {
 public:
  Parts(Graph& graph, NodeId replaced)
      : graph_(graph),
        replaced_(replaced),
        name_(graph.node(replaced).name),
        count_(graph.order().size()) {}

  ValueId op(std::string op, std::string_view part, std::vector<ValueId> inputs,
             std::map<std::string, Attribute> attributes = {});
  /// A constant that training leaves alone.
  ValueId constant(std::string_view part, Tensor tensor);
  /// A constant that training may move: a weight, a bias.
  ValueId parameter(std::string_view part, Tensor tensor);
  ValueId number(std::string_view part, float number) {
    return constant(part, Tensor::scalar(number));
  }
  ValueId list(std::string_view part, const std::vector<int64_t>& numbers) {
    return constant(part, Tensor::vector(numbers));
  }
  /// Puts what was appended in the place of the node.
  void finish();

 private:
  Graph& graph_;
  NodeId replaced_;
  std::string name_;
  size_t count_;
};

/// A lowering of one operator. False: no other form of this node is known, and nothing changed.
using LowerFn = bool (*)(Graph&, NodeId);
struct OperatorLowering {
  std::string_view op;
  LowerFn run;
};

/// What a mask adds to the scores that it hides: below this a score adds nothing to a softmax of
/// 256 steps, while its grid stays fine.
inline constexpr float kMasked = -24;

std::span<const OperatorLowering> arithmetic_lowerings();
std::span<const OperatorLowering> attention_lowerings();
std::span<const OperatorLowering> einsum_lowerings();
std::span<const OperatorLowering> lp_normalization_lowerings();
std::span<const OperatorLowering> normalization_lowerings();
std::span<const OperatorLowering> reduction_lowerings();

/// The sum over the last dimension (`count` long, kept as 1) times `factor`: a product with a
/// constant column, exact in integers but for its one rounding.
ValueId sum_last(Parts& parts, std::string_view part, ValueId x, int64_t count, float factor);
/// The sum of squares over the last dimension, kept as 1: a product of each row with itself, so
/// that no square is rounded.
ValueId sum_squares_last(Parts& parts, std::string_view part, ValueId x);

}  // namespace octet
