#include "kernels/learned_grid.h"

#include <gtest/gtest.h>
#include <hwy/tests/hwy_gtest.h>

#include <cmath>
#include <functional>

#include "kernels/fake_quantize.h"
#include "kernels/pair_sums.h"
#include "kernels/pointwise_table.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

/// What the gradient for the grid is, an element at a time and with nothing rounded to a byte.
struct SlowGrid {
  GridGradient sum;
  std::vector<float> passed;
  double magnitude = 0;  ///< of all gradients, which bounds the error of residues

  SlowGrid(std::span<const float> in, std::span<const float> gradient, const Grid& grid) {
    const float low = static_cast<float>(grid.low - grid.zero_point);
    const float high = static_cast<float>(grid.high - grid.zero_point);
    for (size_t i = 0; i < in.size(); ++i) {
      const float exact = in[i] * (1.0F / grid.scale);
      const float whole = std::nearbyint(exact);
      const float clipped = std::clamp(whole, low, high);
      const bool inside = clipped == whole;
      sum.scale += gradient[i] * (inside ? whole - exact : clipped);
      sum.zero_point += inside ? 0.0 : -static_cast<double>(gradient[i]) * grid.scale;
      passed.push_back(inside ? gradient[i] : 0.0F);
      magnitude += std::abs(gradient[i]);
    }
  }
};

void on_every_instruction_set(const std::function<void(const char*)>& work) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    work(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

const std::vector<Grid> kLearnedGrids{
    {0.05F, 3, -128, 127}, {1.0F / 255, -128, -128, 127}, {7, 0, -127, 127}, {0.01F, 5, -8, 7}};
constexpr int64_t kLengths[] = {1, 7, 15, 16, 17, 1000};
/// Half a part of a residue, for each element.
constexpr double kHalfAPart = 0.5 / 252 + 1e-6;

TEST(LearnedGrid, AgreesWithItsScalarTwinOnEveryInstructionSet) {
  on_every_instruction_set([](const char* name) {
    for (const Grid& grid : kLearnedGrids) {
      for (const int64_t count : kLengths) {
        const Tensor data = test::random_tensor({count}, 9, -140 * grid.scale, 140 * grid.scale);
        const Tensor gradient = test::random_tensor({count}, 10, -1, 1);
        const auto in = data.as<float>();
        std::vector<float> out(in.size());
        std::vector<float> wanted(in.size());
        std::vector<float> passed(in.size());
        std::vector<int8_t> residues(in.size());
        fake_quantize(in, grid, out, std::span<int8_t>(residues));
        fake_quantize(in, grid, wanted);
        EXPECT_EQ(out, wanted) << name;
        const GridGradient found = pass_inside(gradient.as<float>(), residues, grid, passed);
        const SlowGrid slow(in, gradient.as<float>(), grid);
        EXPECT_EQ(passed, slow.passed) << name;
        EXPECT_NEAR(found.scale, slow.sum.scale,
                    slow.magnitude * kHalfAPart + 1e-5 * std::abs(slow.sum.scale))
            << name;
        EXPECT_NEAR(found.zero_point, slow.sum.zero_point, 1e-5 * slow.magnitude * grid.scale);
      }
    }
  });
}

TEST(LearnedGrid, RowsHaveGridsOfTheirOwn) {
  on_every_instruction_set([](const char* name) {
    const std::vector<float> scales{0.01F, 0.02F, 0.5F};
    for (const int64_t length : kLengths) {
      const Tensor data = test::random_tensor({3, length}, 4, -3, 3);
      const Tensor gradient = test::random_tensor({3, length}, 5, -1, 1);
      const auto in = data.as<float>();
      const RowGrids grids{.scales = scales};
      std::vector<float> out(in.size());
      std::vector<float> passed(in.size());
      std::vector<float> damped(in.size());
      std::vector<float> found(3);
      std::vector<int8_t> residues(in.size());
      fake_quantize(in, grids, out, residues);
      pass_inside(gradient.as<float>(), residues, grids, 0, passed, found);
      constexpr float kDamping = 0.25F;
      pass_inside(gradient.as<float>(), residues, grids, kDamping, damped, found);
      for (size_t row = 0; row < 3; ++row) {
        const auto n = static_cast<size_t>(length);
        const Grid grid{scales[row], 0, -127, 127};
        const SlowGrid slow(in.subspan(row * n, n), gradient.as<float>().subspan(row * n, n), grid);
        EXPECT_NEAR(found[row], slow.sum.scale,
                    slow.magnitude * kHalfAPart + 1e-5 * std::abs(slow.sum.scale))
            << name;
        for (size_t i = 0; i < n; ++i) {
          const size_t at = row * n + i;
          EXPECT_EQ(passed[at], slow.passed[i]);
          // The gradient of damping * (x - rounded)^2, where nothing is clipped.
          const bool inside = std::abs(in[at]) < 127.5F * scales[row];
          const float pull = inside ? 2 * kDamping * (in[at] - out[at]) : 0.0F;
          EXPECT_NEAR(damped[at] - passed[at], pull, 2 * kDamping * scales[row] / 252) << in[at];
        }
      }
    }
  });
}

TEST(LearnedGrid, NanComesThrough) {
  const std::vector<float> in(20, std::nanf(""));
  std::vector<float> out(20);
  std::vector<int8_t> residues(20);
  std::vector<uint8_t> codes(20);
  fake_quantize(in, {0.1F, 0, -128, 127}, out, std::span<int8_t>(residues));
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
  const std::vector<float> table(256, 1.0F);
  look_up(in, {0.1F, 0, -128, 127}, table, out, codes, residues);
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
}

TEST(PointwiseTable, AgreesWithItsScalarTwinOnEveryInstructionSet) {
  on_every_instruction_set([](const char* name) {
    for (const Grid& grid : kLearnedGrids) {
      for (const int64_t count : kLengths) {
        const auto size = static_cast<size_t>(grid.high - grid.low + 1);
        const Tensor tables = test::random_tensor({3, static_cast<int64_t>(size)}, 3, -1, 1);
        const auto values = tables.as<float>().first(size);
        const auto slopes = tables.as<float>().subspan(size, size);
        const auto by_result = tables.as<float>().last(size);
        const Tensor data = test::random_tensor({count}, 9, -140 * grid.scale, 140 * grid.scale);
        const Tensor gradient = test::random_tensor({count}, 10, -1, 1);
        const auto in = data.as<float>();
        std::vector<float> out(in.size());
        std::vector<float> passed(in.size());
        std::vector<uint8_t> codes(in.size());
        std::vector<int8_t> residues(in.size());
        look_up(in, grid, values, out, codes, residues);
        const TableGradient found =
            pass_table(gradient.as<float>(), codes, residues, grid, {slopes, by_result}, passed);
        std::vector<float> at_source;
        double result = 0;
        for (size_t i = 0; i < in.size(); ++i) {
          const float rounded = std::nearbyint(in[i] * (1.0F / grid.scale)) +
                                static_cast<float>(grid.zero_point - grid.low);
          const auto code =
              static_cast<size_t>(std::clamp(rounded, 0.0F, static_cast<float>(size - 1)));
          ASSERT_EQ(codes[i], code) << name;
          ASSERT_EQ(out[i], values[code]) << name;
          at_source.push_back(gradient.as<float>()[i] * slopes[code]);
          result += gradient.as<float>()[i] * by_result[code];
        }
        const SlowGrid slow(in, at_source, grid);
        EXPECT_EQ(passed, slow.passed) << name;
        EXPECT_NEAR(found.source, slow.sum.scale,
                    slow.magnitude * kHalfAPart + 1e-5 * std::abs(slow.sum.scale));
        EXPECT_NEAR(found.result, result, 1e-5 * static_cast<double>(count));
      }
    }
  });
}

TEST(PairSums, AreTheLargestOfEachRow) {
  on_every_instruction_set([](const char* name) {
    for (const int64_t length : {1, 2, 3, 31, 32, 33, 64, 65, 200}) {
      const Tensor data = test::random_tensor({4, length}, 2, -1, 1);
      const auto rows = data.as<float>();
      std::vector<float> found(4);
      largest_pair_sums(rows, found);
      for (size_t row = 0; row < 4; ++row) {
        const auto own =
            rows.subspan(row * static_cast<size_t>(length), static_cast<size_t>(length));
        float largest = 0;
        for (size_t i = 0; i < own.size(); i += 2) {
          const float other = i + 1 < own.size() ? own[i + 1] : 0.0F;
          largest = std::max(largest, std::abs(own[i] + other));
        }
        EXPECT_EQ(found[row], largest) << name << " " << length;
      }
    }
  });
}

}  // namespace
}  // namespace octet
