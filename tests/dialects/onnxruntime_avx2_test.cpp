// QLinearConv, QGemm and QLinearMatMul against ONNX Runtime on a processor that hides its VNNI.
// ONNX Runtime looks once: each test runs in a process of its own.

#include "dialects/onnxruntime_case.h"
#include "pipeline/parity.h"
#include "support/hidden_vnni.h"

namespace octet {
namespace {

using namespace test;

/// Weights near their largest, of which many neighbours have the same sign.
ValueId heavy_weight(OrtCase& one, Shape shape, int axis) {
  QuantParams params{.axis = axis, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
  params.scale.assign(static_cast<size_t>(shape[static_cast<size_t>(axis)]), 0.01F);
  params.zero_point.assign(params.scale.size(), 0);
  Tensor integers(DType::Int8, std::move(shape));
  const int32_t least = one.draw(-40, 90);
  for (int8_t& q : integers.as<int8_t>()) q = static_cast<int8_t>(one.draw(least, 127));
  return one.constant(dequantize(integers, params), params);
}

QuantParams fitting(OrtCase& one, ValueId x, int64_t count) {
  const float in = one.table.find(x)->scale[0];
  return one.grid(in * 0.01F * 64 * static_cast<float>(count) * one.power_of_two(-2, 1));
}

void compare_conv(OrtCase& one, int i) {
  const int64_t group = i % 4 == 3 ? one.draw(2, 4) : 1;
  const int64_t in = group * one.draw(1, 20);
  const int64_t out = group * (i % 2 ? 16 : one.draw(1, 20));
  const int64_t kernel = one.draw(1, 3);
  const ValueId x = one.input({one.draw(1, 2), in, 7, 9}, one.grid(0.25F));
  const ValueId w = heavy_weight(one, {out, in / group, kernel, kernel}, 0);
  const ValueId b = one.bias(x, w, out, 1000);
  one.expect_same("Conv", {x, w, b}, fitting(one, x, in / group * kernel * kernel), "QLinearConv",
                  {{"group", group},
                   {"strides", L{one.draw(1, 2), 1}},
                   {"dilations", L{1, one.draw(1, 2)}},
                   {"pads", L{one.draw(0, 2), one.draw(0, 2), one.draw(0, 2), one.draw(0, 2)}}});
}

void compare_depthwise(OrtCase& one, int i) {
  const int64_t channels = i % 2 ? 16 : one.draw(1, 40);
  const ValueId x = one.input({1, channels, 7, 9}, one.grid(0.25F));
  const ValueId w = heavy_weight(one, {channels, 1, 3, 3}, 0);
  one.expect_same("Conv", {x, w}, fitting(one, x, 9), "QLinearConv", {{"group", channels}});
}

void compare_volume(OrtCase& one, int i) {
  const Shape image = i % 2 ? Shape{2, 3, 9} : Shape{1, 3, 4, 5, 3};
  const ValueId x = one.input(image, one.grid(0.25F));
  const ValueId w = heavy_weight(one, i % 2 ? Shape{5, 3, 3} : Shape{5, 3, 2, 3, 1}, 0);
  one.expect_same("Conv", {x, w}, fitting(one, x, 9), "QLinearConv");
}

void compare_product(OrtCase& one, int i) {
  const int64_t rows = one.draw(1, 5), in = one.draw(1, 300), out = one.draw(1, 40);
  const bool rows_first = i % 3 == 0;
  const ValueId x = one.input({rows, in}, one.grid(0.25F));
  const ValueId w = heavy_weight(one, rows_first ? Shape{out, in} : Shape{in, out}, !rows_first);
  const QuantParams grid = fitting(one, x, in);
  if (i % 3 == 2) return one.expect_same("MatMul", {x, w}, grid, "QLinearMatMul");
  one.expect_same("Gemm", {x, w, one.bias(x, w, out, 1000)}, grid, "QGemm",
                  {{"transB", int64_t{rows_first}}});
}

void compare_activations(OrtCase& one, int) {
  const int64_t in = one.draw(1, 99);
  const ValueId x = one.input({3, in}, one.grid(0.25F));
  const ValueId y = one.input({in, 7}, one.grid(0.01F));
  one.expect_same("MatMul", {x, y}, fitting(one, x, in), "QLinearMatMul");
}

struct HiddenCase {
  const char* name;
  void (*compare)(OrtCase&, int);
  bool saturates;  ///< differs from the arithmetic of processors with VNNI
};

/// A network that saturates: its images and weights are mostly large and of one sign.
Quantized heavy_network(const Tensor& images, Scheme::Saturation saturation) {
  SmallNet net;
  const ValueId a = net.op("Relu", {net.op("Conv", {net.x, net.c({16, 3, 3, 3}, -0.1F, 1)})});
  const ValueId b = net.op("Relu", {net.op("Conv", {a, net.c({8, 16, 2, 2}, -0.1F, 1)})});
  const ValueId flat = net.op("Flatten", {b});
  net.graph.add_output(net.op("MatMul", {flat, net.c({72, 5}, -0.1F, 1)}));
  return {
      std::move(net.graph), {"onnxruntime-cpu"}, images.as<float>(), 8, {.saturation = saturation}};
}

/// Its file without VNNI against the simulation with and without.
void compare_network(Scheme::Saturation saturation, bool same_with_vnni) {
  const Tensor images = random_tensor({8, 3, 6, 6}, 31, -0.1F, 3);
  const Quantized net = heavy_network(images, saturation);
  const TempFolder folder;
  write_file(folder / "n.onnx", write_onnx(net.graph, net.table));
  const auto deployed = open_session(folder / "n.onnx", 1)->run(images.as<float>(), 8);
  const auto steps = [&](const Dialect& dialect) {
    const auto exact = simulate(net.graph, net.placement, net.table, dialect, 1);
    return steps_between(deployed, exact->run(images.as<float>(), 8), net.step());
  };
  EXPECT_LE(steps(onnxruntime_avx2_dialect()), 0.01);
  if (same_with_vnni) {
    EXPECT_LE(steps(onnxruntime_dialect()), 0.01);
  } else {
    EXPECT_GE(steps(onnxruntime_dialect()), 1);
  }
}

class OnnxRuntimeAvx2Dialect : public ::testing::TestWithParam<HiddenCase> {};

/// Compares without VNNI, and leaves the process: 0, all is as the dialect says; 1, it is not; 2,
/// VNNI cannot be hidden.
[[noreturn]] void compare_hidden(const HiddenCase& held, Hidden hidden) {
  if (!hide_vnni(hidden)) std::_Exit(2);
  for_cases(40, [&](OrtCase& one, int i) {
    one.dialect = &onnxruntime_avx2_dialect();
    held.compare(one, i);
  });
  size_t different = 0;
  for (int i = 0; i < 40; ++i) {
    OrtCase plain(static_cast<unsigned>(1000 + i));
    held.compare(plain, i);
    different += plain.different;
  }
  EXPECT_EQ(different > 0, held.saturates) << different << " differ from exact sums";
  std::fflush(nullptr);
  std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

[[noreturn]] void compare_hidden_network(Scheme::Saturation saturation, bool same_with_vnni) {
  if (!hide_vnni(Hidden::VnniAndAvx512)) std::_Exit(2);
  compare_network(saturation, same_with_vnni);
  std::fflush(nullptr);
  std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
}

bool can_hide() {
  // Asks for what is so anyway.
  return syscall(SYS_arch_prctl, ARCH_SET_CPUID, 1) == 0;
}

TEST_P(OnnxRuntimeAvx2Dialect, ComputesWhatTheRuntimeDoesWithoutVnni) {
  if (!can_hide()) GTEST_SKIP() << "this machine cannot hide what its processor has";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(compare_hidden(GetParam(), Hidden::VnniAndAvx512), ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(compare_hidden(GetParam(), Hidden::Vnni), ::testing::ExitedWithCode(0), "");
}

TEST(OnnxRuntimeWithoutVnni, ComputesTheSameWhereSaturationIsAvoided) {
  if (!can_hide()) GTEST_SKIP() << "this machine cannot hide what its processor has";
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(compare_hidden_network(Scheme::Saturation::Avoid, true), ::testing::ExitedWithCode(0),
              "");
  EXPECT_EXIT(compare_hidden_network(Scheme::Saturation::Report, false),
              ::testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(Kernels, OnnxRuntimeAvx2Dialect,
                         ::testing::Values(HiddenCase{"Conv", compare_conv, true},
                                           HiddenCase{"Depthwise", compare_depthwise, false},
                                           HiddenCase{"Volume", compare_volume, true},
                                           HiddenCase{"Product", compare_product, true},
                                           HiddenCase{"Activations", compare_activations, false}),
                         [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace octet
