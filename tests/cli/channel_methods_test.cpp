// Files of networks that methods changed before they were quantized.

#include <gtest/gtest.h>

#include "base/file.h"
#include "cli/recipe_run.h"
#include "cli/workplace.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using test::random_tensor;
using test::run_octet;
using test::words;
using test::Workplace;

/// Conv with a high bias, Clip(0, 6) that nothing reaches, Conv without a bias, HardSwish, Conv,
/// and a classifier of pooled channels.
Graph clipped_network() {
  Graph graph;
  auto c = [&, seed = 0U](Shape shape, float low = -0.3F, float high = 0.3F) mutable {
    return graph.add_constant("c", random_tensor(std::move(shape), ++seed, low, high));
  };
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 8, 8});
  const ValueId first = graph.add_op("Conv", "first", {x, c({6, 1, 1, 1}), c({6}, 2, 4)});
  const ValueId zero = graph.add_constant("zero", Tensor::scalar(0));
  const ValueId six = graph.add_constant("six", Tensor::scalar(6));
  const ValueId clip = graph.add_op("Clip", "clip", {first, zero, six});
  const ValueId second = graph.add_op("Conv", "second", {clip, c({5, 6, 1, 1})});
  const ValueId swish = graph.add_op("HardSwish", "swish", {second});
  const ValueId third = graph.add_op("Conv", "third", {swish, c({4, 5, 3, 3}), c({4})});
  const ValueId pool = graph.add_op("GlobalAveragePool", "pool", {third});
  const ValueId rows = graph.add_op("Flatten", "rows", {pool});
  graph.add_output(graph.add_op("Gemm", "logits", {rows, c({4, 3}, -2, 2), c({3})}));
  infer_shapes(graph);
  return graph;
}

/// A workplace with that network as "clipped.onnx".
struct Prepared : Workplace {
  Prepared() { write_file(file("clipped.onnx"), write_onnx(clipped_network())); }
};

TEST(ChannelMethods, TellWhatTheyDid) {
  const Prepared place;
  const auto made =
      run_octet(words(place,
                      "quantize @clipped.onnx --data @data.yaml -o @q.onnx --method absorb-bias "
                      "--method equalize --method migrate"));
  ASSERT_EQ(made.status, 0) << made.err;
  for (const char* line :
       {"equalize: 1 of 1 Clips became Relu, through which channels can be scaled; 0 of 22 "
        "predictions change by that",
        "equalize: 2 places between weights equalized in ",
        "; 1 left alone, because channels cannot be scaled through HardSwish (1)",
        "migrate: 2 places between weights scaled; where channels differ most, the largest was ",
        "absorb-bias: 6 channels moved in 1 of 1 places; 0 more places left alone"}) {
    EXPECT_TRUE(made.out.contains(line)) << line << "\n" << made.out;
  }
}

/// Neither the Relu nor the bias that a method put in is in the float network.
TEST(ChannelMethods, LeaveFilesThatAreHeldAgainstTheFloatNetwork) {
  const Prepared place;
  const auto made = run_octet(
      words(place,
            "quantize @clipped.onnx --data @data.yaml -o @q.onnx -o @q.tflite -o @q.octet "
            "--method equalize --method absorb-bias"));
  ASSERT_EQ(made.status, 0) << made.err;
  for (const char* file : {"q.onnx", "q.tflite"}) {
    for (const char* against : {"clipped.onnx", "q.octet"}) {
      const auto ended = run_octet({"verify", place.file(file), "--against", place.file(against),
                                    "--data", place.file("data.yaml")});
      EXPECT_EQ(ended.status, 0) << file << " against " << against << ": " << ended.err;
    }
  }
}

TEST(ChannelMethods, AreFollowedByTraining) {
  const Prepared place;
  const auto report = test::trained_report(
      place, "clipped.onnx", "images: 24, methods: [equalize, migrate, absorb-bias], migration: 1");
  EXPECT_TRUE(report["notes"].dump().contains("equalize: 2 places")) << report["notes"];
}

TEST(ChannelMethods, WantSenseAndImages) {
  const Prepared place;
  const auto kept = run_octet(words(
      place, "quantize @clipped.onnx --data @data.yaml -o @q.onnx --keep-calibration @q.calib"));
  ASSERT_EQ(kept.status, 0) << kept.err;
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"quantize @clipped.onnx --data @data.yaml -o @r.onnx --migration 1.5",
            "the migration is 1.5; wanted 0 to 1"},
           {"quantize @clipped.onnx --calibration @q.calib -o @r.onnx --method migrate",
            "the method 'migrate' looks at images; give a data description beside the "
            "calibration"}}) {
    const auto ended = run_octet(words(place, line));
    EXPECT_NE(ended.status, 0);
    EXPECT_TRUE(ended.err.contains(message)) << ended.err;
  }
}

/// Of a network that was prepared otherwise: by no method, or off other images.
TEST(ChannelMethods, RefuseOtherCalibrations) {
  const Prepared place;
  for (const char* more : {"-o @q.onnx --keep-calibration @plain.calib",
                           "-o @q.onnx --keep-calibration @scaled.calib --method migrate"}) {
    const auto kept = run_octet(
        words(place, std::string("quantize @clipped.onnx --data @data.yaml ").append(more)));
    ASSERT_EQ(kept.status, 0) << kept.err;
  }
  const auto again = [&](std::string_view calibration, std::string_view more) {
    return run_octet(words(place, std::format("quantize @clipped.onnx --data @data.yaml -o @r.onnx "
                                              "--calibration @{} {}",
                                              calibration, more)));
  };
  EXPECT_EQ(again("scaled.calib", "--method migrate").status, 0);
  for (const auto& [calibration, more] : std::vector<std::pair<std::string, std::string>>{
           {"plain.calib", "--method equalize"},
           {"scaled.calib", ""},
           {"scaled.calib", "--method migrate --images 1"}}) {
    const auto ended = again(calibration, more);
    EXPECT_NE(ended.status, 0) << calibration << " " << more;
    EXPECT_TRUE(
        ended.err.contains("its weights, or methods that change them, are others: calibrate again"))
        << ended.err;
  }
}

}  // namespace
}  // namespace octet
