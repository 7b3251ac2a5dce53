#include <ATen/ops/empty.h>

#include "base/fail.h"
#include "dialects/tflite_kernels.h"
#include "ops/op_def.h"

// RESIZE_BILINEAR of images.
namespace octet::lite_integers {
namespace {

struct Mode {
  bool align_corners;
  bool half_pixel;
};

Mode mode_of(const Node& node) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  return {.align_corners = mode == "align_corners",
          .half_pixel = mode == "half_pixel" || mode == "pytorch_half_pixel"};
}

/// The two neighbours of an output position, and the distance from the first in 1/1024.
struct Neighbours {
  int64_t low;
  int64_t high;
  int64_t share;
};

std::vector<Neighbours> bilinear(int64_t in, int64_t out, Mode mode) {
  constexpr int64_t kOne = 1 << 10;
  const bool corners = mode.align_corners && out > 1;
  const int64_t from = corners ? in - 1 : in;
  const int64_t to = corners ? out - 1 : out;
  const int64_t step = (kOne * from + to / 2) / to;
  std::vector<Neighbours> made;
  for (int64_t i = 0; i < out; ++i) {
    const int64_t at = i * step + (mode.half_pixel ? step / 2 - kOne / 2 : 0);
    const int64_t low = std::max<int64_t>(at / kOne, 0);
    const int64_t high = std::min((at + kOne - 1) / kOne, in - 1);
    made.push_back({.low = low, .high = high, .share = at - kOne * low});
  }
  return made;
}

/// Halves away from zero. A mean of integers of the type is one of them.
int32_t rounded(int64_t q20) {
  const int64_t half = q20 > 0 ? 1 << 19 : -(1 << 19);
  return static_cast<int32_t>((q20 + half) / (1 << 20));
}

at::Tensor interpolated(const at::Tensor& image, std::span<const Neighbours> rows,
                        std::span<const Neighbours> columns) {
  const at::Tensor x = image.permute({0, 2, 3, 1}).contiguous();
  const int64_t channels = x.size(3);
  at::Tensor out = at::empty({x.size(0), static_cast<int64_t>(rows.size()),
                              static_cast<int64_t>(columns.size()), channels},
                             x.options());
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t n = 0; n < x.size(0); ++n) {
    const int32_t* from = x.const_data_ptr<int32_t>() + n * x.stride(0);
    for (const Neighbours& row : rows) {
      for (const Neighbours& column : columns) {
        const auto at = [&](int64_t y, int64_t z) {
          return from + y * x.stride(1) + z * x.stride(2);
        };
        const int32_t* corners[]{at(row.low, column.low), at(row.high, column.low),
                                 at(row.low, column.high), at(row.high, column.high)};
        const int64_t weights[]{(1024 - row.share) * (1024 - column.share),
                                row.share * (1024 - column.share),
                                (1024 - row.share) * column.share, row.share * column.share};
        for (int64_t c = 0; c < channels; ++c) {
          int64_t sum = 0;
          for (size_t i = 0; i < 4; ++i) sum += corners[i][c] * weights[i];
          *to++ = rounded(sum);
        }
      }
    }
  }
  return out.permute({0, 3, 1, 2});
}

at::Tensor resize(const IntegerCall& call) {
  const at::Tensor& x = call.in(0);
  const Shape& shape = call.graph.value(call.node.outputs[0]).shape;
  if (x.dim() != 4 || shape.size() != 4) {
    fail(Code::Unsupported, "TFLite's integers of {}: its input has rank {}; wanted an image",
         describe(call.node), x.dim());
  }
  if (call.node.text("mode", "nearest") != "linear") {  // pixels move, as ONNX says
    return op_of(call.node).run.value({call.node, call.inputs}).at(0);
  }
  const Mode mode = mode_of(call.node);
  return interpolated(x, bilinear(x.size(2), shape[2], mode), bilinear(x.size(3), shape[3], mode));
}

constexpr std::array kResizeRows{DialectRow{"Resize", resize}};

}  // namespace

std::span<const DialectRow> resize_rows(Kernels) { return kResizeRows; }

}  // namespace octet::lite_integers
