#include <ATen/ExpandUtils.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bernoulli.h>
#include <ATen/ops/ones_like.h>

#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_identity(const OpCall& call) { return {call.in(0)}; }

/// The second output says which elements stayed. Dropping belongs to training (`call.training`);
/// a network that drops whenever it runs has no one answer.
std::vector<at::Tensor> run_dropout(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const double ratio = call.has(1) ? call.in(1).item<double>() : 0.5;
  if (call.has(2) && call.in(2).item<bool>() && ratio != 0) {
    fail(Code::Unsupported, "{}: training_mode is set; export the network in evaluation mode",
         describe(call.node));
  }
  const at::Tensor all = at::ones_like(x, at::kBool);
  if (!call.training || ratio == 0) return {x, all};
  const at::Tensor kept = at::bernoulli(at::ones_like(x), 1 - ratio);
  return {x * kept / (1 - ratio), kept.to(at::kBool)};
}

std::vector<at::Tensor> run_reshape(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  std::vector<int64_t> shape = integers_of(call.in(1));
  if (call.node.integer("allowzero", 0) == 0) {
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == 0) shape[d] = x.size(static_cast<int64_t>(d));
    }
  }
  return {x.contiguous().reshape(shape)};
}

std::vector<at::Tensor> run_flatten(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t axis = from_front(call.node.integer("axis", 1), x.dim());
  int64_t rows = 1;
  for (int64_t d = 0; d < axis; ++d) rows *= x.size(d);
  int64_t columns = 1;
  for (int64_t d = axis; d < x.dim(); ++d) columns *= x.size(d);
  return {x.contiguous().reshape({rows, columns})};
}

std::vector<at::Tensor> run_transpose(const OpCall& call) {
  std::vector<int64_t> reversed(static_cast<size_t>(call.in(0).dim()));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return {call.in(0).permute(call.node.integers("perm", reversed))};
}

std::vector<at::Tensor> run_squeeze(const OpCall& call) {
  at::Tensor x = call.in(0);
  if (!call.has(1)) return {x.squeeze()};
  std::vector<int64_t> axes = axes_of(call.in(1), x.dim());
  std::ranges::sort(axes, std::greater{});
  for (int64_t axis : axes) x = x.squeeze(axis);
  return {x};
}

std::vector<at::Tensor> run_unsqueeze(const OpCall& call) {
  at::Tensor x = call.in(0);
  std::vector<int64_t> axes = axes_of(call.in(1), x.dim() + call.in(1).numel());
  std::ranges::sort(axes);
  for (int64_t axis : axes) x = x.unsqueeze(axis);
  return {x};
}

/// Either shape may be the one that is stretched.
std::vector<at::Tensor> run_expand(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  return {x.expand(at::infer_size(x.sizes(), integers_of(call.in(1))))};
}

std::vector<at::Tensor> run_tile(const OpCall& call) {
  return {call.in(0).repeat(integers_of(call.in(1)))};
}

std::vector<at::Tensor> run_depth_to_space(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t block = call.node.integer("blocksize", 1);
  const int64_t depth = x.size(1) / (block * block);
  const bool depth_first = call.node.text("mode", "DCR") == "DCR";
  const at::Tensor blocks = depth_first
                                ? x.reshape({x.size(0), block, block, depth, x.size(2), x.size(3)})
                                      .permute({0, 3, 4, 1, 5, 2})
                                : x.reshape({x.size(0), depth, block, block, x.size(2), x.size(3)})
                                      .permute({0, 1, 4, 2, 5, 3});
  return {blocks.reshape({x.size(0), depth, x.size(2) * block, x.size(3) * block})};
}

std::vector<at::Tensor> run_space_to_depth(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t block = call.node.integer("blocksize", 1);
  const int64_t height = x.size(2) / block;
  const int64_t width = x.size(3) / block;
  return {x.reshape({x.size(0), x.size(1), height, block, width, block})
              .permute({0, 3, 5, 1, 2, 4})
              .reshape({x.size(0), x.size(1) * block * block, height, width})};
}

OpDef moving(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = Moves{},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> layout_ops() {
  return {
      moving("Identity", {}, run_identity),
      moving("Dropout", {"seed"}, run_dropout),
      moving("Reshape", {"allowzero"}, run_reshape),
      moving("Flatten", {"axis"}, run_flatten),
      moving("Transpose", {"perm"}, run_transpose),
      moving("Squeeze", {}, run_squeeze),
      moving("Unsqueeze", {}, run_unsqueeze),
      moving("Expand", {}, run_expand),
      moving("Tile", {}, run_tile),
      moving("DepthToSpace", {"blocksize", "mode"}, run_depth_to_space),
      moving("SpaceToDepth", {"blocksize"}, run_space_to_depth),
  };
}

}  // namespace octet
