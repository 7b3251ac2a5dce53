#include "formats/stored/stored_tensors.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "pipeline/parity.h"
#include "support/error_of.h"
#include "support/onnx_model.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet {
namespace {

using test::L;

/// One quantized input and one weight.
constexpr const char* kWeighted = R"(g (float[N, 2] x) => (float[N, 3] y)
    <float[1] s = {0.5}, uint8[1] z = {128}, int8[2, 3] w = {1, -2, 3, -4, 5, -6},
     float[3] ws = {0.5, 0.25, 2}, int8[3] wz = {0, 0, 0}> {
      a_quantized = QuantizeLinear(x, s, z)
      a_dequantized = DequantizeLinear(a_quantized, s, z)
      weight_dequantized = DequantizeLinear<axis = 1>(w, ws, wz)
      y = MatMul(a_dequantized, weight_dequantized) })";

onnx::ModelProto weighted() {
  auto model = test::onnx_model(kWeighted);
  for (auto& node : *model.mutable_graph()->mutable_node()) {
    for (auto& input : *node.mutable_input()) {
      if (input.ends_with("_dequantized")) input.replace(input.rfind('_'), 1, "/");
    }
    for (auto& output : *node.mutable_output()) {
      if (output.ends_with("_dequantized")) output.replace(output.rfind('_'), 1, "/");
    }
  }
  return model;
}

TEST(StoredOnnx, IsReadWithActivationsMovedBy128) {
  const TempFolder folder;
  const StoredFile file = read_stored_onnx(test::write_model(folder, weighted()));
  ASSERT_EQ(file.tensors.size(), 2U);
  const StoredTensor& a = *file.find("a");
  EXPECT_EQ(a.type, DType::UInt8);
  EXPECT_EQ(a.scale, std::vector{0.5F});
  EXPECT_EQ(a.zero_point, std::vector{0});
  EXPECT_EQ(a.made_by, "");
  EXPECT_EQ(a.read_by, std::vector<std::string>{"MatMul"});
  const StoredTensor& weight = *file.find("weight");
  EXPECT_EQ(weight.type, DType::Int8);
  EXPECT_EQ(weight.axis, 1);
  EXPECT_EQ(weight.scale, (std::vector{0.5F, 0.25F, 2.0F}));
  EXPECT_EQ(weight.constant->shape, (Shape{2, 3}));
  EXPECT_EQ(weight.constant->as<int8_t>()[3], -4);
}

TEST(StoredOnnx, HoldsWeightsOfTheFullRangeInInt8) {
  test::SmallNet small;
  const ValueId weight = small.c({3, 3});
  const ValueId flat = small.op("Flatten", {small.op("GlobalAveragePool", {small.x})});
  small.graph.add_output(small.op("MatMul", {flat, weight}));
  small.graph.value(weight).name = "weight";
  const Tensor data = test::random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const test::Quantized net(
      std::move(small.graph), {"onnxruntime-cpu"}, data.as<float>(), 8,
      {.saturation = Scheme::Saturation::Report, .weight_range = Scheme::WeightRange::Full});
  const TempFolder folder;
  write_file(folder / "n.onnx", write_onnx(net.graph, net.table));
  const StoredFile file = read_stored_onnx(folder / "n.onnx");
  const StoredTensor& held = *file.find("weight");
  EXPECT_EQ(held.type, DType::Int8);
  EXPECT_EQ(std::ranges::min(held.constant->as<int8_t>()), -128);
}

TEST(StoredOnnx, ReadsWhatTheFileSaysOfItself) {
  auto model = weighted();
  auto& entry = *model.add_metadata_props();
  entry.set_key("octet.targets");
  entry.set_value("onnxruntime-cpu,tflite");
  const TempFolder folder;
  const StoredFile file = read_stored_onnx(test::write_model(folder, model));
  EXPECT_EQ(file.properties.at("octet.targets"), "onnxruntime-cpu,tflite");
}

onnx::TensorProto& initializer(onnx::ModelProto& model, std::string_view name) {
  for (auto& held : *model.mutable_graph()->mutable_initializer()) {
    if (held.name() == name) return held;
  }
  throw std::runtime_error("no such initializer");
}

struct DamagedOnnx {
  const char* name;
  std::function<void(onnx::ModelProto&)> damage;
  const char* message;
};

TEST(StoredOnnx, RefusesDamageInOneLine) {
  const auto scale = [](float number) {
    return [number](auto& model) { initializer(model, "s").set_float_data(0, number); };
  };
  const DamagedOnnx rows[] = {
      {"zero", scale(0),
       "m.onnx: the scale of 'a' is 0; wanted a positive, finite number: write the file again from "
       "its network"},
      {"negative", scale(-0.5F),
       "m.onnx: the scale of 'a' is -0.5; wanted a positive, finite number: write the file again "
       "from its network"},
      {"not a number", scale(std::numeric_limits<float>::quiet_NaN()),
       "m.onnx: the scale of 'a' is nan; wanted a positive, finite number: write the file again "
       "from its network"},
      {"infinite in a channel",
       [](auto& model) {
         initializer(model, "ws").set_float_data(2, std::numeric_limits<float>::infinity());
       },
       "m.onnx: the scale of 'weight' is inf in channel 2; wanted a positive, finite number: write "
       "the file again from its network"},
      {"computed", [](auto& model) { model.mutable_graph()->mutable_node(1)->set_input(1, "x"); },
       "m.onnx: the scale of 'a' is computed by the network; wanted a constant"},
      {"zero point of another type",
       [](auto& model) { initializer(model, "wz").set_data_type(onnx::TensorProto::UINT8); },
       "m.onnx: the zero point of 'weight' is uint8 and its integers are int8; wanted one type"},
      {"float zero point",
       [](auto& model) {
         auto& zero = initializer(model, "z");
         zero.clear_int32_data();
         zero.add_float_data(1);
         zero.set_data_type(onnx::TensorProto::FLOAT);
       },
       "m.onnx: the zero point of 'a' is float32; wanted an integer of at most 32 bits"},
      {"one zero point of three",
       [](auto& model) { model.mutable_graph()->mutable_node(2)->set_input(2, "wz1"); },
       "m.onnx: 'weight' has 3 scales and 1 zero points; wanted as many of one as of the other"},
      {"wrong axis",
       [](auto& model) { model.mutable_graph()->mutable_node(2)->mutable_attribute(0)->set_i(0); },
       "m.onnx: 'weight' is 2x3 and has 3 scales along axis 0; wanted one for each index"},
      {"short data", [](auto& model) { initializer(model, "w").mutable_dims()->Set(1, 4); },
       "m.onnx: the tensor 'w' holds 6 elements, its shape wants 8"},
      {"not quantized", [](auto& model) { model.mutable_graph()->clear_node(); },
       "m.onnx has no QuantizeLinear and no DequantizeLinear; wanted an INT8 file, as 'octet "
       "quantize' writes one"},
  };
  for (const DamagedOnnx& row : rows) {
    auto model = weighted();
    auto& one = *model.mutable_graph()->add_initializer();
    one.set_name("wz1");
    one.set_data_type(onnx::TensorProto::INT8);
    one.add_dims(1);
    one.add_int32_data(0);
    row.damage(model);
    const TempFolder folder;
    const auto path = test::write_model(folder, model);
    EXPECT_EQ(folder.without(message_of([&] { read_stored_onnx(path); })), row.message) << row.name;
  }
}

/// A convolution and a matrix, written to TFLite.
std::vector<std::byte> small_tflite(const Scheme& scheme = {}) {
  test::SmallNet small;
  const ValueId image = small.conv(small.x);
  const ValueId flat = small.op("Flatten", {small.op("GlobalAveragePool", {image})});
  small.graph.add_output(small.op("Gemm", {flat, small.c({4, 5}), small.c({5})}));
  const Tensor data = test::random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const test::Quantized net(std::move(small.graph), {"tflite"}, data.as<float>(), 8, scheme);
  return write_tflite(net.graph, net.table);
}

TEST(StoredTflite, TurnsConstantsBack) {
  const TempFolder folder;
  write_file(folder / "m.tflite", small_tflite());
  const StoredFile file = read_stored_tflite(folder / "m.tflite");
  const StoredTensor& filter = *file.find("c");
  EXPECT_EQ(filter.constant->shape, (Shape{4, 3, 3, 3}));
  EXPECT_EQ(filter.axis, 0);
  EXPECT_EQ(filter.scale.size(), 4U);
  EXPECT_EQ(filter.read_by, std::vector<std::string>{"CONV_2D"});
  const StoredTensor& matrix = *file.find("c_2");
  EXPECT_EQ(matrix.layout, StoredLayout::Matrix);
  const auto found = laid_out(matrix, Shape{4, 5});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].axis, 1);
  EXPECT_EQ(found[0].constant.as<int8_t>()[1], matrix.constant->as<int8_t>()[4]);
  EXPECT_EQ(file.find("c_3")->type, DType::Int32);
}

TEST(StoredTflite, UnpacksWeightsOfFourBits) {
  const TempFolder folder;
  write_file(folder / "four.tflite", small_tflite({.weight_bits = 4}));
  write_file(folder / "eight.tflite", small_tflite());
  const StoredFile four = read_stored_tflite(folder / "four.tflite");
  const StoredFile eight = read_stored_tflite(folder / "eight.tflite");
  const StoredTensor& few = *four.find("c");
  const StoredTensor& many = *eight.find("c");
  ASSERT_EQ(few.constant->shape, many.constant->shape);
  int32_t least = 0;
  int32_t most = 0;
  for (size_t i = 0; i < few.constant->as<int8_t>().size(); ++i) {
    const size_t channel = i / 27;
    const int32_t integer = few.constant->as<int8_t>()[i];
    least = std::min(least, integer);
    most = std::max(most, integer);
    EXPECT_NEAR(static_cast<float>(integer) * few.scale[channel],
                static_cast<float>(many.constant->as<int8_t>()[i]) * many.scale[channel],
                0.51F * few.scale[channel] + many.scale[channel]);
  }
  EXPECT_GE(least, -7);
  EXPECT_LE(most, 7);
  EXPECT_LT(least, 0);
  // The matrix keeps its 8 bits.
  EXPECT_EQ(four.find("c_2")->constant->bytes.size(), 20U);
  EXPECT_EQ(std::ranges::max(four.find("c_2")->constant->as<int8_t>()), 127);
}

struct DamagedTflite {
  const char* name;
  std::function<void(tflite::ModelT&)> damage;
  const char* message;
};

tflite::TensorT& tensor(tflite::ModelT& model, std::string_view name) {
  for (auto& held : model.subgraphs[0]->tensors) {
    if (held->name == name) return *held;
  }
  throw std::runtime_error("no such tensor");
}

TEST(StoredTflite, RefusesDamageInOneLine) {
  const DamagedTflite rows[] = {
      {"zero scale", [](auto& model) { tensor(model, "x").quantization->scale[0] = 0; },
       "m.tflite: the scale of 'x' is 0; wanted a positive, finite number: write the file again "
       "from its network"},
      {"zero point", [](auto& model) { tensor(model, "x").quantization->zero_point[0] = 128; },
       "m.tflite: the zero point of 'x' is 128; wanted -128 to 127 (int8)"},
      {"one scale of four",
       [](auto& model) { tensor(model, "c").quantization->zero_point.pop_back(); },
       "m.tflite: 'c' has 4 scales and 3 zero points; wanted as many of one as of the other"},
      {"axis", [](auto& model) { tensor(model, "c").quantization->quantized_dimension = 1; },
       "m.tflite: 'c' is 4x3x3x3 and has 4 scales along axis 1; wanted one for each index"},
      {"short data", [](auto& model) { model.buffers[tensor(model, "c").buffer]->data.pop_back(); },
       "m.tflite: 'c' holds 107 bytes, which its shape 4x3x3x3 of int8 does not fit"},
      {"no such buffer", [](auto& model) { tensor(model, "c").buffer = 77; },
       "m.tflite is a damaged TFLite file: a TFLite table has no entry 77"},
      {"not quantized",
       [](auto& model) {
         for (auto& held : model.subgraphs[0]->tensors) held->quantization.reset();
       },
       "m.tflite has no tensor with a scale; wanted an INT8 file, as 'octet quantize' writes one"},
  };
  const auto bytes = small_tflite();
  for (const DamagedTflite& row : rows) {
    const auto model = tflite::UnPackModel(bytes.data());
    row.damage(*model);
    flatbuffers::FlatBufferBuilder builder;
    tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, model.get()));
    const TempFolder folder;
    write_file(folder / "m.tflite",
               std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
    EXPECT_EQ(folder.without(message_of([&] { read_stored_tflite(folder / "m.tflite"); })),
              row.message)
        << row.name;
  }
}

TEST(StoredFiles, AreRefusedWhenTruncatedOrOfAnotherKind) {
  const auto bytes = small_tflite();
  const TempFolder folder;
  write_file(folder / "half.tflite", std::span(bytes).first(bytes.size() / 2));
  const std::string whole = weighted().SerializeAsString();
  folder.write("half.onnx", whole.substr(0, whole.size() / 2));
  const auto message = [&](const char* name) {
    return folder.without(message_of([&] { read_stored(folder / name); }));
  };
  EXPECT_EQ(message("half.tflite"), "half.tflite is not a TFLite file, or a truncated one");
  EXPECT_EQ(message("half.onnx"),
            "half.onnx is not an ONNX file, or a truncated one; copy or export it again");
  EXPECT_EQ(message("m.bin"),
            "m.bin: the format is told by the extension; wanted .onnx or .tflite");
}

}  // namespace
}  // namespace octet
