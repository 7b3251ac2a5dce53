#include "formats/stored/stored_tensors.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "base/text.h"
#include "formats/tflite/layout.h"

namespace octet {

const StoredTensor* StoredFile::find(std::string_view name) const {
  const auto it = std::ranges::find(tensors, name, &StoredTensor::name);
  return it == tensors.end() ? nullptr : &*it;
}

StoredFile read_stored(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") return read_stored_onnx(path);
  if (path.extension() == ".tflite") return read_stored_tflite(path);
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx or .tflite",
       path.string());
}

namespace {

std::span<const int64_t> without_leading_ones(std::span<const int64_t> shape) {
  while (!shape.empty() && shape.front() == 1) shape = shape.subspan(1);
  return shape;
}

/// Where dimension `axis` goes.
int moved_axis(int axis, std::span<const int64_t> permutation) {
  if (axis < 0) return axis;
  return static_cast<int>(std::ranges::find(permutation, axis) - permutation.begin());
}

}  // namespace

std::vector<LaidOut> laid_out(const StoredTensor& tensor, std::span<const int64_t> shape) {
  std::vector<LaidOut> found;
  const Tensor& held = *tensor.constant;
  const auto offer = [&](LaidOut candidate) {
    if (tensor.layout == StoredLayout::Operand) {
      const auto from = without_leading_ones(candidate.constant.shape);
      if (!std::ranges::equal(from, without_leading_ones(shape))) return;
      const auto rank = static_cast<int>(candidate.constant.shape.size());
      if (candidate.axis >= 0) candidate.axis += static_cast<int>(shape.size()) - rank;
      candidate.constant.shape.assign(shape.begin(), shape.end());
    }
    if (std::ranges::equal(candidate.constant.shape, shape)) found.push_back(std::move(candidate));
  };
  const auto offer_turned = [&](std::span<const int64_t> permutation) {
    offer({lite::permuted(held, permutation), moved_axis(tensor.axis, permutation)});
  };
  offer({held, tensor.axis});
  if (tensor.layout == StoredLayout::Matrix) offer_turned(std::array<int64_t, 2>{1, 0});
  if (tensor.layout == StoredLayout::Operand && held.shape.size() == 4) {
    offer_turned(lite::kToOnnx);
  }
  return found;
}

namespace {

template <class T>
bool all_are(const Tensor& tensor, T wanted) {
  return tensor.dtype == dtype_of<T>() &&
         std::ranges::all_of(tensor.as<T>(), [&](T held) { return held == wanted; });
}

/// Constants that TFLite's operators want besides the network's own.
std::string reason_of_constant(const StoredTensor& tensor) {
  const Tensor& held = *tensor.constant;
  if (tensor.name.ends_with("/bias") && (all_are<int32_t>(held, 0) || all_are(held, 0.0F))) {
    return "TFLite wants a bias: zeros";
  }
  if (tensor.name.ends_with("/weight") && all_are<int8_t>(held, 127)) {
    return "TFLite averages on another scale by a convolution with equal weights";
  }
  if (tensor.name.ends_with("/factor") && all_are<int8_t>(held, 127)) {
    return "TFLite changes a scale by a product; ONNX reads the same integers on another scale";
  }
  if (tensor.name.ends_with("/fill") && held.size() == 1) {
    return "TFLite pads with a number that has a grid of its own";
  }
  if ((tensor.name.ends_with("/low") || tensor.name.ends_with("/high")) && held.size() == 1) {
    return "TFLite clips by MAXIMUM and MINIMUM with a number; in ONNX it is Clip's own";
  }
  if (tensor.name.ends_with("/one") && all_are(held, 1.0F)) {
    return "TFLite divides 1 by a number; ONNX has Reciprocal";
  }
  if (tensor.name.contains("/layout")) return "the same constant in another layout";
  return "";
}

constexpr std::array<std::string_view, 8> kOnnxMoves{"Reshape",      "Transpose",   "Flatten",
                                                     "Squeeze",      "Unsqueeze",   "Identity",
                                                     "DepthToSpace", "SpaceToDepth"};
constexpr std::array<std::string_view, 6> kTfliteMoves{"RESHAPE", "TRANSPOSE",  "PAD",
                                                       "PADV2",   "MIRROR_PAD", "SLICE"};
/// Ends of the names of what lies between the operators that TFLite needs for one of ONNX.
constexpr std::array<std::string_view, 4> kTfliteSteps{"/so far", "/padded", "/resized", "/raised"};

}  // namespace

std::string reason_of_format(const StoredTensor& tensor, std::string_view format) {
  if (format == "ONNX") {
    if (std::ranges::contains(kOnnxMoves, tensor.made_by)) {
      return "the file of the other format needs no " + tensor.made_by + " of its own here";
    }
    const bool clipped =
        !tensor.read_by.empty() && std::ranges::all_of(tensor.read_by, [](const std::string& op) {
          return op == "Relu" || op == "Clip";
        });
    if (clipped) return "TFLite's " + tensor.made_by + " takes in the activation behind it";
    return "";
  }
  if (tensor.constant) return reason_of_constant(tensor);
  const auto converts = [](const std::string& op) { return op == "QUANTIZE"; };
  if (tensor.name.ends_with("_uint8") &&
      (tensor.made_by.empty() ? std::ranges::all_of(tensor.read_by, converts)
                              : converts(tensor.made_by))) {
    return "an end of the file in uint8";
  }
  if (std::ranges::contains(kTfliteMoves, tensor.made_by)) {
    return "a step of TFLite's layout, made by " + tensor.made_by;
  }
  const bool between = std::ranges::any_of(
      kTfliteSteps, [&](std::string_view step) { return tensor.name.contains(step); });
  if (between) return "a step of several " + tensor.made_by + " operators for one of ONNX";
  const bool moved_on =
      !tensor.read_by.empty() && std::ranges::all_of(tensor.read_by, [](auto& op) {
        return op == "RESHAPE" || op == "SLICE" || op == "TRANSPOSE";
      });
  if (moved_on) return "what TFLite's " + tensor.made_by + " puts out before a step of layout";
  return "";
}

namespace {

[[noreturn]] void refuse_scale(const StoredTensor& tensor, size_t channel,
                               const std::filesystem::path& path) {
  const std::string where = tensor.scale.size() == 1 ? "" : std::format(" in channel {}", channel);
  fail(Code::Model,
       "{}: the scale of '{}' is {}{}; wanted a positive, finite number: write the file again from "
       "its network",
       path.string(), tensor.name, tensor.scale[channel], where);
}

}  // namespace

void check_grid(const StoredTensor& tensor, std::span<const int64_t> zero_points,
                const std::filesystem::path& path) {
  for (size_t c = 0; c < tensor.scale.size(); ++c) {
    if (!std::isfinite(tensor.scale[c]) || tensor.scale[c] <= 0) refuse_scale(tensor, c, path);
  }
  if (zero_points.size() != tensor.scale.size()) {
    fail(Code::Model,
         "{}: '{}' has {} scales and {} zero points; wanted as many of one as of the "
         "other",
         path.string(), tensor.name, tensor.scale.size(), zero_points.size());
  }
  const bool narrow = size_of(tensor.type) <= sizeof(int32_t);
  for (const int64_t zero : zero_points) {
    if (!narrow || (zero >= lowest(tensor.type) && zero <= highest(tensor.type))) continue;
    fail(Code::Model, "{}: the zero point of '{}' is {}; wanted {} to {} ({})", path.string(),
         tensor.name, zero, lowest(tensor.type), highest(tensor.type), name_of(tensor.type));
  }
}

void make_signed(StoredTensor& tensor) {
  constexpr int32_t kMoved = 128;
  if (tensor.type != DType::UInt8) return;
  for (int32_t& zero : tensor.zero_point) zero -= kMoved;
  for (int32_t& entry : tensor.table) entry -= kMoved;
  if (!tensor.constant || tensor.constant->dtype != DType::UInt8) return;
  Tensor moved(DType::Int8, tensor.constant->shape);
  std::ranges::transform(tensor.constant->as<uint8_t>(), moved.as<int8_t>().begin(),
                         [](uint8_t held) { return static_cast<int8_t>(held - kMoved); });
  tensor.constant = std::move(moved);
}

}  // namespace octet
