#include "formats/summary.h"

#include <gtest/gtest.h>

#include <random>

#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/onnx_model.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using Ints = std::vector<int64_t>;

/// Counted by hand, for images of 2x8x6:
///     convolution 3x3, 2 to 4 channels, 8x6 outputs:  72 + 4 parameters, 72 x 48 multiply-adds
///     depthwise 3x3 of 4 channels, 4x3 outputs:       36 parameters,     36 x 12
///     fully connected 4 to 5:                         20 + 5 parameters, 20
///     matrix product 5 to 3:                          15 parameters,     15
struct HandMade : test::NetworkBuilder {
  explicit HandMade(int64_t batch = -1) {
    const Attributes same = {{"pads", Ints{1, 1, 1, 1}}};
    const Attributes half = {
        {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}, {"group", int64_t{4}}};
    const ValueId x = input({batch, 2, 8, 6});
    const ValueId a = op("Relu", {inside(weighted("Conv", x, {4, 2, 3, 3}, 0, 4, same))});
    const ValueId b = weighted("Conv", a, {4, 1, 3, 3}, 0, 0, half);
    const ValueId c = move("Flatten", {op("GlobalAveragePool", {b})}, {{"axis", int64_t{1}}});
    const ValueId d = weighted("Gemm", c, {5, 4}, 0, 5, {{"transB", int64_t{1}}});
    finish(weighted("MatMul", d, {5, 3}, 1, 0),
           test::random_tensor({batch < 0 ? 1 : batch, 2, 8, 6}, 3));
  }
  static constexpr int64_t kParameters = 72 + 4 + 36 + 20 + 5 + 15;
  static constexpr int64_t kMultiplyAdds = 72 * 48 + 36 * 12 + 20 + 15;
};

std::string types(const FileSummary& summary) {
  std::string text;
  for (const FileOperator& op : summary.operators) text += op.op + ":" + op.type + " ";
  return text;
}

TEST(Summary, CountsAFloatNetwork) {
  for (const int64_t batch : {-1, 1, 4}) {
    const HandMade network(batch);
    const TempFolder folder;
    write_file(folder / "m.onnx", write_onnx(network.graph));
    const FileSummary summary = summarize_onnx(folder / "m.onnx");
    EXPECT_EQ(summary.parameters, HandMade::kParameters) << "batch " << batch;
    EXPECT_EQ(summary.multiply_adds, HandMade::kMultiplyAdds) << "batch " << batch;
    EXPECT_EQ(types(summary),
              "Conv:float32 Relu:float32 Conv:float32 GlobalAveragePool:float32 "
              "Flatten:float32 Gemm:float32 MatMul:float32 ");
    EXPECT_EQ(summary.operators.at(0).node, "Conv0");
  }
}

TEST(Summary, CountsAnIntegerNetworkAlike) {
  const HandMade network;
  const TempFolder folder;
  // Before pixels are folded, which adds zeros to the weights.
  write_file(folder / "m.onnx", write_onnx(network.graph, network.table));
  const FileSummary summary = summarize_onnx(folder / "m.onnx");
  EXPECT_EQ(summary.parameters, HandMade::kParameters);
  EXPECT_EQ(summary.multiply_adds, HandMade::kMultiplyAdds);
}

TEST(Summary, CountsATfliteNetwork) {
  const HandMade network;
  const TempFolder folder;
  write_file(folder / "m.tflite", write_tflite(network.graph, network.table));
  const FileSummary summary = summarize_tflite(folder / "m.tflite");
  EXPECT_EQ(types(summary),
            "QUANTIZE:int8 CONV_2D:int8 PAD:int8 DEPTHWISE_CONV_2D:int8 MEAN:int8 "
            "FULLY_CONNECTED:int8 FULLY_CONNECTED:int8 DEQUANTIZE:float32 ");
  // 8 paddings, 2 axes of the mean, and biases of zero: 4 and 3.
  EXPECT_EQ(summary.parameters, HandMade::kParameters + 8 + 2 + 4 + 3);
  EXPECT_EQ(summary.multiply_adds, HandMade::kMultiplyAdds);
}

TEST(Summary, RefusesOtherFiles) {
  const TempFolder folder;
  const auto path = folder.write("file", "this is not a network");
  const Error onnx = error_of([&] { summarize_onnx(path); });
  EXPECT_EQ(onnx.code(), Code::Model);
  EXPECT_EQ(folder.without(onnx.what()),
            "file is not an ONNX file, or a truncated one; copy or export it again");
  const Error tflite = error_of([&] { summarize_tflite(path); });
  EXPECT_EQ(tflite.code(), Code::Model);
  EXPECT_EQ(folder.without(tflite.what()), "file is not a TFLite file, or a truncated one");
  const Error missing = error_of([&] { summarize_tflite(folder / "none"); });
  EXPECT_EQ(missing.code(), Code::Model);
  EXPECT_EQ(folder.without(missing.what()), "cannot read none: No such file or directory");
}

/// onnx's own inference crashes on it.
TEST(Summary, SurvivesAConvolutionOfTooFewDimensions) {
  auto model = test::onnx_model(
      "g (float[N, 2] x) => (float[A, B] y) <float[1, 1, 3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}> { "
      "y = Conv(x, w) }");
  const TempFolder folder;
  EXPECT_EQ(types(summarize_onnx(test::write_model(folder, model))), "Conv:float32 ");
}

TEST(Summary, SurvivesDamage) {
  const HandMade network;
  const TempFolder folder;
  struct Case {
    const char* name;
    std::vector<std::byte> bytes;
    FileSummary (*summarize)(const std::filesystem::path&);
  };
  const Case cases[] = {
      {"ONNX", write_onnx(network.graph, network.table), summarize_onnx},
      {"TFLite", write_tflite(network.graph, network.table), summarize_tflite},
  };
  for (const Case& row : cases) {
    const std::string whole(reinterpret_cast<const char*>(row.bytes.data()), row.bytes.size());
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
      std::string damaged = whole;
      for (int flips = 1 + round % 3; flips > 0; --flips) {
        damaged[random() % damaged.size()] ^= static_cast<char>(1U << random() % 8);
      }
      const auto path = folder.write("m", damaged);
      try {
        row.summarize(path);
      } catch (const Error&) {
        continue;
      } catch (const std::exception& error) {
        ADD_FAILURE() << row.name << ", round " << round
                      << ": not octet::Error but: " << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace octet
