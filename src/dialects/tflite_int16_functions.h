#pragma once

#include <cstdint>

namespace octet::lite_integers {

// gemmlowp's functions on int16 fixed-point numbers: x with 3 integer bits (real = x / 2^12), the
// result with none (real = result / 2^15).

int32_t logistic_of_q3(int32_t x);
int32_t tanh_of_q3(int32_t x);

}  // namespace octet::lite_integers
