#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/workplace.h"
#include "pipeline/tampered_file.h"

namespace octet {
namespace {

using test::expect_refused;
using test::RefusedCommand;
using test::run_octet;
using test::words;
using test::Workplace;
namespace fs = std::filesystem;

/// A workplace with the network file and both INT8 files of its network, made once.
class Verified : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<Shared>();
    const auto made = run_octet(
        words(shared_->place,
              "quantize @net.onnx --data @data.yaml -o @q.octet -o @q.onnx -o @q.tflite"));
    ASSERT_EQ(made.status, 0) << made.err;
    shared_->out = shared_->place.without(made.out);
  }
  static void TearDownTestSuite() { shared_.reset(); }

  struct Shared {
    Workplace place;
    std::string out;  ///< of the quantization
  };
  static inline std::unique_ptr<Shared> shared_;
  const Workplace& place = shared_->place;
  const std::string& out = shared_->out;
};

TEST_F(Verified, FilesAreCertifiedWhenTheyAreWritten) {
  const std::string equal = " values equal the simulation's; same prediction as simulated 100.00 %";
  EXPECT_TRUE(out.contains("\nverified q.onnx in ONNX Runtime 1.")) << out;
  EXPECT_TRUE(out.contains(equal)) << out;
  EXPECT_TRUE(out.contains("\nverified q.tflite in TFLite 2.")) << out;
  EXPECT_TRUE(out.ends_with("\nwrote q.octet\nwrote q.onnx\nwrote q.tflite\n")) << out;
}

TEST_F(Verified, FilesAreVerifiedAgain) {
  for (const char* file : {"q.onnx", "q.tflite"}) {
    const auto ended =
        run_octet({"verify", place.file(file), "--against", place.file("q.octet"), "--data",
                   place.file("data.yaml"), "--json", place.file("c.json")});
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_TRUE(ended.out.starts_with("value ")) << ended.out;
    EXPECT_TRUE(place.without(ended.out).contains(std::string("\n") + file + " in ")) << ended.out;
    std::ifstream in(place.file("c.json"));
    const auto json = nlohmann::json::parse(in);
    EXPECT_EQ(json["passed"], true);
    EXPECT_EQ(json["largest"], 0);
    EXPECT_EQ(json["images"], 2) << "a tenth of the 24 training images is held back";
    EXPECT_GT(json["tensors"].size(), 20u);
    EXPECT_EQ(json["same_as_simulated"], 100.0);
  }
}

/// The first initializer of int8: a weight.
std::string weight_of(const std::string& file) {
  const auto bytes = read_file(file, Code::Io);
  onnx::ModelProto model;
  model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  for (const auto& tensor : model.graph().initializer()) {
    if (tensor.data_type() == onnx::TensorProto::INT8) return tensor.name();
  }
  return "";
}

TEST_F(Verified, ATamperedFileIsNamed) {
  fs::copy_file(place.file("q.onnx"), place.file("bad.onnx"));
  fs::copy_file(place.file("q.tflite"), place.file("bad.tflite"));
  const std::string weight = weight_of(place.file("q.onnx"));
  test::tamper_onnx(place.file("bad.onnx"), weight);
  test::tamper_tflite(place.file("bad.tflite"), weight.substr(0, weight.rfind("/quantized")));
  for (const std::string file : {"bad.onnx", "bad.tflite"}) {
    const std::string command = "verify @" + file + " --against @q.octet --data @data.yaml";
    const auto ended = run_octet(words(place, command));
    EXPECT_EQ(ended.status, 1);
    const std::string error = place.without(ended.err);
    EXPECT_TRUE(error.contains("octet: " + file + " is not what its simulation computes: '"))
        << error;
    EXPECT_TRUE(ended.out.contains("' is the first value where they part: ")) << ended.out;
    const auto allowed = run_octet(words(place, command + " --limit 255"));
    EXPECT_EQ(allowed.status, 0) << allowed.err;
  }
}

TEST_F(Verified, RefusesWhatItCannotUse) {
  place.write("text.tflite", "this is not a network");
  place.write("text.octet", "this is not a network");
  for (const char* file : {"q.onnx", "q.tflite", "q.octet"}) {
    const std::string cut = std::string("cut") + fs::path(file).extension().string();
    fs::copy_file(place.file(file), place.file(cut));
    fs::resize_file(place.file(cut), 3000);
  }
  place.write("large", idx_bytes({24, 9, 8}, counting(std::size_t{24} * 72)));
  place.write("large.yaml", Workplace::data("large", "labels"));
  place.write("test.yaml", "classes: 3\ntest: {format: idx, images: images, labels: labels}\n");
  const auto other = run_octet(
      words(place, "new mobilenetv3-tiny --input 1x8x8 --classes 3 --width 0.5 -o @o.onnx"));
  ASSERT_EQ(other.status, 0) << other.err;
  const auto made = run_octet(words(place, "quantize @o.onnx --data @data.yaml -o @o.octet"));
  ASSERT_EQ(made.status, 0) << made.err;
  const RefusedCommand cases[] = {
      {"unknown file", "verify @images --against @q.octet --data @data.yaml", 2,
       "images: which runtime computes this file is told by its extension; wanted .onnx or "
       ".tflite"},
      {"missing file", "verify @none.onnx --against @q.octet --data @data.yaml", 2,
       "cannot read none.onnx: No such file or directory"},
      {"missing network", "verify @q.onnx --against @none.octet --data @data.yaml", 2,
       "cannot read none.octet: No such file or directory"},
      {"missing data", "verify @q.onnx --against @q.octet --data @none.yaml", 2,
       "cannot read none.yaml: No such file or directory"},
      {"no network file", "verify @q.onnx --against @q.tflite --data @data.yaml", 2,
       "q.tflite: wanted the network file (.octet) that q.onnx was made from, or the float network "
       "(.onnx)"},
      {"text for a network", "verify @q.onnx --against @text.octet --data @data.yaml", 2,
       "text.octet is not a network file of octet, or a truncated one; copy it again, or write it "
       "with 'octet quantize -o NAME.octet'"},
      {"truncated network", "verify @q.onnx --against @cut.octet --data @data.yaml", 2,
       "cut.octet is not a network file of octet, or a truncated one; copy it again, or write it "
       "with 'octet quantize -o NAME.octet'"},
      {"truncated ONNX", "verify @cut.onnx --against @q.octet --data @data.yaml", 2,
       "cut.onnx is not an ONNX file, or a truncated one; copy or export it again"},
      {"truncated TFLite", "verify @cut.tflite --against @q.octet --data @data.yaml", 2,
       "cut.tflite is not a TFLite file: The model is not a valid Flatbuffer buffer"},
      {"text for TFLite", "verify @text.tflite --against @q.octet --data @data.yaml", 2,
       "text.tflite is not a TFLite file: The model is not a valid Flatbuffer buffer"},
      {"images of another size", "verify @q.onnx --against @q.octet --data @large.yaml", 2,
       "the images are 1x9x8, the network wants 1x8x8; set 'size' and 'channels' in the data "
       "description, or use other data"},
      {"no training images", "verify @q.onnx --against @q.octet --data @test.yaml", 2,
       "the data description has no 'train' images, which this needs; add 'train: {...}'"},
      {"no images", "verify @q.onnx --against @q.octet --data @data.yaml --images 0", 2,
       "0 images; wanted 1 or more"},
      {"negative limit", "verify @q.onnx --against @q.octet --data @data.yaml --limit -1", 2,
       "the limit is -1 steps; wanted 0 or more"},
      {"negative limit, quantize",
       "quantize @net.onnx --data @data.yaml -o @a.onnx --verify-limit -1", 2,
       "verification of 32 images with a limit of -1 steps; wanted 0 or more"},
  };
  for (const RefusedCommand& row : cases) expect_refused(place, row);
  // Files of another network: the first value that they lack, or hold in another shape.
  for (const char* file : {"q.onnx", "q.tflite"}) {
    const auto ended = run_octet(
        words(place, std::string("verify @") + file + " --against @o.octet --data @data.yaml"));
    EXPECT_EQ(ended.status, 2);
    EXPECT_TRUE(place.without(ended.err).contains(
        "it is the file of another network; give the network that it was made from\n"))
        << ended.err;
    EXPECT_TRUE(place.without(ended.err).starts_with("octet: " + std::string(file) + " has no "))
        << ended.err;
  }
}

TEST_F(Verified, FilesOfIntegerEndsAreVerifiedAgainstTheFloatNetworkToo) {
  for (const char* io : {"int8", "uint8"}) {
    const auto made = run_octet(
        words(place,
              std::string("quantize @net.onnx --data @data.yaml --verify-images 2 -o @e.onnx -o ") +
                  "@e.tflite --io " + io));
    EXPECT_EQ(made.status, 0) << made.err;
    for (const char* file : {"e.onnx", "e.tflite"}) {
      const auto ended = run_octet(
          words(place, std::string("verify @") + file + " --against @net.onnx --data @data.yaml"));
      EXPECT_EQ(ended.status, 0) << ended.err;
    }
    const auto twins = run_octet(words(place, "compare @e.onnx @e.tflite"));
    EXPECT_EQ(twins.status, 0) << twins.out << twins.err;
  }
}

TEST_F(Verified, VerificationCanBeLeftOut) {
  const auto made =
      run_octet(words(place, "quantize @net.onnx --data @data.yaml -o @a.onnx --verify-images 0"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_FALSE(made.out.contains("verified")) << made.out;
  EXPECT_TRUE(place.without(made.out).ends_with("\nwrote a.onnx\n")) << made.out;
}

}  // namespace
}  // namespace octet
