#include "passes/broadcast.h"

#include <algorithm>

namespace octet {

std::optional<std::vector<float>> broadcast_to(const Tensor& tensor, const Shape& shape) {
  if (tensor.dtype != DType::Float32) return std::nullopt;
  Shape from = tensor.shape;
  while (from.size() > shape.size() && from.front() == 1) from.erase(from.begin());
  if (from.size() > shape.size()) return std::nullopt;
  from.insert(from.begin(), shape.size() - from.size(), 1);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (from[d] != 1 && from[d] != shape[d]) return std::nullopt;
  }
  const auto values = tensor.as<float>();
  std::vector<float> out(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < out.size(); ++i) {
    auto left = static_cast<int64_t>(i);
    int64_t at = 0;
    int64_t step = 1;
    for (size_t d = shape.size(); d-- > 0;) {
      if (from[d] != 1) at += left % shape[d] * step;
      left /= shape[d];
      step *= from[d];
    }
    out[i] = values[static_cast<size_t>(at)];
  }
  return out;
}

std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b) {
  if (a.size() < b.size()) return broadcast_shape(b, a);
  Shape out = a;
  const size_t offset = a.size() - b.size();
  for (size_t d = 0; d < b.size(); ++d) {
    int64_t& dim = out[offset + d];
    if (dim == b[d] || b[d] == 1) continue;
    if (dim != 1) return std::nullopt;
    dim = b[d];
  }
  return out;
}

std::optional<int64_t> row_size(const Shape& shape) {
  if (shape.empty() ||
      std::ranges::any_of(shape.begin() + 1, shape.end(), [](int64_t dim) { return dim < 0; })) {
    return std::nullopt;
  }
  return element_count({shape.begin() + 1, shape.end()});
}

std::vector<int64_t> sorted_axes(std::vector<int64_t> axes, size_t rank) {
  for (int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<int64_t>(rank);
  }
  std::ranges::sort(axes);
  return axes;
}

}  // namespace octet
