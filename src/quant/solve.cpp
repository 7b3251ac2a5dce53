#include "quant/solve.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "graph/quantize_tensor.h"
#include "quant/node_targets.h"
#include "quant/saturation.h"
#include "quant/sixteen_bits.h"
#include "quant/whole_shift.h"

namespace octet {
namespace {

QuantParams fixed_params(const FixedGrid& grid, const Scheme& scheme) {
  if (scheme.activation_bits == 16) return sixteen_bit_grid(grid.scale);
  return {.scale = {grid.scale}, .zero_point = {grid.zero_point}, .origin = Origin::Fixed};
}

QuantParams rescaled_params(const Rescaled& rule, const QuantTable& table, const Graph& graph) {
  QuantParams params = table.at(rule.source, graph);
  params.scale[0] = static_cast<float>(static_cast<double>(params.scale[0]) * rule.factor);
  params.origin = Origin::Derived;
  return params;
}

/// Largest magnitude of every slice along `axis`; of the whole weight where that is -1. Where the
/// bounds have a step more below zero, what lies there counts for as much less.
std::vector<float> magnitudes(const Tensor& weight, int axis, WeightBounds bounds) {
  const auto values = weight.as<float>();
  const std::span<const int64_t> shape = weight.shape;
  const auto at = static_cast<size_t>(axis);
  std::vector<float> largest(axis < 0 ? 1 : static_cast<size_t>(shape[at]), 0.0F);
  const auto inner =
      axis < 0 ? values.size() : static_cast<size_t>(element_count(shape.subspan(at + 1)));
  const float below = static_cast<float>(bounds.high) / static_cast<float>(-bounds.low);
  for (size_t row = 0; row * inner < values.size(); ++row) {
    float& slot = largest[row % largest.size()];
    for (const float value : values.subspan(row * inner, inner)) {
      slot = std::max(slot, value < 0 ? -value * below : value);
    }
  }
  return largest;
}

/// Largest magnitude of the biases that are scaled as channel `c` of the weight.
float bias_magnitude(const Tensor& bias, const WeightGrid& rule, size_t c) {
  const auto values = bias.as<float>();
  if (rule.axis >= 0) return std::abs(values[values.size() == 1 ? 0 : c]);
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  return largest;
}

/// The scales that a weight asks for: those that it has learned, or the least that clip nothing.
std::vector<float> wanted_scales(const Graph& graph, ValueId weight, int axis, WeightBounds bounds,
                                 const QuantParams* known) {
  std::vector<float> scales = magnitudes(*graph.value(weight).constant, axis, bounds);
  for (size_t c = 0; c < scales.size(); ++c) {
    if (!std::isfinite(scales[c])) {
      fail(Code::Numeric, "the weight '{}' is not finite{}", graph.value(weight).name,
           axis < 0 ? "" : std::format(" in channel {}", c));
    }
    scales[c] = std::max(scales[c] / static_cast<float>(bounds.high), kSmallestScale);
  }
  return known && known->origin == Origin::Learned ? known->scale : scales;
}

QuantParams weight_params(const Graph& graph, ValueId weight, const WeightGrid& rule,
                          const Scheme& scheme, const QuantTable& table) {
  const WeightBounds bounds = weight_bounds(scheme);
  const QuantParams* known = table.find(weight);
  QuantParams params{.axis = rule.axis,
                     .low = bounds.low,
                     .high = bounds.high,
                     .origin = known ? known->origin : Origin::Observed};
  const Tensor* bias = rule.bias == kAbsent ? nullptr : &*graph.value(rule.bias).constant;
  const float input_scale = bias ? table.at(rule.input, graph).scale[0] : 0;
  const std::vector<float> wanted = wanted_scales(graph, weight, rule.axis, bounds, known);
  for (size_t c = 0; c < wanted.size(); ++c) {
    float scale = wanted[c];
    if (bias)
      scale = std::max(scale, bias_magnitude(*bias, rule, c) / (input_scale * kLargestBias));
    params.scale.push_back(scale);
    params.zero_point.push_back(0);
  }
  if (rule.pairs != PairOrder::None) {
    widen_for_pairs(rule.pairs, *graph.value(weight).constant, params);
  }
  if (scheme.scales == Scheme::Scales::PowerOfTwo) {
    std::ranges::transform(params.scale, params.scale.begin(), power_of_two);
  }
  return params;
}

QuantParams bias_params(const Graph& graph, const BiasGrid& rule, const QuantTable& table) {
  const QuantParams& weight = table.at(rule.weight, graph);
  QuantParams params{.type = DType::Int32,
                     .axis = weight.per_tensor() ? -1 : 0,
                     .low = static_cast<int32_t>(lowest(DType::Int32)),
                     .high = static_cast<int32_t>(highest(DType::Int32)),
                     .origin = Origin::Derived};
  const float input_scale = table.at(rule.input, graph).scale[0];
  for (const float scale : weight.scale) {
    params.scale.push_back(input_scale * scale);
    params.zero_point.push_back(0);
  }
  if (params.scale.size() == 1) params.axis = -1;
  return params;
}

/// Files hold scales as positive, normal floats; runtimes flush smaller ones to 0.
void check_scales(const Graph& graph, ValueId id, const QuantParams& params) {
  for (const float scale : params.scale) {
    if (std::isnormal(scale) && scale > 0) continue;
    fail(Code::Numeric,
         "the value '{}' would have the scale {}; wanted a normal number above 0: its numbers, or "
         "those of its node's inputs, are too large or too small for float",
         graph.value(id).name, scale);
  }
}

}  // namespace

namespace {

QuantParams symmetric_params(double low, double high) {
  QuantParams params;
  const auto scale = static_cast<float>(std::max(-low / 128, high / 127));
  params.scale = {std::max(scale, kSmallestScale)};
  params.zero_point = {0};
  return params;
}

}  // namespace

QuantParams activation_params(Range range, Scheme::Activations activations) {
  const double low = std::min(range.empty ? 0.0F : range.low, 0.0F);
  // What is always 0 is so on any grid; a common one asks nothing unusual of its neighbours.
  const double reach = std::max(range.empty ? 0.0F : range.high, 0.0F);
  const double high = low == reach ? 1.0 : reach;
  if (activations == Scheme::Activations::Symmetric) return symmetric_params(low, high);
  const float scale = std::max(static_cast<float>((high - low) / 255), kSmallestScale);
  const double zero = std::nearbyint(-128.0 - low / static_cast<double>(scale));
  QuantParams params;
  params.scale = {scale};
  params.zero_point = {static_cast<int32_t>(std::clamp(zero, -128.0, 127.0))};
  return params;
}

float power_of_two(float scale) {
  int exponent = 0;
  const float part = std::frexp(scale, &exponent);  // [0.5, 1)
  return std::ldexp(1.0F, part == 0.5F ? exponent - 1 : exponent);
}

QuantParams activation_params(Range range, const Scheme& scheme) {
  QuantParams params = scheme.activation_bits == 16 ? sixteen_bit_params(range)
                                                    : activation_params(range, scheme.activations);
  if (scheme.scales == Scheme::Scales::Any) return params;
  params.scale[0] = power_of_two(params.scale[0]);
  if (scheme.activation_bits == 16 || scheme.activations == Scheme::Activations::Symmetric) {
    return params;
  }
  const double low = std::min(range.empty ? 0.0F : range.low, 0.0F);
  const double zero = std::nearbyint(-128.0 - low / static_cast<double>(params.scale[0]));
  params.zero_point[0] = static_cast<int32_t>(std::clamp(zero, -128.0, 127.0));
  return params;
}

void solve_constants(const Graph& graph, const Placement& placement, QuantTable& table) {
  for (const Group& group : placement.groups) {
    const ValueId id = group.members[0];
    if (const auto* weight = std::get_if<WeightGrid>(&group.rule)) {
      const QuantParams* known = table.find(id);
      if (known && known->origin == Origin::Imported) continue;
      table.set(id, weight_params(graph, id, *weight, group.scheme, table));
    } else if (const auto* bias = std::get_if<BiasGrid>(&group.rule)) {
      table.set(id, bias_params(graph, *bias, table));
    } else {
      continue;
    }
    check_scales(graph, id, *table.find(id));
  }
}

namespace {

/// The grid whose numbers the chain reads: a copy on a finer one has no others.
const QuantParams& source_grid(const Graph& graph, const Placement& placement, const Chain& chain,
                               const QuantTable& table) {
  ValueId source = chain.source;
  for (auto before = placement.chains.find(source); before != placement.chains.end();
       before = placement.chains.find(source)) {
    if (!is_copy(graph.node(before->second.nodes.back()))) break;
    source = before->second.source;
  }
  return table.at(source, graph);
}

/// A chain's result need not reach further than its table can: beyond lie only values whose source
/// is rounded to 0.
void bound_chains(const Graph& graph, const Placement& placement, const Ranges& ranges,
                  QuantTable& table) {
  for (const NodeId id : graph.order()) {
    const auto it = placement.chains.find(graph.node(id).outputs[0]);
    if (it == placement.chains.end()) continue;
    const size_t index = placement.group_of.at(it->first);
    const Group& group = placement.groups[index];
    if (group.members.size() != 1 || !std::holds_alternative<FromData>(group.rule)) continue;
    const Range reach =
        chain_range(graph, it->second, source_grid(graph, placement, it->second, table));
    Range range = ranges.at(index);
    if (reach.empty || range.empty) continue;
    range.low = std::max(range.low, reach.low);
    range.high = std::min(range.high, reach.high);
    table.set(it->first, activation_params(range, group.scheme));
  }
}

/// Weights are narrow where their integers are.
QuantParams given_weight(const Tensor& weight, QuantParams params) {
  const Tensor integers = quantize(weight, params);
  const bool symmetric = std::ranges::all_of(params.zero_point, [](int32_t z) { return z == 0; });
  if (symmetric && std::ranges::min(integers.as<int8_t>()) > -128) params.low = -127;
  return params;
}

void set_given(const Graph& graph, const Placement& placement, const QuantTable& given,
               QuantTable& table) {
  for (const auto& [id, params] : given.values()) {
    const auto group = placement.group_of.find(id);
    if (group == placement.group_of.end() || params.type == DType::Int32) continue;
    const GroupRule& rule = placement.groups[group->second].rule;
    QuantParams held = params;
    if (std::holds_alternative<WeightGrid>(rule)) {
      held = given_weight(*graph.value(id).constant, std::move(held));
    } else if (std::holds_alternative<Rescaled>(rule)) {
      held.origin = Origin::Derived;
    }
    table.set(id, std::move(held));
  }
}

void set_all(const Group& group, const QuantParams& params, QuantTable& table) {
  for (const ValueId id : group.members) table.set(id, params);
}

void set_rescaled(const Graph& graph, const Placement& placement, QuantTable& table) {
  for (const Group& group : placement.groups) {
    const auto* rescaled = std::get_if<Rescaled>(&group.rule);
    if (rescaled) set_all(group, rescaled_params(*rescaled, table, graph), table);
  }
}

void set_whole_shifts(const Graph& graph, const Placement& placement, QuantTable& table) {
  for (const auto& [index, input] : placement.whole_shifts) {
    const Group& group = placement.groups[index];
    QuantParams params = table.at(group.members[0], graph);
    params.scale[0] = with_whole_shift(params.scale[0], table.at(input, graph));
    set_all(group, params, table);
  }
}

/// Grids of activations that follow from those of others.
void set_following(const Graph& graph, const Placement& placement, QuantTable& table) {
  set_rescaled(graph, placement, table);
  set_whole_shifts(graph, placement, table);
  set_rescaled(graph, placement, table);
}

void set_lookups(const Graph& graph, const Placement& placement, QuantTable& table) {
  for (const auto& [result, chain] : placement.chains) {
    table.set_lookup(result, {.source = chain.source,
                              .entries = tabulate(graph, chain, table.at(chain.source, graph),
                                                  table.at(result, graph)),
                              .nodes = chain.nodes});
  }
}

}  // namespace

void solve_derived(const Graph& graph, const Placement& placement, QuantTable& table) {
  set_following(graph, placement, table);
  for (const auto& [id, params] : table.values()) check_scales(graph, id, params);
  solve_constants(graph, placement, table);
  set_lookups(graph, placement, table);
}

QuantTable solve(const Graph& graph, const Placement& placement, const Ranges& ranges,
                 const QuantTable& given) {
  QuantTable table;
  for (const auto& [id, reason] : placement.in_float) table.set_in_float(id);
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const Group& group = placement.groups[i];
    if (std::holds_alternative<FromData>(group.rule)) {
      set_all(group, activation_params(ranges.at(i), group.scheme), table);
    } else if (const auto* fixed = std::get_if<FixedGrid>(&group.rule)) {
      set_all(group, fixed_params(*fixed, group.scheme), table);
    }
  }
  bound_chains(graph, placement, ranges, table);
  set_following(graph, placement, table);
  set_given(graph, placement, given, table);
  for (const auto& [id, params] : table.values()) check_scales(graph, id, params);
  solve_constants(graph, placement, table);
  set_lookups(graph, placement, table);
  return table;
}

}  // namespace octet
