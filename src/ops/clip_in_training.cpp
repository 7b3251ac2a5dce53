#include "ops/clip_in_training.h"

#include <ATen/ops/clamp.h>
#include <ATen/ops/hardtanh_backward.h>
#include <torch/csrc/autograd/custom_function.h>

namespace octet {
namespace {

/// Its gradient is told from the result, which the next operator keeps anyway: what was clipped
/// need not be kept. ATen's own takes four operators for it.
class ClipInTraining : public torch::autograd::Function<ClipInTraining> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            double low, double high) {
    at::Tensor y = at::clamp(x, low, high);
    context->save_for_backward({y});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    return y;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    return {at::hardtanh_backward(gradients[0], context->get_saved_variables()[0],
                                  context->saved_data["low"].toDouble(),
                                  context->saved_data["high"].toDouble()),
            {},
            {}};
  }
};

}  // namespace

at::Tensor clip_in_training(const at::Tensor& x, double low, double high) {
  return ClipInTraining::apply(x, low, high);
}

}  // namespace octet
