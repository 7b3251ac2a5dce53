#include "qat_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <print>

#include "base/fail.h"
#include "quant/fake_quantize.h"

namespace octet::bench {
namespace {

constexpr int64_t kElements = int64_t{1} << 22;
constexpr int kCallsAtOnce = 10;

struct Rounding {
  at::Tensor in = at::randn({kElements}).requires_grad_(true);
  QuantParams grid{.scale = {0.02F}, .zero_point = {3}};

  at::Tensor ours() const { return fake_quantize(in, grid); }
  at::Tensor atens() const {
    return at::fake_quantize_per_tensor_affine(in, grid.scale[0], grid.zero_point[0], -128, 127);
  }
};

at::Tensor gradient_of(const at::Tensor& in, const at::Tensor& out, const at::Tensor& gradient) {
  in.mutable_grad().reset();
  out.backward(gradient);
  return in.grad();
}

}  // namespace

void measure_kernels(Table& table, int rounds) {
  const Rounding rounding;
  const at::Tensor gradient = at::ones_like(rounding.in);
  const bool same_values =
      (rounding.ours() - rounding.atens()).abs().max().item<float>() <= rounding.grid.scale[0];
  const bool same_gradients = gradient_of(rounding.in, rounding.ours(), gradient)
                                  .equal(gradient_of(rounding.in, rounding.atens(), gradient));
  if (!same_values || !same_gradients) fail(Code::Runtime, "not the same rounding as ATen's");
  const at::Tensor from = rounding.in.detach();
  at::Tensor to = at::empty_like(from);
  const std::vector<std::function<void()>> contenders{
      [&] { to.copy_(from); },
      [&] { rounding.ours(); },
      [&] { rounding.atens(); },
      [&] { gradient_of(rounding.in, rounding.ours(), gradient); },
      [&] { gradient_of(rounding.in, rounding.atens(), gradient); },
  };
  const auto times = alternate(contenders, rounds, kCallsAtOnce);
  std::vector<double> copies;
  for (const double time : times[0]) copies.push_back(2 * time);
  const std::string name = "fake quantization of 4.2 M floats";
  table.add(compare(name, "forward / copy, ms", times[1], times[0]));
  table.add(compare(name, "forward, backward / 2 copies, ms", times[3], copies));
  table.add(compare(name, "forward / ATen's, ms", times[1], times[2]));
  table.add(compare(name, "forward, backward / ATen's, ms", times[3], times[4]));
  const double copied = 8e-6 * static_cast<double>(kElements);
  std::println("  a copy moves {:.1f} GB/s, forward {:.1f}, forward with backward {:.1f}",
               copied / median(times[0]), copied / median(times[1]), 2 * copied / median(times[3]));
}

}  // namespace octet::bench
