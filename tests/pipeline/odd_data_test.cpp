// Networks and calibration images at the edges: what files then hold, and what both runtimes
// compute of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/stored/stored_tensors.h"
#include "octet/octet.h"
#include "runtime/session.h"
#include "support/data_files.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using L = std::vector<int64_t>;

/// A convolution with ReLU, a sum with another one, a pool and a product, on images of 3x6x6.
struct OddNet {
  std::vector<float> weights{1, 2, 3, -1, 2, 1, 1, 1, -2, 2, 1, 0};  ///< of the first: 4x3x1x1
  std::vector<float> biases{0.5F, -0.5F, 1, 0};                      ///< empty: none
  float factor = 1;                                                  ///< on the sum

  Graph graph() const {
    Graph g;
    const ValueId x = g.add_input("x", DType::Float32, {-1, 3, 6, 6});
    std::vector<ValueId> inputs{x, g.add_constant("w", Tensor::of<float>({4, 3, 1, 1}, weights))};
    if (!biases.empty()) inputs.push_back(g.add_constant("b", Tensor::of<float>({4}, biases)));
    const ValueId conv = g.add_op("Relu", "relu", {g.add_op("Conv", "conv", inputs)});
    const ValueId v = g.add_constant("v", test::random_tensor({4, 3, 1, 1}, 1));
    const ValueId sum = g.add_op("Add", "sum", {conv, g.add_op("Conv", "other", {x, v})});
    const ValueId by = g.add_constant("by", test::random_tensor({4, 4, 1, 1}, 2, 0, factor));
    const ValueId scaled = g.add_op("Conv", "scaled", {sum, by});
    const ValueId flat =
        g.add_op("Flatten", "flat", {g.add_op("GlobalAveragePool", "p", {scaled})});
    const ValueId u = g.add_constant("u", test::random_tensor({4, 3}, 3));
    g.add_output(g.add_op("MatMul", "y", {flat, u}));
    infer_shapes(g);
    return g;
  }
};

/// A folder with a network and images, all bytes of which are `pixel`, or counted up where that is
/// -1.
class OddPlace {
 public:
  OddPlace(const OddNet& net, uint32_t images, int pixel) : images_(images) {
    write_file(folder_ / "net.onnx", write_onnx(net.graph()));
    const size_t bytes = size_t{images} * 108;
    const std::string pixels =
        pixel < 0 ? counting(bytes, 7) : std::string(bytes, static_cast<char>(pixel));
    folder_.write("images", idx_bytes({images, 6, 6, 3}, pixels));
    folder_.write("labels", idx_bytes({images}, std::string(images, '\0')));
    folder_.write("data.yaml",
                  "classes: 3\nchannels: 3\nvalidation: 0\n"
                  "train: {format: idx, images: images, labels: labels}\n");
    for (size_t i = 0; i < bytes; ++i) {
      pixels_.push_back(static_cast<float>(static_cast<uint8_t>(pixels[i])) / 255);
    }
  }

  QuantizeResult quantize(QuantizeOptions options = {}) const {
    return octet::quantize(folder_ / "net.onnx", folder_ / "data.yaml",
                           {folder_ / "q.onnx", folder_ / "q.tflite"}, options);
  }
  std::string message(QuantizeOptions options = {}) const {
    return folder_.without(message_of([&] { quantize(std::move(options)); }));
  }

  /// Both files hold scales that are numbers, and both runtimes compute numbers.
  void check_files() const {
    for (const char* name : {"q.onnx", "q.tflite"}) {
      SCOPED_TRACE(name);
      for (const StoredTensor& tensor : read_stored(folder_ / name).tensors) {
        for (const float scale : tensor.scale) {
          EXPECT_TRUE(std::isnormal(scale) && scale > 0) << tensor.name << ": " << scale;
        }
      }
      const auto logits = open_session(folder_ / name, 1)->run(pixels_, images_);
      EXPECT_EQ(logits.size(), images_ * 3U);
      for (const float logit : logits) EXPECT_TRUE(std::isfinite(logit)) << logit;
    }
  }

 private:
  TempFolder folder_;
  uint32_t images_;
  std::vector<float> pixels_;
};

std::vector<float> times(std::vector<float> numbers, float factor) {
  for (float& number : numbers) number *= factor;
  return numbers;
}

TEST(OddData, GivesSoundFilesWithEveryObserver) {
  const OddNet usual;
  struct Case {
    const char* name;
    OddNet net;
    uint32_t images;
    int pixel;
  };
  const std::vector<Case> cases{
      {"one image", usual, 1, -1},
      {"one black image", usual, 1, 0},
      {"black images", usual, 5, 0},
      {"grey images", usual, 5, 128},
      {"a dead channel, with a bias", {.weights = {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 2, 3}}, 4, -1},
      {"a dead channel, no bias",
       {.weights = {0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 2, 3}, .biases = {}},
       4,
       -1},
      {"a dead layer", {.weights = std::vector<float>(12, 0)}, 4, -1},
      {"a dead layer, no bias", {.weights = std::vector<float>(12, 0), .biases = {}}, 4, -1},
      {"never active", {.biases = {-99, -99, -99, -99}}, 4, -1},
      {"never active in a channel", {.biases = {-99, 1, 1, 1}}, 4, -1},
      {"weights of 1e-30 beside usual ones",
       {.weights = {1e-30F, 0, 1e-30F, 1, 1, 1, 1, 2, 3, -1, 2, 1}},
       4,
       -1},
      {"a range of 1e30",
       {.weights = times(usual.weights, 1e30F), .biases = times(usual.biases, 1e30F)},
       4,
       -1},
  };
  for (const Case& c : cases) {
    const OddPlace place(c.net, c.images, c.pixel);
    for (const std::string observer : {"minmax", "search"}) {
      SCOPED_TRACE(std::string(c.name) + ", " + observer);
      const QuantizeResult result = place.quantize({.observer = observer, .verify_images = 4});
      EXPECT_EQ(result.certificates.size(), 2U);
      place.check_files();
    }
  }
}

TEST(OddData, SaysWhatVanishes) {
  const OddPlace place({.factor = 1e-30F}, 4, -1);
  const QuantizeResult result = place.quantize();
  place.check_files();
  EXPECT_THAT(result.notes, testing::Contains(testing::MatchesRegex(
                                "all numbers of 'scaled' \\(and of 2 more values\\) are 0 in "
                                "integers: they are at most .*e-30, less than half a step of the "
                                "finest grid")));
}

TEST(OddData, RefusesWhatNoFloatHolds) {
  const OddPlace place({.weights = std::vector<float>(12, 3e38F)}, 4, -1);
  EXPECT_THAT(place.message(), testing::HasSubstr("cannot be calibrated: element "));
  EXPECT_THAT(place.message(), testing::StartsWith("calibrate: node \"relu\" (Relu): "));
}

}  // namespace
}  // namespace octet
