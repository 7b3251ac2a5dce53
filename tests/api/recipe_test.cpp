#include "api/recipe.h"

#include <gtest/gtest.h>

#include <functional>

#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

constexpr const char* kData =
    "data: {classes: 10, train: {format: idx, images: i.gz, labels: l.gz}}\n";

TEST(Recipe, FillsInTheDefaults) {
  const TempFolder folder;
  const auto file = folder.write("r.yaml", std::string("name: a\nmodel: m/float.onnx\n") + kData);
  const Recipe recipe = read_recipe(file);
  EXPECT_EQ(recipe.name, "a");
  EXPECT_EQ(recipe.seed, 1u);
  EXPECT_EQ(recipe.model, folder / "m/float.onnx");
  EXPECT_FALSE(recipe.new_network);
  EXPECT_EQ(recipe.deployment.targets, (std::vector<std::string>{"onnxruntime-cpu", "tflite"}));
  EXPECT_EQ(recipe.train.epochs, 10);
  EXPECT_EQ(recipe.train.rate, 0.003);
  EXPECT_EQ(recipe.qat.epochs, 3);
  EXPECT_EQ(recipe.qat.rate, 0.0002);
  EXPECT_FALSE(recipe.qat.teacher.any());
  EXPECT_EQ(recipe.qat.checkpoint_minutes, 5);
  EXPECT_EQ(recipe.calibration.images, 1024);
  EXPECT_EQ(recipe.calibration.observer, "percentile");
  EXPECT_EQ(recipe.evaluation.latency_runs, 100);
  EXPECT_EQ(recipe.verification.images, 32);
  EXPECT_FALSE(recipe.verification.limit);
  EXPECT_EQ(recipe.data.validation, 0.1);
  EXPECT_FALSE(recipe.data.test);
  EXPECT_EQ(recipe.data.train->images, folder / "i.gz");
  EXPECT_EQ(recipe.data.train->labels, folder / "l.gz");
  EXPECT_EQ(recipe.data.train->classes, 10);
}

TEST(Recipe, ReadsTheShapeOfAModel) {
  const TempFolder folder;
  const auto read = [&](const std::string& shape) {
    return read_recipe(folder.write("r.yaml", "name: a\nmodel: m.onnx\n" + shape + kData)).shapes;
  };
  EXPECT_TRUE(read("").empty());
  ASSERT_EQ(read("shape: x=Nx3x32x48\n").size(), 1u);
  EXPECT_EQ(read("shape: x=Nx3x32x48\n")[0].name, "x");
  EXPECT_EQ(read("shape: x=Nx3x32x48\n")[0].shape, (Shape{-1, 3, 32, 48}));
  EXPECT_EQ(read("shape: 1x3x32x48\n")[0].name, "");
}

TEST(Recipe, ReadsEveryKey) {
  const TempFolder folder;
  folder.write("sub/data.yaml", R"(
classes: 3
mean: [0.1, 0.2, 0.3]
deviation: [0.4, 0.5, 0.6]
size: 32x48
channels: 1
train: {format: folder, images: /abs/train}
test: {format: folder, images: test}
validation: 0.25
)");
  const Recipe recipe = read_recipe(folder.write("r.yaml", R"(
name: x-1.0_b
seed: 18
new: {arch: mobilenetv3-tiny, input: 1x28x30, classes: 10, width: 0.5}
data: sub/data.yaml
targets: [tflite]
scheme:
  weights: per-tensor
  activations: symmetric
  overrides:
    - {nodes: /head/*, compute: float}
    - {nodes: a=b, weights: per-channel, activations: asymmetric}
io: uint8
train:
  epochs: 12
  batch: 64
  optimizer: sgd
  rate: 1e-2
  momentum: 0.8
  weight_decay: 0.0001
  schedule: constant
  warmup: 0.5
  label_smoothing: 0.1
  mixup: 0.2
  accumulate: 4
  clip_gradient: 2.5
  average: 0.999
  patience: 6
  checkpoint_minutes: 0.5
  decay_every: 3
  decay: 0.5
  augment: {flip: true, crop: 2}
calibration: {images: 10, batch: 5, observer: minmax, percentile: 99, bad_images: skip}
qat:
  epochs: 0
  optimizer: adamw
  schedule: one-cycle
  teacher: {weight: 0.5, temperature: 4, features: 0.1}
  learn: {activations: observed, weights: fixed, scale_rate: 2, freeze_after: 0.7, damping: 0.01,
          most_flips: 0.02}
  batch_norm: {train: true, freeze_after: 0.6, estimate: 7}
  precision: bfloat16
evaluation: {batch: 7, latency_runs: 8}
verification: {images: 0, limit: 2}
)"));
  EXPECT_EQ(recipe.name, "x-1.0_b");
  EXPECT_EQ(recipe.seed, 18u);
  ASSERT_TRUE(recipe.new_network);
  EXPECT_EQ(recipe.new_network->arch, "mobilenetv3-tiny");
  EXPECT_EQ(recipe.new_network->input, (Shape{1, 28, 30}));
  EXPECT_EQ(recipe.new_network->classes, 10);
  EXPECT_EQ(recipe.new_network->width, 0.5);
  EXPECT_TRUE(recipe.model.empty());
  EXPECT_EQ(recipe.deployment.targets, std::vector<std::string>{"tflite"});
  EXPECT_EQ(recipe.deployment.weights, "per-tensor");
  EXPECT_EQ(recipe.deployment.activations, "symmetric");
  EXPECT_EQ(recipe.deployment.io, "uint8");
  ASSERT_EQ(recipe.deployment.overrides.size(), 2u);
  EXPECT_EQ(override_text(recipe.deployment.overrides[0]), "/head/*=float");
  EXPECT_EQ(override_text(recipe.deployment.overrides[1]), "a=b=per-channel,asymmetric");
  const TrainSettings& train = recipe.train;
  EXPECT_EQ(train.epochs, 12);
  EXPECT_EQ(train.batch, 64);
  EXPECT_EQ(train.optimizer, Optimizer::Sgd);
  EXPECT_EQ(train.rate, 0.01);
  EXPECT_EQ(train.momentum, 0.8);
  EXPECT_EQ(train.weight_decay, 0.0001);
  EXPECT_EQ(train.schedule, Schedule::Constant);
  EXPECT_EQ(train.warmup, 0.5);
  EXPECT_EQ(train.label_smoothing, 0.1);
  EXPECT_TRUE(train.flip);
  EXPECT_EQ(train.crop, 2);
  EXPECT_EQ(train.mixup, 0.2);
  EXPECT_EQ(train.accumulate, 4);
  EXPECT_EQ(train.clip_gradient, 2.5);
  EXPECT_EQ(train.average, 0.999);
  EXPECT_EQ(train.patience, 6);
  EXPECT_EQ(train.checkpoint_minutes, 0.5);
  EXPECT_EQ(train.decay_every, 3);
  EXPECT_EQ(train.decay, 0.5);
  EXPECT_EQ(recipe.calibration.images, 10);
  EXPECT_EQ(recipe.calibration.batch, 5);
  EXPECT_EQ(CalibrationSettings{}.batch, 0);  // chosen
  EXPECT_EQ(recipe.calibration.observer, "minmax");
  EXPECT_EQ(recipe.calibration.percentile, 99);
  EXPECT_TRUE(recipe.calibration.skip_bad_images);
  EXPECT_EQ(recipe.qat.epochs, 0);
  EXPECT_EQ(recipe.qat.optimizer, Optimizer::AdamW);
  EXPECT_EQ(recipe.qat.schedule, Schedule::OneCycle);
  EXPECT_EQ(recipe.qat.warmup, 0.3) << "one-cycle's own";
  EXPECT_EQ(recipe.qat.teacher.weight, 0.5);
  EXPECT_EQ(recipe.qat.teacher.temperature, 4);
  EXPECT_EQ(recipe.qat.teacher.features, 0.1);
  EXPECT_EQ(recipe.qat.learn.activations, GridMoves::Observed);
  EXPECT_EQ(recipe.qat.learn.weights, GridMoves::Fixed);
  EXPECT_EQ(recipe.qat.learn.most_flips, 0.02);
  EXPECT_TRUE(recipe.qat.batch_norm.train);
  EXPECT_EQ(recipe.qat.batch_norm.freeze_after, 0.6);
  EXPECT_EQ(recipe.qat.batch_norm.estimate, 7);
  EXPECT_TRUE(recipe.qat.bfloat16);
  EXPECT_FALSE(recipe.train.bfloat16);
  EXPECT_EQ(recipe.qat.learn.scale_rate, 2);
  EXPECT_EQ(recipe.qat.learn.freeze_after, 0.7);
  EXPECT_EQ(recipe.qat.learn.damping, 0.01);
  EXPECT_EQ(recipe.evaluation.batch, 7);
  EXPECT_EQ(recipe.evaluation.latency_runs, 8);
  EXPECT_EQ(recipe.verification.images, 0);
  EXPECT_EQ(recipe.verification.limit, 2);
  const DataSource& source = *recipe.data.train;
  EXPECT_EQ(source.format, "folder");
  EXPECT_EQ(source.images, "/abs/train");
  EXPECT_EQ(recipe.data.test->images, folder / "sub/test");
  EXPECT_EQ(source.mean, (std::vector<float>{0.1f, 0.2f, 0.3f}));
  EXPECT_EQ(source.deviation, (std::vector<float>{0.4f, 0.5f, 0.6f}));
  EXPECT_EQ(source.height, 32);
  EXPECT_EQ(source.width, 48);
  EXPECT_EQ(source.channels, 1);
  EXPECT_EQ(recipe.data.validation, 0.25);
}

struct Case {
  const char* name;
  std::string yaml;
  const char* message;
};

void expect_refused(const Case& row,
                    const std::function<void(const std::filesystem::path&)>& read) {
  const TempFolder folder;
  const auto file = folder.write("r.yaml", row.yaml);
  const Error error = error_of([&] { read(file); });
  EXPECT_EQ(error.code(), Code::Recipe) << row.name;
  EXPECT_EQ(folder.without(error.what()), row.message) << row.name;
}

TEST(Recipe, RefusesWhatItDoesNotUnderstand) {
  const std::string start = std::string("name: a\nmodel: m.onnx\n") + kData;  // three lines
  const Case cases[] = {
      {"unknown key, one near", start + "qat:\n  epoch: 3\n",
       "r.yaml:5: unknown key 'epoch' in 'qat'; did you mean 'epochs'?"},
      {"unknown key, none near", start + "evaluation: {zzzzzz: 1}\n",
       "r.yaml:4: unknown key 'zzzzzz' in 'evaluation'; known keys: batch, latency_runs"},
      {"unknown key at the top", start + "target: [tflite]\n",
       "r.yaml:4: unknown key 'target'; did you mean 'targets'?"},
      {"unknown key two levels down", start + "train: {augment: {flop: true}}\n",
       "r.yaml:4: unknown key 'flop' in 'train.augment'; did you mean 'flip'?"},
      {"misspelt required key", "name: a\nmodle: m.onnx\n",
       "r.yaml:2: unknown key 'modle'; did you mean 'model'?"},
      {"missing key", "model: m.onnx\n", "r.yaml:1: 'name' is missing; wanted a word"},
      {"empty file", "", "r.yaml:1: 'name' is missing; wanted a word"},
      {"missing data", "name: a\nmodel: m\n", "r.yaml:1: 'data' is missing; wanted a path"},
      {"a word for a number", start + "qat: {epochs: many}\n",
       "r.yaml:4: 'qat.epochs' is 'many'; wanted a whole number from 0 to 10000"},
      {"a fraction for a whole number", start + "train: {batch: 1.5}\n",
       "r.yaml:4: 'train.batch' is '1.5'; wanted a whole number from 1 to 65536"},
      {"too large", start + "calibration:\n  batch: 64\n  images: 99999999999999999999\n",
       "r.yaml:6: 'calibration.images' is '99999999999999999999'; wanted a whole number from 1 to "
       "100000000"},
      {"not finite", start + "train: {rate: nan}\n",
       "r.yaml:4: 'train.rate' is 'nan'; wanted a number from 0 to 100"},
      {"negative", start + "train: {rate: -0.1}\n",
       "r.yaml:4: 'train.rate' is '-0.1'; wanted a number from 0 to 100"},
      {"no value", start + "train: {rate: }\n",
       "r.yaml:4: 'train.rate' is empty; wanted a number from 0 to 100"},
      {"a list for a number", start + "train: {epochs: [1]}\n",
       "r.yaml:4: 'train.epochs' is a list; wanted a whole number from 0 to 10000"},
      {"a word for a mapping", start + "train: fast\n",
       "r.yaml:4: 'train' is 'fast'; wanted a mapping (key: value)"},
      {"a word for a list", start + "targets: tflite\n",
       "r.yaml:4: 'targets' is 'tflite'; wanted a list of words"},
      {"an empty list", start + "targets: []\n",
       "r.yaml:4: 'targets' is a list; wanted at least one target"},
      {"a list in a list", start + "targets: [[tflite]]\n",
       "r.yaml:4: 'targets' holds a list; wanted a list of words"},
      {"unknown choice", start + "train: {optimizer: lion}\n",
       "r.yaml:4: 'train.optimizer' is 'lion'; wanted sgd or adam or adamw"},
      {"unknown schedule", start + "qat: {schedule: linear}\n",
       "r.yaml:4: 'qat.schedule' is 'linear'; wanted constant or cosine or step or one-cycle"},
      {"a teacher of a float network", start + "train: {teacher: {weight: 1}}\n",
       "r.yaml:4: unknown key 'teacher' in 'train'; known keys: epochs, batch, optimizer, rate, "
       "momentum, "
       "weight_decay, schedule, warmup, decay_every, decay, clip_gradient, accumulate, "
       "label_smoothing, "
       "mixup, average, patience, checkpoint_minutes, precision, augment"},
      {"a control without labels", start + "qat: {teacher: {weight: 1}, control: true}\n",
       "r.yaml:4: the control is a float network, which learns from labels, and with 'teacher: "
       "{weight: 1}' none is read; wanted a weight below 1"},
      {"a rate of nothing", start + "train: {rate: 0}\n",
       "r.yaml:4: the rate is 0, so nothing would be learnt; set a rate above 0, or 'epochs: 0'"},
      {"a teacher's weight", start + "qat: {teacher: {weight: 2}}\n",
       "r.yaml:4: 'qat.teacher.weight' is '2'; wanted a number from 0 to 1"},
      {"a misspelt grid", start + "qat: {learn: {zeropoints: true}}\n",
       "r.yaml:4: unknown key 'zeropoints' in 'qat.learn'; did you mean 'zero_points'?"},
      {"zero points that learn beside scales that do not",
       start + "qat: {learn: {activations: fixed, zero_points: true}}\n",
       "r.yaml:4: zero points learn beside scales; wanted 'activations: learned', or 'zero_points: "
       "false'"},
      {"an average of nothing but the past", start + "qat: {average: 1}\n",
       "r.yaml:4: 'qat.average' is '1'; wanted a number from 0 to 0.999999"},
      {"a word for a list of mappings", start + "scheme: {overrides: float}\n",
       "r.yaml:4: 'scheme.overrides' is 'float'; wanted a list of mappings (key: value)"},
      {"words in a list of mappings", start + "scheme: {overrides: [a=float]}\n",
       "r.yaml:4: 'scheme.overrides' holds 'a=float'; wanted mappings (key: value)"},
      {"an override of nothing", start + "scheme:\n  overrides:\n    - {nodes: a}\n",
       "r.yaml:6: 'scheme.overrides.compute' is missing; wanted that, 'weights' or 'activations'"},
      {"an override with another key", start + "scheme:\n  overrides:\n    - {nodes: a, bits: 4}\n",
       "r.yaml:6: unknown key 'bits' in 'scheme.overrides'; known keys: nodes, compute, weights, "
       "activations"},
      {"neither true nor false", start + "train: {augment: {flip: 1}}\n",
       "r.yaml:4: 'train.augment.flip' is '1'; wanted false or true"},
      {"twice", start + "seed: 1\nseed: 2\n",
       "r.yaml:5: 'seed' is given twice, first in line 4; remove one"},
      {"twice in a section", start + "qat: {epochs: 1, epochs: 2}\n",
       "r.yaml:4: 'qat.epochs' is given twice, first in line 4; remove one"},
      {"shape and new",
       std::string("name: a\nnew: {arch: x, input: 1x8x8, classes: 2}\nshape: 1x1x8x8\n") + kData,
       "r.yaml:3: 'shape' is for 'model'; wanted the size in 'new.input'"},
      {"shape that is none", start + "shape: 8x\n",
       "r.yaml:4: 'shape' is '8x'; wanted NAME=1x3x224x224 (sizes from 1 to 65536, the first may "
       "be "
       "N), or without NAME= where the network has one input"},
      {"model and new", start + "new: {arch: x}\n",
       "r.yaml:4: 'new' and 'model' are both given; wanted one of them"},
      {"input of a new network", "name: a\nnew: {arch: x, input: 28x28, classes: 10}\n",
       "r.yaml:2: 'new.input' is '28x28'; wanted CHANNELSxHEIGHTxWIDTH, such as 1x28x28"},
      {"name that is a path", "name: ../a\n",
       "r.yaml:1: 'name' is '../a'; wanted letters, digits, '_', '-' and '.' (not first): it names "
       "a folder"},
      {"not a mapping", "just words\n",
       "r.yaml:1: the file is 'just words'; wanted a mapping (key: value)"},
      {"a key that is a list", "[a]: 1\n", "r.yaml:1: a key is a list; wanted a word"},
      {"not YAML", "name: a\nmodel: [m\n", "r.yaml:3: not YAML: end of sequence flow not found"},
  };
  for (const Case& row : cases) {
    expect_refused(row, [](const auto& file) { read_recipe(file); });
  }
}

TEST(DataRecipe, RefusesWhatItDoesNotUnderstand) {
  const std::string train = "train: {format: idx, images: i, labels: l}\n";
  const Case cases[] = {
      {"no classes", train,
       "r.yaml:1: 'classes' is missing; wanted a whole number from 1 to "
       "1000000"},
      {"no source", "classes: 10\n",
       "r.yaml:1: 'train' is missing; wanted a data source here, in 'test', or in both"},
      {"no format", "classes: 10\ntrain:\n  images: i\n",
       "r.yaml:2: 'train.format' is missing; wanted idx or folder or text"},
      {"unknown format", "classes: 10\ntest: {format: hdf5, images: i}\n",
       "r.yaml:2: 'test.format' is 'hdf5'; wanted idx or folder or text"},
      {"no labels", "classes: 10\ntest: {format: idx, images: i}\n",
       "r.yaml:2: 'test.labels' is missing; wanted a path"},
      {"labels of a folder", "classes: 10\ntest: {format: folder, images: i, labels: l}\n",
       "r.yaml:2: unknown key 'labels' in 'test'; known keys: format, images"},
      {"mean of bytes", "classes: 10\nmean: [0.5, 123.7]\n" + train,
       "r.yaml:2: 'mean' holds '123.7'; wanted a list of numbers from 0 to 1"},
      {"deviation 0", "classes: 10\ndeviation: [0]\n" + train,
       "r.yaml:2: 'deviation' holds '0'; wanted a list of numbers from 0.001 to 1000"},
      {"two channels", "classes: 10\nchannels: 2\n" + train,
       "r.yaml:2: 'channels' is '2'; wanted 3 (RGB) or 1 (grey)"},
      {"size", "classes: 10\nsize: 32\n" + train,
       "r.yaml:2: 'size' is '32'; wanted HEIGHTxWIDTH, such as 32x32"},
      {"no validation", "classes: 10\nvalidation: 1\n" + train,
       "r.yaml:2: 'validation' is '1'; wanted a number from 0 to 0.9"},
  };
  for (const Case& row : cases) {
    expect_refused(row, [](const auto& file) { read_data(file); });
  }
}

TEST(Recipe, NamesFilesThatAreMissing) {
  const TempFolder folder;
  const Error recipe = error_of([&] { read_recipe(folder / "r.yaml"); });
  EXPECT_EQ(recipe.code(), Code::Recipe);
  EXPECT_EQ(folder.without(recipe.what()), "cannot read r.yaml: No such file or directory");
  const auto file = folder.write("r.yaml", "name: a\nmodel: m\ndata: gone.yaml\n");
  const Error data = error_of([&] { read_recipe(file); });
  EXPECT_EQ(data.code(), Code::Recipe);
  EXPECT_EQ(folder.without(data.what()), "cannot read gone.yaml: No such file or directory");
}

TEST(Recipe, ParsesImageShapes) {
  EXPECT_EQ(parse_image_shape("3x224x192"), (Shape{3, 224, 192}));
  for (const char* text : {"", "1", "1x28", "1x28x28x1", "x28x28", "1x28x", "1x28x-1", "0x1x1",
                           "1x28x28 ", "1x28x65537", "axbxc", "1x99999999999999999999x1"}) {
    const Error error = error_of([&] { parse_image_shape(text); });
    EXPECT_EQ(error.code(), Code::Usage) << text;
    EXPECT_EQ(std::string(error.what()),
              "'" + std::string(text) +
                  "' is no image shape; wanted CHANNELSxHEIGHTxWIDTH, such as 1x28x28");
  }
}

}  // namespace
}  // namespace octet
