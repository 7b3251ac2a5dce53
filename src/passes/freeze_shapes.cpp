#include <algorithm>

#include "engine/executor.h"
#include "passes/passes.h"

namespace octet {
namespace {

/// The constant that stands for a value which is `one` for a batch of one image and `two` for two:
/// itself, or the target of a Reshape with one open dimension. nullopt when neither is possible.
std::optional<Tensor> frozen(const Tensor& one, const Tensor& two, bool reshape_target) {
  if (one.shape != two.shape) return std::nullopt;
  Tensor constant = one;
  const auto dims = constant.as<int64_t>();
  const auto other = two.as<int64_t>();
  int open = 0;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == other[i]) continue;
    dims[i] = -1;
    ++open;
  }
  const bool given = std::ranges::count(one.as<int64_t>(), -1) > 0;
  if (open == 0 || (open == 1 && reshape_target && !given)) return constant;
  if (open == 1 && reshape_target) {  // the open one copies its input's, the -1 stays
    const size_t at = static_cast<size_t>(std::ranges::mismatch(one.as<int64_t>(), other).in1 -
                                          one.as<int64_t>().begin());
    if (at == 0) {
      dims[0] = 0;
      return constant;
    }
  }
  return std::nullopt;
}

}  // namespace

size_t freeze_shapes(Graph& graph) {
  const bool computes_shapes =
      std::ranges::any_of(graph.order(), [&](NodeId id) { return graph.node(id).op == "Shape"; });
  if (!computes_shapes) return 0;
  const auto one = computed_integers(graph, 1);
  const auto two = computed_integers(graph, 2);
  size_t count = 0;
  for (const NodeId id : graph.order()) {
    for (size_t i = 0; i < graph.node(id).inputs.size(); ++i) {
      const ValueId in = graph.node(id).inputs[i];
      const auto seen = one.find(in);
      if (seen == one.end() || graph.is_constant(in)) continue;
      const bool target = graph.node(id).op == "Reshape" && i == 1;
      if (auto constant = frozen(seen->second, two.at(in), target)) {
        const ValueId fresh =
            graph.add_constant(graph.value(in).name + "/frozen", std::move(*constant));
        graph.node(id).inputs[i] = fresh;
        ++count;
      }
    }
  }
  graph.remove_dead();
  return count;
}

}  // namespace octet
