#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace octet {

/// Mixup (H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018): every image of a
/// batch is mixed with another of it, and counts for both labels by its share.
///
/// Of the first image: drawn from Beta(alpha, alpha), a function of seed and step alone. 0 < alpha
/// <= 1.
double mixup_share(double alpha, uint64_t seed, uint64_t step);

/// share * t + (1 - share) * t in reverse order, along the first dimension.
at::Tensor mixed_with_reverse(const at::Tensor& tensor, double share);

}  // namespace octet
