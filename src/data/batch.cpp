#include "data/batch.h"

#include <algorithm>
#include <utility>

#include "base/fail.h"
#include "base/text.h"
#include "data/random.h"

namespace octet {
namespace {

constexpr size_t kAhead = 2;

/// Where the pixels of an augmented image come from.
struct Move {
  int64_t down = 0;
  int64_t right = 0;
  bool mirrored = false;
};

Move draw(const Augment& augment, uint64_t seed, uint64_t place) {
  Random random(seed, place);
  const auto shift = [&] {
    const auto span = static_cast<uint64_t>(2 * augment.crop + 1);
    return static_cast<int64_t>(random.below(span)) - augment.crop;
  };
  Move move;
  move.down = shift();
  move.right = shift();
  move.mirrored = augment.flip && random.below(2) == 1;
  return move;
}

void move_row(std::span<const float> from, std::span<float> to, const Move& move, float black) {
  const auto width = static_cast<int64_t>(to.size());
  for (int64_t x = 0; x < width; ++x) {
    const int64_t source = (move.mirrored ? width - 1 - x : x) + move.right;
    const bool inside = source >= 0 && source < width;
    to[static_cast<size_t>(x)] = inside ? from[static_cast<size_t>(source)] : black;
  }
}

void move_channel(std::span<const float> from, std::span<float> to, const Shape& shape,
                  const Move& move, float black) {
  const auto width = static_cast<size_t>(shape[2]);
  for (int64_t y = 0; y < shape[1]; ++y) {
    const int64_t source = y + move.down;
    const auto row = to.subspan(static_cast<size_t>(y) * width, width);
    if (source < 0 || source >= shape[1]) {
      std::ranges::fill(row, black);
    } else {
      move_row(from.subspan(static_cast<size_t>(source) * width, width), row, move, black);
    }
  }
}

}  // namespace

BatchReader::BatchReader(const Dataset& dataset, std::vector<int64_t> order, BatchOptions options)
    : dataset_(dataset), order_(std::move(order)), options_(options), shape_(dataset.shape()) {
  check();
  worker_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void BatchReader::check() const {
  if (options_.size < 1)
    fail(Code::Usage, "batch: the size is {}; wanted 1 or more", options_.size);
  if (options_.first < 0) {
    fail(Code::Usage, "batch: the first one is {}; wanted 0 or more", options_.first);
  }
  const int64_t crop = options_.augment.crop;
  const bool image = shape_.size() == 3;
  const int64_t most = image ? std::min(shape_[1], shape_[2]) - 1 : 0;
  if (options_.augment.flip && !image) {
    fail(Code::Usage, "batch: 'flip' is for images; these are sequences of {} tokens", shape_[0]);
  }
  if (crop < 0 || crop > most) {
    fail(Code::Usage, "batch: 'crop' is {}; images of {} allow 0 to {} pixels", crop,
         shape_text(shape_), most);
  }
  for (int64_t index : order_) {
    if (index >= 0 && index < dataset_.size()) continue;
    fail(Code::Usage, "batch: there is no image {}; wanted indices from 0 to {}", index,
         dataset_.size() - 1);
  }
}

int64_t BatchReader::batches() const {
  return (static_cast<int64_t>(order_.size()) + options_.size - 1) / options_.size;
}

bool BatchReader::next(Batch& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !ready_.empty() || finished_; });
  if (ready_.empty()) {
    if (error_) std::rethrow_exception(error_);
    return false;
  }
  spare_ = std::exchange(batch, std::move(ready_.front()));
  ready_.pop_front();
  changed_.notify_all();
  return true;
}

Batch BatchReader::take_spare() {
  const std::lock_guard lock(mutex_);
  Batch batch = std::move(spare_).value_or(Batch{});
  spare_.reset();
  return batch;
}

void BatchReader::work(const std::stop_token& stop) {
  std::exception_ptr error;
  try {
    for (int64_t number = options_.first; number < batches(); ++number) {
      Batch batch = take_spare();
      if (!fill(number, batch, stop)) break;
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [&] { return ready_.size() < kAhead; })) break;
      ready_.push_back(std::move(batch));
      changed_.notify_all();
    }
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  finished_ = true;
  changed_.notify_all();
}

bool BatchReader::fill(int64_t number, Batch& batch, const std::stop_token& stop) const {
  const int64_t first = number * options_.size;
  const auto length = static_cast<size_t>(element_count(shape_));
  batch.count = std::min(options_.size, static_cast<int64_t>(order_.size()) - first);
  batch.images.resize(static_cast<size_t>(batch.count) * length);
  batch.labels.resize(options_.labels ? static_cast<size_t>(batch.count) : 0);
  std::vector<float> scratch(length);
  for (int64_t i = 0; i < batch.count && !stop.stop_requested(); ++i) {
    const auto at = static_cast<size_t>(i);
    load(first + i, scratch, std::span(batch.images).subspan(at * length, length));
    if (options_.labels) batch.labels[at] = dataset_.label(order_[static_cast<size_t>(first + i)]);
  }
  return !stop.stop_requested();
}

void BatchReader::load(int64_t place, std::vector<float>& scratch, std::span<float> out) const {
  const int64_t index = order_[static_cast<size_t>(place)];
  const Augment& augment = options_.augment;
  if (!augment.flip && augment.crop == 0) return dataset_.image(index, out);
  dataset_.image(index, scratch);
  const Move move = draw(augment, options_.seed, static_cast<uint64_t>(place));
  const auto area = static_cast<size_t>(shape_[1] * shape_[2]);
  for (int64_t c = 0; c < shape_[0]; ++c) {
    const size_t start = static_cast<size_t>(c) * area;
    move_channel(std::span<const float>(scratch).subspan(start, area), out.subspan(start, area),
                 shape_, move, dataset_.black(c));
  }
}

}  // namespace octet
