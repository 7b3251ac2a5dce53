#include "kernels/range.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/fail.h"

namespace octet {

void Range::include(float value) {
  low = empty ? value : std::min(low, value);
  high = empty ? value : std::max(high, value);
  empty = false;
}

void Range::include(const Range& other) {
  if (other.empty) return;
  include(other.low);
  include(other.high);
}

namespace {

/// Lanes that the compiler keeps in vector registers; one running minimum would be a chain.
constexpr size_t kLanes = 16;

[[noreturn]] void refuse(std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  fail(Code::Numeric, "element {} of {} is {}", bad - values.begin(), values.size(),
       std::isnan(*bad) ? std::abs(*bad) : *bad);  // the sign of NaN says nothing
}

}  // namespace

Range range_of(std::span<const float> values) {
  if (values.empty()) return {};
  std::array<float, kLanes> low;
  std::array<float, kLanes> high;
  std::array<uint32_t, kLanes> exponents{};  // all ones: NaN or infinity
  low.fill(values[0]);
  high.fill(values[0]);
  const size_t whole = values.size() / kLanes * kLanes;
  const auto take = [&](size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    exponents[lane] = std::max(exponents[lane], std::bit_cast<uint32_t>(value) & 0x7F800000U);
  };
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) take(0, values[i]);
  if (std::ranges::max(exponents) == 0x7F800000U) refuse(values);
  return {std::ranges::min(low), std::ranges::max(high), false};
}

}  // namespace octet
