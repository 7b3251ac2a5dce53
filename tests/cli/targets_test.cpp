#include <gtest/gtest.h>

#include "cli/workplace.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using test::run_octet;
using test::words;
using test::Workplace;

auto run(const Workplace& place, std::string_view line) { return run_octet(words(place, line)); }

TEST(TargetsCommand, ListsEveryTarget) {
  const auto ended = run_octet({"targets"});
  EXPECT_EQ(ended.status, 0);
  for (const char* name : {"onnxruntime-cpu", "onnxruntime-qdq-any", "tflite", "litert",
                           "nxp-neutron", "ethos-u", "cmsis-nn"}) {
    EXPECT_TRUE(ended.out.contains(name)) << name;
  }
  EXPECT_TRUE(ended.out.contains("weights per tensor, int8 at the ends")) << ended.out;
}

TEST(InspectCommand, SaysWhatATargetComputesInIntegers) {
  const Workplace place;
  const auto ended = run(place, "inspect @net.onnx --target nxp-neutron");
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(ended.out.contains("fold_batch_normalization: ")) << ended.out;
  EXPECT_TRUE(ended.out.contains("Conv                        int8")) << ended.out;
  EXPECT_FALSE(ended.out.contains("refused")) << ended.out;
}

TEST(InspectCommand, SaysWhatATargetRefusesAndWhy) {
  const Workplace place;
  test::write_model(place.folder(), test::onnx_model(R"(g (float[N, 1, 8, 8] x) => (float[N, 64] y)
      <int64 axis = {1}> { [odd] m = CumSum(x, axis) [fine] e = Erf(m) y = Flatten(e) })"),
                    "sums.onnx");
  struct Case {
    const char* target;
    std::vector<const char*> lines;
  };
  const Case cases[] = {
      {"onnxruntime-cpu",
       {"Erf                         int8 table",
        "stays in float: node \"odd\" (CumSum): onnxruntime-cpu has no integer form of it"}},
      {"ethos-u",
       {"refused: node \"odd\" (CumSum): ethos-u has no integer form of it",
        "refused: node \"fine\" (Erf): ethos-u has no integer form of it"}},
      {"onnxruntime-qdq-any", {"Erf                         int8\n"}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.target);
    const auto ended = run(place, std::string("inspect @sums.onnx --target ") + c.target);
    EXPECT_EQ(ended.status, 0) << ended.err;
    for (const char* line : c.lines) EXPECT_TRUE(ended.out.contains(line)) << ended.out;
  }
}

TEST(QuantizeCommand, WritesIntegersAtTheEnds) {
  const Workplace place;
  const auto ended =
      run(place, "quantize @net.onnx --data @data.yaml --io uint8 -o @a.onnx -o @a.tflite");
  EXPECT_EQ(ended.status, 0) << ended.err;
  EXPECT_TRUE(
      ended.out.contains("is uint8: round(real / 0.003921569) + 0, which are the raw pixels"))
      << ended.out;
  for (const char* line : {"eval @a.onnx --data @data.yaml --latency-runs 1",
                           "eval @a.tflite --data @data.yaml --latency-runs 1"}) {
    const auto measured = run(place, line);
    EXPECT_EQ(measured.status, 0) << measured.err;
    EXPECT_TRUE(measured.out.contains("24 images")) << measured.out;
  }
}

TEST(QuantizeCommand, SaysWhyRawPixelsAreNoIntegersOfTheInput) {
  const Workplace place;
  struct Case {
    const char* shared;
    const char* why;
  };
  const Case cases[] = {
      {"mean: [0.5]\n", "because the data's mean is 127.5 of 255, which is no whole number"},
      {"mean: [0.2]\ndeviation: [0.4]\n", "- 77, which are the raw pixels less 128"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.shared);
    place.write("d.yaml", c.shared + Workplace::data("images", "labels"));
    const auto ended =
        run(place, "quantize @net.onnx --data @d.yaml --target nxp-neutron -o @a.tflite");
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_TRUE(ended.out.contains(c.why)) << ended.out;
  }
}

}  // namespace
}  // namespace octet
