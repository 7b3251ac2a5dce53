#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/matmul.h>

#include "ops/families.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_gemm(const OpCall& call) {
  at::Tensor a = call.in(0);
  at::Tensor b = call.in(1);
  if (call.node.integer("transA", 0) != 0) a = a.t();
  if (call.node.integer("transB", 0) != 0) b = b.t();
  const float alpha = call.node.number("alpha", 1);
  const float beta = call.node.number("beta", 1);
  if (call.has(2)) return {at::addmm(call.in(2), a, b, beta, alpha)};
  at::Tensor out = at::matmul(a, b);
  return {alpha == 1 ? out : out * alpha};
}

int gemm_axis(const Node& node, size_t) { return node.integer("transB", 0) != 0 ? 0 : 1; }

std::vector<at::Tensor> run_matmul(const OpCall& call) {
  return {at::matmul(call.in(0), call.in(1))};
}

int last_axis(const Node&, size_t rank) { return static_cast<int>(rank) - 1; }

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
       .quant = Weighted{.weight = 1, .axis = last_axis, .bias = 2},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
