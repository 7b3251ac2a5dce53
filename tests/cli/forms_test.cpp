// The program's other forms of quantized files: 16-bit activations, and integer weights alone.
#include "base/file.h"
#include "cli/workplace.h"

namespace octet {
namespace {

using test::expect_refused;
using test::RefusedCommand;
using test::run_octet;
using test::words;
using test::Workplace;

TEST(Forms, RefuseWhatNoRuntimeComputes) {
  const Workplace place;
  const RefusedCommand cases[] = {
      {"16 bits in ONNX", "quantize @net.onnx --data @data.yaml --activation-bits 16 -o @a.onnx", 2,
       "a.onnx: no runtime of .onnx files has integer kernels of 16-bit activations; wanted 8 "
       "bits, or a .tflite file"},
      {"4 bits", "quantize @net.onnx --data @data.yaml --activation-bits 4 -o @a.tflite", 2,
       "a.tflite: no runtime of .tflite files has integer kernels of 4-bit activations; wanted 8 "
       "bits"},
      {"16 bits for an 8-bit target",
       "quantize @net.onnx --data @data.yaml --activation-bits 16 --target tflite -o @a.tflite", 2,
       "the target 'tflite' has integer kernels of 8-bit activations, not of 16 bits; choose 8 "
       "bits, or the target 'tflite-int16x8' alone"},
      {"8 bits for a 16-bit target",
       "quantize @net.onnx --data @data.yaml --target tflite-int16x8 -o @a.tflite", 2,
       "the target 'tflite-int16x8' has integer kernels of 16-bit activations, not of 8 bits; "
       "choose 16 bits, or a target of 8"},
      {"full range in TFLite",
       "quantize @net.onnx --data @data.yaml --weight-range full -o @a.tflite", 2,
       "the target tflite has weights from -127 to 127 (TFLite's specification); wanted the narrow "
       "range"},
      {"a range of weights that is none",
       "quantize @net.onnx --data @data.yaml --weight-range wide -o @a.onnx", 2,
       "'wide' is no choice of the range of weights; wanted narrow or full"},
      {"powers of two with 16 bits",
       "quantize @net.onnx --data @data.yaml --activation-bits 16 --scales power-of-two -o "
       "@a.tflite",
       2, "scales that are powers of two are for 8-bit activations; leave out 'power-of-two'"},
      {"powers of two that move",
       "quantize @net.onnx --data @data.yaml --scales power-of-two --method adaround -o @a.onnx", 2,
       "the method 'adaround' wants scales of any size and narrow weights; leave out "
       "'power-of-two'"},
      {"unknown ranges", "quantize @net.onnx --ranges moving -o @a.tflite", 2,
       "'moving' is no choice of ranges; wanted static or dynamic or weight-only"},
      {"dynamic 16 bits", "quantize @net.onnx --ranges dynamic --activation-bits 16 -o @a.tflite",
       2, "dynamic ranges leave activations real; wanted 8 bits, not 16"},
      {"dynamic with data", "quantize @net.onnx --ranges dynamic --data @data.yaml -o @a.tflite", 2,
       "data.yaml: dynamic ranges need no data; leave it out, and see 'octet eval'"},
      {"dynamic with a form", "quantize @net.onnx --ranges dynamic --form qoperator -o @a.onnx", 2,
       "dynamic ranges have no choice of the form of ONNX files; leave out 'qoperator'"},
      {"dynamic for an accelerator",
       "quantize @net.onnx --ranges dynamic --target ethos-u -o @a.tflite", 2,
       "the target ethos-u has no kernels of dynamic ranges; wanted static ones"},
      {"dynamic network file", "quantize @net.onnx --ranges dynamic -o @a.octet", 2,
       "a.octet: networks of dynamic ranges have no .octet file; wanted .onnx or .tflite"},
      {"weight-only for TFLite", "quantize @net.onnx --ranges weight-only -o @a.tflite", 2,
       "the target tflite has no kernels of weights in groups; wanted onnxruntime-cpu (.onnx), or "
       "the ranges static or dynamic"},
      {"weight-only network file",
       "quantize @net.onnx --ranges weight-only --target onnxruntime-cpu -o @a.octet", 2,
       "a.octet: weight-only ranges have no such file; wanted .onnx"},
      {"3 bits", "quantize @net.onnx --ranges weight-only --weight-bits 3 -o @a.onnx", 2,
       "weights of 3 bits in groups of 32; ONNX Runtime has 4 or 8 bits, in groups of 16, 32, 64, "
       "128 or 256"},
      {"groups of 512", "quantize @net.onnx --ranges weight-only --group 512 -o @a.onnx", 2,
       "weights of 4 bits in groups of 512; ONNX Runtime has 4 or 8 bits, in groups of 16, 32, 64, "
       "128 or 256"},
      {"groups of static ranges", "quantize @net.onnx --data @data.yaml --group 32 -o @a.onnx", 2,
       "groups of weights are for the ranges 'weight-only', not 'static'"},
      {"4 bits in ONNX", "quantize @net.onnx --data @data.yaml --weight-bits 4 -o @a.onnx", 2,
       "the target onnxruntime-cpu has no integer kernels of 4-bit weights; wanted 8 bits, or the "
       "target tflite"},
      {"5 bits", "quantize @net.onnx --data @data.yaml --weight-bits 5 -o @a.tflite", 2,
       "weights of 5 bits; wanted 8 or 4"},
      {"4 bits of dynamic ranges",
       "quantize @net.onnx --ranges dynamic --weight-bits 4 -o @a.tflite", 2,
       "weights of 4 bits are for static ranges, and weight-only ones, not 'dynamic'"},
      {"weight-only per channel",
       "quantize @net.onnx --ranges weight-only --weights per-channel -o @a.onnx", 2,
       "'per-channel' is no choice of weights in groups; wanted asymmetric or symmetric"},
      {"weight-only with integer ends",
       "quantize @net.onnx --ranges weight-only --io int8 -o @a.onnx", 2,
       "weight-only ranges have no choice of input and output; leave out 'int8'"},
      {"weight-only with data and no use of it",
       "quantize @net.onnx --ranges weight-only --data @data.yaml -o @a.onnx", 2,
       "data.yaml: rounding weights to the nearest needs no data; leave it out, or choose the "
       "method 'gptq'"},
      {"GPTQ without data", "quantize @net.onnx --ranges weight-only --method gptq -o @a.onnx", 2,
       "the method 'gptq' looks at images or a text; give a data description"},
      {"another method",
       "quantize @net.onnx --ranges weight-only --method equalize --data @data.yaml -o @a.onnx", 2,
       "the method 'equalize' is not for weight-only ranges; wanted 'gptq', or none: rounding to "
       "the nearest"},
      {"GPTQ of static ranges", "quantize @net.onnx --data @data.yaml --method gptq -o @a.onnx", 2,
       "the method 'gptq' rounds weights in groups; wanted the ranges 'weight-only', or another "
       "method"},
      {"16 bits with integer ends",
       "quantize @net.onnx --data @data.yaml --activation-bits 16 --io int8 -o @a.tflite", 2,
       "files of 16-bit activations have float at their ends; leave out 'int8'"},
      {"static without data", "quantize @net.onnx -o @a.tflite", 2,
       "no data is given to calibrate with; wanted a data description (YAML), or the ranges "
       "'dynamic'"},
  };
  for (const RefusedCommand& row : cases) expect_refused(place, row);
}

/// What `octet eval` says of a file.
std::string evaluated(const Workplace& place, std::string_view file) {
  const auto ended = run_octet({"eval", place.file(file), "--data", place.file("data.yaml")});
  EXPECT_EQ(ended.status, 0) << ended.err;
  return ended.out;
}

TEST(Forms, WriteSixteenBits) {
  const Workplace place;
  const auto made =
      run_octet(words(place,
                      "quantize @net.onnx --data @data.yaml --activation-bits 16 --target "
                      "tflite-int16x8 -o @a.octet -o @a.tflite"));
  EXPECT_EQ(made.status, 0) << made.err;
  const auto verified =
      run_octet(words(place, "verify @a.tflite --against @a.octet --data @data.yaml --images 2"));
  EXPECT_EQ(verified.status, 0) << verified.err;
  EXPECT_TRUE(verified.out.contains("values equal the simulation's")) << verified.out;
  const auto planned = run_octet(words(place, "inspect @net.onnx --target tflite-int16x8"));
  EXPECT_EQ(planned.status, 0) << planned.err;
  EXPECT_TRUE(evaluated(place, "a.tflite").starts_with("TFLite INT16X8  "));
  const auto found = run_octet({"inspect", place.file("a.tflite")});
  EXPECT_FALSE(found.out.contains("still float")) << found.out;
}

TEST(Forms, AreTakenBackFromTheirFiles) {
  const Workplace place;
  for (const std::string scheme : {"--scales power-of-two -o @a.tflite", "--weight-range full"}) {
    const auto made = run_octet(
        words(place, "quantize @net.onnx --data @data.yaml -o @a.octet -o @a.onnx " + scheme));
    EXPECT_EQ(made.status, 0) << made.err;
    for (const std::string against : {"a.octet", "net.onnx"}) {
      const auto verified = run_octet(
          words(place, "verify @a.onnx --against @" + against + " --data @data.yaml --images 2"));
      EXPECT_EQ(verified.status, 0) << verified.err;
      EXPECT_TRUE(verified.out.contains("values equal the simulation's")) << verified.out;
    }
  }
}

TEST(Forms, QuantizeOffKeptCalibrations) {
  const Workplace place;
  const auto look = run_octet(words(place,
                                    "quantize @net.onnx --data @data.yaml --verify-images 0 "
                                    "--keep-calibration @a.calib -o @a.onnx"));
  EXPECT_EQ(look.status, 0) << look.err;
  const auto read = [&](const char* name) { return read_file(place.file(name), Code::Io); };
  const auto off = [&](const std::string& more, const char* out) {
    const auto made = run_octet(
        words(place, "quantize @net.onnx --calibration @a.calib " + more + " -o @" + out));
    EXPECT_EQ(made.status, 0) << made.err;
    return read(out);
  };
  EXPECT_EQ(off("", "b.onnx"), read("a.onnx"));
  EXPECT_EQ(off("--calibration @a.calib", "c.onnx"), read("a.onnx"));  // all counts twice
  EXPECT_NE(off("--observer search", "d.onnx"), read("a.onnx"));
  expect_refused(place,
                 {"of another network", "quantize @net.onnx --calibration @a.onnx -o @e.onnx", 2,
                  "a.onnx is no calibration, or a damaged one; wanted what 'octet quantize "
                  "--keep-calibration' writes"});
}

TEST(Forms, RoundWeightsInGroupsForImages) {
  const Workplace place;
  const auto made = run_octet(words(place,
                                    "quantize @net.onnx --ranges weight-only --weights symmetric "
                                    "--group 16 --method gptq --data @data.yaml -o @a.onnx"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(
      made.out.contains("gptq: 1 products rounded for what they read, in 1 looks at 22 "
                        "images"))
      << made.out;
  EXPECT_TRUE(evaluated(place, "a.onnx").starts_with("ONNX INT4 weights  "));
}

TEST(Forms, WriteDynamicRangesWithoutData) {
  const Workplace place;
  const auto made =
      run_octet(words(place, "quantize @net.onnx --ranges dynamic -o @a.onnx -o @a.tflite"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(evaluated(place, "a.tflite").starts_with("TFLite dynamic INT8  "));
  EXPECT_TRUE(evaluated(place, "a.onnx").starts_with("ONNX dynamic INT8  "));
}

}  // namespace
}  // namespace octet
