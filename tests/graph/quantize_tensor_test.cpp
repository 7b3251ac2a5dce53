#include "graph/quantize_tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/text.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using test::random_tensor;

/// Different scales and zero points for `count` channels.
QuantParams params_of(DType type, int axis, int64_t count) {
  QuantParams params{.type = type, .axis = axis};
  params.low = static_cast<int32_t>(lowest(type));
  params.high = static_cast<int32_t>(highest(type));
  for (int64_t i = 0; i < count; ++i) {
    params.scale.push_back(0.01F * static_cast<float>(i + 1));
    params.zero_point.push_back(type == DType::Int32 ? 0 : static_cast<int32_t>(7 * i));
  }
  return params;
}

/// The indices of an element along every dimension.
std::vector<int64_t> position(int64_t element, const Shape& shape) {
  std::vector<int64_t> at(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    at[d] = element % shape[d];
    element /= shape[d];
  }
  return at;
}

size_t channel_of(size_t element, const Shape& shape, int axis) {
  if (axis < 0) return 0;
  const auto at = position(static_cast<int64_t>(element), shape);
  return static_cast<size_t>(at[static_cast<size_t>(axis)]);
}

int64_t integer_at(const Tensor& tensor, size_t i) {
  switch (tensor.dtype) {
    case DType::Int8: return tensor.as<int8_t>()[i];
    case DType::UInt8: return tensor.as<uint8_t>()[i];
    case DType::Int16: return tensor.as<int16_t>()[i];
    case DType::Int32: return tensor.as<int32_t>()[i];
    default: return -1;
  }
}

TEST(QuantizeTensor, AgreesWithASlowLoopAlongEveryAxis) {
  for (const DType type : {DType::Int8, DType::UInt8, DType::Int16, DType::Int32}) {
    for (const Shape& shape :
         std::vector<Shape>{{}, {5}, {3, 4}, {2, 3, 4}, {4, 3, 2, 5}, {1, 3, 1, 1}, {0, 3}}) {
      for (int axis = -1; axis < static_cast<int>(shape.size()); ++axis) {
        SCOPED_TRACE(std::format("{}[{}], axis {}", name_of(type), shape_text(shape), axis));
        const int64_t channels = axis < 0 ? 1 : shape[static_cast<size_t>(axis)];
        const QuantParams params = params_of(type, axis, channels);
        const Tensor real = random_tensor(shape, 3, -2, 2);
        const Tensor integers = quantize(real, params);
        const Tensor back = dequantize(integers, params);
        ASSERT_EQ(integers.dtype, type);
        ASSERT_EQ(integers.shape, shape);
        ASSERT_EQ(back.shape, shape);
        for (size_t i = 0; i < real.as<float>().size(); ++i) {
          const size_t channel = channel_of(i, shape, axis);
          const double scale = params.scale[channel];
          const double zero = params.zero_point[channel];
          const double steps = std::nearbyint(real.as<float>()[i] / params.scale[channel]) + zero;
          const double wanted = std::min<double>(std::max<double>(steps, params.low), params.high);
          ASSERT_EQ(static_cast<double>(integer_at(integers, i)), wanted) << "element " << i;
          ASSERT_FLOAT_EQ(back.as<float>()[i], static_cast<float>((wanted - zero) * scale));
        }
      }
    }
  }
}

TEST(QuantizeTensor, KeepsWeightsOfANarrowRange) {
  const Tensor weight = Tensor::of<float>({2, 2}, std::vector<float>{-1, 1, -0.5F, 2});
  const Tensor integers = quantize(weight, test::weight_grid(weight, 0));
  EXPECT_TRUE(std::ranges::equal(integers.as<int8_t>(), std::vector<int8_t>{-127, 127, -32, 127}));
}

TEST(QuantizeTensor, RefusesWhatDoesNotFit) {
  const Tensor real = random_tensor({2, 3}, 1);
  struct Case {
    QuantParams params;
    Code code;
    std::string_view message;
  };
  for (const auto& [params, code, message] : std::vector<Case>{
           {params_of(DType::Int8, 0, 3), Code::Model,
            "3 scales along axis 0 do not fit a constant of 2 dimensions"},
           {params_of(DType::Int8, 1, 2), Code::Model,
            "2 scales along axis 1 do not fit a constant of 2 dimensions"},
           {params_of(DType::Int8, 2, 3), Code::Model,
            "3 scales along axis 2 do not fit a constant of 2 dimensions"},
           {params_of(DType::Int64, -1, 1), Code::Unsupported,
            "constants cannot be quantized to int64"},
           {params_of(DType::UInt16, -1, 1), Code::Unsupported,
            "constants cannot be quantized to uint16"},
       }) {
    const Error error = error_of([&] { quantize(real, params); });
    EXPECT_EQ(error.code(), code);
    EXPECT_EQ(error.what(), message);
  }
  const Error floats = error_of([&] { dequantize(real, params_of(DType::Int8, -1, 1)); });
  EXPECT_EQ(floats.code(), Code::Unsupported);
  EXPECT_STREQ(floats.what(), "float32 cannot be dequantized");
  const Error halves =
      error_of([&] { quantize(Tensor(DType::Int32, {2}), params_of(DType::Int8, -1, 1)); });
  EXPECT_EQ(halves.code(), Code::Model);
  EXPECT_STREQ(halves.what(), "a tensor int32[2] was read as float32[2 elements]");
}

TEST(QuantTable, FindsByValue) {
  Graph graph;
  const ValueId a = graph.add_value("a");
  const ValueId b = graph.add_value("b");
  QuantTable table;
  table.set(a, params_of(DType::Int8, -1, 1));
  ASSERT_NE(table.find(a), nullptr);
  EXPECT_EQ(&table.at(a, graph), table.find(a));
  EXPECT_EQ(table.find(b), nullptr);
  table.erase(a);
  EXPECT_EQ(table.find(a), nullptr);
  EXPECT_EQ(error_of([&] { table.at(b, graph); }).code(), Code::Unsupported);
}

}  // namespace
}  // namespace octet
