// Element types that ONNX Runtime has no kernels for: the rows of the registry run on them
// directly.

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "ops/op_def.h"

namespace octet {
namespace {

constexpr uint64_t kHuge = std::numeric_limits<uint64_t>::max();

at::Tensor run(const std::string& op, const std::vector<at::Tensor>& inputs,
               std::map<std::string, Attribute> attributes = {}) {
  const Node node{.name = "node", .op = op, .attributes = std::move(attributes)};
  return op_of(node).run.value({node, inputs}).at(0);
}

at::Tensor uint64s(const std::vector<uint64_t>& values) {
  at::Tensor out = at::empty({static_cast<int64_t>(values.size())}, at::kUInt64);
  std::ranges::copy(values, out.mutable_data_ptr<uint64_t>());
  return out;
}

std::vector<uint64_t> numbers(const at::Tensor& tensor) {
  EXPECT_EQ(tensor.scalar_type(), at::kUInt64);
  const at::Tensor plain = tensor.contiguous();
  const auto* first = plain.const_data_ptr<uint64_t>();
  return {first, first + plain.numel()};
}

std::vector<int64_t> longs(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kLong).contiguous();
  return {plain.const_data_ptr<int64_t>(), plain.const_data_ptr<int64_t>() + plain.numel()};
}

using U = std::vector<uint64_t>;
using L = std::vector<int64_t>;

TEST(UnsignedIntegers, WrapAtTheEndOf64Bits) {
  const at::Tensor a = uint64s({kHuge, 3, kHuge - 1});
  const at::Tensor b = uint64s({2, 5, kHuge});
  EXPECT_EQ(numbers(run("Add", {a, b})), (U{1, 8, kHuge - 2}));
  EXPECT_EQ(numbers(run("Sub", {a, b})), (U{kHuge - 2, kHuge - 1, kHuge}));
  EXPECT_EQ(numbers(run("Mul", {a, b})), (U{kHuge - 1, 15, 2}));
  EXPECT_EQ(numbers(run("BitwiseXor", {a, b})), (U{kHuge - 2, 6, 1}));
  EXPECT_EQ(numbers(run("BitwiseNot", {a})), (U{0, kHuge - 3, 1}));
}

TEST(UnsignedIntegers, AreDividedAndComparedAbove2To63) {
  const at::Tensor a = uint64s({kHuge, 3, kHuge - 1});
  const at::Tensor b = uint64s({2, 5, kHuge});
  EXPECT_EQ(numbers(run("Div", {a, b})), (U{kHuge / 2, 0, 0}));
  EXPECT_EQ(numbers(run("Mod", {a, b})), (U{1, 3, kHuge - 1}));
  EXPECT_EQ(numbers(run("Max", {a, b})), (U{kHuge, 5, kHuge}));
  EXPECT_EQ(numbers(run("Min", {a, b})), (U{2, 3, kHuge - 1}));
  EXPECT_EQ(longs(run("Greater", {a, b})), (L{1, 0, 0}));
  EXPECT_EQ(longs(run("LessOrEqual", {a, b})), (L{0, 1, 1}));
  EXPECT_EQ(numbers(run("ReduceMax", {a}, {{"keepdims", 0}})), (U{kHuge}));
  EXPECT_EQ(longs(run("ArgMin", {a})), (L{1}));
}

TEST(UnsignedIntegers, AreShiftedWithoutASign) {
  const at::Tensor a = uint64s({kHuge, 6, 1, 9});
  const at::Tensor by = uint64s({63, 1, 0, 64});
  EXPECT_EQ(numbers(run("BitShift", {a, by}, {{"direction", "RIGHT"}})), (U{1, 3, 1, 0}));
  EXPECT_EQ(numbers(run("BitShift", {a, by}, {{"direction", "LEFT"}})), (U{1ULL << 63, 12, 1, 0}));
}

TEST(UnsignedIntegers, Of32BitsLoseWhatLeavesThem) {
  const at::Tensor a = at::tensor(L{4294967295, 7}).to(at::kUInt32);
  const at::Tensor b = at::tensor(L{2, 2}).to(at::kUInt32);
  for (const auto& [op, wanted] : std::map<std::string, L>{{"Add", {1, 9}},
                                                           {"Mul", {4294967294, 14}},
                                                           {"Div", {2147483647, 3}},
                                                           {"Mod", {1, 1}},
                                                           {"Pow", {1, 49}},
                                                           {"Max", {4294967295, 7}}}) {
    const at::Tensor out = run(op, {a, b});
    EXPECT_EQ(out.scalar_type(), at::kUInt32) << op;
    EXPECT_EQ(longs(out), wanted) << op;
  }
}

TEST(Integers, HaveNoQuotientByZero) {
  const at::Tensor zero = at::zeros({1}, at::kLong);
  EXPECT_NO_THROW(run("Div", {at::ones({1}, at::kLong), zero}));
  EXPECT_NO_THROW(run("Mod", {at::ones({1}, at::kLong), zero}));
}

TEST(Integers, GoThroughGemmWithFractions) {
  const at::Tensor a = at::tensor({1, 2, 3, 4}, at::kInt).reshape({2, 2});
  const at::Tensor out =
      run("Gemm", {a, a, at::tensor({10, 20}, at::kInt)}, {{"alpha", 0.5F}, {"beta", 2.0F}});
  EXPECT_EQ(out.scalar_type(), at::kInt);
  EXPECT_EQ(longs(out), (L{23, 45, 27, 51}));
}

TEST(Integers, OfRowsHaveZeroPointsOfTheirOwn) {
  const at::Tensor a = at::tensor({1, 2, 3, 4}, at::kByte).reshape({2, 2});
  const at::Tensor b = at::tensor({1, 0, 0, 1}, at::kByte).reshape({2, 2});
  const at::Tensor out = run("MatMulInteger", {a, b, at::tensor({1, 3}, at::kByte)});
  EXPECT_EQ(longs(out), (L{0, 1, 0, 1}));
}

TEST(Reductions, OfNothingAreTheirNeutralElement) {
  const at::Tensor none = at::empty({2, 0, 3});
  const at::Tensor axis = at::tensor({1}, at::kLong);
  const auto number = [&](const std::string& op, const at::Tensor& x) {
    const at::Tensor out = run(op, {x, axis});
    EXPECT_EQ(out.sizes().vec(), (L{2, 1, 3})) << op;
    return out.to(at::kDouble).mean().item<double>();
  };
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(number("ReduceSum", none), 0);
  EXPECT_EQ(number("ReduceProd", none), 1);
  EXPECT_EQ(number("ReduceL2", none), 0);
  EXPECT_EQ(number("ReduceLogSum", none), -kInfinity);
  EXPECT_EQ(number("ReduceLogSumExp", none), -kInfinity);
  EXPECT_EQ(number("ReduceMax", none), -kInfinity);
  EXPECT_EQ(number("ReduceMin", none), kInfinity);
  EXPECT_EQ(number("ReduceMax", none.to(at::kChar)), -128);
  EXPECT_EQ(number("ReduceMin", none.to(at::kBool)), 1);
}

}  // namespace
}  // namespace octet
