#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "data/dataset.h"

namespace octet {

/// Some images side by side: [count, channels, height, width], and their labels.
struct Batch {
  std::vector<float> images;
  std::vector<int64_t> labels;
  int64_t count = 0;
};

/// Random changes to the images that the network learns from.
struct Augment {
  bool flip = false;  ///< mirrored left to right, every other time
  int64_t crop = 0;   ///< shifted by up to this many pixels each way; black comes in
};

struct BatchOptions {
  int64_t size = 64;  ///< images in a batch; the last one may have fewer
  Augment augment = {};
  uint64_t seed = 0;   ///< of the augmentation; give each epoch its own
  int64_t first = 0;   ///< the batch to begin with: those before it are not read
  bool labels = true;  ///< false: no label is read, and `Batch::labels` stays empty
};

/// Delivers the images of `order` in that order, batch by batch, while a thread of its own decodes
/// up to two batches ahead. What is delivered depends on the arguments alone, never on timing: the
/// random numbers of an image come from the seed and its place in the order.
///
///     BatchReader reader(dataset, permutation(dataset.size(), seed), {.size = 128});
///     for (Batch batch; reader.next(batch);) learn(batch);
///
/// The reader may be destroyed at any time. `dataset` must outlive it.
class BatchReader {
 public:
  /// Throws Code::Usage for an index that the data set does not have, a batch size below 1, a first
  /// batch below 0, and a crop that is negative or leaves nothing of the image; for either change
  /// to a text.
  BatchReader(const Dataset& dataset, std::vector<int64_t> order, BatchOptions options);

  /// Number of batches in all, with those before the first.
  int64_t batches() const;

  /// Puts the next batch into `batch` (whose memory is used again); false after the last. Throws
  /// what the data set threw, after the batches before it were delivered.
  bool next(Batch& batch);

 private:
  void check() const;
  void work(const std::stop_token& stop);
  bool fill(int64_t number, Batch& batch, const std::stop_token& stop) const;
  void load(int64_t place, std::vector<float>& scratch, std::span<float> out) const;
  Batch take_spare();

  const Dataset& dataset_;
  std::vector<int64_t> order_;
  BatchOptions options_;
  Shape shape_;

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Batch> ready_;     ///< decoded, not yet delivered
  std::optional<Batch> spare_;  ///< memory to use again
  std::exception_ptr error_;
  bool finished_ = false;  ///< the worker adds nothing any more
  std::jthread worker_;    ///< last: stopped and joined before the rest goes
};

}  // namespace octet
