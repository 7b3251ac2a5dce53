#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace at {
class Tensor;
}

namespace octet {

/// A field that every row must state: a missing one does not compile.
template <class T>
struct Stated {
  Stated() = delete;
  // NOLINTNEXTLINE(google-explicit-constructor): rows are written as plain values.
  Stated(T stated) : value(std::move(stated)) {}
  template <class U>
    requires(std::is_constructible_v<T, U> && !std::is_same_v<std::decay_t<U>, Stated>)
  // NOLINTNEXTLINE(google-explicit-constructor)
  Stated(U&& stated) : value(std::forward<U>(stated)) {}
  T value;
};

/// One evaluation of a node. Inputs that are not given are undefined tensors.
struct OpCall {
  const Node& node;
  std::span<const at::Tensor> inputs;
  bool training = false;  ///< BatchNormalization takes batch statistics, Dropout drops

  /// The input, which may be undefined.
  const at::Tensor& in(size_t index) const;
  bool has(size_t index) const;
};

/// Runs the operator with ATen. Image tensors are logically NCHW and may lie channels-last.
/// Everything in it is differentiable where the operator is.
using RunFn = std::vector<at::Tensor> (*)(const OpCall&);

// --- How an operator may be quantized: facts of the operator, not of a target ------------------

/// A constant weight (per-channel along `axis`) and a bias; where the weight is computed by the
/// network, or has no axis of output channels (-1), the operator counts as `Rescale`.
struct Weighted {
  size_t weight = 1;
  int (*axis)(const Node& node, size_t weight_rank) = nullptr;
  size_t bias = 2;  ///< input index; the operator may have none
};
/// Inputs and output may all have grids of their own.
struct Rescale {
  /// Where the node only multiplies by a positive constant, that constant (else 0): its output has
  /// the same integers as its input, on a scale times the constant.
  double (*factor)(const Graph& graph, const Node& node) = nullptr;
  /// Each element of the output is a function of the elements at its place: with constants of one
  /// number for all inputs but one, the operator is as good as `Pointwise`.
  bool elementwise = false;
};
/// As a bound it says that there is none.
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
/// A function of one number, applied to each element of the first input (other data inputs are
/// constants): a table with an entry per integer computes it exactly, whatever the target.
struct Pointwise {
  /// The output lies in [low, high] whatever the input; no bounds: it has a grid from its data.
  std::optional<std::pair<float, float>> bounds = std::nullopt;
};
/// Values move unchanged: every data input and output is on one grid.
struct Moves {
  /// Input with a number that comes in beside them (Pad's; 0 where it is not given); 0: none.
  size_t fill = 0;
};
/// Not pointwise, and the output lies in [low, high] whatever the input (Softmax).
struct Bounded {
  float low = 0;
  float high = 1;
};
/// Clips the value that it reads; the saturation of the producer's grid can do that.
struct Absorbable {
  std::pair<float, float> (*bounds)(const Graph& graph, const Node& node) = nullptr;
};
/// Has no integer form; `reason` completes "stays in float because ...".
struct FloatOnly {
  std::string_view reason;
};
using QuantRule = std::variant<Weighted, Rescale, Pointwise, Moves, Bounded, Absorbable, FloatOnly>;

/// Inputs that training updates by itself (running statistics); empty for stateless operators.
using Statistics = std::vector<size_t>;

inline constexpr size_t kAllInputs = std::numeric_limits<size_t>::max();

/// Everything that the project knows of an operator whatever the file format and the runtime: what
/// a TFLite file says for it stands in formats/tflite, and the integers that a runtime computes in
/// dialects, each under the same family name.
struct OpDef {
  Stated<std::string_view> name;
  Stated<std::vector<std::string_view>> attributes;  ///< any other attribute is refused by name
  Stated<size_t> data_inputs;  ///< the first N inputs carry data; the rest are parameters
  Stated<RunFn> run;
  Stated<QuantRule> quant;
  Stated<Statistics> statistics;
};

/// The operator's row; nullptr when there is none.
const OpDef* find_op(std::string_view name);

/// The row of the node's operator. Throws Code::Unsupported naming the node, also for an attribute
/// that the row does not know.
const OpDef& op_of(const Node& node);

const std::vector<OpDef>& all_ops();

}  // namespace octet
