#include "formats/onnx/import_grid.h"

#include <cmath>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

class GridReader {
 public:
  GridReader(const Graph& file, const Node& node, const GridInputs& inputs)
      : file_(file), node_(node), inputs_(inputs) {}

  FileGrid read() {
    const Tensor& scale = constant(inputs_.scale, "scale");
    check_scale(scale);
    params_.scale.assign(scale.as<float>().begin(), scale.as<float>().end());
    read_zero_point();
    if (params_.scale.size() > 1) params_.axis = checked_axis();
    params_.origin = Origin::Imported;
    return {std::move(params_), type_};
  }

 private:
  std::string name(size_t index) const { return file_.value(node_.inputs.at(index)).name; }

  const Tensor& constant(size_t index, std::string_view what) const {
    const Tensor* held = file_.constant_input(node_, index);
    if (held) return *held;
    if (node_.input(index) == kAbsent) {
      fail(Code::Model, "{}: the {} of '{}' is not given", describe(node_), what, inputs_.tensor);
    }
    fail(Code::Unsupported,
         "{}: the {} '{}' of '{}' is computed by the network; wanted a constant, as static "
         "quantization has",
         describe(node_), what, name(index), inputs_.tensor);
  }

  void check_scale(const Tensor& scale) const {
    if (scale.dtype != DType::Float32) {
      fail(Code::Unsupported, "{}: the scale '{}' of '{}' is {}; wanted float32", describe(node_),
           name(inputs_.scale), inputs_.tensor, name_of(scale.dtype));
    }
    if (scale.shape.size() > 1 || node_.integer("block_size", 0) != 0) {
      fail(Code::Unsupported,
           "{}: the scale '{}' of '{}' has the shape {}; wanted one per tensor or per channel, not "
           "per block",
           describe(node_), name(inputs_.scale), inputs_.tensor, shape_text(scale.shape));
    }
    if (scale.size() == 0) {
      fail(Code::Model, "{}: the scale '{}' of '{}' is empty", describe(node_), name(inputs_.scale),
           inputs_.tensor);
    }
    const auto numbers = scale.as<float>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (std::isfinite(numbers[i]) && numbers[i] > 0) continue;
      fail(Code::Model,
           "{}: the scale '{}' of '{}' is {} (number {} of {}); wanted finite numbers above 0",
           describe(node_), name(inputs_.scale), inputs_.tensor, numbers[i], i + 1, numbers.size());
    }
  }

  void read_zero_point() {
    const bool given = node_.input(inputs_.zero_point) != kAbsent;
    const Tensor* zero = given ? &constant(inputs_.zero_point, "zero point") : nullptr;
    const DType type = zero ? zero->dtype : inputs_.type.value_or(DType::UInt8);
    check_type(type);
    type_ = type;
    if (inputs_.type && type != *inputs_.type) {
      fail(Code::Model, "{}: the zero point '{}' of '{}' is {}; wanted {}, as its integers are",
           describe(node_), name(inputs_.zero_point), inputs_.tensor, name_of(type),
           name_of(*inputs_.type));
    }
    if (zero && zero->size() != static_cast<int64_t>(params_.scale.size())) {
      fail(Code::Model, "{}: the zero point '{}' of '{}' has {} numbers, the scale '{}' has {}",
           describe(node_), name(inputs_.zero_point), inputs_.tensor, zero->size(),
           name(inputs_.scale), params_.scale.size());
    }
    for (size_t i = 0; i < params_.scale.size(); ++i) {
      params_.zero_point.push_back(zero ? number(*zero, i) : 0);
    }
    if (type == DType::UInt8) {
      for (int32_t& number : params_.zero_point) number -= 128;
    }
    if (type != DType::Int32) return;
    params_.type = DType::Int32;
    params_.low = static_cast<int32_t>(lowest(DType::Int32));
    params_.high = static_cast<int32_t>(highest(DType::Int32));
    for (const int32_t number : params_.zero_point) {
      if (number == 0) continue;
      fail(Code::Model, "{}: the zero point '{}' of '{}' is {}; wanted 0 of int32 integers",
           describe(node_), name(inputs_.zero_point), inputs_.tensor, number);
    }
  }

  void check_type(DType type) const {
    const bool whole = inputs_.shape && type == DType::Int32;
    if (type == DType::Int8 || type == DType::UInt8 || whole) return;
    fail(Code::Unsupported, "{}: '{}' is quantized to {}; wanted int8 or uint8", describe(node_),
         inputs_.tensor, name_of(type));
  }

  static int32_t number(const Tensor& tensor, size_t index) {
    switch (tensor.dtype) {
      case DType::Int8: return tensor.as<int8_t>()[index];
      case DType::UInt8: return tensor.as<uint8_t>()[index];
      default: return tensor.as<int32_t>()[index];
    }
  }

  int checked_axis() const {
    const auto count = static_cast<int64_t>(params_.scale.size());
    if (!inputs_.shape) {
      fail(Code::Unsupported,
           "{}: the scale '{}' of '{}' has {} numbers; what flows has one scale in every target",
           describe(node_), name(inputs_.scale), inputs_.tensor, count);
    }
    const Shape& shape = *inputs_.shape;
    const auto rank = static_cast<int64_t>(shape.size());
    const int64_t axis = inputs_.axis < 0 ? inputs_.axis + rank : inputs_.axis;
    if (axis >= 0 && axis < rank && shape[static_cast<size_t>(axis)] == count) {
      return static_cast<int>(axis);
    }
    fail(Code::Model,
         "{}: the scale '{}' of '{}' has {} numbers, for axis {}{} of the shape {}; wanted one per "
         "index of the axis",
         describe(node_), name(inputs_.scale), inputs_.tensor, count, inputs_.axis,
         inputs_.axis_is_given ? "" : " (no 'axis' is given)", shape_text(shape));
  }

  const Graph& file_;
  const Node& node_;
  const GridInputs& inputs_;
  QuantParams params_;
  DType type_ = DType::Int8;
};

}  // namespace

FileGrid read_grid(const Graph& file, const Node& node, const GridInputs& inputs) {
  return GridReader(file, node, inputs).read();
}

Tensor moved(const Tensor& integers) {
  if (integers.dtype != DType::UInt8) return integers;
  Tensor out = integers;
  out.dtype = DType::Int8;
  for (std::byte& held : out.bytes) held ^= std::byte{128};
  return out;
}

}  // namespace octet
