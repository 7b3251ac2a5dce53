#include "kernels/rank.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "ops/op_def.h"

namespace octet {
namespace {

/// Sorts all classes, which keeps the order of equals.
int64_t slow_rank(const std::vector<float>& logits, int64_t label) {
  std::vector<int64_t> classes(logits.size());
  std::iota(classes.begin(), classes.end(), 0);
  std::ranges::stable_sort(classes, std::greater{},
                           [&](int64_t i) { return logits[static_cast<size_t>(i)]; });
  return std::ranges::find(classes, label) - classes.begin();
}

/// Few different values, so that there are ties.
rc::Gen<std::vector<float>> logits_with_ties() {
  return rc::gen::nonEmpty(rc::gen::container<std::vector<float>>(
      rc::gen::map(rc::gen::inRange(-3, 4), [](int n) { return static_cast<float>(n) / 2; })));
}

TEST(Rank, GivesTiesToTheLowerIndex) {
  struct Case {
    std::vector<float> logits;
    std::vector<int64_t> ranks;  ///< of each label
  };
  for (const auto& [logits, ranks] : std::vector<Case>{
           {{1}, {0}},
           {{1, 2, 3}, {2, 1, 0}},
           {{5, 5, 5}, {0, 1, 2}},
           {{0, 7, 0, 7}, {2, 0, 3, 1}},
           {{-0.0F, 0.0F}, {0, 1}},
           {{-kInfinity, kInfinity, 0}, {2, 0, 1}},
       }) {
    for (size_t label = 0; label < logits.size(); ++label) {
      EXPECT_EQ(rank_of(logits, static_cast<int64_t>(label)), ranks[label])
          << "label " << label << " of " << logits.size();
    }
    EXPECT_EQ(prediction(logits), std::ranges::find(ranks, 0) - ranks.begin());
  }
}

RC_GTEST_PROP(Rank, AgreesWithSorting, ()) {
  const auto logits = *logits_with_ties();
  const auto label = *rc::gen::inRange<int64_t>(0, static_cast<int64_t>(logits.size()));
  RC_ASSERT(rank_of(logits, label) == slow_rank(logits, label));
}

RC_GTEST_PROP(Rank, OnlyThePredictionHasRankZero, ()) {
  const auto logits = *logits_with_ties();
  for (int64_t label = 0; label < static_cast<int64_t>(logits.size()); ++label) {
    RC_ASSERT((rank_of(logits, label) == 0) == (prediction(logits) == label));
  }
}

}  // namespace
}  // namespace octet
