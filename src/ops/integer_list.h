#pragma once

#include <ATen/core/Tensor.h>

#include <numeric>
#include <vector>

namespace octet {

/// The elements of a tensor of integers: axes, a shape, pads.
inline std::vector<int64_t> integers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().toType(at::kLong);
  return {flat.const_data_ptr<int64_t>(), flat.const_data_ptr<int64_t>() + flat.numel()};
}

/// An axis or index counted from the end, counted from the front.
inline int64_t from_front(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

/// The axes that the tensor names, counted from the front; all `rank` of them where it is
/// undefined.
inline std::vector<int64_t> axes_of(const at::Tensor& tensor, int64_t rank) {
  std::vector<int64_t> axes(static_cast<size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  if (!tensor.defined()) return axes;
  axes = integers_of(tensor);
  for (int64_t& axis : axes) axis = from_front(axis, rank);
  return axes;
}

}  // namespace octet
