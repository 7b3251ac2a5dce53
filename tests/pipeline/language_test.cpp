// The small decoder of examples/decoder on the text that follows the one it learned from.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "octet/octet.h"
#include "support/error_of.h"
#include "support/paths.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

/// The decoder, and a part of its texts.
class LanguagePlace {
 public:
  LanguagePlace() {
    excerpt("opticks.txt", 64 * 128 + 1);
    excerpt("opticks-later.txt", 64 * 160 + 1);
    data_ = folder_.write("data.yaml",
                          "classes: 128\nlength: 64\nvalidation: 0\n"
                          "train: {format: text, text: opticks.txt}\n"
                          "test: {format: text, text: opticks-later.txt}\n");
  }

  static std::filesystem::path decoder() { return source() / "decoder.onnx"; }
  const std::filesystem::path& data() const { return data_; }
  const TempFolder& folder() const { return folder_; }

  State measured(const std::filesystem::path& file) const {
    return evaluate(file, data_, {.latency_runs = 1});
  }
  State quantized(const QuantizeOptions& options) const {
    const auto out = folder_ / "out.onnx";
    const bool looks = !options.methods.empty();
    quantize(decoder(), looks ? data_ : std::filesystem::path(), {out}, options);
    return measured(out);
  }

 private:
  static std::filesystem::path source() {
    return std::filesystem::path(test::kSource) / "examples" / "decoder";
  }
  void excerpt(const char* name, size_t bytes) const {
    std::ostringstream text;
    text << std::ifstream(source() / name).rdbuf();
    folder_.write(name, text.str().substr(0, bytes));
  }

  TempFolder folder_;
  std::filesystem::path data_;
};

TEST(Language, KeepsItsPerplexityInFewBits) {
  const LanguagePlace place;
  const State real = place.measured(LanguagePlace::decoder());
  ASSERT_TRUE(real.perplexity);
  EXPECT_EQ(real.images, 160);
  EXPECT_EQ(real.format, "ONNX FP32");
  EXPECT_GT(*real.perplexity, 2);
  EXPECT_LT(*real.perplexity, 6);
  const auto loss = [&](const QuantizeOptions& options, const char* format, double size) {
    const State state = place.quantized(options);
    EXPECT_EQ(state.format, format);
    EXPECT_LT(static_cast<double>(state.size_bytes), size * static_cast<double>(real.size_bytes));
    return *state.perplexity / *real.perplexity - 1;
  };
  const double dynamic = loss({.ranges = "dynamic"}, "ONNX dynamic INT8", 0.5);
  EXPECT_LT(dynamic, 0.03);
  const double eight = loss({.ranges = "weight-only", .weight_bits = 8}, "ONNX INT8 weights", 0.5);
  EXPECT_LT(eight, 0.002);
  const double nearest = loss({.ranges = "weight-only"}, "ONNX INT4 weights", 0.4);
  EXPECT_LT(nearest, 0.06);
  const double gptq = loss({.calibration_images = 64, .methods = {"gptq"}, .ranges = "weight-only"},
                           "ONNX INT4 weights", 0.4);
  EXPECT_LT(gptq, nearest);
  EXPECT_LT(gptq, 0.04);
}

TEST(Language, RefusesATextThatDoesNotFit) {
  const LanguagePlace place;
  const auto data = place.folder().write(
      "short.yaml", "classes: 128\nlength: 32\ntrain: {format: text, text: opticks.txt}\n");
  const auto out = place.folder() / "out.onnx";
  EXPECT_EQ(message_of([&] {
              quantize(LanguagePlace::decoder(), data, {out},
                       {.methods = {"gptq"}, .ranges = "weight-only"});
            }),
            "the sequences have 32 tokens, the network wants 64; set 'length' in the data "
            "description, or use other data");
}

}  // namespace
}  // namespace octet
