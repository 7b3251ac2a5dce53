#include "graph/quant_table.h"

#include <gtest/gtest.h>

namespace octet {
namespace {

QuantParams per_channel(int axis) {
  return {.type = DType::Int8, .axis = axis, .scale = {0.5F, 0.25F}, .zero_point = {0, 0}};
}

TEST(SameGrid, ComparesTheAxisWhereThereAreSeveralScales) {
  EXPECT_TRUE(same_grid(per_channel(0), per_channel(0)));
  EXPECT_FALSE(same_grid(per_channel(0), per_channel(1)));
}

TEST(SameGrid, ComparesScaleAndZeroPointButNoBounds) {
  const QuantParams one{.scale = {0.5F}, .zero_point = {3}};
  QuantParams other = one;
  other.low = 0;
  other.origin = Origin::Imported;
  EXPECT_TRUE(same_grid(one, other));
  other.zero_point = {4};
  EXPECT_FALSE(same_grid(one, other));
  other.zero_point = {3};
  other.scale = {0.25F};
  EXPECT_FALSE(same_grid(one, other));
}

}  // namespace
}  // namespace octet
