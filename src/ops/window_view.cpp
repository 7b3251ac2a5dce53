#include "ops/window_view.h"

#include <ATen/ops/constant_pad_nd.h>

namespace octet {
namespace {

at::Tensor pad(const at::Tensor& x, const Extents& begin, const Extents& end,
               const at::Scalar& value) {
  std::vector<int64_t> amounts;  // the innermost dimension first
  bool any = false;
  for (size_t d = begin.size(); d-- > 0;) {
    amounts.insert(amounts.end(), {begin[d], end[d]});
    any = any || begin[d] != 0 || end[d] != 0;
  }
  return any ? at::constant_pad_nd(x, amounts, value) : x;
}

}  // namespace

std::vector<int64_t> spatial_extents(const at::Tensor& tensor) {
  return tensor.sizes().slice(2).vec();
}

std::vector<int64_t> spatial_dims(const at::Tensor& tensor) {
  std::vector<int64_t> dims;
  for (int64_t d = 2; d < tensor.dim(); ++d) dims.push_back(d);
  return dims;
}

SpatialWindow with_row(SpatialWindow window) {
  for (Extents* ones : {&window.kernel, &window.stride, &window.dilation}) {
    ones->insert(ones->begin(), 1);
  }
  for (Extents* zeros : {&window.begin, &window.end}) zeros->insert(zeros->begin(), 0);
  return window;
}

at::Tensor padded(const at::Tensor& x, const SpatialWindow& window, const at::Scalar& value) {
  return pad(x, window.begin, window.end, value);
}

at::Tensor padded_exactly(const at::Tensor& x, const SpatialWindow& window,
                          const at::Scalar& value) {
  const Extents extents = spatial_extents(x);
  Extents end = window.end;
  for (size_t d = 0; d < window.rank(); ++d) {
    const int64_t out = window.output_extent(d, extents[d]);
    end[d] = (out - 1) * window.stride[d] + window.reach(d) - extents[d] - window.begin[d];
  }
  return pad(x, window.begin, end, value);
}

at::Tensor window_elements(const at::Tensor& padded, const SpatialWindow& window) {
  at::Tensor view = padded;
  for (size_t d = 0; d < window.rank(); ++d) {
    view = view.unfold(static_cast<int64_t>(d) + 2, window.reach(d), window.stride[d])
               .slice(-1, 0, window.reach(d), window.dilation[d]);
  }
  return view.flatten(-static_cast<int64_t>(window.rank()));
}

at::Tensor trimmed(const at::Tensor& pooled, const SpatialWindow& window, const at::Tensor& x) {
  at::Tensor result = pooled;
  for (size_t d = 0; d < window.rank(); ++d) {
    const auto dim = static_cast<int64_t>(d) + 2;
    result = result.slice(dim, 0, window.output_extent(d, x.size(dim)));
  }
  return result;
}

}  // namespace octet
