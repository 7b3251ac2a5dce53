#include "quant/rounding_step.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/full_like.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace octet {
namespace {

at::Tensor dense(const at::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
}

bool writable(const at::Tensor& tensor) {
  return tensor.is_non_overlapping_and_dense() && !tensor.is_view() &&
         !(tensor.is_leaf() && tensor.requires_grad());
}

}  // namespace

using torch::autograd::variable_list;

RoundingPlaces::RoundingPlaces(const at::Tensor& tensor, Into into)
    : in(dense(tensor).detach()),
      out(into == Into::Same && writable(tensor) ? in : at::empty_like(in)) {}

variable_list RoundingStep::apply(variable_list&& gradients) {
  const at::NoGradGuard no_grad;
  at::Tensor gradient = std::move(gradients[0]);
  gradients.clear();
  if (!gradient.defined()) return variable_list(num_outputs());
  // Nobody else knows it: it can be overwritten.
  bool own = gradient.use_count() == 1 && gradient.storage().use_count() == 1;
  if (gradient.strides() != at::IntArrayRef(strides_)) {
    gradient = at::empty_strided(gradient.sizes(), strides_, gradient.options()).copy_(gradient);
    own = true;
  }
  at::Tensor out = own ? gradient : at::empty_like(gradient);
  variable_list all{out};
  pass(gradient.numel(), gradient.const_data_ptr<float>(), out.mutable_data_ptr<float>(), all);
  return all;
}

at::Tensor RoundingStep::follow(const at::Tensor& tensor, const RoundingPlaces& places) {
  const auto self = c10::intrusive_ptr<Node>::reclaim_copy(this);
  strides_ = places.in.strides().vec();
  if (places.out.is_same(places.in)) {
    torch::autograd::impl::bump_version(tensor);
    torch::autograd::impl::rebase_history(tensor, {self, self->add_input_metadata(tensor)});
    return tensor;
  }
  torch::autograd::set_history(places.out, self);
  return places.out;
}

at::Tensor bytes_for(int64_t count) { return at::empty({count}, at::kChar); }

at::Tensor gradient_of(const at::Tensor& variable, double value) {
  return variable.defined() ? at::full_like(variable, value) : at::Tensor();
}

at::Tensor detached(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach() : tensor;
}

bool asks(const at::Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); }

}  // namespace octet
