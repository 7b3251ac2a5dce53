#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace octet {
namespace {

constexpr double kCycleStart = 1.0 / 25;
constexpr double kCycleEnd = 1.0 / 250000;
constexpr double kCycleMomentum = 0.1;

/// From 1 down to 0 by half a cosine.
double fall(double share) { return 0.5 * (1 + std::cos(std::numbers::pi * share)); }

/// Share of the highest rate.
double height_at(const TrainSettings& settings, int64_t step, int64_t steps, int64_t in_epoch) {
  const double warmup = settings.warmup * static_cast<double>(steps);
  const auto now = static_cast<double>(step);
  const bool cycle = settings.schedule == Schedule::OneCycle;
  if (now < warmup) {
    const double share = (cycle ? now : now + 1) / (cycle ? warmup : warmup + 1);
    return cycle ? kCycleStart + (1 - kCycleStart) * share : share;
  }
  const double share = (now - warmup) / std::max(1.0, static_cast<double>(steps) - warmup);
  switch (settings.schedule) {
    case Schedule::Constant: return 1;
    case Schedule::Cosine: return fall(share);
    case Schedule::OneCycle: return kCycleEnd + (1 - kCycleEnd) * fall(share);
    case Schedule::Step: break;
  }
  const int64_t falls = step / std::max<int64_t>(1, in_epoch) / settings.decay_every;
  return std::pow(settings.decay, static_cast<double>(falls));
}

}  // namespace

Pace pace_at(const TrainSettings& settings, int64_t step, int64_t steps, int64_t in_epoch) {
  const double height = height_at(settings, step, steps, in_epoch);
  Pace pace{settings.rate * height, settings.momentum};
  if (settings.schedule == Schedule::OneCycle) {
    pace.momentum = std::max(0.0, settings.momentum - kCycleMomentum * height);
  }
  return pace;
}

}  // namespace octet
