#pragma once

#include <cstdint>

namespace octet {

/// How values are represented in integers: a choice within what the targets can run.
struct Scheme {
  enum class Weights : uint8_t { PerChannel, PerTensor };
  enum class Activations : uint8_t {
    Asymmetric,
    Symmetric,  ///< zero point 0 (of signed integers)
  };
  enum class Ranges : uint8_t {
    Static,   ///< activations have grids from calibration
    Dynamic,  ///< weights alone are stored as integers; activations get theirs when they are known
  };
  /// What to do about sums that saturate on some processors of a target (quant/saturation.h).
  enum class Saturation : uint8_t {
    Avoid,   ///< weights are scaled so that none can
    Report,  ///< the full range of weights is used
  };
  Weights weights = Weights::PerChannel;
  Activations activations = Activations::Asymmetric;
  int activation_bits = 8;  ///< 8, or 16 (then symmetric)
  Ranges ranges = Ranges::Static;
  Saturation saturation = Saturation::Avoid;

  bool operator==(const Scheme&) const = default;
};

}  // namespace octet
