// What runs on zero images say of a network: its shapes, and the numbers made of shapes.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "engine/executor.h"
#include "ops/element_type.h"

namespace octet {
namespace {

/// Notes the type and shape of every tensor that passes.
class ShapeRecorder final : public Interpretation {
 public:
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    seen[id] = {dtype_from(tensor.scalar_type()), tensor.sizes().vec()};
    return tensor;
  }
  std::map<ValueId, std::pair<DType, Shape>> seen;
};

/// One zero tensor per input, the open first dimension set to `batch`.
std::vector<at::Tensor> zero_inputs(const Graph& graph, int64_t batch) {
  std::vector<at::Tensor> inputs;
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    Shape shape = input.shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (d > 0 && shape[d] < 0) {
        fail(Code::Model,
             "the input '{}' has the shape {}: only the first dimension (the batch) may be open; "
             "export it with fixed sizes",
             input.name, shape_text(shape));
      }
      if (shape[d] < 0) shape[d] = batch;
    }
    inputs.push_back(at::zeros(shape, at::TensorOptions().dtype(scalar_type(input.dtype))));
  }
  return inputs;
}

/// Keeps every tensor of 64-bit integers that a node makes.
class IntegerRecorder final : public Interpretation {
 public:
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.scalar_type() == at::kLong) seen[id] = from_torch(tensor);
    return tensor;
  }
  std::map<ValueId, Tensor> seen;
};

/// Values whose numbers depend on what flows in (images, tokens), and those whose shape does.
class DataFlow {
 public:
  explicit DataFlow(const Graph& graph) : numbers_(graph.inputs().begin(), graph.inputs().end()) {
    for (const NodeId id : graph.order()) visit(graph.node(id));
  }
  bool depends(ValueId id) const { return numbers_.contains(id); }

 private:
  void visit(const Node& node) {
    const bool of_shape = node.op == "Shape" || node.op == "Size";
    const auto any = [&](const std::set<ValueId>& set, size_t from) {
      return std::ranges::any_of(node.inputs.begin() + std::min(from, node.inputs.size()),
                                 node.inputs.end(), [&](ValueId in) { return set.contains(in); });
    };
    const bool shapes = any(shapes_, 0) || any(numbers_, first_sizing_input(node));
    const bool numbers = of_shape ? shapes : any(numbers_, 0) || shapes;
    for (const ValueId out : node.outputs) {
      if (numbers) numbers_.insert(out);
      if (shapes && !of_shape) shapes_.insert(out);
    }
  }

  /// The output's shape is made of the numbers of this input and of all after it.
  static size_t first_sizing_input(const Node& node) {
    constexpr std::array<std::string_view, 5> kAll{"NonZero", "Unique", "Compress", "Range",
                                                   "ConstantOfShape"};
    constexpr std::array<std::string_view, 14> kParameters{
        "Reshape", "Expand",  "Tile",   "Slice", "Pad",       "Resize",        "Upsample",
        "Split",   "Squeeze", "OneHot", "TopK",  "Unsqueeze", "CenterCropPad", "Col2Im"};
    if (std::ranges::contains(kAll, node.op)) return 0;
    return std::ranges::contains(kParameters, node.op) ? 1 : kAllInputs;
  }

  std::set<ValueId> numbers_;
  std::set<ValueId> shapes_;
};

}  // namespace

std::map<ValueId, Tensor> computed_integers(const Graph& graph, int64_t batch) {
  const at::NoGradGuard no_grad;
  IntegerRecorder recorder;
  Executor(graph).run(zero_inputs(graph, batch), recorder);
  const DataFlow flow(graph);
  std::erase_if(recorder.seen, [&](const auto& entry) { return flow.depends(entry.first); });
  return std::move(recorder.seen);
}

void infer_shapes(Graph& graph) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  const auto record = [&](int64_t batch) {
    ShapeRecorder recorder;
    executor.run(zero_inputs(graph, batch), recorder);
    return recorder.seen;
  };
  auto one = record(1);
  const bool open = std::ranges::any_of(graph.inputs(), [&](ValueId id) {
    return std::ranges::any_of(graph.value(id).shape, [](int64_t d) { return d < 0; });
  });
  const auto two = open ? record(2) : one;
  for (auto& [id, seen] : one) {
    auto& [dtype, shape] = seen;
    const Shape& other = two.at(id).second;
    for (size_t d = 0; d < shape.size() && d < other.size(); ++d) {
      if (shape[d] != other[d]) shape[d] = -1;
    }
    graph.value(id).dtype = dtype;
    graph.value(id).shape = shape;
    graph.value(id).shape_known = true;
  }
}

}  // namespace octet
