#pragma once

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>

#include <algorithm>
#include <vector>

#include "quant/fake_quantize.h"

namespace octet {

inline constexpr int64_t kPart = 16384;  ///< elements at a time, in the cache

inline size_t parts_of(int64_t count) { return static_cast<size_t>((count + kPart - 1) / kPart); }

/// Calls work(first element, count, number of the part) in parallel. What parts find is added in
/// their order, so that sums do not depend on the number of threads.
template <class Work>
void in_parts(int64_t count, Work work) {
  at::parallel_for(0, static_cast<int64_t>(parts_of(count)), 1, [&](int64_t begin, int64_t end) {
    for (int64_t part = begin; part < end; ++part) {
      const int64_t first = part * kPart;
      work(first, static_cast<size_t>(std::min(kPart, count - first)), static_cast<size_t>(part));
    }
  });
}

/// A tensor's memory, and the one that the result is written to.
struct RoundingPlaces {
  at::Tensor in;
  at::Tensor out;
  RoundingPlaces(const at::Tensor& tensor, Into into);
  const float* from() const { return in.const_data_ptr<float>(); }
  float* to() const { return static_cast<float*>(out.mutable_data_ptr()); }
};

/// A step of the backward pass that gets one gradient, in the order of memory of the forward pass,
/// and gives one for the tensor and others for what moves its grid.
class RoundingStep : public torch::autograd::Node {
 public:
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) final;
  /// The result of the forward pass, with this step behind it.
  at::Tensor follow(const at::Tensor& tensor, const RoundingPlaces& places);

 private:
  virtual void pass(int64_t count, const float* from, float* to,
                    torch::autograd::variable_list& all) = 0;
  std::vector<int64_t> strides_;
};

/// A byte for each element.
at::Tensor bytes_for(int64_t count);
/// A variable's gradient of one number; undefined for an undefined variable.
at::Tensor gradient_of(const at::Tensor& variable, double value);
at::Tensor detached(const at::Tensor& tensor);
/// A gradient is asked for.
bool asks(const at::Tensor& tensor);

}  // namespace octet
