#include "train/checkpoint.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {

const Epoch* Checkpoint::best_epoch() const {
  const auto it = std::ranges::find(epochs, best, &Epoch::number);
  return it == epochs.end() ? nullptr : &*it;
}

void keep_grids(const Graph& graph, const QuantTable& table,
                std::map<std::string, Tensor>& tensors) {
  for (const auto& [id, params] : table.values()) {
    const Value& value = graph.value(id);
    if (value.constant) continue;
    const Shape shape{std::ssize(params.scale)};
    tensors["scale/" + value.name] = Tensor::of<float>(shape, params.scale);
    tensors["zero_point/" + value.name] = Tensor::of<int32_t>(shape, params.zero_point);
  }
}

void restore_grids(const std::map<std::string, Tensor>& tensors, const Graph& graph,
                   QuantTable& table, const std::string& place) {
  const QuantTable old = table;
  for (const auto& [id, params] : old.values()) {
    const Value& value = graph.value(id);
    if (value.constant) continue;
    const auto scale = tensors.find("scale/" + value.name);
    const auto zero_point = tensors.find("zero_point/" + value.name);
    const Shape shape{std::ssize(params.scale)};
    if (scale == tensors.end() || zero_point == tensors.end() || scale->second.shape != shape ||
        zero_point->second.shape != shape) {
      fail(Code::Data, "{} has no grid of the value '{}' as this network wants it; begin anew",
           place, value.name);
    }
    QuantParams restored = params;
    std::ranges::copy(scale->second.as<float>(), restored.scale.begin());
    std::ranges::copy(zero_point->second.as<int32_t>(), restored.zero_point.begin());
    table.set(id, std::move(restored));
  }
}

}  // namespace octet
