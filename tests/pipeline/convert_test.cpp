// Quantized files in the styles of those who export them, converted: the parameters are those of
// the file, and both runtimes compute what the file computes.
#include <gtest/gtest.h>

#include "base/file.h"
#include "formats/onnx/import.h"
#include "formats/onnx/onnx_file.h"
#include "graph/quantize_tensor.h"
#include "octet/octet.h"
#include "pipeline/parity.h"
#include "support/data_files.h"
#include "support/error_of.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using namespace test;

constexpr const char* kHeader =
    "<ir_version: 8, opset_import: [\"\" : 21, \"com.microsoft\" : 1]>\n";

/// "1, -3, ..." drawn evenly from [low, high].
std::string drawn(size_t count, int low, int high) {
  std::string text;
  unsigned state = static_cast<unsigned>(count) * 7919U;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1103515245U + 12345U;
    const int number =
        low + static_cast<int>((state >> 16U) % static_cast<unsigned>(high - low + 1));
    text += (i == 0 ? "" : ", ") + std::to_string(number);
  }
  return text;
}

/// 3x6x6 images -> convolution with 4 channels, 3x3 -> Relu; `w`, `b` and the grids are the
/// style's.
struct Style {
  const char* name;
  std::string model;
  double steps;  ///< largest difference of the TFLite file to ONNX Runtime's results
  std::vector<std::string> changes = {};
};

const std::vector<Style>& styles() {
  const std::string images = kHeader + std::string("g (float[N, 3, 6, 6] x) => (float[N, K] y) <");
  const std::string weight = "int8[4, 3, 3, 3] w = {" + drawn(108, -127, 127) + "}, ";
  const std::string channels =
      "float[4] ws = {0.01, 0.02, 0.004, 0.03}, int8[4] wz = {0, 0, 0, 0}, "
      "int32[4] b = {100, -2000, 30, 7}, int32[4] bz = {0, 0, 0, 0}, "
      "float[4] bs = {0.0002, 0.0004, 0.00008, 0.0006}, ";
  const std::string grids =
      "float s = {0.02}, uint8 z = {120}, float t = {0.1}, uint8 u = {0}, "
      "int8 o = {0}, float r = {0.15}, uint8 m = {128}";
  const std::string begin =
      "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) "
      "wd = DequantizeLinear <axis = 0> (w, ws, wz) bd = DequantizeLinear <axis = 0> (b, bs, bz) "
      "c = Conv(xd, wd, bd) ";
  static const std::vector<Style> all{
      // Each layer rounds its result by half a step more or less than the other runtime: one step.
      {"OnnxRuntimeQdq",
       images + weight + channels + grids + "> {" + begin +
           "p = Relu(c) pq = QuantizeLinear(p, t, u) pd = DequantizeLinear(pq, t, u) "
           "f = Flatten(pd) fq = QuantizeLinear(f, t, u) y = DequantizeLinear(fq, t, u) }",
       1},
      {"OnnxRuntimeQOperator",
       images + weight + channels + grids + "> {" +
           "xq = QuantizeLinear(x, s, z) c = QLinearConv(xq, s, z, w, ws, wz, t, u, b) "
           "p = MaxPool <kernel_shape = [2, 2]> (c) f = Flatten(p) y = DequantizeLinear(f, t, u) }",
       1},
      // Symmetric int8: the grid does not end at 0, so that Relu clips by itself.
      {"TensorRt",
       images + weight + channels + grids + "> {" +
           "xq = QuantizeLinear(x, s, o) xd = DequantizeLinear(xq, s, o) "
           "wd = DequantizeLinear <axis = 0> (w, ws, wz) c = Conv(xd, wd) p = Relu(c) "
           "pq = QuantizeLinear(p, t, o) pd = DequantizeLinear(pq, t, o) f = Flatten(pd) "
           "fq = QuantizeLinear(f, t, o) y = DequantizeLinear(fq, t, o) }",
       1},
      // Weights of 4 bits and activations of a narrow range, by Clip; a float bias.
      {"Brevitas",
       images + grids + ", int8 low = {-7}, int8 high = {7}, int8 least = {-127}, " +
           "int8 most = {127}, float ws = {0.1}, float[4] b = {0.5, -0.25, 1, 0}, "
           "float[4, 3, 3, 3] w = {" +
           drawn(108, -1, 1) + "}> {" +
           "xq = QuantizeLinear(x, s, o) xc = Clip(xq, least, most) xd = DequantizeLinear(xc, s, "
           "o) "
           "wq = QuantizeLinear(w, ws, o) wc = Clip(wq, low, high) wd = DequantizeLinear(wc, ws, "
           "o) "
           "c = Conv(xd, wd, b) cq = QuantizeLinear(c, t, o) cc = Clip(cq, low, high) "
           "cd = DequantizeLinear(cc, t, o) y = Flatten(cd) }",
       1},
      {"ConcatOfGrids",
       images + weight + channels + grids + "> {" + begin +
           "cq = QuantizeLinear(c, t, m) cd = DequantizeLinear(cq, t, m) "
           "p = MaxPool <kernel_shape = [3, 3]> (xd) "
           "k = Concat <axis = 1> (cd, p) kq = QuantizeLinear(k, r, m) "
           "kd = DequantizeLinear(kq, r, m) y = Flatten(kd) }",
       1},
      // A table computes it on the given grid; TFLite's own kernel knows another one only.
      {"SigmoidOnAnyGrid",
       images + weight + channels + grids + ", float v = {0.0039}> {" + begin +
           "cq = QuantizeLinear(c, t, m) cd = DequantizeLinear(cq, t, m) g = Sigmoid(cd) "
           "gq = QuantizeLinear(g, v, u) gd = DequantizeLinear(gq, v, u) y = Flatten(gd) }",
       1},
      {"PyTorchTypes",
       images + weight + channels + grids + ", int64[1] four = {4}> {" +
           "xq = QuantizeLinear(x, s, z) xu = Cast <to = 2> (xq) xd = DequantizeLinear(xu, s, z) "
           "wf = ConstantOfShape(four) wi = Cast <to = 3> (wf) "
           "wd = DequantizeLinear <axis = 0> (w, ws, wi) bd = DequantizeLinear <axis = 0> (b, bs, "
           "bz) "
           "c = Conv(xd, wd, bd) cq = QuantizeLinear(c, t, m) cd = DequantizeLinear(cq, t, m) "
           "y = Flatten(cd) }",
       1},
      // Rounded to 1/256 and from there to the given grid: two roundings more.
      {"SoftmaxOnAnyGrid",
       images + weight + channels + grids + ", float v = {0.0039}> {" + begin +
           "cq = QuantizeLinear(c, t, m) cd = DequantizeLinear(cq, t, m) f = Flatten(cd) "
           "g = Softmax(f) gq = QuantizeLinear(g, v, u) y = DequantizeLinear(gq, v, u) }",
       2,
       {"'y' is rounded once more, from 'y/computed'"}},
  };
  return all;
}

ImportedNetwork taken_apart(const std::filesystem::path& file) {
  Graph graph = read_quantized_onnx(file, {});
  fold_constants(graph);
  return import_quantized(graph);
}

/// The grids and integers, and a name for each, whatever the graph around them.
std::map<std::string, std::string> parameters(const std::filesystem::path& file) {
  const ImportedNetwork network = taken_apart(file);
  std::map<std::string, std::string> found;
  for (const auto& [id, grid] : network.given.values()) {
    std::string text;
    // A bias is on the scale of its products, as these are rounded.
    for (size_t c = 0; c < grid.scale.size() && grid.type == DType::Int8; ++c) {
      text += std::format("{} {} ", grid.scale[c], grid.zero_point[c]);
    }
    if (const auto& constant = network.graph.value(id).constant) {
      const Tensor integers = quantize(*constant, grid);
      text.append(reinterpret_cast<const char*>(integers.bytes.data()), integers.bytes.size());
    }
    found[text] = network.graph.value(id).name;
  }
  return found;
}

class Convert : public ::testing::TestWithParam<Style> {};

TEST_P(Convert, KeepsParametersAndResults) {
  const Style& style = GetParam();
  const TempFolder folder;
  const auto source = write_model(folder, onnx_model(style.model), "source.onnx");
  const bool changes = !style.changes.empty();
  const ConvertResult result =
      convert(source, {folder / "made.tflite"}, {.allow_requantize = changes});
  EXPECT_EQ(result.changes, style.changes);
  EXPECT_EQ(result.calibrated, 0);
  EXPECT_GT(result.carried, 0);
  EXPECT_EQ(inspect(folder / "made.tflite").still_float, std::vector<std::string>{});

  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const auto wanted = open_session(source, 1)->run(images, 8);
  const auto got = open_session(folder / "made.tflite", 1)->run(moved_last(images, 3, 36), 8);
  const ImportedNetwork network = taken_apart(source);
  const ValueId last = network.graph.outputs()[0];
  const QuantParams* grid = network.given.find(last);
  if (!grid) grid = network.given.find(network.graph.node(*network.graph.producer(last)).inputs[0]);
  ASSERT_NE(grid, nullptr);
  EXPECT_LE(steps_between(got, wanted, grid->scale[0]), style.steps + 0.01);

  for (const char* form : {"qdq", "qoperator"}) {
    SCOPED_TRACE(form);
    const auto again = folder / (std::string(form) + ".onnx");
    convert(source, {again}, {.form = form});
    const auto given = parameters(source);
    const auto kept = parameters(again);
    for (const auto& [text, name] : given) {
      EXPECT_TRUE(kept.contains(text)) << "of '" << name << "'";
    }
    const auto results = open_session(again, 1)->run(images, 8);
    EXPECT_LE(steps_between(results, wanted, grid->scale[0]), 1.01);
  }
}

INSTANTIATE_TEST_SUITE_P(Styles, Convert, ::testing::ValuesIn(styles()),
                         [](const auto& tested) { return tested.param.name; });

struct RefusedConversion {
  const char* name;
  const char* body;
  const char* message;
};

const std::vector<RefusedConversion>& refused() {
  static const std::vector<RefusedConversion> all{
      {"FloatRest", "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) y = Add(xd, xd)",
       "m.onnx: the value 'y' is not quantized in the file; give images that calibrate it and what "
       "else is float (--data)"},
      {"AsymmetricWeight",
       "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wd = DequantizeLinear(w, s, "
       "i) "
       "[n] p = MatMul(xd, wd) pq = QuantizeLinear(p, s, z) y = DequantizeLinear(pq, s, z)",
       "tflite: node \"n/product\" (Gemm): its weight 'w' has the zero point 3; TFLite's weights "
       "are "
       "symmetric"},
      {"WeightBelow",
       "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wd = DequantizeLinear(w, s, "
       "o) "
       "[n] p = MatMul(xd, wd) pq = QuantizeLinear(p, s, z) y = DequantizeLinear(pq, s, z)",
       "tflite: node \"n/product\" (Gemm): its weight 'w' is -128 in 1 place(s); TFLite's weights "
       "lie "
       "in [-127, 127]"},
      {"TwoGridsOfAFloatValue",
       "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) p = Add(xd, xd) "
       "aq = QuantizeLinear(p, s, z) a = DequantizeLinear(aq, s, z) "
       "bq = QuantizeLinear(p, t, z) b = DequantizeLinear(bq, t, z) q = Add(a, b) "
       "yq = QuantizeLinear(q, s, z) y = DequantizeLinear(yq, s, z)",
       "the value 'bq' is given another grid than 'p', which it would have to be rounded from in "
       "integers; allow that by --allow-requantize"},
      {"NotQuantized", "y = Relu(x)",
       "m.onnx: none of its tensors is quantized; use 'octet quantize' for float networks"},
  };
  return all;
}

class ConvertRefuses : public ::testing::TestWithParam<RefusedConversion> {};

TEST_P(ConvertRefuses, AndLeavesNoFile) {
  const TempFolder folder;
  const auto source = write_model(
      folder,
      onnx_model(kHeader +
                 std::string("g (float[N, 2] x) => (float[N, 2] y) <float s = {0.5}, float t "
                             "= {0.25}, uint8 z = {130}, int8 i = {3}, int8 o = {0}, "
                             "int8[2, 2] w = {1, -128, 3, 4}> {") +
                 GetParam().body + "}"));
  const std::string message = message_of([&] { convert(source, {folder / "made.tflite"}); });
  EXPECT_EQ(folder.without(message), GetParam().message);
  EXPECT_FALSE(std::filesystem::exists(folder / "made.tflite"));
}

INSTANTIATE_TEST_SUITE_P(Files, ConvertRefuses, ::testing::ValuesIn(refused()),
                         [](const auto& tested) { return tested.param.name; });

TEST(ConvertAllows, WeightsThatAreCutTo127) {
  const TempFolder folder;
  const auto source = write_model(
      folder,
      onnx_model(kHeader +
                 std::string("g (float[N, 2] x) => (float[N, 2] y) <float s = {0.5}, uint8 z "
                             "= {130}, int8 o = {0}, int8[2, 2] w = {1, -128, 3, 4}> {"
                             "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) "
                             "wd = DequantizeLinear(w, s, o) p = MatMul(xd, wd) "
                             "pq = QuantizeLinear(p, s, z) y = DequantizeLinear(pq, s, z) }")));
  const ConvertResult result =
      convert(source, {folder / "made.tflite"}, {.allow_requantize = true});
  EXPECT_EQ(result.changes,
            std::vector<std::string>{"the weight 'w' is -127 in place of -128 in 1 place(s)"});
}

/// A network whose first layer is quantized and whose rest is float: the rest is calibrated, and
/// what is given stays.
TEST(ConvertWithData, QuantizesTheRestAroundWhatIsGiven) {
  const TempFolder folder;
  folder.write("images", idx_bytes({24, 6, 6}, counting(std::size_t{24} * 36)));
  folder.write("labels", idx_bytes({24}, std::string(24, '\1')));
  folder.write("data.yaml", "classes: 3\ntrain: {format: idx, images: images, labels: labels}\n");
  const auto source = write_model(
      folder, onnx_model(kHeader +
                         std::string("g (float[N, 1, 6, 6] x) => (float[N, 3] y) <"
                                     "float s = {0.004}, uint8 z = {0}, int8 o = {0}, "
                                     "float t = {0.05}, uint8 u = {99}, float ws = {0.01}, "
                                     "int8[3, 1, 3, 3] w = {") +
                         drawn(27, -127, 127) +
                         "}, float[3, 3] v = {1, -0.5, 0.25, 0.125, 2, 1, -1, 0.5, 0.75}, "
                         "float[3] scale = {1, 2, 0.5}, float[3] bias = {0, 1, -1}, "
                         "float[3] mean = {0, 0.5, 1}, float[3] var = {1, 2, 0.5}> {"
                         "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) "
                         "wd = DequantizeLinear(w, ws, o) c = Conv(xd, wd) "
                         "n = BatchNormalization(c, scale, bias, mean, var) r = Relu(n) "
                         "rq = QuantizeLinear(r, t, u) rd = DequantizeLinear(rq, t, u) "
                         "p = GlobalAveragePool(rd) f = Flatten(p) y = Gemm(f, v) }"));
  const ConvertResult result = convert(source, {folder / "made.onnx", folder / "made.tflite"},
                                       {.data = folder / "data.yaml", .observer = "minmax"});
  EXPECT_EQ(result.changes, std::vector<std::string>{});
  EXPECT_GT(result.calibrated, 0);
  const auto given = parameters(source);
  const auto kept = parameters(folder / "made.onnx");
  for (const auto& [text, name] : given) {
    EXPECT_TRUE(kept.contains(text)) << "of '" << name << "'";
  }
  std::vector<float> images;  // the first 8 of those that calibrated
  for (int i = 0; i < 8 * 36; ++i) images.push_back(static_cast<float>(i % 256) / 255);
  const auto wanted = open_session(source, 1)->run(images, 8);
  for (const char* file : {"made.onnx", "made.tflite"}) {
    const auto got = open_session(folder / file, 1)->run(images, 8);
    // Four layers in 8 bits where the source is in float: two percent of the range.
    const auto [low, high] = std::ranges::minmax(wanted);
    EXPECT_LE(steps_between(got, wanted, (high - low) / 50), 1) << file;
    EXPECT_EQ(inspect(folder / file).still_float, std::vector<std::string>{});
  }
}

}  // namespace
}  // namespace octet
