#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace octet::lite_integers {

/// TFLite's table of a function of 16-bit numbers: 512 intervals, between whose ends it
/// interpolates (LUTPopulate and LUTLookup of kernels/internal/common.h).
class Interpolation {
 public:
  /// The function of the real numbers that integers stand for, each in steps of `step` from
  /// integer `zero` on; results in steps of `out_step`, from 0 on. Computed in the type `Real`.
  template <class Real, class Function>
  static Interpolation of(Real step, int32_t zero, Real out_step, Function function);

  int32_t operator()(int32_t x) const {
    const auto index = static_cast<size_t>(256 + (x >> 7));
    const int32_t slope = static_cast<int16_t>(entries_[index + 1] - entries_[index]);
    return static_cast<int16_t>(entries_[index] + ((slope * (x & 127) + 64) >> 7));
  }

 private:
  static constexpr int kIntervals = 512;
  std::array<int16_t, kIntervals + 1> entries_{};
};

template <class Real, class Function>
Interpolation Interpolation::of(Real step, int32_t zero, Real out_step, Function function) {
  const Real low = step * static_cast<Real>(-32768 - zero);
  const Real high = step * static_cast<Real>(32767 - zero);
  const Real interval = (high - low) / kIntervals;
  const Real half = interval / 2;
  const Real steps = Real{65536} / (out_step * 32767 - out_step * -32768);
  const auto entry = [](Real x) {
    return static_cast<int16_t>(std::clamp(x, Real{-32768}, Real{32767}));
  };
  Interpolation made;
  for (int i = 0; i < kIntervals; ++i) {
    const Real at = low + static_cast<Real>(i) * interval;
    const Real here = std::round(function(at) * steps);
    const Real next = function(low + static_cast<Real>(i + 1) * interval) * steps;
    // Half of the error in the middle of the interval is taken off.
    const Real middle = std::round((next + here) / 2);
    const Real wanted = std::round(function(at + half) * steps);
    made.entries_[static_cast<size_t>(i)] = entry(here - std::round((middle - wanted) / 2));
  }
  made.entries_[kIntervals] = entry(std::round(function(high) * steps));
  return made;
}

}  // namespace octet::lite_integers
