#include "train/mixup.h"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "data/random.h"

namespace octet {
namespace {

/// Above 0, at most 1.
double unit(Random& random) { return (static_cast<double>(random.next() >> 11) + 1) * 0x1p-53; }

}  // namespace

double mixup_share(double alpha, uint64_t seed, uint64_t step) {
  // M. D. Joehnk, "Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", 1964.
  Random random(seed, step);
  while (true) {
    const double x = std::pow(unit(random), 1 / alpha);
    const double y = std::pow(unit(random), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

at::Tensor mixed_with_reverse(const at::Tensor& tensor, double share) {
  return tensor * share + tensor.flip({0}) * (1 - share);
}

}  // namespace octet
