#include "quant/pointwise_region.h"

#include <algorithm>
#include <optional>

#include "ops/op_def.h"

namespace octet {
namespace {

constexpr size_t kMostNodes = 16;

class RegionFinder {
 public:
  RegionFinder(const Graph& graph, const Placement& placement, const QuantTable& table,
               const std::set<ValueId>& moving, const std::set<ValueId>& seen)
      : graph_(graph), placement_(placement), table_(table), moving_(moving), seen_(seen) {
    for (size_t i = 0; i < graph.order().size(); ++i) place_[graph.order()[i]] = i;
  }

  std::map<ValueId, PointwiseRegion> run() {
    std::map<ValueId, PointwiseRegion> found;
    for (size_t i = graph_.order().size(); i-- > 0;) {
      const NodeId id = graph_.order()[i];
      if (taken_.contains(id)) continue;
      const auto region = before(id);
      if (!region) continue;
      taken_.insert(region->nodes.begin(), region->nodes.end());
      found.emplace(region->result, *region);
    }
    return found;
  }

 private:
  bool has_grid(ValueId id) const {
    const QuantParams* params = table_.find(id);
    return params && params->per_tensor() && params->high - params->low < 256;
  }
  bool learns(ValueId id) const {
    const auto group = placement_.group_of.find(id);
    return group != placement_.group_of.end() && !placement_.exact.contains(id) &&
           std::holds_alternative<FromData>(placement_.groups[group->second].rule);
  }
  bool is_pointwise(const Node& node) const {
    const QuantRule& rule = op_of(node).quant.value;
    const auto* rescale = std::get_if<Rescale>(&rule);
    const bool fits = std::holds_alternative<Pointwise>(rule) ||
                      std::holds_alternative<Absorbable>(rule) || (rescale && rescale->elementwise);
    if (!fits || node.outputs.size() != 1) return false;
    // A constant of more dimensions would give the result more.
    const size_t rank = graph_.value(node.outputs[0]).shape.size();
    bool same_rank = false;
    for (const ValueId in : node.inputs) {
      if (in == kAbsent) continue;
      const auto& constant = graph_.value(in).constant;
      if (constant && (constant->size() != 1 || moving_.contains(in))) return false;
      same_rank = same_rank || (!constant && graph_.value(in).shape.size() == rank);
    }
    return same_rank;
  }
  /// All its readers are in the set, and nobody else sees it.
  bool inner(ValueId id, const std::set<NodeId>& nodes) const {
    return !graph_.is_output(id) && !seen_.contains(id) &&
           std::ranges::all_of(graph_.users(id), [&](NodeId user) { return nodes.contains(user); });
  }

  /// The largest region that ends with the node.
  std::optional<PointwiseRegion> before(NodeId last) const {
    const ValueId result =
        graph_.node(last).outputs.empty() ? kAbsent : graph_.node(last).outputs[0];
    if (result == kAbsent || !has_grid(result) || placement_.exact.contains(result)) return {};
    std::optional<PointwiseRegion> best;
    std::set<NodeId> nodes;
    std::set<ValueId> leaves;
    for (std::optional<NodeId> next = last; next && nodes.size() < kMostNodes;) {
      const Node& node = graph_.node(*next);
      if (taken_.contains(*next) || !is_pointwise(node)) break;
      nodes.insert(*next);
      leaves.erase(node.outputs[0]);
      for (const ValueId in : node.inputs) {
        if (in != kAbsent && !graph_.is_constant(in)) leaves.insert(in);
      }
      if (leaves.size() == 1 && has_grid(*leaves.begin())) {
        best = region(*leaves.begin(), result, nodes);
      }
      next = latest(leaves, nodes);
    }
    return best;
  }

  /// What makes the leaf that is computed last; none where that cannot be within the region.
  std::optional<NodeId> latest(const std::set<ValueId>& leaves,
                               const std::set<NodeId>& nodes) const {
    std::optional<NodeId> last;
    for (const ValueId leaf : leaves) {
      const auto producer = graph_.producer(leaf);
      if (producer && (!last || place_.at(*producer) > place_.at(*last))) last = producer;
    }
    if (!last) return {};
    const ValueId out = graph_.node(*last).outputs[0];
    return inner(out, nodes) && !learns(out) ? last : std::nullopt;
  }

  PointwiseRegion region(ValueId source, ValueId result, const std::set<NodeId>& nodes) const {
    std::vector<NodeId> ordered(nodes.begin(), nodes.end());
    std::ranges::sort(ordered, {}, [&](NodeId id) { return place_.at(id); });
    return {.source = source,
            .result = result,
            .nodes = std::move(ordered),
            .alone = inner(source, nodes)};
  }

  const Graph& graph_;
  const Placement& placement_;
  const QuantTable& table_;
  const std::set<ValueId>& moving_;
  const std::set<ValueId>& seen_;
  std::map<NodeId, size_t> place_;
  std::set<NodeId> taken_;
};

}  // namespace

std::map<ValueId, PointwiseRegion> find_pointwise_regions(const Graph& graph,
                                                          const Placement& placement,
                                                          const QuantTable& table,
                                                          const std::set<ValueId>& moving,
                                                          const std::set<ValueId>& seen) {
  return RegionFinder(graph, placement, table, moving, seen).run();
}

}  // namespace octet
