#include "quant/group_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/range.h"
#include "quant/solve.h"

namespace octet {
namespace {

constexpr int kGroupRanges = 21;          // from the whole range
constexpr float kGroupRangeStep = 0.02F;  // to 0.6 of it

bool multiplies_plainly(const Node& node) {
  if (node.op == "MatMul") return true;
  return node.op == "Gemm" && node.number("alpha", 1) == 1 && node.number("beta", 1) == 1 &&
         node.integer("transA", 0) == 0;
}

double squared_errors(std::span<const float> weights, float scale, int zero_point, int highest) {
  const float inverse = 1 / scale;
  const auto low = static_cast<float>(-zero_point);
  const auto high = static_cast<float>(highest - zero_point);
  double sum = 0;
  for (const float weight : weights) {
    const float nearest = std::clamp(std::nearbyint(weight * inverse), low, high);
    const float error = weight - scale * nearest;
    sum += error * error;
  }
  return sum;
}

/// The best so far.
class GroupSearch {
 public:
  GroupSearch(std::span<const float> weights, int highest) : weights_(weights), highest_(highest) {}

  void look(float scale, int zero_point) {
    if (zero_point < 0 || zero_point > highest_) return;
    const double error = squared_errors(weights_, scale, zero_point, highest_);
    if (!(error < least_)) return;
    least_ = error;
    best_ = {.scale = scale, .zero_point = static_cast<uint8_t>(zero_point)};
  }
  GroupParams best() const { return best_; }

 private:
  std::span<const float> weights_;
  int highest_;
  double least_ = std::numeric_limits<double>::infinity();
  GroupParams best_;
};

}  // namespace

std::vector<NodeId> grouped_products(const Graph& graph) {
  std::vector<NodeId> found;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const Tensor* matrix = multiplies_plainly(node) ? graph.constant_input(node, 1) : nullptr;
    if (!matrix || matrix->dtype != DType::Float32 || matrix->shape.size() != 2 ||
        graph.value(node.inputs[1]).fixed || graph.is_constant(node.inputs[0])) {
      continue;
    }
    found.push_back(id);
  }
  return found;
}

void unshare_grouped_weights(Graph& graph) {
  for (const NodeId id : grouped_products(graph)) {
    const ValueId matrix = graph.node(id).inputs[1];
    if (graph.users(matrix).size() == 1 && !graph.is_output(matrix)) continue;
    const std::string name = graph.value(matrix).name + "/of/" + graph.node(id).name;
    const ValueId own = graph.add_constant(name, Tensor(*graph.value(matrix).constant));
    graph.node(id).inputs[1] = own;
  }
}

GroupParams group_params(std::span<const float> weights, const Scheme::Groups& groups) {
  const Range range = range_of(weights);
  const float low = std::min(range.low, 0.0F);
  const float high = std::max(range.high, 0.0F);
  const int highest = (1 << groups.bits) - 1;
  const int middle = 1 << (groups.bits - 1);
  GroupSearch search(weights, highest);
  for (int i = 0; i < kGroupRanges; ++i) {
    const float share = 1 - kGroupRangeStep * static_cast<float>(i);
    if (groups.symmetric) {
      const float whole =
          std::max(-low / static_cast<float>(middle), high / static_cast<float>(middle - 1));
      search.look(std::max(whole * share, kSmallestScale), middle);
      continue;
    }
    const float scale =
        std::max((high - low) * share / static_cast<float>(highest), kSmallestScale);
    const int zero = static_cast<int>(std::nearbyint(-low * share / scale));
    for (int z = zero - 1; z <= zero + 1; ++z) search.look(scale, z);
  }
  return search.best();
}

GroupGrid empty_group_grid(int64_t outputs, int64_t inputs, const Scheme::Groups& groups) {
  GroupGrid grid{.bits = groups.bits, .group = groups.size, .inputs = inputs, .outputs = outputs};
  grid.scale.resize(static_cast<size_t>(outputs * grid.groups()));
  grid.zero_point.resize(grid.scale.size());
  return grid;
}

GroupedWeights round_in_groups(std::span<const float> weights, int64_t outputs,
                               const Scheme::Groups& groups) {
  const int64_t inputs = std::ssize(weights) / outputs;
  GroupedWeights made{.grid = empty_group_grid(outputs, inputs, groups), .codes = {}};
  size_t at = 0;
  for (int64_t output = 0; output < outputs; ++output) {
    for (int64_t first = 0; first < inputs; first += groups.size, ++at) {
      const auto count = std::min(groups.size, inputs - first);
      const GroupParams params = group_params(
          weights.subspan(static_cast<size_t>(output * inputs + first), static_cast<size_t>(count)),
          groups);
      made.grid.scale[at] = params.scale;
      made.grid.zero_point[at] = params.zero_point;
    }
  }
  made.codes = quantize(weights, made.grid);
  return made;
}

}  // namespace octet
