#include "quant/place.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "base/fail.h"
#include "ops/op_def.h"
#include "quant/float_parts.h"
#include "quant/reconcile.h"
#include "quant/saturation.h"
#include "quant/solve.h"
#include "quant/whole_shift.h"
#include "quant/widths.h"

namespace octet {
namespace {

/// Disjoint sets of value ids.
class UnionFind {
 public:
  explicit UnionFind(size_t count) : parent_(count) { std::ranges::iota(parent_, 0); }
  ValueId root(ValueId id) {
    auto& parent = parent_[static_cast<size_t>(id)];
    return parent == id ? id : parent = root(parent);
  }
  void join(ValueId a, ValueId b) { parent_[static_cast<size_t>(root(a))] = root(b); }

 private:
  std::vector<ValueId> parent_;
};

/// What is asked of nodes and of the values that they make.
struct Asked {
  std::map<NodeId, Override> of_node;
  std::set<NodeId> in_float;
  std::set<NodeId> wide;
  std::map<ValueId, Scheme::Activations> activations;
  Io io;
};

class Placer {
 public:
  Placer(const Graph& graph, const TargetSet& targets, const Scheme& scheme,
         const QuantTable& given, const Asked& asked)
      : graph_(graph),
        targets_(graph, targets, asked.wide),
        given_(given),
        asked_(asked),
        sets_(graph.value_count()) {
    placement_.scheme = scheme;
  }

  Placement run() {
    placement_.chains = find_chains(graph_, targets_, given_, asked_.in_float);
    for (const auto& [result, chain] : placement_.chains) {
      in_chain_.insert(chain.nodes.begin(), chain.nodes.end());
    }
    FloatParts parts = find_float(graph_, targets_, placement_.chains, asked_.in_float, asked_.io);
    placement_.in_float = std::move(parts.nodes);
    real_ = std::move(parts.real);
    wide_ = values_on_16_bits(graph_, targets_, placement_.in_float, asked_.io);
    for (ValueId id : graph_.inputs()) {
      if (is_data(id) && !real_.contains(id)) admit(id);
    }
    for (NodeId id : graph_.order()) visit(id);
    form_groups();
    placement_.whole_shifts = find_whole_shifts(graph_, targets_, placement_);
    return std::move(placement_);
  }

 private:
  bool is_data(ValueId id) const {
    return id != kAbsent && graph_.value(id).dtype == DType::Float32;
  }
  void admit(ValueId id) { quantized_[id]; }

  std::vector<ValueId> data_inputs(const Node& node, const OpDef& op) const {
    std::vector<ValueId> found;
    for (size_t i = 0; i < node.inputs.size() && i < op.data_inputs.value; ++i) {
      if (is_data(node.inputs[i])) found.push_back(node.inputs[i]);
    }
    return found;
  }

  void visit(NodeId id) {
    const Node& node = graph_.node(id);
    const OpDef& op = op_of(node);
    if (std::ranges::none_of(node.outputs, [&](ValueId out) { return is_data(out); })) return;
    if (in_chain_.contains(id)) return visit_in_chain(id, op);
    for (ValueId out : node.outputs) {
      if (is_data(out) && !real_.contains(out)) admit(out);
    }
    if (placement_.in_float.contains(id) || targets_.narrows(id)) return;
    std::visit([&](const auto& rule) { apply(node, op, rule); }, op.quant.value);
    demand(id, op);
  }

  /// Only the result of a chain exists.
  void visit_in_chain(NodeId id, const OpDef& op) {
    const Node& node = graph_.node(id);
    const ValueId out = node.outputs[0];
    if (!placement_.chains.contains(out)) {
      placement_.absorbed.push_back(out);
      return;
    }
    admit(out);
    if (const auto* pointwise = std::get_if<Pointwise>(&op.quant.value)) {
      apply(node, op, *pointwise);
    } else if (const auto* clip = std::get_if<Absorbable>(&op.quant.value)) {
      bound(node, *clip);
    }
    if (placement_.chains.at(out).nodes.size() == 1) demand(id, op);
  }

  void apply(const Node& node, const OpDef& op, const Weighted& rule) {
    const ValueId weight = node.input(rule.weight);
    if (!graph_.is_constant(weight)) return apply(node, op, Rescale{});
    const int axis = rule.axis(node, graph_.value(weight).shape.size());
    if (axis < 0) return apply(node, op, Rescale{});
    const ValueId bias = node.input(rule.bias);
    const QuantParams* grid = given_.find(weight);
    if (grid && !grid->per_tensor() && grid->axis != axis) {
      fail(Code::Unsupported,
           "{}: the scales of its weight '{}' lie along axis {}; wanted axis {}, of the outputs",
           describe(node), graph_.value(weight).name, grid->axis, axis);
    }
    rules_[weight] =
        WeightGrid{per_tensor(*graph_.producer(node.outputs[0])) ? -1 : axis, node.inputs[0], bias};
    if (bias != kAbsent) {
      if (!graph_.is_constant(bias)) {
        fail(Code::Unsupported, "{}: its bias is computed by the network", describe(node));
      }
      rules_[bias] = BiasGrid{node.inputs[0], weight};
    }
  }

  bool per_tensor(NodeId id) const {
    const auto told = asked_.of_node.find(id);
    const bool asked = told != asked_.of_node.end() && told->second.weights;
    return (asked ? *told->second.weights : placement_.scheme.weights) ==
               Scheme::Weights::PerTensor ||
           targets_.demand(id).weights == Scheme::Weights::PerTensor;
  }
  bool wide(ValueId id) const {
    return placement_.scheme.activation_bits == 16 || wide_.contains(id);
  }
  bool symmetric(ValueId id) const {
    const auto asked = asked_.activations.find(id);
    return wide(id) ||
           (asked == asked_.activations.end() ? placement_.scheme.activations : asked->second) ==
               Scheme::Activations::Symmetric;
  }

  bool powers_of_two() const { return placement_.scheme.scales == Scheme::Scales::PowerOfTwo; }

  void apply(const Node& node, const OpDef& op, const Rescale& rule) {
    double factor = rule.factor ? rule.factor(graph_, node) : 0;
    // The same integers on a scale times the factor would have to be on a power of two again.
    if (factor > 0 && powers_of_two() && power_of_two(static_cast<float>(factor)) != factor) {
      factor = 0;
    }
    for (ValueId in : data_inputs(node, op)) {
      if (!graph_.is_constant(in)) {
        if (factor > 0 && follows(node.outputs[0], in, factor)) {
          factors_[node.outputs[0]] = {in, factor};
        }
      } else if (factor <= 0) {
        admit(in);
      }
    }
    if (factor > 0 && !factors_.contains(node.outputs[0])) {
      for (ValueId in : data_inputs(node, op)) {
        if (graph_.is_constant(in)) admit(in);
      }
    }
  }

  /// The grid that the product was given with, if any, is its source's times the factor.
  bool follows(ValueId product, ValueId source, double factor) const {
    const QuantParams* grid = given_.find(product);
    const QuantParams* from = given_.find(source);
    return !grid || (from && is_rescaled(*from, factor, *grid));
  }

  void apply(const Node& node, const OpDef& op, const Pointwise& rule) {
    if (rule.bounds) apply(node, op, Bounded{rule.bounds->first, rule.bounds->second});
  }

  void apply(const Node& node, const OpDef& op, const Moves& rule) {
    for (ValueId in : data_inputs(node, op)) {
      admit(in);
      for (ValueId out : node.outputs) {
        if (is_data(out)) sets_.join(in, out);
      }
    }
    // A number that comes in has to be rounded with the rest; 0 is on every grid.
    const Tensor* fill = rule.fill > 0 ? graph_.constant_input(node, rule.fill) : nullptr;
    if (fill && fill->as<float>()[0] != 0) return;
    for (ValueId out : node.outputs) {
      if (is_data(out)) placement_.exact[out] = true;
    }
  }

  void apply(const Node& node, const OpDef& /*op*/, const Bounded& rule) {
    if (symmetric(node.outputs[0])) {
      const float steps = wide(node.outputs[0]) ? 32768 : 128;
      rules_[node.outputs[0]] = FixedGrid{std::max(-rule.low, rule.high) / steps, 0};
      return;
    }
    // 256 steps cover the interval but for its upper end, as TFLite fixes them.
    const float scale = (rule.high - rule.low) / 256;
    const auto zero = static_cast<int32_t>(std::lround(-128 - rule.low / scale));
    rules_[node.outputs[0]] = FixedGrid{scale, zero};
  }

  void apply(const Node& node, const OpDef& /*op*/, const Absorbable& rule) {
    const ValueId in = node.inputs[0];
    bound(node, rule);
    // A power of two ends a grid where it does, not where the activation does.
    const auto [low, high] = rule.bounds(graph_, node);
    const bool ends = !powers_of_two() || (low == 0 && (high == 1 || std::isinf(high)));
    if (symmetric(node.outputs[0]) || !ends) return keep_clip(in, node.outputs[0]);
    if (!can_absorb(in)) return;
    if (!saturates(node, rule)) {
      sets_.join(in, node.outputs[0]);
      placement_.clipped_later.insert(in);
      return;
    }
    quantized_.erase(in);
    placement_.absorbed.push_back(in);
  }

  /// A grid of its own choice ends at the bounds; one that is given may not.
  bool saturates(const Node& node, const Absorbable& rule) const {
    const QuantParams* grid = given_.find(node.outputs[0]);
    return !grid || ends_at(*grid, rule.bounds(graph_, node));
  }

  /// A grid around 0 does not end where an activation does: the clip stays an operator, of the
  /// integers of one grid. Both runtimes compute it exactly.
  void keep_clip(ValueId in, ValueId out) {
    sets_.join(in, out);
    if (can_absorb(in)) placement_.clipped_later.insert(in);
  }

  void bound(const Node& node, const Absorbable& rule) {
    const auto [low, high] = rule.bounds(graph_, node);
    FixedGrid unit = !symmetric(node.outputs[0])
                         ? FixedGrid{1.0F / 255, -128}
                         : FixedGrid{wide(node.outputs[0]) ? 1.0F / 32767 : 1.0F / 127, 0};
    if (powers_of_two()) unit.scale = power_of_two(unit.scale) / 2;  // it ends one step below 1
    rules_[node.outputs[0]] =
        low == 0 && high == 1 ? GroupRule(unit) : GroupRule(FromData{low, high});
  }

  void apply(const Node& /*node*/, const OpDef& /*op*/, const FloatOnly& /*rule*/) {}

  /// The producer's own rounding can clip: it rounds, and nobody else reads the value.
  bool can_absorb(ValueId value) const {
    const auto producer = graph_.producer(value);
    if (!producer || graph_.is_output(value) || graph_.users(value).size() != 1) return false;
    if (factors_.contains(value) || given_.find(value)) return false;
    if (in_chain_.contains(*producer) || placement_.in_float.contains(*producer)) return false;
    const QuantRule& rule = op_of(graph_.node(*producer)).quant.value;
    return std::holds_alternative<Weighted>(rule) || std::holds_alternative<Rescale>(rule);
  }

  void demand(NodeId id, const OpDef& op) {
    const Node& node = graph_.node(id);
    const TargetOp row = targets_.demand(id);
    if (row.output == OutputGrid::Fixed) {
      rules_[node.outputs[0]] = FixedGrid{row.scale, row.zero_point};
    } else if (row.output == OutputGrid::SameAsInput) {
      for (ValueId in : data_inputs(node, op)) sets_.join(in, node.outputs[0]);
    }
  }

  /// A product with a constant can only follow its source when it shares its grid with nobody.
  void drop_shared_factors() {
    std::map<ValueId, int> sizes;
    for (const auto& [id, unused] : quantized_) ++sizes[sets_.root(id)];
    for (NodeId node_id : graph_.order()) {
      const Node& node = graph_.node(node_id);
      const auto it = factors_.find(node.outputs[0]);
      if (it == factors_.end() || sizes[sets_.root(it->first)] == 1) continue;
      factors_.erase(it);
      for (ValueId in : node.inputs) {
        if (graph_.is_constant(in)) admit(in);
      }
    }
  }

  /// An operator can only clip by the end of its grid. Where a grid is shared with values of other
  /// bounds, the clip stays an operator of its own on that grid.
  void keep_clips_on_shared_grids() {
    std::map<ValueId, std::vector<GroupRule>> bounds;
    for (const auto& [id, unused] : quantized_) {
      if (placement_.exact.contains(id)) continue;
      const auto it = rules_.find(id);
      bounds[sets_.root(id)].push_back(
          it == rules_.end() ? GroupRule(FromData{-kInfinity, kInfinity}) : it->second);
    }
    std::vector<ValueId> restored;
    for (const ValueId in : placement_.absorbed) {
      const auto users = graph_.users(in);
      if (users.size() != 1 || in_chain_.contains(users[0])) continue;
      const ValueId out = graph_.node(users[0]).outputs[0];
      if (given_.find(out)) continue;  // it saturates at the bounds, or is not absorbed
      const auto* own = std::get_if<FromData>(&rules_.at(out));
      const auto same = [&](const GroupRule& rule) {
        const auto* data = std::get_if<FromData>(&rule);
        return data && own && data->low == own->low && data->high == own->high;
      };
      if (!own || std::ranges::all_of(bounds[sets_.root(out)], same)) continue;
      restored.push_back(in);
      admit(in);
      sets_.join(in, out);
      placement_.clipped_later.insert(in);
    }
    std::erase_if(placement_.absorbed,
                  [&](ValueId id) { return std::ranges::contains(restored, id); });
  }

  void form_groups() {
    keep_clips_on_shared_grids();
    drop_shared_factors();
    std::map<ValueId, std::vector<ValueId>> members;
    for (const auto& [id, unused] : quantized_) members[sets_.root(id)].push_back(id);
    for (auto& [root, values] : members) add_group(std::move(values));
    add_rescaled();
    for (const bool biases : {false, true}) {
      for (const auto& [id, rule] : rules_) {
        if (std::holds_alternative<WeightGrid>(rule) && !biases) push({id}, rule);
        if (std::holds_alternative<BiasGrid>(rule) && biases) push({id}, rule);
      }
    }
  }

  void add_group(std::vector<ValueId> values) {
    if (values.size() == 1 && factors_.contains(values[0])) return;  // follows its source
    if (const auto grid = shared_grid(graph_, given_, values)) {
      return push(std::move(values), FixedGrid{grid->scale[0], grid->zero_point[0]});
    }
    FromData from_data{kInfinity, -kInfinity};
    std::optional<GroupRule> fixed;
    for (ValueId id : values) {
      const auto it = rules_.find(id);
      const FromData* data = it == rules_.end() ? nullptr : std::get_if<FromData>(&it->second);
      // What merely moves adds no range of its own to the group.
      const bool moved = placement_.exact.contains(id);
      if (it != rules_.end() && !data) {
        if (fixed && !same_grid(*fixed, it->second)) {
          fail(Code::Unsupported, "the value '{}' would have to be on two fixed grids at once",
               graph_.value(id).name);
        }
        fixed = it->second;
      }
      if (moved) continue;
      from_data.low = std::min(from_data.low, data ? data->low : -kInfinity);
      from_data.high = std::max(from_data.high, data ? data->high : kInfinity);
    }
    push(std::move(values), fixed ? *fixed : GroupRule(from_data));
  }

  static bool same_grid(const GroupRule& a, const GroupRule& b) {
    const auto* left = std::get_if<FixedGrid>(&a);
    const auto* right = std::get_if<FixedGrid>(&b);
    return left && right && left->scale == right->scale && left->zero_point == right->zero_point;
  }

  /// Follow-up groups, each after its source (order() is topological).
  void add_rescaled() {
    for (NodeId node_id : graph_.order()) {
      const ValueId out = graph_.node(node_id).outputs[0];
      const auto it = factors_.find(out);
      if (it == factors_.end() || placement_.group_of.contains(out)) continue;
      push({out}, Rescaled{it->second.first, it->second.second});
      placement_.exact[out] = true;
    }
  }

  void push(std::vector<ValueId> values, GroupRule rule) {
    Scheme scheme = placement_.scheme;
    for (ValueId id : values) {
      placement_.group_of[id] = placement_.groups.size();
      const auto asked = asked_.activations.find(id);
      if (asked != asked_.activations.end()) scheme.activations = asked->second;
      if (wide_.contains(id)) scheme.activation_bits = 16;
    }
    if (scheme.activation_bits == 16) scheme.activations = Scheme::Activations::Symmetric;
    if (std::holds_alternative<WeightGrid>(rule)) scheme.weight_bits = weight_bits(values[0]);
    placement_.groups.push_back({std::move(values), std::move(rule), scheme});
  }

  /// What all kernels take that read the weight.
  int weight_bits(ValueId weight) const {
    int bits = placement_.scheme.weight_bits;
    for (const NodeId user : graph_.users(weight)) {
      bits = std::max(bits, targets_.demand(user).weight_bits);
    }
    return bits;
  }

  const Graph& graph_;
  const NodeTargets targets_;
  const QuantTable& given_;
  const Asked& asked_;
  UnionFind sets_;
  Placement placement_;
  std::set<NodeId> in_chain_;
  std::set<ValueId> real_;
  std::set<ValueId> wide_;
  std::map<ValueId, bool> quantized_;
  std::map<ValueId, GroupRule> rules_;
  std::map<ValueId, std::pair<ValueId, double>> factors_;
};

}  // namespace

namespace {

Asked asked_of(const Graph& graph, const Scheme& scheme, std::span<const Override> overrides,
               Io io) {
  Asked asked{.of_node = chosen_by_node(graph, overrides),
              .in_float = {},
              .wide = {},
              .activations = {},
              .io = io};
  asked.in_float = asked_for(graph, asked.of_node, Override::Compute::Float);
  asked.wide = nodes_on_16_bits(graph, scheme, asked.of_node);
  for (const auto& [id, told] : asked.of_node) {
    if (!told.activations) continue;
    for (const ValueId out : graph.node(id).outputs) {
      if (out != kAbsent) asked.activations[out] = *told.activations;
    }
  }
  return asked;
}

/// Values that are symmetric together or not at all: those of one grid, and what an activation
/// clips with its result.
std::vector<std::vector<ValueId>> alike(const Graph& graph, const Placement& placement) {
  std::vector<std::vector<ValueId>> sets;
  for (const Group& group : placement.groups) {
    sets.push_back(group.members);
    if (const auto* rescaled = std::get_if<Rescaled>(&group.rule)) {
      sets.back().push_back(rescaled->source);
    }
  }
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (placement.in_float.contains(id) || is_copy(node)) continue;
    if (std::holds_alternative<Absorbable>(op_of(node).quant.value)) {
      sets.push_back({node.inputs[0], node.outputs[0]});
    }
  }
  return sets;
}

/// Makes what is asked of one value asked of all that are alike; whether that is news.
bool spread(const std::vector<std::vector<ValueId>>& sets,
            std::map<ValueId, Scheme::Activations>& asked) {
  bool news = false;
  for (const auto kind : {Scheme::Activations::Symmetric, Scheme::Activations::Asymmetric}) {
    const auto wants = [&](ValueId id) {
      const auto it = asked.find(id);
      return it != asked.end() && it->second == kind;
    };
    for (const auto& set : sets) {
      if (std::ranges::none_of(set, wants)) continue;
      for (const ValueId id : set) {
        const auto [it, fresh] = asked.try_emplace(id, kind);
        if (!fresh && (it->second == kind || kind == Scheme::Activations::Asymmetric)) continue;
        it->second = kind;
        news = true;
      }
    }
  }
  return news;
}

}  // namespace

Placement place(const Graph& graph, const TargetSet& targets, const Scheme& scheme,
                const QuantTable& given, std::span<const Override> overrides, Io io) {
  Asked asked = asked_of(graph, scheme, overrides, io);
  Placement placement = Placer(graph, targets, scheme, given, asked).run();
  while (!asked.activations.empty() && spread(alike(graph, placement), asked.activations)) {
    placement = Placer(graph, targets, scheme, given, asked).run();
  }
  if (scheme.saturation == Scheme::Saturation::Avoid && targets.narrow_sums()) {
    avoid_saturation(graph, placement);
  }
  return placement;
}

std::string fix_input(const Graph& graph, Placement& placement, const FixedGrid& grid) {
  const ValueId input = graph.inputs().at(0);
  const auto found = placement.group_of.find(input);
  if (found == placement.group_of.end()) return "the input is not quantized";
  Group& group = placement.groups[found->second];
  if (!std::holds_alternative<FromData>(group.rule)) return "a target fixes the input's grid";
  for (const ValueId id : group.members) {
    if (id == input || placement.exact.contains(id)) continue;
    return std::format("the input shares its grid with '{}'", graph.value(id).name);
  }
  group.rule = grid;
  return "";
}

}  // namespace octet
