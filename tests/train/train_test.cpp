#include "train/train.h"

#include <ATen/Version.h>
#include <gtest/gtest.h>

#include "engine/executor.h"
#include "networks/architectures.h"
#include "quant/simulate.h"
#include "support/data_files.h"
#include "support/error_of.h"
#include "support/shapes_data.h"

namespace octet {
namespace {

/// The bars data set, and a network for it.
class Training : public ::testing::Test {
 protected:
  Training() {
    write_bars(folder_, 640, 64);
    dataset_ = open_dataset({.format = "idx",
                             .images = folder_ / "train-images",
                             .labels = folder_ / "train-labels",
                             .classes = 4,
                             .mean = {0.2F},
                             .deviation = {0.2F}});
    for (int64_t i = 0; i < 640; ++i) (i < 512 ? train_ : validation_).push_back(i);
  }

  static Graph network(int64_t classes = 4) {
    Graph graph = make_network("mobilenetv3-tiny", {{1, 12, 12}, classes, 0.5}, 3);
    infer_shapes(graph);
    return graph;
  }
  TrainingImages images() const { return {*dataset_, train_, validation_}; }

  TempFolder folder_;
  std::unique_ptr<Dataset> dataset_;
  std::vector<int64_t> train_;
  std::vector<int64_t> validation_;
};

TEST_F(Training, LearnsAndKeepsTheBestEpoch) {
  for (const Optimizer optimizer : {Optimizer::Adam, Optimizer::Sgd}) {
    Graph graph = network();
    const TrainSettings settings{.epochs = 6,
                                 .batch = 32,
                                 .optimizer = optimizer,
                                 .rate = optimizer == Optimizer::Adam ? 0.005 : 0.05,
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

TEST_F(Training, RefusesLabelsThatTheNetworkLacks) {
  Graph graph = network(2);
  EXPECT_EQ(message_of([&] { train_float(graph, images(), {.epochs = 1}, 1, {}); }).substr(0, 24),
            "train: a label is 2, the");
  const TrainingImages none{*dataset_, {}, {}};
  EXPECT_EQ(message_of([&] { train_float(graph, none, {.epochs = 1}, 1, {}); }),
            "train: there are no training images");
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
