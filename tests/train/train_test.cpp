#include "train/train.h"

#include <ATen/Version.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <new>

#include "data/dataset.h"
#include "kernels/bfloat16.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "train/bars.h"

namespace octet {
namespace {

using test::weights_of;

class Training : public test::Bars {};

TEST_F(Training, LearnsAndKeepsTheBestEpoch) {
  for (const Optimizer optimizer : {Optimizer::Adam, Optimizer::AdamW, Optimizer::Sgd}) {
    Graph graph = network();
    const TrainSettings settings{.epochs = 6,
                                 .batch = 32,
                                 .optimizer = optimizer,
                                 .rate = optimizer == Optimizer::Sgd ? 0.05 : 0.005,
                                 .weight_decay = 0.0001};
    const TrainingResult result = train_float(graph, images(), settings, 1, {});
    ASSERT_EQ(result.epochs.size(), 6U);
    double best = 0;
    for (const Epoch& epoch : result.epochs) best = std::max(best, epoch.validation);
    EXPECT_EQ(result.epochs[static_cast<size_t>(result.best - 1)].validation, best);
    EXPECT_GT(best, 80) << "four classes: chance is 25 %";
    EXPECT_LT(result.epochs.back().loss, result.epochs.front().loss);
  }
}

TEST_F(Training, IsTheSameForTheSameSeed) {
  const TrainSettings settings{.epochs = 2, .batch = 64, .flip = true, .crop = 1};
  std::vector<Tensor> weights;
  for (const uint64_t seed : {7U, 7U, 8U}) {
    Graph graph = network();
    train_float(graph, images(), settings, seed, {});
    weights.push_back(*graph.value(*graph.find("classifier.weight")).constant);
  }
  EXPECT_EQ(weights[0].bytes, weights[1].bytes);
  EXPECT_NE(weights[0].bytes, weights[2].bytes);
}

TEST_F(Training, SaysWhenItBlowsUp) {
  Graph graph = network();
  const TrainSettings settings{
      .epochs = 2, .batch = 64, .optimizer = Optimizer::Sgd, .rate = 100, .warmup = 0};
  const std::string message = message_of([&] { train_float(graph, images(), settings, 1, {}); });
  EXPECT_TRUE(message.starts_with("train: the loss is ")) << message;
  EXPECT_TRUE(message.ends_with("; try a rate below 100")) << message;
}

/// The images of another data set, of which one is not a number when it is read again.
struct Spoilt : Dataset {
  explicit Spoilt(const Dataset& images) : whole(images) {}
  int64_t size() const override { return whole.size(); }
  int64_t label(int64_t index) const override { return whole.label(index); }
  Shape shape() const override { return whole.shape(); }
  void image(int64_t index, std::span<float> out) const override {
    whole.image(index, out);
    if (index == 17 && reads++ > 0) out[0] = std::numeric_limits<float>::quiet_NaN();
  }
  const Dataset& whole;
  mutable std::atomic<int> reads = 0;
};

TEST_F(Training, KeepsTheBestEpochWhenItBlowsUp) {
  Graph graph = network();
  const Spoilt spoilt(*dataset_);
  std::vector<Checkpoint> kept;
  const Checkpoints checkpoints{
      .place = "out/train.checkpoint",
      .keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }};
  const TrainSettings settings{.epochs = 2, .batch = 64};
  const Error error = error_of(
      [&] { train_float(graph, {spoilt, train_, validation_}, settings, 1, {}, checkpoints); });
  EXPECT_EQ(error.code(), Code::Numeric);
  const std::string message = error.what();
  EXPECT_TRUE(message.starts_with("train: the loss is nan in epoch 2, step ")) << message;
  EXPECT_TRUE(
      message.contains("; try a rate below 0.003, or finish with the best epoch so far (1: "))
      << message;
  EXPECT_TRUE(message.ends_with(" %), which out/train.checkpoint holds, by --resume")) << message;
  ASSERT_EQ(kept.size(), 2U) << "the end of the first epoch, and the failure";
  const TrainingResult result =
      train_float(graph, images(), settings, 1, {}, {.place = "c", .resume = kept.back()});
  EXPECT_EQ(result.best, 1);
  EXPECT_EQ(result.epochs.size(), 1U);
  const ValueId weight = *graph.find("classifier.weight");
  EXPECT_EQ(graph.value(weight).constant->bytes,
            kept.front().tensors.at("best/weight:classifier.weight").bytes);
}

/// Images of a data set with labels that are no classes, or none.
struct Mislabelled : Dataset {
  Mislabelled(const Dataset& images, int64_t wrong) : whole(images), label_of_all(wrong) {}
  int64_t size() const override { return whole.size(); }
  int64_t label(int64_t /*index*/) const override {
    ++asked;
    return label_of_all;
  }
  Shape shape() const override { return whole.shape(); }
  void image(int64_t index, std::span<float> out) const override {
    if (out_of_memory) throw std::bad_alloc();
    whole.image(index, out);
  }
  const Dataset& whole;
  int64_t label_of_all;
  bool out_of_memory = false;
  mutable std::atomic<int> asked = 0;
};

TEST_F(Training, RefusesWhatCannotBeLearnt) {
  Graph graph = network(2);
  const auto message = [&](const TrainingImages& from, const TrainSettings& settings) {
    return message_of([&] { train_float(graph, from, settings, 1, {}); });
  };
  EXPECT_EQ(message(images(), {.epochs = 1}).substr(0, 24), "train: a label is 2, the");
  const TrainingImages none{*dataset_, {}, {}};
  EXPECT_EQ(message(none, {.epochs = 1}), "train: there are no training images");
  Mislabelled unlabelled(*dataset_, -1);
  EXPECT_EQ(message({unlabelled, train_, {}}, {.epochs = 1}),
            "train: a label is -1, the network has 2 classes, 0 to 1");
  unlabelled.out_of_memory = true;
  EXPECT_EQ(message({unlabelled, train_, {}}, {.epochs = 1, .batch = 64}),
            "train: the memory of this machine is used up, in batches of 64 images; try 'batch: "
            "32' with 'accumulate: 2'");
  Graph nothing;
  nothing.add_output(
      nothing.add_op("Relu", "relu", {nothing.add_input("x", DType::Float32, {-1, 1, 12, 12})}));
  infer_shapes(nothing);
  EXPECT_EQ(message_of([&] { train_float(nothing, images(), {.epochs = 1}, 1, {}); }),
            "train: the network has nothing that could be trained: no weights, scales or shifts; "
            "set 'epochs: 0'");
}

TEST_F(Training, LearnsFromTheTeacherAloneWithoutLabels) {
  Graph graph = network();
  train_float(graph, images(), {.epochs = 4, .batch = 32, .rate = 0.005}, 1, {});
  const Quantized float_net = quantized(graph);
  Quantized net = float_net;
  // Weights that are worse than what the teacher has.
  for (size_t i = 0; i < net.graph.value_count(); ++i) {
    auto& constant = net.graph.value(static_cast<ValueId>(i)).constant;
    if (!constant || constant->dtype != DType::Float32 || constant->shape.size() < 2) continue;
    for (size_t k = 0; k < constant->as<float>().size(); k += 3) constant->as<float>()[k] *= 0.5F;
  }
  solve_constants(net.graph, net.placement, net.table);
  const Mislabelled unlabelled(*dataset_, -1);
  TrainSettings settings{.epochs = 4, .batch = 32, .rate = 0.003};
  settings.teacher = {.weight = 1, .temperature = 2, .features = 0.1};
  const TrainingResult result =
      train_quantized(net.graph, net.placement, net.table, {unlabelled, train_, validation_},
                      settings, 1, {}, {.teacher = &float_net.graph});
  EXPECT_EQ(unlabelled.asked, 0);
  EXPECT_GT(result.epochs.back().validation, result.epochs.front().validation + 10);
  EXPECT_LT(result.epochs.back().loss, 0.5 * result.epochs[1].loss);
}

TEST_F(Training, TrainsNormalizationsThatWereFolded) {
  Graph graph = network();
  train_float(graph, images(), {.epochs = 2, .batch = 32, .rate = 0.005}, 1, {});
  Quantized net = quantized(graph);
  TrainSettings settings{.epochs = 5, .batch = 32, .rate = 0.003};
  settings.batch_norm = {.train = true, .freeze_after = 0.6, .estimate = 4};
  const TrainingResult result =
      train_quantized(net.graph, net.placement, net.table, images(), settings, 1, {});
  EXPECT_GT(result.epochs.back().validation, 85);
  // What is deployed is what was validated.
  Quantized again = net;
  const TrainingResult kept =
      train_quantized(again.graph, again.placement, again.table, images(), {.epochs = 0}, 1, {});
  EXPECT_NEAR(kept.epochs.at(0).validation,
              result.epochs.at(static_cast<size_t>(result.best)).validation, 1);
}

TEST_F(Training, SaysWhenNoNormalizationWasFolded) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 12, 12});
  const ValueId weight = graph.add_constant("w", test::random_tensor({144, 4}, 1, -0.1F, 0.1F));
  const ValueId bias = graph.add_constant("b", test::random_tensor({4}, 2));
  graph.add_output(
      graph.add_op("Gemm", "gemm", {graph.add_op("Flatten", "flat", {x}), weight, bias}));
  infer_shapes(graph);
  Quantized net = quantized(std::move(graph));
  TrainSettings settings{.epochs = 1};
  settings.batch_norm.train = true;
  const Error error = error_of(
      [&] { train_quantized(net.graph, net.placement, net.table, images(), settings, 1, {}); });
  EXPECT_EQ(error.code(), Code::Recipe);
  EXPECT_STREQ(
      error.what(),
      "qat: 'batch_norm: {train: true}', but octet has folded no BatchNormalization in "
      "this network; leave it out, or, where the exporter has folded them, export them (in "
      "PyTorch with training=TrainingMode.PRESERVE)");
}

TEST_F(Training, LearnsWithProductsInHalfPrecision) {
  Graph graph = network();
  const TrainSettings settings{.epochs = 4, .batch = 32, .rate = 0.005, .bfloat16 = true};
  const auto learn = [&] { return train_float(graph, images(), settings, 1, {}); };
  if (!has_bfloat16_products()) {
    EXPECT_EQ(message_of(learn),
              "this processor has no products of bfloat16; wanted 'precision: float32'");
    return;
  }
  Graph exact = network();
  TrainSettings in_float = settings;
  in_float.bfloat16 = false;
  const double wanted = train_float(exact, images(), in_float, 1, {}).epochs.back().loss;
  const TrainingResult result = learn();
  EXPECT_GT(result.epochs.back().validation, 80);
  EXPECT_NE(result.epochs.back().loss, wanted);
  EXPECT_NEAR(result.epochs.back().loss, wanted, 0.15);
  Quantized net = quantized(graph);
  EXPECT_GT(train_quantized(net.graph, net.placement, net.table, images(), settings, 1, {})
                .epochs.back()
                .validation,
            80);
}

TEST_F(Training, ChoosesByWhatIsDeployed) {
  Quantized net = quantized(network());
  const std::vector<std::byte> before = weights_of(net.graph);
  std::vector<std::vector<std::byte>> seen;
  QuantizedTraining with;
  with.validate = [&](const Graph& candidate, const QuantTable& table) {
    EXPECT_EQ(table.values().size(), net.table.values().size());
    seen.push_back(weights_of(candidate));
    return seen.size() == 3 ? 99.0 : 10.0;
  };
  const TrainingResult result = train_quantized(net.graph, net.placement, net.table, images(),
                                                {.epochs = 4, .batch = 64}, 1, {}, with);
  EXPECT_EQ(result.best, 2);
  ASSERT_EQ(seen.size(), 5U);
  EXPECT_EQ(seen[0], before);
  EXPECT_EQ(weights_of(net.graph), seen[2]);
}

TEST_F(Training, EndsWhenNothingGetsBetter) {
  Quantized net = quantized(network());
  QuantizedTraining with;
  int calls = 0;
  with.validate = [&](const Graph&, const QuantTable&) { return ++calls == 2 ? 50.0 : 10.0; };
  const TrainingResult result =
      train_quantized(net.graph, net.placement, net.table, images(),
                      {.epochs = 9, .batch = 256, .patience = 2}, 1, {}, with);
  EXPECT_EQ(result.best, 1);
  EXPECT_EQ(result.epochs.size(), 4U) << "0, the best, and two that are not better";
}

TEST_F(Training, AccumulatedBatchesAreOneLargeBatch) {
  // Of a network without BatchNorm, whose statistics are a batch's own.
  std::vector<std::vector<std::byte>> weights;
  for (const bool accumulated : {false, true}) {
    Quantized net = quantized(network());
    TrainSettings settings{.epochs = 1, .batch = 64, .optimizer = Optimizer::Sgd, .rate = 0.01};
    if (accumulated) {
      settings.batch = 16;
      settings.accumulate = 4;
    }
    train_quantized(net.graph, net.placement, net.table, {*dataset_, train_, {}}, settings, 1, {});
    weights.push_back(weights_of(net.graph));
  }
  ASSERT_EQ(weights[0].size(), weights[1].size());
  const auto floats = [](const std::vector<std::byte>& bytes) {
    return std::span(reinterpret_cast<const float*>(bytes.data()), bytes.size() / sizeof(float));
  };
  for (size_t i = 0; i < floats(weights[0]).size(); ++i) {
    ASSERT_NEAR(floats(weights[0])[i], floats(weights[1])[i], 0.002);
  }
}

TEST_F(Training, SaysHowLongItWaitsForImages) {
  Graph graph = network();
  std::string note;
  train_float(graph, {*dataset_, train_, {}}, {.epochs = 1}, 1,
              [&](const Progress& progress) { note = progress.note; });
  EXPECT_TRUE(note.contains(", data ")) << note;
  EXPECT_TRUE(note.ends_with(" %")) << note;
}

/// LibTorch chooses its kernels by /proc and /sys: where they are hidden it falls back to the
/// slowest, silently.
TEST(Machine, LibTorchUsesTheVectorUnits) {
  if (__builtin_cpu_supports("avx2")) {
    EXPECT_NE(at::get_cpu_capability(), "DEFAULT");
  }
}

}  // namespace
}  // namespace octet
