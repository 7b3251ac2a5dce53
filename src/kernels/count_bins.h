#pragma once

#include <cstdint>
#include <span>

namespace octet {

/// counts[floor(value * 2^-exponent) - first] += 1 for every value, which must be finite and fall
/// into a counter. Exact for all floats.
void count_bins(std::span<const float> values, int exponent, int64_t first,
                std::span<int64_t> counts);

}  // namespace octet
