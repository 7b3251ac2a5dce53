#include "eval/score.h"

#include <algorithm>
#include <chrono>

#include "base/fail.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/batch.h"
#include "eval/image_layout.h"
#include "kernels/rank.h"

namespace octet {
namespace {

void check_logits(const Session& session) {
  const Shape shape = session.output_shape();
  const auto wide = std::ranges::count_if(shape, [](int64_t dim) { return dim != 1; });
  if (wide <= 1) return;
  fail(Code::Model, "the network puts out {} for an image; wanted logits, one number per class",
       shape_text(shape));
}

}  // namespace

Score score(Session& session, const Dataset& dataset, int64_t batch_size, const std::string& name,
            const ProgressSink& progress) {
  const Shape chw = dataset.shape();
  const bool move = wants_channels_last(session.image_shape(), chw);
  check_logits(session);
  const auto classes = static_cast<size_t>(session.class_count());
  std::vector<int64_t> order(static_cast<size_t>(dataset.size()));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);

  Score result;
  int64_t first = 0;
  int64_t among_five = 0;
  Step step(progress, name, dataset.size(), "images");
  BatchReader reader(dataset, std::move(order), {.size = batch_size});
  for (Batch batch; reader.next(batch);) {
    const std::vector<float> logits =
        move ? session.run(channels_last(batch.images, chw), batch.count)
             : session.run(batch.images, batch.count);
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      const std::span<const float> row(logits.data() + i * classes, classes);
      if (batch.labels[i] >= static_cast<int64_t>(classes)) {
        fail(Code::Data, "image {} has the label {}, the network has {} classes",
             result.images + static_cast<int64_t>(i), batch.labels[i], classes);
      }
      const int64_t rank = rank_of(row, batch.labels[i]);
      first += rank == 0 ? 1 : 0;
      among_five += rank < 5 ? 1 : 0;
      result.predictions.push_back(static_cast<int32_t>(prediction(row)));
    }
    result.images += batch.count;
    step.advance(batch.count);
  }
  const auto percent = [&](int64_t count) {
    return 100.0 * static_cast<double>(count) / static_cast<double>(result.images);
  };
  result.top1 = percent(first);
  result.top5 = percent(among_five);
  return result;
}

double agreement(const Score& a, const Score& b) {
  if (a.predictions.size() != b.predictions.size() || a.predictions.empty()) {
    fail(Code::Usage, "agreement wants scores over the same images: {} and {}",
         a.predictions.size(), b.predictions.size());
  }
  int64_t same = 0;
  for (size_t i = 0; i < a.predictions.size(); ++i) {
    same += a.predictions[i] == b.predictions[i] ? 1 : 0;
  }
  return 100.0 * static_cast<double>(same) / static_cast<double>(a.predictions.size());
}

double median_latency(Session& session, int64_t runs) {
  const std::vector<float> image(static_cast<size_t>(element_count(session.image_shape())), 0.5F);
  for (int64_t i = 0; i < runs / 10 + 1; ++i) session.run(image, 1);
  std::vector<double> times;
  for (int64_t i = 0; i < runs; ++i) {
    const auto start = std::chrono::steady_clock::now();
    session.run(image, 1);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    times.push_back(took.count());
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::ranges::nth_element(times, middle);
  return *middle;
}

}  // namespace octet
