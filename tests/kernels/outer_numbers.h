#pragma once

#include <limits>

#include "ops/op_def.h"  // kInfinity

namespace octet::test {

// The largest and the smallest of the positive floats.
inline constexpr float kHuge = std::numeric_limits<float>::max();
inline constexpr float kTiny = std::numeric_limits<float>::denorm_min();

}  // namespace octet::test
