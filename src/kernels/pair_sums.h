#pragma once

#include <span>

namespace octet {

/// Rows of equal length one after the other: for each, the largest magnitude of the sum of an
/// element at an even place and the one behind it (0 where the row ends). `largest` has an element
/// for each row.
void largest_pair_sums(std::span<const float> rows, std::span<float> largest);

}  // namespace octet
