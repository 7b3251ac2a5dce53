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
#include "quant/divisors.h"
#include "quant/dynamic.h"
#include "quant/solve.h"
#include "quant/whole_shift.h"

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
      weights_(placement, table_, learned.weights, learned.damping) {
  if (learned.norms) norms_.emplace(graph, executor);
  find_moving(learned);
  find_saturated();
  const bool by_gradients = learned.activations != GridMoves::Observed && !learned.zero_points;
  if (by_gradients && apart_.empty()) {
    find_regions(seen);
  } else {
    divisors_ = find_divisors(graph, placement, table);
  }
  if (learned.most_flips > 0) watch_oscillations(learned.most_flips);
  for (const NodeId id : graph.order()) {
    for (const ValueId out : graph.node(id).outputs) {
      if (out != kAbsent && overwritable(out, seen)) overwritable_.insert(out);
    }
  }
}

void TrainingSimulation::find_moving(const LearnedGrids& learned) {
  for (size_t i = 0; i < placement_.groups.size(); ++i) {
    const Group& group = placement_.groups[i];
    const QuantParams* params = table_.find(group.members[0]);
    if (!params || params->origin == Origin::Imported || apart_.contains(i)) continue;
    const auto* bounds = std::get_if<FromData>(&group.rule);
    const bool computed =
        std::ranges::any_of(group.members, [&](ValueId id) { return !graph_.is_constant(id); });
    if (!bounds || !computed || !params->per_tensor()) continue;
    if (learned.activations == GridMoves::Observed) {
      observed_.try_emplace(i, *params, *bounds, group.scheme);
    } else if (learned.activations == GridMoves::Learned &&
               group.scheme.scales != Scheme::Scales::PowerOfTwo) {
      ranges_.try_emplace(i, *params, *bounds, learned.zero_points);
    }
  }
}

void TrainingSimulation::watch_oscillations(float most) {
  oscillations_.emplace(most);
  for (const Group& group : placement_.groups) {
    const ValueId id = group.members[0];
    if (!std::holds_alternative<WeightGrid>(group.rule)) continue;
    oscillations_->watch(graph_.value(id).name, executor_.constant(id));
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
  const auto index = placement_.group_of.find(id);
  if (index == placement_.group_of.end()) return true;
  if (!ranges_.contains(index->second) && !observed_.contains(index->second)) return true;
  const Group& group = placement_.groups[index->second];
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

namespace {

/// What the value's group has in a map by group; nullptr where it has nothing.
template <class Map>
auto* of_group(Map& by_group, const Placement& placement, ValueId id) {
  const auto group = placement.group_of.find(id);
  const auto found =
      group == placement.group_of.end() ? by_group.end() : by_group.find(group->second);
  return found == by_group.end() ? nullptr : &found->second;
}

}  // namespace

const LearnedRange* TrainingSimulation::range_of(ValueId id) const {
  return placement_.exact.contains(id) ? nullptr : of_group(ranges_, placement_, id);
}

/// Of a value with an entry; what is `exact` follows from a grid that may have moved.
QuantParams TrainingSimulation::params_of(ValueId id) const {
  const auto group = placement_.group_of.find(id);
  if (group == placement_.group_of.end()) return *table_.find(id);
  const LearnedRange* learned = of_group(ranges_, placement_, id);
  const ObservedRange* observed = of_group(observed_, placement_, id);
  if (learned || observed) {
    return shifted(group->second, learned ? learned->params() : observed->params());
  }
  const auto* rescaled = std::get_if<Rescaled>(&placement_.groups[group->second].rule);
  if (!rescaled) return *table_.find(id);
  QuantParams params = params_of(rescaled->source);
  params.scale[0] = static_cast<float>(params.scale[0] * rescaled->factor);
  return params;
}

/// The present grid of a group, on the scale that it is deployed with.
QuantParams TrainingSimulation::shifted(size_t group, QuantParams params) const {
  const auto& shifts = placement_.whole_shifts;
  const auto shift = std::ranges::find(shifts, group, &WholeShift::group);
  if (shift != shifts.end()) {
    params.scale[0] = with_whole_shift(params.scale[0], params_of(shift->input));
  }
  return params;
}

at::Tensor TrainingSimulation::rounded(ValueId id, const at::Tensor& tensor, Into into) {
  const QuantParams* params = table_.find(id);
  if (!params || placement_.exact.contains(id) || is_apart(id)) return tensor;
  if (const LearnedRange* range = range_of(id)) {
    return fake_quantize(tensor, params_of(id), range->variables(), into);
  }
  ObservedRange* range = of_group(observed_, placement_, id);
  if (!range) return fake_quantize(tensor, *params, into);
  range->look(tensor);
  return fake_quantize(tensor, params_of(id), into);
}

at::Tensor TrainingSimulation::activation(ValueId id, const at::Tensor& tensor) {
  if (inside_.contains(id)) return tensor;
  const auto region = region_from_.find(id);
  const bool alone = region != region_from_.end() && region->second != kAbsent;
  const bool done = alone || regions_.contains(id);  // by the region that makes it, or reads it
  at::Tensor out = done ? tensor : rounded(id, tensor, into(id));
  if (const auto divisor = divisors_.find(id); divisor != divisors_.end()) {
    out = away_from_zero(out, divisor->second);
  }
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
  const auto* rule = std::get_if<Weighted>(&op.quant.value);
  return rule ? weighted(op, call, call.node.input(rule->weight))
              : Interpretation::evaluate(op, call);
}

std::vector<at::Tensor> TrainingSimulation::weighted(const OpDef& op, const OpCall& call,
                                                     ValueId weight) {
  std::vector<at::Tensor> inputs(call.inputs.begin(), call.inputs.end());
  if (placement_.read_by_image.contains(weight)) inputs[0] = fake_quantize_images(inputs[0]);
  std::vector<at::Tensor> results =
      Interpretation::evaluate(op, {call.node, inputs, call.training});
  if (norms_) results[0] = norms_->normalize(weight, results[0]);
  return results;
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
  at::Tensor real = norms_ ? norms_->folded(id, tensor) : tensor;
  // What a normalization adds is no bias.
  if (group == placement_.group_of.end() || !real.defined()) return real;
  const GroupRule& rule = placement_.groups[group->second].rule;
  if (const auto* grid = std::get_if<WeightGrid>(&rule)) {
    if (grid->bias == kAbsent) return weights_.round(id, real, {}, 0);
    const at::Tensor bias = norms_ ? norms_->deployed(grid->bias) : executor_.constant(grid->bias);
    return weights_.round(id, real, bias, params_of(grid->input).scale[0]);
  }
  if (const auto* bias = std::get_if<BiasGrid>(&rule)) {
    return weights_.round(*bias, real, params_of(bias->input).scale[0]);
  }
  return rounded(id, real, Into::New);
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
  if (norms_) all.merge(norms_->variables());
  return all;
}

std::map<std::string, at::Tensor> TrainingSimulation::statistics() const {
  std::map<std::string, at::Tensor> all;
  if (norms_) all = norms_->statistics();
  for (const auto& [index, range] : observed_) {
    all.emplace(graph_.value(placement_.groups[index].members[0]).name, range.ends());
  }
  return all;
}

std::map<std::string, at::Tensor> TrainingSimulation::memory() const {
  return oscillations_ ? oscillations_->state() : std::map<std::string, at::Tensor>{};
}

void TrainingSimulation::after_step() {
  for (auto& [index, range] : ranges_) range.keep_inside();
  for (auto& [id, scales] : weights_.learned()) scales.keep_inside();
  if (norms_) norms_->keep_inside();
  if (oscillations_) hold_oscillating();
}

void TrainingSimulation::hold_oscillating() {
  for (const Group& group : placement_.groups) {
    const auto* rule = std::get_if<WeightGrid>(&group.rule);
    if (!rule) continue;
    const ValueId id = group.members[0];
    const WeightBounds bounds = weight_bounds(group.scheme);
    ChannelScales steps{.scales = weights_.present(id), .axis = rule->axis};
    if (norms_) norms_->unfold(id, steps);
    oscillations_->follow(
        graph_.value(id).name, executor_.constant(id),
        {.scales = steps.scales, .axis = steps.axis, .low = bounds.low, .high = bounds.high});
  }
}

void TrainingSimulation::freeze() {
  for (const auto& [index, range] : ranges_) {
    for (const at::Tensor& variable : {range.variables().log_scale, range.variables().zero_point}) {
      if (variable.defined()) variable.set_requires_grad(false);
    }
  }
  for (auto& [index, range] : observed_) range.freeze();
  for (const auto& [id, scales] : weights_.learned()) scales.variable().set_requires_grad(false);
}

void TrainingSimulation::write(Graph& trained, QuantTable& table) const {
  if (norms_) norms_->fold(trained);
  for (const auto& [index, range] : ranges_) {
    for (const ValueId id : placement_.groups[index].members) table.set(id, range.params());
  }
  for (const auto& [index, range] : observed_) {
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
