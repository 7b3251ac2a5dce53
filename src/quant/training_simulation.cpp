#include "quant/training_simulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "graph/quantize_tensor.h"
#include "quant/solve.h"

namespace octet {
namespace {

/// Operators that do not look at their result again in the backward pass, nor share its memory.
constexpr std::array<std::string_view, 6> kOverwritable{"Conv", "Gemm", "MatMul",
                                                        "Add",  "Sub",  "Mul"};

/// The grid's saturation clips as the bounds do.
bool saturates(const QuantParams& params, const std::pair<float, float>& bounds) {
  const double scale = params.scale[0];
  const double low = scale * (params.low - params.zero_point[0]);
  const double high = scale * (params.high - params.zero_point[0]);
  const double slack = 1e-5 * std::max(-low, high);
  return low >= bounds.first - slack && high <= bounds.second + slack;
}

}  // namespace

std::set<size_t> groups_apart_from_weights(const Graph& graph, const Placement& placement) {
  std::set<size_t> near;
  const auto add = [&](ValueId id) {
    for (auto group = placement.group_of.find(id); group != placement.group_of.end();) {
      near.insert(group->second);
      const auto* rescaled = std::get_if<Rescaled>(&placement.groups[group->second].rule);
      if (!rescaled) return;
      group = placement.group_of.find(rescaled->source);
    }
  };
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    if (!rule || !graph.is_constant(node.input(rule->weight))) continue;
    add(node.inputs[0]);
    ValueId out = node.outputs[0];
    // Or what an absorbed activation makes of it.
    while (!placement.group_of.contains(out) && graph.users(out).size() == 1) {
      out = graph.node(graph.users(out)[0]).outputs[0];
    }
    add(out);
  }
  std::set<size_t> apart;
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const GroupRule& rule = placement.groups[i].rule;
    const bool activation =
        std::holds_alternative<FromData>(rule) || std::holds_alternative<FixedGrid>(rule);
    if (activation && !near.contains(i)) apart.insert(i);
  }
  return apart;
}

/// What goes on within a region: its inner values are rounded, its ends are not.
class TrainingSimulation::Inside final : public Interpretation {
 public:
  Inside(TrainingSimulation& simulation, const PointwiseRegion& region)
      : simulation_(simulation), region_(region) {}
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override {
    return simulation_.constant(id, tensor);
  }
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    const bool end = id == region_.source || id == region_.result;
    return end ? tensor : simulation_.rounded(id, tensor, Into::New);
  }

 private:
  TrainingSimulation& simulation_;
  const PointwiseRegion& region_;
};

TrainingSimulation::TrainingSimulation(const Graph& graph, const Placement& placement,
                                       const QuantTable& table, const Executor& executor,
                                       const LearnedGrids& learned, const std::set<ValueId>& seen)
    : graph_(graph),
      placement_(placement),
      table_(table),
      executor_(executor),
      apart_(learned.apart),
      weights_(placement, table_, executor, learned.weights, learned.damping) {
  find_learned(learned);
  find_saturated();
  if (!learned.zero_points && apart_.empty()) find_regions(seen);
  for (const NodeId id : graph.order()) {
    for (const ValueId out : graph.node(id).outputs) {
      if (out != kAbsent && overwritable(out, seen)) overwritable_.insert(out);
    }
  }
}

void TrainingSimulation::find_learned(const LearnedGrids& learned) {
  for (size_t i = 0; i < placement_.groups.size(); ++i) {
    const Group& group = placement_.groups[i];
    const ValueId first = group.members[0];
    const QuantParams* params = table_.find(first);
    if (!params || params->origin == Origin::Imported || apart_.contains(i)) continue;
    if (group.scheme.scales == Scheme::Scales::PowerOfTwo) continue;
    const auto* bounds = std::get_if<FromData>(&group.rule);
    const bool computed =
        std::ranges::any_of(group.members, [&](ValueId id) { return !graph_.is_constant(id); });
    if (bounds && computed && learned.activations && params->per_tensor()) {
      ranges_.try_emplace(i, *params, *bounds, learned.zero_points);
    }
  }
}

void TrainingSimulation::find_saturated() {
  for (const NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    const auto* clip = std::get_if<Absorbable>(&op_of(node).quant.value);
    if (!clip) continue;
    const ValueId out = node.outputs[0];
    const QuantParams* params = table_.find(out);
    const bool rounds =
        params && !placement_.exact.contains(out) && !is_apart(out) && params->per_tensor();
    const auto bounds = clip->bounds(graph_, node);
    if (rounds && keeps(out, bounds) && saturates(*params, bounds)) saturated_.insert(out);
  }
}

/// The value's grid stays within the bounds, wherever it learns to go.
bool TrainingSimulation::keeps(ValueId id, const std::pair<float, float>& bounds) const {
  if (!range_of(id)) return true;
  const Group& group = placement_.groups[placement_.group_of.at(id)];
  const auto& own = std::get<FromData>(group.rule);
  return own.low >= bounds.first && own.high <= bounds.second;
}

void TrainingSimulation::find_regions(const std::set<ValueId>& seen) {
  std::set<ValueId> moving;
  for (const auto& [id, tensor] : executor_.parameters()) moving.insert(id);
  regions_ = find_pointwise_regions(graph_, placement_, table_, moving, seen);
  for (const auto& [result, region] : regions_) {
    for (const NodeId node : region.nodes) inside_.insert(graph_.node(node).outputs[0]);
    inside_.erase(result);
    const bool rounds = region.alone && !regions_.contains(region.source);
    const ValueId owner = rounds ? result : kAbsent;
    const auto [it, added] = region_from_.try_emplace(region.source, owner);
    if (!added) it->second = kAbsent;
    const Part part{region.nodes, {region.source}, {result}};
    tables_[result] = std::make_unique<Executor>(graph_, part);
  }
  for (const NodeId node : graph_.order()) {
    const auto region = regions_.find(graph_.node(node).outputs[0]);
    if (region != regions_.end()) last_region_[region->second.source] = region->first;
  }
}

bool TrainingSimulation::overwritable(ValueId id, const std::set<ValueId>& seen) const {
  // Through activations that are not computed.
  for (auto producer = graph_.producer(id); producer; producer = graph_.producer(id)) {
    const Node& node = graph_.node(*producer);
    if (!saturated_.contains(id)) return std::ranges::contains(kOverwritable, node.op);
    id = node.inputs[0];
    if (table_.find(id) || graph_.users(id).size() != 1 || seen.contains(id)) return false;
  }
  return false;
}

bool TrainingSimulation::is_apart(ValueId id) const {
  const auto group = placement_.group_of.find(id);
  return group != placement_.group_of.end() && apart_.contains(group->second);
}

const LearnedRange* TrainingSimulation::range_of(ValueId id) const {
  const auto group = placement_.group_of.find(id);
  if (group == placement_.group_of.end() || placement_.exact.contains(id)) return nullptr;
  const auto range = ranges_.find(group->second);
  return range == ranges_.end() ? nullptr : &range->second;
}

/// Of a value with an entry; what is `exact` follows from a grid that may have moved.
QuantParams TrainingSimulation::params_of(ValueId id) const {
  const auto group = placement_.group_of.find(id);
  if (group == placement_.group_of.end()) return *table_.find(id);
  const auto range = ranges_.find(group->second);
  if (range != ranges_.end()) return range->second.params();
  const auto* rescaled = std::get_if<Rescaled>(&placement_.groups[group->second].rule);
  if (!rescaled) return *table_.find(id);
  QuantParams params = params_of(rescaled->source);
  params.scale[0] = static_cast<float>(params.scale[0] * rescaled->factor);
  return params;
}

at::Tensor TrainingSimulation::rounded(ValueId id, const at::Tensor& tensor, Into into) {
  const QuantParams* params = table_.find(id);
  if (!params || placement_.exact.contains(id) || is_apart(id)) return tensor;
  const LearnedRange* range = range_of(id);
  return range ? range->round(tensor, into) : fake_quantize(tensor, *params, into);
}

at::Tensor TrainingSimulation::activation(ValueId id, const at::Tensor& tensor) {
  if (inside_.contains(id)) return tensor;
  const auto region = region_from_.find(id);
  const bool alone = region != region_from_.end() && region->second != kAbsent;
  const bool done = alone || regions_.contains(id);  // by the region that makes it, or reads it
  const at::Tensor out = done ? tensor : rounded(id, tensor, into(id));
  if (region != region_from_.end()) held_[id] = out;
  return out;
}

std::vector<at::Tensor> TrainingSimulation::evaluate(const OpDef& op, const OpCall& call) {
  const ValueId out = call.node.outputs[0];
  if (inside_.contains(out)) return {at::Tensor()};
  if (const auto region = regions_.find(out); region != regions_.end()) {
    return {looked_up(region->second)};
  }
  if (saturated_.contains(out)) return {call.in(0)};
  return Interpretation::evaluate(op, call);
}

at::Tensor TrainingSimulation::looked_up(const PointwiseRegion& region) {
  const bool alone = region_from_.at(region.source) == region.result;
  const QuantParams source = params_of(region.source);
  const LearnedRange* range = alone ? range_of(region.source) : nullptr;
  const at::Tensor tensor = held_.at(region.source);
  if (last_region_.at(region.source) == region.result) held_.erase(region.source);
  return look_up(tensor, source, range ? range->variable() : at::Tensor(), tabulate(region, source),
                 alone ? into(region.source) : Into::New);
}

PointwiseTable TrainingSimulation::tabulate(const PointwiseRegion& region,
                                            const QuantParams& source) {
  at::Tensor points;
  {
    const at::NoGradGuard no_grad;
    const int64_t zero = source.zero_point[0];
    points = at::arange(source.low - zero, source.high - zero + 1, at::kFloat) *
             static_cast<double>(source.scale[0]);
  }
  const bool records = at::GradMode::is_enabled();
  points.set_requires_grad(records);
  Inside inside(*this, region);
  const at::Tensor real = tables_.at(region.result)->run({&points, 1}, inside).at(0).reshape({-1});
  at::Tensor slopes;
  if (records && real.requires_grad()) {
    slopes = torch::autograd::grad({real}, {points}, {at::ones_like(real)}, std::nullopt, false,
                                   /*allow_unused=*/true)[0];
  }
  const at::NoGradGuard no_grad;
  if (!slopes.defined()) slopes = at::zeros_like(real);
  slopes = slopes.contiguous();
  const QuantParams now = params_of(region.result);
  const LearnedRange* range = range_of(region.result);
  return rounded_table(real, slopes, now, range ? range->variable() : at::Tensor());
}

at::Tensor TrainingSimulation::constant(ValueId id, const at::Tensor& tensor) {
  const auto group = placement_.group_of.find(id);
  if (group == placement_.group_of.end()) return tensor;
  const GroupRule& rule = placement_.groups[group->second].rule;
  if (const auto* grid = std::get_if<WeightGrid>(&rule)) {
    // Only a bias asks for the scale of its input.
    const bool biased = grid->bias != kAbsent;
    return weights_.round(id, tensor, biased ? params_of(grid->input).scale[0] : 0.0F);
  }
  if (const auto* bias = std::get_if<BiasGrid>(&rule)) {
    return weights_.round(*bias, tensor, params_of(bias->input).scale[0]);
  }
  return rounded(id, tensor, Into::New);
}

std::map<std::string, at::Tensor> TrainingSimulation::variables() const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [index, range] : ranges_) {
    const std::string& name = graph_.value(placement_.groups[index].members[0]).name;
    all.emplace(name, range.variable());
    const at::Tensor& zero_point = range.variables().zero_point;
    if (zero_point.defined()) all.emplace(name + "/zero_point", zero_point);
  }
  for (const auto& [id, scales] : weights_.learned())
    all.emplace(graph_.value(id).name, scales.variable());
  return all;
}

void TrainingSimulation::after_step() {
  for (auto& [index, range] : ranges_) range.keep_inside();
  for (auto& [id, scales] : weights_.learned()) scales.keep_inside();
}

void TrainingSimulation::freeze() {
  for (const auto& [name, variable] : variables()) variable.set_requires_grad(false);
}

void TrainingSimulation::write(const Graph& trained, QuantTable& table) const {
  for (const auto& [index, range] : ranges_) {
    for (const ValueId id : placement_.groups[index].members) table.set(id, range.params());
  }
  for (const auto& [id, scales] : weights_.learned()) {
    QuantParams params = *table.find(id);
    params.scale = scales.scales();
    params.origin = Origin::Learned;
    table.set(id, std::move(params));
  }
  solve_derived(trained, placement_, table);
}

}  // namespace octet
