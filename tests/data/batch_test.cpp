#include "data/batch.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "memory_dataset.h"
#include "support/error_of.h"

namespace octet {
namespace {

/// All that a reader delivers; `pause` between the batches changes who waits for whom.
std::vector<Batch> read_all(BatchReader& reader, std::chrono::microseconds pause = {}) {
  std::vector<Batch> batches;
  for (Batch batch; reader.next(batch);) {
    batches.push_back(batch);
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
  }
  return batches;
}

std::vector<float> pixels_of(const std::vector<Batch>& batches) {
  std::vector<float> pixels;
  for (const Batch& batch : batches) {
    pixels.insert(pixels.end(), batch.images.begin(), batch.images.end());
  }
  return pixels;
}

TEST(BatchReader, DeliversTheOrderInBatches) {
  const MemoryDataset dataset(10, {1, 1, 2});
  BatchReader reader(dataset, {5, 3, 9, 9, 0}, {.size = 2});
  EXPECT_EQ(reader.batches(), 3);
  const std::vector<Batch> batches = read_all(reader);
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(batches[0].labels, (std::vector<int64_t>{5, 3}));
  EXPECT_EQ(batches[1].labels, (std::vector<int64_t>{9, 9}));
  EXPECT_EQ(batches[2].labels, (std::vector<int64_t>{0}));
  EXPECT_EQ(batches[2].count, 1);
  EXPECT_EQ(pixels_of(batches),
            (std::vector<float>{5000, 5001, 3000, 3001, 9000, 9001, 9000, 9001, 0, 1}));
  Batch after;
  EXPECT_FALSE(reader.next(after));
}

TEST(BatchReader, BeginsInTheMiddleWithTheSameNumbers) {
  const MemoryDataset dataset(20, {1, 4, 5});
  const std::vector<int64_t> order = permutation(20, 3);
  BatchOptions options{.size = 6, .augment = {.flip = true, .crop = 1}, .seed = 4};
  BatchReader whole(dataset, order, options);
  const std::vector<Batch> all = read_all(whole);
  options.first = 2;
  BatchReader rest(dataset, order, options);
  EXPECT_EQ(rest.batches(), 4);
  const std::vector<Batch> last = read_all(rest);
  ASSERT_EQ(last.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(last[i].images, all[i + 2].images);
    EXPECT_EQ(last[i].labels, all[i + 2].labels);
  }
  options.first = 4;
  BatchReader none(dataset, order, options);
  EXPECT_TRUE(read_all(none).empty());
}

TEST(BatchReader, ReadsNoLabelsWhereNoneAreWanted) {
  const MemoryDataset dataset(4, {1, 4, 5});
  BatchReader reader(dataset, {0, 1, 2, 3}, {.size = 4, .labels = false});
  const std::vector<Batch> all = read_all(reader);
  EXPECT_EQ(all.at(0).count, 4);
  EXPECT_TRUE(all[0].labels.empty());
}

TEST(BatchReader, HasNothingToDeliverForAnEmptyOrder) {
  const MemoryDataset dataset(1, {1, 1, 1});
  BatchReader reader(dataset, {}, {});
  Batch batch;
  EXPECT_FALSE(reader.next(batch));
  EXPECT_EQ(reader.batches(), 0);
}

TEST(BatchReader, ShiftsBlackIn) {
  const MemoryDataset dataset(1, {2, 3, 3});
  const BatchOptions options{.size = 16, .augment = {.flip = false, .crop = 2}, .seed = 1};
  BatchReader reader(dataset, std::vector<int64_t>(400, 0), options);
  const std::vector<float> pixels = pixels_of(read_all(reader));
  std::set<std::pair<int, int>> moves;
  for (size_t image = 0; image < 400; ++image) {
    const auto* at = &pixels[image * 18];
    int down = 9;
    int right = 9;
    for (int i = 0; i < 9; ++i) {  // a pixel of channel 0 that came from inside tells the move
      if (at[i] < 0) continue;
      down = static_cast<int>(at[i]) / 3 - i / 3;
      right = static_cast<int>(at[i]) % 3 - i % 3;
    }
    moves.insert({down, right});
    for (int i = 0; i < 18; ++i) {
      const int y = i % 9 / 3 + down;
      const int x = i % 3 + right;
      const bool inside = y >= 0 && y < 3 && x >= 0 && x < 3;
      EXPECT_EQ(at[i], static_cast<float>(inside ? i / 9 * 100 + y * 3 + x : -1 - i / 9));
    }
  }
  EXPECT_EQ(moves.size(), 25u);  // every shift by -2..2 both ways
}

TEST(BatchReader, MirrorsAboutHalfOfTheImages) {
  const MemoryDataset dataset(1, {1, 1, 3});
  const BatchOptions options{.size = 50, .augment = {.flip = true, .crop = 0}, .seed = 3};
  BatchReader reader(dataset, std::vector<int64_t>(1000, 0), options);
  const std::vector<float> pixels = pixels_of(read_all(reader));
  int mirrored = 0;
  for (size_t i = 0; i < pixels.size(); i += 3) {
    EXPECT_EQ(pixels[i + 1], 1.0f);
    mirrored += pixels[i] == 2.0f ? 1 : 0;
  }
  EXPECT_NEAR(mirrored, 500, 80);  // five deviations
}

RC_GTEST_PROP(BatchReader, DependsOnNeitherTimingNorBatchSize, (uint64_t seed)) {
  const auto count = *rc::gen::inRange<int64_t>(1, 40);
  const auto size = *rc::gen::inRange<int64_t>(1, 9);
  MemoryDataset dataset(count, {2, 4, 3});
  const std::vector<int64_t> order = permutation(count, seed);
  BatchOptions options{.size = size, .augment = {.flip = true, .crop = 1}, .seed = seed};
  BatchReader fast(dataset, order, options);
  const std::vector<float> wanted = pixels_of(read_all(fast));
  BatchReader slow_use(dataset, order, options);
  RC_ASSERT(pixels_of(read_all(slow_use, std::chrono::microseconds(50))) == wanted);
  MemoryDataset slow_dataset(count, {2, 4, 3});
  slow_dataset.delay = std::chrono::microseconds(20);
  options.size = count;
  BatchReader slow_decode(slow_dataset, order, options);
  RC_ASSERT(pixels_of(read_all(slow_decode)) == wanted);
}

TEST(BatchReader, ThrowsWhatTheDatasetThrewAfterTheBatchesBefore) {
  MemoryDataset dataset(10, {1, 1, 1});
  dataset.broken = 4;
  BatchReader reader(dataset, {0, 1, 2, 3, 4, 5}, {.size = 2});
  Batch batch;
  EXPECT_TRUE(reader.next(batch));
  EXPECT_TRUE(reader.next(batch));
  for (int again = 0; again < 2; ++again) {
    const Error error = error_of([&] { reader.next(batch); });
    EXPECT_EQ(error.code(), Code::Data);
    EXPECT_STREQ(error.what(), "image 4 cannot be read");
  }
}

TEST(BatchReader, MayBeDestroyedAtAnyTime) {
  MemoryDataset dataset(1000, {1, 8, 8});
  dataset.delay = std::chrono::microseconds(100);
  for (int taken = 0; taken < 20; ++taken) {
    BatchReader reader(dataset, permutation(1000, 0), {.size = 2});
    Batch batch;
    for (int i = 0; i < taken; ++i) reader.next(batch);
    if (taken % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  BatchReader unused(dataset, permutation(1000, 0), {.size = 1000});
}

TEST(BatchReader, RefusesOptionsThatMakeNoSense) {
  const MemoryDataset dataset(3, {1, 4, 5});
  struct Case {
    std::vector<int64_t> order;
    BatchOptions options;
    const char* message;
  };
  const Case cases[] = {
      {{0}, {.size = 0}, "batch: the size is 0; wanted 1 or more"},
      {{0}, {.augment = {.crop = 4}}, "batch: 'crop' is 4; images of 1x4x5 allow 0 to 3 pixels"},
      {{0}, {.first = -1}, "batch: the first one is -1; wanted 0 or more"},
      {{0}, {.augment = {.crop = -1}}, "batch: 'crop' is -1; images of 1x4x5 allow 0 to 3 pixels"},
      {{0, 3}, {}, "batch: there is no image 3; wanted indices from 0 to 2"},
  };
  for (const Case& row : cases) {
    const Error error = error_of([&] { BatchReader(dataset, row.order, row.options); });
    EXPECT_EQ(error.code(), Code::Usage);
    EXPECT_STREQ(error.what(), row.message);
  }
}

}  // namespace
}  // namespace octet
