#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "data/dataset.h"
#include "data/random.h"
#include "memory_dataset.h"
#include "support/error_of.h"

namespace octet {
namespace {

TEST(Subset, ShowsTheChosenImagesInTheirOrder) {
  const MemoryDataset whole(10, {2, 1, 2});
  const auto part = subset(whole, {7, 2, 2});
  EXPECT_EQ(part->size(), 3);
  EXPECT_EQ(part->shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(part->label(0), 7);
  EXPECT_EQ(part->label(1), 2);
  EXPECT_EQ(part->black(1), -2);
  EXPECT_EQ(part->name(0), "image 7");
  std::vector<float> out(4);
  part->image(0, out);
  EXPECT_EQ(out, (std::vector<float>{7000, 7001, 7100, 7101}));
}

TEST(Subset, RefusesIndicesThatAreNotThere) {
  const MemoryDataset whole(10, {1, 1, 1});
  const Error error = error_of([&] { subset(whole, {0, 10}); });
  EXPECT_EQ(error.code(), Code::Usage);
  EXPECT_STREQ(error.what(), "subset: there is no image 10; wanted indices from 0 to 9");
  EXPECT_STREQ(error_of([&] { subset(whole, {-1}); }).what(),
               "subset: there is no image -1; wanted indices from 0 to 9");
}

TEST(Permutation, IsTheSameOnEveryMachine) {
  EXPECT_EQ(permutation(8, 1), (std::vector<int64_t>{4, 7, 1, 2, 3, 6, 5, 0}));
  EXPECT_EQ(permutation(0, 1), std::vector<int64_t>{});
}

RC_GTEST_PROP(Permutation, HoldsEachIndexOnce, (uint64_t seed)) {
  const auto count = *rc::gen::inRange<int64_t>(0, 2000);
  std::vector<int64_t> order = permutation(count, seed);
  RC_ASSERT(order == permutation(count, seed));
  std::ranges::sort(order);
  std::vector<int64_t> wanted(static_cast<size_t>(count));
  std::ranges::iota(wanted, int64_t{0});
  RC_ASSERT(order == wanted);
}

TEST(Permutation, SpreadsEvenly) {
  constexpr int kRounds = 6000;
  int counts[6] = {};  // the six orders of three
  for (uint64_t seed = 0; seed < kRounds; ++seed) {
    const auto order = permutation(3, seed);
    ++counts[order[0] * 2 + (order[1] > order[2] ? 1 : 0)];
  }
  for (const int count : counts) EXPECT_NEAR(count, kRounds / 6, 150);  // five deviations
}

RC_GTEST_PROP(Random, StaysBelowItsBound, (uint64_t seed, uint64_t stream)) {
  const auto bound = *rc::gen::inRange<uint64_t>(1, 1000);
  Random random(seed, stream);
  for (int i = 0; i < 20; ++i) RC_ASSERT(random.below(bound) < bound);
}

TEST(Subset, TakesLabelsOfItsOwn) {
  const MemoryDataset whole(5, {1, 2, 2});
  const auto part = relabelled(whole, {4, 1}, {7, 9});
  EXPECT_EQ(part->size(), 2);
  EXPECT_EQ(part->label(0), 7);
  EXPECT_EQ(part->label(1), 9);
  std::vector<float> image(4);
  part->image(0, image);
  EXPECT_EQ(image[0], 4000);
  EXPECT_EQ(message_of([&] { relabelled(whole, {4, 1}, {7}); }),
            "subset: 1 labels of 2 images; wanted one each");
}

}  // namespace
}  // namespace octet
