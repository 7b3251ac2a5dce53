#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "octet/progress.h"
#include "runtime/session.h"

namespace octet {

/// Accuracy of one state of a network.
struct Score {
  int64_t images = 0;
  double top1 = 0;  ///< percent; ties go to the lowest class in every state
  double top5 = 0;
  std::vector<int32_t> predictions;  ///< the class of every image, for counting agreement
};

/// Runs the images through the session, `batch` at a time, in the layout that the file wants (NCHW
/// or NHWC). `name` is shown as progress. Throws Code::Data when the images do not fit the
/// network's input, or a label its classes.
Score score(Session& session, const Dataset& dataset, int64_t batch, const std::string& name,
            const ProgressSink& progress);

/// Share of images, in percent, with the same prediction.
double agreement(const Score& a, const Score& b);

/// Median time of one image at batch 1, in milliseconds, of `runs` after a tenth as many warm-up
/// runs.
double median_latency(Session& session, int64_t runs);

}  // namespace octet
