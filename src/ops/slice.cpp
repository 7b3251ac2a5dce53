#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/where.h>

#include <algorithm>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_concat(const OpCall& call) {
  return {at::cat({call.inputs.data(), call.inputs.size()}, call.node.integer("axis", 0))};
}

/// The sizes along the axis: given, or equal but for the last.
std::vector<int64_t> split_sizes(const OpCall& call, int64_t extent) {
  if (call.has(1)) return integers_of(call.in(1));
  const int64_t count =
      call.node.integer("num_outputs", static_cast<int64_t>(call.node.outputs.size()));
  if (count < 1) fail(Code::Model, "{}: wanted at least 1 output", describe(call.node));
  const int64_t most = (extent + count - 1) / count;
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < count; ++i)
    sizes.push_back(std::clamp<int64_t>(extent - i * most, 0, most));
  return sizes;
}

std::vector<at::Tensor> run_split(const OpCall& call) {
  const int64_t axis = call.node.integer("axis", 0);
  return call.in(0).split_with_sizes(split_sizes(call, call.in(0).size(axis)), axis);
}

/// A slice with a negative step, which ATen lacks.
at::Tensor backwards(const at::Tensor& x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  const int64_t extent = x.size(axis);
  if (extent == 0) return x;
  const int64_t first = std::clamp(from_front(start, extent), int64_t{0}, extent - 1);
  const int64_t last = std::clamp(from_front(end, extent), int64_t{-1}, extent - 1);
  // Towards the front: the first element of the turned tensor is the last of the given one.
  return x.flip({axis}).slice(axis, extent - 1 - first, extent - 1 - last, -step);
}

std::vector<at::Tensor> run_slice(const OpCall& call) {
  at::Tensor x = call.in(0);
  const auto starts = integers_of(call.in(1));
  const auto ends = integers_of(call.in(2));
  const auto axes = axes_of(call.in(3), x.dim());
  const std::vector<int64_t> steps =
      call.has(4) ? integers_of(call.in(4)) : std::vector<int64_t>(starts.size(), 1);
  for (size_t i = 0; i < starts.size(); ++i) {
    x = steps[i] > 0 ? x.slice(axes[i], starts[i], ends[i], steps[i])
                     : backwards(x, axes[i], starts[i], ends[i], steps[i]);
  }
  return {x};
}

/// The first `sequence_lens[b]` steps of each sequence turned round.
std::vector<at::Tensor> run_reverse_sequence(const OpCall& call) {
  const int64_t batch = call.node.integer("batch_axis", 1);
  const int64_t time = call.node.integer("time_axis", 0);
  const at::Tensor x = call.in(0).movedim({time, batch}, {0, 1});
  const at::Tensor lengths = call.in(1).to(at::kLong).unsqueeze(0);
  const at::Tensor steps = at::arange(x.size(0), at::kLong).unsqueeze(1);
  at::Tensor source = at::where(steps < lengths, lengths - 1 - steps, steps);
  while (source.dim() < x.dim()) source = source.unsqueeze(-1);
  return {at::gather(x, 0, source.expand(x.sizes())).movedim({0, 1}, {time, batch})};
}

std::vector<at::Tensor> run_compress(const OpCall& call) {
  const bool flat = !call.node.has("axis");
  const at::Tensor x = flat ? call.in(0).contiguous().reshape({-1}) : call.in(0);
  const at::Tensor chosen = at::nonzero(call.in(1)).reshape({-1});
  return {at::index_select(x, call.node.integer("axis", 0), chosen)};
}

OpDef moved_parts(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
                  size_t data_inputs = 1) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = Moves{},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> slice_ops() {
  return {
      moved_parts("Concat", {"axis"}, run_concat, kAllInputs),
      moved_parts("Split", {"axis", "num_outputs"}, run_split),
      moved_parts("Slice", {}, run_slice),
      moved_parts("ReverseSequence", {"batch_axis", "time_axis"}, run_reverse_sequence),
      moved_parts("Compress", {"axis"}, run_compress),
  };
}

}  // namespace octet
