// Files of networks that methods refined after calibration.

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/recipe_run.h"
#include "cli/workplace.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using test::run_octet;
using test::words;
using test::Workplace;

/// A workplace with a small network, whose first layer has no bias, as "plain.onnx".
struct RefinePlace : Workplace {
  RefinePlace() {
    Graph graph;
    auto drawn = [&, seed = 0U](Shape shape) mutable {
      return graph.add_constant("c", test::random_tensor(std::move(shape), ++seed, -0.6F, 0.6F));
    };
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 8, 8});
    const ValueId first = graph.add_op("Conv", "first", {x, drawn({6, 1, 3, 3})});
    const ValueId relu = graph.add_op("Relu", "relu", {first});
    const ValueId second = graph.add_op("Conv", "second", {relu, drawn({4, 6, 1, 1}), drawn({4})});
    const ValueId pool = graph.add_op("GlobalAveragePool", "pool", {second});
    const ValueId rows = graph.add_op("Flatten", "rows", {pool});
    graph.add_output(graph.add_op("Gemm", "logits", {rows, drawn({4, 3}), drawn({3})}));
    infer_shapes(graph);
    write_file(file("plain.onnx"), write_onnx(graph));
  }
};

TEST(RefineMethods, LeaveFilesThatAreHeldAgainstTheFloatNetwork) {
  const RefinePlace place;
  const auto made =
      run_octet(words(place,
                      "quantize @plain.onnx --data @data.yaml -o @q.onnx -o @q.tflite "
                      "--method bias-correction --method learn-ranges"));
  ASSERT_EQ(made.status, 0) << made.err;
  for (const char* line : {" blocks are nearer to what they give in float",
                           "bias-correction: the biases of 3 layers moved"}) {
    EXPECT_TRUE(made.out.contains(line)) << line << "\n" << made.out;
  }
  for (const char* file : {"q.onnx", "q.tflite"}) {
    const auto ended = run_octet({"verify", place.file(file), "--against", place.file("plain.onnx"),
                                  "--data", place.file("data.yaml")});
    EXPECT_EQ(ended.status, 0) << file << ": " << ended.err;
  }
}

TEST(RefineMethods, AreFollowedByTraining) {
  const RefinePlace place;
  const auto report =
      test::trained_report(place, "plain.onnx", "images: 24, methods: [adaround, bias-correction]");
  EXPECT_TRUE(report["notes"].dump().contains("adaround: ")) << report["notes"];
}

TEST(RefineMethods, WantImages) {
  const RefinePlace place;
  const auto kept = run_octet(words(
      place, "quantize @plain.onnx --data @data.yaml -o @q.onnx --keep-calibration @q.calib"));
  ASSERT_EQ(kept.status, 0) << kept.err;
  const auto ended = run_octet(
      words(place, "quantize @plain.onnx --calibration @q.calib -o @r.onnx --method adaround"));
  EXPECT_NE(ended.status, 0);
  EXPECT_TRUE(
      ended.err.contains("the method 'adaround' looks at images; give a data description "
                         "beside the calibration"))
      << ended.err;
}

}  // namespace
}  // namespace octet
