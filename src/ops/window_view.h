#pragma once

#include <ATen/core/Tensor.h>

#include "ops/window.h"

namespace octet {

/// The extents of a tensor [N, C, spatial...] behind its channels.
std::vector<int64_t> spatial_extents(const at::Tensor& tensor);

/// The dimensions of a tensor behind its channels: 2, 3, ....
std::vector<int64_t> spatial_dims(const at::Tensor& tensor);

/// The window over rows of one: the one-dimensional `window` for an image of a single row.
SpatialWindow with_row(SpatialWindow window);

/// [N, C, spatial...] with the window's padding of `value` around it, and no more or less behind
/// than the last window covers: all windows of the result lie in it.
at::Tensor padded_exactly(const at::Tensor& x, const SpatialWindow& window,
                          const at::Scalar& value);

/// [N, C, spatial...] with exactly the window's padding.
at::Tensor padded(const at::Tensor& x, const SpatialWindow& window, const at::Scalar& value);

/// Every window of a tensor that is already padded: [N, C, out..., taps], where the last dimension
/// holds the elements of a window, row by row. A copy; differentiable; any element type.
at::Tensor window_elements(const at::Tensor& padded, const SpatialWindow& window);

/// The output without windows that start in padding after the image `x`: with ceil_mode they are
/// dropped, but ATen takes padding that was added before for image.
at::Tensor trimmed(const at::Tensor& pooled, const SpatialWindow& window, const at::Tensor& x);

}  // namespace octet
