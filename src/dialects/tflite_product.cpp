#include "dialects/tflite_kernels.h"
#include "ops/op_def.h"

// CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED and BATCH_MATMUL.
namespace octet::lite_integers {
namespace {

Requantization requantization(const IntegerCall& call, Rounding rounding) {
  return {.multipliers = product_multipliers(call),
          .rounding = rounding,
          .zero_point = call.out.zero_point[0],
          .limits = limits_of(call)};
}

at::Tensor sums(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const QuantParams& w = grid_of_input(call, 1);
  return sums_of_products(call.node, call.in(0) - x.zero_point[0], call.in(1) - w.zero_point[0]);
}

/// ruy computes dense convolutions; TFLite's own code the depthwise and grouped ones.
template <Kernels kKernels>
at::Tensor conv(const IntegerCall& call) {
  const bool dense = call.node.integer("group", 1) == 1 && call.node.op == "Conv";
  const Rounding rounding =
      dense && kKernels == Kernels::Optimized ? Rounding::Up : Rounding::AwayFromZero;
  return requantized(sums(call), 1, call.in(2), requantization(call, rounding));
}

template <Kernels kKernels>
at::Tensor fully_connected(const IntegerCall& call) {
  return requantized(
      sums(call), -1, call.in(2),
      requantization(call, kKernels == Kernels::Optimized ? Rounding::Up : Rounding::AwayFromZero));
}

constexpr std::array kOptimizedProducts{
    DialectRow{"Conv", conv<Kernels::Optimized>},
    DialectRow{"ConvTranspose", conv<Kernels::Optimized>},
    DialectRow{"Gemm", fully_connected<Kernels::Optimized>},
    DialectRow{"MatMul", fully_connected<Kernels::Optimized>},
};
constexpr std::array kReferenceProducts{
    DialectRow{"Conv", conv<Kernels::Reference>},
    DialectRow{"ConvTranspose", conv<Kernels::Reference>},
    DialectRow{"Gemm", fully_connected<Kernels::Reference>},
    DialectRow{"MatMul", fully_connected<Kernels::Reference>},
};

}  // namespace

std::span<const DialectRow> product_rows(Kernels kernels) {
  if (kernels == Kernels::Wide) return wide_product_rows();
  return kernels == Kernels::Optimized ? std::span(kOptimizedProducts)
                                       : std::span(kReferenceProducts);
}

}  // namespace octet::lite_integers
