#include "train/half_products.h"

#include "base/fail.h"
#include "kernels/bfloat16.h"

namespace octet {
namespace {

bool pays(const OpCall& call) {
  const std::string& op = call.node.op;
  return op == "Gemm" || op == "MatMul" ||
         ((op == "Conv" || op == "ConvTranspose") && call.node.integer("group", 1) == 1);
}

}  // namespace

HalfProducts::HalfProducts(Interpretation& inner) : inner_(inner) {
  if (has_bfloat16_products()) return;
  fail(Code::Usage, "this processor has no products of bfloat16; wanted 'precision: float32'");
}

at::Tensor HalfProducts::constant(ValueId id, const at::Tensor& tensor) {
  return inner_.constant(id, tensor);
}

at::Tensor HalfProducts::activation(ValueId id, const at::Tensor& tensor) {
  return inner_.activation(id, tensor);
}

std::vector<at::Tensor> HalfProducts::evaluate(const OpDef& op, const OpCall& call) {
  if (!call.training || !pays(call)) return inner_.evaluate(op, call);
  std::vector<at::Tensor> halves;
  for (const at::Tensor& input : call.inputs) {
    const bool number = input.defined() && input.scalar_type() == at::kFloat;
    halves.push_back(number ? input.to(at::kBFloat16) : input);
  }
  std::vector<at::Tensor> results = inner_.evaluate(op, {call.node, halves, call.training});
  for (at::Tensor& result : results) {
    if (result.defined() && result.scalar_type() == at::kBFloat16) result = result.to(at::kFloat);
  }
  return results;
}

}  // namespace octet
