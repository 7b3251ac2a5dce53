#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/var_mean.h>
#include <c10/core/ScalarType.h>

#include "base/fail.h"
#include "ops/element_type.h"
#include "ops/families.h"

namespace octet {
namespace {

double layer_norm_epsilon(const Node& node) { return node.number("epsilon", 1e-5F); }

/// The first dimension that is normalized.
int64_t axis_of(const OpCall& call) {
  const int64_t rank = call.in(0).dim();
  const int64_t axis = call.node.integer("axis", -1);
  if (axis < -rank || axis >= rank) {
    fail(Code::Model, "{}: its axis is {}, its input has rank {}", describe(call.node), axis, rank);
  }
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> dims_from(int64_t axis, int64_t rank) {
  std::vector<int64_t> dims;
  for (int64_t d = axis; d < rank; ++d) dims.push_back(d);
  return dims;
}

/// The least precision of the statistics.
at::ScalarType stash_type_of(const Node& node) {
  const at::ScalarType type = scalar_type_of(node, "stash_type", 1);
  if (!at::isFloatingType(type)) {
    fail(Code::Unsupported, "{}: stash_type is {}; wanted the number of a float type",
         describe(node), node.integer("stash_type", 1));
  }
  return type;
}

bool fits(const at::Tensor& parameter, at::IntArrayRef shape) {
  return !parameter.defined() || parameter.sizes() == shape;
}

/// Y, Mean and InvStdDev from their definition: for their gradients, for a scale that is
/// broadcast, and for statistics that are more precise than the data.
std::vector<at::Tensor> normalized_in_steps(const OpCall& call, at::ScalarType stash) {
  const at::Tensor& x = call.in(0);
  const at::Tensor wide = x.to(at::promote_types(x.scalar_type(), stash));
  const auto [variance, mean] =
      at::var_mean(wide, dims_from(axis_of(call), x.dim()), at::Scalar(0), true);
  const at::Tensor inverse = at::rsqrt(variance + layer_norm_epsilon(call.node));
  at::Tensor y = ((wide - mean) * inverse).to(x.scalar_type()) * call.in(1);
  if (call.has(2)) y = y + call.in(2);
  return {y, mean.to(stash), inverse.to(stash)};
}

std::vector<at::Tensor> run_layer_normalization(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const at::ScalarType stash = stash_type_of(call.node);
  const at::IntArrayRef shape = x.sizes().slice(static_cast<size_t>(axis_of(call)));
  const bool precise = at::promote_types(x.scalar_type(), stash) == x.scalar_type();
  if (call.node.outputs.size() > 1 || !precise || !fits(call.in(1), shape) ||
      !fits(call.in(2), shape)) {
    return normalized_in_steps(call, stash);
  }
  std::optional<at::Tensor> bias;
  if (call.has(2)) bias = call.in(2);
  return {at::layer_norm(x, shape, call.in(1), bias, layer_norm_epsilon(call.node), false)};
}

/// Opset 23: the root of the mean square instead of the deviation, no bias. The result has the type
/// of the scale.
std::vector<at::Tensor> run_rms_normalization(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const at::Tensor wide = x.to(at::promote_types(x.scalar_type(), stash_type_of(call.node)));
  const at::Tensor mean = (wide * wide).mean(dims_from(axis_of(call), x.dim()), true);
  const at::Tensor y = wide * at::rsqrt(mean + layer_norm_epsilon(call.node));
  return {y.to(call.in(1).scalar_type()) * call.in(1)};
}

OpDef layer_norm_row(std::string_view name, RunFn run) {
  return {.name = name,
          .attributes = {{"axis", "epsilon", "stash_type"}},
          .data_inputs = 1,
          .run = run,
          .quant = kRewritten,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> layer_norm_ops() {
  return {
      layer_norm_row("LayerNormalization", run_layer_normalization),
      layer_norm_row("RMSNormalization", run_rms_normalization),
  };
}

}  // namespace octet
