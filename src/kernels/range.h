#pragma once

#include <cstdint>
#include <span>

namespace octet {

/// An interval of real numbers; empty until something was included.
struct Range {
  float low = 0;
  float high = 0;
  bool empty = true;

  void include(float value);
  void include(const Range& other);
  bool operator==(const Range&) const = default;
};

/// Smallest and largest element. Throws Code::Numeric when one is NaN or infinite.
Range range_of(std::span<const float> values);

}  // namespace octet
