#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "train/average.h"
#include "train/bars.h"

namespace octet {
namespace {

using test::weights_of;

class Resumed : public test::Bars {
 protected:
  /// Everything random, and everything that is remembered.
  static TrainSettings all_at_once(Optimizer optimizer) {
    TrainSettings settings{.epochs = 3,
                           .batch = 48,
                           .accumulate = 3,
                           .optimizer = optimizer,
                           .rate = 0.01,
                           .weight_decay = 0.01,
                           .schedule = Schedule::OneCycle,
                           .clip_gradient = 1,
                           .mixup = 0.4,
                           .flip = true,
                           .crop = 1,
                           .average = 0.9,
                           .checkpoint_minutes = 0};
    settings.teacher = {.weight = 0.5, .features = 0.1};
    return settings;
  }
};

TEST_F(Resumed, EndsAsIfItHadNotStopped) {
  for (const Optimizer optimizer : {Optimizer::Adam, Optimizer::Sgd}) {
    TrainSettings settings = all_at_once(optimizer);
    // Statistics instead of gradients, and memory of how weights flip.
    if (optimizer == Optimizer::Sgd) {
      settings.learn = {.activations = GridMoves::Observed,
                        .weights = GridMoves::Fixed,
                        .freeze_after = 0.8,
                        .most_flips = 0.005};
      settings.batch_norm = {.train = true, .freeze_after = 0.5, .estimate = 2};
    }
    const Quantized start = quantized(network());
    std::vector<Checkpoint> kept;
    const auto train = [&](Quantized net, const Checkpoints& checkpoints) {
      const TrainingResult result =
          train_quantized(net.graph, net.placement, net.table, images(), settings, 5, {},
                          {.teacher = &start.graph, .checkpoints = checkpoints});
      EXPECT_EQ(result.epochs.size(), 4U);
      return std::pair(weights_of(net.graph), net.table.values());
    };
    const auto whole =
        train(start, {.keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }});
    ASSERT_EQ(kept.size(), 12U) << "three steps within each epoch, and its end";
    for (const size_t at : {0U, 2U, 3U, 5U, 7U, 10U, 11U}) {
      const auto rest = train(start, {.place = "c", .resume = kept[at]});
      EXPECT_EQ(rest.first, whole.first) << at;
      EXPECT_EQ(rest.second, whole.second) << at;
    }
  }
}

TEST_F(Resumed, FloatNetworksToo) {
  const TrainSettings settings{.epochs = 2, .batch = 64, .crop = 1, .checkpoint_minutes = 0};
  std::vector<Checkpoint> kept;
  Graph whole = network();
  train_float(whole, images(), settings, 1, {},
              {.keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }});
  ASSERT_EQ(kept.size(), 16U);
  EXPECT_TRUE(kept.back().finished);
  for (const size_t at : {0U, 7U, 12U, 15U}) {
    Graph rest = network();
    train_float(rest, images(), settings, 1, {}, {.place = "c", .resume = kept[at]});
    EXPECT_EQ(weights_of(rest), weights_of(whole)) << at;
  }
}

TEST_F(Resumed, ReadsNothingBeforeItsPlace) {
  std::vector<Checkpoint> kept;
  Graph graph = network();
  const TrainSettings settings{.epochs = 1, .batch = 64, .checkpoint_minutes = 0};
  const TrainingImages from{*dataset_, train_, {}};
  train_float(graph, from, settings, 1, {},
              {.keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }});
  std::vector<int64_t> done;
  train_float(graph, from, settings, 1,
              [&](const Progress& progress) { done.push_back(progress.done); },
              {.place = "c", .resume = kept.at(5)});
  EXPECT_EQ(done, (std::vector<int64_t>{0, 64, 128})) << "two of eight batches are left";
}

TEST_F(Resumed, KeepsWhereItIsWhenTheSinkThrows) {
  std::vector<Checkpoint> kept;
  const Checkpoints checkpoints{
      .keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }};
  struct Interrupted {};
  Graph graph = network();
  EXPECT_THROW(train_float(
                   graph, images(), {.epochs = 2, .batch = 64}, 1,
                   [](const Progress& progress) {
                     if (progress.done == 256) throw Interrupted{};
                   },
                   checkpoints),
               Interrupted);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].epoch, 0);
  EXPECT_EQ(kept[0].batches, 4);
}

TEST_F(Resumed, RefusesTensorsOfAnotherNetwork) {
  std::vector<Checkpoint> kept;
  const TrainSettings settings{.epochs = 1, .batch = 256, .checkpoint_minutes = 0};
  Graph graph = network();
  train_float(graph, images(), settings, 1, {},
              {.keep = [&](const Checkpoint& checkpoint) { kept.push_back(checkpoint); }});
  Checkpoint lacking = kept.at(0);
  lacking.tensors.erase(lacking.tensors.begin());
  const Error error = error_of(
      [&] { train_float(graph, images(), settings, 1, {}, {.place = "c", .resume = lacking}); });
  EXPECT_EQ(error.code(), Code::Data);
  EXPECT_TRUE(std::string(error.what())
                  .ends_with("' as this network wants it; begin anew without --resume"))
      << error.what();
}

TEST(WeightAverage, LeavesTheStartBehind) {
  const NamedTensors zero{{"w", at::full({2}, 0.0F)}};
  WeightAverage average(zero, 0.99);
  for (int64_t step = 0; step < 20; ++step) average.add({{"w", at::full({2}, 1.0F)}}, step);
  EXPECT_GT(average.tensors().at("w")[0].item<float>(), 0.99F);
  average.add({{"w", at::full({2}, 2.0F)}}, 100000);
  EXPECT_NEAR(average.tensors().at("w")[0].item<float>(), 1.01, 0.001);
}

}  // namespace
}  // namespace octet
