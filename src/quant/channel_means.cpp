#include "quant/channel_means.h"

#include <ATen/ops/from_blob.h>

#include "quant/added_bias.h"

namespace octet {

void ChannelMean::add(const at::Tensor& tensor) {
  std::vector<int64_t> others{0};
  for (int64_t d = 2; d < tensor.dim(); ++d) others.push_back(d);
  const at::Tensor total = tensor.sum(others).to(at::kDouble);
  const auto* numbers = total.const_data_ptr<double>();
  merge({.sums = {numbers, numbers + total.numel()}, .count = tensor.numel() / total.numel()});
}

void ChannelMean::merge(const ChannelMean& other) {
  sums.resize(other.sums.size());
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += other.sums[i];
  count += other.count;
}

at::Tensor ChannelMean::mean() const {
  const at::Tensor total = at::from_blob(const_cast<double*>(sums.data()),
                                         {static_cast<int64_t>(sums.size())}, at::kDouble);
  return total / static_cast<double>(count);
}

std::set<ValueId> read_by_products(const Graph& graph) {
  std::set<ValueId> found;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (!takes_bias(node) || !graph.is_constant(node.input(1)) || node.integer("transA", 0) != 0) {
      continue;
    }
    found.insert(node.inputs[0]);
  }
  return found;
}

}  // namespace octet
