#include "quant/oscillations.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <vector>

namespace octet {
namespace {

/// A weight of [2, 2] whose scales are 0.1 and 1, along axis 0 or 1.
class OscillationsAlong : public ::testing::TestWithParam<int> {
 protected:
  float* at(int64_t row, int64_t column) {
    const int64_t index = GetParam() == 0 ? row * 2 + column : column * 2 + row;
    return weight_.mutable_data_ptr<float>() + index;
  }
  void step(Oscillations& oscillations) {
    oscillations.follow("w", weight_,
                        {.scales = scales_, .axis = GetParam(), .low = -127, .high = 127});
  }
  at::Tensor weight_ = at::zeros({2, 2});
  std::vector<float> scales_{0.1F, 1.0F};
};

TEST_P(OscillationsAlong, HoldWhatFlipsTooOften) {
  Oscillations oscillations(0.05F);
  oscillations.watch("w", weight_);
  for (int i = 0; i < 20; ++i) {
    *at(0, 0) = i % 4 == 3 ? 0.34F : 0.36F;     // 3 or 4, mostly 4
    *at(0, 1) = 0.02F * static_cast<float>(i);  // always the same way
    *at(1, 0) = 0.36F;
    *at(1, 1) = 200;
    step(oscillations);
  }
  EXPECT_FLOAT_EQ(*at(0, 0), 0.4F);
  *at(0, 0) = 0.9F;
  step(oscillations);
  EXPECT_FLOAT_EQ(*at(0, 0), 0.4F) << "it stays";
  scales_[0] = 0.2F;
  step(oscillations);
  EXPECT_FLOAT_EQ(*at(0, 0), 0.8F) << "its integer does, on a grid that moves";
  EXPECT_EQ(*at(0, 1), 0.02F * 19.0F) << "others are left as they are";
  EXPECT_EQ(*at(1, 0), 0.36F);
  EXPECT_EQ(*at(1, 1), 200.0F);
}

TEST_P(OscillationsAlong, AreTheSameFromTheirState) {
  Oscillations whole(0.05F);
  Oscillations rest(0.05F);
  whole.watch("w", weight_);
  rest.watch("w", weight_);
  const auto move = [&](int i) { *at(0, 0) = i % 2 == 0 ? 0.34F : 0.36F; };
  int i = 0;
  for (; i < 5; ++i) {
    move(i);
    step(whole);
  }
  for (const auto& [name, tensor] : whole.state()) rest.state().at(name).copy_(tensor);
  for (; i < 20; ++i) {
    move(i);
    step(whole);
    const float wanted = *at(0, 0);
    move(i);
    step(rest);
    ASSERT_EQ(*at(0, 0), wanted) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Axes, OscillationsAlong, ::testing::Values(0, 1));

}  // namespace
}  // namespace octet
