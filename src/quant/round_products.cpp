#include "quant/round_products.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/fail.h"
#include "quant/gptq.h"
#include "quant/gram.h"
#include "quant/group_weights.h"

namespace octet {
namespace {

constexpr size_t kMostLooks = 24;
constexpr int64_t kGramBytes = int64_t{1} << 29;

int64_t gram_bytes(const Graph& graph, ValueId input) {
  const int64_t width = graph.value(input).shape.back();
  return width * width * static_cast<int64_t>(sizeof(double));
}

/// Products that are rounded after one look, by the value that they read.
using GptqPart = std::map<ValueId, std::vector<NodeId>>;

/// In the order of the graph. Products that read one value share its Gram matrix.
std::vector<GptqPart> parts_of(const Graph& graph, const std::vector<NodeId>& products) {
  std::vector<ValueId> inputs;
  std::map<ValueId, std::vector<NodeId>> readers;
  for (const NodeId id : products) {
    const ValueId input = graph.node(id).inputs[0];
    if (readers[input].empty()) inputs.push_back(input);
    readers[input].push_back(id);
  }
  const size_t a_part = (inputs.size() + kMostLooks - 1) / kMostLooks;
  std::vector<GptqPart> parts;
  int64_t bytes = 0;
  for (const ValueId input : inputs) {
    const int64_t more = gram_bytes(graph, input);
    if (parts.empty() || parts.back().size() == a_part || bytes + more > kGramBytes) {
      parts.emplace_back();
      bytes = 0;
    }
    bytes += more;
    parts.back()[input] = readers[input];
  }
  return parts;
}

std::vector<float> finite_weights(const Graph& graph, const Node& product) {
  std::vector<float> weights = weights_by_output(graph, product);
  if (std::ranges::all_of(weights, [](float weight) { return std::isfinite(weight); })) {
    return weights;
  }
  fail(Code::Numeric, "the weight '{}' is not finite", graph.value(product.inputs[1]).name);
}

int64_t outputs_of(const Graph& graph, const Node& product) {
  const Shape& shape = graph.value(product.inputs[1]).constant->shape;
  return shape[product.integer("transB", 0) != 0 ? 0 : 1];
}

std::vector<NodeId> products_to_round(Graph& graph) {
  unshare_grouped_weights(graph);
  std::vector<NodeId> products = grouped_products(graph);
  if (!products.empty()) return products;
  fail(Code::Unsupported,
       "the network has no product with a constant matrix (MatMul, Gemm); weight-only ranges would "
       "change nothing");
}

/// Rounds one product after the other.
class ProductRounding {
 public:
  ProductRounding(Graph& graph, const Scheme::Groups& groups) : graph_(graph), groups_(groups) {}

  void to_nearest(NodeId id) {
    const Node& product = graph_.node(id);
    store(product,
          round_in_groups(finite_weights(graph_, product), outputs_of(graph_, product), groups_));
  }
  void by_gptq(NodeId id, const at::Tensor& gram) {
    const Node& product = graph_.node(id);
    store(product,
          gptq(finite_weights(graph_, product), outputs_of(graph_, product), gram, groups_));
  }
  GroupTable take() { return std::move(table_); }

 private:
  void store(const Node& product, const GroupedWeights& made) {
    set_weights_by_output(graph_, product, dequantize(made.codes, made.grid));
    table_[product.inputs[1]] = made.grid;
  }

  Graph& graph_;
  const Scheme::Groups& groups_;
  GroupTable table_;
};

}  // namespace

RoundedProducts round_products(Graph& graph, const Scheme::Groups& groups) {
  ProductRounding rounding(graph, groups);
  for (const NodeId id : products_to_round(graph)) rounding.to_nearest(id);
  return {.groups = rounding.take()};
}

RoundedProducts round_products(Graph& graph, const Scheme::Groups& groups,
                               const std::function<NextImages()>& look) {
  RoundedProducts made;
  ProductRounding rounding(graph, groups);
  std::vector<NodeId> products = products_to_round(graph);
  std::erase_if(products, [&](NodeId id) {
    if (gram_bytes(graph, graph.node(id).inputs[0]) <= kGramBytes) return false;
    rounding.to_nearest(id);
    made.to_nearest.push_back(describe(graph.node(id)));
    return true;
  });
  for (const GptqPart& part : parts_of(graph, products)) {
    std::set<ValueId> inputs;
    for (const auto& [input, readers] : part) inputs.insert(input);
    const auto grams = gram_matrices(graph, inputs, look());
    ++made.looks;
    for (const auto& [input, readers] : part) {
      for (const NodeId id : readers) rounding.by_gptq(id, grams.at(input));
    }
  }
  made.groups = rounding.take();
  return made;
}

}  // namespace octet
