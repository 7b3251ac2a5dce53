#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/linalg_det.h>
#include <ATen/ops/matmul.h>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

/// Of whole numbers: ATen takes no fractions there.
at::Tensor scaled(const at::Tensor& x, float factor) {
  return factor == 1 ? x : (x.to(at::kDouble) * factor).to(x.scalar_type());
}

at::Tensor integer_gemm(const OpCall& call, const at::Tensor& a, const at::Tensor& b, float alpha,
                        float beta) {
  at::Tensor out = scaled(at::matmul(widened(a), widened(b)), alpha);
  if (call.has(2)) out = out + scaled(widened(call.in(2)), beta);
  return out.to(a.scalar_type());
}

/// A product of matrices that is worth its way to oneDNN, which ATen takes for convolutions alone:
/// the BLAS may be the reference one, twenty times slower.
bool large(const at::Tensor& a, const at::Tensor& b) {
  constexpr int64_t kFewRows = 8;  // each time the weight is brought into another layout
  constexpr int64_t kFewProducts = 1 << 20;
  if (!at::globalContext().hasMKLDNN() || a.dim() < 2 || b.dim() != 2) return false;
  if (a.scalar_type() != at::kFloat || b.scalar_type() != at::kFloat) return false;
  if (a.size(-1) != b.size(0) || b.numel() == 0) return false;
  const int64_t rows = a.numel() / b.size(0);
  return rows >= kFewRows && rows * b.numel() >= kFewProducts;
}

/// As a convolution of 1x1: the rows are pixels of one image, channels-last.
at::Tensor large_product(const at::Tensor& a, const at::Tensor& b,
                         const std::optional<at::Tensor>& bias) {
  const int64_t inner = b.size(0);
  const at::Tensor image = a.reshape({1, 1, -1, inner}).contiguous().permute({0, 3, 1, 2});
  const at::Tensor weight = b.t().contiguous().view({b.size(1), inner, 1, 1});
  const at::Tensor out =
      at::convolution(image, weight, bias, {1, 1}, {0, 0}, {1, 1}, false, {0, 0}, 1);
  std::vector<int64_t> shape = a.sizes().vec();
  shape.back() = b.size(1);
  return out.permute({0, 2, 3, 1}).reshape(shape);
}

std::vector<at::Tensor> run_gemm(const OpCall& call) {
  at::Tensor a = call.in(0);
  at::Tensor b = call.in(1);
  if (call.node.integer("transA", 0) != 0) a = a.t();
  if (call.node.integer("transB", 0) != 0) b = b.t();
  const float alpha = call.node.number("alpha", 1);
  const float beta = call.node.number("beta", 1);
  if (!a.is_floating_point()) return {integer_gemm(call, a, b, alpha, beta)};
  if (alpha == 1 && beta == 1 && large(a, b)) {
    if (!call.has(2)) return {large_product(a, b, std::nullopt)};
    if (call.in(2).dim() == 1 && call.in(2).size(0) == b.size(1))
      return {large_product(a, b, call.in(2))};
  }
  if (call.has(2)) return {at::addmm(call.in(2), a, b, beta, alpha)};
  at::Tensor out = at::matmul(a, b);
  return {alpha == 1 ? out : out * alpha};
}

int gemm_axis(const Node& node, size_t) { return node.integer("transB", 0) != 0 ? 0 : 1; }

std::vector<at::Tensor> run_matmul(const OpCall& call) {
  const at::ScalarType type = call.in(0).scalar_type();
  if (large(call.in(0), call.in(1))) {
    return {large_product(call.in(0), call.in(1), std::nullopt)};
  }
  return {at::matmul(widened(call.in(0)), widened(call.in(1))).to(type)};
}

/// Batched products have no scale per column.
int column_axis(const Node&, size_t rank) { return rank == 2 ? 1 : -1; }

/// (a - its zero points, per row) times (b - its zero points, per column), in 32 bits.
std::vector<at::Tensor> run_matmul_integer(const OpCall& call) {
  at::Tensor a = call.in(0).to(at::kInt);
  at::Tensor b = call.in(1).to(at::kInt);
  if (call.has(2)) {
    const at::Tensor zero = call.in(2).to(at::kInt);
    a = a - (zero.dim() == 1 && zero.numel() > 1 ? zero.unsqueeze(-1) : zero);
  }
  if (call.has(3)) b = b - call.in(3).to(at::kInt);
  return {at::matmul(a, b)};
}

std::vector<at::Tensor> run_einsum(const OpCall& call) {
  const std::string equation = call.node.text("equation", "");
  if (equation.empty()) fail(Code::Model, "{}: it has no equation", describe(call.node));
  std::vector<at::Tensor> operands;
  for (const at::Tensor& x : call.inputs) operands.push_back(widened(x));
  return {at::einsum(equation, operands).to(call.in(0).scalar_type())};
}

std::vector<at::Tensor> run_det(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  // LAPACK has no half precision.
  const bool half = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
  return {half ? at::linalg_det(x.to(at::kFloat)).to(x.scalar_type()) : at::linalg_det(x)};
}

}  // namespace

std::vector<OpDef> matmul_ops() {
  return {
      {.name = "Gemm",
       .attributes = {{"alpha", "beta", "transA", "transB"}},
       .data_inputs = 1,
       .run = run_gemm,
       .quant = Weighted{.weight = 1, .axis = gemm_axis, .bias = 2},
       .statistics = Statistics{}},
      {.name = "MatMul",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 2,
       .run = run_matmul,
       .quant = Weighted{.weight = 1, .axis = column_axis, .bias = 2},
       .statistics = Statistics{}},
      {.name = "MatMulInteger",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 2,
       .run = run_matmul_integer,
       .quant = FloatOnly{"its network is quantized already"},
       .statistics = Statistics{}},
      {.name = "Einsum",
       .attributes = std::vector<std::string_view>{"equation"},
       .data_inputs = kAllInputs,
       .run = run_einsum,
       .quant = FloatOnly{"it has to be rewritten into parts first"},
       .statistics = Statistics{}},
      {.name = "Det",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 1,
       .run = run_det,
       .quant = FloatOnly{"no target computes it in integers"},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
