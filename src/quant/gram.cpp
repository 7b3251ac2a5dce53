#include "quant/gram.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/mm.h>

#include "base/fail.h"
#include "engine/executor.h"

namespace octet {
namespace {

class GramWatcher final : public Interpretation {
 public:
  GramWatcher(const Graph& graph, const std::set<ValueId>& values)
      : graph_(graph), values_(values) {}

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (!values_.contains(id)) return tensor;
    const at::Tensor rows = tensor.reshape({-1, tensor.size(-1)});
    // One batch in single precision, the sum of batches in double.
    const at::Tensor products = at::mm(rows.t(), rows).to(at::kDouble);
    if (!at::isfinite(products).all().item<bool>()) {
      fail(Code::Numeric, "calibrate: the value '{}' is not finite, or its squares are not",
           graph_.value(id).name);
    }
    const auto [it, first] = sums_.try_emplace(id, products);
    if (!first) it->second += products;
    rows_[id] += rows.size(0);
    return tensor;
  }

  std::map<ValueId, at::Tensor> means() {
    for (auto& [id, sum] : sums_) sum /= static_cast<double>(rows_[id]);
    return std::move(sums_);
  }

 private:
  const Graph& graph_;
  const std::set<ValueId>& values_;
  std::map<ValueId, at::Tensor> sums_;
  std::map<ValueId, int64_t> rows_;
};

}  // namespace

std::map<ValueId, at::Tensor> gram_matrices(const Graph& graph, const std::set<ValueId>& values,
                                            const NextImages& next) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  GramWatcher watcher(graph, values);
  const Value& input = graph.value(graph.inputs().at(0));
  std::vector<float> images;
  int64_t seen = 0;
  while (const int64_t count = next(images)) {
    seen += count;
    Shape shape = input.shape;
    shape.at(0) = count;
    at::Tensor batch = at::from_blob(images.data(), shape, at::kFloat);
    if (input.dtype != DType::Float32) batch = batch.to(at::kLong);
    executor.run({&batch, 1}, watcher);
  }
  if (seen == 0) fail(Code::Data, "calibrate: there are no calibration images");
  return watcher.means();
}

}  // namespace octet
