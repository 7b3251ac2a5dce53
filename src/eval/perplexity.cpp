#include "eval/perplexity.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/fail.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/batch.h"
#include "kernels/rank.h"

namespace octet {
namespace {

void check_text_network(const Session& session, int64_t length) {
  const Shape tokens = session.image_shape();
  if (tokens != Shape{length}) {
    fail(Code::Data,
         "the sequences have {} tokens, the network wants {}; set 'length' in the data "
         "description, or use other data",
         length, shape_text(tokens));
  }
  const Shape logits = session.output_shape();
  if (logits.size() == 2 && logits[0] == length) return;
  fail(Code::Model,
       "the network puts out {} for a sequence of {} tokens; wanted logits of the next token at "
       "each place, {}xTOKENS",
       shape_text(logits), length, length);
}

/// Minus the logarithm of the probability that the logits give to the token.
double cross_entropy(std::span<const float> logits, int64_t token) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return std::log(sum) + largest - logits[static_cast<size_t>(token)];
}

/// Adds up what a session says of sequences.
class TextTally {
 public:
  TextTally(int64_t length, int64_t kinds)
      : length_(static_cast<size_t>(length)), kinds_(static_cast<size_t>(kinds)) {}

  void add(const Batch& batch, std::span<const float> logits) {
    for (size_t i = 0; i < batch.labels.size(); ++i) {
      const auto tokens = std::span(batch.images).subspan(i * length_, length_);
      for (size_t t = 0; t < length_; ++t) {
        const auto next = t + 1 < length_ ? static_cast<int64_t>(tokens[t + 1]) : batch.labels[i];
        count(logits.subspan((i * length_ + t) * kinds_, kinds_), next);
      }
    }
    score_.sequences += batch.count;
  }

  TextScore take() {
    const auto tokens = static_cast<double>(score_.tokens);
    score_.perplexity = std::exp(entropy_ / tokens);
    score_.top1 = 100 * static_cast<double>(first_) / tokens;
    score_.top5 = 100 * static_cast<double>(among_five_) / tokens;
    return score_;
  }

 private:
  void count(std::span<const float> logits, int64_t token) {
    if (token >= static_cast<int64_t>(kinds_)) {
      fail(Code::Data, "the text has the token {}, the network knows {}", token, kinds_);
    }
    const double entropy = cross_entropy(logits, token);
    if (!std::isfinite(entropy)) {
      fail(Code::Numeric, "the logits of sequence {} are not finite",
           score_.tokens / static_cast<int64_t>(length_));
    }
    entropy_ += entropy;
    const int64_t rank = rank_of(logits, token);
    first_ += rank == 0 ? 1 : 0;
    among_five_ += rank < 5 ? 1 : 0;
    ++score_.tokens;
  }

  size_t length_;
  size_t kinds_;
  TextScore score_;
  double entropy_ = 0;
  int64_t first_ = 0;
  int64_t among_five_ = 0;
};

}  // namespace

bool is_text(const Dataset& dataset) { return dataset.shape().size() == 1; }

TextScore score_text(Session& session, const Dataset& dataset, int64_t batch,
                     const std::string& name, const ProgressSink& progress) {
  const int64_t length = dataset.shape().at(0);
  check_text_network(session, length);
  std::vector<int64_t> order(static_cast<size_t>(dataset.size()));
  std::ranges::iota(order, int64_t{0});
  TextTally tally(length, session.output_shape()[1]);
  Step step(progress, name, dataset.size(), "sequences");
  BatchReader reader(dataset, std::move(order), {.size = batch});
  for (Batch sequences; reader.next(sequences);) {
    tally.add(sequences, session.run(sequences.images, sequences.count));
    step.advance(sequences.count);
  }
  return tally.take();
}

}  // namespace octet
