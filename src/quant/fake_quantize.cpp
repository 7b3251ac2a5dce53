#include "quant/fake_quantize.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include "graph/quantize_tensor.h"
#include "kernels/fake_quantize.h"
#include "kernels/learned_grid.h"
#include "quant/rounding_step.h"

namespace octet {
namespace {

using torch::autograd::collect_next_edges;
using torch::autograd::variable_list;

class GivenGrid final : public RoundingStep {
 public:
  at::Tensor forward(const at::Tensor& tensor, const Grid& grid, Into into) {
    RECORD_FUNCTION("octet::GivenGrid", {});
    set_next_edges(collect_next_edges(tensor));
    const RoundingPlaces places(tensor, into);
    inside_ = at::empty({static_cast<int64_t>(mask_words(static_cast<size_t>(tensor.numel())))},
                        at::kShort);
    const float* from = places.from();
    float* to = places.to();
    auto* bits = static_cast<uint16_t*>(inside_.mutable_data_ptr());
    in_parts(tensor.numel(), [&](int64_t first, size_t count, size_t) {
      fake_quantize({from + first, count}, grid, {to + first, count},
                    {bits + first / 16, mask_words(count)});
    });
    return follow(tensor, places);
  }
  void release_variables() override { inside_.reset(); }
  std::string name() const override { return "GivenGrid"; }

 private:
  void pass(int64_t count, const float* from, float* to, variable_list&) override {
    const auto* bits = static_cast<const uint16_t*>(inside_.const_data_ptr());
    in_parts(count, [&](int64_t first, size_t some, size_t) {
      pass_inside({from + first, some}, {bits + first / 16, mask_words(some)}, {to + first, some});
    });
  }
  at::Tensor inside_;
};

// --- A grid that learns --------------------------------------------------------------------------

class LearningGrid final : public RoundingStep {
 public:
  LearningGrid(const Grid& grid, const GridVariables& variables)
      : grid_(grid), variables_{detached(variables.log_scale), detached(variables.zero_point)} {}

  at::Tensor forward(const at::Tensor& tensor, const GridVariables& variables, Into into) {
    RECORD_FUNCTION("octet::LearningGrid", {});
    set_next_edges(collect_next_edges(tensor, variables.log_scale, variables.zero_point));
    const RoundingPlaces places(tensor, into);
    residues_ = bytes_for(tensor.numel());
    const float* from = places.from();
    float* to = places.to();
    auto* kept = residues_.mutable_data_ptr<int8_t>();
    in_parts(tensor.numel(), [&](int64_t first, size_t count, size_t) {
      fake_quantize({from + first, count}, grid_, {to + first, count}, {kept + first, count});
    });
    return follow(tensor, places);
  }
  void release_variables() override { residues_.reset(); }
  std::string name() const override { return "LearningGrid"; }

 private:
  void pass(int64_t count, const float* from, float* to, variable_list& all) override {
    const auto* kept = residues_.const_data_ptr<int8_t>();
    std::vector<GridGradient> found(parts_of(count));
    in_parts(count, [&](int64_t first, size_t some, size_t part) {
      found[part] =
          pass_inside({from + first, some}, {kept + first, some}, grid_, {to + first, some});
    });
    GridGradient sum;
    for (const GridGradient& part : found) {
      sum.scale += part.scale;
      sum.zero_point += part.zero_point;
    }
    all.push_back(gradient_of(variables_.log_scale, sum.scale * grid_.scale));
    all.push_back(gradient_of(variables_.zero_point, sum.zero_point * (grid_.high - grid_.low)));
  }
  Grid grid_;
  GridVariables variables_;
  at::Tensor residues_;
};
at::Tensor rounded(const at::Tensor& tensor, const Grid& grid, Into into) {
  const RoundingPlaces places(tensor, into);
  const float* from = places.from();
  float* to = places.to();
  in_parts(places.in.numel(), [&](int64_t first, size_t count, size_t) {
    fake_quantize({from + first, count}, grid, {to + first, count});
  });
  return places.out;
}

}  // namespace

at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& params, Into into) {
  const Grid grid = grid_of(params);
  if (!at::GradMode::is_enabled() || !tensor.requires_grad()) return rounded(tensor, grid, into);
  return c10::make_intrusive<GivenGrid>()->forward(tensor, grid, into);
}

at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& now,
                         const GridVariables& variables, Into into) {
  if (!asks(variables.log_scale) && !asks(variables.zero_point)) {
    return fake_quantize(tensor, now, into);
  }
  const Grid grid = grid_of(now);
  if (!at::GradMode::is_enabled()) return rounded(tensor, grid, into);
  return c10::make_intrusive<LearningGrid>(grid, variables)->forward(tensor, variables, into);
}

}  // namespace octet
