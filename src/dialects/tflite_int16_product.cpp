#include <ATen/ops/empty.h>

#include "dialects/tflite_kernels.h"

// Convolutions, fully connected layers and BATCH_MATMUL of 16-bit activations: sums and biases of
// 64 bits, by reference kernels in both sets.
namespace octet::lite_integers {
namespace {

/// From sums of products to integers; `axis` is the dimension of the channels.
at::Tensor requantized_wide(const at::Tensor& sums, int64_t axis, const IntegerCall& call) {
  const at::Tensor rows = sums.movedim(axis, -1).contiguous();
  at::Tensor out = at::empty(rows.sizes(), rows.options().dtype(at::kInt));
  const int64_t count = rows.size(-1);
  const std::vector<Multiplier> multipliers = product_multipliers(call);
  const at::Tensor bias = call.has(2) ? call.in(2).contiguous().view({-1}) : at::Tensor();
  const Limits limits = limits_of(call);
  const int64_t* from = rows.const_data_ptr<int64_t>();
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < rows.numel(); ++i) {
    const int64_t c = i % count;
    const int64_t added =
        bias.defined() ? bias.const_data_ptr<int32_t>()[bias.numel() == 1 ? 0 : c] : 0;
    const Multiplier by = multipliers[multipliers.size() == 1 ? 0 : static_cast<size_t>(c)];
    to[i] = std::clamp(scaled_wide(from[i] + added, by), limits.low, limits.high);
  }
  return out.movedim(-1, axis);
}

template <int64_t kAxis>
at::Tensor wide_product(const IntegerCall& call) {
  return requantized_wide(wide_sums_of_products(call.node, call.in(0), call.in(1)), kAxis, call);
}

constexpr std::array kWideProductRows{
    DialectRow{"Conv", wide_product<1>},
    DialectRow{"ConvTranspose", wide_product<1>},
    DialectRow{"Gemm", wide_product<-1>},
    DialectRow{"MatMul", wide_product<-1>},
};

}  // namespace

std::span<const DialectRow> wide_product_rows() { return kWideProductRows; }

}  // namespace octet::lite_integers
