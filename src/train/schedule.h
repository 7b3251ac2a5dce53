#pragma once

#include "train/settings.h"

namespace octet {

/// What a step of the optimizer is taken with.
struct Pace {
  double rate = 0;
  double momentum = 0;
};

/// The pace of step `step` of `steps`, of which an epoch has `in_epoch`. The rate rises linearly
/// over the warm-up; then it stays, falls to 0 by half a cosine (I. Loshchilov and F. Hutter,
/// "SGDR", 2017, without restarts), or by a factor every so many epochs. One-cycle (L. N. Smith and
/// N. Topin, "Super-Convergence", 2018): from a 25th of the rate up and by half a cosine down to
/// almost nothing, while the momentum moves the other way, by 0.1.
Pace pace_at(const TrainSettings& settings, int64_t step, int64_t steps, int64_t in_epoch);

}  // namespace octet
