#include "api/checkpoint_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/file.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

class CheckpointFile : public ::testing::Test {
 protected:
  static Checkpoint some() {
    Checkpoint checkpoint{.epoch = 2,
                          .batches = 7,
                          .loss = 0.1 + 0.2,
                          .epochs = {{0, 0, 50.5}, {1, 1.0 / 3, 71.25}, {2, 0.3, 60}},
                          .best = 1,
                          .finished = false,
                          .tensors = {}};
    checkpoint.tensors["present/weight:a \"b\""] =
        Tensor::of<float>({2, 3}, std::vector<float>{1, -2, 3.5F, 0, 1e-30F, 7});
    checkpoint.tensors["zero_point/x"] = Tensor::of<int32_t>({1}, std::vector<int32_t>{-3});
    checkpoint.tensors["optimizer/steps"] = Tensor::scalar(4);
    return checkpoint;
  }
  std::string message(const TrainingIdentity& identity) const {
    return folder_.without(message_of([&] { read_checkpoint(path_, identity); }));
  }

  const TempFolder folder_;
  const std::filesystem::path path_ = folder_ / "qat.checkpoint";
  const TrainingIdentity identity_{{"network", "81ac"}, {"seed", "1"}, {"rate", "0.1"}};
};

TEST_F(CheckpointFile, HoldsEverythingToTheBit) {
  const Checkpoint wanted = some();
  write_checkpoint(path_, wanted, identity_);
  const Checkpoint read = read_checkpoint(path_, identity_);
  EXPECT_EQ(read.epoch, 2);
  EXPECT_EQ(read.batches, 7);
  EXPECT_EQ(read.loss, wanted.loss);
  EXPECT_EQ(read.best, 1);
  EXPECT_FALSE(read.finished);
  ASSERT_EQ(read.epochs.size(), 3U);
  EXPECT_EQ(read.epochs[1].loss, 1.0 / 3);
  EXPECT_EQ(read.epochs[1].validation, 71.25);
  ASSERT_EQ(read.tensors.size(), 3U);
  for (const auto& [name, tensor] : wanted.tensors) {
    EXPECT_EQ(read.tensors.at(name).dtype, tensor.dtype) << name;
    EXPECT_EQ(read.tensors.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(read.tensors.at(name).bytes, tensor.bytes) << name;
  }
  EXPECT_EQ(checkpoint_text(path_), "epoch 3, 7 batches");
}

/// By the description of the format, not by our reader.
TEST_F(CheckpointFile, IsSafetensors) {
  write_checkpoint(path_, some(), identity_);
  const auto bytes = read_file(path_, Code::Io);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ(length % 8, 0U);
  const char* const text = reinterpret_cast<const char*>(bytes.data()) + 8;
  const auto header = nlohmann::json::parse(text, text + length);
  EXPECT_EQ(header["optimizer/steps"]["dtype"], "F32");
  EXPECT_EQ(header["present/weight:a \"b\""]["shape"], nlohmann::json({2, 3}));
  for (const auto& [key, value] : header["__metadata__"].items()) {
    EXPECT_TRUE(value.is_string()) << key;
  }
  // Tensors cover the rest of the file, without holes.
  std::map<size_t, size_t> places;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    places[entry["data_offsets"][0]] = entry["data_offsets"][1];
  }
  size_t end = 0;
  for (const auto& [first, last] : places) {
    EXPECT_EQ(first, end);
    end = last;
  }
  EXPECT_EQ(end, bytes.size() - 8 - length);
}

TEST_F(CheckpointFile, RefusesWhatIsDamaged) {
  write_checkpoint(path_, some(), identity_);
  const auto whole = read_file(path_, Code::Io);
  const std::string refused =
      "qat.checkpoint is no checkpoint, or a damaged one; take it away, or begin anew without "
      "--resume";
  for (size_t size = 0; size < whole.size(); size += 7) {
    write_file(path_, std::span(whole).first(size));
    EXPECT_EQ(message(identity_), refused) << size << " bytes";
  }
  for (size_t at = 0; at < whole.size(); at += 3) {
    auto changed = whole;
    changed[at] ^= std::byte{16};
    write_file(path_, changed);
    EXPECT_EQ(message(identity_), refused) << "byte " << at;
  }
  EXPECT_EQ(error_of([&] { checkpoint_text(path_); }).code(), Code::Data);
  folder_.write("qat.checkpoint", "just text, long enough to have been a checkpoint");
  EXPECT_EQ(message(identity_), refused);
}

TEST_F(CheckpointFile, RefusesAnotherTrainingByName) {
  write_checkpoint(path_, some(), identity_);
  EXPECT_EQ(message({{"network", "81ac"}, {"seed", "2"}, {"rate", "0.2"}}),
            "qat.checkpoint is of another training: its seed is '1', here it is '2'; give what it "
            "was made with, or begin anew without --resume");
  EXPECT_EQ(error_of([&] { read_checkpoint(path_, {{"seed", "2"}}); }).code(), Code::Usage);
}

TEST_F(CheckpointFile, RefusesAnotherVersion) {
  write_checkpoint(path_, some(), identity_);
  auto bytes = read_file(path_, Code::Io);
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t at = text.find(R"("version":"1")");
  ASSERT_NE(at, std::string::npos);
  text[at + 11] = '2';
  text.replace(text.size() - 16, 16,
               digest(std::as_bytes(std::span(text).first(text.size() - 16))));
  write_file(path_, text);
  EXPECT_EQ(message(identity_),
            "qat.checkpoint is a checkpoint of version 2; wanted version 1: go on with the octet "
            "that wrote it, or begin anew without --resume");
}

}  // namespace
}  // namespace octet
