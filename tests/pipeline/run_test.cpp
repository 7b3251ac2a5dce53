#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "api/recipe.h"
#include "api/stages.h"
#include "base/file.h"
#include "eval/score.h"
#include "formats/summary.h"
#include "octet/octet.h"
#include "runtime/session.h"
#include "support/error_of.h"
#include "support/paths.h"
#include "support/shapes_data.h"

namespace octet {
namespace {

constexpr const char* kRecipe = R"(name: bars
seed: 3
new: {arch: mobilenetv3-tiny, input: 1x12x12, classes: 4, width: 0.5}
data: data.yaml
targets: [onnxruntime-cpu, tflite]
train: {epochs: 6, batch: 32, rate: 0.005}
calibration: {images: 256}
qat: {epochs: 1, batch: 32, rate: 0.0005}
evaluation: {latency_runs: 3}
)";

const State& state_of(const Report& report, std::string_view name) {
  const auto it = std::ranges::find(report.states, name, &State::name);
  if (it == report.states.end()) throw std::runtime_error("no state " + std::string(name));
  return *it;
}

TEST(Run, MakesIntegerFilesThatAgree) {
  const TempFolder folder;
  write_bars(folder, 1200, 200);
  const auto recipe = folder.write("recipe.yaml", kRecipe);
  const auto out = folder / "results";
  const Report report = run(recipe, out);

  std::vector<std::string> names;
  for (const State& state : report.states) names.push_back(state.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"float", "quantized", "qat", "onnx-int8", "tflite-int8"}));
  EXPECT_GT(state_of(report, "float").top1, 80) << "four classes: chance is 25 %";
  for (const std::string name : {"onnx-int8", "tflite-int8"}) {
    EXPECT_GE(state_of(report, name).agreement.value(), 98) << name;
    EXPECT_NEAR(state_of(report, name).top1, state_of(report, "qat").top1, 1.0) << name;
    EXPECT_EQ(state_of(report, name).images, 200);
  }
  EXPECT_LT(state_of(report, "tflite-int8").size_bytes, state_of(report, "float").size_bytes);

  // Integer from end to end, as the runtimes really execute the files.
  EXPECT_EQ(inspect(out / "int8.onnx").still_float, std::vector<std::string>{});
  EXPECT_EQ(inspect(out / "int8.tflite").still_float, std::vector<std::string>{});
  for (const FileOperator& op : summarize_tflite(out / "int8.tflite").operators) {
    EXPECT_EQ(op.type == "float32", op.op == "DEQUANTIZE") << op.op << " " << op.node;
    EXPECT_NE(op.op, "TRANSPOSE") << op.node;
  }

  const auto json = nlohmann::json::parse(report.json());
  ASSERT_EQ(json["states"].size(), 5U);
  for (const std::string key : {"name", "format", "runtime", "path", "top1", "top5", "images",
                                "size_bytes", "latency_ms"}) {
    EXPECT_TRUE(json["states"][3].contains(key)) << key;
  }
  EXPECT_EQ(json["recipe"], kRecipe);
  EXPECT_EQ(json["calibration"]["images"], report.calibration.images);
  EXPECT_GT(json["calibration"]["values"].size(), 10U);
  EXPECT_TRUE(json["versions"].contains("TFLite"));

  // Every integer of both files is the simulation's.
  ASSERT_EQ(report.certificates.size(), 2U);
  for (const Certificate& file : report.certificates) {
    EXPECT_EQ(file.images, 32);
    EXPECT_EQ(file.largest(), 0) << file.text();
    EXPECT_EQ(file.same_as_simulated, 100) << file.file;
    EXPECT_TRUE(report.text().contains(file.summary()));
    EXPECT_TRUE(report.markdown().contains(file.summary()));
  }
  EXPECT_EQ(json["certificates"][1]["passed"], true);
  const Certificate again =
      verify(out / "int8.tflite", out / "network.octet", folder / "data.yaml");
  EXPECT_EQ(again.json(), report.certificates[1].json()) << "the same images, the same network";
  EXPECT_TRUE(std::filesystem::exists(out / "report.md"));
  EXPECT_TRUE(std::filesystem::exists(out / "report.json"));
}

TEST(Run, GivesTheSameFilesForTheSameSeed) {
  const TempFolder folder;
  write_bars(folder, 400, 40);
  std::string text = kRecipe;
  text.replace(text.find("epochs: 6"), 9, "epochs: 1");
  const auto recipe = folder.write("recipe.yaml", text);
  run(recipe, folder / "a");
  run(recipe, folder / "b");
  for (const std::string file : {"float.onnx", "network.octet", "int8.onnx", "int8.tflite"}) {
    EXPECT_EQ(read_file(folder / "a" / file, Code::Io), read_file(folder / "b" / file, Code::Io))
        << file;
  }
}

TEST(Run, ChoosesTheEpochByItsIntegerFile) {
  const TempFolder folder;
  const auto data = write_bars(folder, 800, 40);
  std::string text = kRecipe;
  text.replace(text.find("qat: {epochs: 1"), 15, "qat: {epochs: 3, average: 0.9");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  const auto images = open_dataset(*read_data(data).train);
  const Split parts = split(*images, 0.1, 3);
  const Score score = octet::score(*open_session(folder / "out/int8.onnx", 1),
                                   *subset(*images, parts.validation), 50, "", {});
  ASSERT_EQ(report.qat.epochs.size(), 4U);
  EXPECT_EQ(score.top1, report.qat.epochs.at(static_cast<size_t>(report.qat.best)).validation_top1);
}

/// The training images all have the label 0: who learnt from labels would say nothing else.
TEST(Run, LearnsFromTheFloatNetworkWithoutLabels) {
  const TempFolder folder;
  write_bars(folder, 800, 80);
  std::string text = kRecipe;
  train(folder.write("train.yaml", text), folder.path());
  folder.write("train-labels", idx_bytes({800}, std::string(800, '\0')));
  text.replace(text.find("new: "), text.find("\ndata") - text.find("new: "), "model: float.onnx");
  text.replace(text.find("qat: {epochs: 1"), 15,
               "qat: {epochs: 2, optimizer: sgd, teacher: {weight: 1, features: 0.1}");
  text.replace(text.find("rate: 0.0005"), 12, "rate: 0.05");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  EXPECT_GT(state_of(report, "float").top1, 80);
  for (const EpochResult& epoch : report.qat.epochs) EXPECT_GT(epoch.validation_top1, 80);
  EXPECT_GT(state_of(report, "onnx-int8").top1, 80);
}

/// The other workflow: weighted operators are trained, the rest is rounded afterwards. And beside
/// it what the float network gains from as much training.
TEST(Run, TrainsWeightedOperatorsAloneWithAControl) {
  const TempFolder folder;
  write_bars(folder, 800, 200);
  std::string text = kRecipe;
  text.replace(text.find("qat: {epochs: 1"), 15, "qat: {epochs: 1, scope: weighted, control: true");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  const State& control = state_of(report, "control");
  EXPECT_EQ(control.format, "ONNX FP32");
  EXPECT_GT(control.top1, 80);
  EXPECT_NE(read_file(folder / "out/control.onnx", Code::Io),
            read_file(folder / "out/float.onnx", Code::Io));
  EXPECT_GT(state_of(report, "onnx-int8").top1, 80);
  EXPECT_EQ(inspect(folder / "out/int8.onnx").still_float, std::vector<std::string>{});
  for (const Certificate& file : report.certificates) EXPECT_EQ(file.largest(), 0) << file.text();
}

TEST(Run, FoldsTheNormalizationsThatItHasTrained) {
  const TempFolder folder;
  write_bars(folder, 800, 200);
  std::string text = kRecipe;
  text.replace(text.find("qat: {epochs: 1"), 15,
               "qat: {epochs: 2, batch_norm: {train: true}, learn: {most_flips: 0.01}");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  EXPECT_GT(state_of(report, "onnx-int8").top1, 80);
  EXPECT_GT(report.qat.epochs.back().loss, 0);
  for (const Certificate& file : report.certificates) EXPECT_EQ(file.largest(), 0) << file.text();
  for (const FileOperator& op : summarize_onnx(folder / "out/int8.onnx").operators) {
    EXPECT_NE(op.op, "BatchNormalization");
  }
}

TEST(Run, TrainsNetworksOfDynamicRanges) {
  const TempFolder folder;
  write_bars(folder, 800, 200);
  std::string text = std::string(kRecipe) + "scheme: {ranges: dynamic}\n";
  text.replace(text.find("train: {epochs: 6"), 17,
               "train: {epochs: 1");  // so that there is to learn
  text.replace(text.find("qat: {epochs: 1, batch: 32, rate: 0.0005"), 40,
               "qat: {epochs: 2, batch: 32, rate: 0.005");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  std::vector<std::string> names;
  for (const State& state : report.states) names.push_back(state.name);
  EXPECT_EQ(names, (std::vector<std::string>{"float", "onnx-quantized", "tflite-quantized",
                                             "onnx-int8", "tflite-int8"}));
  for (const char* name : {"onnx-int8", "tflite-int8"}) {
    EXPECT_GT(state_of(report, name).top1, 80) << name;
  }
  EXPECT_LT(state_of(report, "onnx-int8").size_bytes, 0.5 * state_of(report, "float").size_bytes);
  EXPECT_GT(report.qat.best, 0);
  EXPECT_NE(read_file(folder / "out/int8.onnx", Code::Io),
            read_file(folder / "out/quantized.onnx", Code::Io));
  EXPECT_TRUE(report.certificates.empty());
}

TEST(Run, TrainsWeightsOfFourBits) {
  const TempFolder folder;
  write_bars(folder, 800, 200);
  std::string text = std::string(kRecipe) + "scheme: {weight_bits: 4}\n";
  text.replace(text.find("[onnxruntime-cpu, tflite]"), 25, "[tflite]");
  const Report report = run(folder.write("recipe.yaml", text), folder / "out");
  EXPECT_GT(state_of(report, "tflite-int8").top1, 80);
  ASSERT_EQ(report.certificates.size(), 1U);
  EXPECT_EQ(report.certificates[0].largest(), 0) << report.certificates[0].text();
  const Certificate again =
      verify(folder / "out/int8.tflite", folder / "out/network.octet", folder / "data.yaml");
  EXPECT_EQ(again.largest(), 0) << again.text();
}

/// The example of the README from nothing: one epoch is enough to see that training works.
TEST(Train, FashionMnistFromScratch) {
  const TempFolder folder;
  const std::string data = std::string(test::kSource) + "/examples/fashion-mnist/data.yaml";
  const auto recipe =
      folder.write("train.yaml",
                   "name: fashion\nnew: {arch: mobilenetv3-tiny, input: 1x28x28, classes: 10, "
                   "width: 0.5}\ndata: " +
                       data + "\ntrain: {epochs: 1, rate: 0.005}\n");
  train(recipe, folder.path());
  const State state = evaluate(folder / "float.onnx", data, {.latency_runs = 3});
  EXPECT_EQ(state.images, 10000);
  EXPECT_GE(state.top1, 80);
}

}  // namespace
}  // namespace octet
