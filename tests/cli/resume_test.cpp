#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/file.h"
#include "octet/octet.h"
#include "support/error_of.h"
#include "support/program.h"
#include "support/shapes_data.h"

namespace octet {
namespace {

namespace fs = std::filesystem;
using test::Program;
using test::run_octet;

constexpr const char* kNetwork =
    "name: bars\nseed: 3\nnew: {arch: mobilenetv3-tiny, input: 1x12x12, classes: 4, width: 0.5}\n"
    "data: data.yaml\n";
/// A step, a checkpoint: there is something new to lose all the time.
constexpr const char* kTraining =
    "train: {epochs: 4, batch: 16, rate: 0.005, mixup: 0.2, average: 0.9, checkpoint_minutes: 0, "
    "augment: {flip: true, crop: 1}}\n";
constexpr const char* kQat =
    "targets: [onnxruntime-cpu, tflite]\ncalibration: {images: 64}\n"
    "qat: {epochs: 2, batch: 32, average: 0.9, checkpoint_minutes: 0, teacher: {weight: 0.5}}\n"
    "evaluation: {latency_runs: 1}\nverification: {images: 4}\n";

class Killed : public ::testing::Test {
 protected:
  Killed() { write_bars(folder_, 640, 16); }

  std::vector<std::string> command(const std::string& verb, const std::string& recipe,
                                   const std::string& out, bool resume) const {
    std::vector<std::string> words{verb, folder_ / recipe, "--out", folder_ / out};
    if (resume) words.emplace_back("--resume");
    return words;
  }

  std::vector<std::byte> bytes(const std::string& file) const {
    return read_file(folder_ / file, Code::Io);
  }

  /// When the checkpoint was written; 0 where there is none.
  static int64_t written(const fs::path& checkpoint) {
    std::error_code missing;
    const auto time = fs::last_write_time(checkpoint, missing);
    return missing ? 0 : time.time_since_epoch().count();
  }

  /// Kills the command until it was killed so many times or ended; returns how many times it was.
  /// After each death the checkpoint, if any, is whole.
  int kill_again_and_again(const std::string& verb, const std::string& recipe,
                           const std::string& checkpoint, int times) {
    std::mt19937 random(11);
    const fs::path path = folder_ / ("out/" + checkpoint);
    for (int killed = 0; killed < times; ++killed) {
      auto words = command(verb, recipe, "out", true);
      words.insert(words.begin(), test::kProgram);
      const int64_t before = written(path);
      Program running(std::move(words));
      // Every fifth time wherever it is, else after it has left something new.
      const bool anywhere = killed % 5 == 4;
      for (int i = 0; !anywhere && i < 20000 && written(path) == before; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (running.ended()) break;
      }
      std::this_thread::sleep_for(
          std::chrono::microseconds(random() % (anywhere ? 400000 : 15000)));
      running.send(SIGKILL);
      const auto ended = running.wait();
      if (ended.status == 0) return killed;
      EXPECT_EQ(ended.status, 128 + SIGKILL) << ended.err;
      if (ended.status != 128 + SIGKILL) return killed;
      EXPECT_NO_THROW(checkpoints_in(folder_ / "out")) << killed;
    }
    return times;
  }

  static int times(int usual) {
    const char* const wanted = ::getenv("OCTET_KILLS");
    return wanted ? std::atoi(wanted) : usual;
  }

  void expect_nothing_left() const {
    for (const auto& entry : fs::directory_iterator(folder_ / "out")) {
      const std::string name = entry.path().filename().string();
      EXPECT_FALSE(name.contains("checkpoint") || name.contains("partial") ||
                   name.contains("candidate"))
          << name;
    }
  }

  const TempFolder folder_;
};

TEST_F(Killed, TrainingEndsWithTheSameBytes) {
  folder_.write("r.yaml", std::string(kNetwork) + kTraining);
  const auto whole = run_octet(command("train", "r.yaml", "whole", false));
  ASSERT_EQ(whole.status, 0) << whole.err;
  const int wanted = times(10);
  const int killed = kill_again_and_again("train", "r.yaml", "train.checkpoint", wanted);
  RecordProperty("killed", killed);
  EXPECT_GE(killed, std::min(wanted, 40)) << "it has that many checkpoints";
  const auto ended = run_octet(command("train", "r.yaml", "out", true));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.err.contains("going on from ")) << ended.err;
  EXPECT_EQ(bytes("out/float.onnx"), bytes("whole/float.onnx"));
  const auto table = [&](const std::string& text) { return text.substr(0, text.find("wrote")); };
  EXPECT_EQ(table(ended.out), table(whole.out));
  expect_nothing_left();
}

TEST_F(Killed, RunsEndWithTheSameBytes) {
  folder_.write("r.yaml",
                std::string(kNetwork) +
                    "train: {epochs: 1, batch: 32, rate: 0.005, checkpoint_minutes: 0}\n" + kQat);
  const auto whole = run_octet(command("run", "r.yaml", "whole", false));
  ASSERT_EQ(whole.status, 0) << whole.err;
  kill_again_and_again("run", "r.yaml", "train.checkpoint", 2);
  kill_again_and_again("run", "r.yaml", "qat.checkpoint", times(4));
  const auto ended = run_octet(command("run", "r.yaml", "out", true));
  ASSERT_EQ(ended.status, 0) << ended.err;
  for (const std::string file : {"float.onnx", "network.octet", "int8.onnx", "int8.tflite"}) {
    EXPECT_EQ(bytes("out/" + file), bytes("whole/" + file)) << file;
  }
  expect_nothing_left();
}

TEST_F(Killed, CtrlCLeavesACheckpointWhereverItIs) {
  folder_.write("r.yaml", std::string(kNetwork) + "train: {epochs: 50, batch: 16}\n");
  auto words = command("train", "r.yaml", "out", false);
  words.insert(words.begin(), test::kProgram);
  Program running(std::move(words));
  const fs::path checkpoint = folder_ / "out/train.checkpoint";
  for (int i = 0; i < 20000 && !fs::exists(checkpoint) && !running.ended(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(150));  // into the next epoch
  running.send(SIGINT);
  const auto ended = running.wait();
  EXPECT_EQ(ended.status, 128 + SIGINT);
  EXPECT_TRUE(ended.err.ends_with(
      "octet: interrupted; the same command with --resume goes on from where it was\n"))
      << ended.err;
  const auto lines = checkpoints_in(folder_ / "out");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(lines[0].starts_with("train.checkpoint: epoch ")) << lines[0];
}

TEST_F(Killed, ResumeBeginsWhereThereIsNothing) {
  folder_.write("r.yaml", std::string(kNetwork) + "train: {epochs: 1, batch: 64}\n");
  const auto ended = run_octet(command("train", "r.yaml", "out", true));
  ASSERT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(folder_.without(ended.err).starts_with("no checkpoint in out: from the beginning\n"))
      << ended.err;
  expect_nothing_left();
}

TEST_F(Killed, RefusesCheckpointsOfAnotherTraining) {
  folder_.write("r.yaml", std::string(kNetwork) + kTraining);
  ASSERT_EQ(kill_again_and_again("train", "r.yaml", "train.checkpoint", 1), 1);
  const auto refusal = [&](const std::string& recipe) {
    folder_.write("other.yaml", recipe);
    const auto ended = run_octet(command("train", "other.yaml", "out", true));
    EXPECT_EQ(ended.status, 2);
    const std::string text = folder_.without(ended.err);
    return text.substr(text.find('\n') + 1);  // behind "going on from"
  };
  std::string rate = std::string(kNetwork) + kTraining;
  rate.replace(rate.find("0.005"), 5, "0.004");
  EXPECT_EQ(refusal(rate),
            "octet: out/train.checkpoint is of another training: its rate is '0.005', here it is "
            "'0.004'; give what it was made with, or begin anew without --resume\n");
  std::string seed = std::string(kNetwork) + kTraining;
  seed.replace(seed.find("seed: 3"), 7, "seed: 4");
  EXPECT_TRUE(refusal(seed).starts_with(
      "octet: out/train.checkpoint is of another training: its network is '"));
  folder_.write("out/train.checkpoint", "half");
  const auto ended = run_octet(command("train", "r.yaml", "out", true));
  EXPECT_EQ(ended.status, 2);
  EXPECT_EQ(folder_.without(ended.err),
            "octet: out/train.checkpoint is no checkpoint, or a damaged one; take it away, or "
            "begin anew without --resume\n");
}

TEST_F(Killed, FinishesWithTheBestEpochAfterItBlewUp) {
  // The rate rises until it is too high, some epochs later.
  folder_.write("r.yaml", std::string(kNetwork) +
                              "train: {epochs: 100, batch: 64, optimizer: sgd, rate: 100, warmup: "
                              "1, schedule: constant}\n");
  const auto ended = run_octet(command("train", "r.yaml", "out", false));
  EXPECT_EQ(ended.status, 1);
  const std::string error = folder_.without(ended.err);
  EXPECT_TRUE(error.contains("octet: train: the loss is ")) << error;
  EXPECT_TRUE(error.ends_with(" %), which out/train.checkpoint holds, by --resume\n")) << error;
  EXPECT_FALSE(fs::exists(folder_ / "out/float.onnx"));
  const auto finished = run_octet(command("train", "r.yaml", "out", true));
  EXPECT_EQ(finished.status, 0) << finished.err;
  EXPECT_TRUE(finished.out.contains("  (kept)\n")) << finished.out;
  EXPECT_TRUE(fs::exists(folder_ / "out/float.onnx"));
  expect_nothing_left();
}

}  // namespace
}  // namespace octet
