// Resize as ONNX defines it (Resize-19, and onnx/reference/ops/op_resize.py where the text is
// open): each axis on its own, each output position a weighted sum of a few input positions.

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

struct Axis {
  int64_t axis = 0;
  int64_t in = 1;
  int64_t out = 1;
  double scale = 1;
  double roi_start = 0;  ///< tf_crop_and_resize only
  double roi_end = 1;

  double length() const { return scale * static_cast<double>(in); }  ///< before it was floored
};

/// Where output position `i` lies among the input's. NaN where it lies outside of the image for
/// `tf_crop_and_resize`, which then takes the extrapolation value.
double source_of(const Axis& axis, double i, std::string_view mode) {
  const double last = static_cast<double>(axis.in - 1);
  const double length = axis.length();
  if (mode == "asymmetric") return i / axis.scale;
  if (mode == "align_corners") return length == 1 ? 0 : i * last / (length - 1);
  if (mode == "pytorch_half_pixel" && axis.out == 1) return 0;
  if (mode == "half_pixel" || mode == "pytorch_half_pixel") return (i + 0.5) / axis.scale - 0.5;
  if (mode == "half_pixel_symmetric") {
    const double adjustment = static_cast<double>(axis.out) / length;
    return static_cast<double>(axis.in) / 2 * (1 - adjustment) + (i + 0.5) / axis.scale - 0.5;
  }
  const double extent = (axis.roi_end - axis.roi_start) * last;
  const double x = axis.roi_start * last + (length == 1 ? extent / 2 : i * extent / (length - 1));
  return x < 0 || x > last ? std::nan("") : x;
}

/// Input positions and weights of one output position; positions may lie outside of the image.
struct Taps {
  int64_t first = 0;
  std::vector<double> weights;
};

double nearest_of(double x, std::string_view mode) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  return mode == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

double linear_weight(double distance) { return std::max(0.0, 1 - std::abs(distance)); }

/// Keys, "Cubic convolution interpolation for digital image processing", 1981.
double cubic_weight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

/// How to interpolate. With `antialias` a scale below one widens the kernel, so that all pixels
/// have a say.
struct Kernel {
  std::string mode;
  std::string nearest_mode;
  double a = -0.75;
  bool antialias = false;
  bool exclude_outside = false;

  Taps at(double x, double scale) const {
    if (mode == "nearest") return {static_cast<int64_t>(nearest_of(x, nearest_mode)), {1}};
    const double stretch = antialias ? std::min(scale, 1.0) : 1;
    const double reach = mode == "cubic" ? 2 : 1;
    const auto base = static_cast<int64_t>(std::ceil(x)) - 1;  // the one on the left
    const auto begin = static_cast<int64_t>(std::floor(-reach / stretch)) + 1;
    Taps taps{base + begin, {}};
    for (int64_t i = begin; i < 2 - begin; ++i) {
      const double distance = (static_cast<double>(base + i) - x) * stretch;
      taps.weights.push_back(mode == "cubic" ? cubic_weight(distance, a) : linear_weight(distance));
    }
    return taps;
  }
};

/// Outside, the edge's pixel counts, or with `exclude_outside` nothing does.
void settle(Taps& taps, const Axis& axis, const Kernel& kernel) {
  double sum = 0;
  for (size_t t = 0; t < taps.weights.size(); ++t) {
    const int64_t place = taps.first + static_cast<int64_t>(t);
    if (kernel.exclude_outside && (place < 0 || place >= axis.in)) taps.weights[t] = 0;
    sum += taps.weights[t];
  }
  if (!kernel.exclude_outside && !kernel.antialias) return;
  for (double& weight : taps.weights) weight /= sum;
}

/// The input positions and weights of all output positions: first those of every first tap, ....
struct Sources {
  std::vector<std::vector<int64_t>> places;
  std::vector<std::vector<double>> weights;
  std::vector<int64_t> outside;  ///< output positions that take the extrapolation value
};

Sources sources_of(const Axis& axis, const Kernel& kernel, std::string_view coordinates) {
  Sources sources;
  for (int64_t i = 0; i < axis.out; ++i) {
    const double source = source_of(axis, static_cast<double>(i), coordinates);
    if (std::isnan(source)) sources.outside.push_back(i);
    Taps taps = kernel.at(std::isnan(source) ? 0 : source, axis.scale);
    settle(taps, axis, kernel);
    sources.places.resize(taps.weights.size());
    sources.weights.resize(taps.weights.size());
    for (size_t t = 0; t < taps.weights.size(); ++t) {
      const int64_t place = taps.first + static_cast<int64_t>(t);
      sources.places[t].push_back(std::clamp<int64_t>(place, 0, axis.in - 1));
      sources.weights[t].push_back(taps.weights[t]);
    }
  }
  return sources;
}

at::Tensor resize_axis(const at::Tensor& x, const Axis& axis, const Kernel& kernel,
                       std::string_view coordinates, double extrapolation) {
  const Sources sources = sources_of(axis, kernel, coordinates);
  std::vector<int64_t> along(static_cast<size_t>(x.dim()), 1);
  along[static_cast<size_t>(axis.axis)] = axis.out;
  at::Tensor y;
  for (size_t t = 0; t < sources.places.size(); ++t) {
    at::Tensor part = at::index_select(x, axis.axis, at::tensor(sources.places[t], at::kLong));
    if (kernel.mode != "nearest") {
      part = part * at::tensor(sources.weights[t], at::kDouble).to(x.scalar_type()).reshape(along);
    }
    y = y.defined() ? y + part : part;
  }
  if (sources.outside.empty()) return y;
  return y.index_fill(axis.axis, at::tensor(sources.outside, at::kLong), extrapolation);
}

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

/// One scale for all axes, so that the result lies within (or covers) the wanted sizes.
void keep_aspect_ratio(std::vector<Axis>& axes, const Node& node) {
  const std::string policy = node.text("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch" || axes.empty()) return;
  const auto [low, high] = std::ranges::minmax_element(axes, {}, &Axis::scale);
  const double scale = policy == "not_larger" ? low->scale : high->scale;
  for (Axis& axis : axes) {
    axis.scale = scale;
    axis.out = static_cast<int64_t>(std::floor(scale * static_cast<double>(axis.in) + 0.5));
  }
}

std::vector<Axis> axes_to_resize(const OpCall& call, size_t scales_input) {
  const at::Tensor& x = call.in(0);
  std::vector<int64_t> named = axes_of({}, x.dim());
  if (call.node.has("axes")) named = call.node.integers("axes");
  const bool by_size = call.has(3) && call.in(3).numel() > 0;
  const auto wanted = numbers_of(by_size ? call.in(3) : call.in(scales_input));
  const auto roi =
      scales_input == 2 && call.has(1) ? numbers_of(call.in(1)) : std::vector<double>{};
  std::vector<Axis> axes;
  for (size_t i = 0; i < named.size(); ++i) {
    Axis axis{.axis = from_front(named[i], x.dim())};
    axis.in = x.size(axis.axis);
    const auto in = static_cast<float>(axis.in);
    axis.scale = by_size ? wanted.at(i) / in : wanted.at(i);
    axis.out = static_cast<int64_t>(by_size ? wanted.at(i)
                                            : std::floor(static_cast<float>(wanted.at(i)) * in));
    if (roi.size() == 2 * named.size()) {
      axis.roi_start = roi[i];
      axis.roi_end = roi[i + named.size()];
    }
    axes.push_back(axis);
  }
  if (by_size) keep_aspect_ratio(axes, call.node);
  return axes;
}

Kernel kernel_of(const Node& node) {
  Kernel kernel{.mode = node.text("mode", "nearest"),
                .nearest_mode = node.text("nearest_mode", "round_prefer_floor"),
                .a = node.number("cubic_coeff_a", -0.75F),
                .antialias = node.integer("antialias", 0) != 0,
                .exclude_outside = node.integer("exclude_outside", 0) != 0};
  if (kernel.mode != "nearest" && kernel.mode != "linear" && kernel.mode != "cubic") {
    fail(Code::Unsupported,
         "{}: the mode '{}' is not supported; known are nearest, linear and cubic", describe(node),
         kernel.mode);
  }
  return kernel;
}

std::vector<at::Tensor> run_resize(const OpCall& call) {
  const Kernel kernel = kernel_of(call.node);
  const std::string mode = call.node.text("coordinate_transformation_mode", "half_pixel");
  const double extrapolation = call.node.number("extrapolation_value", 0);
  at::Tensor y = call.in(0);
  for (const Axis& axis : axes_to_resize(call, 2)) {
    const bool crops = mode == "tf_crop_and_resize" && (axis.roi_start != 0 || axis.roi_end != 1);
    if (axis.scale == 1 && !crops) continue;
    y = resize_axis(y, axis, kernel, mode, extrapolation);
  }
  return {y};
}

OpDef resize_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = Rescale{},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> resize_ops() {
  return {
      resize_row("Resize",
                 {"antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a",
                  "exclude_outside", "extrapolation_value", "keep_aspect_ratio_policy", "mode",
                  "nearest_mode"},
                 run_resize),
  };
}

}  // namespace octet
