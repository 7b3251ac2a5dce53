#include "quant/fake_quantize_channels.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/functions/utils.h>

#include <cmath>
#include <utility>

#include "kernels/learned_grid.h"
#include "quant/rounding_step.h"

namespace octet {
namespace {

using torch::autograd::collect_next_edges;
using torch::autograd::variable_list;

class ChannelGridsStep final : public RoundingStep {
 public:
  explicit ChannelGridsStep(const ChannelGrids& grids)
      : scales_(grids.scales),
        held_(grids.held),
        learns_(asks(grids.log_scales)),
        low_(grids.low),
        high_(grids.high),
        damping_(grids.damping) {}

  at::Tensor forward(const at::Tensor& weight, const ChannelGrids& grids) {
    RECORD_FUNCTION("octet::ChannelGrids", {});
    set_next_edges(collect_next_edges(weight, grids.log_scales));
    const RoundingPlaces places(weight, Into::New);
    round(places, residues_ = bytes_for(weight.numel()));
    return follow(weight, places);
  }
  at::Tensor rounded(const at::Tensor& weight) const {
    const RoundingPlaces places(weight, Into::New);
    round(places, bytes_for(weight.numel()));
    return places.out;
  }
  void release_variables() override { residues_.reset(); }
  std::string name() const override { return "ChannelGrids"; }

 private:
  int64_t rows() const { return static_cast<int64_t>(scales_.size()); }
  RowGrids grids(int64_t first, int64_t count) const {
    return {
        .scales = {scales_.data() + first, static_cast<size_t>(count)}, .low = low_, .high = high_};
  }
  /// Calls work(first row, rows, length of a row) in parallel.
  template <class Work>
  void in_rows(int64_t count, Work work) const {
    const int64_t length = count / std::max<int64_t>(1, rows());
    at::parallel_for(0, rows(), std::max<int64_t>(1, kPart / std::max<int64_t>(1, length)),
                     [&](int64_t begin, int64_t end) { work(begin, end - begin, length); });
  }

  void round(const RoundingPlaces& places, const at::Tensor& residues) const {
    const float* from = places.from();
    float* to = places.to();
    auto* kept = residues.mutable_data_ptr<int8_t>();
    in_rows(places.in.numel(), [&](int64_t first, int64_t count, int64_t length) {
      const auto some = static_cast<size_t>(count * length);
      fake_quantize({from + first * length, some}, grids(first, count), {to + first * length, some},
                    {kept + first * length, some});
    });
  }

  void pass(int64_t count, const float* from, float* to, variable_list& all) override {
    const auto* kept = residues_.const_data_ptr<int8_t>();
    const at::Tensor found = at::empty({rows()}, at::kFloat);
    auto* slots = found.mutable_data_ptr<float>();
    in_rows(count, [&](int64_t first, int64_t some, int64_t length) {
      const auto size = static_cast<size_t>(some * length);
      pass_inside({from + first * length, size}, {kept + first * length, size}, grids(first, some),
                  damping_, {to + first * length, size},
                  {slots + first, static_cast<size_t>(some)});
    });
    if (!learns_) return all.emplace_back(), void();
    for (size_t c = 0; c < static_cast<size_t>(rows()); ++c) {
      slots[c] = !held_.empty() && held_[c] != 0 ? 0.0F : slots[c] * scales_[c];
    }
    all.push_back(found);
  }

  std::vector<float> scales_;
  std::vector<char> held_;
  bool learns_;
  int32_t low_;
  int32_t high_;
  float damping_;
  at::Tensor residues_;
};

/// Gradients of a bias pass as they are.
class BiasStep final : public torch::autograd::Node {
 public:
  variable_list apply(variable_list&& gradients) override { return std::move(gradients); }
  std::string name() const override { return "BiasGrid"; }
};

}  // namespace

at::Tensor fake_quantize_channels(const at::Tensor& weight, const ChannelGrids& grids) {
  // The channels' rows, one after the other in memory.
  const bool moves = grids.axis > 0;
  const bool rowwise = grids.axis < 0 || (weight.is_non_overlapping_and_dense() && !moves &&
                                          weight.stride(0) * weight.size(0) == weight.numel());
  const at::Tensor rows =
      rowwise ? weight : (moves ? weight.movedim(grids.axis, 0) : weight).contiguous();
  const auto step = c10::make_intrusive<ChannelGridsStep>(grids);
  const bool records = at::GradMode::is_enabled() && (asks(weight) || asks(grids.log_scales));
  const at::Tensor out = records ? step->forward(rows, grids) : step->rounded(rows);
  return moves ? out.movedim(0, grids.axis) : out;
}

at::Tensor fake_quantize_bias(const at::Tensor& bias, std::span<const float> scales) {
  const at::Tensor from = bias.detach().contiguous();
  at::Tensor out = at::empty_like(from);
  const auto* in = from.const_data_ptr<float>();
  auto* to = out.mutable_data_ptr<float>();
  for (size_t i = 0; i < static_cast<size_t>(from.numel()); ++i) {
    const float scale = scales[scales.size() == 1 ? 0 : i];
    to[i] = std::nearbyint(in[i] / scale) * scale;
  }
  if (at::GradMode::is_enabled() && asks(bias)) {
    const auto step = c10::make_intrusive<BiasStep>();
    step->set_next_edges(collect_next_edges(bias));
    torch::autograd::set_history(out, step);
  }
  return out;
}

}  // namespace octet
