#pragma once

#include <cstdint>

namespace octet::lite_integers {

// gemmlowp's functions on int32 fixed-point numbers. "q5" has 5 integer bits: real = raw / 2^(31 -
// 5).

int32_t exp_of_negative(int32_t q5);  ///< e^x in q0, for x <= 0
/// ln(x) in q5 for x in q12, x >= 1.
int32_t log_of_sum(int32_t q12);
/// 1 / x for x in q12, as a q0 number; `bits` tells by how many bits the quotient is below it.
int32_t reciprocal(int32_t q12, int& bits);
/// 1 / sqrt(sum): a mantissa, and the exponent of its Multiplier.
int32_t inverse_root(int32_t sum, int& exponent);
/// x / 2^-power where `power` is negative, x * 2^power saturated otherwise.
int32_t saturating_shift(int32_t x, int power);

}  // namespace octet::lite_integers
