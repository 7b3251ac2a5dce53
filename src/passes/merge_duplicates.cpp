#include <algorithm>
#include <format>
#include <functional>
#include <numeric>
#include <unordered_map>

#include "passes/passes.h"

namespace octet {
namespace {

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

std::string key_of(const Tensor& tensor) {
  // The beginning tells most constants apart; those that it does not are compared.
  constexpr size_t kBeginning = 4096;
  std::string key = std::format("{}", name_of(tensor.dtype));
  for (const int64_t dim : tensor.shape) key += std::format(",{}", dim);
  return key + ':' + std::string(bytes_of(tensor).substr(0, kBeginning));
}

void append(std::string& key, const Attribute& attribute) {
  const auto write = [&](const auto& held) {
    using Held = std::decay_t<decltype(held)>;
    if constexpr (std::is_same_v<Held, Tensor>) {
      key += key_of(held);
      key += bytes_of(held);
    } else if constexpr (std::is_arithmetic_v<Held> || std::is_same_v<Held, std::string>) {
      key += std::format("{}", held);
    } else {
      for (const auto& entry : held) key += std::format("{},", entry);
    }
  };
  key += std::format("({})", attribute.index());
  std::visit(write, attribute);
}

/// For every value the first one that is known to be the same.
class Representatives {
 public:
  explicit Representatives(const Graph& graph) : first_(graph.value_count()) {
    std::iota(first_.begin(), first_.end(), 0);
    std::unordered_map<std::string, std::vector<ValueId>> seen;
    std::vector<bool> done(graph.value_count(), false);
    for (const NodeId id : graph.order()) {
      for (const ValueId in : graph.node(id).inputs) {
        if (!graph.is_constant(in) || done[static_cast<size_t>(in)]) continue;
        done[static_cast<size_t>(in)] = true;
        const Tensor& tensor = *graph.value(in).constant;
        auto& candidates = seen[key_of(tensor)];
        const auto same = std::ranges::find_if(candidates, [&](ValueId other) {
          return graph.value(other).constant->bytes == tensor.bytes;
        });
        if (same == candidates.end())
          candidates.push_back(in);
        else
          first_[static_cast<size_t>(in)] = *same;
      }
    }
  }
  ValueId operator()(ValueId id) const {
    return id == kAbsent ? kAbsent : first_[static_cast<size_t>(id)];
  }
  void merge(ValueId from, ValueId into) { first_[static_cast<size_t>(from)] = into; }

 private:
  std::vector<ValueId> first_;
};

std::string key_of(const Node& node, const Representatives& representatives) {
  std::string key = std::format("{}/{}", node.op, node.outputs.size());
  for (const ValueId in : node.inputs) key += std::format(",{}", representatives(in));
  for (const auto& [name, attribute] : node.attributes) {
    key += std::format(";{}=", name);
    append(key, attribute);
  }
  return key;
}

bool is_whole(DType type) {
  return type == DType::Int64 || type == DType::Int32 || type == DType::Bool;
}

/// Lets the node read the representatives of computed values and of whole numbers. Constants of
/// real numbers stay each their reader's own: they may get scales of their own, and be trained.
size_t redirect(Graph& graph, NodeId id, const Representatives& representatives) {
  size_t merged = 0;
  for (ValueId& in : graph.node(id).inputs) {
    const ValueId first = representatives(in);
    if (first == in) continue;
    const bool constant = graph.is_constant(in);
    if (constant && !is_whole(graph.value(in).dtype)) continue;
    in = first;
    if (constant) ++merged;
  }
  return merged;
}

}  // namespace

size_t merge_duplicates(Graph& graph) {
  Representatives representatives(graph);
  std::unordered_map<std::string, NodeId> seen;
  size_t merged = 0;
  for (const NodeId id : graph.order()) {
    merged += redirect(graph, id, representatives);
    const Node& node = graph.node(id);
    const auto [first, fresh] = seen.emplace(key_of(node, representatives), id);
    // The outputs of the graph are as many values as before, under their names.
    if (fresh ||
        std::ranges::any_of(node.outputs, [&](ValueId out) { return graph.is_output(out); })) {
      continue;
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId into = graph.node(first->second).outputs[i];
      if (node.outputs[i] != kAbsent && into != kAbsent) {
        representatives.merge(node.outputs[i], into);
      }
    }
    ++merged;
  }
  graph.remove_dead();
  return merged;
}

}  // namespace octet
