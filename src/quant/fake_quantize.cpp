#include "quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <torch/csrc/autograd/custom_function.h>

#include "graph/quantize_tensor.h"
#include "kernels/fake_quantize.h"

namespace octet {
namespace {

constexpr int64_t kWordsAtOnce = 1024;  // of a thread: 16,384 elements

at::Tensor dense(const at::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
}

/// Calls work(first element, count, first word) over parts of whole mask words, in parallel.
template <class Work>
void in_parts(int64_t count, Work work) {
  const auto words = static_cast<int64_t>(mask_words(static_cast<size_t>(count)));
  at::parallel_for(0, words, kWordsAtOnce, [&](int64_t begin, int64_t end) {
    const int64_t first = begin * 16;
    work(first, static_cast<size_t>(std::min(end * 16, count) - first), begin,
         static_cast<size_t>(end - begin));
  });
}

at::Tensor rounded(const at::Tensor& in, const Grid& grid) {
  at::Tensor out = at::empty_like(in);
  const float* from = in.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  in_parts(in.numel(), [&](int64_t first, size_t count, int64_t, size_t) {
    fake_quantize({from + first, count}, grid, {to + first, count});
  });
  return out;
}

class FakeQuantize : public torch::autograd::Function<FakeQuantize> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& tensor,
                            const Grid& grid) {
    const at::Tensor in = dense(tensor);
    at::Tensor out = at::empty_like(in);
    const auto words = static_cast<int64_t>(mask_words(static_cast<size_t>(in.numel())));
    at::Tensor inside = at::empty({words}, in.options().dtype(at::kShort));
    const float* from = in.const_data_ptr<float>();
    float* to = out.mutable_data_ptr<float>();
    auto* bits = reinterpret_cast<uint16_t*>(inside.mutable_data_ptr());
    in_parts(in.numel(), [&](int64_t first, size_t count, int64_t word, size_t some) {
      fake_quantize({from + first, count}, grid, {to + first, count}, {bits + word, some});
    });
    context->saved_data["inside"] = inside;
    context->saved_data["strides"] = in.strides();
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    // The mask is in the order of the input's memory: the gradient is brought into it.
    const std::vector<int64_t> strides = context->saved_data["strides"].toIntVector();
    at::Tensor gradient = gradients[0];
    if (gradient.strides() != at::IntArrayRef(strides)) {
      gradient = at::empty_strided(gradient.sizes(), strides, gradient.options()).copy_(gradient);
    }
    const at::Tensor inside = context->saved_data["inside"].toTensor();
    at::Tensor out = at::empty_like(gradient);
    const float* from = gradient.const_data_ptr<float>();
    const auto* bits = reinterpret_cast<const uint16_t*>(inside.const_data_ptr());
    float* to = out.mutable_data_ptr<float>();
    in_parts(gradient.numel(), [&](int64_t first, size_t count, int64_t word, size_t some) {
      pass_inside({from + first, count}, {bits + word, some}, {to + first, count});
    });
    return {out, {}};
  }
};

}  // namespace

at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& params) {
  const Grid grid = grid_of(params);
  if (at::GradMode::is_enabled() && tensor.requires_grad()) {
    return FakeQuantize::apply(tensor, grid);
  }
  return rounded(dense(tensor), grid);
}

}  // namespace octet
