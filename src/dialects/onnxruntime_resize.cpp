// Resize of uint8 images, which ONNX Runtime computes on the stored integers.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "dialects/onnxruntime.h"
#include "ops/op_def.h"

namespace octet::onnxruntime {
namespace {

/// The two neighbours of an output position and their distances to it.
struct Neighbours {
  int64_t low;
  int64_t high;
  float from_low;
  float from_high;
};

std::vector<Neighbours> places(const Node& node, int64_t in, int64_t out) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  const float scale = static_cast<float>(out) / static_cast<float>(in);
  std::vector<Neighbours> made;
  for (int64_t i = 0; i < out; ++i) {
    const auto at = static_cast<float>(i);
    float x = (at + 0.5F) / scale - 0.5F;
    if (mode == "asymmetric") x = at / scale;
    if (mode == "pytorch_half_pixel" && out == 1) x = 0;
    if (mode == "align_corners") {
      x = out == 1 ? 0 : at * static_cast<float>(in - 1) / static_cast<float>(out - 1);
    }
    x = std::clamp(x, 0.0F, static_cast<float>(in - 1));
    const auto low = std::min(static_cast<int64_t>(x), in - 1);
    const int64_t high = std::min(low + 1, in - 1);
    const bool edge = low == high;
    made.push_back({low, high, edge ? 0.5F : std::abs(x - static_cast<float>(low)),
                    edge ? 0.5F : std::abs(x - static_cast<float>(high))});
  }
  return made;
}

}  // namespace

/// UpsampleBilinear<uint8_t>: in float, cut off (not rounded) to an integer. Nearest pixels move.
at::Tensor resize(const IntegerCall& call) {
  const at::Tensor& given = call.in(0);
  if (call.node.text("mode", "nearest") == "nearest") {
    const std::array inputs{given, call.in(1), call.in(2), call.in(3)};
    return op_of(call.node).run.value({call.node, inputs}).at(0);
  }
  const Shape& shape = call.graph.value(call.node.outputs[0]).shape;
  if (given.dim() != 4 || call.node.text("mode", "nearest") != "linear") {
    fail(Code::Unsupported, "ONNX Runtime's integers of {}: only images are known, and linear",
         describe(call.node));
  }
  const int32_t moved = stored_input(call, 0).moved;
  const at::Tensor x = given.contiguous();
  const auto rows = places(call.node, x.size(2), shape[2]);
  const auto columns = places(call.node, x.size(3), shape[3]);
  at::Tensor out = at::empty({x.size(0), x.size(1), shape[2], shape[3]}, x.options());
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t image = 0; image < x.size(0) * x.size(1); ++image) {
    const int32_t* from = x.const_data_ptr<int32_t>() + image * x.size(2) * x.size(3);
    for (const Neighbours& r : rows) {
      for (const Neighbours& c : columns) {
        const auto at = [&](int64_t row, int64_t column) {
          return static_cast<float>(from[row * x.size(3) + column] + moved);
        };
        const float sum = c.from_high * r.from_high * at(r.low, c.low) +
                          c.from_low * r.from_high * at(r.low, c.high) +
                          c.from_high * r.from_low * at(r.high, c.low) +
                          c.from_low * r.from_low * at(r.high, c.high);
        *to++ = static_cast<int32_t>(sum) - moved;
      }
    }
  }
  return out;
}

}  // namespace octet::onnxruntime
