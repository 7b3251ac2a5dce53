#include "kernels/bfloat16.h"

#include <hwy/targets.h>

namespace octet {

bool has_bfloat16_products() {
  constexpr int64_t kWithProducts = HWY_AVX3_ZEN4 | HWY_AVX3_SPR | HWY_NEON_BF16;
  return (hwy::SupportedTargets() & kWithProducts) != 0;
}

}  // namespace octet
