#include "quant/oscillations.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <atomic>
#include <cmath>

namespace octet {
namespace {

constexpr float kStepShare = 0.01F;  // of a step in moving averages
constexpr int8_t kUnknown = 3;       // as a direction: nothing has been seen yet
constexpr int8_t kHeld = 2;

/// What is remembered of one weight's number.
struct Memory {
  int8_t& integer;
  int8_t& direction;
  float& frequency;
  float& center;

  bool held() const { return direction == kHeld; }
  void begin(float now) const {
    integer = static_cast<int8_t>(now);
    center = now;
    direction = 0;
  }
  void see(float now, float most) const {
    const float moved = now - static_cast<float>(integer);
    const bool flips = moved * static_cast<float>(direction) < 0;
    frequency += kStepShare * ((flips ? 1.0F : 0.0F) - frequency);
    center += kStepShare * (now - center);
    if (moved != 0) direction = moved > 0 ? 1 : -1;
    integer = static_cast<int8_t>(now);
    if (frequency <= most) return;
    direction = kHeld;
    integer = static_cast<int8_t>(std::nearbyint(center));
  }
};

}  // namespace

void Oscillations::watch(const std::string& name, const at::Tensor& weight) {
  const auto count = weight.numel();
  watched_.emplace(name, Watched{.integers = at::zeros({count}, at::kChar),
                                 .direction = at::full({count}, int64_t{kUnknown}, at::kChar),
                                 .frequency = at::zeros({count}),
                                 .center = at::zeros({count})});
}

void Oscillations::follow(const std::string& name, const at::Tensor& weight,
                          const WeightSteps& steps) {
  const at::NoGradGuard no_grad;
  const Watched& watched = watched_.at(name);
  const int64_t axis = std::max(steps.axis, 0);
  at::Tensor rows = weight.detach().movedim(axis, 0).contiguous();
  const bool shared = rows.is_alias_of(weight);
  auto* numbers = rows.mutable_data_ptr<float>();
  auto* integers = watched.integers.mutable_data_ptr<int8_t>();
  auto* directions = watched.direction.mutable_data_ptr<int8_t>();
  auto* frequencies = watched.frequency.mutable_data_ptr<float>();
  auto* centers = watched.center.mutable_data_ptr<float>();
  const int64_t length = rows.numel() / std::max<int64_t>(1, rows.size(0));
  std::atomic<bool> any = false;
  at::parallel_for(0, rows.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin * length; i < end * length; ++i) {
      const auto row = static_cast<size_t>(i / length);
      const float scale = steps.scales[steps.scales.size() == 1 ? 0 : row];
      const Memory memory{integers[i], directions[i], frequencies[i], centers[i]};
      const float now = std::clamp(std::nearbyint(numbers[i] / scale),
                                   static_cast<float>(steps.low), static_cast<float>(steps.high));
      if (memory.direction == kUnknown)
        memory.begin(now);
      else if (!memory.held())
        memory.see(now, most_);
      if (!memory.held()) continue;
      numbers[i] = static_cast<float>(memory.integer) * scale;
      any = true;
    }
  });
  if (any && !shared) weight.detach().copy_(rows.movedim(0, axis));
}

std::map<std::string, at::Tensor> Oscillations::state() const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [name, watched] : watched_) {
    all.emplace(name + "/integers", watched.integers);
    all.emplace(name + "/direction", watched.direction);
    all.emplace(name + "/frequency", watched.frequency);
    all.emplace(name + "/center", watched.center);
  }
  return all;
}

}  // namespace octet
