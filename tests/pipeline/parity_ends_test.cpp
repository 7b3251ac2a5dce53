// Integers at the ends of the files: they compute what the files with float ends do, to the bit.
#include "pipeline/parity.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using namespace test;

struct Ends {
  std::string name;
  Io io;
  bool unsigned_activations;
};

void PrintTo(const Ends& held, std::ostream* out) { *out << held.name; }

struct Network {
  const char* name;
  ValueId (*build)(SmallNet& net);
};

/// What makes an output, and what reads an input, in the ways that the writers tell apart.
const Network kNetworks[] = {
    {"convolution", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
    {"table", [](SmallNet& n) { return n.op("Erf", {n.mixed(n.x)}); }},
    {"rescaled", [](SmallNet& n) { return n.op("Mul", {n.x, n.number(0.5F)}); }},
    {"moved", [](SmallNet& n) { return n.op("Transpose", {n.x}, {{"perm", L{0, 2, 3, 1}}}); }},
    {"extreme",
     [](SmallNet& n) {
       return n.op("Max", {n.op("MaxPool", {n.x}, {{"kernel_shape", L{1, 1}}}), n.x});
     }},
    {"padded", [](SmallNet& n) { return n.op("Pad", {n.x, n.list({0, 0, 1, 1, 0, 0, 1, 1})}); }},
};

class IntegerEnds : public ::testing::TestWithParam<Ends> {};

TEST_P(IntegerEnds, ComputeWhatFloatEndsDo) {
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const FileForm form{.io = GetParam().io, .unsigned_activations = GetParam().unsigned_activations};
  for (const Network& network : kNetworks) {
    SCOPED_TRACE(network.name);
    SmallNet small;
    small.graph.add_output(network.build(small));
    const Quantized net(std::move(small.graph), {"onnxruntime-cpu", "tflite"}, images, 8);
    const TempFolder folder;
    FileForm with_floats = form;
    with_floats.io = Io::Float;
    write_file(folder / "f.onnx", write_onnx(net.graph, net.table, with_floats));
    write_file(folder / "i.onnx", write_onnx(net.graph, net.table, form));
    write_file(folder / "f.tflite", write_tflite(net.graph, net.table));
    write_file(folder / "i.tflite", write_tflite(net.graph, net.table, form));
    EXPECT_EQ(open_session(folder / "i.onnx", 1)->run(images, 8),
              open_session(folder / "f.onnx", 1)->run(images, 8));
    const auto lite = open_session(folder / "i.tflite", 1);
    const bool last = lite->image_shape() == Shape{6, 6, 3};
    const std::vector<float> laid =
        last ? moved_last(images, 3, 36) : std::vector<float>(images.begin(), images.end());
    EXPECT_EQ(lite->run(laid, 8), open_session(folder / "f.tflite", 1)->run(laid, 8));
    // ONNX Runtime on x86 fuses int8 activations only in part.
    if (form.unsigned_activations) {
      EXPECT_EQ(inspect(folder / "i.onnx").still_float, std::vector<std::string>{});
    }
    EXPECT_EQ(inspect(folder / "i.tflite").still_float, std::vector<std::string>{});
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, IntegerEnds,
                         ::testing::Values(Ends{"Int8", Io::Int8, true},
                                           Ends{"UInt8", Io::UInt8, true},
                                           Ends{"Int8Inside", Io::Int8, false},
                                           Ends{"UInt8AroundInt8", Io::UInt8, false}),
                         [](const auto& tested) { return tested.param.name; });

TEST(IntegerEnds, LeaveNoQuantizeInAFileOfInt8) {
  SmallNet small;
  small.graph.add_output(small.op("Relu", {small.conv(small.x)}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const Quantized net(std::move(small.graph), {"nxp-neutron"}, data.as<float>(), 8);
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table, {.io = Io::Int8}));
  const Inspection found = inspect(folder / "n.tflite");
  ASSERT_EQ(found.source.size(), 1U);
  EXPECT_EQ(found.source[0].op, "CONV_2D");
  EXPECT_EQ(net.table.at(*net.graph.find("c"), net.graph).scale.size(), 1U);
}

TEST(OnnxRuntimeSession, RefusesIntegersOnAnUnknownGrid) {
  const TempFolder folder;
  write_model(folder, onnx_model("g (uint8[N, 4] x) => (uint8[N, 4] y) { y = Identity(x) }"),
              "n.onnx");
  const Error error = error_of([&] { open_session(folder / "n.onnx", 1); });
  EXPECT_EQ(folder.without(error.what()),
            "n.onnx: 'x' is uint8, and the file's metadata do not say on which grid; wanted "
            "float32, or an entry 'octet.grid:x' with scale and zero point");
}

}  // namespace
}  // namespace octet
