#pragma once

#include <string>

#include "data/dataset.h"
#include "octet/progress.h"
#include "runtime/session.h"

namespace octet {

/// How well a network tells the next token of a text.
struct TextScore {
  int64_t sequences = 0;
  int64_t tokens = 0;     ///< that were told, one at each place of a sequence
  double perplexity = 0;  ///< e to the mean cross entropy (natural logarithm) of the tokens
  double top1 = 0;        ///< percent of tokens that were the likeliest
  double top5 = 0;
};

/// The data set is a text.
bool is_text(const Dataset& dataset);

/// Runs the sequences through a session of tokens [N, T] that gives logits [N, T, V]: at place t
/// those of the token at t + 1, which at the last place is the sequence's label. `batch` sequences
/// at a time. Throws Code::Data where the sequences do not fit the network's input, or a token its
/// logits; Code::Model for an output of another shape; Code::Numeric for logits that are not
/// finite.
TextScore score_text(Session& session, const Dataset& dataset, int64_t batch,
                     const std::string& name, const ProgressSink& progress);

}  // namespace octet
