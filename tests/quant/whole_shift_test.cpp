#include "quant/whole_shift.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "pipeline/parity.h"

namespace octet {
namespace {

QuantParams grid_at(float scale, int32_t zero_point) {
  return {.scale = {scale}, .zero_point = {zero_point}};
}

RC_GTEST_PROP(WholeShift, IsWholeWhereAScaleIsNear, ()) {
  const auto zero = *rc::gen::inRange(-128, 128);
  const float in = static_cast<float>(*rc::gen::inRange(1, 10000)) * 1e-5F;
  const float out = static_cast<float>(*rc::gen::inRange(1, 10000)) * 1e-5F;
  const float made = with_whole_shift(out, grid_at(in, zero));
  RC_ASSERT(std::abs(made / out - 1) <= 0.0201F);
  const double steps = double{in} * zero / double{made};
  const bool whole = std::abs(steps - std::round(steps)) <= 1e-3 + std::abs(steps) * 1e-6;
  // From 25 steps on the next whole number is within 2 %.
  if (made != out || std::abs(steps) > 26) RC_ASSERT(whole);
  RC_ASSERT(with_whole_shift(made, grid_at(in, zero)) == made);
}

/// The mean difference to the simulation, in steps, of means over images.
double bias_of_means(const std::vector<std::string>& targets) {
  test::SmallNet small;
  small.graph.add_output(small.op("Flatten", {small.op("GlobalAveragePool", {small.x})}));
  const Tensor data = test::random_tensor({64, 3, 6, 6}, 31, -0.3F, 3);
  const test::Quantized net(std::move(small.graph), targets, data.as<float>(), 64);
  const auto run = [&](std::unique_ptr<Session> session) {
    return session->run(data.as<float>(), 64);
  };
  const auto smooth = run(simulate(net.graph, net.placement, net.table, 1));
  const auto exact = run(simulate(net.graph, net.placement, net.table, tflite_dialect(), 1));
  double sum = 0;
  for (size_t i = 0; i < smooth.size(); ++i) sum += exact[i] - smooth[i];
  return sum / static_cast<double>(smooth.size()) / net.step();
}

TEST(WholeShift, LeavesMeansOverImagesWithoutABias) {
  EXPECT_LT(std::abs(bias_of_means({"tflite"})), 0.02);
  EXPECT_LT(std::abs(bias_of_means({"onnxruntime-cpu", "tflite"})), 0.02);
  EXPECT_GT(std::abs(bias_of_means({"onnxruntime-cpu"})), 0.05);  // which asks for no such grid
}

}  // namespace
}  // namespace octet
