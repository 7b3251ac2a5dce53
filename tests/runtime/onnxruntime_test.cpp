#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "runtime/session.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/onnx_model.h"
#include "support/program.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::onnx_model;
using test::random_tensor;
using test::write_model;

TEST(OnnxRuntimeSession, RefusesWhatIsNoImageNetwork) {
  struct Case {
    const char* name;
    const char* model;
    const char* message;
  };
  const Case cases[] = {
      {"two inputs", "g (float[N, 2] a, float[N, 2] b) => (float[N, 2] y) { y = Add(a, b) }",
       "m.onnx has 2 inputs and 1 outputs; wanted one input of images and one output of logits"},
      {"two outputs",
       "g (float[N, 2] x) => (float[N, 2] y, float[N, 2] z) { y = Relu(x) z = Neg(x) }",
       "m.onnx has 1 inputs and 2 outputs; wanted one input of images and one output of logits"},
      {"integer input", "g (int32[N, 2] x) => (float[N, 2] y) { y = Cast<to = 1>(x) }",
       "m.onnx: its input is not a float32 tensor"},
      {"integer output", "g (float[N, 2] x) => (int32[N, 2] y) { y = Cast<to = 6>(x) }",
       "m.onnx: its output is not a float32 tensor"},
      {"unknown classes", "g (float[N, K] x) => (float[N, K] y) { y = Relu(x) }",
       "m.onnx: its output has the shape NxN; wanted logits, batch x classes"},
  };
  for (const Case& row : cases) {
    const TempFolder folder;
    const auto path = write_model(folder, onnx_model(row.model));
    const Error error = error_of([&] { open_onnxruntime(path, 1); });
    EXPECT_EQ(error.code(), Code::Model) << row.name;
    EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
  }
}

TEST(OnnxRuntimeSession, RefusesWhatIsNoOnnx) {
  const TempFolder folder;
  const auto refused = [&](const std::filesystem::path& path) {
    const Error error = error_of([&] { open_onnxruntime(path, 1); });
    EXPECT_EQ(error.code(), Code::Model);
    return folder.without(error.what());
  };
  EXPECT_EQ(refused(folder / "none.onnx"), "cannot read none.onnx: there is no such file");
  EXPECT_EQ(refused(folder.write("text.onnx", "this is not a network")),
            "text.onnx: ONNX Runtime refuses it: Load model from text.onnx failed:Protobuf parsing "
            "failed.");
  EXPECT_EQ(refused(write_model(
                folder, onnx_model("g (float[N, 2] x) => (float[N, 2] y) { y = Relu(nobody) }"))),
            "m.onnx: ONNX Runtime refuses it: Load model from m.onnx failed:Invalid model. Node "
            "input 'nobody' is not a graph input, initializer, or output of a previous node.");
}

TEST(OnnxRuntimeSession, RunsFixedBatchesInParts) {
  const TempFolder folder;
  const auto path =
      write_model(folder, onnx_model("g (float[2, 3] x) => (float[2, 3] y) { y = Neg(x) }"));
  const auto session = open_onnxruntime(path, 1);
  EXPECT_EQ(session->image_shape(), Shape{3});
  EXPECT_EQ(session->class_count(), 3);
  const std::vector<float> images{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  std::vector<float> wanted;
  for (const float number : images) wanted.push_back(-number);
  EXPECT_EQ(session->run(images, 4), wanted);
  const Error odd = error_of([&] { session->run(std::span(images).first(9), 3); });
  EXPECT_EQ(odd.code(), Code::Runtime);
  EXPECT_EQ(folder.without(odd.what()), "m.onnx takes 2 images at a time; 3 cannot be divided so");
}

TEST(OnnxRuntimeSession, RunsAnyBatchOfAnOpenOne) {
  const TempFolder folder;
  const auto path =
      write_model(folder, onnx_model("g (float[N, 2] x) => (float[N, 2] y) { y = Neg(x) }"));
  for (const int threads : {0, 1}) {
    const auto session = open_onnxruntime(path, threads);
    EXPECT_TRUE(session->runtime().starts_with("ONNX Runtime 1.")) << session->runtime();
    for (const int64_t count : {1, 5, 2}) {
      const std::vector<float> images(static_cast<size_t>(2 * count), 1.5F);
      EXPECT_EQ(session->run(images, count), std::vector<float>(images.size(), -1.5F)) << count;
    }
  }
}

/// Operators as counted: "2 Conv float32".
std::map<std::string, int> counted(Session& session) {
  std::map<std::string, int> rows;
  for (const OperatorUse& use : session.operators()) ++rows[use.name + " " + use.arithmetic];
  return rows;
}

/// Conv -> Relu -> Conv -> pool -> flatten -> Gemm.
struct SmallNetwork : test::NetworkBuilder {
  SmallNetwork() {
    const Attributes padded = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
    const ValueId x = input({-1, 4, 8, 8});
    const ValueId a = op("Relu", {inside(weighted("Conv", x, {8, 4, 3, 3}, 0, 8, padded))});
    const ValueId b = weighted("Conv", a, {8, 8, 3, 3}, 0, 8, padded);
    const ValueId c = move("Flatten", {op("GlobalAveragePool", {b})}, {{"axis", int64_t{1}}});
    finish(weighted("Gemm", c, {5, 8}, 0, 5, {{"transB", int64_t{1}}}),
           random_tensor({2, 4, 8, 8}, 3));
  }
};

TEST(OnnxRuntimeSession, TellsWhatItExecutesInFloat) {
  const SmallNetwork network;
  const TempFolder folder;
  write_file(folder / "m.onnx", write_onnx(network.graph));
  const auto rows = counted(*open_onnxruntime(folder / "m.onnx", 1));
  for (const auto& [row, count] : rows) EXPECT_TRUE(row.ends_with(" float32")) << row;
  EXPECT_EQ(rows.at("Gemm float32"), 1);
}

TEST(OnnxRuntimeSession, TellsWhatItExecutesInIntegers) {
  const SmallNetwork network;
  const TempFolder folder;
  write_file(folder / "m.onnx", write_onnx(network.graph, network.table));
  const auto session = open_onnxruntime(folder / "m.onnx", 1);
  const auto rows = counted(*session);
  EXPECT_EQ(rows.at("QLinearConv uint8"), 2);
  EXPECT_EQ(rows.at("QLinearGlobalAveragePool uint8"), 1);
  EXPECT_EQ(rows.at("QGemm uint8"), 1);
  for (const auto& [row, count] : rows) {
    EXPECT_TRUE(row.ends_with(" uint8") || row == "DequantizeLinear float32") << row;
  }
  // The integers' logits are near those that the grids give.
  const Tensor image = random_tensor({1, 4, 8, 8}, 9);
  const std::vector<float> got = session->run(image.as<float>(), 1);
  const Tensor wanted = test::rounded_output(network.graph, network.table, image);
  const float step = network.table.find(network.graph.outputs()[0])->scale[0];
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], wanted.as<float>()[i], 1.01F * step) << i;
  }
}

TEST(OnnxRuntimeSession, StartsWithoutAWord) {
  const TempFolder folder;
  const SmallNetwork network;
  write_file(folder / "m.onnx", write_onnx(network.graph));
  const auto ended = test::run_octet({"inspect", folder / "m.onnx"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.err, "");
  EXPECT_TRUE(ended.out.contains("Conv")) << ended.out;
}

}  // namespace
}  // namespace octet
