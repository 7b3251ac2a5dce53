#include <algorithm>
#include <optional>
#include <vector>

#include "passes/passes.h"

namespace octet {
namespace {

int64_t last_of(const Graph& graph, ValueId id) {
  const Shape& shape = graph.value(id).shape;
  return shape.empty() ? -1 : shape.back();
}

int64_t from_end(int64_t axis, size_t rank) {
  return axis < 0 ? -axis : static_cast<int64_t>(rank) - axis;
}

/// Moves values about but leaves each row of the last dimension whole.
bool keeps_rows(const Graph& graph, const Node& node) {
  const ValueId in = node.inputs[0];
  const size_t rank = graph.value(in).shape.size();
  if (!graph.value(in).shape_known || !graph.value(node.outputs[0]).shape_known) return false;
  if (node.outputs.size() != 1 || last_of(graph, in) != last_of(graph, node.outputs[0])) {
    return false;
  }
  if (node.op == "Reshape" || node.op == "Squeeze" || node.op == "Unsqueeze") return true;
  if (node.op == "Flatten") return rank == 2;
  if (node.op == "Transpose") {
    const auto perm = node.integers("perm");
    return !perm.empty() && perm.back() + 1 == static_cast<int64_t>(perm.size());
  }
  if (node.op == "Gather") return from_end(node.integer("axis", 0), rank) != 1;
  if (node.op == "Slice") {
    const Tensor* axes = graph.constant_input(node, 3);
    return axes && std::ranges::none_of(axes->as<int64_t>(),
                                        [&](int64_t axis) { return from_end(axis, rank) == 1; });
  }
  return false;
}

class ForwardFolder {
 public:
  explicit ForwardFolder(Graph& graph) : graph_(graph) {}

  size_t run() {
    size_t folded = 0;
    const std::vector<NodeId> order = graph_.order();
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      if (fold(*it, 0) || fold(*it, 1)) ++folded;
    }
    return folded;
  }

 private:
  bool fold(NodeId id, size_t data) {
    const Node node = graph_.node(id);
    const bool product = node.op == "Mul";
    if ((!product && node.op != "Add") || graph_.is_constant(node.inputs[data])) return false;
    const auto row = constant_row(node, data);
    if (!row) return false;
    products_.clear();
    if (!collect(node.outputs[0])) return false;
    for (const NodeId gemm : products_) product ? scale(gemm, *row) : shift(gemm, *row);
    graph_.replace_uses(node.outputs[0], node.inputs[data]);
    graph_.remove(id);
    return true;
  }

  /// The constant operand as one number per column of the last dimension.
  std::optional<std::vector<float>> constant_row(const Node& node, size_t data) const {
    const Tensor* constant = graph_.constant_input(node, 1 - data);
    const Value& in = graph_.value(node.inputs[data]);
    if (!constant || constant->dtype != DType::Float32 || !in.shape_known || in.shape.empty()) {
      return std::nullopt;
    }
    const int64_t columns = in.shape.back();
    const auto given = constant->as<float>();
    if (constant->shape.size() > in.shape.size() || columns <= 0) return std::nullopt;
    if (given.size() == 1) {
      return std::vector<float>(static_cast<size_t>(columns), given[0]);
    }
    if (constant->size() != columns || constant->shape.back() != columns) return std::nullopt;
    return std::vector<float>(given.begin(), given.end());
  }

  /// Every reader is in the end a Gemm with a constant weight, and nothing else.
  bool collect(ValueId value) {
    if (graph_.is_output(value)) return false;
    for (const NodeId id : graph_.users(value)) {
      const Node& reader = graph_.node(id);
      if (keeps_rows(graph_, reader) && reader.inputs[0] == value) {
        if (!collect(reader.outputs[0])) return false;
        continue;
      }
      const bool plain = reader.op == "Gemm" && reader.inputs[0] == value &&
                         reader.integer("transA", 0) == 0 && reader.number("alpha", 1) == 1 &&
                         graph_.constant_input(reader, 1) &&
                         (reader.input(2) == kAbsent ||
                          (graph_.constant_input(reader, 2) && reader.number("beta", 1) == 1));
      if (!plain) return false;
      if (!std::ranges::contains(products_, id)) products_.push_back(id);
    }
    return true;
  }

  /// Rows of the weight, whichever way it lies: f(row, column, element).
  template <class F>
  void each_weight(const Node& gemm, std::span<float> values, const Shape& shape, F f) const {
    const bool turned = gemm.integer("transB", 0) != 0;
    const auto inner = static_cast<size_t>(shape[1]);
    for (size_t i = 0; i < values.size(); ++i) {
      const size_t first = i / inner;
      const size_t second = i % inner;
      turned ? f(second, first, values[i]) : f(first, second, values[i]);
    }
  }

  void scale(NodeId id, const std::vector<float>& row) {
    const ValueId old = graph_.node(id).inputs[1];
    Tensor weight = *graph_.value(old).constant;
    each_weight(graph_.node(id), weight.as<float>(), weight.shape,
                [&](size_t in, size_t, float& w) { w *= row[in]; });
    const ValueId made = graph_.add_constant(graph_.value(old).name, std::move(weight));
    graph_.node(id).inputs[1] = made;
  }

  void shift(NodeId id, const std::vector<float>& row) {
    Tensor weight = *graph_.value(graph_.node(id).inputs[1]).constant;
    const bool turned = graph_.node(id).integer("transB", 0) != 0;
    std::vector<double> sums(static_cast<size_t>(weight.shape[turned ? 0 : 1]), 0.0);
    each_weight(graph_.node(id), weight.as<float>(), weight.shape,
                [&](size_t in, size_t out, float& w) {
                  sums[out] += static_cast<double>(w) * static_cast<double>(row[in]);
                });
    if (const Tensor* bias = graph_.constant_input(graph_.node(id), 2)) {
      const auto given = bias->as<float>();
      for (size_t c = 0; c < sums.size(); ++c) sums[c] += given[given.size() == 1 ? 0 : c];
    }
    const std::vector<float> numbers(sums.begin(), sums.end());
    const ValueId made =
        graph_.add_constant(graph_.node(id).name + ".bias",
                            Tensor::of<float>({static_cast<int64_t>(numbers.size())}, numbers));
    graph_.node(id).inputs.resize(3, kAbsent);
    graph_.node(id).inputs[2] = made;
  }

  Graph& graph_;
  std::vector<NodeId> products_;
};

}  // namespace

size_t fold_forward(Graph& graph) { return ForwardFolder(graph).run(); }

}  // namespace octet
