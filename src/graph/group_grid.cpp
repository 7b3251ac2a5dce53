#include "graph/group_grid.h"

#include <algorithm>
#include <cmath>

namespace octet {
namespace {

/// The matrix lies [outputs, inputs] already.
bool lies_by_output(const Node& product) { return product.integer("transB", 0) != 0; }

std::vector<float> flipped(std::span<const float> matrix, int64_t rows, int64_t columns) {
  std::vector<float> out(matrix.size());
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      out[static_cast<size_t>(c * rows + r)] = matrix[static_cast<size_t>(r * columns + c)];
    }
  }
  return out;
}

/// Calls what is given for every weight with its own place and that of its group.
template <class Visit>
void for_each_weight(const GroupGrid& grid, Visit visit) {
  for (int64_t output = 0; output < grid.outputs; ++output) {
    for (int64_t input = 0; input < grid.inputs; ++input) {
      visit(static_cast<size_t>(output * grid.inputs + input),
            static_cast<size_t>(output * grid.groups() + input / grid.group));
    }
  }
}

}  // namespace

bool GroupGrid::symmetric() const {
  return std::ranges::all_of(zero_point, [&](uint8_t zero) { return zero == 1 << (bits - 1); });
}

uint8_t group_code(float real, float scale, int zero_point, int highest) {
  const float code = std::nearbyint(real / scale) + static_cast<float>(zero_point);
  return static_cast<uint8_t>(std::clamp(code, 0.0F, static_cast<float>(highest)));
}

std::vector<uint8_t> quantize(std::span<const float> weights, const GroupGrid& grid) {
  std::vector<uint8_t> codes(weights.size());
  for_each_weight(grid, [&](size_t at, size_t group) {
    codes[at] =
        group_code(weights[at], grid.scale[group], grid.zero_point[group], grid.highest_code());
  });
  return codes;
}

std::vector<float> dequantize(std::span<const uint8_t> codes, const GroupGrid& grid) {
  std::vector<float> weights(codes.size());
  for_each_weight(grid, [&](size_t at, size_t group) {
    weights[at] = grid.scale[group] * static_cast<float>(codes[at] - grid.zero_point[group]);
  });
  return weights;
}

std::vector<float> weights_by_output(const Graph& graph, const Node& product) {
  const Tensor& matrix = *graph.value(product.inputs.at(1)).constant;
  const auto held = matrix.as<float>();
  if (lies_by_output(product)) return {held.begin(), held.end()};
  return flipped(held, matrix.shape.at(0), matrix.shape.at(1));
}

void set_weights_by_output(Graph& graph, const Node& product, std::span<const float> weights) {
  Tensor& matrix = *graph.value(product.inputs.at(1)).constant;
  const Shape& shape = matrix.shape;
  if (lies_by_output(product)) {
    std::ranges::copy(weights, matrix.as<float>().begin());
  } else {
    std::ranges::copy(flipped(weights, shape.at(1), shape.at(0)), matrix.as<float>().begin());
  }
}

}  // namespace octet
