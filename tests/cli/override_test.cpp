// The program's choices by node: --override.
#include "base/file.h"
#include "cli/workplace.h"

namespace octet {
namespace {

using test::expect_refused;
using test::run_octet;
using test::words;
using test::Workplace;

TEST(Overrides, AreKeptInTheFiles) {
  const Workplace place;
  const auto made =
      run_octet(words(place,
                      "quantize @net.onnx --data @data.yaml --override stem*=float --override "
                      "*=per-tensor,symmetric -o @a.octet -o @a.onnx -o @a.tflite"));
  EXPECT_EQ(made.status, 0) << made.err;
  EXPECT_TRUE(made.out.contains("stays in float, because it is asked to")) << made.out;
  EXPECT_TRUE(made.out.contains("verified ")) << made.out;
  for (const std::string file : {"a.onnx", "a.tflite"}) {
    for (const std::string against : {"a.octet", "net.onnx"}) {
      const auto verified = run_octet(words(
          place, "verify @" + file + " --against @" + against + " --data @data.yaml --images 2"));
      EXPECT_EQ(verified.status, 0) << verified.err;
      EXPECT_TRUE(verified.out.contains("values equal the simulation's")) << verified.out;
    }
  }
  for (const auto& [file, line] :
       {std::pair{"a.onnx", "still float: Conv"}, std::pair{"a.tflite", "still float: CONV_2D"}}) {
    const auto found = run_octet({"inspect", place.file(file)});
    EXPECT_TRUE(found.out.contains(line)) << found.out;
  }
  const auto same = run_octet(words(place, "compare @a.onnx @a.tflite"));
  EXPECT_EQ(same.status, 0) << same.out << same.err;
}

TEST(Overrides, GiveSomeNodesOfTfliteFiles16Bits) {
  const Workplace place;
  for (const std::string ends : {"float", "int8", "uint8"}) {
    SCOPED_TRACE(ends);
    const auto made =
        run_octet(words(place, "quantize @net.onnx --data @data.yaml --io " + ends +
                                   " --override *=int16 --override stage2*=int8 "
                                   "--override stage3*=float -o @a.octet -o @a.tflite"));
    EXPECT_EQ(made.status, 0) << made.err;
    EXPECT_TRUE(made.out.contains("verified ")) << made.out;
    const auto verified =
        run_octet(words(place, "verify @a.tflite --against @a.octet --data @data.yaml --images 2"));
    EXPECT_EQ(verified.status, 0) << verified.err;
    EXPECT_TRUE(verified.out.contains("values equal the simulation's")) << verified.out;
    const auto found = run_octet({"inspect", place.file("a.tflite")});
    for (const char* used : {"int16", "int8", "still float: CONV_2D"}) {
      EXPECT_TRUE(found.out.contains(used)) << found.out;
    }
  }
  const auto adopted =
      run_octet(words(place, "verify @a.tflite --against @net.onnx --data @data.yaml --images 2"));
  EXPECT_EQ(adopted.status, 1);
  EXPECT_EQ(place.without(adopted.err),
            "octet: a.tflite: networks of 16-bit activations are not taken back from their files; "
            "give its .octet file\n");
}

TEST(Overrides, AreRefusedBeforeAnyWork) {
  const Workplace place;
  const test::RefusedCommand cases[] = {
      {"no words", "quantize @net.onnx --data @data.yaml --override stem -o @a.onnx", 2,
       "the override is 'stem'; wanted PATTERN=WORDS, such as '/head/*=float'"},
      {"float on Ethos-U",
       "quantize @net.onnx --data @data.yaml --override *=float --target ethos-u -o @a.tflite", 2,
       "the override '*=float': a TFLite INT8 file (target ethos-u) has no float between its "
       "integers; make files for onnxruntime-cpu or tflite, or leave it out"},
      {"16 bits in ONNX",
       "quantize @net.onnx --data @data.yaml --override stem*=int16 -o @a.onnx -o @a.tflite", 2,
       "the override 'stem*=int16': ONNX Runtime (target onnxruntime-cpu) has no integer kernels "
       "of "
       "16-bit activations; make files for tflite alone, or leave it out"},
      {"of no node", "quantize @net.onnx --data @data.yaml --override setm*=float -o @a.onnx", 2,
       "the override 'setm*=float' is of no node of the fused network; near it are 'stem.conv', "
       "'stem.act'"},
  };
  for (const auto& row : cases) expect_refused(place, row);
}

}  // namespace
}  // namespace octet
