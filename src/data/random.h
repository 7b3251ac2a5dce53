#pragma once

#include <cstdint>

namespace octet {

/// SplitMix64: a small generator with the same numbers on every machine and library (the standard
/// library's distributions are free to differ).
class Random {
 public:
  /// `stream` gives independent sequences under one seed: one per image, for instance.
  explicit Random(uint64_t seed, uint64_t stream = 0) : state_(mix(mix(seed) + stream)) {}

  uint64_t next() { return mix(state_ += kStep); }

  /// 0 .. bound-1, without bias; `bound` must be positive.
  uint64_t below(uint64_t bound) {
    const uint64_t rest = (0 - bound) % bound;  // 2^64 mod bound: drawn numbers below are refused
    uint64_t drawn = next();
    while (drawn < rest) drawn = next();
    return drawn % bound;
  }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15;

  static constexpr uint64_t mix(uint64_t value) {
    value += kStep;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  }

  uint64_t state_;
};

}  // namespace octet
