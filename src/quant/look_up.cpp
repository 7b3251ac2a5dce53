#include "quant/look_up.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <cmath>

#include "graph/quantize_tensor.h"
#include "kernels/pointwise_table.h"
#include "quant/rounding_step.h"

namespace octet {
namespace {

using torch::autograd::collect_next_edges;
using torch::autograd::variable_list;

class TableStep final : public RoundingStep {
 public:
  TableStep(const Grid& grid, const at::Tensor& log_scale, const PointwiseTable& table)
      : grid_(grid),
        log_scale_(detached(log_scale)),
        table_{.values = {},
               .slopes = table.slopes,
               .result_slopes = table.result_slopes,
               .result_log_scale = detached(table.result_log_scale)} {}

  at::Tensor forward(const at::Tensor& tensor, const at::Tensor& log_scale,
                     const PointwiseTable& table, Into into) {
    RECORD_FUNCTION("octet::PointwiseTable", {});
    set_next_edges(collect_next_edges(tensor, log_scale, table.result_log_scale));
    const RoundingPlaces places(tensor, into);
    look_up_all(places, table, grid_, codes_ = at::empty({tensor.numel()}, at::kByte),
                residues_ = bytes_for(tensor.numel()));
    return follow(tensor, places);
  }
  static void look_up_all(const RoundingPlaces& places, const PointwiseTable& table,
                          const Grid& grid, const at::Tensor& codes, const at::Tensor& residues) {
    const std::span<const float> values{table.values.const_data_ptr<float>(),
                                        static_cast<size_t>(table.values.numel())};
    const float* from = places.from();
    float* to = places.to();
    auto* indices = codes.mutable_data_ptr<uint8_t>();
    auto* kept = residues.mutable_data_ptr<int8_t>();
    in_parts(places.in.numel(), [&](int64_t first, size_t count, size_t) {
      octet::look_up({from + first, count}, grid, values, {to + first, count},
                     {indices + first, count}, {kept + first, count});
    });
  }
  void release_variables() override {
    codes_.reset();
    residues_.reset();
  }
  std::string name() const override { return "PointwiseTable"; }

 private:
  void pass(int64_t count, const float* from, float* to, variable_list& all) override {
    const auto* indices = codes_.const_data_ptr<uint8_t>();
    const auto* kept = residues_.const_data_ptr<int8_t>();
    const auto entries = [](const at::Tensor& tensor) {
      return std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel()));
    };
    const TableSlopes slopes{entries(table_.slopes), entries(table_.result_slopes)};
    std::vector<TableGradient> found(parts_of(count));
    in_parts(count, [&](int64_t first, size_t some, size_t part) {
      found[part] = pass_table({from + first, some}, {indices + first, some}, {kept + first, some},
                               grid_, slopes, {to + first, some});
    });
    TableGradient sum;
    for (const TableGradient& part : found) {
      sum.source += part.source;
      sum.result += part.result;
    }
    all.push_back(gradient_of(log_scale_, sum.source * grid_.scale));
    all.push_back(gradient_of(table_.result_log_scale, sum.result));
  }
  Grid grid_;
  at::Tensor log_scale_;
  PointwiseTable table_;
  at::Tensor codes_;
  at::Tensor residues_;
};

}  // namespace

PointwiseTable rounded_table(const at::Tensor& real, const at::Tensor& slopes,
                             const QuantParams& now, const at::Tensor& log_scale) {
  const float scale = now.scale[0];
  const auto low = static_cast<float>(now.low - now.zero_point[0]);
  const auto high = static_cast<float>(now.high - now.zero_point[0]);
  PointwiseTable table{.values = at::empty({real.numel()}, at::kFloat),
                       .slopes = slopes,
                       .result_slopes = at::empty({real.numel()}, at::kFloat),
                       .result_log_scale = log_scale};
  const at::Tensor plain = real.detach().contiguous();
  const auto* from = plain.const_data_ptr<float>();
  auto* values = table.values.mutable_data_ptr<float>();
  auto* by_source = table.slopes.mutable_data_ptr<float>();
  auto* by_result = table.result_slopes.mutable_data_ptr<float>();
  for (int64_t i = 0; i < real.numel(); ++i) {
    // Not-a-number is 0, as in the tables of files (quant/lookup.h): sign(0) / sqrt(0).
    const float exact = std::isnan(from[i]) ? 0.0F : from[i] * (1.0F / scale);
    const float whole = std::nearbyint(exact);
    const float kept = std::clamp(whole, low, high);
    const bool clipped = kept != whole;
    values[i] = kept * scale;
    by_result[i] = (clipped ? kept : whole - exact) * scale;
    if (clipped || !std::isfinite(by_source[i])) by_source[i] = 0;
  }
  return table;
}

at::Tensor look_up(const at::Tensor& tensor, const QuantParams& now, const at::Tensor& log_scale,
                   const PointwiseTable& table, Into into) {
  const Grid grid = grid_of(now);
  const bool records = at::GradMode::is_enabled() &&
                       (asks(tensor) || asks(log_scale) || asks(table.result_log_scale));
  if (records) {
    return c10::make_intrusive<TableStep>(grid, log_scale, table)
        ->forward(tensor, log_scale, table, into);
  }
  const RoundingPlaces places(tensor, into);
  TableStep::look_up_all(places, table, grid, at::empty({tensor.numel()}, at::kByte),
                         bytes_for(tensor.numel()));
  return places.out;
}

}  // namespace octet
