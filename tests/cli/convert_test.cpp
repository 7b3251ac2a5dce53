// The subcommand `convert`, and `--form`.
#include "cli/workplace.h"

namespace octet {
namespace {

using namespace test;

TEST(ConvertProgram, WritesWhatIsQuantizedInOtherFormsAndFormats) {
  const Workplace place;
  const auto run = [&](std::string_view line) { return run_octet(words(place, line)); };
  ASSERT_EQ(run("quantize @net.onnx --data @data.yaml -o @q.onnx --form qoperator").status, 0);
  const auto ended = run("convert @q.onnx -o @made.onnx -o @made.tflite");
  EXPECT_EQ(ended.status, 0) << ended.err;
  const std::string out = place.without(ended.out);
  EXPECT_TRUE(out.contains(" tensors carried over, 0 changed, 0 calibrated\n")) << out;
  EXPECT_TRUE(out.ends_with("wrote made.onnx\nwrote made.tflite\n")) << out;
  const auto again = run("quantize @made.onnx --data @data.yaml -o @twice.onnx");
  EXPECT_EQ(again.status, 1);
  EXPECT_TRUE(again.err.contains("made.onnx: it is quantized already, by node ")) << again.err;
}

TEST(ConvertProgram, RefusesInOneLine) {
  const Workplace place;
  for (const RefusedCommand& row : {
           RefusedCommand{"float", "convert @net.onnx -o @made.tflite", 2,
                          "net.onnx: none of its tensors is quantized; use 'octet quantize' for "
                          "float networks"},
           RefusedCommand{
               "form", "convert @net.onnx -o @made.onnx --form tensorrt", 2,
               "'tensorrt' is no choice of the form of ONNX files; wanted qdq or qoperator"},
           RefusedCommand{
               "extension", "convert @net.onnx -o @made.bin", 2,
               "made.bin: the format is told by the extension; wanted .onnx, .tflite or .octet"},
           RefusedCommand{"itself", "convert @net.onnx -o @net.onnx", 2,
                          "net.onnx: the output is the network that is read; wanted another name"},
           RefusedCommand{"network file", "convert @net.onnx -o @made.octet", 2,
                          "made.octet: a converted network is written as .onnx or .tflite"},
           RefusedCommand{"images", "convert @net.onnx -o @made.onnx --images 0", 2,
                          "0 calibration images; wanted 1 or more"},
       }) {
    expect_refused(place, row);
  }
}

}  // namespace
}  // namespace octet
