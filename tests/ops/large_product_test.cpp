// Products of matrices that are large enough for oneDNN, against ATen's in double precision.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ops/op_def.h"

namespace octet {
namespace {

constexpr double kRelative = 1e-5;  // of the largest element

struct Product {
  std::string op;
  std::map<std::string, Attribute> attributes;
  std::vector<at::Tensor> inputs;  ///< in double

  std::vector<at::Tensor> results(at::ScalarType type) const {
    std::vector<at::Tensor> leaves;
    for (const at::Tensor& input : inputs) {
      leaves.push_back(input.to(type).requires_grad_(true));
    }
    const Node node{.name = "node", .op = op, .attributes = attributes};
    std::vector<at::Tensor> all{op_of(node).run.value({node, leaves}).at(0)};
    all[0].backward(at::cos(all[0]).detach());
    for (const at::Tensor& leaf : leaves) all.push_back(leaf.grad());
    return all;
  }
};

TEST(LargeProduct, HasTheValuesAndGradientsOfTheSmallOnes) {
  at::manual_seed(1);
  const auto draw = [](at::IntArrayRef shape) { return at::randn(shape, at::kDouble) / 16; };
  const std::vector<Product> products{
      {"Gemm", {{"transB", int64_t{1}}}, {draw({48, 160}), draw({144, 160}), draw({144})}},
      {"Gemm", {{"transA", int64_t{1}}}, {draw({160, 48}), draw({160, 144})}},
      {"Gemm", {{"transB", int64_t{1}}}, {draw({48, 160}), draw({144, 160}), draw({1})}},
      {"MatMul", {}, {draw({4, 48, 96}), draw({96, 64})}},
  };
  for (const Product& product : products) {
    const auto got = product.results(at::kFloat);
    const auto wanted = product.results(at::kDouble);
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].sizes(), wanted[i].sizes()) << product.op << " " << i;
      const double gap = (got[i].to(at::kDouble) - wanted[i]).abs().max().item<double>();
      EXPECT_LT(gap, kRelative * wanted[i].abs().max().item<double>()) << product.op << " " << i;
    }
  }
}

}  // namespace
}  // namespace octet
