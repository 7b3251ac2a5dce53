#include <gtest/gtest.h>

#include "octet/octet.h"
#include "support/error_of.h"
#include "support/shapes_data.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

struct Bars {
  TempFolder folder;
  std::filesystem::path data = write_bars(folder, 200, 100);
  std::filesystem::path model = folder / "net.onnx";
  Bars() {
    make_network(
        {.architecture = "mobilenetv3-tiny", .input = "1x12x12", .classes = 4, .width = 0.25},
        model);
  }
};

GridCell cell(std::string scheme, std::string way, double validation, double test) {
  return {.scheme = std::move(scheme),
          .way = std::move(way),
          .validation = validation,
          .test = test,
          .refusal = {}};
}

TEST(Grid, MeasuresTheFilesThatQuantizeWrites) {
  const Bars bars;
  const GridReport made = grid(bars.model, bars.data,
                               {.schemes = {"per-channel asymmetric", "per-tensor symmetric"},
                                .ways = {"minmax", "mse"},
                                .calibration_images = 64});
  ASSERT_EQ(made.cells.size(), 4U);
  EXPECT_EQ(made.validation_images, 20);
  EXPECT_EQ(made.test_images, 100);
  EXPECT_DOUBLE_EQ(made.float_test, evaluate(bars.model, bars.data).top1);
  for (const GridCell& measured : made.cells) {
    const bool symmetric = measured.scheme == "per-tensor symmetric";
    const auto file = bars.folder / "int8.onnx";
    quantize(bars.model, bars.data, {file},
             {.calibration_images = 64,
              .observer = measured.way,
              .weights = symmetric ? "per-tensor" : "per-channel",
              .activations = symmetric ? "symmetric" : "asymmetric"});
    EXPECT_DOUBLE_EQ(measured.test, evaluate(file, bars.data).top1)
        << measured.scheme << ", " << measured.way;
  }
}

TEST(Grid, SaysWhichCombinationsCannotBeHad) {
  const Bars bars;
  const GridReport made =
      grid(bars.model, bars.data,
           {.schemes = {"per-tensor symmetric power-of-two", "per-channel full", "dynamic"},
            .ways = {"minmax", "minmax+adaround"},
            .calibration_images = 16});
  ASSERT_EQ(made.cells.size(), 5U);
  EXPECT_EQ(made.cells[0].refusal, "");
  EXPECT_EQ(made.cells[1].refusal,
            "the method 'adaround' wants scales of any size and narrow weights; leave out "
            "'power-of-two'");
  EXPECT_EQ(made.cells[2].refusal, "");
  EXPECT_EQ(made.cells[3].refusal,
            "the method 'adaround' wants scales of any size and narrow weights; leave out 'full'");
  EXPECT_EQ(made.cells[4].way, "no calibration");
  EXPECT_EQ(made.cells[4].refusal, "");
  const auto file = bars.folder / "dynamic.onnx";
  quantize(bars.model, {}, {file}, {.ranges = "dynamic"});
  EXPECT_DOUBLE_EQ(made.cells[4].test, evaluate(file, bars.data).top1);
}

TEST(Grid, MeasuresWideActivationsInTflite) {
  const Bars bars;
  const GridReport made = grid(bars.model, bars.data,
                               {.schemes = {"per-channel symmetric int16"},
                                .ways = {"minmax"},
                                .format = "tflite",
                                .calibration_images = 16});
  ASSERT_EQ(made.cells.size(), 1U);
  EXPECT_EQ(made.cells[0].refusal, "");
  EXPECT_TRUE(made.runtime.starts_with("TFLite"));
}

TEST(Grid, ChoosesOnHeldBackImages) {
  const GridReport grid{.model = "net",
                        .runtime = "ONNX Runtime 1",
                        .calibration_images = 8,
                        .validation_images = 20,
                        .test_images = 100,
                        .seed = 1,
                        .float_validation = 91,
                        .float_test = 90,
                        .cells = {cell("a", "minmax", 80, 89), cell("a", "mse", 85, 88),
                                  cell("b", "minmax", 85, 70), cell("b", "mse", 85, 71)}};
  EXPECT_EQ(grid.chosen("a"), &grid.cells[1]);
  EXPECT_EQ(grid.chosen("b"), &grid.cells[2]);
  EXPECT_EQ(grid.chosen("c"), nullptr);
  EXPECT_EQ(grid.markdown(),
            "Top-1 on 100 test images, percent, in ONNX Runtime 1 (float: 90.00); 8 calibration "
            "images, seed 1.\n"
            "Bold: best on 20 training images that were held back (float there: 91.00).\n\n"
            "| net | a | b |\n|---|---|---|\n"
            "| minmax | 89.00 | **70.00** |\n"
            "| mse | **88.00** | 71.00 |\n");
}

TEST(Grid, RefusesWhatItDoesNotKnow) {
  const Bars bars;
  const auto message = [&](const GridOptions& options) {
    return message_of([&] { grid(bars.model, bars.data, options); });
  };
  EXPECT_EQ(message({.schemes = {"per-row"}}),
            "the scheme 'per-row' has the word 'per-row'; wanted some of per-channel, per-tensor, "
            "asymmetric, symmetric, narrow, full, power-of-two, dynamic, int16, int4");
  EXPECT_EQ(
      message({.schemes = {"per-channel full"}, .format = "tflite"}),
      "the target tflite has weights from -127 to 127 (TFLite's specification); wanted the narrow "
      "range");
  EXPECT_EQ(message({.format = "pdf"}), "the format is 'pdf'; wanted onnx or tflite");
  EXPECT_TRUE(message({.ways = {"median"}}).contains("'median'"));
  EXPECT_TRUE(message({.ways = {"mse+magic"}}).contains("the method is 'magic'; wanted one of"));
}

}  // namespace
}  // namespace octet
