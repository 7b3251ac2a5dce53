#pragma once

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "octet/error.h"
#include "passes/passes.h"
#include "support/graph_builder.h"

namespace octet::test {

using L = std::vector<int64_t>;
using Attributes = std::map<std::string, Attribute>;

/// A graph with one input "x", whose constants are drawn.
class Net {
 public:
  explicit Net(Shape shape) : x(graph_.add_input("x", DType::Float32, std::move(shape))) {}

  ValueId op(const std::string& name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return graph_.add_op(name, name + "_" + std::to_string(graph_.order().size()),
                         std::move(inputs), std::move(attributes));
  }
  ValueId c(Shape shape, float low = -1, float high = 1) {
    return graph_.add_constant("c", random_tensor(std::move(shape), ++seed_, low, high));
  }
  ValueId number(float value) { return graph_.add_constant("c", Tensor::scalar(value)); }
  ValueId list(const L& values) { return graph_.add_constant("c", Tensor::vector(values)); }
  /// From 3 channels to 4.
  ValueId conv(ValueId in) { return op("Conv", {in, c({4, 3, 3, 3}), c({4})}); }
  ValueId gemm(ValueId in) { return op("Gemm", {in, c({3, 4}), c({4})}); }
  ValueId norm(ValueId in, int64_t channels = 4) {
    return op("BatchNormalization",
              {in, c({channels}, -2, 2), c({channels}), c({channels}), c({channels}, 0.5F, 2)});
  }
  size_t size() const { return graph_.order().size(); }
  Graph to(std::vector<ValueId> outputs) {
    for (const ValueId id : outputs) graph_.add_output(id);
    return std::move(graph_);
  }

 private:
  Graph graph_;
  unsigned seed_ = 0;

 public:
  ValueId x;
};

struct Image : Net {
  Image() : Net({-1, 3, 6, 6}) {}
};
struct Row : Net {
  Row() : Net({-1, 3}) {}
};

inline std::string ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const NodeId id : graph.order()) ops.push_back(graph.node(id).op);
  return join(ops, " ");
}

inline std::string outputs_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId id : graph.outputs()) names.push_back(graph.value(id).name);
  return join(names);
}

/// All outputs, for one drawn batch.
inline std::vector<at::Tensor> outputs_for(const Graph& graph, const Shape& shape) {
  const std::vector<at::Tensor> inputs{to_torch(random_tensor(shape, 77, -2, 2))};
  Interpretation plain;
  return Executor(graph).run(inputs, plain);
}

inline Shape input_shape(const Graph& graph) {
  Shape shape = graph.value(graph.inputs()[0]).shape;
  if (shape[0] < 0) shape[0] = 2;
  return shape;
}

inline double relative_error(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  if (a.size() != b.size()) return 1;
  double error = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].sizes() != b[i].sizes()) return 1;
    const double largest = std::max(a[i].abs().max().item<double>(), 1e-30);
    error = std::max(error, (a[i] - b[i]).abs().max().item<double>() / largest);
  }
  return error;
}

using PassFn = std::function<size_t(Graph&)>;

struct PassCase {
  std::string_view what;
  Graph (*make)();
  size_t count;
  std::string_view ops;  ///< afterwards
};

/// Runs every case, and the pass once more: it finds nothing left to do.
inline void check(const PassFn& pass, const std::vector<PassCase>& cases) {
  for (const PassCase& row : cases) {
    SCOPED_TRACE(row.what);
    try {
      Graph graph = row.make();
      infer_shapes(graph);
      const Shape shape = input_shape(graph);
      const auto before = outputs_for(graph, shape);
      const std::string names = outputs_of(graph);
      EXPECT_EQ(pass(graph), row.count);
      EXPECT_EQ(ops_of(graph), row.ops);
      EXPECT_EQ(outputs_of(graph), names);
      infer_shapes(graph);
      EXPECT_LE(relative_error(before, outputs_for(graph, shape)), 1e-5);
      EXPECT_EQ(pass(graph), 0u) << "the second time";
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

inline size_t lower_all(Graph& graph) {
  return lower_operators(graph, [](auto) { return false; });
}

}  // namespace octet::test
