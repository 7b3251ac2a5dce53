#include "quant/exact.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/round.h>

#include <algorithm>

#include "base/fail.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {
namespace {

/// A row of numbers along the axis of the parameters, for a tensor of `rank` dimensions.
template <class T>
at::Tensor along_axis(const std::vector<T>& numbers, const QuantParams& grid, int64_t rank) {
  Shape shape(static_cast<size_t>(rank), 1);
  if (grid.axis >= 0)
    shape.at(static_cast<size_t>(grid.axis)) = static_cast<int64_t>(numbers.size());
  return to_torch(Tensor::of<T>(shape, numbers));
}

at::Tensor channels_last(at::Tensor tensor) {
  return tensor.dim() == 4 ? tensor.contiguous(at::MemoryFormat::ChannelsLast) : tensor;
}

}  // namespace

at::Tensor to_integers(const at::Tensor& real, const QuantParams& grid) {
  if (grid.per_tensor()) {
    return real.div(grid.scale[0]).round_().add_(grid.zero_point[0]).to(at::kInt);
  }
  const at::Tensor steps = at::round(real / along_axis(grid.scale, grid, real.dim()));
  return steps.to(at::kInt) + along_axis(grid.zero_point, grid, real.dim());
}

at::Tensor to_reals(const at::Tensor& integers, const QuantParams& grid) {
  if (grid.per_tensor()) {
    return integers.sub(grid.zero_point[0]).to(at::kFloat).mul_(grid.scale[0]);
  }
  const at::Tensor steps = integers - along_axis(grid.zero_point, grid, integers.dim());
  return steps.to(at::kFloat) * along_axis(grid.scale, grid, integers.dim());
}

ExactSimulation::ExactSimulation(const Graph& graph, const Placement& placement,
                                 const QuantTable& table, const Dialect& dialect)
    : graph_(graph), table_(table), dialect_(dialect) {
  for (const auto& [id, params] : table.values()) {
    const auto& real = graph.value(id).constant;
    if (!real) continue;
    constants_.emplace(id, channels_last(to_torch(quantize(*real, params)).to(at::kInt)));
  }
  for (const auto& [id, lookup] : table.lookups()) {
    const std::vector<int32_t>& entries = lookup.entries;
    tables_.emplace(id,
                    to_torch(Tensor::of<int32_t>({static_cast<int64_t>(entries.size())}, entries)));
  }
  for (const auto& [id, exact] : placement.exact) on_grid_.insert(id);
  for (const NodeId id : graph.order()) {
    const Plan plan = plan_for(id, placement);
    if (plan.kind != Plan::Kind::Run) on_grid_.insert(plan.result);
    plans_.emplace(&graph.node(id), plan);
  }
}

DType ExactSimulation::result_type(const Node& node) const {
  const QuantParams* grid = table_.find(node.outputs[0]);
  const auto users = grid ? std::vector<NodeId>() : graph_.users(node.outputs[0]);
  if (users.size() == 1) grid = table_.find(graph_.node(users[0]).outputs[0]);
  return grid ? grid->type : DType::Int8;
}

ExactSimulation::Plan ExactSimulation::plan_for(NodeId id, const Placement& placement) const {
  const Node& node = graph_.node(id);
  const ValueId out = node.outputs[0];
  const Plan run{.kind = Plan::Kind::Run, .result = out};
  const IntegerFn kernel = dialect_.find(node.op, result_type(node));
  if (table_.looked_up(id)) {
    const Lookup* lookup = table_.find_lookup(out);
    if (!lookup) return {.kind = Plan::Kind::Pass, .result = out};
    const bool own_kernel = lookup->nodes.size() == 1 && kernel &&
                            std::holds_alternative<Pointwise>(op_of(node).quant.value);
    if (!own_kernel) return {.kind = Plan::Kind::LookUp, .result = out};
  }
  if (placement.in_float.contains(id)) return run;
  if (std::holds_alternative<Absorbable>(op_of(node).quant.value) &&
      std::ranges::contains(placement.absorbed, node.inputs[0])) {
    return {.kind = Plan::Kind::Pass, .result = out};
  }
  const QuantParams* own = table_.find(out);
  if (!kernel || (own && own->origin == Origin::Derived)) return run;
  return compute_plan(node, kernel);
}

ExactSimulation::Plan ExactSimulation::compute_plan(const Node& node, IntegerFn kernel) const {
  Plan plan{.kind = Plan::Kind::Compute,
            .result = node.outputs[0],
            .bounds = {-kInfinity, kInfinity},
            .compute = kernel};
  if (const auto* clip = std::get_if<Absorbable>(&op_of(node).quant.value)) {
    plan.bounds = clip->bounds(graph_, node);
  }
  if (!table_.find(plan.result)) {
    const auto users = graph_.users(plan.result);
    if (users.size() != 1) return {.kind = Plan::Kind::Run, .result = plan.result};
    const Node& taken = graph_.node(users[0]);
    const auto* clip = std::get_if<Absorbable>(&op_of(taken).quant.value);
    if (!clip || !table_.find(taken.outputs[0]))
      return {.kind = Plan::Kind::Run, .result = plan.result};
    plan.result = taken.outputs[0];
    plan.bounds = clip->bounds(graph_, taken);
  }
  return plan;
}

at::Tensor ExactSimulation::constant(ValueId id, const at::Tensor& tensor) {
  // Integers: `compute` takes them as they are, and what runs in float is given real numbers.
  const auto it = constants_.find(id);
  return it == constants_.end() ? tensor : it->second;
}

at::Tensor ExactSimulation::activation(ValueId id, const at::Tensor& tensor) {
  const QuantParams* grid = table_.find(id);
  if (!grid || on_grid_.contains(id)) return tensor;
  return to_reals(dialect_.quantize(tensor, *grid), *grid);
}

at::Tensor ExactSimulation::compute(const Plan& plan, const OpCall& call) const {
  std::vector<at::Tensor> inputs;
  std::vector<const QuantParams*> grids;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const ValueId id = call.node.inputs[i];
    const QuantParams* grid = id == kAbsent ? nullptr : table_.find(id);
    const bool integer = !grid || graph_.is_constant(id);
    inputs.push_back(integer ? call.inputs[i] : to_integers(call.inputs[i], *grid));
    grids.push_back(grid);
  }
  const QuantParams& out = *table_.find(plan.result);
  const at::Tensor made = plan.compute({graph_, call.node, inputs, grids, out, plan.bounds});
  return to_reals(made, out);
}

std::vector<at::Tensor> ExactSimulation::evaluate(const OpDef& op, const OpCall& call) {
  const at::NoGradGuard no_grad;
  const Plan& plan = plans_.at(&call.node);
  if (plan.kind == Plan::Kind::Compute) return {compute(plan, call)};
  if (plan.kind == Plan::Kind::Run) {
    std::vector<at::Tensor> inputs(call.inputs.begin(), call.inputs.end());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto it = constants_.find(call.node.inputs[i]);
      if (it != constants_.end()) inputs[i] = to_reals(it->second, *table_.find(it->first));
    }
    return op.run.value({call.node, inputs});
  }
  const Lookup* lookup = table_.find_lookup(plan.result);
  size_t flowing = 0;
  while (graph_.is_constant(call.node.inputs.at(flowing))) ++flowing;
  if (plan.kind == Plan::Kind::Pass) return {call.inputs[flowing]};
  const QuantParams& in = *table_.find(lookup->source);
  const at::Tensor index = to_integers(call.inputs[flowing], in) - in.low;
  return {
      to_reals(tables_.at(plan.result).index({index.to(at::kLong)}), *table_.find(plan.result))};
}

}  // namespace octet
