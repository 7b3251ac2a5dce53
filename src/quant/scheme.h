#pragma once

#include <array>
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
    WeightOnly,  ///< weights of products are stored in groups; activations never have integers
  };
  /// What to do about sums that saturate on some processors of a target (quant/saturation.h).
  enum class Saturation : uint8_t {
    Avoid,   ///< weights are scaled so that none can
    Report,  ///< the full range of weights is used
  };
  /// Of weight-only ranges: neighbours along a product's inputs that share a scale.
  struct Groups {
    int bits = 4;       ///< of a weight: 4 or 8
    int64_t size = 32;  ///< 16, 32, 64, 128 or 256
    bool symmetric =
        false;  ///< zero points in the middle of the codes; else each group has its own
    bool operator==(const Groups&) const = default;
  };
  /// The integers of weights.
  enum class WeightRange : uint8_t {
    Narrow,  ///< -127 to 127 (of 4 bits: -7 to 7), as TFLite demands
    Full,    ///< -128 to 127
  };
  enum class Scales : uint8_t {
    Any,
    PowerOfTwo,  ///< the least power of two that holds the range: shifts instead of products
  };
  Weights weights = Weights::PerChannel;
  Activations activations = Activations::Asymmetric;
  int activation_bits = 8;  ///< 8, or 16 (then symmetric)
  int weight_bits = 8;      ///< of static ranges: 8, or 4 where a kernel takes them
  Ranges ranges = Ranges::Static;
  Saturation saturation = Saturation::Avoid;
  WeightRange weight_range = WeightRange::Narrow;
  Scales scales = Scales::Any;
  Groups groups;

  bool operator==(const Scheme&) const = default;
};

/// The ends of the integers of weights.
struct WeightBounds {
  int32_t low;
  int32_t high;
};
constexpr WeightBounds weight_bounds(const Scheme& scheme) {
  const int32_t high = scheme.weight_bits == 4 ? 7 : 127;
  return {scheme.weight_range == Scheme::WeightRange::Full ? -high - 1 : -high, high};
}

/// What weight-only ranges have: ONNX Runtime 1.23 refuses 2 bits, and computes nonsense of groups
/// of 512.
inline constexpr std::array kGroupBits{4, 8};
inline constexpr std::array<int64_t, 5> kGroupSizes{16, 32, 64, 128, 256};

}  // namespace octet
