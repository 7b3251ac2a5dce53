#include "qat_kernels.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/fake_quantize_per_tensor_affine.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>

#include <cmath>
#include <print>

#include "base/fail.h"
#include "kernels/learned_grid.h"
#include "quant/fake_quantize.h"
#include "quant/rounding_step.h"

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

/// A grid that learns, as a training step has it: the result is written over what is rounded, the
/// gradient that passes over the one that came.
struct Learning {
  at::Tensor numbers = at::randn({kElements});
  at::Tensor gradient = at::ones_like(numbers);
  at::Tensor residues = bytes_for(kElements);
  Grid grid{.scale = 0.02F, .zero_point = 3};

  void forward() {
    auto* all = numbers.mutable_data_ptr<float>();
    auto* kept = residues.mutable_data_ptr<int8_t>();
    in_parts(kElements, [&](int64_t first, size_t count, size_t) {
      const std::span<float> part(all + first, count);
      octet::fake_quantize(part, grid, part, {kept + first, count});
    });
  }
  void backward() {
    auto* all = gradient.mutable_data_ptr<float>();
    const auto* kept = residues.const_data_ptr<int8_t>();
    in_parts(kElements, [&](int64_t first, size_t count, size_t) {
      const std::span<float> part(all + first, count);
      octet::pass_inside(part, {kept + first, count}, grid, part);
    });
  }
};

at::Tensor gradient_from(const at::Tensor& in, const at::Tensor& out, const at::Tensor& gradient) {
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
  const bool same_gradients = gradient_from(rounding.in, rounding.ours(), gradient)
                                  .equal(gradient_from(rounding.in, rounding.atens(), gradient));
  if (!same_values || !same_gradients) fail(Code::Runtime, "not the same rounding as ATen's");
  Learning learning;
  learning.numbers.copy_(rounding.in.detach());
  learning.forward();
  learning.backward();
  if (!learning.numbers.equal(rounding.ours().detach()) ||
      !learning.gradient.equal(gradient_from(rounding.in, rounding.ours(), gradient))) {
    fail(Code::Runtime, "a grid that learns does not round as a given one");
  }
  const at::Tensor from = rounding.in.detach();
  at::Tensor to = at::empty_like(from);
  const std::vector<std::function<void()>> contenders{
      [&] { to.copy_(from); },
      [&] { rounding.ours(); },
      [&] { rounding.atens(); },
      [&] { gradient_from(rounding.in, rounding.ours(), gradient); },
      [&] { gradient_from(rounding.in, rounding.atens(), gradient); },
      [&] { learning.forward(); },
      [&] { learning.backward(); },
  };
  const auto times = alternate(contenders, rounds, kCallsAtOnce);
  std::vector<double> copies;
  for (const double time : times[0]) copies.push_back(2 * time);
  const std::string name = "fake quantization of 4.2 M floats";
  table.add(compare(name, "forward / copy, ms", times[1], times[0]));
  table.add(compare(name, "forward, backward / 2 copies, ms", times[3], copies));
  table.add(compare(name, "forward / ATen's, ms", times[1], times[2]));
  table.add(compare(name, "forward, backward / ATen's, ms", times[3], times[4]));
  table.add(compare(name, "in place, learning, forward / copy, ms", times[5], times[0]));
  table.add(compare(name, "in place, learning, backward / copy, ms", times[6], times[0]));
  const double copied = 8e-6 * static_cast<double>(kElements);
  const double learned = 9e-6 * static_cast<double>(kElements);  // with the byte that is kept
  std::println(
      "  a copy moves {:.1f} GB/s, forward {:.1f}, forward with backward {:.1f}; in place, "
      "learning, forward {:.1f}, backward {:.1f}",
      copied / median(times[0]), copied / median(times[1]), 2 * copied / median(times[3]),
      learned / median(times[5]), learned / median(times[6]));
}

}  // namespace octet::bench
