#include <gtest/gtest.h>

#include "octet/octet.h"
#include "report/svg.h"

namespace octet {
namespace {

SearchTrial trial(int64_t number, double top1, int64_t size, double latency,
                  std::vector<std::string> in_float = {}) {
  return {.number = number,
          .observer = "mse",
          .in_float = std::move(in_float),
          .top1 = top1,
          .size_bytes = size,
          .latency_ms = latency};
}

SearchResult result() {
  return {.best_file = "out/best.onnx",
          .float_network = {.name = "float",
                            .format = "ONNX FP32",
                            .top1 = 90,
                            .size_bytes = 4000,
                            .latency_ms = 4},
          .max_drop = 0.5,
          .cost = "both",
          .trials = {trial(1, 88, 1000, 1), trial(2, 87, 1000, 1.5), trial(3, 89.6, 1500, 2, {"a"}),
                     trial(4, 89.5, 1400, 2.5, {"b"}), trial(5, 89, 3000, 3, {"a", "b"})},
          .best = 2,
          .finished = true};
}

TEST(SearchResult, TheCurveIsWhatNothingBeats) {
  EXPECT_EQ(result().curve(), (std::vector<size_t>{0, 3, 2}));
  SearchResult refused = result();
  refused.trials[0].refused = "why";
  EXPECT_EQ(refused.curve(), (std::vector<size_t>{1, 3, 2}));
}

TEST(SearchResult, KeepsToTheBar) {
  const SearchResult found = result();
  EXPECT_FALSE(found.keeps(found.trials[0]));
  EXPECT_TRUE(found.keeps(found.trials[3])) << "the bar itself";
}

TEST(SearchResult, Reads) {
  EXPECT_EQ(
      result().text(),
      "trial  what                                              top-1    drop          KB         "
      "ms\n"
      "    1  int8, mse                                       88.00 %    2.00         1.0      "
      "1.000  \n"
      "    4  int8, mse, 1 layer in float                     89.50 %    0.50         1.4      "
      "2.500  keeps\n"
      "    3  int8, mse, 1 layer in float                     89.60 %    0.40         1.5      "
      "2.000  <- the best\n"
      "    -  float                                           90.00 %    0.00         4.0      "
      "4.000  \n"
      "in float: a\n"
      "out/best.onnx: trial 3 of 5, int8, mse, 1 layer in float: top-1 89.60 % (float 90.00 "
      "%), 1.5 KB (float 4.0 KB), 2.000 ms (float 4.000 ms)\n");
  EXPECT_EQ(result().refusal(), "");
  SearchResult none = result();
  none.max_drop = 0.1;
  EXPECT_EQ(none.refusal(),
            "nothing that the target can run keeps top-1 within 0.1 points of float's 90.00 %; the "
            "nearest is trial 3 (int8, mse, 1 layer in float) with 89.60 %, 0.40 below float: "
            "out/best.onnx; allow a larger drop, or train it (octet run)");
}

TEST(SearchResult, IsDrawn) {
  const std::string svg = result().svg();
  size_t dots = 0;
  for (size_t at = 0; (at = svg.find("<circle ", at)) != std::string::npos; ++at) ++dots;
  EXPECT_EQ(dots, 10u) << "five trials, twice";
  EXPECT_FALSE(svg.contains("nan") || svg.contains("inf")) << svg;
  SearchResult single = result();
  single.trials.resize(1);
  single.best = 0;
  single.float_network.top1 = 88;
  single.max_drop = 0;
  EXPECT_FALSE(single.svg().contains("nan")) << "one point alone";
}

TEST(Svg, EscapesWhatIsWritten) {
  Svg picture(10, 10, "a<b>&\"c\"");
  picture.text(1, 2, "x&y");
  EXPECT_TRUE(picture.finish().contains("<title>a&lt;b&gt;&amp;&quot;c&quot;</title>"));
  EXPECT_TRUE(picture.finish().contains(">x&amp;y</text>"));
}

}  // namespace
}  // namespace octet
