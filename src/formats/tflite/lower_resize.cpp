#include <algorithm>
#include <array>
#include <cmath>

#include "formats/tflite/lower.h"

// Resize: RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR where they compute what ONNX defines; other
// choices of nearest pixels are a GATHER per axis.
namespace octet::lite {
namespace {

/// One axis, as TFLite's options say it.
struct Mode {
  bool align_corners = false;
  bool half_pixel = false;
};

struct Axis {
  int64_t in = 1;
  int64_t out = 1;
  double scale = 1;
};

/// The axes in the graph's order; those that the node does not name keep their extent.
std::vector<Axis> axes_of(const Lowering& to, const Node& node) {
  const Shape& in = to.shape(node.inputs[0]);
  const Shape& out = to.shape(node.outputs[0]);
  std::vector<Axis> axes;
  for (size_t d = 0; d < in.size(); ++d) {
    axes.push_back({in[d], out[d], static_cast<double>(out[d]) / static_cast<double>(in[d])});
  }
  const Tensor* scales = to.graph().constant_input(node, 2);
  if (!scales || scales->size() == 0 || node.input(3) != kAbsent) return axes;
  const auto named = node.integers("axes", counting(in.size()));
  for (size_t i = 0; i < named.size(); ++i) {
    const int64_t axis = axis_in(Order::Onnx, named[i], in.size());
    axes[static_cast<size_t>(axis)].scale = scales->as<float>()[i];
  }
  return axes;
}

/// Where output position `i` lies among the input's (ONNX, Resize-19).
double source_of(const Node& node, const Axis& axis, int64_t i) {
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  const auto place = static_cast<double>(i);
  const double length = axis.scale * static_cast<double>(axis.in);
  if (mode == "asymmetric") return place / axis.scale;
  if (mode == "align_corners") {
    return length == 1 ? 0 : place * static_cast<double>(axis.in - 1) / (length - 1);
  }
  if (mode == "pytorch_half_pixel" && axis.out == 1) return 0;
  if (mode == "half_pixel" || mode == "pytorch_half_pixel") {
    return (place + 0.5) / axis.scale - 0.5;
  }
  refuse(node, "the coordinate_transformation_mode '{}' cannot be written", mode);
}

std::vector<int64_t> nearest(const Node& node, const Axis& axis) {
  const std::string mode = node.text("nearest_mode", "round_prefer_floor");
  std::vector<int64_t> from;
  for (int64_t i = 0; i < axis.out; ++i) {
    const double x = source_of(node, axis, i);
    const double whole = mode == "floor"               ? std::floor(x)
                         : mode == "ceil"              ? std::ceil(x)
                         : mode == "round_prefer_ceil" ? std::floor(x + 0.5)
                                                       : std::ceil(x - 0.5);
    from.push_back(std::clamp<int64_t>(static_cast<int64_t>(whole), 0, axis.in - 1));
  }
  return from;
}

/// What RESIZE_NEAREST_NEIGHBOR takes.
std::vector<int64_t> nearest_in_tflite(const Axis& axis, Mode mode) {
  const bool corners = mode.align_corners && axis.out > 1;
  const float scale = corners ? static_cast<float>(axis.in - 1) / static_cast<float>(axis.out - 1)
                              : static_cast<float>(axis.in) / static_cast<float>(axis.out);
  std::vector<int64_t> from;
  for (int64_t i = 0; i < axis.out; ++i) {
    const float x = (static_cast<float>(i) + (mode.half_pixel ? 0.5F : 0.0F)) * scale;
    const float whole = mode.align_corners ? std::round(x) : std::floor(x);
    from.push_back(std::clamp<int64_t>(static_cast<int64_t>(whole), 0, axis.in - 1));
  }
  return from;
}

bool keeps_extent(const Axis& axis) { return axis.in == axis.out && axis.scale == 1; }

void emit_resize(Lowering& to, const Node& node, Mode mode, bool linear) {
  const Shape& out = to.shape(node.outputs[0]);
  const int version = mode.half_pixel || mode.align_corners ? 3 : 2;
  const std::vector<int> inputs{
      to.input(node, 0, Order::ChannelsLast),
      to.numbers(node.name + "/size", std::array<int64_t, 2>{out[2], out[3]})};
  const int result = to.output(node, Order::ChannelsLast);
  if (linear) {
    tflite::ResizeBilinearOptionsT options;
    options.align_corners = mode.align_corners;
    options.half_pixel_centers = mode.half_pixel;
    to.emit(tflite::BuiltinOperator_RESIZE_BILINEAR, version, options_of(options), inputs,
            {result});
  } else {
    tflite::ResizeNearestNeighborOptionsT options;
    options.align_corners = mode.align_corners;
    options.half_pixel_centers = mode.half_pixel;
    to.emit(tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, version, options_of(options), inputs,
            {result});
  }
}

void gather_nearest(Lowering& to, const Node& node, const std::vector<Axis>& axes) {
  const Order order = to.order(node);
  const QuantParams& params = to.grid(node, node.inputs[0]);
  std::vector<size_t> resized;
  for (size_t d = 0; d < axes.size(); ++d) {
    if (!keeps_extent(axes[d])) resized.push_back(d);
  }
  int input = to.input(node, 0, order);
  if (resized.empty()) return to.emit_reshape(input, to.output(node, order));
  for (const size_t d : resized) {
    const int64_t at = axis_in(order, static_cast<int64_t>(d), axes.size());
    Shape shape = to.in_file(input);
    shape[static_cast<size_t>(at)] = axes[d].out;
    const int out = d == resized.back() ? to.output(node, order)
                                        : to.inner(node.name + "/resized", shape, params);
    to.emit_gather(input, to.numbers(node.name + "/from", nearest(node, axes[d])), at, out);
    input = out;
  }
}

bool is_image(const std::vector<Axis>& axes) {
  return axes.size() == 4 && keeps_extent(axes[0]) && keeps_extent(axes[1]);
}

void resize_nearest(Lowering& to, const Node& node, const std::vector<Axis>& axes) {
  for (const Mode mode : {Mode{}, Mode{.half_pixel = true}, Mode{.align_corners = true}}) {
    const bool same = is_image(axes) && to.order(node) == Order::ChannelsLast &&
                      std::ranges::all_of(std::array{axes[2], axes[3]}, [&](const Axis& axis) {
                        return nearest(node, axis) == nearest_in_tflite(axis, mode);
                      });
    if (same) return emit_resize(to, node, mode, false);
  }
  gather_nearest(to, node, axes);
}

void resize_linear(Lowering& to, const Node& node, const std::vector<Axis>& axes) {
  if (!is_image(axes)) refuse(node, "only rows and columns of images can be interpolated");
  for (const size_t d : {size_t{2}, size_t{3}}) {
    const auto [in, out, scale] = axes[d];
    if (std::abs(scale * static_cast<double>(in) - static_cast<double>(out)) > 1e-3) {
      refuse(node, "its scale {} makes no whole number of {} pixels", scale, in);
    }
    if (node.integer("antialias", 0) != 0 && out < in) {
      refuse(node, "TFLite has no antialiasing");
    }
  }
  if (node.integer("exclude_outside", 0) != 0) refuse(node, "exclude_outside cannot be written");
  source_of(node, axes[2], 0);  // refuses what TFLite does not know
  const std::string mode = node.text("coordinate_transformation_mode", "half_pixel");
  emit_resize(to, node,
              {.align_corners = mode == "align_corners",
               .half_pixel = mode == "half_pixel" || mode == "pytorch_half_pixel"},
              true);
}

void lower_resize(Lowering& to, const Node& node) {
  const std::string mode = node.text("mode", "nearest");
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
    refuse(node, "only the keep_aspect_ratio_policy 'stretch' can be written");
  }
  const auto axes = axes_of(to, node);
  if (mode == "nearest") return resize_nearest(to, node, axes);
  if (mode == "linear") return resize_linear(to, node, axes);
  refuse(node, "TFLite has no int8 interpolation of the mode '{}'", mode);
}

/// Nearest pixels are picked in any order; interpolation wants images.
Need resize_need(const Graph& graph, const Node& node) {
  const bool image = graph.value(node.inputs[0]).shape.size() == 4;
  return image && node.text("mode", "nearest") != "nearest" ? Need::Image : Need::Any;
}

constexpr std::array kResizeRows{Row{"Resize", resize_need, lower_resize}};

}  // namespace

std::span<const Row> resize_rows() { return kResizeRows; }

}  // namespace octet::lite
